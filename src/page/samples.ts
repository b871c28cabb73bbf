// How members were, moment by moment: a short memory for whoever wants to look back. Bounded in time and number.

import type { FeedStatus } from '../protocol/feed-protocol.ts'
import type { Sample } from './page-protocol.ts'

export const SAMPLES_MS = 10 * 60_000
const SPACING_MS = 1000
/** Of one member: what the spacing allows, and those whose role or term had changed. */
const MAX_OF_MEMBER = 1200
const MAX_MEMBERS = 256

export class Samples {
  readonly #members = new Map<string, Sample[]>()

  /** Oldest first, member by member. */
  get all(): readonly Sample[] {
    return [...this.#members.values()].flat()
  }

  /** Samples that were kept elsewhere, as `all` gives them. */
  addAll(samples: readonly Sample[]): void {
    for (const sample of samples) this.#keep(sample)
  }

  /** Kept when it is the first for a second, or when another role, term or leader is seen. */
  add(member: string, status: FeedStatus, atMs: number): void {
    this.#keep(sampleOf(member, status, atMs))
  }

  #keep(next: Sample): void {
    const { member, atMs } = next
    const known = this.#members.get(member)
    if (known === undefined && this.#members.size >= MAX_MEMBERS) return
    const samples = known ?? []
    if (known === undefined) this.#members.set(member, samples)
    const last = samples.at(-1)
    if (last !== undefined && atMs - last.atMs < SPACING_MS && !isTurn(last, next)) return
    samples.push(next)
    const old = samples.findIndex((sample) => sample.atMs >= atMs - SAMPLES_MS)
    samples.splice(0, Math.max(old, samples.length - MAX_OF_MEMBER))
  }

  forget(member: string): void {
    this.#members.delete(member)
  }
}

function isTurn(last: Sample, next: Sample): boolean {
  return last.role !== next.role || last.term !== next.term || last.leader !== next.leader
}

function sampleOf(member: string, status: FeedStatus, atMs: number): Sample {
  const { role, term, leader, lastIndex, durableIndex, commitIndex, appliedIndex } = status
  return { member, atMs, role, term, leader, lastIndex, durableIndex, commitIndex, appliedIndex }
}
