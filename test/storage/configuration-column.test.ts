// The configuration of a snapshot in its row: nothing is lost, and what an earlier version wrote is understood.

import { expect, it } from 'vitest'
import { columnOf, configurationTail } from '../../src/storage/sqlite/snapshots/configuration-column.ts'

const VOTERS = { peers: ['a', 'b'], oldPeers: ['a'] }

it('gives back each part, and nothing for what is not there', () => {
  const whole = {
    ...{ identities: { a: 5 }, newcomers: { b: 6 }, learners: ['c'] },
    ...{ witnesses: ['b'], priorities: { a: 0 }, withheld: true as const },
  }
  expect(configurationTail(columnOf({ ...VOTERS, ...whole }))).toEqual(whole)
  expect(configurationTail(columnOf({ ...VOTERS, learners: ['c'] }))).toEqual({ learners: ['c'] })
  expect(Object.keys(configurationTail(columnOf(VOTERS)))).toEqual([])
})

it('reads the shorter column of an earlier version', () => {
  const column = JSON.stringify([{ a: 5 }, null])
  expect(Object.entries(configurationTail(column))).toEqual([['identities', { a: 5 }]])
})
