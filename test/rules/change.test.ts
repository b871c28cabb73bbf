// Changes of membership: what a wish makes of a configuration, by which entries, and when those who come are ready.

import { describe, expect, it } from 'vitest'
import {
  type CatchUpVerdict,
  type ChangeWish,
  isAsExpected,
  isCaughtUp,
  jointOf,
  judgeCatchUp,
  judgeWish,
  membershipOf,
  needsJoint,
  roleOf,
  stableOf,
  votersAdded,
  whoLeaves,
  whyNotYet,
} from '../../src/rules/change.ts'
import { hasQuorum, isLearner, isStable, targets } from '../../src/rules/quorum.ts'
import type { Configuration, PeerId } from '../../src/rules/types.ts'
import { subsetsOf } from './support/small-scopes.ts'

const FIVE = ['a', 'b', 'c', 'd', 'e'] as const
const stable = (...peers: PeerId[]): Configuration => ({ peers, oldPeers: [] })

/** Two voters, a witness, a learner; the first prefers to lead. */
const MIXED: Configuration = {
  ...stable('a', 'b', 'w'),
  ...{ learners: ['l'], witnesses: ['w'], priorities: { a: 150 } },
  ...{ identities: { a: 1, b: 2, w: 3 }, newcomers: { b: 9 } },
}
const MIXED_TWICE: Configuration = { ...MIXED, peers: ['a', 'b', 'w', 'v'], witnesses: ['w', 'v'] }

const target = (configuration: Configuration, wish: ChangeWish): Configuration => {
  const verdict = judgeWish(configuration, wish)
  if (verdict.kind !== 'change') throw new Error(`no change: ${JSON.stringify(verdict)}`)
  return verdict.target
}

