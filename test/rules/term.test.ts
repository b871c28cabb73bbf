// Meeting other terms: paper section 5.1, braft.md section 5.8 and rows 9, 11, 12, 13 of its table (trap T16).

import { describe, expect, it } from 'vitest'
import { deposes, judgeSender, type Standing } from '../../src/rules/term.ts'

const follower = (leader: string | null): Standing => ({ role: 'follower', term: 5, leader })

describe('the sender of AppendEntries is', () => {
  it.each<[string, Standing, number, string]>([
    ['stale with an earlier term (section 5.1)', follower('l'), 4, 'stale'],
    [
      'stale with an earlier term, to a leader as well',
      { role: 'leader', term: 5, leader: 'me' },
      4,
      'stale',
    ],
    ['new with a higher term (row 9)', follower('other'), 6, 'new'],
    [
      'new to a candidate of its term (row 11, section 5.2)',
      { role: 'candidate', term: 5, leader: null },
      5,
      'new',
    ],
    ['new to a leader of its term (row 11)', { role: 'leader', term: 5, leader: 'me' }, 5, 'new'],
    ['new to a follower without a leader (row 12)', follower(null), 5, 'new'],
    ['known to a follower of it', follower('l'), 5, 'known'],
    ['in conflict with the leader that is followed (row 13)', follower('other'), 5, 'conflict'],
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
