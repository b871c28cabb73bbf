// What a witness is sent, and what files without payload take (braft's witness; trap T80 is in transfer.test.ts).

import { describe, expect, it } from 'vitest'
import { type Configuration, EntryType, type LogEntry } from '../../src/rules/types.ts'
import { isSentNoPayload, refusedByWitness, tellableIndex, withhold } from '../../src/rules/witness.ts'

const { NO_OP, DATA, CONFIGURATION, WITHHELD } = EntryType
const log = (...types: EntryType[]): LogEntry[] =>
  types.map((type, at) => ({ index: at + 1, term: 2, type, data: new Uint8Array(type === WITHHELD ? 0 : 3) }))
const kinds = (entries: readonly LogEntry[]) =>
  entries.map(({ index, type, data }) => [index, type, data.length])

describe('a witness is sent', () => {
  it('data without its bytes, and everything else as it is', () => {
    const entries = log(DATA, CONFIGURATION, NO_OP, DATA)
    expect(kinds(withhold(entries, 4))).toEqual([
      [1, WITHHELD, 0],
      [2, CONFIGURATION, 3],
      [3, NO_OP, 3],
      [4, WITHHELD, 0],
    ])
    expect(entries).toEqual(log(DATA, CONFIGURATION, NO_OP, DATA))
  })

  it.each([
    [0, 0],
    [2, 2],
    [9, 4],
  ])('what is durable up to %i of its leader: %i entries', (durableIndex, count) => {
    expect(withhold(log(DATA, DATA, CONFIGURATION, DATA), durableIndex).length).toBe(count)
  })
})

describe('a witness is told', () => {
  const group: Configuration = { peers: ['a', 'b', 'w'], oldPeers: [], witnesses: ['w'] }
  const matchOf = (peer: string): number => ({ a: 4, b: 6, w: 9 })[peer] ?? 0

  it.each<[string, Configuration, number, number]>([
    ['what is durable on a leader that stays', group, 8, 8],
    ['what a voter with data has of one that leaves', { ...group, peers: ['b', 'w'] }, 8, 6],
    ['the most that any of them has', { ...group, peers: ['b', 'c', 'w'] }, 8, 6],
    ['no more than is durable on its leader', { ...group, peers: ['b', 'w'] }, 5, 5],
    ['nothing where nobody has any of it', { ...group, peers: ['c', 'w'] }, 8, 0],
    ['by the new half of a change', { ...group, peers: ['b', 'w'], oldPeers: ['a', 'b', 'w'] }, 8, 6],
  ])('%s', (_what, configuration, durableIndex, expected) => {
    expect(tellableIndex(configuration, 'a', durableIndex, matchOf)).toBe(expected)
  })
})

describe('payload is withheld', () => {
  const group: Configuration = { peers: ['a', 'b', 'w'], oldPeers: [], learners: ['l'], witnesses: ['w'] }
  const wished: Configuration = { ...group, peers: ['a', 'b', 'w', 'x', 'y'], witnesses: ['w', 'x'] }

  it.each<[string, Configuration | null, string, boolean, boolean]>([
    ['from a witness', null, 'w', false, true],
    ['not from a voter', null, 'a', true, false],
    ['not from a learner', null, 'l', true, false],
    ['from one that comes as a witness', wished, 'x', false, true],
    ['not from one that comes as a voter', wished, 'y', true, false],
    ['by what is in force before what is wished', { ...wished, witnesses: ['a'] }, 'a', false, false],
    ['from a witness that leaves', null, 'gone', true, true],
    ['not from a voter that leaves', null, 'gone', false, false],
  ])('%s', (_what, target, peer, before, expected) => {
    expect(isSentNoPayload(group, target, peer, before)).toBe(expected)
  })

  it('also in the old half of a change', () => {
    const joint = { ...group, peers: ['a', 'b', 'c'], oldPeers: ['a', 'b', 'w'] }
    expect(isSentNoPayload(joint, null, 'w', false)).toBe(true)
  })
})

describe('files that lack payload', () => {
  it('take no data, and everything that is for a witness', () => {
    expect(refusedByWitness(true, log(WITHHELD, CONFIGURATION, DATA, DATA))?.index).toBe(3)
    expect(refusedByWitness(true, log(WITHHELD, CONFIGURATION, NO_OP))).toBeNull()
  })

  it('are the only ones that do not', () => {
    expect(refusedByWitness(false, log(DATA, WITHHELD, CONFIGURATION))).toBeNull()
  })
})
