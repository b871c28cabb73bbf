// What a copier does: asks for the list of files, then for what is missing of them, a window of chunks at a time, and
// hands it to the disk. Every answer and every write ends in an event.

import type { AnyActorRef } from 'xstate'
import { fetchPauseMs, judgeFetchFailure } from '../../rules/fetching.ts'
import type { PeerId, SnapshotMeta, Term } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { SnapshotThrottle } from '../../runtime/snapshot-throttle.ts'
import type {
  SnapshotCopy,
  SnapshotFile,
  SnapshotRecord,
  SnapshotResult,
  SnapshotStore,
} from '../../storage/snapshot-store.ts'
import { MAX_SNAPSHOT_FILES } from '../../storage/snapshot-store.ts'
import { refuseRecord } from '../../storage/snapshots/record-check.ts'
import type { StorageError } from '../../storage/storage.ts'
import type { PeerRpc, RpcFailure, RpcOutcome } from '../../transport/rpc/peer-rpc.ts'
import { MAX_PIECE_BYTES } from '../../transport/wire/messages/get-file.ts'
import type {
  GetFileResponse,
  RequestOf,
  ResponseOf,
  RpcMethod,
} from '../../transport/wire/messages/registry.ts'
import { type Chunk, FetchPlan } from './fetch-plan.ts'
import { decodePage } from './file-list.ts'

/** What a copier needs of its node. */
export interface CopyWorld {
  readonly group: string
  readonly clock: Clock
  readonly logger: Logger
  readonly term: Term
  readonly tuning: { readonly appendTimeoutMs: number }
  readonly snapshots: { readonly store: SnapshotStore | null }
  readonly input: { readonly rpc: Pick<PeerRpc, 'maxFrameBytes'>; readonly throttle: SnapshotThrottle }
  call<M extends RpcMethod>(
    to: PeerId,
    method: M,
    request: RequestOf<M>,
    timeoutMs: number,
    done: (outcome: RpcOutcome<ResponseOf<M>>) => void,
  ): void
}

export interface CopyInput {
  readonly world: CopyWorld
  readonly from: PeerId
  readonly offer: {
    readonly meta: SnapshotMeta
    readonly bytes: number
    readonly files: number
    readonly takenAtMs: number
  }
  /** Comes back with the report. */
  readonly version: number
  readonly parent: AnyActorRef
  /** Written here, read by whoever wants to know. */
  readonly progress: { doneBytes: number; totalBytes: number }
}

/** Why there is no copy: this disk, the other side, or bytes that are not what was promised. */
export interface CopyFailure {
  readonly kind: 'local' | 'remote' | 'corrupt'
  readonly message: string
  /** Of this disk. */
  readonly error: StorageError | null
}

/** What a storage says that is no failure of the disk: bytes that do not fit, or a demand that makes no sense. */
const KIND_OF: Partial<Record<StorageError['code'], CopyFailure['kind']>> = {
  CORRUPT: 'corrupt',
  INVALID: 'remote',
}

/** What a copier ends with, unless it is canceled. */
export type CopyReport =
  | { readonly type: 'copy.finished'; readonly version: number; readonly record: SnapshotRecord }
  | ({ readonly type: 'copy.failed'; readonly version: number } & CopyFailure)

export type CopyEvent =
  | { readonly type: 'page.answered'; readonly outcome: RpcOutcome<GetFileResponse> }
  | { readonly type: 'copy.opened'; readonly result: SnapshotResult<SnapshotCopy> }
  | { readonly type: 'piece.answered'; readonly chunk: Chunk; readonly outcome: RpcOutcome<GetFileResponse> }
  | { readonly type: 'chunk.written'; readonly chunk: Chunk; readonly error: StorageError | null }
  | { readonly type: 'copy.published'; readonly result: SnapshotResult<SnapshotRecord> }
  | { readonly type: 'copy.paused' }
  | { readonly type: 'cancel' }

export class Copying {
  readonly input: CopyInput
  readonly #files: SnapshotFile[] = []
  #copy: SnapshotCopy | null = null
  #plan = new FetchPlan([])
  #sizes: ReadonlyMap<string, number> = new Map()
  /** In a row. */
  #failures = 0
  /** How long nobody is asked for anything. */
  pauseMs = 0
  failure: CopyFailure | null = null
  published: SnapshotRecord | null = null

  constructor(input: CopyInput) {
    this.input = input
    input.progress.doneBytes = 0
    input.progress.totalBytes = input.offer.bytes
    const { files } = input.offer
    if (files > MAX_SNAPSHOT_FILES) this.#fail('remote', `${input.from} offers a snapshot of ${files} files.`)
  }

  // ---- the list of files

  get hasList(): boolean {
    return this.#files.length >= this.input.offer.files
  }

