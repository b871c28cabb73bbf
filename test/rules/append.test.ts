// Accepting entries: paper figure 2 (AppendEntries, receiver) and 5.3; traps T26, T42, T43, INV-10, INV-12.

import { describe, expect, it } from 'vitest'
import {
  type AppendDecision,
  type AppendFrame,
  agreesAt,
  decideAppend,
  type FollowerLog,
  followerCommitIndex,
} from '../../src/rules/append.ts'
import type { Term } from '../../src/rules/types.ts'
import { logsUpTo, range } from './support/small-scopes.ts'

type Log = readonly Term[]

/** `firstIndex` above 1: what is before it has been compacted, and only the term just before it is known. */
function followerLog(log: Log, commitIndex: number, firstIndex = 1): FollowerLog {
  return {
    firstIndex,
    lastIndex: log.length,
    commitIndex,
    termAt: (index) => (index < firstIndex - 1 ? 0 : (log[index - 1] ?? 0)),
  }
}

function frameOf(leader: Log, prevLogIndex: number, count: number): AppendFrame {
  const entries = leader.slice(prevLogIndex, prevLogIndex + count).map((term) => ({ term }))
  return { prevLogIndex, prevLogTerm: leader[prevLogIndex - 1] ?? 0, entries }
}

/** What a follower does with a decision. */
function carryOut(log: Log, frame: AppendFrame, decision: AppendDecision): Log {
  if (decision.kind !== 'accept') return log
  const kept = decision.truncateAfter === null ? log : log.slice(0, decision.truncateAfter)
  return [...kept, ...frame.entries.slice(decision.skip).map(({ term }) => term)]
}

/** Log matching (paper section 5.3): equal terms at an index mean equal logs up to it. */
function couldCoexist(one: Log, other: Log): boolean {
  return one.every((term, i) => term !== other[i] || one.slice(0, i).every((t, j) => t === other[j]))
}

interface Case {
  readonly mine: Log
  readonly theirs: Log
  readonly commitIndex: number
  readonly firstIndex: number
  readonly frame: AppendFrame
}

/** Every pair of logs of up to four entries in three terms, every commit index, every prefix gone, every frame. */
function* everyCase(legalLeader: boolean): Generator<Case> {
  const logs = logsUpTo(4, 3)
  for (const mine of logs) {
    for (const theirs of logs) {
      if (legalLeader && !couldCoexist(mine, theirs)) continue
      for (const commitIndex of range(0, mine.length)) {
        const complete = mine.slice(0, commitIndex).every((term, i) => term === theirs[i])
        if (legalLeader && !complete) continue
        for (const firstIndex of range(1, commitIndex + 1)) {
          for (const prev of range(0, theirs.length)) {
            for (const count of range(0, theirs.length - prev)) {
              yield { mine, theirs, commitIndex, firstIndex, frame: frameOf(theirs, prev, count) }
            }
          }
        }
      }
    }
  }
}

const decide = ({ mine, commitIndex, firstIndex, frame }: Case): AppendDecision =>
  decideAppend(followerLog(mine, commitIndex, firstIndex), frame)

function failing(cases: Iterable<Case>, holds: (c: Case, decision: AppendDecision) => boolean): Case[] {
  const wrong: Case[] = []
  for (const one of cases) if (!holds(one, decide(one))) wrong.push(one)
  return wrong
}

describe('a frame', () => {
  it('that continues the log is taken as it is', () => {
    expect(decideAppend(followerLog([1, 1], 0), frameOf([1, 1, 2], 2, 1))).toEqual({
      kind: 'accept',
      truncateAfter: null,
      skip: 0,
      matchIndex: 3,
    })
  })

  it('after a gap is refused (figure 2, receiver 2)', () => {
    expect(decideAppend(followerLog([1], 0), frameOf([1, 1, 1], 2, 1))).toEqual({
      kind: 'mismatch',
      reason: 'GAP',
    })
  })

  it('whose previous entry has another term is refused (figure 2, receiver 2)', () => {
    expect(decideAppend(followerLog([1, 1], 0), frameOf([1, 2, 2], 2, 1))).toEqual({
      kind: 'mismatch',
      reason: 'TERM_CONFLICT',
    })
  })

  it('that conflicts removes the conflicting entry and all that follow (figure 2, receiver 3)', () => {
    expect(decideAppend(followerLog([1, 1, 1, 1], 1), frameOf([1, 1, 3], 1, 2))).toEqual({
      kind: 'accept',
      truncateAfter: 2,
      skip: 1,
      matchIndex: 3,
    })
  })

  it('that is late leaves newer entries alone (trap T43, INV-12)', () => {
    expect(decideAppend(followerLog([1, 1, 1, 1], 0), frameOf([1, 1, 1, 1], 0, 2))).toEqual({
      kind: 'accept',
      truncateAfter: null,
      skip: 2,
      matchIndex: 2,
    })
  })

  it('from index 0 that reaches back before a compacted prefix is no conflict (trap T42)', () => {
    expect(decideAppend(followerLog([1, 1, 2, 2], 3, 4), frameOf([1, 1, 2, 2, 2], 0, 5))).toEqual({
      kind: 'accept',
      truncateAfter: null,
      skip: 4,
      matchIndex: 5,
    })
  })

  it('that contradicts a committed entry is a violation, not a truncation', () => {
    expect(decideAppend(followerLog([1, 1], 2), frameOf([1, 3], 1, 1))).toMatchObject({
      kind: 'violation',
      index: 2,
    })
  })

  it('whose previous entry contradicts a committed one is a violation too', () => {
    expect(decideAppend(followerLog([1, 1], 2), frameOf([3, 3, 3], 1, 1))).toMatchObject({
      kind: 'violation',
      index: 1,
    })
  })
})

