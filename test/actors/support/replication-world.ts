// A replicator without a node around it, by its narrow door: its log, its disk and its follower are the test's.

import { createActor, type InspectionEvent } from 'xstate'
import { PeerProgress } from '../../../src/actors/replication/peer-progress.ts'
import type {
  ReplicationReport,
  ReplicationWorld,
} from '../../../src/actors/replication/replication-world.ts'
import { replicatorMachine } from '../../../src/actors/replication/replicator.machine.ts'
import { type LogDisk, RaftLog } from '../../../src/log/raft-log.ts'
import { parseTuning, type TuningInput } from '../../../src/options.ts'
import type { LogEntry } from '../../../src/rules/types.ts'
import { silentLogger } from '../../../src/runtime/logger.ts'
import type { RpcOutcome } from '../../../src/transport/rpc/peer-rpc.ts'
import type { RequestOf, ResponseOf, RpcMethod } from '../../../src/transport/wire/messages/registry.ts'
import { FakeReader, storedGroup } from '../../log/support/entries.ts'
import { FakeRpc, type OutboundCall } from './fake-rpc.ts'
import { VirtualClock } from './virtual-clock.ts'

export const TERM = 7

export interface ReplicatorRigOptions {
  /** On the leader's disk, and not in memory. */
  readonly stored: readonly LogEntry[]
  readonly termBeforeFirst?: number
  readonly tuning?: TuningInput
  readonly disk?: FakeReader
  readonly inspect?: (event: InspectionEvent) => void
}

export function replicatorRig(options: ReplicatorRigOptions) {
  const { stored, termBeforeFirst = 0, tuning = {}, inspect } = options
  const disk: LogDisk & FakeReader = options.disk ?? new FakeReader(stored)
  const clock = new VirtualClock()
  const rpc = new FakeRpc()
  const log = new RaftLog(disk, storedGroup(stored, termBeforeFirst), 1_000_000)
  const reports: ReplicationReport[] = []
  const errors: string[] = []
  const world = {
    group: 'g',
    clock,
    tuning: parseTuning(tuning),
    heartbeatMs: 100,
    log,
    commitIndex: log.lastIndex as number,
    input: { rpc },
    logger: { ...silentLogger, error: (_: unknown, words: string) => void errors.push(words) },
    call<M extends RpcMethod>(
      to: string,
      method: M,
      request: RequestOf<M>,
      timeoutMs: number,
      done: (outcome: RpcOutcome<ResponseOf<M>>) => void,
    ): void {
      rpc.call('g', to, method, request, timeoutMs, done)
    },
    send: (report: ReplicationReport) => void reports.push(report),
  } satisfies ReplicationWorld
  const progress = new PeerProgress('b', log.lastIndex + 1, clock.nowMs())
  const input = { core: world, progress, term: TERM }
  const system = {
    clock: { setTimeout: clock.setTimeout.bind(clock), clearTimeout: clock.clearTimeout.bind(clock) },
  }
  const actor = createActor(replicatorMachine, {
    input,
    ...system,
    ...(inspect === undefined ? {} : { inspect }),
  })
  actor.start()

  const open = (): OutboundCall<'append_entries'>[] =>
    rpc.calls('append_entries').filter((call) => call.isOpen)
  const refusal = { term: TERM, success: false, conflictTerm: 0, conflictIndex: 0 }
  return {
    actor,
    clock,
    disk,
    errors,
    log,
    open,
    progress,
    reports,
    world,
    get state(): unknown {
      return actor.getSnapshot().value
    },
    /** `[prevLogIndex, entries]` of each frame in flight. */
    get flying(): readonly (readonly [number, number])[] {
      return open().map(({ request }) => [request.prevLogIndex, request.entries.length] as const)
    },
    /** The follower has the oldest frame in flight. */
    acknowledge(): void {
      const [call] = open()
      if (call === undefined) throw new Error('nothing is in flight')
      const lastLogIndex = call.request.prevLogIndex + call.request.entries.length
      call.answer({ ...refusal, success: true, lastLogIndex })
    },
    /** It lacks everything after `lastLogIndex`. */
    refuse(lastLogIndex: number): void {
      open()[0]?.answer({ ...refusal, lastLogIndex })
    },
    /** The leader takes new entries; they are committed when `commit` is called. */
    write(entries: readonly LogEntry[]): void {
      log.append(entries)
      actor.send({ type: 'log.grew' })
    },
  }
}
