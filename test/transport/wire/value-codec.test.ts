// Users' values: what is carried comes out as it went in, everything else is refused in a sentence, and neither side
// ever holds memory of the other's.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isQuorateError, type QuorateError } from '../../../src/errors.ts'
import {
  checkEncodedValue,
  copyValue,
  decodeValue,
  encodeMessage,
  encodeValue,
  VALUE_LIMITS,
} from '../../../src/transport/wire/codec.ts'
import { carriedJson } from '../support/arbitraries.ts'

const roundTrip = (value: unknown): unknown => {
  const bytes = encodeValue(value)
  expect(checkEncodedValue(bytes)).toBeUndefined()
  const decoded = decodeValue(bytes)
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.value
}

/** Both doors: into bytes, and over to the other side of one process. */
const DOORS = [
  ['encodeValue', roundTrip],
  ['copyValue', copyValue],
] as const

function refusal(run: () => unknown): QuorateError {
  try {
    run()
  } catch (thrown) {
    if (isQuorateError(thrown)) return thrown
    throw thrown
  }
  throw new Error('It was not refused.')
}

/** Equality that tells -0 from 0 and bigint from number, and looks at bytes as bytes. */
const same = (a: unknown, b: unknown): boolean => {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((one, at) => same(one, b[at]))
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
  if (Array.isArray(a) || Array.isArray(b)) return false
  const keys = Reflect.ownKeys(a)
  return (
    keys.length === Reflect.ownKeys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(Reflect.get(a, key), Reflect.get(b, key)))
  )
}

const anything = fc.anything({
  ...{ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true },
  ...{ withSparseArray: true, withNullPrototype: true, withObjectString: true, withBoxedValues: true },
  withUnicodeString: true,
  key: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('__proto__')),
  values: [
    fc.string({ unit: fc.integer({ min: 0xd7fe, max: 0xe001 }).map((unit) => String.fromCharCode(unit)) }),
    fc.double(),
    fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
    fc.uint8Array(),
    fc.string({ maxLength: 300, unit: 'grapheme' }),
    fc.constantFrom(null, undefined, true, false, -0, Symbol.iterator, () => 1, new Error('no'), /x/),
  ],
})

