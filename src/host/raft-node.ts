// The facade a user holds: promises around a node handle.

import type { AnyActorRef } from 'xstate'
import { LEADERSHIP_DOOR, type LeadershipDoor } from '../actors/node/tenure.ts'
import type {
  Applied,
  ApplyOptions,
  ChangeOptions,
  CommittedCommand,
  ConfigurationInfo,
  ElectionTimeoutOptions,
  LeadershipInfo,
  MemberSpec,
  NodeEvents,
  RaftNode,
  ReadOptions,
  ResetOptions,
  SnapshotInfo,
  TransferOptions,
} from '../api.ts'
import { QuorateError } from '../errors.ts'
import { memberNameSchema } from '../options.ts'
import { aborted, untilAborted } from '../protocol/aborting.ts'
import type { ChangeWish } from '../rules/change.ts'
import type { LogIndex, PeerId } from '../rules/types.ts'
import { lostResult } from '../services/lost-result.ts'
import { MEMBER_PORT, type MemberPort, type PortedNode } from '../services/member-port.ts'
import type { NodeStatus } from '../status.ts'
import { copyValue, decodeValue, encodeValue } from '../transport/wire/codec.ts'
import { isEnvelope, openEnvelope, traced } from '../transport/wire/envelope.ts'
import { checkedNames, forcedNames, wishes } from './member-wishes.ts'
import type { NodeHandle } from './node-handle.ts'
import { configurationInfo, snapshotInfo } from './node-status.ts'

/** Ends a node and forgets it; the host's part of closing. */
export type StopNode = (node: NodeHandle, done: () => void) => void

export class NodeFacade implements RaftNode, PortedNode {
  readonly #handle: NodeHandle
  readonly #stop: StopNode
  #closing: Promise<void> | null = null

  constructor(handle: NodeHandle, stop: StopNode) {
    this.#handle = handle
    this.#stop = stop
  }

  get group(): string {
    return this.#handle.core.group
  }

  get id(): PeerId {
    return this.#handle.core.id
  }

  get actor(): AnyActorRef {
    return this.#handle.actor
  }

  /** What services take instead of `apply` and `read`. */
  get [MEMBER_PORT](): MemberPort {
    return this.#handle
  }

  /** What `runAsLeader` relies on. */
  get [LEADERSHIP_DOOR](): LeadershipDoor {
    return this.#handle.leadership
  }

