// The key-value machine saves and loads: any texts come back as they were, whatever the pieces that a file comes in, and a
// state is replaced as a whole or not at all.

import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { packTexts, unpackTexts } from '../../src/machines/kv-texts.ts'
import { KeyValueStore } from '../../src/machines.ts'
import { filesOf, inPiecesOf, loadFiles } from './support.ts'

/** Keeps the pieces as they are handed over, and looks at them when all are there. */
function written(content: Iterable<Uint8Array>): Uint8Array {
  return Buffer.concat([...content])
}

async function texts(pieces: AsyncIterable<Uint8Array>): Promise<string[]> {
  const all: string[] = []
  for await (const text of unpackTexts(pieces)) all.push(text)
  return all
}

/** The one file; `meanwhile` comes when the state has been captured and before it is written. */
async function saved(machine: KeyValueStore, meanwhile?: () => void): Promise<Uint8Array> {
  const [[, bytes] = ['', new Uint8Array()]] = await filesOf(machine, meanwhile)
  return bytes
}

const load = (machine: KeyValueStore, bytes: Uint8Array): Promise<void> =>
  loadFiles(machine, [['pairs', bytes]])

function machineWith(pairs: Readonly<Record<string, string>>): KeyValueStore {
  const machine = new KeyValueStore()
  for (const [key, value] of Object.entries(pairs)) machine.apply(['put', key, value])
  return machine
}

describe('texts in a file', () => {
  test('come back as they were, in pieces of any size', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', '\uFEFFmark', '💡', 'é'.repeat(300)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(text), fc.integer({ min: 1, max: 50 }), async (all, size) => {
        expect(await texts(inPiecesOf(size, written(packTexts(all))))).toEqual(all)
      }),
    )
  })

  it.each([0, 1, 21_000, 65_536, 200_000])(
    'come back when they have %i characters of three bytes',
    async (length) => {
      const all = ['before', '€'.repeat(length), 'after', '€'.repeat(length), '']
      expect(await texts(inPiecesOf(65_536, written(packTexts(all))))).toEqual(all)
    },
  )

  it('are handed over in pieces that nobody writes on afterwards', () => {
    const all = Array.from({ length: 2000 }, (_, i) => `${i} `.repeat(20))
    const pieces = [...packTexts(all)]
    expect(pieces.length).toBeGreaterThan(2)
    expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(pieces.length)
  })

  it.each([1, 3, 4, 6])('are missed when %i bytes of the last one are gone', async (missing) => {
    const whole = written(packTexts(['first', 'second']))
    const cut = whole.subarray(0, whole.length - missing)
    await expect(texts(inPiecesOf(1000, cut))).rejects.toThrow('it ends in the middle of a text')
  })
})

describe('the state', () => {
  it('is the one that was captured, whatever commands come while it is written', async () => {
    const machine = machineWith({ a: '1', b: '2' })
    const hash = machine.stateHash()
    const bytes = await saved(machine, () => {
      machine.apply(['put', 'a', 'later'])
      machine.apply(['put', 'c', 'later'])
      machine.apply(['delete', 'b'])
    })
    const loaded = new KeyValueStore()
    await load(loaded, bytes)
    expect(loaded.stateHash()).toBe(hash)
    expect([loaded.read(['get', 'a']), loaded.read(['size'])]).toEqual(['1', 2])
  })

  it('takes the place of the one before, with its hash', async () => {
    const machine = machineWith({ old: 'x', a: 'y' })
    await load(machine, await saved(machineWith({ a: '1' })))
    expect([machine.read(['get', 'old']), machine.read(['get', 'a']), machine.read(['size'])]).toEqual([
      null,
      '1',
      1,
    ])
    expect(machine.stateHash()).toBe(machineWith({ a: '1' }).stateHash())
  })

  it.each([
    ['ends in the middle of a text', (bytes: Uint8Array) => bytes.subarray(0, -1), /in the middle of a text/],
    ['ends after a key', (bytes: Uint8Array) => bytes.subarray(0, -5), /the last key has no value/],
    ['is no UTF-8', (bytes: Uint8Array) => bytes.fill(0xff, bytes.length - 1), /not valid/],
  ])('stays when the file %s', async (_, damage, why) => {
    const machine = machineWith({ mine: 'x' })
    const hash = machine.stateHash()
    await expect(load(machine, damage(await saved(machineWith({ a: '1', b: '2' }))))).rejects.toThrow(why)
    expect(machine.stateHash()).toBe(hash)
    expect([machine.read(['get', 'mine']), machine.read(['size'])]).toEqual(['x', 1])
  })
})
