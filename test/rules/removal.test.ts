// How a member learns that it was removed while it was down.

import { describe, expect, it } from 'vitest'
import { isRemovedBy, type Knowing, removalOf } from '../../src/rules/removal.ts'
import { NOTHING } from '../../src/rules/types.ts'

const AT = { index: 7, term: 3 }

function knowing(over: Partial<Knowing['configuration']> = {}, rest: Partial<Knowing> = {}): Knowing {
  return {
    configuration: { peers: ['a', 'b'], oldPeers: [], id: AT, ...over },
    commitIndex: 7,
    adding: [],
    ...rest,
  }
}

describe('whoever is asked for a vote', () => {
  it.each<[string, Knowing, boolean]>([
    ['says by which configuration a stranger is none', knowing(), true],
    ['says nothing before that is committed: it may be dropped', knowing({}, { commitIndex: 6 }), false],
    ['says nothing while a change is under way', knowing({ oldPeers: ['a', 'c'] }), false],
    ['says nothing to a voter', knowing({ peers: ['a', 'c'] }), false],
    ['says nothing to a learner', knowing({ learners: ['c'] }), false],
    ['says nothing to whom it is about to add', knowing({}, { adding: ['c'] }), false],
    ['says nothing by what it was started with', knowing({ id: NOTHING }), false],
    ['says nothing while it waits to be added itself', knowing({ peers: [] }), false],
  ])('%s', (_, voter, says) => {
    expect(removalOf(voter, 'c')).toEqual(says ? AT : NOTHING)
  })
})

describe('whoever asks believes it', () => {
  it.each([
    ['when it is later in the same log', { index: 7, term: 3 }, { index: 6, term: 3 }, true],
    [
      'when it is of a later leader, though an own entry has a greater index',
      AT,
      { index: 9, term: 2 },
      true,
    ],
    ['when it knows of none but what it was started with', AT, NOTHING, true],
    ['not when its own is later: it was added again', AT, { index: 9, term: 3 }, false],
    ['not when it is of an earlier leader', AT, { index: 2, term: 4 }, false],
    ['not when it is its own', AT, AT, false],
    ['not when nothing was said', NOTHING, NOTHING, false],
  ])('%s', (_, told, own, believes) => {
    expect(isRemovedBy(told, own)).toBe(believes)
  })
})
