// Snapshots that operators read from a member: kept readable while they are asked about, though newer ones are published,
// and let go of when nobody has asked for a while.

import { encodePage } from '../actors/snapshot/file-list.ts'
import type { QuorateErrorCode } from '../errors.ts'
import {
  MAX_READ_BYTES,
  READ_OVERHEAD_BYTES,
  type ReadAnswer,
  type SnapshotRead,
  type SnapshotSummary,
} from '../protocol/snapshot-protocol.ts'
import type { Clock, TimerHandle } from '../runtime/clock.ts'
import type { SnapshotReader, SnapshotRecord } from '../storage/snapshot-store.ts'
import type { Member } from './member-port.ts'

const IDLE_MS = 60_000
/** Snapshots kept readable at a time. */
const MAX_LENT = 2
/** Reads under way, for all operators together. */
const MAX_READS = 16

interface Lent {
  readonly reader: SnapshotReader
  usedMs: number
}

type Done = (answer: ReadAnswer) => void

export class SnapshotLending {
  readonly #member: Member
  readonly #clock: Clock
  readonly #lent = new Map<string, Lent>()
  #reads = 0
  #sweep: TimerHandle | null = null
  #closed = false

  constructor(member: Member, clock: Clock) {
    this.#member = member
    this.#clock = clock
  }

  /** @param payloadBytes what one message may carry. `done` comes once, at once or later. */
  read(request: SnapshotRead, payloadBytes: number, done: Done): void {
    const maxBytes = Math.max(1, Math.min(request.count, MAX_READ_BYTES, payloadBytes - READ_OVERHEAD_BYTES))
    if (this.#reads >= MAX_READS) return done(refused('BUSY', 'Too much is read at once.'))
    if (request.index === 0)
      return this.#lendNewest((lent) => this.#serve(lent, request, maxBytes, done), done)
    const lent = this.#lent.get(keyOf(request.index, request.term))
    if (lent !== undefined) return this.#serve(lent, request, maxBytes, done)
    done(refused('CONFLICT', `Snapshot ${request.index} is not there any more: begin again with the newest.`))
  }

  close(): void {
    this.#closed = true
    for (const { reader } of this.#lent.values()) reader.close()
    this.#lent.clear()
    if (this.#sweep !== null) this.#clock.clearTimeout(this.#sweep)
  }

  #lendNewest(use: (lent: Lent) => void, done: Done): void {
    this.#member.openSnapshot((opened) => {
      if (!opened.ok) return done(refused(opened.error.code, opened.error.message, opened.error.retryable))
      const { reader } = opened
      if (this.#closed) return reader.close()
      use(this.#keep(reader))
    })
  }

  /** One reader for each snapshot; of too many the one goes that nobody has used for longest. */
  #keep(reader: SnapshotReader): Lent {
    const { lastIncludedIndex, lastIncludedTerm } = reader.record.meta
    const key = keyOf(lastIncludedIndex, lastIncludedTerm)
    const known = this.#lent.get(key)
    if (known !== undefined) {
      reader.close()
      return known
    }
    if (this.#lent.size >= MAX_LENT) {
      const [oldest] = [...this.#lent].sort(([, a], [, b]) => a.usedMs - b.usedMs)
      if (oldest !== undefined) this.#release(oldest[0])
    }
    const lent = { reader, usedMs: this.#clock.nowMs() }
    this.#lent.set(key, lent)
    this.#sweepLater()
    return lent
  }

  #serve(lent: Lent, { name, offset }: SnapshotRead, maxBytes: number, done: Done): void {
    lent.usedMs = this.#clock.nowMs()
    const { record } = lent.reader
    const snapshot = summaryOf(record)
    if (name === '') return done({ ok: true, snapshot, data: encodePage(record.files, offset, maxBytes) })
    const bytes = this.#member.takeReadingBudget(maxBytes)
    if (bytes === 0) return done(refused('BUSY', 'The throttle allows no more at the moment.'))
    this.#reads++
    lent.reader.read(name, offset, bytes, (result) => {
      this.#reads--
      if (this.#closed) return
      if (result.ok) return done({ ok: true, snapshot, data: result.value })
      const code = result.error.code === 'INVALID' ? 'INVALID' : 'STORAGE'
      done(refused(code, result.error.message, false))
    })
  }

  #release(key: string): void {
    this.#lent.get(key)?.reader.close()
    this.#lent.delete(key)
  }

  #sweepLater(): void {
    this.#sweep ??= this.#clock.setTimeout(() => {
      this.#sweep = null
      const nowMs = this.#clock.nowMs()
      for (const [key, { usedMs }] of this.#lent) if (nowMs - usedMs >= IDLE_MS) this.#release(key)
      if (this.#lent.size > 0) this.#sweepLater()
    }, IDLE_MS / 2)
  }
}

function summaryOf({ meta, takenAtMs, bytes, files }: SnapshotRecord): SnapshotSummary {
  const { lastIncludedIndex, lastIncludedTerm, peers, oldPeers } = meta
  return { lastIncludedIndex, lastIncludedTerm, peers, oldPeers, takenAtMs, bytes, files: files.length }
}

function keyOf(index: number, term: number): string {
  return `${index} ${term}`
}

function refused(code: QuorateErrorCode, message: string, retryable = code === 'BUSY'): ReadAnswer {
  return { ok: false, error: { code, message, retryable } }
}
