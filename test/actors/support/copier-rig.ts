// A copier between two stores in memory: the leader's, behind a file service, and its own. Messages go through the codec
// and may be lost, refused or held back.

import { createHash } from 'node:crypto'
import { createActor, type InspectionEvent } from 'xstate'
import { hot } from '../../../src/actors/hot.ts'
import type { CopyReport } from '../../../src/actors/snapshot/copier.actions.ts'
import { copierMachine } from '../../../src/actors/snapshot/copier.machine.ts'
import { FileService } from '../../../src/actors/snapshot/file-service.ts'
import { RaftLog } from '../../../src/log/raft-log.ts'
import { silentLogger } from '../../../src/runtime/logger.ts'
import { SnapshotThrottle } from '../../../src/runtime/snapshot-throttle.ts'
import { MemoryDisk, MemoryStorage } from '../../../src/storage/memory/memory-storage.ts'
import type { SnapshotRecord, SnapshotResult, SnapshotStore } from '../../../src/storage/snapshot-store.ts'
import type { Reply, RpcFailure, RpcOutcome } from '../../../src/transport/rpc/peer-rpc.ts'
import { decodeResponse, encodeErrorResponse, encodeResponse } from '../../../src/transport/wire/codec.ts'
import type {
  RequestOf,
  ResponseOf,
  RpcMethod,
  SentResponseOf,
} from '../../../src/transport/wire/messages/registry.ts'
import { EMPTY_GROUP, FakeReader } from '../../log/support/entries.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Written at once. */
const PIECE_BYTES = 1024 * 1024

export interface RigFile {
  readonly name: string
  readonly content: Uint8Array
  readonly userMeta?: Uint8Array
}

/** Bytes that differ from place to place and from file to file. */
export function content(bytes: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) % 256)
}

