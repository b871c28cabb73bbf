import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LogEntry } from '../../../src/rules/types.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeErrorResponse,
  encodeResponse,
  MAX_ENTRIES_PER_FRAME,
  RequestEncoder,
} from '../../../src/transport/wire/codec.ts'
import {
  type AppendEntriesRequest,
  RPC_METHODS,
  type RpcMethod,
} from '../../../src/transport/wire/messages/registry.ts'
import { member, requests, responses } from '../support/arbitraries.ts'
import { plain, resealed, sealedTuple, withChecksum } from '../support/seals.ts'

const fromHex = (text: string): Uint8Array => withChecksum(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const entry = (index: number, term: number, size = 3): LogEntry => ({
  index,
  term,
  type: 2,
  data: new Uint8Array(size).fill(index),
})
const append = (entries: readonly LogEntry[]): AppendEntriesRequest => ({
  term: 5,
  prevLogIndex: 6,
  prevLogTerm: 3,
  committedIndex: 4,
  entries,
})

function roundTripRequest<M extends RpcMethod>(method: M): void {
  fc.assert(
    fc.property(member, requests[method], (from, message) => {
      const bytes = new RequestEncoder(from).encode(method, message)
      expect(decodeRequest(method, bytes)).toEqual({ ok: true, value: { method, from, message } })
    }),
  )
}

function roundTripResponse<M extends RpcMethod>(method: M): void {
  fc.assert(
    fc.property(member, responses[method], (from, response) => {
      const bytes = encodeResponse(from, method, response)
      const value = { from, outcome: { ok: true, response } }
      expect(decodeResponse(method, bytes)).toEqual({ ok: true, value })
    }),
  )
}

/** The frame with one byte changed, in every place and to several other values. */
function* everyOtherByte(frame: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < frame.length; at += 1) {
    for (const change of [0x01, 0x02, 0x10, 0x80, 0xff]) {
      const damaged = frame.slice()
      damaged[at] = (frame[at] ?? 0) ^ change
      yield damaged
    }
  }
}

// Not `expect` on each: there are tens of thousands.
function expectRefused(decoded: { readonly ok: boolean; readonly reason?: string }): void {
  if (decoded.reason !== 'BAD_CHECKSUM') expect(decoded).toMatchObject({ reason: 'BAD_CHECKSUM' })
}

function noByteCanChange<M extends RpcMethod>(method: M): void {
  const sampling = { seed: 3, numRuns: 3 }
  for (const message of fc.sample(requests[method], sampling)) {
    const request = Uint8Array.from(new RequestEncoder('n1').encode(method, message))
    for (const damaged of everyOtherByte(request)) expectRefused(decodeRequest(method, damaged))
  }
  for (const response of fc.sample(responses[method], sampling)) {
    const answer = Uint8Array.from(encodeResponse('n1', method, response))
    for (const damaged of everyOtherByte(answer)) expectRefused(decodeResponse(method, damaged))
  }
}

describe('the checksum', () => {
  // Written down once, byte by byte, with a CRC-32 from elsewhere: an encoder that changes its mind is found out.
  test.each([
    ['request', '8401626e31031a85b15177'],
    ['answer', '8c01626e32f603f51901f4000000f4f41a188b638e'],
  ])('of a %s is where other versions will look for it', (kind, hex) => {
    const bytes =
      kind === 'request'
        ? new RequestEncoder('n1').encode('read_index', { term: 3 })
        : encodeResponse('n2', 'append_entries', { term: 3, success: true, lastLogIndex: 500 })
    expect(Buffer.from(bytes).toString('hex')).toBe(hex)
  })

  test('always has five bytes, also when it is a small number', () => {
    // The term for which the checksum begins with two zero bytes, found by trying.
    const bytes = new RequestEncoder('n1').encode('read_index', { term: 72_659 })
    expect(Buffer.from(bytes.subarray(-5)).toString('hex')).toMatch(/^1a0000/)
    expect(decodeRequest('read_index', bytes)).toMatchObject({ ok: true })
    expect(plain.decode(bytes)).toHaveLength(4)
  })

  test('is computed once for a frame that goes to several peers', () => {
    const encoder = new RequestEncoder('n1')
    const request = append([entry(7, 4)])
    const frame = encoder.encode('append_entries', request)
    // Damage done to the one frame is seen by everybody: nothing is computed again on the way out.
    frame[frame.length - 1] = (frame.at(-1) ?? 0) ^ 1
    expectRefused(decodeRequest('append_entries', encoder.encode('append_entries', request)))
  })
})

