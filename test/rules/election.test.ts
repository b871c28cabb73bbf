// Standing for election and counting answers: paper section 5.2, thesis 9.6.

import { describe, expect, it } from 'vitest'
import {
  type Campaign,
  type Candidate,
  countPreVote,
  countVote,
  electsItself,
  grant,
  hasWon,
  isAlone,
  mayCampaign,
  standsBy,
  startCampaign,
  type VoteAnswer,
} from '../../src/rules/election.ts'
import type { Configuration, PeerId } from '../../src/rules/types.ts'
import { listsOf } from './support/small-scopes.ts'

const FIVE: Configuration = { peers: ['a', 'b', 'c', 'd', 'e'], oldPeers: [] }
const SELF: Candidate = { self: 'a', lastLeader: null }

const campaign = (over: Partial<Campaign> = {}): Campaign => ({
  ...startCampaign(7, 5, FIVE, false, null),
  ...over,
})
const yes = (from: PeerId): VoteAnswer => answer(from, { granted: true })
const no = (from: PeerId): VoteAnswer => answer(from, {})
const held = (from: PeerId): VoteAnswer => answer(from, { rejectedByLease: true })
/** The leader of term 4 has heard a higher term and says yes. */
const deposed = (from: PeerId): VoteAnswer =>
  answer(from, { granted: true, disrupted: true, previousTerm: 4 })

function answer(from: PeerId, over: Partial<VoteAnswer>): VoteAnswer {
  return { from, term: 5, granted: false, rejectedByLease: false, disrupted: false, previousTerm: 5, ...over }
}

/** A pre-vote is answered from a term before the one it asks for. */
const earlier = (one: VoteAnswer): VoteAnswer => ({ ...one, term: 4 })

const CALLED = { leaderIsGone: true, installingSnapshot: false, lacksPayload: false }

describe('a member may campaign', () => {
  const flags = [true, false]
  const cases = flags.flatMap((leaderIsGone) =>
    flags.flatMap((installingSnapshot) =>
      flags.flatMap((listed) =>
        flags.map((lacksPayload) => ({ leaderIsGone, installingSnapshot, listed, lacksPayload })),
      ),
    ),
  )

  it.each(cases)(
    'leader gone $leaderIsGone, installing $installingSnapshot, member $listed, without payload $lacksPayload (traps T1, T14)',
    ({ listed, ...over }) => {
      const self = listed ? 'a' : 'x'
      const { leaderIsGone, installingSnapshot, lacksPayload } = over
      expect(mayCampaign({ configuration: FIVE, self, ...over })).toBe(
        leaderIsGone && !installingSnapshot && listed && !lacksPayload,
      )
    },
  )

  it('also when only the old half of a joint configuration lists it', () => {
    const configuration = { peers: ['b'], oldPeers: ['a'] }
    expect(mayCampaign({ configuration, self: 'a', ...CALLED })).toBe(true)
  })

  it('never as a witness, nor alone', () => {
    const configuration = { ...FIVE, witnesses: ['a'] }
    expect(mayCampaign({ configuration, self: 'a', ...CALLED })).toBe(false)
    expect(mayCampaign({ configuration, self: 'b', ...CALLED })).toBe(true)
    const lone = { peers: ['a'], oldPeers: [] }
    expect(electsItself(lone, 'a', false)).toBe(true)
    expect(electsItself(lone, 'a', true)).toBe(false)
    expect(electsItself({ ...lone, witnesses: ['a'] }, 'a', false)).toBe(false)
  })
})

describe('a member stands by', () => {
  const stable = (...peers: PeerId[]): Configuration => ({ peers, oldPeers: [] })
  const joint: Configuration = { peers: ['b'], oldPeers: ['a', 'b'] }

  it.each<[string, Configuration[], Configuration | null]>([
    ['the newest configuration that names it', [stable('a', 'b')], stable('a', 'b')],
    ['none that knows it not', [stable('b')], null],
    ['none at all', [], null],
    [
      'the one before, while the one without it may not be committed',
      [stable('a', 'b'), stable('b')],
      stable('a', 'b'),
    ],
    ['the joint one before', [stable('a', 'b'), joint, stable('b')], joint],
    [
      'the same, when the newest was written again by another leader',
      [joint, stable('b'), stable('b')],
      joint,
    ],
    [
      'nothing that was settled before that',
      [stable('a'), stable('a', 'c'), stable('b', 'c'), stable('b')],
      null,
    ],
  ])('%s', (_, known, expected) => {
    expect(standsBy(known, 'a')).toEqual(expected)
  })
})