describe('a wish', () => {
  it.each<[string, ChangeWish, Partial<Configuration>]>([
    ['adds a voter', { kind: 'add', member: { id: 'c' } }, { peers: ['a', 'b', 'w', 'c'] }],
    ['adds a learner', { kind: 'add', member: { id: 'c', role: 'learner' } }, { learners: ['l', 'c'] }],
    ['adds a witness', { kind: 'add', member: { id: 'c', role: 'witness' } }, { witnesses: ['w', 'c'] }],
    [
      'adds with a priority',
      { kind: 'add', member: { id: 'c', priority: 0 } },
      { priorities: { a: 150, c: 0 } },
    ],
    ['removes a voter, and what was said of it', { kind: 'remove', peer: 'a' }, { peers: ['b', 'w'] }],
    ['removes a witness', { kind: 'remove', peer: 'w' }, { peers: ['a', 'b'] }],
    ['promotes a learner', { kind: 'promote', peer: 'l' }, { peers: ['a', 'b', 'w', 'l'] }],
    ['demotes a voter', { kind: 'demote', peer: 'a' }, { peers: ['b', 'w'], learners: ['a', 'l'] }],
    ['sets a priority', { kind: 'prioritize', peer: 'b', priority: 3 }, { priorities: { a: 150, b: 3 } }],
    ['takes back a priority', { kind: 'prioritize', peer: 'a', priority: 100 }, { peers: ['a', 'b', 'w'] }],
    [
      'for a whole set: bare names keep their role and priority',
      { kind: 'set', members: [{ id: 'w' }, { id: 'a' }, { id: 'l' }, { id: 'x' }] },
      { peers: ['w', 'a', 'x'], learners: ['l'], witnesses: ['w'], priorities: { a: 150 } },
    ],
  ])('%s', (_, wish, expected) => {
    expect(target(MIXED, wish)).toMatchObject(expected)
  })

  it.each<[string, ChangeWish]>([
    ['add of a member', { kind: 'add', member: { id: 'a' } }],
    ['add of a learner by name alone', { kind: 'add', member: { id: 'l' } }],
    ['removal of nobody', { kind: 'remove', peer: 'x' }],
    ['promotion of a voter', { kind: 'promote', peer: 'a' }],
    ['demotion of a learner', { kind: 'demote', peer: 'l' }],
    ['the same priority', { kind: 'prioritize', peer: 'a', priority: 150 }],
    ['the same set in another order', { kind: 'set', members: ['l', 'w', 'b', 'a'].map((id) => ({ id })) }],
  ])('for what is already so changes nothing: %s', (_, wish) => {
    expect(judgeWish(MIXED, wish)).toEqual({ kind: 'unchanged' })
  })

  it.each<[string, Configuration, ChangeWish, RegExp]>([
    ['nobody', MIXED, { kind: 'set', members: [] }, /at least one voter/],
    ['learners alone', MIXED, { kind: 'set', members: [{ id: 'l' }] }, /at least one voter/],
    [
      'more witnesses than leave a majority somebody with data',
      MIXED,
      { kind: 'set', members: [{ id: 'a' }, { id: 'w' }, { id: 'v', role: 'witness' }] },
      /of 3 voters at most 1 can be/i,
    ],
    ['a voter removed beside as many witnesses', MIXED_TWICE, { kind: 'remove', peer: 'a' }, /at most 1/],
    ['witnesses alone', MIXED, { kind: 'set', members: [{ id: 'w' }] }, /nothing but witnesses/],
    ['the last voter removed', stable('a'), { kind: 'remove', peer: 'a' }, /at least one voter/],
    ['the last voter demoted', stable('a'), { kind: 'demote', peer: 'a' }, /at least one voter/],
    ['one twice', MIXED, { kind: 'set', members: [{ id: 'a' }, { id: 'a' }] }, /^a is named twice/],
    [
      'another role by adding',
      MIXED,
      { kind: 'add', member: { id: 'l', role: 'voter' } },
      /l is a learner already/,
    ],
    ['a witness promoted', MIXED, { kind: 'promote', peer: 'w' }, /w is a witness .* remove it, wipe/],
    ['a witness demoted', MIXED, { kind: 'demote', peer: 'w' }, /w is a witness/],
    [
      'a voter as witness',
      MIXED,
      { kind: 'set', members: [{ id: 'a', role: 'witness' }, { id: 'b' }] },
      /a is a voter/,
    ],
    ['a stranger promoted', MIXED, { kind: 'promote', peer: 'x' }, /x is no member/],
    ['a stranger preferred', MIXED, { kind: 'prioritize', peer: 'x', priority: 1 }, /x is no member/],
    [
      'too many',
      stable('a'),
      { kind: 'set', members: Array.from({ length: 256 }, (_, i) => ({ id: `n${i}` })) },
      /at most 255/,
    ],
  ])('that cannot be is refused: %s', (_, configuration, wish, why) => {
    expect(judgeWish(configuration, wish)).toMatchObject({ kind: 'invalid', why: expect.stringMatching(why) })
  })

  it('may say which members it has seen, learners among them', () => {
    expect(isAsExpected(MIXED, ['l', 'w', 'b', 'a'])).toBe(true)
    for (const seen of [['a', 'b', 'w'], ['a', 'b', 'w', 'x'], ['a', 'b', 'w', 'l', 'x'], []])
      expect(isAsExpected(MIXED, seen)).toBe(false)
  })
})

