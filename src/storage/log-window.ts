// What the caller's side of a log knows without asking the disk: which indexes were asked for, and which of them are
// durable and not on their way out. Every implementation checks requests and bounds reads with it.

import { EntryType, type HardState, type LogEntry, type LogIndex, type Term } from '../rules/types.ts'
import { isEntryType } from './storage.ts'

/** The indexes a read may return, both included. */
export interface ReadableRange {
  readonly from: LogIndex
  readonly to: LogIndex
}

/** An asynchronous read: removals asked for while it is under way lower `to`. */
export interface ReadClaim {
  readonly from: LogIndex
  /** The last index it may hand over; below `from`: none. */
  readonly to: LogIndex
}

export class LogWindow {
  readonly #group: string
  #first: LogIndex
  #last: LogIndex
  #durableLast: LogIndex
  /** Term of the last entry asked for; 0 when a truncation made it unknown. */
  #lastTerm: Term = 0
  /** Appends on their way, in order: what will be durable of each. A removal asked for later takes its part away. */
  readonly #onTheirWay: { last: LogIndex }[] = []
  readonly #claims = new Set<{ from: LogIndex; to: LogIndex }>()

  constructor(group: string, firstIndex: LogIndex, lastIndex: LogIndex) {
    this.#group = group
    this.#first = firstIndex
    this.#last = lastIndex
    this.#durableLast = lastIndex
  }

  /** Why `entries` cannot be appended, or `null`. */
  refuseAppend(entries: readonly LogEntry[]): string | null {
    let index = this.#last + 1
    let term = this.#lastTerm
    for (const entry of entries) {
      if (entry.index !== index)
        return this.#refusal(`append index ${entry.index}`, `the next index is ${index}`)
      if (!isCount(entry.term) || entry.term < term) {
        return this.#refusal(
          `append index ${index} of term ${entry.term}`,
          `the entry before it is of term ${term}`,
        )
      }
      if (!isEntryType(entry.type)) {
        return this.#refusal(`append index ${index} of type ${String(entry.type)}`, 'types are 1 to 4')
      }
      if (entry.type === EntryType.WITHHELD && entry.data.length > 0) {
        return this.#refusal(`append index ${index}, which is withheld`, 'it has data all the same')
      }
      term = entry.term
      index++
    }
    return null
  }

  /** Why the log cannot begin at `index`, or `null`. */
  refuseStart(index: LogIndex, termBefore: Term): string | null {
    if (isCount(index) && index > 0 && isCount(termBefore)) return null
    return this.#refusal(
      `begin at index ${index} after term ${termBefore}`,
      'both are whole numbers, indexes from 1 on',
    )
  }

  /** Why the log cannot end at `index`, or `null`. */
  refuseEnd(index: LogIndex): string | null {
    return isCount(index) ? null : this.#refusal(`end at index ${index}`, 'indexes are whole numbers')
  }

  /** Notes an append; the function it returns is to be called when it is durable. */
  appended(entries: readonly LogEntry[]): () => void {
    const last = entries.at(-1)
    if (last === undefined) return () => {}
    this.#last = last.index
    this.#lastTerm = last.term
    this.#onTheirWay.push({ last: last.index })
    return () => {
      const ended = this.#onTheirWay.shift()
      if (ended !== undefined) this.#durableLast = Math.max(this.#durableLast, ended.last)
    }
  }

  /** Notes the removal; false when there is nothing to remove. */
  truncateSuffix(lastKept: LogIndex): boolean {
    if (lastKept >= this.#last) return false
    this.#end(Math.max(this.#first - 1, lastKept))
    return true
  }

  /** Notes the removal; false when `firstKept` lies before the log. */
  truncatePrefix(firstKept: LogIndex): boolean {
    if (firstKept < this.#first) return false
    this.#first = firstKept
    // Entries asked for and not yet durable stay; they vouch for themselves when they are.
    if (firstKept > this.#last + 1) this.reset(firstKept)
    else this.#durableLast = Math.max(this.#durableLast, firstKept - 1)
    return true
  }

  reset(nextIndex: LogIndex): void {
    this.#end(0)
    this.#first = nextIndex
    this.#last = nextIndex - 1
    this.#durableLast = nextIndex - 1
  }

  /** Which indexes a read of at most `maxEntries` from `from` on covers; `null`: none. */
  readable(from: LogIndex, maxEntries: number): ReadableRange | null {
    const to = Math.min(this.#durableLast, from + Math.max(1, Math.floor(maxEntries)) - 1)
    return from < this.#first || from > to ? null : { from, to }
  }

  get firstIndex(): LogIndex {
    return this.#first
  }

  /** Notes a read of at most `maxEntries` durable entries; to be given back to `release`. */
  claim(from: LogIndex, maxEntries: number): ReadClaim {
    const to = this.readable(from, maxEntries)?.to ?? from - 1
    const claim = { from, to }
    this.#claims.add(claim)
    return claim
  }

  /** The read has ended, or nobody waits for it any more. */
  release(claim: ReadClaim): void {
    this.#claims.delete(claim)
  }

  #end(last: LogIndex): void {
    this.#last = last
    for (const claim of this.#claims) claim.to = Math.min(claim.to, last)
    this.#durableLast = Math.min(this.#durableLast, last)
    for (const append of this.#onTheirWay) append.last = Math.min(append.last, last)
    this.#lastTerm = 0
  }

  #refusal(what: string, because: string): string {
    return `The log of group ${this.#group} cannot ${what}: ${because}.`
  }
}

/** Why this is no hard state, or `null`. */
export function refuseHardState(group: string, state: HardState): string | null {
  return isCount(state.term)
    ? null
    : `Group ${group} cannot be in term ${state.term}: terms are whole numbers.`
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
