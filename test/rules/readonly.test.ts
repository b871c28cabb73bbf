// Who may be sent commands, and whether a group takes any (braft §11.5, traps T32 and T79).

import { describe, expect, it } from 'vitest'
import { sendable, takesCommands } from '../../src/rules/readonly.ts'
import { type Configuration, EntryType, type LogEntry } from '../../src/rules/types.ts'

const of = (peers: string, oldPeers = ''): Configuration => ({ peers: [...peers], oldPeers: [...oldPeers] })

describe('a leader a takes commands', () => {
  it.each<[string, Configuration, string, boolean]>([
    ['while nobody is read-only', of('abc'), '', true],
    ['while a minority is', of('abc'), 'b', true],
    ['not while no majority is left', of('abc'), 'bc', false],
    ['not while it is read-only itself', of('abc'), 'a', false],
    ['alone, unless it is read-only itself', of('a'), 'a', false],
    ['of four not while two are', of('abcd'), 'bc', false],
    ['of three again when one of the two is removed', of('abd'), 'b', true],
    ['not while only the old set could be written to', of('ade', 'abc'), 'de', false],
    ['not while only the new set could be written to', of('ade', 'abc'), 'bc', false],
    ['while both sets have a majority', of('ade', 'abc'), 'bd', true],
    ['whoever else is read-only: strangers and learners count nowhere', of('abc'), 'xyz', true],
  ])('%s', (_, configuration, readonly, expected) => {
    expect(takesCommands(configuration, 'a', (peer) => readonly.includes(peer))).toBe(expected)
  })
})

describe('a member that has been read-only since index 5 is sent', () => {
  const entry = (index: number, type: EntryType = EntryType.DATA): LogEntry => ({
    ...{ index, term: 1, type },
    data: new Uint8Array(0),
  })
  const { CONFIGURATION, NO_OP } = EntryType
  it.each<[string, LogEntry[], number[]]>([
    ['what came before', [entry(3), entry(4)], [3, 4]],
    ['no command of later', [entry(4), entry(5), entry(6)], [4]],
    ['changes of the members', [entry(5, CONFIGURATION), entry(6, CONFIGURATION)], [5, 6]],
    ['what a new leader begins with', [entry(5, NO_OP)], [5]],
    ['nothing behind a command that it is not sent', [entry(5), entry(6, CONFIGURATION)], []],
    ['what is between', [entry(5, CONFIGURATION), entry(6), entry(7)], [5]],
    ['nothing of nothing', [], []],
  ])('%s', (_, entries, expected) => {
    expect(sendable(entries, 5).map(({ index }) => index)).toEqual(expected)
  })

  it('everything when it is not read-only', () => {
    const entries = [entry(5), entry(6)]
    expect(sendable(entries, null)).toBe(entries)
  })
})
