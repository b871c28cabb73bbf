// What a node counts about itself since it was started: plain numbers, touched once per batch at most, read when somebody
// asks for metrics.

import type { QuorateError } from '../../errors.ts'
import type { LogIndex, Term } from '../../rules/types.ts'
import { ENTRIES, Histogram, SECONDS } from '../../runtime/histogram.ts'
import type { Role } from '../../status.ts'

/** One entry that is followed on its way; the next one when it has arrived. */
interface Sample {
  readonly index: LogIndex
  readonly term: Term
  readonly atMs: number
}

export interface RoleCount {
  readonly role: Role
  readonly reason: string
  readonly count: number
}

export interface FailureCount {
  readonly code: QuorateError['code']
  readonly outcome: QuorateError['outcome']
  readonly count: number
}

export class Counters {
  committedEntries = 0
  readRounds = 0
  readsInRounds = 0
  readonly commitSeconds = new Histogram(SECONDS)
  readonly applySeconds = new Histogram(SECONDS)
  readonly appendEntries = new Histogram(ENTRIES)
  /** Proposals that failed after they had been taken. */
  failedAfterTaken = 0
  readonly #roles = new Map<string, RoleCount>()
  readonly #failures = new Map<string, FailureCount>()
  #committing: Sample | null = null
  #applying: Sample | null = null

  /** A leader has appended a batch that ends at `last`. */
  appended(entries: number, last: LogIndex, term: Term, nowMs: number): void {
    this.appendEntries.observe(entries)
    this.#committing ??= { index: last, term, atMs: nowMs }
  }

  /** A sample of another term was never committed by this leadership. */
  committed(from: LogIndex, to: LogIndex, term: Term, nowMs: number): void {
    this.committedEntries += to - from
    this.#applying ??= { index: to, term, atMs: nowMs }
    const sample = this.#committing
    if (sample === null || (sample.term === term && sample.index > to)) return
    this.#committing = null
    if (sample.term === term) this.commitSeconds.observe((nowMs - sample.atMs) / 1000)
  }

  applied(to: LogIndex, nowMs: number): void {
    const sample = this.#applying
    if (sample === null || sample.index > to) return
    this.#applying = null
    this.applySeconds.observe((nowMs - sample.atMs) / 1000)
  }

  round(reads: number): void {
    this.readRounds++
    this.readsInRounds += reads
  }

  becomes(role: Role, reason: string): void {
    const key = `${role} ${reason}`
    this.#roles.set(key, { role, reason, count: (this.#roles.get(key)?.count ?? 0) + 1 })
  }

  /** A proposal has failed. */
  failed({ code, outcome }: QuorateError): void {
    const key = `${code} ${outcome}`
    this.#failures.set(key, { code, outcome, count: (this.#failures.get(key)?.count ?? 0) + 1 })
  }

  /** The same, of one that had been taken before. */
  failedAfterTaking(error: QuorateError): void {
    this.failedAfterTaken++
    this.failed(error)
  }

  get roles(): readonly RoleCount[] {
    return [...this.#roles.values()]
  }

  get failures(): readonly FailureCount[] {
    return [...this.#failures.values()]
  }
}
