// Every limit of a frame, at the limit, one below and one above.

import { describe, expect, test } from 'vitest'
import type { LogEntry } from '../../../src/rules/types.ts'
import {
  decodeRequest,
  decodeResponse,
  FRAME_RESERVE_BYTES,
  fitFrame,
  MAX_APPEND_BYTES,
  MAX_ENTRIES_PER_FRAME,
  RequestEncoder,
} from '../../../src/transport/wire/codec.ts'
import {
  MAX_ENTRY_OVERHEAD_BYTES,
  MAX_RUNS_PER_FRAME,
  withinRuns,
} from '../../../src/transport/wire/entries.ts'
import { FrameCache } from '../../../src/transport/wire/frame-cache.ts'
import { checkCbor, MAX_GATE_DEPTH } from '../../../src/transport/wire/gate.ts'
import { SPARE_ITEMS } from '../../../src/transport/wire/messages/message.ts'
import type { AppendEntriesRequest } from '../../../src/transport/wire/messages/registry.ts'
import { sealedTuple, withChecksum } from '../support/seals.ts'

const LAST = Number.MAX_SAFE_INTEGER
const entry = (index: number, size: number, term = 1): LogEntry => ({
  index,
  term,
  type: 2,
  data: new Uint8Array(size),
})
const append = (entries: readonly LogEntry[]): AppendEntriesRequest => ({
  term: 5,
  prevLogIndex: 0,
  prevLogTerm: 0,
  committedIndex: 0,
  entries,
})
const items = (count: number, item: unknown): unknown[] => Array.from({ length: count }, () => item)

describe('a message of numbers', () => {
  const vote = [1, 'n1', 3, 9, 2, null]
  /** With a text of a later version at its end, so that all of it has this many bytes. */
  const ofBytes = (size: number): Uint8Array => {
    const bare = sealedTuple([...vote, 'x'.repeat(300)]).length - 300
    const frame = sealedTuple([...vote, 'x'.repeat(size - bare)])
    expect(frame.length).toBe(size)
    return frame
  }

  test.each([
    [4095, true],
    [4096, true],
    [4097, false],
  ])('of %i bytes: %s', (size, fits) => {
    const expected = fits ? { ok: true } : { ok: false, reason: 'TOO_LARGE' }
    expect(decodeRequest('request_vote', ofBytes(size))).toMatchObject(expected)
    const answer = decodeResponse('read_index', ofBytes(size))
    expect(answer).toMatchObject({ ok: false, reason: fits ? 'BAD_BODY' : 'TOO_LARGE' })
  })

  test.each([
    [2 ** 53 - 2, true],
    [2 ** 53 - 1, true],
    [2 ** 53, false],
  ])('with a term, an index and the term of an index of %i: %s', (number, fits) => {
    for (const at of [2, 3, 4]) {
      const tuple = vote.with(at, number)
      expect(decodeRequest('request_vote', sealedTuple(tuple)).ok).toBe(fits)
    }
  })

  test.each<[number, number, boolean]>([
    [2, 0, false],
    [2, 1, true],
    [3, -1, false],
    [3, 0, true],
    [4, -1, false],
    [4, 0, true],
  ])('whose item %i is %i: %s', (at, number, fits) => {
    expect(decodeRequest('request_vote', sealedTuple(vote.with(at, number))).ok).toBe(fits)
  })

  test('with a sender of 63, 64 and 65 letters', () => {
    const ok = [63, 64, 65].map((length) =>
      decodeRequest('request_vote', sealedTuple(vote.with(1, 'n'.repeat(length)))),
    )
    expect(ok.map((decoded) => decoded.ok)).toEqual([true, true, false])
  })

  test('of fewer bytes than a checksum has', () => {
    for (let length = 0; length <= 6; length += 1) {
      const bytes = new Uint8Array(length).fill(0x1a)
      expect(decodeRequest('request_vote', bytes)).toMatchObject({ ok: false, reason: 'BAD_CHECKSUM' })
    }
    // Nothing but a checksum, which fits nothing.
    const bare = withChecksum(new Uint8Array(0))
    expect(decodeRequest('request_vote', bare)).toMatchObject({ ok: false, reason: 'BAD_CHECKSUM' })
  })
})

