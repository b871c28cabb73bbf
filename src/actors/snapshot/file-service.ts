// Serves the files of snapshots to followers that were offered them (braft FileService). Only an offer of the own
// replicator opens a snapshot, one per follower; a request opens nothing and leaves nothing behind.

import type { RaftLog } from '../../log/raft-log.ts'
import type { Installation } from '../../rules/compaction.ts'
import { targets } from '../../rules/quorum.ts'
import type { Configuration, PeerId, Term } from '../../rules/types.ts'
import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { SnapshotThrottle } from '../../runtime/snapshot-throttle.ts'
import type {
  SnapshotFile,
  SnapshotReader,
  SnapshotRecord,
  SnapshotResult,
  SnapshotStore,
} from '../../storage/snapshot-store.ts'
import { StorageError } from '../../storage/storage.ts'
import type { PeerRpc, RemoteErrorCode, Reply } from '../../transport/rpc/peer-rpc.ts'
import type { GetFileRequest, GetFileResponse } from '../../transport/wire/messages/registry.ts'
import { encodePage } from './file-list.ts'
import { type PacedWorld, PiecePacer } from './piece-pacer.ts'

/** What the service needs of its node. */
export interface FileWorld extends PacedWorld {
  readonly group: string
  readonly clock: Clock
  readonly logger: Logger
  readonly gone: boolean
  readonly term: Term
  readonly configuration: Configuration
  readonly log: RaftLog
  readonly snapshots: { readonly store: SnapshotStore | null }
  readonly input: { readonly rpc: Pick<PeerRpc, 'maxFrameBytes'>; readonly throttle: SnapshotThrottle }
  answer(reply: Reply, response: GetFileResponse): void
}

/** A snapshot that nobody has asked about for this long, nor offered, is let go of. */
const IDLE_MS = 60_000
/** Reads under way, for all followers together. */
const MAX_READS = 32

/** A snapshot that a follower is being sent. */
interface Sending {
  readonly reader: SnapshotReader
  readonly files: ReadonlyMap<string, SnapshotFile>
  /** How much had come to the log when it began. */
  readonly logBytes: number
  usedMs: number
}

export class FileService {
  readonly #world: FileWorld
  readonly #sending = new Map<PeerId, Sending>()
  readonly #opening = new Set<PeerId>()
  readonly #pacer: PiecePacer
  #reads = 0
  #sweep: TimerHandle | null = null
  #closed = false

  constructor(world: FileWorld) {
    this.#world = world
    this.#pacer = new PiecePacer(world)
  }

  /** To be called when the log of a leader or its commit index has moved: pieces give way to commits. */
  look(): void {
    this.#pacer.look()
  }

