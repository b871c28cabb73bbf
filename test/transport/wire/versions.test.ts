// Members of neighboring versions: tuples grow at their end only, and who does not know an item does without it.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeRequest,
  decodeResponse,
  encodeResponse,
  RequestEncoder,
} from '../../../src/transport/wire/codec.ts'
import { SPARE_ITEMS } from '../../../src/transport/wire/messages/message.ts'
import { MESSAGES, RPC_METHODS, type RpcMethod } from '../../../src/transport/wire/messages/registry.ts'
import { appendRequest, requests, responses } from '../support/arbitraries.ts'
import { plain, sealedTuple } from '../support/seals.ts'

/** The items of a frame without its checksum. */
function itemsOf(frame: Uint8Array): readonly unknown[] {
  const items: unknown = plain.decode(frame)
  if (!Array.isArray(items)) throw new Error('not a tuple')
  return items.slice(0, -1)
}

/** What a later minor version might add: anything plain, within the room that is set aside for it. */
const addition = fc.oneof(
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.string({ maxLength: 20 }),
  fc.double(),
  fc.uint8Array({ maxLength: 20 }),
  fc.array(fc.integer(), { maxLength: 3 }),
  fc.constant({ key: [1] }),
)
const additions = fc.array(addition, { minLength: 1, maxLength: 8 })

function understandsNextRequest<M extends RpcMethod>(method: M): void {
  fc.assert(
    fc.property(requests[method], additions, (message, added) => {
      const frame = sealedTuple([...itemsOf(new RequestEncoder('n1').encode(method, message)), ...added])
      expect(decodeRequest(method, frame)).toEqual({ ok: true, value: { method, from: 'n1', message } })
    }),
  )
}

function understandsNextAnswer<M extends RpcMethod>(method: M): void {
  fc.assert(
    fc.property(responses[method], additions, (response, added) => {
      const frame = sealedTuple([...itemsOf(encodeResponse('n1', method, response)), ...added])
      const value = { from: 'n1', outcome: { ok: true, response } }
      expect(decodeResponse(method, frame)).toEqual({ ok: true, value })
    }),
  )
}

/** Each shorter frame is read with defaults, as far as there are any, and refused where there are none. */
function neverMakesUpAnAnswer<M extends RpcMethod>(method: M): void {
  const fields = Object.entries(MESSAGES[method].answer.fields)
  fc.assert(
    fc.property(responses[method], fc.nat(fields.length), (response, kept) => {
      const items = itemsOf(encodeResponse('n1', method, response)).slice(0, 3 + kept)
      const decoded = decodeResponse(method, sealedTuple(items))
      const missing = fields.slice(kept).map(([name]) => name)
      const defaults = Object.fromEntries(missing.map((name) => [name, ADDED_LATER[name] ?? 0]))
      if (missing.every((name) => name in ADDED_LATER)) {
        const value = { from: 'n1', outcome: { ok: true, response: { ...response, ...defaults } } }
        expect(decoded).toEqual({ ok: true, value })
      } else expect(decoded).toMatchObject({ ok: false, reason: 'BAD_BODY' })
    }),
  )
}

/** Fields of 0.2.0 and later, and what a member of an earlier version means by their absence. */
const ADDED_LATER: Readonly<Record<string, number | boolean>> = {
  ...{ conflictTerm: 0, conflictIndex: 0, identity: 0, removedIndex: 0, removedTerm: 0 },
  readonly: false,
  withheld: false,
}

describe.each(RPC_METHODS)('%s', (method) => {
  test('of a later version is read without what is new in it', () => {
    understandsNextRequest(method)
    understandsNextAnswer(method)
  })

  test('cut short is read only as far as an earlier version sent it so', () => neverMakesUpAnAnswer(method))

  test('of another major version is refused for that reason, whatever follows', () => {
    for (const version of [0, 2, 24, 70_000]) {
      for (const rest of [[], ['n1'], ['n1', null, 1, true, 5], [{ all: 'new' }]]) {
        const expected = {
          ok: false,
          reason: 'WRONG_VERSION',
          detail: `version ${version}, expected 1`,
        }
        expect(decodeRequest(method, sealedTuple([version, ...rest]))).toEqual(expected)
        expect(decodeResponse(method, sealedTuple([version, ...rest]))).toEqual(expected)
      }
    }
  })
})

