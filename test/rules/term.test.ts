// Meeting other terms: paper section 5.1, braft NodeImpl::check_step_down (trap T16).

import { describe, expect, it } from 'vitest'
import { deposes, isPlausibleTerm, judgeSender, type RoleInTerm } from '../../src/rules/term.ts'

const follower = (leader: string | null): RoleInTerm => ({ role: 'follower', term: 5, leader })

describe('the sender of AppendEntries is', () => {
  it.each<[string, RoleInTerm, number, string]>([
    ['stale with an earlier term (paper section 5.1)', follower('l'), 4, 'stale'],
    [
      'stale with an earlier term, to a leader as well',
      { role: 'leader', term: 5, leader: 'me' },
      4,
      'stale',
    ],
    ['new with a higher term', follower('other'), 6, 'new'],
    [
      'new to a candidate of its term (paper section 5.2)',
      { role: 'candidate', term: 5, leader: null },
      5,
      'new',
    ],
    ['new to a leader of its term', { role: 'leader', term: 5, leader: 'me' }, 5, 'new'],
    ['new to a follower without a leader', follower(null), 5, 'new'],
    ['known to a follower of it', follower('l'), 5, 'known'],
    ['in conflict with the leader that is followed', follower('other'), 5, 'conflict'],
  ])('%s', (_, self, term, verdict) => {
    expect(judgeSender(self, 'l', term)).toBe(verdict)
  })
})

describe('a term that is seen deposes', () => {
  it.each([
    [4, false],
    [5, false],
    [6, true],
  ])('%i against the own 5: %s', (seen, expected) => {
    expect(deposes(5, seen)).toBe(expected)
  })
})

describe('a term that a message names', () => {
  const LAST = Number.MAX_SAFE_INTEGER
  const STEP = 2 ** 32

  it.each<[string, number, number, boolean]>([
    ['of the past', 5, 1, true],
    ['that is the own one', 5, 5, true],
    ['that is the next', 5, 6, true],
    ['one step below the largest', 5, 5 + STEP - 1, true],
    ['at the largest step', 5, 5 + STEP, true],
    ['one beyond the largest step', 5, 6 + STEP, false],
    ['that is the last of all', 5, LAST, false],
    ['to a new member, of an old group', 1, 2 ** 40, true],
    ['to a member without any term', 0, 2 ** 40, true],
    ['to a new member, that leaves one term more than the reserve', 1, LAST - STEP - 1, true],
    ['to a new member, that leaves the reserve', 1, LAST - STEP, true],
    ['to a new member, that leaves less', 1, LAST - STEP + 1, false],
    ['to a new member, that is the last of all', 0, LAST, false],
    ['to a member that is new no more', 2, 2 + STEP, true],
    ['far beyond a member that is new no more', 2, 3 + STEP, false],
    ['within a millionth of what is left', LAST - 2 ** 40, LAST - 2 ** 40 + 2 ** 20, true],
    ['one beyond a millionth of what is left', LAST - 2 ** 40, LAST - 2 ** 40 + 2 ** 20 + 1, false],
    ['1,024 on, near the end', LAST - 5000, LAST - 5000 + 1024, true],
    ['1,025 on, near the end', LAST - 5000, LAST - 5000 + 1025, false],
  ])('%s: %i sees %i', (_, own, seen, expected) => {
    expect(isPlausibleTerm(own, seen)).toBe(expected)
  })

  it('takes more than a million messages to use up the terms', () => {
    let own = LAST - 2 ** 32 // as far as a new member can be lied to
    for (let messages = 0; messages < 1_000_000; messages += 1) own += largestStep(own)
    expect(LAST - own).toBeGreaterThan(2 ** 30)
  })

  it('can always be the next one, as long as there is a next one', () => {
    for (const own of [0, 1, 2, 1000, 2 ** 32, 2 ** 52, LAST - 2 ** 32, LAST - 1]) {
      expect(isPlausibleTerm(own, own + 1)).toBe(own < LAST)
    }
  })
})

/** By halving, as a stranger would look for it. */
function largestStep(own: number): number {
  let [low, high] = [0, 2 ** 33]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (isPlausibleTerm(own, own + middle)) low = middle
    else high = middle - 1
  }
  return low
}