  /** What followers are being sent: the log behind it is wanted. */
  get installations(): readonly Installation[] {
    const { appendedBytes } = this.#world.log
    return [...this.#sending.values()].map(({ reader, logBytes }) => ({
      snapshotIndex: reader.record.meta.lastIncludedIndex,
      bytesSince: appendedBytes - logBytes,
    }))
  }

  /**
   * The snapshot to offer to this follower: the one that it is being sent, as long as the log goes on from there, else
   * the newest. `done` is called once, at once or later; not any more when the service is closed.
   */
  offer(peer: PeerId, done: (result: SnapshotResult<SnapshotRecord>) => void): void {
    const { log, clock, snapshots } = this.#world
    const sending = this.#sending.get(peer)
    if (sending !== undefined && log.firstIndex <= sending.reader.record.meta.lastIncludedIndex + 1) {
      sending.usedMs = clock.nowMs()
      return done({ ok: true, value: sending.reader.record })
    }
    if (snapshots.store === null || this.#opening.has(peer)) {
      return done({ ok: false, error: new StorageError('INVALID', 'There is no snapshot to offer.') })
    }
    const { appendedBytes } = log
    this.#opening.add(peer)
    snapshots.store.open((opened) => {
      this.#opening.delete(peer)
      if (this.#closed || this.#world.gone) {
        if (opened.ok) opened.value.close()
        return
      }
      if (opened.ok) this.#begin(peer, opened.value, appendedBytes)
      done(opened.ok ? { ok: true, value: opened.value.record } : opened)
    })
  }

  /** This follower has it, or does not need it. */
  release(peer: PeerId): void {
    this.#sending.get(peer)?.reader.close()
    this.#sending.delete(peer)
  }

  /** Answers a request of another member, whatever it asks for. */
  serve(from: PeerId, request: GetFileRequest, reply: Reply): void {
    const { configuration, clock, group } = this.#world
    const snapshot = `snapshot ${request.lastIncludedIndex} of ${group}`
    // Who is being caught up is no member yet, and is being sent one.
    if (!targets(configuration).includes(from) && !this.#sending.has(from))
      return refuse(reply, 'EPERM', `${from} is no member of ${group}.`)
    const sending = this.#find(from, request)
    if (sending === undefined) return refuse(reply, 'ENOENT', `There is no ${snapshot} here for ${from}.`)
    sending.usedMs = clock.nowMs()
    if (request.name === '') return this.#sendList(sending, request, reply)
    const file = sending.files.get(request.name)
    if (file === undefined) return refuse(reply, 'ENOENT', `There is no such file in ${snapshot}.`)
    if (request.offset >= file.bytes) return this.#send(reply, file.bytes, new Uint8Array(0))
    if (!this.#pacer.request(() => this.#read(sending, file, request, reply)))
      refuse(reply, 'EBUSY', 'Too many pieces are waited for.')
  }

  /** Lets go of everything. */
  close(): void {
    this.#closed = true
    this.#pacer.close()
    for (const peer of [...this.#sending.keys()]) this.release(peer)
    if (this.#sweep !== null) this.#world.clock.clearTimeout(this.#sweep)
    this.#sweep = null
  }

  #begin(peer: PeerId, reader: SnapshotReader, logBytes: number): void {
    this.release(peer)
    const files = new Map(reader.record.files.map((file) => [file.name, file]))
    this.#sending.set(peer, { reader, files, logBytes, usedMs: this.#world.clock.nowMs() })
    this.#sweepLater()
  }

  /** The one that this follower is being sent, or the same one that another is. */
  #find(from: PeerId, { lastIncludedIndex, lastIncludedTerm }: GetFileRequest): Sending | undefined {
    const fits = ({ reader: { record } }: Sending): boolean =>
      record.meta.lastIncludedIndex === lastIncludedIndex && record.meta.lastIncludedTerm === lastIncludedTerm
    const own = this.#sending.get(from)
    return own !== undefined && fits(own) ? own : [...this.#sending.values()].find(fits)
  }

  #sendList({ reader }: Sending, { offset, count }: GetFileRequest, reply: Reply): void {
    const { files } = reader.record
    this.#send(reply, files.length, encodePage(files, offset, this.#roomFor(count)))
  }

  /** Returns how many bytes are read. What does not fit the bus, or the budget, is asked for again. */
  #read({ reader }: Sending, file: SnapshotFile, request: GetFileRequest, reply: Reply): number {
    const { clock, input, logger, group } = this.#world
    if (this.#reads >= MAX_READS) {
      refuse(reply, 'EBUSY', 'Too much is read at once.')
      return 0
    }
    const takenMs = clock.nowMs()
    const wanted = Math.min(this.#roomFor(request.count), file.bytes - request.offset)
    const bytes = input.throttle.reading.take(wanted)
    if (bytes === 0) {
      refuse(reply, 'EBUSY', 'The throttle allows no more at the moment.')
      return 0
    }
    this.#reads++
    reader.read(file.name, request.offset, bytes, (result) => {
      this.#reads--
      if (this.#closed || this.#world.gone) return
      this.#pacer.answered()
      if (result.ok) return this.#send(reply, file.bytes, result.value)
      input.throttle.reading.giveBack(takenMs, bytes)
      // A busy disk says INVALID here: name and numbers have been checked.
      if (result.error.code === 'INVALID' || result.error.code === 'CLOSED')
        return refuse(reply, 'EBUSY', result.error.message)
      logger.error({ group, file: file.name, error: result.error.message }, 'A snapshot cannot be read.')
      refuse(reply, 'EINTERNAL', result.error.message)
    })
    return bytes
  }

  #roomFor(count: number): number {
    return Math.max(1, Math.min(count, this.#world.input.rpc.maxFrameBytes))
  }

  #send(reply: Reply, total: number, data: Uint8Array): void {
    this.#world.answer(reply, { term: this.#world.term, total, data })
  }

  #sweepLater(): void {
    const { clock } = this.#world
    this.#sweep ??= clock.setTimeout(() => {
      this.#sweep = null
      if (this.#closed || this.#world.gone) return
      for (const [peer, { usedMs }] of this.#sending)
        if (clock.nowMs() - usedMs >= IDLE_MS) this.release(peer)
      if (this.#sending.size > 0) this.#sweepLater()
    }, IDLE_MS / 2)
  }
}

function refuse(reply: Reply, code: RemoteErrorCode, message: string): void {
  reply({ ok: false, error: { code, message } })
}