/** Equal for equal bytes; comparing large arrays takes its time. */
export function digestOf(bytes: Uint8Array): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`
}

export class CopierRig {
  readonly clock = new VirtualClock()
  readonly disk = new MemoryDisk()
  readonly rpc = { maxFrameBytes: 1_000_000 }
  readonly throttle = new SnapshotThrottle(this.clock)
  readonly files: FileService
  readonly leaderStore: SnapshotStore
  /** The follower's; another one after each restart. */
  store: SnapshotStore
  readonly reports: CopyReport[] = []
  readonly progress = { doneBytes: 0, totalBytes: 0 }
  /** Requests so far, as `name@offset+count`. */
  asked: string[] = []
  underWay = 0
  mostUnderWay = 0
  fetchedBytes = 0
  /** What happens to the next requests, in order: null lets one pass. */
  readonly faults: (RpcFailure | null)[] = []
  /** The same to every one, after those. */
  fault: RpcFailure | null = null
  /** Changes an answer on its way. */
  change: (response: ResponseOf<'get_file'>) => ResponseOf<'get_file'> = (response) => response
  held = false
  readonly #waiting: (() => void)[] = []
  readonly #inspect: ((event: InspectionEvent) => void) | undefined

  constructor(inspect?: (event: InspectionEvent) => void) {
    this.#inspect = inspect
    this.leaderStore = this.#open(new MemoryDisk())
    this.store = this.#open(this.disk)
    this.files = new FileService({
      group: 'g',
      clock: this.clock,
      logger: silentLogger,
      gone: false,
      term: 3,
      configuration: { peers: ['a', 'b'], oldPeers: [] },
      log: new RaftLog(new FakeReader(), EMPTY_GROUP, 0),
      commitIndex: 0,
      tuning: { appendTimeoutMs: 2000 },
      snapshots: { store: this.leaderStore },
      input: { rpc: this.rpc, throttle: new SnapshotThrottle(this.clock) },
      answer: (reply: Reply, response) => reply({ ok: true, response }),
    })
  }

  #open(disk: MemoryDisk): SnapshotStore {
    const storage = new MemoryStorage({ clock: this.clock, disk })
    const opened: SnapshotStore[] = []
    storage.openSnapshots('g', (result) => result.ok && opened.push(result.value))
    this.clock.settle()
    const [store] = opened
    if (store === undefined) throw new Error('the snapshots could not be opened')
    return store
  }

  /** The follower starts again with what its disk has. */
  restart(): void {
    this.store = this.#open(this.disk)
  }

  /** The leader's newest snapshot. */
  publish(index: number, files: readonly RigFile[]): SnapshotRecord {
    return this.save(this.leaderStore, index, files)
  }

  save(store: SnapshotStore, index: number, files: readonly RigFile[]): SnapshotRecord {
    const meta = { lastIncludedIndex: index, lastIncludedTerm: 2, peers: ['a', 'b'], oldPeers: [] }
    const writing = store.create(meta, 5)
    for (const file of files) {
      for (let at = 0; at < file.content.length; at += PIECE_BYTES)
        writing.write(file.name, file.content.slice(at, at + PIECE_BYTES), () => {})
      writing.endFile(file.name, file.userMeta ?? null, () => {})
    }
    let record: SnapshotRecord | null = null
    writing.publish((result) => {
      if (result.ok) record = result.value
    })
    this.clock.settle()
    if (record === null) throw new Error('the snapshot could not be published')
    return record
  }

  /** Begins to copy what the leader offers now. */
  start(version = 1, over: { readonly files?: number } = {}) {
    let offered: SnapshotResult<SnapshotRecord> | null = null
    this.files.offer('b', (result) => {
      offered = result
    })
    this.clock.settle()
    const record = asRecord(offered)
    const { meta, bytes, takenAtMs } = record
    const parent = createActor(listener, { input: this.reports }).start()
    const offer = { meta, bytes, files: record.files.length, takenAtMs, ...over }
    const input = { world: this.world, from: 'a', offer, version, parent, progress: this.progress }
    const { clock } = this
    const actor = createActor(copierMachine, {
      input,
      clock: { setTimeout: clock.setTimeout.bind(clock), clearTimeout: clock.clearTimeout.bind(clock) },
      ...(this.#inspect === undefined ? {} : { inspect: this.#inspect }),
    })
    return actor.start()
  }

  get world() {
    const rig = this
    return {
      group: 'g',
      clock: this.clock,
      logger: silentLogger,
      term: 3,
      tuning: { appendTimeoutMs: 2000 },
      snapshots: {
        get store() {
          return rig.store
        },
      },
      input: { rpc: this.rpc, throttle: this.throttle },
      call: this.#call.bind(this),
    }
  }

  /** Lets go what was held back. */
  release(): void {
    this.held = false
    for (const go of this.#waiting.splice(0)) go()
  }

  /** The follower's newest snapshot, read back. */
  read(): Record<string, string> {
    const found: Record<string, string> = {}
    this.store.open((opened) => {
      if (!opened.ok) throw opened.error
      for (const { name, bytes } of opened.value.record.files) {
        opened.value.read(name, 0, Math.max(1, bytes), (result) => {
          if (!result.ok) throw result.error
          found[name] = digestOf(result.value)
        })
      }
    })
    this.clock.settle()
    return found
  }

  #call<M extends RpcMethod>(
    _to: string,
    method: M,
    request: RequestOf<M>,
    _timeoutMs: number,
    done: (outcome: RpcOutcome<ResponseOf<M>>) => void,
  ): void {
    if (!('offset' in request)) throw new Error(`a copier does not say ${method}`)
    this.asked.push(`${request.name}@${request.offset}+${request.count}`)
    this.underWay++
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay)
    const end = (outcome: RpcOutcome<ResponseOf<M>>): void => {
      this.underWay--
      done(outcome)
    }
    const failure = this.faults.length > 0 ? (this.faults.shift() ?? null) : this.fault
    const go = (): void =>
      this.clock.defer(() => {
        if (failure !== null) return end({ ok: false, failure })
        this.files.serve('b', request, (outcome) => {
          const frame = outcome.ok
            ? encodeResponse('a', 'get_file', this.#count(outcome.response))
            : encodeErrorResponse('a', outcome.error)
          const decoded = decodeResponse(method, frame)
          if (!decoded.ok) throw new Error(decoded.detail)
          const { outcome: said } = decoded.value
          this.clock.defer(() => {
            end(
              said.ok
                ? said
                : {
                    ok: false,
                    failure: { code: 'REFUSED', remoteCode: said.error.code, message: said.error.message },
                  },
            )
            // It is the bus's again: what is kept of it must have been copied.
            frame.fill(0xff)
          })
        })
      })
    if (this.held) this.#waiting.push(go)
    else go()
  }

  #count(response: SentResponseOf<RpcMethod>): ResponseOf<'get_file'> {
    if (!('data' in response)) throw new Error('not a piece')
    const changed = this.change(response)
    this.fetchedBytes += changed.data.length
    return changed
  }
}

const listener = hot<CopyReport[], CopyReport, CopyReport[]>({
  init: (reports) => reports,
  on: (reports, report) => reports.push(report),
})

function asRecord(result: SnapshotResult<SnapshotRecord> | null): SnapshotRecord {
  if (result?.ok !== true) throw new Error('the leader has nothing to offer')
  return result.value
}
