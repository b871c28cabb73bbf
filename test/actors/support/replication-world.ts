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
import type { SnapshotRecord, SnapshotResult } from '../../../src/storage/snapshot-store.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import type { RpcOutcome } from '../../../src/transport/rpc/peer-rpc.ts'
import type { RequestOf, ResponseOf, RpcMethod } from '../../../src/transport/wire/messages/registry.ts'
import { FakeReader, storedGroup } from '../../log/support/entries.ts'
import { FakeRpc, type OutboundCall } from './fake-rpc.ts'
import { VirtualClock } from './virtual-clock.ts'

export const TERM = 7

type Opened = SnapshotResult<SnapshotRecord>

/** The snapshots that the leader has to offer, handed out when the test says so. */
export class FakeFiles {
  readonly asked: { readonly peer: string; readonly done: (result: Opened) => void }[] = []
  readonly released: string[] = []

  offer(peer: string, done: (result: Opened) => void): void {
    this.asked.push({ peer, done })
  }

  release(peer: string): void {
    this.released.push(peer)
  }

  /** Of 1,000 bytes in two files. */
  open(lastIncludedIndex: number, lastIncludedTerm: number): void {
    const meta = { lastIncludedIndex, lastIncludedTerm, peers: ['a', 'b'], oldPeers: [] }
    const file = (name: string) => ({ name, bytes: 500, digest: new Uint8Array(32), userMeta: null })
    const value = { meta, files: [file('f'), file('g')], bytes: 1000, takenAtMs: 12.5 }
    this.#settle({ ok: true, value })
  }

  fail(): void {
    this.#settle({ ok: false, error: new StorageError('INVALID', 'there is none') })
  }

  #settle(result: Opened): void {
    for (const { done } of this.asked.splice(0)) done(result)
  }
}

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
  const files = new FakeFiles()
  const errors: string[] = []
  const world = {
    group: 'g',
    clock,
    tuning: parseTuning(tuning),
    heartbeatMs: 100,
    log,
    files,
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
    files,
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
    /** The offer that waits for its answer. */
    get offered(): OutboundCall<'install_snapshot'> | undefined {
      return rpc.calls('install_snapshot').find((call) => call.isOpen)
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
