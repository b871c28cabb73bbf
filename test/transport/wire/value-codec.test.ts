import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isQuorateError } from '../../../src/errors.ts'
import { decodeValue, encodeValue } from '../../../src/transport/wire/codec.ts'

const roundTrip = (value: unknown): unknown => {
  const decoded = decodeValue(encodeValue(value))
  if (!decoded.ok) throw new Error(decoded.reason)
  return decoded.value
}

describe('values', () => {
  test('of JSON come back as they were', () => {
    // JSON.parse makes an own property of __proto__, which the decoder renames on purpose.
    const json = fc.json({ maxDepth: 6 }).filter((text) => !text.includes('__proto__'))
    fc.assert(
      fc.property(json, (text) => {
        expect(roundTrip(JSON.parse(text))).toEqual(JSON.parse(text))
      }),
    )
  })

  test.each([
    ['bytes inside', { key: new Uint8Array([1, 2]) }],
    ['a bigint of 64 bits', [2n ** 64n - 1n, -(2n ** 63n), 5n]],
    ['numbers beyond 32 bits', [2 ** 32, -(2 ** 40), Number.MAX_SAFE_INTEGER, 1.5, Number.POSITIVE_INFINITY]],
    ['an empty object', {}],
    ['text beyond ASCII', 'Größe 漢字 🙂'],
  ])('may hold %s', (_what, value) => {
    expect(roundTrip(value)).toEqual(value)
  })

  test('turn undefined into null, also inside', () => {
    expect(roundTrip(undefined)).toBeNull()
    expect(roundTrip({ a: undefined, b: [undefined, 1] })).toEqual({ a: null, b: [null, 1] })
  })

  test('turn a Map with text keys and an instance of a class into plain objects', () => {
    class Point {
      x = 1
    }
    expect(roundTrip(new Map([['a', 1]]))).toEqual({ a: 1 })
    expect(roundTrip(new Point())).toEqual({ x: 1 })
  })

  test('cannot reach the prototype of an object', () => {
    const bytes = encodeValue(JSON.parse('{"__proto__": {"polluted": true}}'))
    expect(decodeValue(bytes).ok).toBe(true)
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  const cycle: unknown[] = []
  cycle.push(cycle)
  let deep: unknown = 1
  for (let i = 0; i < 65; i += 1) deep = [deep]
  test.each([
    ['a Date', new Date(0), /Date/],
    ['a Set', { a: new Set([1]) }, /Set/],
    ['a typed array', new Float64Array(1), /typed array/],
    ['a bigint beyond 64 bits', 2n ** 64n, /bigint/],
    ['a Map with numbers as keys', new Map([[1, 2]]), /keys/],
    ['a function', { run: () => 1 }, /function/i],
    ['a symbol', Symbol('s'), /symbol/i],
    ['a cycle', cycle, /refers to itself/],
    ['too many levels', deep, /64 levels/],
    ['too many values', new Array(300_000).fill(0), /262144/],
  ])('are refused with %s, in a sentence', (_what, value, message) => {
    let error: unknown
    try {
      encodeValue(value)
    } catch (thrown) {
      error = thrown
    }
    expect(isQuorateError(error) && error.code).toBe('INVALID')
    expect(String(error)).toMatch(message)
    expect(roundTrip({ still: 'fine' })).toEqual({ still: 'fine' })
  })

  test('a bound on items is the caller’s to set', () => {
    const limits = { maxDepth: 2, maxItems: 2 }
    expect(decodeValue(encodeValue([1, 2, 3]), limits)).toMatchObject({ ok: false, reason: 'TOO_MANY_ITEMS' })
    expect(() => encodeValue([[[1]]], limits)).toThrow()
  })
})

describe('bytes', () => {
  test.each([0, 1, 23, 24, 255, 256, 65_535, 65_536, 100_000])(
    'of length %i travel as they are',
    (length) => {
      const value = new Uint8Array(length).fill(7)
      const encoded = encodeValue(value)
      expect(encoded.length).toBeLessThanOrEqual(length + 5)
      expect(roundTrip(value)).toEqual(value)
      const decoded = decodeValue(encoded)
      expect(decoded.ok && decoded.value instanceof Uint8Array && decoded.value.buffer).toBe(encoded.buffer)
    },
  )

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
