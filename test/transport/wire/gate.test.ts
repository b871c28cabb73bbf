import { performance } from 'node:perf_hooks'
import { encode } from 'cbor-x'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeValue } from '../../../src/transport/wire/codec.ts'
import { checkCbor, type GateLimits } from '../../../src/transport/wire/gate.ts'
import { carriedJson } from '../support/arbitraries.ts'

const LIMITS: GateLimits = { maxDepth: 4, maxItems: 1000 }

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const nested = (depth: number): Uint8Array => {
  const bytes = new Uint8Array(depth + 1).fill(0x81)
  bytes[depth] = 0
  return bytes
}

/** A head with a 32-bit length followed by `filler`. */
const sized = (major: number, length: number, filler: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(5 + filler.length)
  bytes[0] = (major << 5) | 26
  new DataView(bytes.buffer).setUint32(1, length)
  bytes.set(filler, 5)
  return bytes
}

describe('what the gate refuses', () => {
  test.each([
    ['nothing', '', 'EMPTY'],
    ['a head without its argument', '19 01', 'TRUNCATED'],
    ['an array without its items', '83 01 02', 'TRUNCATED'],
    ['a string that is longer than the bytes left', '5a ff ff ff ff 00', 'TRUNCATED'],
    ['a string of 2^63 bytes', '5b 80 00 00 00 00 00 00 00 00', 'TRUNCATED'],
    ['an array of 2^64-1 items', '9b ff ff ff ff ff ff ff ff', 'TRUNCATED'],
    ['a map of 2^32-1 pairs', 'ba ff ff ff ff 61 61 01', 'TRUNCATED'],
    ['a map without its last value', 'a1 61 61', 'TRUNCATED'],
    ['bytes after the value', '01 02', 'TRAILING_BYTES'],
    ['a positive big number', 'c2 41 01', 'TAG'],
    ['a negative big number', 'c3 41 01', 'TAG'],
    ['a date', 'c1 00', 'TAG'],
    ['a regular expression or error object (tag 27)', 'd8 1b 82 61 61 61 62', 'TAG'],
    ['a shared reference (tag 28)', 'd8 1c 80', 'TAG'],
    ['a typed array (tag 64)', 'd8 40 41 00', 'TAG'],
    ['a Set (tag 258)', 'd9 01 02 80', 'TAG'],
    ['a record definition (tag 57343)', 'd9 df ff 83 81 61 61 18 40 01', 'TAG'],
    ['a tag inside an array', '82 01 c2 41 01', 'TAG'],
    ['an array of indefinite length', '9f 01 ff', 'INDEFINITE_LENGTH'],
    ['a string of indefinite length', '5f 41 00 ff', 'INDEFINITE_LENGTH'],
    ['a map of indefinite length', 'bf 61 61 01 ff', 'INDEFINITE_LENGTH'],
    ['a lone break', 'ff', 'INDEFINITE_LENGTH'],
    ['reserved additional information', '1c', 'RESERVED'],
    ['undefined', 'f7', 'SIMPLE_VALUE'],
    ['an unassigned simple value', 'e0', 'SIMPLE_VALUE'],
    ['a simple value of two bytes', 'f8 ff', 'SIMPLE_VALUE'],
    ['a map with a number as key', 'a1 01 02', 'KEY_NOT_TEXT'],
    ['a map with an array as key', 'a1 80 02', 'KEY_NOT_TEXT'],
    ['a map whose second key is bytes', 'a2 61 61 01 41 62 02', 'KEY_NOT_TEXT'],
  ])('%s', (_what, bytes, reason) => {
    expect(checkCbor(hex(bytes), LIMITS)).toBe(reason)
  })

  test('containers below the allowed depth', () => {
    expect(checkCbor(nested(4), LIMITS)).toBeUndefined()
    expect(checkCbor(nested(5), LIMITS)).toBe('TOO_DEEP')
    expect(checkCbor(nested(100_000), { maxDepth: 1_000_000, maxItems: 1_000_000 })).toBe('TOO_DEEP')
  })

  test('more items than allowed, counted over all containers', () => {
    expect(checkCbor(sized(4, 1000, new Uint8Array(1000)), LIMITS)).toBeUndefined()
    expect(checkCbor(sized(4, 1001, new Uint8Array(1001)), LIMITS)).toBe('TOO_MANY_ITEMS')
    const maps = sized(4, 600, new Uint8Array(600).fill(0xa0))
    expect(checkCbor(maps, LIMITS)).toBeUndefined()
    expect(checkCbor(Uint8Array.from([0x82, ...maps, ...maps]), LIMITS)).toBe('TOO_MANY_ITEMS')
  })
})

describe('what the gate lets through', () => {
  test.each([
    '00',
    '20',
    '1b ff ff ff ff ff ff ff ff',
    '40',
    '60',
    '80',
    'a0',
    'f4',
    'f5',
    'f6',
    'f9 3c 00',
    'fa 7f c0 00 00',
    'fb 43 40 00 00 00 00 00 00',
    'a2 61 61 01 61 62 82 01 a1 61 63 f6',
    '83 41 00 62 61 62 f5',
  ])('%s', (bytes) => {
    expect(checkCbor(hex(bytes), LIMITS)).toBeUndefined()
  })

  test('everything JSON can say, as cbor-x writes it by default for plain values', () => {
    fc.assert(
      fc.property(carriedJson, (value) => {
        const bytes = encode(value)
        const reason = checkCbor(bytes, { maxDepth: 16, maxItems: 10_000 })
        expect(reason).toBeUndefined()
      }),
    )
  })
})

describe('hostile messages of a mebibyte are refused in no time', () => {
  const SIZE = 1024 * 1024
  const bytes = (fill: number): Uint8Array => new Uint8Array(SIZE).fill(fill)
  const bignum = Uint8Array.from([0xc2, ...sized(2, SIZE, bytes(0xff))])
  test.each([
    ['a big number, which freezes cbor-x for minutes', bignum],
    ['a million nested arrays', bytes(0x81)],
    ['a million nested maps', bytes(0xa1)],
    ['a million nested tags', bytes(0xc1)],
    ['a million empty maps', sized(4, SIZE, bytes(0xa0))],
    ['a million empty strings', sized(4, SIZE, bytes(0x40))],
    ['a million breaks', bytes(0xff)],
    ['a million indefinite arrays', bytes(0x9f)],
    ['an array that promises four billion items', sized(4, 0xffffffff, bytes(0))],
    ['a string that promises four billion bytes', sized(2, 0xffffffff, bytes(0))],
  ])('%s', (_what, message) => {
    const start = performance.now()
    const decoded = decodeValue(message)
    const tookMs = performance.now() - start
    expect(decoded.ok).toBe(false)
    expect(tookMs).toBeLessThan(100) // some microseconds; the bound is for a machine that does other things
  })
})