describe.each(DOORS)('%s', (_, pass) => {
  test('gives out exactly what went in, or refuses it as INVALID', () => {
    let carried = 0
    fc.assert(
      fc.property(anything, (value) => {
        if (value === undefined) return
        try {
          expect(same(pass(value), value)).toBe(true)
          carried += 1
        } catch (error) {
          expect(isQuorateError(error) && [error.code, error.outcome, error.retryable]).toEqual([
            'INVALID',
            'not-applied',
            false,
          ])
        }
      }),
      { numRuns: 2000 },
    )
    expect(carried).toBeGreaterThan(200)
  })

  test('gives out all that JSON can say', () => {
    fc.assert(
      fc.property(carriedJson, (value) => {
        expect(pass(value)).toEqual(value)
      }),
    )
  })

  test.each([
    ['bytes inside', { key: new Uint8Array([1, 2]) }],
    ['the bigints at both ends of 64 bits', [2n ** 64n - 1n, -(2n ** 64n), 5n, 0n, -1n]],
    ['numbers at the ends of their forms', [23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32]],
    ['numbers below zero', [-1, -24, -25, -256, -257, -65_537, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 40)]],
    ['floats', [1.5, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, 2 ** 60]],
    ['what is not finite', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ['zeros of both signs', [0, -0]],
    ['an empty object', {}],
    ['text beyond ASCII', ['Größe 漢字 🙂', '🙂'.repeat(100), 'ä'.repeat(24), `${'a'.repeat(23)}é`, '\0']],
    ['text as long as each head', [0, 23, 24, 25, 255, 256, 65_535, 65_536].map((n) => 'x'.repeat(n))],
    ['keys that look like methods', { constructor: 1, toString: 2, hasOwnProperty: 3, '': 4, 7: 5 }],
  ])('carries %s', (_what, value) => {
    expect(same(pass(value), value)).toBe(true)
  })

  class Point {
    x = 1
  }
  class List extends Array<number> {}
  const cycle: unknown[] = []
  cycle.push(cycle)
  const withExtras = Object.assign([1, 2], { extra: true })
  const withHole = [1, 2, 3]
  delete withHole[1]
  const hidden = Object.defineProperty({ a: 1 }, 'b', { value: 2, enumerable: false })
  const getter = {
    get now() {
      return 1
    },
  }
  test.each([
    ['undefined inside an object', { a: { b: undefined } }, /what stands at \.a\.b is undefined/],
    ['undefined inside an array', [1, undefined], /\[1\] is undefined/],
    ['half a surrogate pair', { name: '\ud800' }, /\.name is text with half a surrogate pair/],
    ['half a surrogate pair in a key', { '\udc00': 1 }, /half a surrogate pair/],
    ['half a surrogate pair in long text', `${'x'.repeat(100)}\ud800`, /: it is text with half/],
    ['a Date', { at: [new Date(0)] }, /\.at\[0\] is an object of class Date/],
    ['a Map', new Map([['a', 1]]), /class Map/],
    ['a Set', { a: new Set([1]) }, /class Set/],
    ['a typed array', new Float64Array(1), /class Float64Array/],
    ['an ArrayBuffer', new ArrayBuffer(1), /class ArrayBuffer/],
    ['an instance of a class', new Point(), /class Point/],
    ['a class of arrays', List.from([1, 2]), /class List/],
    ['a boxed string', Object('text'), /class String/],
    ['a RegExp', /x/, /class RegExp/],
    ['an Error', new Error('x'), /class Error/],
    ['a promise', Promise.resolve(1), /class Promise/],
    ['an object that inherits', Object.create({ inherited: 1 }), /object of/],
    ['a bigint above 64 bits', 2n ** 64n, /bigint beyond 64 bits/],
    ['a bigint below 64 bits', -(2n ** 64n) - 1n, /bigint beyond 64 bits/],
    ['a function', { run: () => 1 }, /\.run is a function/],
    ['a symbol', Symbol('s'), /is a symbol/],
    ['a symbol as a key', { [Symbol('s')]: 1 }, /symbols or hidden/],
    ['a hidden property', hidden, /symbols or hidden/],
    ['a getter', getter, /\.now is computed by a getter/],
    ['an array with a hole', withHole, /holes/],
    ['an array with properties', withExtras, /beside its elements/],
    ['a key that reaches a prototype', JSON.parse('{"__proto__": 1}'), /prototype/],
    ['a cycle', cycle, /holds itself/],
  ])('refuses %s, and says what and where', (_what, value, words) => {
    const error = refusal(() => pass(value))
    expect(error).toMatchObject({ code: 'INVALID', outcome: 'not-applied' })
    expect(error.message).toMatch(words)
    expect(pass({ still: 'fine' })).toEqual({ still: 'fine' })
  })

  const nested = (levels: number): unknown => {
    let value: unknown = 1
    for (let i = 0; i < levels; i += 1) value = [value]
    return value
  }
  test('takes 64 levels, and not 65', () => {
    for (const levels of [63, 64]) expect(pass(nested(levels))).toEqual(nested(levels))
    expect(refusal(() => pass(nested(65))).message).toMatch(/64 levels deep/)
  })

  test('is not led astray by what happens while it looks', () => {
    const nosy = new Proxy({ a: 1 } as object, {
      ownKeys(target) {
        expect(pass(['another', 'value'])).toEqual(['another', 'value'])
        return Reflect.ownKeys(target)
      },
    })
    expect(pass({ before: 'x', nosy, after: 'y' })).toEqual({ before: 'x', nosy: { a: 1 }, after: 'y' })
    const hostile = new Proxy([], {
      get() {
        throw new Error('hands off')
      },
    })
    expect(refusal(() => pass({ hostile })).message).toMatch(/hands off/)
  })
})