describe.each(RPC_METHODS)('%s', (method) => {
  test('a request comes back as it was', () => roundTripRequest(method))
  test('an answer comes back as it was', () => roundTripResponse(method))
  test('an error comes back as it was', () => {
    const error = { code: 'EBUSY', message: 'Still busy.' } as const
    const value = { from: 'n2', outcome: { ok: false, error } }
    expect(decodeResponse(method, encodeErrorResponse('n2', error))).toEqual({ ok: true, value })
  })
  test('another version is told apart from nonsense', () => {
    const decoded = [
      decodeRequest(method, sealedTuple([2, 'n1', 1, 'new field'])),
      decodeResponse(method, sealedTuple([9, 'n1', null, 1])),
    ]
    for (const result of decoded) expect(result).toMatchObject({ ok: false, reason: 'WRONG_VERSION' })
    expect(decodeRequest(method, sealedTuple(['2', 'n1', 1]))).toMatchObject({
      ok: false,
      reason: 'BAD_BODY',
    })
  })
  test.each([
    [{ term: 1, checksum: 0xffff_ffff }],
    [[1, 0xffff_ffff]],
    [[1, 'n1', 0xffff_ffff]],
    ['a long text'],
  ])('%j is no such message, though its checksum fits', (value) => {
    const bytes = resealed(plain.encode(value))
    expect(decodeRequest(method, bytes)).toMatchObject({ ok: false, reason: 'BAD_BODY' })
    expect(decodeResponse(method, bytes)).toMatchObject({ ok: false, reason: 'BAD_BODY' })
  })
  test.each([[[1, 'n1']], [null], [7], ['text'], [0xffff_ffff]])('%j has no checksum', (value) => {
    const bytes = plain.encode(value)
    expect(decodeRequest(method, bytes)).toMatchObject({ ok: false, reason: 'BAD_CHECKSUM' })
    expect(decodeResponse(method, bytes)).toMatchObject({ ok: false, reason: 'BAD_CHECKSUM' })
  })
  test('no byte of a request or an answer can be another', () => noByteCanChange(method))
})

describe('a vote request', () => {
  test('has the shape that docs/protocol.md shows', () => {
    const message = { term: 3, lastLogIndex: 9, lastLogTerm: 2, disruptedLeader: { peer: 'n3', term: 2 } }
    expect(plain.decode(new RequestEncoder('n1').encode('request_vote', message))).toEqual([
      1,
      'n1',
      3,
      9,
      2,
      ['n3', 2],
      expect.any(Number),
    ])
  })

  const good = [1, 'n1', 3, 9, 2, null]
  test.each([
    ['term 0', [1, 'n1', 0, 9, 2, null], 'field term'],
    ['a negative index', [1, 'n1', 3, -1, 2, null], 'field lastLogIndex'],
    ['an index beyond the safe integers', [1, 'n1', 3, 2 ** 53, 2, null], 'field lastLogIndex'],
    ['a fraction', [1, 'n1', 3.5, 9, 2, null], 'field term'],
    ['NaN', [1, 'n1', Number.NaN, 9, 2, null], 'field term'],
    ['infinity', [1, 'n1', Number.POSITIVE_INFINITY, 9, 2, null], 'field term'],
    ['a number as text', [1, 'n1', '3', 9, 2, null], 'field term'],
    ['a sender that is no name', [1, 'n.1', 3, 9, 2, null], 'field from'],
    ['a sender called leader', [1, 'leader', 3, 9, 2, null], 'field from'],
    ['a field too few', good.slice(0, -1), 'field disruptedLeader'],
    ['a disrupted leader without its term', [1, 'n1', 3, 9, 2, ['n3']], 'field disruptedLeader'],
  ])('is refused with %s', (_what, tuple, detail) => {
    const decoded = decodeRequest('request_vote', sealedTuple(tuple))
    expect(decoded).toMatchObject({ ok: false, reason: 'BAD_BODY' })
    expect(decoded.ok ? '' : decoded.detail).toContain(detail)
  })

  test('may write whole numbers in any width', () => {
    const expected = { ok: true, value: { message: { term: 7, lastLogIndex: 2 ** 33 } } }
    const wide = fromHex('87 01 62 6e31 1b 0000000000000007 1b 0000000200000000 02 f6')
    expect(decodeRequest('pre_vote', wide)).toMatchObject(expected)
    const unsafe = fromHex('87 01 62 6e31 07 1b 0020000000000001 02 f6')
    expect(decodeRequest('pre_vote', unsafe)).toMatchObject({ ok: false, reason: 'BAD_BODY' })
  })

  test('is refused unseen when it is large', () => {
    const decoded = decodeRequest('request_vote', new Uint8Array(5000))
    expect(decoded).toMatchObject({ ok: false, reason: 'TOO_LARGE' })
  })
})

