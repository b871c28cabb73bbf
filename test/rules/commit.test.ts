// What is committed: paper sections 5.3, 5.4.2 and 6, braft BallotBox (traps T37, T38), INV-8.

import { describe, expect, it } from 'vitest'
import { type BallotSegment, decideCommit, settledSegments } from '../../src/rules/commit.ts'
import type { Configuration, LogIndex, PeerId } from '../../src/rules/types.ts'
import { listsOf, range } from './support/small-scopes.ts'

const stable = (...peers: PeerId[]): Configuration => ({ peers, oldPeers: [] })
const ABC = stable('a', 'b', 'c')

function commitOf(
  over: Partial<Parameters<typeof decideCommit>[0]>,
  match: Readonly<Record<PeerId, LogIndex>>,
): LogIndex {
  const pending = {
    pendingIndex: 1,
    lastIndex: 10,
    commitIndex: 0,
    segments: [{ firstIndex: 1, configuration: ABC }],
    ...over,
  }
  return decideCommit(pending, (peer) => match[peer] ?? 0)
}

/** braft's Ballot: one per entry, counting down once per member and half. */
class NaiveBallot {
  readonly #granted = new Set<PeerId>()
  readonly #configuration: Configuration

  constructor(configuration: Configuration) {
    this.#configuration = configuration
  }

  grant(peer: PeerId): void {
    this.#granted.add(peer)
  }

