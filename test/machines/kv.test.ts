// The key-value machine against a table of single commands and against a Map.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashKey, hashMore } from '../../src/machines/kv-hash.ts'
import {
  KeyValueStore,
  type KvCommand,
  type KvResult,
  MAX_KEY_LENGTH,
  MAX_VALUE_LENGTH,
} from '../../src/machines.ts'

function machineWith(pairs: Record<string, string>): KeyValueStore {
  const machine = new KeyValueStore()
  for (const [key, value] of Object.entries(pairs)) machine.apply(['put', key, value])
  return machine
}

const table: readonly {
  when: string
  before: Record<string, string>
  command: KvCommand
  result: KvResult
  after: string | null
}[] = [
  { when: 'put creates', before: {}, command: ['put', 'k', '1'], result: null, after: '1' },
  { when: 'put replaces', before: { k: '0' }, command: ['put', 'k', '1'], result: null, after: '1' },
  { when: 'put of nothing is a value', before: {}, command: ['put', 'k', ''], result: null, after: '' },
  { when: 'append creates', before: {}, command: ['append', 'k', 'ab'], result: { length: 2 }, after: 'ab' },
  {
    when: 'append adds',
    before: { k: 'x' },
    command: ['append', 'k', 'ab'],
    result: { length: 3 },
    after: 'xab',
  },
  {
    when: 'cas swaps',
    before: { k: 'a' },
    command: ['cas', 'k', 'a', 'b'],
    result: { swapped: true },
    after: 'b',
  },
  {
    when: 'cas leaves another value',
    before: { k: 'x' },
    command: ['cas', 'k', 'a', 'b'],
    result: { swapped: false },
    after: 'x',
  },
  {
    when: 'cas from null creates',
    before: {},
    command: ['cas', 'k', null, 'b'],
    result: { swapped: true },
    after: 'b',
  },
  {
    when: 'cas from null does not replace',
    before: { k: '' },
    command: ['cas', 'k', null, 'b'],
    result: { swapped: false },
    after: '',
  },
  {
    when: 'cas to null deletes',
    before: { k: 'a' },
    command: ['cas', 'k', 'a', null],
    result: { swapped: true },
    after: null,
  },
  {
    when: 'cas null to null on nothing',
    before: {},
    command: ['cas', 'k', null, null],
    result: { swapped: true },
    after: null,
  },
  {
    when: 'delete removes',
    before: { k: 'a' },
    command: ['delete', 'k'],
    result: { deleted: true },
    after: null,
  },
  {
    when: 'delete of nothing',
    before: {},
    command: ['delete', 'k'],
    result: { deleted: false },
    after: null,
  },
]

describe('one command', () => {
  test.each(table)('$when', ({ before, command, result, after }) => {
    const machine = machineWith(before)
    expect(machine.apply(command)).toEqual(result)
    expect(machine.read(['get', 'k'])).toBe(after)
    expect(machine.read(['size'])).toBe(after === null ? 0 : 1)
    expect(machine.stateHash()).toBe(machineWith(after === null ? {} : { k: after }).stateHash())
  })
})

describe('what is no command', () => {
  const bad: readonly unknown[] = [
    undefined,
    null,
    7,
    'put',
    {},
    new Uint8Array(3),
    [],
    ['put'],
    ['put', 'k'],
    ['put', 'k', 1],
    ['put', 'k', 'v', 'more'],
    ['put', '', 'v'],
    ['put', 'k'.repeat(MAX_KEY_LENGTH + 1), 'v'],
    ['put', 'k', 'v'.repeat(MAX_VALUE_LENGTH + 1)],
    ['cas', 'k', 'before'],
    ['cas', 'k', 'before', undefined],
    ['cas', 'k', 'before', 'v'.repeat(MAX_VALUE_LENGTH + 1)],
    ['append', 'k', null],
    ['append', 'k', 'v'.repeat(MAX_VALUE_LENGTH)],
    ['delete', 'k', 'now'],
    ['delete', { toString: 'k' }],
    ['increment', 'k'],
  ]
  test.each(bad.map((command) => ({ command })))('is refused and changes nothing ($#)', ({ command }) => {
    const machine = machineWith({ k: 'before' })
    const hash = machine.stateHash()
    expect(machine.apply(command)).toEqual({ refused: expect.stringMatching(/^Not applied: .+\.$/) })
    expect(machine.stateHash()).toBe(hash)
    expect(machine.read(['get', 'k'])).toBe('before')
  })

  test.each([null, [], ['get'], ['get', 1], ['size', 1], ['scan']])('query %j is refused', (query) => {
    expect(new KeyValueStore().read(query)).toEqual({ refused: expect.any(String) })
  })
})