describe('entries in one frame', () => {
  test.each([
    [MAX_APPEND_BYTES - 1, true],
    [MAX_APPEND_BYTES, true],
    [MAX_APPEND_BYTES + 1, false],
  ])('of %i bytes: %s', (size, fits) => {
    const encoder = new RequestEncoder('n1')
    const bare = encoder.encode('append_entries', append([entry(1, 100_000)])).length - 100_000
    const frame = encoder.encode('append_entries', append([entry(1, size - bare)]))
    expect(frame.length).toBe(size)
    const expected = fits ? { ok: true } : { ok: false, reason: 'TOO_LARGE' }
    for (const method of ['append_entries', 'heartbeat'] as const) {
      expect(decodeRequest(method, frame)).toMatchObject(expected)
    }
  })

  test.each([
    [MAX_ENTRIES_PER_FRAME - 1, true],
    [MAX_ENTRIES_PER_FRAME, true],
    [MAX_ENTRIES_PER_FRAME + 1, false],
  ])('%i of them: %s, said and heard', (count, fits) => {
    const request = append(Array.from({ length: count }, (_, i) => entry(i + 1, 0)))
    const encode = () => new RequestEncoder('n1').encode('append_entries', request)
    if (fits) expect(decodeRequest('append_entries', encode())).toMatchObject({ ok: true })
    else expect(encode).toThrow(RangeError)
    const tuple = [1, 'n1', 5, 0, 0, 0, [[1, 2, count]], items(count, new Uint8Array(0))]
    const decoded = decodeRequest('append_entries', sealedTuple(tuple))
    expect(decoded).toMatchObject(fits ? { ok: true } : { ok: false, reason: 'BAD_BODY' })
  })

  test.each([
    [MAX_RUNS_PER_FRAME - 1, true],
    [MAX_RUNS_PER_FRAME, true],
    [MAX_RUNS_PER_FRAME + 1, false],
  ])('of %i terms: %s, said and heard', (count, fits) => {
    const entries = Array.from({ length: count }, (_, i) => entry(i + 1, 0, i + 1))
    expect(withinRuns(entries).length).toBe(Math.min(count, MAX_RUNS_PER_FRAME))
    const frame = new RequestEncoder('n1').encode('append_entries', { ...append(entries), term: count })
    const decoded = decodeRequest('append_entries', frame)
    expect(decoded).toMatchObject(fits ? { ok: true } : { ok: false, reason: 'BAD_BODY' })
  })

  // Nine items of the tuple, its runs, and what a later version adds.
  const spare = SPARE_ITEMS - 9
  test.each([
    [spare - 1, true],
    [spare, true],
    [spare + 1, false],
  ])('as many as can be, and %i items of a later version: %s', (count, fits) => {
    const runs = Array.from({ length: MAX_RUNS_PER_FRAME }, (_, i) => [i + 1, 2, 4])
    const data = items(MAX_ENTRIES_PER_FRAME, new Uint8Array(1))
    const tuple = [1, 'n1', MAX_RUNS_PER_FRAME, 0, 0, 0, runs, data, ...items(count, 7)]
    const decoded = decodeRequest('append_entries', sealedTuple(tuple))
    expect(decoded).toMatchObject(fits ? { ok: true } : { ok: false, reason: 'TOO_MANY_ITEMS' })
  })

  test.each([
    [LAST - 3, true],
    [LAST - 2, true],
    [LAST - 1, false],
  ])('two of them after index %i: %s', (prevLogIndex, fits) => {
    const tuple = [1, 'n1', 5, prevLogIndex, 1, 0, [[1, 2, 2]], items(2, new Uint8Array(1))]
    const decoded = decodeRequest('append_entries', sealedTuple(tuple))
    expect(decoded).toMatchObject(fits ? { ok: true } : { ok: false, reason: 'BAD_BODY' })
  })

  test.each([
    ['the previous entry is of the leader’s term', 5, [[5, 2, 1]], true],
    ['the previous entry is of a later term than the first', 5, [[4, 2, 1]], false],
    ['the previous entry is of a later term than the leader', 6, [], false],
    [
      'the last entry is of the leader’s term',
      1,
      [
        [1, 2, 1],
        [5, 2, 1],
      ],
      true,
    ],
    [
      'the last entry is of a later term than the leader',
      1,
      [
        [1, 2, 1],
        [6, 2, 1],
      ],
      false,
    ],
  ])('%s', (_what, prevLogTerm, runs, fits) => {
    const tuple = [1, 'n1', 5, 7, prevLogTerm, 0, runs, items(runs.length, new Uint8Array(1))]
    expect(decodeRequest('append_entries', sealedTuple(tuple)).ok).toBe(fits)
  })
})

describe('the room for entries', () => {
  const most = { maxEntries: MAX_ENTRIES_PER_FRAME, maxBytes: MAX_APPEND_BYTES }

  test.each([
    [2 * MAX_ENTRY_OVERHEAD_BYTES - 1, 1, 31],
    [2 * MAX_ENTRY_OVERHEAD_BYTES, 1, 32],
    [4 * MAX_ENTRY_OVERHEAD_BYTES - 1, 1, 95],
    [4 * MAX_ENTRY_OVERHEAD_BYTES, 2, 64],
    [4 * MAX_ENTRY_OVERHEAD_BYTES + 1, 2, 65],
  ])('of %i bytes is for %i entries of %i bytes', (room, maxEntries, maxBytes) => {
    expect(fitFrame(most, room)).toEqual({ maxEntries, maxBytes })
  })

  test('is what the bus takes, less a reserve that holds the largest head', () => {
    const longest = 'x'.repeat(64)
    const head = { term: LAST, prevLogIndex: LAST - 1, prevLogTerm: LAST, committedIndex: LAST }
    const frame = new RequestEncoder(longest).encode('append_entries', {
      ...head,
      entries: [entry(LAST, 1, LAST)],
    })
    expect(frame.length).toBeLessThan(FRAME_RESERVE_BYTES)
  })
})

