// The sessions of a group, part of its replicated state: which commands of each have been carried out, and with what
// result. Everything here follows from the log alone, so that all members forget the same session at the same entry.

import { createHash } from 'node:crypto'
import { QuorateError } from '../errors.ts'
import { hasExpired, judgeSequence, type SessionVerdict, type SessionView } from '../rules/session.ts'
import type { LogIndex } from '../rules/types.ts'
import type { SessionMark } from '../transport/wire/envelope.ts'

/** Bounds that all members must have alike, and that a group therefore cannot be given: whoever was used longest ago goes. */
export const MAX_SESSIONS = 10_000
export const MAX_KEPT_BYTES = 16 * 1024 * 1024
/** Of one session. One that leaves more unacknowledged is ended, not the others. */
export const MAX_RESULTS = 4096
export const MAX_SESSION_BYTES = 1024 * 1024
export const MIN_IDLE_MS = 1000
export const MAX_IDLE_MS = 24 * 3_600_000
/** What a result weighs besides its bytes. */
const RESULT_OVERHEAD_BYTES = 64

/** How a command ended, as bytes of CBOR. */
export type KeptResult = Uint8Array

/** One session, as it stands in a snapshot. */
export interface SessionRecord {
  readonly id: LogIndex
  readonly idleMs: number
  readonly lastUsedMs: number
  readonly acknowledged: number
  readonly results: readonly (readonly [sequence: number, result: KeptResult])[]
}

class Session implements SessionView {
  readonly id: LogIndex
  readonly idleMs: number
  lastUsedMs: number
  acknowledged = 0
  bytes = 0
  readonly results = new Map<number, KeptResult>()

  constructor(id: LogIndex, idleMs: number, lastUsedMs: number) {
    this.id = id
    this.idleMs = idleMs
    this.lastUsedMs = lastUsedMs
  }

  readonly knows = (sequence: number): boolean => this.results.has(sequence)

  keep(sequence: number, result: KeptResult): void {
    this.results.set(sequence, result)
    this.bytes += result.length + RESULT_OVERHEAD_BYTES
  }

  forgetUpTo(sequence: number): void {
    if (sequence <= this.acknowledged) return
    this.acknowledged = sequence
    for (const [at, result] of this.results) {
      if (at > sequence) continue
      this.results.delete(at)
      this.bytes -= result.length + RESULT_OVERHEAD_BYTES
    }
  }
}

export class SessionTable {
  /** In the order of their last use. */
  readonly #sessions = new Map<LogIndex, Session>()
  #bytes = 0

  get size(): number {
    return this.#sessions.size
  }

  /** Begins a session, which is known by the index of the entry that did. */
  open(id: LogIndex, idleMs: number, timeMs: number): LogIndex {
    this.#forgetExpired(timeMs)
    const bounded = Math.min(MAX_IDLE_MS, Math.max(MIN_IDLE_MS, idleMs))
    this.#sessions.set(id, new Session(id, bounded, timeMs))
    this.#keepBounds()
    return id
  }

  close(id: LogIndex): void {
    const session = this.#sessions.get(id)
    if (session !== undefined) this.#remove(session)
  }

  /** What is to be done about a command, and takes note that its session is used. */
  judge({ session: id, sequence, acknowledged }: SessionMark, timeMs: number): SessionVerdict {
    const session = this.#sessions.get(id) ?? null
    const verdict = judgeSequence(session, sequence, timeMs)
    if (session === null) return verdict
    if (verdict === 'expired') {
      this.#remove(session)
      return verdict
    }
    this.#bytes -= session.bytes
    session.forgetUpTo(Math.min(acknowledged, sequence - 1))
    this.#bytes += session.bytes
    session.lastUsedMs = Math.max(session.lastUsedMs, timeMs)
    this.#sessions.delete(id)
    this.#sessions.set(id, session)
    this.#forgetExpired(timeMs)
    return verdict
  }

  resultOf({ session, sequence }: SessionMark): KeptResult | null {
    return this.#sessions.get(session)?.results.get(sequence) ?? null
  }

  /** Keeps what a command has come to, for whoever sends it again. */
  keep({ session: id, sequence }: SessionMark, result: KeptResult): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    this.#bytes -= session.bytes
    session.keep(sequence, result)
    this.#bytes += session.bytes
    if (session.results.size > MAX_RESULTS || session.bytes > MAX_SESSION_BYTES) this.#remove(session)
    this.#keepBounds()
  }

  /** A copy of everything, so that it can be written while commands go on. */
  records(): readonly SessionRecord[] {
    return [...this.#sessions.values()].map(({ id, idleMs, lastUsedMs, acknowledged, results }) => ({
      id,
      ...{ idleMs, lastUsedMs, acknowledged },
      results: [...results],
    }))
  }

  /** Replaces everything. */
  restore(records: Iterable<SessionRecord>): void {
    this.#sessions.clear()
    this.#bytes = 0
    for (const { id, idleMs, lastUsedMs, acknowledged, results } of records) {
      const session = new Session(id, idleMs, lastUsedMs)
      session.acknowledged = acknowledged
      for (const [sequence, result] of results) session.keep(sequence, result)
      this.#sessions.set(id, session)
      this.#bytes += session.bytes
    }
  }

  /** Equal for equal tables. */
  hash(): string {
    const hash = createHash('sha256')
    for (const { id, idleMs, lastUsedMs, acknowledged, results } of this.#sessions.values()) {
      hash.update(`${id} ${idleMs} ${lastUsedMs} ${acknowledged} ${results.size};`)
      for (const [sequence, result] of results) hash.update(`${sequence} ${result.length}:`).update(result)
    }
    return hash.digest('hex')
  }

  #forgetExpired(timeMs: number): void {
    for (const session of this.#sessions.values()) {
      if (!hasExpired(session, timeMs)) return
      this.#remove(session)
    }
  }

  #keepBounds(): void {
    for (const session of this.#sessions.values()) {
      if (this.#sessions.size <= MAX_SESSIONS && this.#bytes <= MAX_KEPT_BYTES) return
      this.#remove(session)
    }
  }

  #remove(session: Session): void {
    this.#sessions.delete(session.id)
    this.#bytes -= session.bytes
  }
}

/** Why a command of a session is refused for good. */
export function sessionRefusal(
  { session, sequence }: SessionMark,
  verdict: 'stale' | 'expired',
): QuorateError {
  if (verdict === 'expired') {
    const message = `Session ${session} has expired, or was closed: it cannot be told whether its command ${sequence} was carried out before, so it was not carried out now.`
    return new QuorateError('SESSION_EXPIRED', message, { outcome: 'unknown' })
  }
  const message = `Command ${sequence} of session ${session} was carried out before, and its client has said that it has the result.`
  return new QuorateError('CONFLICT', message, { outcome: 'applied' })
}