describe('the way from one set to another', () => {
  const quorumsOf = (configuration: Configuration) =>
    subsetsOf(FIVE).filter((set) => hasQuorum(configuration, (peer) => set.some((name) => name === peer)))

  /** Every configuration on the way, the first one included. */
  const way = (from: Configuration, to: Configuration): Configuration[] => {
    const joint = jointOf(from, to)
    return needsJoint(from, to) ? [from, joint, stableOf(joint)] : [from, stableOf(joint)]
  }

  it('never has two quorums without a common member, between any two sets of five (INV-13 b)', () => {
    const sets = subsetsOf(FIVE).filter((set) => set.length > 0)
    const quorums = new Map<string, readonly (readonly string[])[]>()
    const known = (configuration: Configuration) => {
      const key = `${configuration.peers.join('')}/${configuration.oldPeers.join('')}`
      const found = quorums.get(key) ?? quorumsOf(configuration)
      quorums.set(key, found)
      return found
    }
    let pairs = 0
    for (const from of sets) {
      for (const to of sets) {
        const steps = way(stable(...from), stable(...to))
        expect(steps.at(-1)).toEqual(stable(...to))
        for (const [i, next] of steps.slice(1).entries()) {
          const before = steps[i] ?? next
          for (const one of known(before))
            for (const other of known(next)) {
              pairs++
              if (!one.some((name) => other.includes(name)))
                throw new Error(`${JSON.stringify(before)} and ${JSON.stringify(next)}: ${one}, ${other}`)
            }
        }
      }
    }
    expect(pairs).toBeGreaterThan(100_000)
  })

  it('is joint exactly when more than one voter comes or goes', () => {
    for (const from of subsetsOf(FIVE))
      for (const to of subsetsOf(FIVE)) {
        const moved = FIVE.filter((peer) => from.includes(peer) !== to.includes(peer))
        expect(needsJoint(stable(...from), stable(...to))).toBe(moved.length > 1)
      }
  })

  it('keeps in the joint configuration what must be known of both sets, and drops it in the end', () => {
    const next = target(MIXED, {
      kind: 'set',
      members: [{ id: 'a', role: 'learner' }, { id: 'c' }, { id: 'd' }],
    })
    const joint = jointOf(MIXED, next, { c: 7 })
    expect(joint).toEqual({
      ...{ peers: ['c', 'd'], oldPeers: ['a', 'b', 'w'], learners: ['a'], witnesses: ['w'] },
      ...{ priorities: { a: 150 }, identities: { a: 1, b: 2, w: 3, c: 7 }, newcomers: { b: 9 } },
    })
    // Who is being demoted votes until it is done.
    expect([roleOf(joint, 'a'), isLearner(joint, 'a')]).toEqual(['voter', false])
    expect(targets(joint)).toEqual(['c', 'd', 'a', 'b', 'w'])
    expect(stableOf(joint)).toEqual({
      ...{ peers: ['c', 'd'], oldPeers: [], learners: ['a'], priorities: { a: 150 }, identities: { c: 7 } },
    })
  })

  it('leaves nothing of who is removed: with other files it comes back as anybody', () => {
    const without = stableOf(jointOf(MIXED, target(MIXED, { kind: 'remove', peer: 'b' })))
    expect(without).toMatchObject({ identities: { a: 1, w: 3 } })
    expect(without).not.toHaveProperty('newcomers')
    const again = stableOf(jointOf(without, target(without, { kind: 'add', member: { id: 'b' } }), { b: 8 }))
    expect(again.identities).toEqual({ a: 1, w: 3, b: 8 })
  })

  it('names who leaves with each step: learners with the first', () => {
    const next = stable('a', 'c')
    const joint = jointOf(MIXED, next)
    expect(isStable(joint)).toBe(false)
    expect(whoLeaves(MIXED, joint)).toEqual(['l'])
    expect(whoLeaves(joint, stableOf(joint))).toEqual(['b', 'w'])
    expect(votersAdded(MIXED, next)).toEqual(['c'])
  })
})

describe('a change may begin', () => {
  it.each([
    ['with everything committed and applied', true, 7, 7, null],
    ['not before the first entry of the term is applied (trap T72)', false, 7, 7, /first entry/],
    ['not while the newest configuration is not committed (INV-13 c)', true, 8, 7, /not committed/],
  ])('%s', (_, isEstablished, configurationIndex, commitIndex, why) => {
    const verdict = whyNotYet({ isEstablished, configurationIndex, commitIndex })
    if (why === null) expect(verdict).toBeNull()
    else expect(verdict).toMatch(why)
  })
})