describe('over all pairs of small logs and all frames of a legal leader, the decision', () => {
  it('never calls a legal leader a violation', () => {
    expect(failing(everyCase(true), (_, { kind }) => kind !== 'violation')).toEqual([])
  })

  it('makes the logs equal up to the match index, and claims no more than the frame says (INV-10, INV-11)', () => {
    expect(
      failing(everyCase(true), (one, decision) => {
        if (decision.kind !== 'accept') return true
        const after = carryOut(one.mine, one.frame, decision)
        const upTo = decision.matchIndex
        return (
          upTo === one.frame.prevLogIndex + one.frame.entries.length &&
          after.length >= upTo &&
          after.slice(0, upTo).every((term, i) => term === one.theirs[i])
        )
      }),
    ).toEqual([])
  })

  it('accepts exactly when the previous entries agree or are settled', () => {
    expect(
      failing(everyCase(true), ({ mine, commitIndex, frame }, decision) => {
        const { prevLogIndex: prev, prevLogTerm } = frame
        const agrees = prev <= commitIndex || (prev <= mine.length && (mine[prev - 1] ?? 0) === prevLogTerm)
        return (decision.kind === 'accept') === agrees
      }),
    ).toEqual([])
  })

  it('names a gap a gap and a conflict a conflict', () => {
    expect(
      failing(
        everyCase(true),
        ({ mine, frame }, decision) =>
          decision.kind !== 'mismatch' || (decision.reason === 'GAP') === frame.prevLogIndex > mine.length,
      ),
    ).toEqual([])
  })

  it('removes nothing beyond the frame when nothing in the frame conflicts', () => {
    expect(
      failing(everyCase(true), ({ mine, frame }, decision) => {
        const conflicts = frame.entries.some(({ term }, i) => {
          const here = mine[frame.prevLogIndex + i]
          return here !== undefined && here !== term
        })
        if (decision.kind !== 'accept') return true
        const after = carryOut(mine, frame, decision)
        return conflicts ? decision.truncateAfter !== null : mine.every((term, i) => after[i] === term)
      }),
    ).toEqual([])
  })

  it('removes only from the first index where terms differ', () => {
    expect(
      failing(everyCase(true), ({ mine, theirs }, decision) => {
        if (decision.kind !== 'accept' || decision.truncateAfter === null) return true
        const first = mine.findIndex((term, i) => term !== theirs[i])
        return decision.truncateAfter === first
      }),
    ).toEqual([])
  })

  it('is harmless when the same frame comes again (paper section 5.5: RPCs are idempotent)', () => {
    expect(
      failing(everyCase(true), (one, decision) => {
        if (decision.kind !== 'accept') return true
        const after = carryOut(one.mine, one.frame, decision)
        const again = decide({ ...one, mine: after })
        return (
          again.kind === 'accept' &&
          again.truncateAfter === null &&
          again.skip === one.frame.entries.length &&
          again.matchIndex === decision.matchIndex
        )
      }),
    ).toEqual([])
  })
})

it('over all pairs of logs, legal or not, nothing at or below the commit index is ever removed', () => {
  expect(
    failing(
      everyCase(false),
      ({ commitIndex }, decision) =>
        decision.kind !== 'accept' ||
        decision.truncateAfter === null ||
        decision.truncateAfter >= commitIndex,
    ),
  ).toEqual([])
})

it('over all pairs of logs, a difference at a committed index that the frame shows stops the node', () => {
  expect(
    failing(everyCase(false), ({ mine, commitIndex, firstIndex, frame }, decision) => {
      if (frame.prevLogIndex > mine.length) return true
      const seen = [{ index: frame.prevLogIndex, term: frame.prevLogTerm }].concat(
        frame.entries.map(({ term }, i) => ({ index: frame.prevLogIndex + 1 + i, term })),
      )
      const contradicts = seen.some(
        ({ index, term }) =>
          index >= Math.max(1, firstIndex - 1) && index <= commitIndex && mine[index - 1] !== term,
      )
      return (decision.kind === 'violation') === contradicts
    }),
  ).toEqual([])
})

describe('a position that a heartbeat names', () => {
  const compacted = {
    firstIndex: 5,
    lastIndex: 8,
    termAt: (index: number) => (index < 4 || index > 8 ? 0 : 3),
  }

  it.each([
    ['the end of the log', 8, 3, true],
    ['the same position with another term', 8, 2, false],
    ['a position beyond the end, of which nothing is known', 9, 0, false],
    ['the entry just before the log', 4, 3, true],
    ['another entry just before the log', 4, 2, false],
    ['what is compacted here, which is settled', 3, 1, true],
    ['nothing', 0, 0, true],
  ])('%s', (_, index, term, agrees) => {
    expect(agreesAt(compacted, { index, term })).toBe(agrees)
  })
})

describe('a follower commits', () => {
  it.each([
    ['as far as the leader has, when all of it is verified', 3, 5, 9, 5],
    ['no further than this frame verified (trap T26, INV-10)', 3, 9, 5, 5],
    ['never backwards', 7, 5, 9, 7],
    ['nothing new by a frame that verifies less than it has', 7, 9, 5, 7],
  ])('%s', (_, current, leaderCommit, verified, expected) => {
    expect(followerCommitIndex(current, leaderCommit, verified)).toBe(expected)
  })
})
