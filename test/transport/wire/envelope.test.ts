// What stands around a command in the log: it comes out as it went in, and what is none is refused at the door.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkEncodedValue, decodeValue, encodeValue } from '../../../src/transport/wire/codec.ts'
import {
  checkCommand,
  isEnvelope,
  openEnvelope,
  sealCommand,
  stampEnvelope,
  traced,
} from '../../../src/transport/wire/envelope.ts'
import { carriedJson } from '../support/arbitraries.ts'

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''))
const trace = fc.record(
  {
    traceparent: fc.tuple(hex(2), hex(32), hex(16), hex(2)).map((parts) => parts.join('-')),
    tracestate: fc.string({
      maxLength: 512,
      unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    }),
  },
  { requiredKeys: ['traceparent'] },
)
const count = fc.maxSafeNat()
const session = fc.record({ session: count, sequence: count, acknowledged: count })
const command = carriedJson.map((value) => encodeValue(value))
const options = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null })

describe('an envelope', () => {
  test('gives out what went in, with the time that was stamped on it', () => {
    fc.assert(
      fc.property(
        command,
        options(trace),
        options(session),
        fc.nat(),
        (bytes, ofTrace, ofSession, timeMs) => {
          const sealed = sealCommand(bytes, { trace: ofTrace, session: ofSession })
          expect(isEnvelope(sealed)).toBe(true)
          expect(checkCommand(sealed)).toBeUndefined()
          stampEnvelope(sealed, timeMs)
          const opened = openEnvelope(sealed)
          expect(opened).toMatchObject({ timeMs, trace: ofTrace, session: ofSession })
          expect(Buffer.from(opened?.command ?? [])).toEqual(Buffer.from(bytes))
        },
      ),
    )
  })

  test('cannot be made by a value of a user', () => {
    fc.assert(fc.property(command, (bytes) => !isEnvelope(bytes)))
    expect(checkEncodedValue(sealCommand(encodeValue(1), {}))).toBe('TAG')
    expect(decodeValue(sealCommand(encodeValue(1), {}))).toMatchObject({ ok: false })
  })

  test('that was changed or cut opens to something that may be logged, or is refused; it never throws', () => {
    const whole = sealCommand(encodeValue({ a: ['text', 1] }), {
      trace: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'x=1' },
      session: { session: 300, sequence: 70_000, acknowledged: 2 },
    })
    for (let end = 1; end < whole.length; end += 1) expect(checkCommand(whole.subarray(0, end))).toBeDefined()
    for (let at = 0; at < whole.length; at += 1)
      for (let byte = 0; byte < 256; byte += 1) {
        const bytes = whole.slice()
        bytes[at] = byte
        if (checkCommand(bytes) !== undefined || !isEnvelope(bytes)) continue
        const opened = openEnvelope(bytes)
        expect(opened).not.toBeNull()
        expect(decodeValue(opened?.command ?? new Uint8Array()).ok).toBe(true)
      }
    expect(checkCommand(Uint8Array.of(...whole, 0))).toBeDefined()
  })

  test.each([
    ['no text', { traceparent: 'nonsense' }, /traceparent is no W3C trace parent/],
    ['capitals', { traceparent: `00-${'A'.repeat(32)}-${'b'.repeat(16)}-01` }, /traceparent/],
    [
      'a long state',
      { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'x'.repeat(513) },
      /tracestate is no text of at most 512/,
    ],
  ])('is not made around a trace that is none: %s', (_, given, message) => {
    expect(() => traced(encodeValue(1), given)).toThrow(message)
  })
})