describe('catching up', () => {
  it('ends for whoever is to hold data and comes without data', () => {
    expect(judge('de', 'abcde', 'abcde', 'abcde', '', 'e')).toEqual({
      ...{ kind: 'failed', why: 'withoutData', waitedFor: ['e'] },
    })
  })

  it.each([
    [0, 0, 1000, false],
    [0, 5, 1000, false],
    [1, 5, 1000, true],
    [1, 1002, 1000, false],
    [2, 1002, 1000, true],
    [4, 5, 0, false],
    [5, 5, 0, true],
  ])('with %i of %i entries and a margin of %i: %s', (matchIndex, lastIndex, margin, expected) => {
    expect(isCaughtUp(matchIndex, lastIndex, margin)).toBe(expected)
  })

  const judge = (added: string, peers: string, ready: string, alive: string, stuck = '', empty = '') =>
    judgeCatchUp({
      ...{ added: [...added], peers: [...peers], lastIndex: 10, marginEntries: 0 },
      sightingOf: (peer) => ({
        peer,
        matchIndex: ready.includes(peer) ? 10 : 3,
        isAlive: alive.includes(peer),
        isMoving: !stuck.includes(peer),
        lacksPayload: empty.includes(peer),
      }),
    })

  it.each([
    ['all there', 'd', 'abcd', 'abcd', '', { kind: 'ready' }],
    ['an old member may lag', 'd', 'abcd', 'abd', '', { kind: 'ready' }],
    [
      'a lagging one is waited for as long as it answers (trap T76)',
      'd',
      'abcd',
      'abc',
      'd',
      { kind: 'waiting' },
    ],
    [
      'who is silent ends it',
      'de',
      'abcde',
      'abcd',
      'abcd',
      { kind: 'failed', why: 'silent', waitedFor: ['e'] },
    ],
    ['without a majority that has the log, it waits', '', 'abc', 'a', 'bc', { kind: 'waiting' }],
    [
      'and ends when it never can have one',
      '',
      'abc',
      'a',
      '',
      { kind: 'failed', why: 'silent', waitedFor: ['b', 'c'] },
    ],
    ['a majority is enough', '', 'abc', 'ab', '', { kind: 'ready' }],
  ])('%s', (_, added, peers, ready, alive, expected) => {
    expect(judge(added, peers, ready, alive)).toEqual(expected)
  })

  it.each<[string, string, string, string, string, string, CatchUpVerdict]>([
    [
      'who answers and gets no further ends it, too',
      ...(['d', 'abcd', 'abc', 'd', 'd'] as const),
      { kind: 'failed', why: 'stalled', waitedFor: ['d'] },
    ],
    ['not who has the log: there is nowhere to go', 'd', 'abcd', 'abcd', '', 'd', { kind: 'ready' }],
    ['not an old member, while the others are enough', 'd', 'abcd', 'abd', 'c', 'c', { kind: 'ready' }],
    [
      'old members do, when the rest is no majority',
      ...(['', 'abc', 'a', 'bc', 'bc'] as const),
      { kind: 'failed', why: 'stalled', waitedFor: ['b', 'c'] },
    ],
    [
      'one that is silent beside one that is stuck is the worse',
      ...(['de', 'abcde', 'abc', 'd', 'd'] as const),
      { kind: 'failed', why: 'silent', waitedFor: ['d', 'e'] },
    ],
  ])('%s', (_, added, peers, ready, alive, stuck, expected) => {
    expect(judge(added, peers, ready, alive, stuck)).toEqual(expected)
  })
})

describe('a member knows what it is', () => {
  it.each([
    ['a', MIXED, true, 'voter'],
    ['w', MIXED, true, 'witness'],
    ['l', MIXED, true, 'learner'],
    ['x', MIXED, true, 'removed'],
    ['x', MIXED, false, 'waiting'],
    ['x', stable(), false, 'waiting'],
    ['x', stable(), true, 'waiting'],
  ] as const)('%s', (self, configuration, wasMember, expected) => {
    expect(membershipOf(configuration, self, wasMember)).toBe(expected)
  })
})
