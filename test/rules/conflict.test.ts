// Where two logs part: paper section 5.3, the last paragraphs. Every pair of small logs, and the search between them.

import { describe, expect, it } from 'vitest'
import { decideAppend } from '../../src/rules/append.ts'
import { describeConflict, lastPossibleMatch } from '../../src/rules/conflict.ts'
import type { LogIndex, Term } from '../../src/rules/types.ts'
import { logsUpTo, range } from './support/small-scopes.ts'

/** A log whose first `compacted` entries are gone; of the last of them the term is still known. */
function logOf(terms: readonly Term[], compacted = 0) {
  const firstIndex = compacted + 1
  const termAt = (index: LogIndex): Term => (index < compacted ? 0 : (terms[index - 1] ?? 0))
  const firstOfTermAt = (index: LogIndex): LogIndex => {
    let first = index
    while (first > firstIndex && termAt(first - 1) === termAt(index)) first--
    return first
  }
  const lastOf = (term: Term, limit: LogIndex): LogIndex => {
    for (let index = Math.min(limit, terms.length); index > 0; index--) {
      if (termAt(index) !== 0 && termAt(index) <= term) return index
    }
    return 0
  }
  return { firstIndex, lastIndex: terms.length, termAt, firstOfTermAt, lastOf }
}

/** The probes a leader sends until its follower agrees, as previous indexes. */
function search(mine: readonly Term[], theirs: readonly Term[], compacted = 0, settled = 0): number[] {
  const leader = logOf(mine)
  const follower = { ...logOf(theirs, compacted), commitIndex: settled }
  const probes: number[] = []
  for (let prevLogIndex = mine.length; ; ) {
    probes.push(prevLogIndex)
    const frame = { prevLogIndex, prevLogTerm: leader.termAt(prevLogIndex), entries: [] }
    const decision = decideAppend(follower, frame)
    if (decision.kind === 'accept') return probes
    if (decision.kind === 'violation' || probes.length > 20)
      throw new Error(`${decision.kind} after ${probes}`)
    const conflict = describeConflict(follower, prevLogIndex)
    const refusal = { ...conflict, prevLogIndex, lastLogIndex: theirs.length }
    prevLogIndex =
      conflict.conflictTerm === 0
        ? Math.min(prevLogIndex - 1, theirs.length)
        : lastPossibleMatch(refusal, leader.termAt, leader.lastOf)
  }
}

/** How far two logs are equal. By the log matching property nothing after their last equal entry is. */
function sharedLength(a: readonly Term[], b: readonly Term[]): number {
  let length = 0
  while (length < Math.min(a.length, b.length) && a[length] === b[length]) length++
  return length
}

/** Two logs as Raft leaves them: once their entries differ at an index they differ in every later one. */
function canCoexist(a: readonly Term[], b: readonly Term[]): boolean {
  const shared = sharedLength(a, b)
  return range(shared, Math.min(a.length, b.length) - 1).every((at) => a[at] !== b[at])
}

describe('a follower tells', () => {
  const log = logOf([1, 1, 4, 4, 4, 6])
  it.each([
    ['the term at the refused position and where it begins', 5, { conflictTerm: 4, conflictIndex: 3 }],
    ['the same from within the first term', 2, { conflictTerm: 1, conflictIndex: 1 }],
    ['of its last entry when its log ends before', 50, { conflictTerm: 6, conflictIndex: 6 }],
    ['nothing of index 0', 0, { conflictTerm: 0, conflictIndex: 0 }],
  ])('%s', (_, prevLogIndex, expected) => {
    expect(describeConflict(log, prevLogIndex)).toEqual(expected)
  })

  it('nothing when it is empty', () => {
    expect(describeConflict(logOf([]), 5)).toEqual({ conflictTerm: 0, conflictIndex: 0 })
  })

  it('of a compacted log the entry before the first, as far as its term goes on', () => {
    expect(describeConflict(logOf([1, 4, 4, 4], 2), 4)).toEqual({ conflictTerm: 4, conflictIndex: 2 })
    expect(describeConflict(logOf([1, 1, 4, 4], 2), 4)).toEqual({ conflictTerm: 4, conflictIndex: 3 })
    expect(describeConflict(logOf([1, 4, 4], 3), 9)).toEqual({ conflictTerm: 4, conflictIndex: 3 })
  })
})

describe('the leader looks next', () => {
  const leader = logOf([1, 1, 1, 4, 4, 5, 5, 6, 6, 6])
  const next = (conflictTerm: Term, conflictIndex: LogIndex, prevLogIndex = 10, lastLogIndex = 10) =>
    lastPossibleMatch(
      { conflictTerm, conflictIndex, prevLogIndex, lastLogIndex },
      leader.termAt,
      leader.lastOf,
    )

  it.each([
    ['at its last entry of the conflicting term', 4, 4, 5],
    ['at its last entry of it that the follower may have', 4, 5, 5],
    ['before the run of a term that it lacks', 3, 6, 3],
    ['before a run that begins after its own entries of that term', 4, 8, 3],
    ['at the front when all its terms are higher', 0.5, 1, 0],
  ])('%s', (_, term, index, expected) => {
    expect(next(term, index)).toBe(expected)
  })

  it('never beyond the end of a shorter log, nor at the refused position again', () => {
    expect(next(5, 2, 10, 6)).toBe(6)
    expect(next(6, 2, 9, 50)).toBe(8)
  })
})

describe('the search between any two logs of up to five entries and three terms', () => {
  const logs = logsUpTo(5, 3)
  const pairs = logs.flatMap((mine) =>
    logs.filter((theirs) => canCoexist(mine, theirs)).map((theirs) => [mine, theirs] as const),
  )

  it('ends where they part: never beyond, so no conflict is acknowledged, and never before', () => {
    for (const [mine, theirs] of pairs) expect(search(mine, theirs).at(-1)).toBe(sharedLength(mine, theirs))
  })

  it('takes at most one probe per term beside the first one', () => {
    for (const [mine, theirs] of pairs) {
      expect(search(mine, theirs).length).toBeLessThanOrEqual(new Set([...mine, ...theirs]).size + 1)
    }
  })

  it('ends no lower than what the follower has settled, however much of that is compacted', () => {
    for (const [mine, theirs] of pairs) {
      const shared = sharedLength(mine, theirs)
      for (const settled of range(0, shared)) {
        for (const compacted of range(0, settled)) {
          const found = search(mine, theirs, compacted, settled).at(-1) ?? -1
          expect(found).toBeLessThanOrEqual(Math.max(shared, settled))
          expect(found).toBeGreaterThanOrEqual(Math.min(settled, mine.length))
        }
      }
    }
  })
})

it('500 entries of a term that the leader lacks cost one probe more, not five hundred', () => {
  const shared = Array.from({ length: 100 }, () => 1)
  const mine = [...shared, ...Array.from({ length: 700 }, () => 3)]
  const theirs = [...shared, ...Array.from({ length: 500 }, () => 2)]
  expect(search(mine, theirs)).toEqual([800, 100])
})