describe('AppendEntries', () => {
  const a = new Uint8Array([1])

  test('has the shape that docs/protocol.md shows', () => {
    const config: LogEntry = { ...entry(9, 5), type: 3 }
    const bytes = new RequestEncoder('n1').encode(
      'append_entries',
      append([entry(7, 4), entry(8, 4), config]),
    )
    expect(plain.decode(bytes)).toEqual([
      1,
      'n1',
      5,
      6,
      3,
      4,
      [
        [4, 2, 2],
        [5, 3, 1],
      ],
      [entry(7, 4), entry(8, 4), config].map(({ data }) => data),
      expect.any(Number),
    ])
  })

  test.each([0, 1, 23, 24, 255, 256, 65_535, 65_536])('carries an entry of %i bytes', (size) => {
    const request = append([entry(7, 4, size)])
    const decoded = decodeRequest(
      'append_entries',
      new RequestEncoder('n1').encode('append_entries', request),
    )
    expect(decoded).toEqual({ ok: true, value: { method: 'append_entries', from: 'n1', message: request } })
  })

  test.each([
    ['fewer runs than entries', [[4, 2, 1]], [a, a]],
    ['more runs than entries', [[4, 2, 3]], [a, a]],
    ['runs without entries', [[4, 2, 1]], []],
    ['entries without runs', [], [a]],
    ['bytes of what is withheld', [[4, 4, 1]], [a]],
    [
      'a run of nothing',
      [
        [4, 2, 0],
        [4, 2, 1],
      ],
      [a],
    ],
    [
      'a negative run',
      [
        [4, 2, 2],
        [4, 2, -1],
      ],
      [a],
    ],
    ['a run of an endless number', [[4, 2, 2 ** 53 - 1]], [a]],
    ['an entry of term 0', [[0, 2, 1]], [a]],
    ['an unknown type', [[4, 4, 1]], [a]],
    [
      'terms that go back',
      [
        [5, 2, 1],
        [4, 2, 1],
      ],
      [a, a],
    ],
    ['a term beyond the leader’s', [[6, 2, 1]], [a]],
    ['a term before the previous entry’s', [[2, 2, 1]], [a]],
    ['text instead of bytes', [[4, 2, 1]], ['a']],
    ['null among the entries', [[4, 2, 2]], [a, null]],
    ['a run with four parts', [[4, 2, 1, 1]], [a]],
    ['no list of entries', [[4, 2, 1]], 7],
  ])('is refused with %s', (_what, runs, data) => {
    const decoded = decodeRequest('append_entries', sealedTuple([1, 'n1', 5, 6, 3, 4, runs, data]))
    expect(decoded).toMatchObject({ ok: false, reason: 'BAD_BODY' })
  })

  test('is refused when its indexes would leave the safe integers', () => {
    const tuple = [1, 'n1', 5, Number.MAX_SAFE_INTEGER, 3, 4, [[4, 2, 1]], [a]]
    expect(decodeRequest('append_entries', sealedTuple(tuple))).toMatchObject({
      ok: false,
      reason: 'BAD_BODY',
    })
  })

  test('with more entries than a frame can carry is not encoded, and not accepted', () => {
    const many = Array.from({ length: MAX_ENTRIES_PER_FRAME + 1 }, (_, i) => entry(7 + i, 4, 0))
    const encoder = new RequestEncoder('n1')
    expect(() => encoder.encode('append_entries', append(many))).toThrow(RangeError)
    const full = encoder.encode(
      'append_entries',
      append(many.slice(1).map((e, i) => ({ ...e, index: 7 + i }))),
    )
    expect(decodeRequest('append_entries', full)).toMatchObject({ ok: true })
    const tuple = [1, 'n1', 5, 6, 3, 4, [[4, 2, many.length]], many.map(({ data }) => data)]
    expect(decodeRequest('append_entries', sealedTuple(tuple)).ok).toBe(false)
  })

  test('keeps a copy of its own frame, not the chunk it came in', () => {
    const chunk = new Uint8Array(65_536)
    const frame = new RequestEncoder('n1').encode('append_entries', append([entry(7, 4), entry(8, 4)]))
    chunk.set(frame, 1000)
    const decoded = decodeRequest('append_entries', chunk.subarray(1000, 1000 + frame.length))
    chunk.fill(0)
    if (!decoded.ok || !('entries' in decoded.value.message)) throw new Error('not decoded')
    const { entries } = decoded.value.message
    expect(entries).toEqual([entry(7, 4), entry(8, 4)])
    expect(new Set(entries.map(({ data }) => data.buffer)).size).toBe(1)
    expect(entries[0]?.data.buffer.byteLength).toBe(frame.length)
  })

  test('to several peers is encoded once, and again when anything differs', () => {
    const encoder = new RequestEncoder('n1')
    const request = append([entry(7, 4)])
    const first = encoder.encode('append_entries', request)
    expect(encoder.encode('append_entries', { ...request })).toBe(first)
    const others = [
      { ...request, term: 6 },
      { ...request, committedIndex: 5 },
      { ...request, prevLogTerm: 4 },
      { ...request, entries: [entry(7, 4)] },
    ]
    for (const other of others) {
      const bytes = encoder.encode('append_entries', other)
      expect(bytes).not.toBe(first)
      expect(decodeRequest('append_entries', bytes)).toMatchObject({ ok: true, value: { message: other } })
    }
  })
})

describe('an error answer', () => {
  test.each([511, 512])('may have a message of %i characters', (length) => {
    const error = { code: 'EBUSY', message: 'x'.repeat(length) } as const
    const decoded = decodeResponse('pre_vote', sealedTuple([1, 'n1', ['EBUSY', error.message]]))
    expect(decoded).toEqual({ ok: true, value: { from: 'n1', outcome: { ok: false, error } } })
  })

  test.each([
    ['a message of 513 characters', ['EBUSY', 'x'.repeat(513)]],
    ['a code of 33 characters', ['E'.repeat(33), 'x']],
    ['no message', ['EBUSY']],
    ['a code that is a number', [7, 'x']],
    ['a text', 'EBUSY'],
    ['a number', 7],
    ['true', true],
  ])('is refused with %s', (_what, error) => {
    const decoded = decodeResponse('pre_vote', sealedTuple([1, 'n1', error]))
    expect(decoded).toMatchObject({ ok: false, reason: 'BAD_BODY' })
  })

  test('is cut to what the other side accepts', () => {
    const bytes = encodeErrorResponse('n1', { code: 'EINTERNAL', message: 'x'.repeat(10_000) })
    expect(decodeResponse('pre_vote', bytes)).toMatchObject({ ok: true })
  })
})
