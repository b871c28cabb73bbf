// What two processes say to each other about all groups that they share: it comes out as it went in, and what is none is refused.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/runtime/random.ts'
import {
  decodeBeats,
  decodeBeatsAnswer,
  encodeBeats,
  encodeBeatsAnswer,
} from '../../../src/transport/wire/beats-codec.ts'
import { encodeErrorResponse } from '../../../src/transport/wire/codec.ts'
import {
  answerRow,
  type BeatsAnswer,
  type BeatsRequest,
  beatRow,
  heartbeatAnswerOf,
  heartbeatOf,
  MAX_GROUPS_PER_MESSAGE,
} from '../../../src/transport/wire/messages/beats.ts'
import { mutate } from '../support/mutations.ts'
import { withChecksum } from '../support/seals.ts'

/** Of a message that a damaged one is made of, which gets a checksum of its own. */
const withoutChecksum = (frame: Uint8Array): Uint8Array => Uint8Array.from(frame.subarray(0, -5))

const count = fc.maxSafeNat()
const group = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const ledger = {
  ...{ incarnation: count, number: count, version: count, allBefore: count },
  ...{ heardIncarnation: count, heardVersion: count },
  woken: fc.array(fc.tuple(group, count), { maxLength: 5 }),
}
const request: fc.Arbitrary<BeatsRequest> = fc.record({
  ...ledger,
  asks: fc.array(fc.tuple(group, count, count), { maxLength: 5 }),
  beats: fc.array(fc.tuple(group, count, count, count, count), { maxLength: 5 }),
  vouches: fc.boolean(),
})
const answer: fc.Arbitrary<BeatsAnswer> = fc.record({
  ...ledger,
  settlesAsks: fc.boolean(),
  agreed: fc.array(count, { maxLength: 5 }),
  answers: fc.array(fc.array(count, { minLength: 5, maxLength: 5 }), { maxLength: 5 }),
  refused: fc.array(fc.tuple(count, fc.constantFrom('ENOENT', 'EINTERNAL'), fc.string()), { maxLength: 5 }),
})

describe('heartbeats of many groups', () => {
  it('come out as they went in, and so do their answers', () => {
    fc.assert(
      fc.property(request, answer, (asked, said) => {
        expect(decodeBeats(encodeBeats('n1', asked))).toEqual({
          ok: true,
          value: { from: 'n1', message: asked },
        })
        expect(decodeBeatsAnswer(encodeBeatsAnswer('n2', said))).toEqual({
          ok: true,
          value: { from: 'n2', outcome: { ok: true, response: said } },
        })
      }),
    )
  })

  it('are what they would be alone', () => {
    const heartbeat = { term: 3, prevLogIndex: 7, prevLogTerm: 2, committedIndex: 6, entries: [] }
    expect(heartbeatOf(beatRow('g', heartbeat))).toEqual(heartbeat)
    for (const flags of [{}, { readonly: true }, { withheld: true }, { success: true }]) {
      const said = {
        term: 3,
        success: false,
        lastLogIndex: 9,
        identity: 5,
        readonly: false,
        withheld: false,
        ...flags,
      }
      expect(heartbeatAnswerOf(answerRow(4, said))).toEqual({ ...said, conflictTerm: 0, conflictIndex: 0 })
    }
  })

  it.each([
    ['of term 0', ['g', 0, 0, 0, 0]],
    ['whose terms go back', ['g', 3, 7, 4, 6]],
  ] as const)('%s make no sense, and the others do', (_, row) => {
    expect(heartbeatOf(row)).toBeNull()
  })

  const none: BeatsRequest = {
    ...{
      incarnation: 1,
      number: 1,
      version: 0,
      allBefore: 0,
      woken: [],
      heardIncarnation: 0,
      heardVersion: 0,
    },
    ...{ asks: [], beats: [], vouches: false },
  }
  it.each<[string, Partial<Record<keyof BeatsRequest, unknown>>]>([
    ['a group that is no name', { beats: [['a.b', 1, 0, 0, 0]] }],
    ['too few numbers', { asks: [['g', 1]] }],
    ['a number that is none', { beats: [['g', 1, '0', 0, 0]] }],
    [
      'more groups than a message may have',
      { asks: Array.from({ length: MAX_GROUPS_PER_MESSAGE + 1 }, () => ['g', 1, 1]) },
    ],
    ['no list at all', { woken: 7 }],
    ['a life below zero', { incarnation: -1 }],
  ])('with %s are refused', (_, over) => {
    const said: BeatsRequest = Object.assign({}, none, over)
    expect(decodeBeats(encodeBeats('n1', said))).toMatchObject({ ok: false, reason: 'BAD_BODY' })
  })

  it('of a later version may say more about a group', () => {
    const said: BeatsRequest = { ...none, beats: [['g', 1, 0, 0, 0, 99]], asks: [['g', 1, 1, 7]] }
    expect(decodeBeats(encodeBeats('n1', said))).toMatchObject({ ok: true })
  })

  it('are refused as a whole by who does not know them', () => {
    const refusal = { code: 'ENOMETHOD', message: 'no' } as const
    expect(decodeBeatsAnswer(encodeErrorResponse('n2', refusal))).toEqual({
      ok: true,
      value: { from: 'n2', outcome: { ok: false, error: refusal } },
    })
  })

  it('never throw, however they were damaged', () => {
    const random = seededRandom(7)
    const frames = fc
      .sample(request, { seed: 7, numRuns: 20 })
      .map((one) => withoutChecksum(encodeBeats('n1', one)))
    const answers = fc
      .sample(answer, { seed: 7, numRuns: 20 })
      .map((one) => withoutChecksum(encodeBeatsAnswer('n1', one)))
    let read = 0
    for (let i = 0; i < 20_000; i++) {
      if (decodeBeats(withChecksum(mutate(frames, random))).ok) read++
      if (decodeBeatsAnswer(withChecksum(mutate(answers, random))).ok) read++
    }
    expect(read).toBeGreaterThan(100)
  })
})
