// Majorities and joint majorities: paper section 6, braft Ballot (scenarios BL-01 to BL-03, CF-02).

import { describe, expect, it } from 'vitest'
import {
  hasQuorum,
  isLearner,
  isMember,
  isStable,
  isWitness,
  majorityOf,
  members,
  priorityOf,
  quorumValue,
  targets,
} from '../../src/rules/quorum.ts'
import type { Configuration, PeerId } from '../../src/rules/types.ts'
import { configurationsOver, listsOf, subsetsOf } from './support/small-scopes.ts'

const FIVE = ['a', 'b', 'c', 'd', 'e'] as const

const stable = (...peers: PeerId[]): Configuration => ({ peers, oldPeers: [] })
const joint = (peers: readonly PeerId[], oldPeers: readonly PeerId[]): Configuration => ({ peers, oldPeers })
const sayYes = (...peers: PeerId[]) => {
  const yes = new Set(peers)
  return (peer: PeerId) => yes.has(peer)
}

/** The definition in the words of the paper: more than half of each set, and of nobody never. */
function naiveQuorum({ peers, oldPeers }: Configuration, yes: ReadonlySet<PeerId>): boolean {
  const half = (set: readonly PeerId[]) => set.filter((peer) => yes.has(peer)).length * 2 > set.length
  return oldPeers.length === 0 ? half(peers) : half(peers) && half(oldPeers)
}

/** The largest value at which those who have reached it are a quorum. */
function naiveValue(configuration: Configuration, values: ReadonlyMap<PeerId, number>): number {
  const reached = [...new Set(values.values())].filter((value) => {
    const there = [...values].filter(([, own]) => own >= value).map(([peer]) => peer)
    return naiveQuorum(configuration, new Set(there))
  })
  return Math.max(Number.NEGATIVE_INFINITY, ...reached)
}

describe('a majority', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ])('of %i members is %i', (size, majority) => {
    expect(majorityOf(size)).toBe(majority)
  })

  it('of nobody can never be reached', () => {
    expect(hasQuorum(stable(), () => true)).toBe(false)
    expect(quorumValue(stable(), () => 7)).toBe(Number.NEGATIVE_INFINITY)
  })
})

describe('a quorum', () => {
  it('is what the naive definition says, for every configuration of five members and every set of voters', () => {
    const voterSets = subsetsOf(FIVE)
    const wrong: unknown[] = []
    for (const configuration of configurationsOver(FIVE)) {
      for (const voters of voterSets) {
        const yes = new Set<PeerId>(voters)
        if (hasQuorum(configuration, (peer) => yes.has(peer)) !== naiveQuorum(configuration, yes)) {
          wrong.push({ configuration, voters })
        }
      }
    }
    expect(wrong).toEqual([])
  })

  it('always shares a member with every other quorum of the same configuration', () => {
    const voterSets = subsetsOf(FIVE)
    for (const configuration of configurationsOver(['a', 'b', 'c', 'd'])) {
      const quorums = voterSets.filter((voters) => hasQuorum(configuration, sayYes(...voters)))
      for (const one of quorums) {
        for (const other of quorums) expect(one.some((peer) => other.includes(peer))).toBe(true)
      }
    }
  })

  it('while joint shares a member with every quorum of the old and of the new members (paper section 6)', () => {
    const voterSets = subsetsOf(['a', 'b', 'c', 'd'])
    for (const { peers, oldPeers } of configurationsOver(['a', 'b', 'c', 'd'])) {
      if (oldPeers.length === 0) continue
      const jointly = voterSets.filter((voters) => hasQuorum(joint(peers, oldPeers), sayYes(...voters)))
      for (const half of [stable(...peers), stable(...oldPeers)]) {
        const alone = voterSets.filter((voters) => hasQuorum(half, sayYes(...voters)))
        for (const one of jointly) {
          for (const other of alone) expect(one.some((peer) => other.includes(peer))).toBe(true)
        }
      }
    }
  })
})