describe('the bounds of an encoded value', () => {
  test('take 262,144 values, and not one more', () => {
    expect(roundTrip(new Array(VALUE_LIMITS.maxItems - 1).fill(0))).toHaveLength(VALUE_LIMITS.maxItems - 1)
    expect(roundTrip(new Array(VALUE_LIMITS.maxItems).fill(0))).toHaveLength(VALUE_LIMITS.maxItems)
    const error = refusal(() => encodeValue(new Array(VALUE_LIMITS.maxItems + 1).fill(0)))
    expect(error).toMatchObject({ code: 'INVALID', message: expect.stringMatching(/more than 262144/) })
  })

  test('take as many bytes as they say, whatever the bytes are of', () => {
    const limits = { ...VALUE_LIMITS, maxBytes: 300_000 }
    // A head of 5 bytes, and 4 for an array around text.
    for (const make of [(n: number) => 'x'.repeat(n - 5), (n: number) => new Uint8Array(n - 5)]) {
      expect(encodeValue(make(299_999), limits)).toHaveLength(299_999)
      expect(encodeValue(make(300_000), limits)).toHaveLength(300_000)
      expect(refusal(() => encodeValue(make(300_001), limits))).toMatchObject({ code: 'TOO_LARGE' })
      expect(refusal(() => encodeValue([make(300_000)], limits))).toMatchObject({ code: 'TOO_LARGE' })
    }
  })

  test('hold against a value that unfolds to more than there is memory', () => {
    const text = 'x'.repeat(2 ** 20)
    const many = new Array(100_000).fill(text)
    expect(refusal(() => encodeValue(many))).toMatchObject({ code: 'TOO_LARGE' })
    let doubled: unknown = new Uint8Array(2 ** 20)
    for (let i = 0; i < 40; i += 1) doubled = [doubled, doubled]
    expect(refusal(() => encodeValue(doubled))).toMatchObject({ code: 'TOO_LARGE' })
    expect(refusal(() => copyValue(doubled))).toMatchObject({ code: 'TOO_LARGE' })
    let twice: unknown = 1
    for (let i = 0; i < 40; i += 1) twice = [twice, twice]
    expect(refusal(() => encodeValue(twice))).toMatchObject({ code: 'INVALID' })
  })

  test('are the caller’s to set, in both directions', () => {
    const limits = { maxDepth: 2, maxItems: 2, maxBytes: 100 }
    expect(decodeValue(encodeValue([1, 2, 3]), limits)).toMatchObject({ ok: false, reason: 'TOO_MANY_ITEMS' })
    expect(refusal(() => encodeValue([[[1]]], limits)).message).toMatch(/2 levels/)
  })
})

test('undefined by itself is no command; between two sides of a process it may pass', () => {
  expect(refusal(() => encodeValue(undefined)).message).toMatch(/is undefined/)
  expect(copyValue(undefined)).toBeUndefined()
})

describe('bytes', () => {
  test.each([0, 1, 23, 24, 255, 256, 1024, 1025, 65_535, 65_536, 100_000])(
    'of length %i travel as they are, in memory of their own',
    (length) => {
      const value = new Uint8Array(length).fill(7)
      const encoded = encodeValue(value)
      expect(encoded.length).toBeLessThanOrEqual(length + 5)
      value.fill(8)
      const decoded = decodeValue(encoded)
      if (!decoded.ok || !(decoded.value instanceof Uint8Array)) throw new Error('no bytes')
      expect(Buffer.compare(decoded.value, new Uint8Array(length).fill(7))).toBe(0)
      const before = encoded.slice()
      // The whole memory that the user can reach through what was given to him.
      new Uint8Array(decoded.value.buffer).fill(9)
      expect(Buffer.compare(encoded, before)).toBe(0)
    },
  )

  test.each([
    ['alone', (bytes: Uint8Array) => bytes],
    ['in an array', (bytes: Uint8Array) => [bytes, 'text', bytes]],
    ['deep inside', (bytes: Uint8Array) => ({ a: [{ b: bytes }] })],
    ['large', () => [new Uint8Array(5000)]],
  ])(
    '%s are a plain Uint8Array, whatever they were read from, and scribbling on them reaches nothing',
    (_, make) => {
      const value = make(Buffer.from('secret'))
      const encoded = encodeValue(value)
      const asStored = Buffer.from(encoded)
      for (const from of [encoded, asStored]) {
        const decoded = decodeValue(from)
        const found: Uint8Array[] = []
        const look = (part: unknown): void => {
          if (part instanceof Uint8Array) found.push(part)
          else if (typeof part === 'object' && part !== null) Object.values(part).forEach(look)
        }
        look(decoded.ok ? decoded.value : undefined)
        expect(found.length).toBeGreaterThan(0)
        for (const bytes of found) {
          expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
          expect(Object.keys(bytes)).not.toContain('dataView')
          new Uint8Array(bytes.buffer).fill(0)
        }
        expect(same(roundTrip(value), value)).toBe(true)
        expect(Buffer.compare(from, encodeValue(value))).toBe(0)
      }
    },
  )

  test('that are sent away with all the memory around them take nothing of ours along', () => {
    const give = (): Uint8Array => {
      const decoded = decodeValue(encodeValue(new Uint8Array(100).fill(5)))
      return decoded.ok && decoded.value instanceof Uint8Array ? decoded.value : new Uint8Array()
    }
    const { port1 } = new MessageChannel()
    const attempts: ((bytes: Uint8Array, buffer: ArrayBuffer) => unknown)[] = [
      (bytes, buffer) => port1.postMessage(bytes, [buffer]),
      (bytes, buffer) => structuredClone(bytes, { transfer: [buffer] }),
    ]
    const neighbor = give()
    for (const attempt of attempts) {
      const given = give()
      try {
        attempt(given, given.buffer as ArrayBuffer)
      } catch {
        // Newer versions of Node refuse it; older ones send a copy.
      }
      expect(neighbor).toEqual(new Uint8Array(100).fill(5))
      expect(give()).toEqual(new Uint8Array(100).fill(5))
    }
    port1.close()
  })

  test('that are encoded are the caller’s own', () => {
    const first = encodeValue({ a: 1 })
    const before = Uint8Array.from(first)
    for (let i = 0; i < 1000; i += 1) encodeValue({ b: i })
    expect(first).toEqual(before)
    expect(Object.keys(first)).toEqual(Object.keys(before))
  })

  test.each([
    '5a 00',
    '58',
    '43 01 02',
    '43 01 02 03 04',
    '5f 41 00 ff',
    '5b ff ff ff ff ff ff ff ff 00',
    '',
  ])('like %s are refused', (text) => {
    const bytes = Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
    expect(decodeValue(bytes).ok).toBe(false)
  })

  test('leave no mark on what they are read from', () => {
    const bytes = encodeValue({ a: 1 })
    decodeValue(bytes)
    expect(Object.keys(bytes)).not.toContain('dataView')
  })
})