describe('a member is alone', () => {
  it.each<[string, Configuration, boolean]>([
    ['in a stable group of just itself', { peers: ['a'], oldPeers: [] }, true],
    ['not with another member', { peers: ['a', 'b'], oldPeers: [] }, false],
    ['not in a group of just another', { peers: ['b'], oldPeers: [] }, false],
    ['not while joint', { peers: ['a'], oldPeers: ['a'] }, false],
    ['not without a configuration', { peers: [], oldPeers: [] }, false],
  ])('%s', (_, configuration, expected) => {
    expect(isAlone(configuration, 'a')).toBe(expected)
  })
})

describe('an election is won', () => {
  it('with a majority of the members, each counted once (paper section 5.2)', () => {
    expect(hasWon(grant(campaign(), ['a', 'b']))).toBe(false)
    expect(hasWon(grant(grant(campaign(), ['a', 'b']), ['b']))).toBe(false)
    expect(hasWon(grant(campaign(), ['a', 'b', 'c']))).toBe(true)
  })

  it('never by the votes of strangers', () => {
    expect(hasWon(grant(campaign(), ['a', 'x', 'y', 'z']))).toBe(false)
  })

  it('while joint, only with both majorities (paper section 6)', () => {
    const joint = campaign({ configuration: { peers: ['a', 'b', 'c'], oldPeers: ['c', 'd', 'e'] } })
    expect(hasWon(grant(joint, ['a', 'b']))).toBe(false)
    expect(hasWon(grant(joint, ['a', 'c', 'd']))).toBe(true)
  })
})

it('a campaign begins without any vote, under its own number', () => {
  const disruptedLeader = { peer: 'b', term: 3 }
  expect(startCampaign(9, 4, FIVE, true, disruptedLeader)).toEqual({
    version: 9,
    term: 4,
    configuration: FIVE,
    granted: new Set(),
    reserved: new Set(),
    disruptedLeader,
    triggered: true,
  })
})

describe('an answer to a pre-vote', () => {
  it('that grants counts', () => {
    expect(countPreVote(campaign(), SELF, earlier(yes('b'))).granted).toEqual(new Set(['b']))
  })

  it.each([
    [1, true],
    [4, true],
    [5, false],
    [6, false],
  ])('of a voter in term %i counts for term 5: %s', (term, counts) => {
    const counted = countPreVote(campaign(), SELF, answer('b', { granted: true, term }))
    expect(counted.granted.has('b')).toBe(counts)
  })

  it('that refuses changes nothing', () => {
    const before = campaign()
    expect(countPreVote(before, SELF, earlier(no('b')))).toBe(before)
    expect(countPreVote(before, SELF, answer('b', { disrupted: true }))).toBe(before)
  })

  it('held back by a lease is ignored: a spontaneous election honors leases', () => {
    const before = campaign()
    expect(countPreVote(before, SELF, earlier(held('b')))).toBe(before)
    expect(countPreVote(before, SELF, answer('b', { rejectedByLease: true, disrupted: true }))).toBe(before)
  })

  it('held back by a lease is kept when an operator asked for the election', () => {
    const after = countPreVote(campaign({ triggered: true }), SELF, earlier(held('b')))
    expect(after.reserved).toEqual(new Set(['b']))
    expect(after.granted).toEqual(new Set())
  })

  it('of the deposed leader makes the kept votes count', () => {
    let counted = campaign({ triggered: true })
    for (const one of [held('b'), held('c'), deposed('e')])
      counted = countPreVote(counted, SELF, { ...one, term: 4 })
    expect(counted.granted).toEqual(new Set(['b', 'c', 'e']))
    expect(counted.reserved).toEqual(new Set())
    expect(counted.disruptedLeader).toEqual({ peer: 'e', term: 4 })
  })

  it('after the deposed leader is known makes a held-back vote count at once', () => {
    const known = campaign({ triggered: true, disruptedLeader: { peer: 'e', term: 4 } })
    expect(countPreVote(known, SELF, earlier(held('b'))).granted).toEqual(new Set(['b']))
  })

  it('of the leader that the own vote is promised to releases the own vote too (trap T5)', () => {
    const counted = countPreVote(campaign(), { self: 'a', lastLeader: 'e' }, earlier(yes('e')))
    expect(counted.granted).toEqual(new Set(['e', 'a']))
  })

  it('of anybody else does not release the own vote', () => {
    const counted = countPreVote(campaign(), { self: 'a', lastLeader: 'e' }, earlier(yes('b')))
    expect(counted.granted).toEqual(new Set(['b']))
  })
})