describe('braft ballots', () => {
  it('BL-01: three members need two; a second vote of the same member or a stranger changes nothing', () => {
    const three = stable('a', 'b', 'c')
    expect(hasQuorum(three, sayYes('a'))).toBe(false)
    expect(hasQuorum(three, sayYes('a', 'a'))).toBe(false)
    expect(hasQuorum(three, sayYes('a', 'stranger'))).toBe(false)
    expect(hasQuorum(three, sayYes('a', 'b'))).toBe(true)
  })

  it('BL-02: joint with identical halves, both count down together', () => {
    const same = joint(['a', 'b', 'c'], ['a', 'b', 'c'])
    expect(hasQuorum(same, sayYes('a'))).toBe(false)
    expect(hasQuorum(same, sayYes('a', 'b'))).toBe(true)
    expect(hasQuorum(same, sayYes('a', 'b', 'c'))).toBe(true)
  })

  it('BL-03: joint with different halves, a member of only the old half completes it', () => {
    const change = joint(['a', 'b', 'c'], ['a', 'b', 'c', 'd'])
    expect(hasQuorum(change, sayYes('a', 'b'))).toBe(false)
    expect(hasQuorum(change, sayYes('a', 'b', 'd'))).toBe(true)
  })
})

describe('the value that a quorum has reached', () => {
  it('is what the naive definition says, for every configuration of four members and every three values', () => {
    const four = ['a', 'b', 'c', 'd']
    const wrong: unknown[] = []
    const assignments = listsOf([0, 3, 8], 4).map(
      (values) => new Map(four.map((p, i) => [p, values[i] ?? 0])),
    )
    for (const configuration of configurationsOver(four)) {
      for (const values of assignments) {
        const value = quorumValue(configuration, (peer) => values.get(peer) ?? 0)
        if (value !== naiveValue(configuration, values)) wrong.push({ configuration, values, value })
      }
    }
    expect(wrong).toEqual([])
  })

  it('does not change the order in which the members are listed', () => {
    const peers = ['a', 'b', 'c']
    quorumValue(stable(...peers), (peer) => peer.charCodeAt(0))
    expect(peers).toEqual(['a', 'b', 'c'])
  })
})

describe('CF-02: a configuration', () => {
  it('is stable without old members and joint with them', () => {
    expect(isStable(stable('a'))).toBe(true)
    expect(isStable(joint(['a'], ['b']))).toBe(false)
  })

  it('lists the union of both halves while joint, each member once', () => {
    expect(members(stable('a', 'b'))).toEqual(['a', 'b'])
    expect([...members(joint(['a', 'b'], ['b', 'c']))].sort()).toEqual(['a', 'b', 'c'])
  })

  it('contains exactly those that it lists, for every configuration of four members', () => {
    for (const configuration of configurationsOver(['a', 'b', 'c', 'd'])) {
      const listed = FIVE.filter((peer) => members(configuration).includes(peer))
      expect(FIVE.filter((peer) => isMember(configuration, peer))).toEqual(listed)
    }
  })
})

describe('who is sent the log', () => {
  const joint = { peers: ['a', 'b'], oldPeers: ['a', 'c'] }

  it('voters of both halves, and learners, each once', () => {
    expect(targets(joint)).toEqual(['a', 'b', 'c'])
    expect(targets({ ...joint, learners: ['d'] })).toEqual(['a', 'b', 'c', 'd'])
  })

  it('a learner is no member: it has no voice', () => {
    const group = { ...joint, learners: ['d'] }
    expect([isLearner(group, 'd'), isLearner(group, 'a'), isMember(group, 'd')]).toEqual([true, false, false])
  })

  it('a witness has a voice, and a priority is 100 where none is given', () => {
    const group = { ...joint, witnesses: ['b'], priorities: { a: 0 } }
    expect([isWitness(group, 'b'), isWitness(group, 'a'), isMember(group, 'b')]).toEqual([true, false, true])
    expect(['a', 'b'].map((peer) => priorityOf(group, peer))).toEqual([0, 100])
  })
})