describe('frames as they were in 0.1.0, written down once', () => {
  test('an answer to append_entries names no conflict', () => {
    const answer = {
      term: 7,
      success: false,
      lastLogIndex: 3,
      conflictTerm: 0,
      conflictIndex: 0,
      identity: 0,
      readonly: false,
      withheld: false,
    }
    const expected = { ok: true, value: { from: 'n2', outcome: { ok: true, response: answer } } }
    expect(decodeResponse('append_entries', sealedTuple([1, 'n2', null, 7, false, 3]))).toEqual(expected)
    expect(decodeResponse('heartbeat', sealedTuple([1, 'n2', null, 7, false, 3]))).toEqual(expected)
    const halfWay = decodeResponse('append_entries', sealedTuple([1, 'n2', null, 7, false, 3, 5]))
    expect(halfWay).toMatchObject({
      ok: true,
      value: { outcome: { response: { ...answer, conflictTerm: 5 } } },
    })
  })

  test('an answer to a vote request says nothing of files', () => {
    const response = {
      ...{ term: 7, granted: true, rejectedByLease: false, disrupted: false, previousTerm: 6 },
      ...{ identity: 0, removedIndex: 0, removedTerm: 0 },
    }
    const frame = sealedTuple([1, 'n2', null, 7, true, false, false, 6])
    const expected = { ok: true, value: { from: 'n2', outcome: { ok: true, response } } }
    expect(decodeResponse('request_vote', frame)).toEqual(expected)
    expect(decodeResponse('pre_vote', frame)).toEqual(expected)
  })

  test('the new fields are checked when they are there', () => {
    for (const bad of [-1, 1.5, null, 'x', 2 ** 53]) {
      for (const conflict of [
        [bad, 1],
        [1, bad],
      ]) {
        const frame = sealedTuple([1, 'n2', null, 7, false, 3, ...conflict])
        expect(decodeResponse('append_entries', frame)).toMatchObject({ ok: false, reason: 'BAD_BODY' })
      }
    }
  })
})

describe('what a later version may add', () => {
  const vote = [1, 'n1', 3, 9, 2, null]
  // The tuple itself: six items, what is added, and the checksum.
  const room = SPARE_ITEMS - vote.length - 1

  test.each([
    [room - 1, true],
    [room, true],
    [room + 1, false],
  ])('%i items to a message of numbers: %s', (count, fits) => {
    const decoded = decodeRequest(
      'request_vote',
      sealedTuple([...vote, ...Array.from({ length: count }, () => 1)]),
    )
    expect(decoded).toMatchObject(fits ? { ok: true } : { ok: false, reason: 'TOO_MANY_ITEMS' })
  })

  test.each([
    [[[[1]]], true],
    [[[[[1]]]], false],
  ])('lists in lists, four deep with the tuple: %j', (value, fits) => {
    for (const [method, items] of [
      ['request_vote', vote],
      ['append_entries', [1, 'n1', 5, 6, 3, 4, [], []]],
    ] as const) {
      const decoded = decodeRequest(method, sealedTuple([...items, value]))
      expect(decoded).toMatchObject(fits ? { ok: true } : { ok: false, reason: 'TOO_DEEP' })
    }
  })

  test('further items to entries, which are then read as before', () => {
    fc.assert(
      fc.property(appendRequest, additions, (message, added) => {
        const frame = new RequestEncoder('n1').encode('append_entries', message)
        const next = sealedTuple([...itemsOf(frame), ...added])
        expect(decodeRequest('append_entries', next)).toMatchObject({ ok: true, value: { message } })
      }),
    )
  })

  test('error codes, which are read as EINTERNAL and keep their words', () => {
    const decoded = decodeResponse(
      'pre_vote',
      sealedTuple([1, 'n2', ['ETIRED', 'Asleep.', { until: 7 }], 'more']),
    )
    const error = { code: 'EINTERNAL', message: 'ETIRED: Asleep.' }
    expect(decoded).toEqual({ ok: true, value: { from: 'n2', outcome: { ok: false, error } } })
  })
})