describe('at its limits', () => {
  test.each([
    [MAX_KEY_LENGTH - 1, true],
    [MAX_KEY_LENGTH, true],
    [MAX_KEY_LENGTH + 1, false],
  ])('a key of %i characters is taken: %s', (length, taken) => {
    const machine = new KeyValueStore()
    const key = 'k'.repeat(length)
    expect(machine.apply(['put', key, 'v']) === null).toBe(taken)
    expect(machine.read(['get', key])).toBe(taken ? 'v' : null)
  })

  test.each([
    [MAX_VALUE_LENGTH - 1, true],
    [MAX_VALUE_LENGTH, true],
    [MAX_VALUE_LENGTH + 1, false],
  ])('a value of %i characters is taken by put, cas and append: %s', (length, taken) => {
    const value = 'v'.repeat(length)
    const machine = machineWith({ k: 'v' })
    const results = [
      new KeyValueStore().apply(['put', 'k', value]),
      machineWith({ k: 'v' }).apply(['cas', 'k', 'v', value]),
      machine.apply(['append', 'k', 'v'.repeat(length - 1)]),
    ]
    expect(results).toEqual(
      taken ? [null, { swapped: true }, { length }] : new Array(3).fill({ refused: expect.any(String) }),
    )
    expect(String(machine.read(['get', 'k'])).length).toBe(taken ? length : 1)
  })
})

/** Without times: those are compared in naive-model.test.ts. */
type PlainCommand =
  | readonly ['put' | 'append', key: string, value: string]
  | readonly ['cas', key: string, from: string | null, to: string | null]
  | readonly ['delete', key: string]

describe('against a Map', () => {
  const key = fc.constantFrom('a', 'b', 'ab', 'é', '__proto__')
  const value = fc.constantFrom('', '1', '2', 'ab', '💡')
  const command: fc.Arbitrary<PlainCommand> = fc.oneof(
    fc.tuple(fc.constant('put' as const), key, value),
    fc.tuple(fc.constant('append' as const), key, value),
    fc.tuple(fc.constant('cas' as const), key, fc.option(value), fc.option(value)),
    fc.tuple(fc.constant('delete' as const), key),
  )

  function applyToModel(model: Map<string, string>, next: PlainCommand): KvResult {
    const [name, at, first, second] = next
    const now = model.get(at)
    if (name === 'put') model.set(at, first)
    if (name === 'append') model.set(at, (now ?? '') + first)
    if (name === 'append') return { length: (now ?? '').length + first.length }
    if (name === 'delete') return { deleted: model.delete(at) }
    if (name === 'put') return null
    if ((now ?? null) !== first) return { swapped: false }
    if (second === undefined || second === null) model.delete(at)
    else model.set(at, second)
    return { swapped: true }
  }

  test('same results, same values, and a hash that depends on the pairs alone', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const machine = new KeyValueStore()
        const model = new Map<string, string>()
        for (const next of commands) expect(machine.apply(next)).toEqual(applyToModel(model, next))
        expect(machine.read(['size'])).toBe(model.size)
        const rebuilt = new KeyValueStore()
        for (const [at, held] of [...model].reverse()) {
          expect(machine.read(['get', at])).toBe(held)
          rebuilt.apply(['put', at, held])
        }
        expect(machine.stateHash()).toBe(rebuilt.stateHash())
      }),
    )
  })

  test('different pairs, different hashes', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1 }), fc.string()),
        fc.string({ minLength: 1 }),
        (pairs, at) => {
          const machine = machineWith(pairs)
          const hash = machine.stateHash()
          machine.apply(['append', at, 'x'])
          expect(machine.stateHash()).not.toBe(hash)
          expect(machine.stateHash()).toMatch(/^[0-9a-f]{16}$/)
        },
      ),
    )
  })

  test('a hash goes on where it stopped', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(hashMore(hashMore(hashKey('k'), a), b)).toEqual(hashMore(hashKey('k'), a + b))
      }),
    )
    expect(machineWith({ ab: 'c' }).stateHash()).not.toBe(machineWith({ a: 'bc' }).stateHash())
    expect(machineWith({ a: '1', b: '2' }).stateHash()).not.toBe(machineWith({ a: '2', b: '1' }).stateHash())
  })
})
