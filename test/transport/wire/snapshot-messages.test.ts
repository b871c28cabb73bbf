// Offers and pieces of snapshots at their bounds.

import { describe, expect, test } from 'vitest'
import {
  decodeRequest,
  decodeResponse,
  encodeResponse,
  RequestEncoder,
} from '../../../src/transport/wire/codec.ts'
import { MAX_PIECE_BYTES } from '../../../src/transport/wire/messages/get-file.ts'
import { sealedTuple } from '../support/seals.ts'

const wanted = { term: 3, lastIncludedIndex: 9, lastIncludedTerm: 2, name: 'f', offset: 0, count: 1 }
const piece = (length: number) =>
  encodeResponse('n1', 'get_file', { term: 3, total: 1_000_000, data: new Uint8Array(length).fill(7) })

describe('a piece of a file', () => {
  test.each([
    [0, true],
    [MAX_PIECE_BYTES, true],
    [MAX_PIECE_BYTES + 1, false],
  ])('of %i bytes: %s', (length, fits) => {
    expect(decodeResponse('get_file', piece(length)).ok).toBe(fits)
  })

  test('is a part of the frame: whoever keeps it copies it, once', () => {
    const frame = piece(100)
    const decoded = decodeResponse('get_file', frame)
    if (!decoded.ok || !decoded.value.outcome.ok) throw new Error('refused')
    const { data } = decoded.value.outcome.response
    expect(data).toEqual(new Uint8Array(100).fill(7))
    expect(data.buffer).toBe(frame.buffer)
  })

  test('does not widen the door of other answers', () => {
    const frame = sealedTuple([1, 'n1', null, 3, 9, 'x'.repeat(5000)])
    expect(decodeResponse('read_index', frame)).toMatchObject({ ok: false, reason: 'TOO_LARGE' })
    expect(decodeResponse('install_snapshot', frame)).toMatchObject({ ok: false, reason: 'TOO_LARGE' })
  })
})

describe('who asks for a piece', () => {
  test.each([
    ['the list of files', { name: '' }, true],
    ['the longest name', { name: 'x'.repeat(255) }, true],
    ['a longer name', { name: 'x'.repeat(256) }, false],
    ['nothing', { count: 0 }, false],
    ['the most', { count: MAX_PIECE_BYTES }, true],
    ['more', { count: MAX_PIECE_BYTES + 1 }, false],
    ['what comes before a file', { offset: -1 }, false],
    ['half a byte', { offset: 0.5 }, false],
  ])('wants %s', (_, over, fits) => {
    const frame = new RequestEncoder('n1').encode('get_file', { ...wanted, ...over })
    expect(decodeRequest('get_file', frame).ok).toBe(fits)
  })
})

describe('an offer', () => {
  const names = (count: number) => Array.from({ length: count }, (_, i) => `${i}`.padEnd(64, 'x'))
  const offer = { term: 3, lastIncludedIndex: 9, lastIncludedTerm: 2, bytes: 7, files: 1, takenAtMs: 5 }

  test.each([
    [255, true],
    [256, false],
  ])('of a group of twice %i members: %s', (count, fits) => {
    const everybody = [...names(count), ...names(count)].map((name): [string, number] => [name, 2 ** 48])
    const lists = {
      peers: names(count),
      oldPeers: names(count),
      identities: everybody,
      newcomers: everybody,
      learners: names(count),
      witnesses: names(count),
      priorities: everybody,
      withheld: false,
    }
    const message = { ...offer, ...lists }
    expect(
      decodeRequest('install_snapshot', new RequestEncoder('n1').encode('install_snapshot', message)).ok,
    ).toBe(fits)
  })

  test('is answered with one of four words', () => {
    const answer = (state: unknown) =>
      decodeResponse('install_snapshot', sealedTuple([1, 'n1', null, 3, state, 0, 0]))
    expect(['installed', 'accepted', 'loading', 'busy'].map((state) => answer(state).ok)).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(['', 'INSTALLED', 7, null].map((state) => answer(state).ok)).toEqual([false, false, false, false])
  })
})