  askForPage(self: AnyActorRef): void {
    if (this.hasList || this.failure !== null) return
    this.#ask('', this.#files.length, MAX_PIECE_BYTES, (outcome) =>
      tell(self, { type: 'page.answered', outcome }),
    )
  }

  takePage(event: CopyEvent): void {
    if (event.type !== 'page.answered') return
    if (!event.outcome.ok) return this.#refused(event.outcome.failure)
    const { data, total } = event.outcome.response
    const page = decodePage(data)
    const { offer, from } = this.input
    if (page === null || total !== offer.files || this.#files.length + page.length > offer.files)
      return this.#fail('remote', `The list of files that ${from} sends is not the one that it offered.`)
    this.#failures = 0
    this.#files.push(...page)
  }

  // ---- the copy on disk

  open(self: AnyActorRef): void {
    const { world, offer, from } = this.input
    const { meta, bytes, takenAtMs } = offer
    const record = { meta, bytes, takenAtMs, files: this.#files }
    const why = refuseRecord(record)
    if (why !== null) return this.#fail('remote', `What ${from} offers cannot be a snapshot: ${why}.`)
    if (world.snapshots.store === null) return this.#fail('remote', 'There is no place for snapshots yet.')
    this.#sizes = new Map(this.#files.map((file) => [file.name, file.bytes]))
    world.snapshots.store.copy(record, (result) => tell(self, { type: 'copy.opened', result }))
  }

  takeCopy(event: CopyEvent): void {
    if (event.type !== 'copy.opened') return
    if (!event.result.ok) return this.#failHere(event.result.error)
    this.#copy = event.result.value
    this.#plan = new FetchPlan(this.#copy.missing)
    this.input.progress.doneBytes = this.#copy.presentBytes
  }

  // ---- pieces

  get isComplete(): boolean {
    return this.#plan.isComplete
  }

  /** Asks for pieces while the window has room and the throttle allows it. */
  askForPieces(self: AnyActorRef): void {
    const { clock, input } = this.input.world
    const { writing } = input.throttle
    while (this.failure === null && this.pauseMs === 0) {
      const chunk = this.#plan.next()
      if (chunk === null) return
      const wanted = Math.min(chunk.bytes - chunk.fetchedBytes, MAX_PIECE_BYTES)
      const count = writing.take(wanted)
      if (count === 0) {
        this.#plan.postpone(chunk)
        this.pauseMs = writing.retryMs
        return
      }
      const takenMs = clock.nowMs()
      this.#ask(chunk.name, chunk.offset + chunk.fetchedBytes, count, (outcome) => {
        const came = outcome.ok ? outcome.response.data.length : 0
        writing.giveBack(takenMs, count - came)
        tell(self, { type: 'piece.answered', chunk, outcome: kept(outcome) })
      })
    }
  }

  takePiece(event: CopyEvent, self: AnyActorRef): void {
    if (event.type !== 'piece.answered') return
    const { chunk, outcome } = event
    if (!outcome.ok) {
      this.#plan.postpone(chunk)
      return this.#refused(outcome.failure)
    }
    const { data, total } = outcome.response
    const isWhatItIs = total === this.#sizes.get(chunk.name) && data.length > 0
    if (!isWhatItIs || data.length > chunk.bytes - chunk.fetchedBytes)
      return this.#fail('remote', `File ${chunk.name} of ${this.input.from} is not the one that it offered.`)
    this.#failures = 0
    const whole = this.#plan.take(chunk, data)
    if (whole === null) this.#plan.postpone(chunk)
    else
      this.#copy?.write(chunk.name, chunk.offset, whole, (error) =>
        tell(self, { type: 'chunk.written', chunk, error }),
      )
  }

  noteWritten(event: CopyEvent): void {
    if (event.type !== 'chunk.written') return
    if (event.error !== null) return this.#failHere(event.error)
    this.#plan.written(event.chunk)
    this.input.progress.doneBytes += event.chunk.bytes
  }

  // ---- the end

  publish(self: AnyActorRef): void {
    this.#copy?.publish((result) => tell(self, { type: 'copy.published', result }))
  }

  takePublished(event: CopyEvent): void {
    if (event.type !== 'copy.published') return
    if (event.result.ok) this.published = event.result.value
    else this.#failHere(event.result.error)
  }

  /** What has come stays, durably, for the next attempt. */
  pause(self: AnyActorRef): void {
    const paused = (): void => tell(self, { type: 'copy.paused' })
    if (this.#copy === null) this.input.world.clock.defer(paused)
    else this.#copy.pause(paused)
  }

  report(): void {
    const { parent, version } = this.input
    if (parent.getSnapshot().status !== 'active') return
    if (this.published !== null) parent.send({ type: 'copy.finished', version, record: this.published })
    else if (this.failure !== null) parent.send({ type: 'copy.failed', version, ...this.failure })
  }

  #ask(
    name: string,
    offset: number,
    count: number,
    done: (outcome: RpcOutcome<GetFileResponse>) => void,
  ): void {
    const { world, from, offer } = this.input
    const { lastIncludedIndex, lastIncludedTerm } = offer.meta
    const request = { term: world.term, lastIncludedIndex, lastIncludedTerm, name, offset, count }
    world.call(from, 'get_file', request, world.tuning.appendTimeoutMs, done)
  }

  /** No answer, or an error for an answer. */
  #refused({ code, remoteCode, message }: RpcFailure): void {
    const verdict = judgeFetchFailure(code, remoteCode)
    if (verdict === 'again') {
      this.pauseMs = Math.max(this.pauseMs, this.input.world.input.throttle.reading.retryMs)
      return
    }
    if (verdict === 'later') this.#failures++
    const pauseMs = verdict === 'later' ? fetchPauseMs(this.#failures) : null
    if (pauseMs === null) this.#fail('remote', message)
    else this.pauseMs = Math.max(this.pauseMs, pauseMs)
  }

  #failHere(error: StorageError): void {
    this.failure ??= { kind: KIND_OF[error.code] ?? 'local', message: error.message, error }
  }

  #fail(kind: 'remote', message: string): void {
    this.failure ??= { kind, message, error: null }
  }
}

/** The bytes are the bus's again when this call ends. Copied with memory for themselves, they can go to the disk's thread. */
function kept(outcome: RpcOutcome<GetFileResponse>): RpcOutcome<GetFileResponse> {
  if (!outcome.ok) return outcome
  const { response } = outcome
  return { ok: true, response: { ...response, data: new Uint8Array(response.data) } }
}

/** Answers that come when nobody waits any more are nobody's. */
function tell(self: AnyActorRef, event: CopyEvent): void {
  if (self.getSnapshot().status === 'active') self.send(event)
}