  get isGranted(): boolean {
    const { peers, oldPeers } = this.#configuration
    const missing = (set: readonly PeerId[]) =>
      Math.floor(set.length / 2) + 1 - set.filter((peer) => this.#granted.has(peer)).length
    return missing(peers) <= 0 && (oldPeers.length === 0 || missing(oldPeers) <= 0)
  }
}

/** braft's BallotBox::commit_at, one entry at a time: the highest granted index commits all before it. */
function naiveCommit(
  pendingIndex: LogIndex,
  configurations: readonly Configuration[],
  commitIndex: LogIndex,
  match: ReadonlyMap<PeerId, LogIndex>,
): LogIndex {
  const ballots = configurations.map((configuration) => new NaiveBallot(configuration))
  for (const [peer, matched] of match) {
    ballots.forEach((ballot, i) => {
      if (pendingIndex + i <= matched) ballot.grant(peer)
    })
  }
  const highest = ballots.findLastIndex((ballot) => ballot.isGranted)
  return highest < 0 ? commitIndex : Math.max(commitIndex, pendingIndex + highest)
}

/** Segments of equal neighbors, as a leader notes them. */
function segmentsOf(pendingIndex: LogIndex, configurations: readonly Configuration[]): BallotSegment[] {
  return configurations.flatMap((configuration, i) =>
    configuration === configurations[i - 1] ? [] : [{ firstIndex: pendingIndex + i, configuration }],
  )
}

describe('an entry is committed', () => {
  it('once the leader has replicated it on a majority (paper section 5.3)', () => {
    expect(commitOf({}, { a: 4, b: 4 })).toBe(4)
    expect(commitOf({}, { a: 4, b: 3 })).toBe(3)
  })

  it('without the disk of the leader, when a majority of others has it', () => {
    expect(commitOf({}, { a: 0, b: 4, c: 4 })).toBe(4)
  })

  it('in a group of one as soon as the own disk has it, and no sooner', () => {
    const segments = [{ firstIndex: 1, configuration: stable('a') }]
    expect(commitOf({ segments }, { a: 0 })).toBe(0)
    expect(commitOf({ segments }, { a: 3 })).toBe(3)
  })

  it('never by those who are no members', () => {
    expect(commitOf({}, { a: 4, x: 9, y: 9 })).toBe(0)
  })

  it('never when nobody is a member', () => {
    expect(commitOf({ segments: [{ firstIndex: 1, configuration: stable() }] }, { a: 9 })).toBe(0)
  })
})

describe('entries of earlier terms (paper section 5.4.2, figure 8)', () => {
  it('are not committed by counting, though everybody has them', () => {
    const segments = [{ firstIndex: 5, configuration: ABC }]
    expect(commitOf({ pendingIndex: 5, segments }, { a: 4, b: 4, c: 4 })).toBe(0)
  })

  it('are committed with the first entry of the own term', () => {
    const segments = [{ firstIndex: 5, configuration: ABC }]
    expect(commitOf({ pendingIndex: 5, segments }, { a: 5, b: 5 })).toBe(5)
  })
})

describe('while the membership changes (paper section 6)', () => {
  const joint: Configuration = { peers: ['a', 'b', 'c'], oldPeers: ['a', 'd', 'e'] }

  it('a joint entry needs both majorities', () => {
    const segments = [{ firstIndex: 1, configuration: joint }]
    expect(commitOf({ segments }, { a: 3, b: 3 })).toBe(0)
    expect(commitOf({ segments }, { a: 3, b: 3, d: 2 })).toBe(2)
  })

  it('entries before the change are judged by the configuration of their time (trap T38)', () => {
    const segments = [
      { firstIndex: 1, configuration: stable('a', 'd', 'e') },
      { firstIndex: 3, configuration: ABC },
    ]
    expect(commitOf({ segments, lastIndex: 4 }, { a: 2, b: 2, c: 2 })).toBe(0)
    expect(commitOf({ segments, lastIndex: 4 }, { a: 2, d: 2 })).toBe(2)
  })

  it('after shrinking, a later entry that needs fewer votes commits the earlier ones (trap T37)', () => {
    const segments = [
      { firstIndex: 1, configuration: stable('a', 'b', 'c', 'd', 'e') },
      { firstIndex: 3, configuration: stable('a') },
    ]
    expect(commitOf({ segments, lastIndex: 4 }, { a: 4 })).toBe(4)
  })
})

it('the commit index never goes back', () => {
  expect(commitOf({ commitIndex: 7 }, { a: 4, b: 4 })).toBe(7)
})

it('acknowledgements beyond the last index commit no further than the log (BL-04)', () => {
  expect(commitOf({ lastIndex: 6 }, { a: 100, b: 100 })).toBe(6)
})

it('is what a ballot per entry says, for every three entries under changing memberships and every match index', () => {
  const configurations: readonly Configuration[] = [
    stable('a'),
    stable('a', 'b'),
    ABC,
    stable('a', 'b', 'c', 'd'),
    { peers: ['a', 'b', 'c'], oldPeers: ['c', 'd'] },
    { peers: ['d'], oldPeers: ['a', 'b', 'c'] },
    stable('b', 'c', 'd'),
  ]
  const pendingIndex = 4
  const lastIndex = 6
  const wrong: unknown[] = []
  const matches = listsOf(range(3, 6), 4).map(
    (list) => new Map(['a', 'b', 'c', 'd'].map((peer, i) => [peer, list[i] ?? 0] as const)),
  )
  for (const perEntry of listsOf(configurations, 3)) {
    const segments = segmentsOf(pendingIndex, perEntry)
    for (const match of matches) {
      const commit = decideCommit(
        { pendingIndex, lastIndex, commitIndex: 3, segments },
        (peer) => match.get(peer) ?? 0,
      )
      if (commit !== naiveCommit(pendingIndex, perEntry, 3, match)) wrong.push({ perEntry, match, commit })
    }
  }
  expect(wrong).toEqual([])
})

describe('segments that still matter', () => {
  const segments = [1, 4, 6].map((firstIndex) => ({ firstIndex, configuration: stable(`m${firstIndex}`) }))

  it.each([
    [0, [1, 4, 6]],
    [2, [1, 4, 6]],
    [3, [4, 6]],
    [4, [4, 6]],
    [5, [6]],
    [9, [6]],
  ])('once %i is committed, begin at %j', (commitIndex, firstIndexes) => {
    expect(settledSegments(segments, commitIndex).map(({ firstIndex }) => firstIndex)).toEqual(firstIndexes)
  })

  it('decide the same as all of them', () => {
    for (const commitIndex of range(0, 7)) {
      for (const match of range(commitIndex, 8)) {
        const pending = { pendingIndex: 1, lastIndex: 8, commitIndex }
        const everybody = () => match
        expect(
          decideCommit({ ...pending, segments: settledSegments(segments, commitIndex) }, everybody),
        ).toBe(decideCommit({ ...pending, segments }, everybody))
      }
    }
  })
})
