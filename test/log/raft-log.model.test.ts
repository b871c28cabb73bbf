// The log against a plain array: random appends, truncations at both ends and
// resets that overtake writes, a disk that answers later.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type PendingAppend, RaftLog } from '../../src/log/raft-log.ts'
import { EntryType, type LogEntry, type LogIndex } from '../../src/rules/types.ts'
import { configurationEntry, dataEntry, EMPTY_GROUP, FakeReader } from './support/entries.ts'

type Step =
  | {
      readonly kind: 'append'
      readonly sizes: readonly number[]
      readonly newTerm: boolean
      readonly changes: boolean
    }
  | { readonly kind: 'truncate'; readonly share: number }
  | { readonly kind: 'compact'; readonly share: number }
  | { readonly kind: 'reset'; readonly ahead: number }
  | { readonly kind: 'diskGoesOn' }
  | { readonly kind: 'apply'; readonly share: number }
  | { readonly kind: 'read'; readonly share: number; readonly count: number; readonly bytes: number }

type Write =
  | { readonly entries: readonly LogEntry[]; readonly record: PendingAppend }
  | { readonly lastKept: number }
  | { readonly firstKept: number }
  | { readonly nextIndex: number }

/** The log under test, the array it must equal, and a disk that carries out what was asked, one by one. */
class Pair {
  readonly disk = new FakeReader()
  readonly log: RaftLog
  /** The entries that are left, and where they begin. */
  model: LogEntry[] = []
  #first: LogIndex = 1
  #termBefore = 0
  #onDisk: LogEntry[] = []
  #asked: Write[] = []
  #applied: LogIndex = 0
  #term = 1

  constructor(maxCachedBytes: number) {
    this.log = new RaftLog(this.disk, EMPTY_GROUP, maxCachedBytes)
  }

  run(step: Step): void {
    if (step.kind === 'append') this.#append(step)
    else if (step.kind === 'truncate') this.#truncate(step.share)
    else if (step.kind === 'compact') this.#compact(step.share)
    else if (step.kind === 'reset') this.#reset(step.ahead)
    else if (step.kind === 'diskGoesOn') this.#diskGoesOn()
    else if (step.kind === 'apply') this.#apply(step.share)
    else this.#read(step)
    this.#compare()
  }

  #append({ sizes, newTerm, changes }: Extract<Step, { kind: 'append' }>): void {
    if (newTerm) this.#term++
    const first = this.#last + 1
    const entries = sizes.map((size, i) =>
      changes && i === 0
        ? configurationEntry(first, this.#term, [`m${first}`])
        : dataEntry(first + i, this.#term, size),
    )
    this.model.push(...entries)
    this.#asked.push({ entries, record: this.log.append(entries) })
  }

  get #last(): LogIndex {
    return this.#first + this.model.length - 1
  }

  #termAt(index: LogIndex): number {
    return index === this.#first - 1 ? this.#termBefore : (this.model[index - this.#first]?.term ?? 0)
  }

  /** Never below what is applied; conflicts come with a newer term. */
  #truncate(share: number): void {
    const lastKept = this.#applied + Math.floor(share * (this.#last - this.#applied))
    if (lastKept >= this.#last) return
    this.#term++
    this.model = this.model.slice(0, lastKept + 1 - this.#first)
    this.log.truncateSuffix(lastKept)
    this.#asked.push({ lastKept })
  }

  /** A snapshot stands for some of what was applied, durable as a log or not. */
  #compact(share: number): void {
    const firstKept = this.#first + Math.floor(share * (this.#applied + 2 - this.#first))
    this.#termBefore = this.#termAt(firstKept - 1)
    this.model = this.model.slice(firstKept - this.#first)
    this.#first = firstKept
    this.log.truncatePrefix(firstKept)
    this.#asked.push({ firstKept })
  }

  /** A snapshot from elsewhere stands for more than was applied. */
  #reset(ahead: number): void {
    const nextIndex = this.#applied + 1 + ahead
    this.model = []
    this.#first = nextIndex
    this.#termBefore = this.#term++
    this.#applied = nextIndex - 1
    this.log.reset(nextIndex, this.#termBefore)
    this.#asked.push({ nextIndex })
  }

  #diskGoesOn(): void {
    const write = this.#asked.shift()
    if (write === undefined) return
    if ('lastKept' in write) this.#onDisk = this.#onDisk.filter(({ index }) => index <= write.lastKept)
    else if ('firstKept' in write) this.#onDisk = this.#onDisk.filter(({ index }) => index >= write.firstKept)
    else if ('nextIndex' in write) this.#onDisk = []
    else {
      this.#onDisk.push(...write.entries)
      this.log.markDurable(write.record)
    }
  }

  #apply(share: number): void {
    this.#applied += Math.floor(share * (this.#last - this.#applied))
  }

  #read({ share, count, bytes }: Extract<Step, { kind: 'read' }>): void {
    this.disk.entries = this.#readable()
    const from = 1 + Math.floor(share * (this.#last + 1))
    const at = from - this.#first
    const found = this.log.slice(from, count, bytes)
    expect(found.length > 0).toBe(at >= 0 && from <= this.#last)
    if (found.length > 0) expect(found).toEqual(this.model.slice(at, at + found.length))
    const size = found.reduce((sum, { data }) => sum + data.length, 0)
    expect(found.length <= 1 || (found.length <= count && size <= bytes)).toBe(true)
    expect(this.log.entryAt(from)).toEqual(this.model[at] ?? null)
  }

  /** On disk, and not on its way out. */
  #readable(): LogEntry[] {
    const removals = this.#asked.flatMap((write) => {
      if ('lastKept' in write) return [(index: LogIndex) => index <= write.lastKept]
      if ('firstKept' in write) return [(index: LogIndex) => index >= write.firstKept]
      return 'nextIndex' in write ? [() => false] : []
    })
    return this.#onDisk.filter(({ index }) => removals.every((stays) => stays(index)))
  }

  #compare(): void {
    const { log, model } = this
    const last = this.#last
    expect([log.firstIndex, log.lastIndex]).toEqual([this.#first, last])
    // The snapshot is durable, so what it stands for is.
    const readable = this.#readable()
    const durable = model.findIndex((entry, i) => readable[i] !== entry)
    expect(log.durableIndex).toBe(durable < 0 ? last : this.#first + durable - 1)
    expect(log.undurableBytes).toBe(
      this.#asked.reduce((sum, write) => sum + ('record' in write ? write.record.bytes : 0), 0),
    )
    for (let i = 0; i <= last + 1; i++) expect(log.termAt(i)).toBe(this.#termAt(i))
    const newest = model.findLast(({ type }) => type === EntryType.CONFIGURATION)
    expect(log.configurations.newest()?.id.index).toBe(newest?.index)
  }
}

const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      sizes: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 5 }),
      newTerm: fc.boolean(),
      changes: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), share }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('compact' as const), share }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reset' as const), ahead: fc.integer({ min: 0, max: 9 }) }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'diskGoesOn' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('apply' as const), share }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      share,
      count: fc.integer({ min: 1, max: 8 }),
      bytes: fc.integer({ min: 1, max: 40 }),
    }),
  },
)

it('the log equals a plain array, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(0, 10, 1000), (steps, maxCachedBytes) => {
      const pair = new Pair(maxCachedBytes)
      for (const one of steps) pair.run(one)
    }),
    { numRuns: 400 },
  )
})
