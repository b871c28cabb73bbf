// How fast a group commits, from look to look, as a line with a sparkline.

import sparkly from 'sparkly'
import type { GroupStatus } from '../../client.ts'
import { formatCount } from '../output.ts'

/** Looks that are shown. */
const LOOKS = 40

export class CommitRates {
  #before: { readonly commitIndex: number; readonly atMs: number } | null = null
  readonly #perSecond: number[] = []

  /** Null: one look alone tells no rate. @param nowMs of a clock that is never set back */
  describe({ members }: GroupStatus, nowMs: number): string | null {
    const before = this.#before
    // Nobody answers: what is committed is not known, and has not gone back.
    if (members.length === 0) return null
    const commitIndex = Math.max(before?.commitIndex ?? 0, ...members.map((member) => member.commitIndex))
    this.#before = { commitIndex, atMs: nowMs }
    if (before === null || nowMs <= before.atMs) return null
    this.#perSecond.push(((commitIndex - before.commitIndex) / (nowMs - before.atMs)) * 1000)
    if (this.#perSecond.length > LOOKS) this.#perSecond.shift()
    const peak = Math.max(...this.#perSecond)
    const line = sparkly(this.#perSecond, { minimum: 0, maximum: Math.max(1, peak) })
    return `commits/s ${line} ${formatCount(this.#perSecond.at(-1) ?? 0)} now, ${formatCount(peak)} at most`
  }
}