describe('frames that are remembered', () => {
  const request = (size: number): AppendEntriesRequest => append([entry(1, size)])

  test('are the last eight', () => {
    const cache = new FrameCache()
    const requests = Array.from({ length: 9 }, () => request(1))
    const kept = () => requests.filter((one) => cache.get(one) !== undefined).length
    for (const one of requests.slice(0, 8)) cache.put(one, new Uint8Array(1))
    expect(kept()).toBe(8)
    for (const one of requests.slice(8)) cache.put(one, new Uint8Array(1))
    expect([kept(), cache.get(requests[0] ?? request(1))]).toEqual([8, undefined])
  })

  test.each([
    [2 * 1024 * 1024 - 1, 2],
    [2 * 1024 * 1024, 2],
    [2 * 1024 * 1024 + 1, 1],
  ])('have 4 MiB together: of two of %i bytes, %i', (size, kept) => {
    const cache = new FrameCache()
    const requests = [request(1), request(2)]
    for (const one of requests) cache.put(one, new Uint8Array(size))
    expect(requests.filter((one) => cache.get(one) !== undefined).length).toBe(kept)
    // What went is no longer counted.
    const small = request(3)
    cache.put(small, new Uint8Array(1))
    expect(cache.get(small)).toBeDefined()
    expect(requests.filter((one) => cache.get(one) !== undefined).length).toBe(size < 2 ** 21 ? 2 : 1)
  })
})

describe('the gate', () => {
  const nested = (depth: number): Uint8Array => Uint8Array.from([...new Uint8Array(depth).fill(0x81), 0])

  test.each([
    [MAX_GATE_DEPTH - 1, undefined],
    [MAX_GATE_DEPTH, undefined],
    [MAX_GATE_DEPTH + 1, 'TOO_DEEP'],
  ])('%i containers inside each other, whatever limit is asked for: %s', (depth, verdict) => {
    for (const maxDepth of [MAX_GATE_DEPTH, MAX_GATE_DEPTH + 1, 1000]) {
      expect(checkCbor(nested(depth), { maxDepth, maxItems: 1000 })).toBe(verdict)
    }
  })

  test.each([
    [9, undefined],
    [10, undefined],
    [11, 'TOO_MANY_ITEMS'],
  ])('%i values, in one array, in two, and as keys and values: %s', (count, verdict) => {
    const limits = { maxDepth: 3, maxItems: 10 }
    expect(checkCbor(Uint8Array.from([0x80 | count, ...new Uint8Array(count)]), limits)).toBe(verdict)
    // Two in the outer array, and the rest in its second.
    const inner = count - 2
    expect(checkCbor(Uint8Array.from([0x82, 0, 0x80 | inner, ...new Uint8Array(inner)]), limits)).toBe(
      verdict,
    )
    const pairs = Math.ceil(count / 2)
    const map = Uint8Array.from([0xa0 | pairs, ...Array(pairs).fill([0x60, 0]).flat()])
    expect(checkCbor(map, limits)).toBe(pairs > 5 ? 'TOO_MANY_ITEMS' : undefined)
  })

  test.each([
    ['a number', 0x18, 0x19, 0x1a, 0x1b],
    ['a negative number', 0x38, 0x39, 0x3a, 0x3b],
  ])('%s that lacks its last byte, or has one too many', (_what, ...heads) => {
    for (const [i, head] of heads.entries()) {
      const width = 2 ** i
      const of = (bytes: number) =>
        checkCbor(Uint8Array.from([head, ...new Uint8Array(bytes)]), { maxDepth: 1, maxItems: 1 })
      expect([of(width - 1), of(width), of(width + 1)]).toEqual(['TRUNCATED', undefined, 'TRAILING_BYTES'])
    }
  })

  test.each([
    ['bytes', 2],
    ['text', 3],
  ])('%s whose length is one less, exactly, one more than the bytes that follow', (_what, major) => {
    for (const [info, width] of [
      [24, 1],
      [25, 2],
      [26, 4],
      [27, 8],
    ] as const) {
      const verdicts = [6, 5, 4].map((there) => {
        const head = new Uint8Array(1 + width)
        head[0] = (major << 5) | info
        head[width] = 5
        return checkCbor(Uint8Array.from([...head, ...new Uint8Array(there)]), { maxDepth: 1, maxItems: 1 })
      })
      expect(verdicts).toEqual(['TRAILING_BYTES', undefined, 'TRUNCATED'])
    }
  })

  test.each([
    [0x13, 'SIMPLE_VALUE'],
    [0x14, undefined],
    [0x16, undefined],
    [0x17, 'SIMPLE_VALUE'],
  ])('the simple value %i: %s', (value, verdict) => {
    expect(checkCbor(Uint8Array.from([0xe0 | value]), { maxDepth: 0, maxItems: 0 })).toBe(verdict)
  })
})