describe('an answer to a vote request', () => {
  it('that grants counts, and nobody is asked again', () => {
    const { campaign: counted, askAgain } = countVote(campaign(), SELF, yes('b'))
    expect(counted.granted).toEqual(new Set(['b']))
    expect(askAgain).toEqual([])
  })

  it('that refuses changes nothing', () => {
    const before = campaign()
    expect(countVote(before, SELF, no('b'))).toEqual({ campaign: before, askAgain: [] })
  })

  it('held back by a lease is kept, and asked again when the deposed leader answers (trap T4)', () => {
    const first = countVote(campaign(), SELF, held('b'))
    expect(first.askAgain).toEqual([])
    expect(first.campaign.reserved).toEqual(new Set(['b']))
    const second = countVote(first.campaign, SELF, deposed('e'))
    expect(second.askAgain).toEqual(['b'])
    expect(second.campaign.reserved).toEqual(new Set())
    expect(second.campaign.granted).toEqual(new Set(['e']))
    expect(second.campaign.disruptedLeader).toEqual({ peer: 'e', term: 4 })
  })

  it('of a leader deposed long ago takes nobody’s place who was deposed later', () => {
    const known = campaign({ disruptedLeader: { peer: 'e', term: 4 } })
    const late = { ...yes('b'), disrupted: true, previousTerm: 2 }
    expect(countVote(known, SELF, late).campaign.disruptedLeader).toEqual({ peer: 'e', term: 4 })
  })

  it('held back by a lease is asked again at once when the deposed leader is known already', () => {
    const known = campaign({ disruptedLeader: { peer: 'e', term: 4 } })
    const { campaign: counted, askAgain } = countVote(known, SELF, held('b'))
    expect(askAgain).toEqual(['b'])
    expect(counted.reserved).toEqual(new Set())
    expect(counted.granted).toEqual(new Set())
  })

  it.each([1, 4, 6, 9])('that grants in term %i is no vote in term 5', (term) => {
    const before = campaign()
    const { campaign: counted } = countVote(before, SELF, answer('b', { granted: true, term }))
    expect(counted).toBe(before)
  })

  it('that wins asks nobody again', () => {
    const nearly = grant(campaign({ reserved: new Set(['b']) }), ['a', 'c'])
    const { campaign: counted, askAgain } = countVote(nearly, SELF, deposed('e'))
    expect(hasWon(counted)).toBe(true)
    expect(askAgain).toEqual([])
  })

  it('of the leader that the own vote is promised to releases the own vote too (trap T5)', () => {
    const { campaign: counted } = countVote(campaign(), { self: 'a', lastLeader: 'e' }, yes('e'))
    expect(counted.granted).toEqual(new Set(['e', 'a']))
  })
})

describe('over all orders of four answers', () => {
  const answers = ['b', 'c', 'd'].flatMap((from) => [yes(from), no(from), held(from)]).concat(deposed('e'))
  const candidates: readonly Candidate[] = [SELF, { self: 'a', lastLeader: 'e' }]

  it('a pre-vote counts only members that would vote, and of those held back only released ones', () => {
    for (const triggered of [true, false]) {
      for (const candidate of candidates) {
        for (const order of listsOf(answers, 4)) {
          let counted = campaign({ triggered })
          for (const one of order) counted = countPreVote(counted, candidate, { ...one, term: 4 })
          const released = triggered && order.some(({ disrupted }) => disrupted)
          const expected = new Set(
            order.filter((one) => one.granted || (released && one.rejectedByLease)).map(({ from }) => from),
          )
          if (candidate.lastLeader !== null && expected.has(candidate.lastLeader)) expected.add('a')
          if (!sameSet(counted.granted, expected)) expect({ order, counted }).toEqual({ order, expected })
        }
      }
    }
  })

  it('a vote counts only granted ones, and every held-back voter is kept or asked again', () => {
    for (const order of listsOf(answers, 4)) {
      let counted = campaign()
      const askedAgain = new Set<PeerId>()
      for (const one of order) {
        const step = countVote(counted, SELF, one)
        counted = step.campaign
        for (const peer of step.askAgain) askedAgain.add(peer)
      }
      const granted = new Set(order.filter((one) => one.granted).map(({ from }) => from))
      const heldBack = new Set(order.filter((one) => one.rejectedByLease).map(({ from }) => from))
      if (!sameSet(counted.granted, granted)) expect({ order, counted }).toEqual({ order, granted })
      const remembered = new Set([...counted.reserved, ...askedAgain])
      if (!hasWon(counted) && !sameSet(remembered, heldBack))
        expect({ order, remembered }).toEqual({ heldBack })
    }
  })

  function sameSet(one: ReadonlySet<PeerId>, other: ReadonlySet<PeerId>): boolean {
    return one.size === other.size && [...one].every((peer) => other.has(peer))
  }
})