  apply<Result = unknown>(
    command: unknown,
    { signal, expectedTerm, traceContext }: ApplyOptions = {},
  ): Promise<Applied<Result>> {
    const applied = new Promise<Applied<Result>>((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal, 'not-applied'))
      const data = traced(encodeValue(command), traceContext)
      this.#handle.propose(data, expectedTerm, (outcome) => {
        if (!outcome.ok) return reject(outcome.error)
        const { index, term, result } = outcome
        try {
          // A copy: the machine may go on changing what it returned.
          resolve({ index, term, result: copyValue(result) as Result })
        } catch (error) {
          reject(lostResult(error, 'applied'))
        }
      })
    })
    return signal === undefined ? applied : untilAborted(applied, signal, 'unknown')
  }

  read<Answer = unknown>(query: unknown, { signal, level = 'readIndex' }: ReadOptions = {}): Promise<Answer> {
    const answered = new Promise<Answer>((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal, 'not-applied'))
      if (query === undefined) throw new QuorateError('INVALID', 'A query is missing; null is one.')
      this.#handle.query(copyValue(query), level, (outcome) => {
        if (!outcome.ok) return reject(outcome.error)
        try {
          resolve(copyValue(outcome.answer) as Answer)
        } catch (error) {
          reject(lostResult(error, 'not-applied'))
        }
      })
    })
    return signal === undefined ? answered : untilAborted(answered, signal, 'not-applied')
  }

  readCommittedUserLog<Command = unknown>(index: LogIndex): Promise<CommittedCommand<Command>> {
    return new Promise((resolve, reject) =>
      this.#handle.readLog(index, (outcome) => {
        if (!outcome.ok) return reject(outcome.error)
        const { index: found, term, data } = outcome.entry
        const envelope = isEnvelope(data) ? openEnvelope(data) : null
        const command = decodeValue(envelope?.command ?? data)
        if (command.ok) return resolve({ index: found, term, command: command.value as Command })
        const message = `Entry ${found} of ${this.group} holds no command that can be read (${command.reason}).`
        reject(new QuorateError('STORAGE', message))
      }),
    )
  }

  snapshot(): Promise<SnapshotInfo> {
    return new Promise((resolve, reject) =>
      this.#handle.snapshot((outcome) => {
        if (outcome.ok) resolve(snapshotInfo(outcome.record))
        else reject(outcome.error)
      }),
    )
  }

  changePeers(target: readonly MemberSpec[], options?: ChangeOptions): Promise<ConfigurationInfo> {
    return this.#change(() => wishes.set(target), options)
  }

  addPeer(member: MemberSpec, options?: ChangeOptions): Promise<ConfigurationInfo> {
    return this.#change(() => wishes.add(member), options)
  }

  removePeer(id: PeerId, options?: ChangeOptions): Promise<ConfigurationInfo> {
    return this.#change(() => wishes.remove(id), options)
  }

  promote(id: PeerId, options?: ChangeOptions): Promise<ConfigurationInfo> {
    return this.#change(() => wishes.promote(id), options)
  }

  demote(id: PeerId, options?: ChangeOptions): Promise<ConfigurationInfo> {
    return this.#change(() => wishes.demote(id), options)
  }

  setPriority(id: PeerId, priority: number, options?: ChangeOptions): Promise<ConfigurationInfo> {
    return this.#change(() => wishes.prioritize(id, priority), options)
  }

  resetPeers(peers: readonly PeerId[], options: ResetOptions): Promise<ConfigurationInfo> {
    const { signal } = options ?? {}
    const reset = new Promise<ConfigurationInfo>((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal, 'not-applied'))
      this.#handle.resetPeers(forcedNames(peers, options), (outcome) => {
        if (outcome.ok) resolve(configurationInfo(this.#handle.core, outcome.configuration, 'none'))
        else reject(outcome.error)
      })
    })
    return signal === undefined ? reset : untilAborted(reset, signal, 'unknown')
  }

  members(): ConfigurationInfo {
    return this.#handle.members()
  }

  #change(wish: () => ChangeWish, { expect, signal }: ChangeOptions = {}): Promise<ConfigurationInfo> {
    const changed = new Promise<ConfigurationInfo>((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal, 'not-applied'))
      this.#handle.change(wish(), checkedNames('Option expect', expect), (outcome) => {
        if (outcome.ok) resolve(configurationInfo(this.#handle.core, outcome.configuration, 'none'))
        else reject(outcome.error)
      })
    })
    return signal === undefined ? changed : untilAborted(changed, signal, 'unknown')
  }

  transferLeadership(to?: PeerId, { signal }: TransferOptions = {}): Promise<LeadershipInfo> {
    const moved = new Promise<LeadershipInfo>((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal, 'not-applied'))
      if (to !== undefined) checkName(to)
      this.#handle.transfer(to ?? null, (outcome) => {
        if (outcome.ok) resolve({ leader: outcome.leader, term: outcome.term })
        else reject(outcome.error)
      })
    })
    return signal === undefined ? moved : untilAborted(moved, signal, 'unknown')
  }

  vote(electionTimeoutMs?: number): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#handle.vote(electionTimeoutMs, (error) => (error === null ? resolve() : reject(error))),
    )
  }

  resetElectionTimeout(options: ElectionTimeoutOptions): void {
    this.#handle.retime(options)
  }

  setReadonly(on: boolean): void {
    this.#handle.setReadonly(on)
  }

  status(): NodeStatus {
    return this.#handle.status()
  }

  on<E extends keyof NodeEvents>(event: E, handler: (payload: NodeEvents[E]) => void): () => void {
    return this.#handle.on(event, handler)
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((done) => this.#handle.drain(() => this.#stop(this.#handle, done)))
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Stops at once; whoever waits learns that the outcome is unknown. */
  destroy(): void {
    this.#handle.destroy()
    this.#handle.abandon()
  }
}

function checkName(id: unknown): void {
  if (memberNameSchema.safeParse(id).success) return
  throw new QuorateError('INVALID', `${String(id)} is no name of a member: 1 to 64 letters, digits, _ or -.`)
}
