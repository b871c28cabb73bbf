// The configurations of a log: their history (braft ConfigurationManager, CF-03) and their bytes.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeConfiguration, encodeConfiguration } from '../../src/log/configuration-codec.ts'
import { ConfigurationHistory } from '../../src/log/configuration-history.ts'
import { type ConfigurationEntry, EntryType } from '../../src/rules/types.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'

const at = (index: number, term = 1): ConfigurationEntry => ({
  peers: [`m${index}`],
  oldPeers: [],
  id: { index, term },
})

describe('CF-03: the history', () => {
  it('without entries knows none, at any index', () => {
    const history = new ConfigurationHistory()
    expect([history.newest(), history.at(10)]).toEqual([null, null])
  })

  it('tells the one in force at an index', () => {
    const history = new ConfigurationHistory([at(8), at(12)])
    expect([7, 8, 11, 12, 99].map((index) => history.at(index)?.id.index)).toEqual([undefined, 8, 8, 12, 12])
  })

  it('goes back to what was before when the log is truncated', () => {
    const history = new ConfigurationHistory()
    history.add(at(8))
    expect(history.at(10)).toEqual(at(8))
    history.truncateSuffix(7)
    expect([history.newest(), history.at(10)]).toEqual([null, null])
  })

  it('keeps an entry that is just at the end of what is kept', () => {
    const history = new ConfigurationHistory([at(8)])
    history.truncateSuffix(8)
    expect(history.newest()).toEqual(at(8))
  })

  it('forgets what is before the log', () => {
    const history = new ConfigurationHistory([at(10), at(20)])
    history.truncatePrefix(10)
    expect(history.at(15)).toEqual(at(10))
    history.truncatePrefix(15)
    expect(history.at(15)).toBeNull()
    expect(history.newest()).toEqual(at(20))
    history.truncatePrefix(25)
    expect(history.newest()).toBeNull()
  })

  it('falls back to the one of the snapshot', () => {
    const history = new ConfigurationHistory([at(10)])
    expect(history.snapshot).toBeNull()
    history.setSnapshot(at(5))
    expect([history.at(9), history.at(10), history.newest()]).toEqual([at(5), at(10), at(10)])
    history.truncateSuffix(9)
    expect([history.newest(), history.snapshot]).toEqual([at(5), at(5)])
  })

  it('of a log that begins anew are those of the snapshot alone', () => {
    const history = new ConfigurationHistory([at(10), at(20)])
    history.setSnapshot(at(30))
    history.clear()
    expect([history.newest(), history.at(40)]).toEqual([at(30), at(30)])
  })
})

describe('a configuration as bytes', () => {
  const entryOf = (data: Uint8Array) => ({ index: 4, term: 2, type: EntryType.CONFIGURATION, data })
  const name = fc.stringMatching(/^[A-Za-z0-9_-]{2,20}$/)
  const names = fc.uniqueArray(name, { maxLength: 7 })

  it('comes back as it was, with the position of its entry', () => {
    fc.assert(
      fc.property(names, names, (peers, oldPeers) => {
        expect(decodeConfiguration(entryOf(encodeConfiguration({ peers, oldPeers })))).toEqual({
          peers,
          oldPeers,
          id: { index: 4, term: 2 },
        })
      }),
      { numRuns: 100 },
    )
  })

  it('names the files of members, and comes from earlier and later versions', () => {
    const configuration = { peers: ['a', 'b'], oldPeers: [], identities: { a: 5 }, newcomers: { b: 2 ** 48 } }
    const read = (value: unknown) => decodeConfiguration(entryOf(encodeValue(value)))
    const id = { index: 4, term: 2 }
    expect(decodeConfiguration(entryOf(encodeConfiguration(configuration)))).toEqual({ ...configuration, id })
    const whole = { ...configuration, learners: ['c'], witnesses: ['b'], priorities: { a: 0, b: 200 } }
    expect(decodeConfiguration(entryOf(encodeConfiguration(whole)))).toEqual({ ...whole, id })
    const { newcomers: _, ...settled } = configuration
    expect(decodeConfiguration(entryOf(encodeConfiguration(settled)))).toEqual({ ...settled, id })
    expect(read([1, ['a'], []])).toEqual({ peers: ['a'], oldPeers: [], id })
    expect(read([1, ['a'], [], [['a', 5]], [], [], [], [], 'of a later version'])).toEqual({
      ...{ peers: ['a'], oldPeers: [], identities: { a: 5 }, id },
    })
    for (const bad of [7, [['a']], [['a', 0]], [['a', -1]], [['a.b', 1]], [['a', '1']]])
      expect(read([1, ['a'], [], bad])).toBeNull()
    for (const bad of [[7], ['x.y'], ['c', 'c'], [[]]]) {
      expect(read([1, ['a'], [], [], [], bad])).toBeNull()
      expect(read([1, ['a'], [], [], [], [], bad])).toBeNull()
    }
    expect(read([1, ['a'], [], [], [], [], [], [['a', -1]]])).toBeNull()
  })

  it.each<[string, unknown]>([
    ['nothing', []],
    ['a newer version', [2, ['a'], []]],
    ['a missing half', [1, ['a']]],
    ['a name that is no subject token', [1, ['a.b'], []]],
    ['a member twice', [1, ['a', 'a'], []]],
    ['more members than anybody can mean', [1, Array.from({ length: 256 }, (_, i) => `m${i}`), []]],
    ['something else', { peers: ['a'] }],
  ])('is refused when it holds %s', (_, value) => {
    expect(decodeConfiguration(entryOf(encodeValue(value)))).toBeNull()
  })

  it('is refused when it is no CBOR at all', () => {
    expect(decodeConfiguration(entryOf(Uint8Array.of(0xff, 0x00, 0x13)))).toBeNull()
    expect(decodeConfiguration(entryOf(new Uint8Array(0)))).toBeNull()
  })
})