describe('a value that somebody else encoded', () => {
  const long = `${Buffer.from('x'.repeat(30)).toString('hex')}`
  test.each([
    ['text that is no UTF-8', '61 ff', 'TEXT_NOT_UTF8'],
    ['half a surrogate pair', '63 ed a0 80', 'TEXT_NOT_UTF8'],
    ['long text that is no UTF-8', `78 1f ${long} ff`, 'TEXT_NOT_UTF8'],
    ['text that is no UTF-8 deep inside', '81 a1 61 61 82 01 61 80', 'TEXT_NOT_UTF8'],
    ['a key that is no UTF-8', 'a1 61 ff 01', 'TEXT_NOT_UTF8'],
    ['a key twice', 'a2 61 61 01 61 61 02', 'KEY_TWICE'],
    ['a key twice in an inner map', '81 a1 61 62 a2 61 61 01 61 61 02', 'KEY_TWICE'],
    [
      'a key that reaches a prototype',
      `a1 69 ${Buffer.from('__proto__').toString('hex')} 01`,
      'KEY_RESERVED',
    ],
    ['a tag', 'c1 01', 'TAG'],
    ['undefined', 'f7', 'SIMPLE_VALUE'],
  ])('with %s is refused at the door', (_, text, reason) => {
    expect(checkEncodedValue(Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex')))).toBe(reason)
  })

  test.each([
    ['the same key in two maps', '82 a1 61 61 01 a1 61 61 01'],
    ['bytes that are no text', '42 ff ff'],
    ['text of every length of head', `82 78 01 61 79 00 01 61`],
    ['small floats', '82 f9 80 00 fa 3f 80 00 00'],
  ])('with %s passes', (_, text) => {
    const bytes = Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
    expect(checkEncodedValue(bytes)).toBeUndefined()
    expect(decodeValue(bytes).ok).toBe(true)
  })
})

describe('a message around values', () => {
  test('has the bytes that it would have as a value, but for arrays nobody looks into for holes', () => {
    const message = [
      1,
      [
        [7, 2, encodeValue('a')],
        ['BUSY', 'later', true],
      ],
      ['n1', null, 3],
    ]
    expect(encodeMessage(message)).toEqual(encodeValue(message))
    const marked = Object.assign([1], { mark: 'beside the elements' })
    expect(refusal(() => encodeValue(marked)).message).toContain('properties beside its elements')
    expect(encodeMessage(marked)).toEqual(encodeValue([1]))
  })

  test('is refused as a value is when something in it cannot be carried', () => {
    expect(refusal(() => encodeMessage([1, [undefined]])).message).toContain('[1][0] is undefined')
  })
})
