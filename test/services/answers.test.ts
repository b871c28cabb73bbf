// One reply for many operations: whatever they came to, each learns its own fate, and the message fits the bus.

import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { QuorateError } from '../../src/errors.ts'
import {
  MESSAGE_LIMITS,
  MESSAGE_OVERHEAD_BYTES,
  MIN_ANSWER_BYTES,
  parseAnswers,
  parseApplied,
} from '../../src/protocol/client-protocol.ts'
import {
  type Answer,
  AnswerCollector,
  canAnswer,
  encodeAnswers,
  failureAnswer,
  resultAnswer,
} from '../../src/services/answers.ts'
import { decodeMessage } from '../../src/transport/wire/codec.ts'

const BY = { id: 'n1', term: 7, leader: 'n1' }
const MIB = 1024 * 1024

function deep(levels: number): unknown {
  let value: unknown = 'core'
  for (let i = 0; i < levels; i += 1) value = [value]
  return value
}

/** What a client makes of the reply. */
function received(
  answers: readonly Answer[],
  maxBytes = MIB,
  whenLost: 'applied' | 'not-applied' = 'applied',
) {
  const bytes = encodeAnswers(answers, BY, maxBytes, whenLost)
  expect(bytes.length).toBeLessThanOrEqual(maxBytes)
  const decoded = decodeMessage(bytes, MESSAGE_LIMITS)
  if (!decoded.ok) throw new Error(decoded.reason)
  const parsed = parseAnswers(decoded.value, answers.length, parseApplied)
  if (!parsed.ok) throw new Error(parsed.problem)
  expect(parsed.value.by).toEqual(BY)
  return parsed.value.answers
}

const result = (value: unknown, index = 1): Answer => resultAnswer([index, 7], value, MIB, 'applied')

describe('a result', () => {
  test.each([
    ['nothing', undefined],
    ['null', null],
    ['as deep as a value may be', deep(64)],
    ['as rich as a value may be', new Array(262_144).fill(0)],
    ['bytes', new Uint8Array([1, 2, 3])],
    ['a bigint and a zero below', [2n ** 64n - 1n, -0]],
  ])('arrives as it was: %s', (_, value) => {
    expect(received([result(value), result('neighbor', 2)])).toEqual([
      { ok: true, value: { index: 1, term: 7, result: value } },
      { ok: true, value: { index: 2, term: 7, result: 'neighbor' } },
    ])
  })

  test.each([
    ['one level too deep', deep(65), 'STATE_MACHINE', /64 levels/],
    ['one value too many', new Array(262_145).fill(0), 'STATE_MACHINE', /262144/],
    ['larger than the bus takes', 'x'.repeat(MIB), 'TOO_LARGE', /bytes/],
    ['half a surrogate pair', { name: '\ud800' }, 'STATE_MACHINE', /\.name is text with half/],
    ['a Date', [new Date(0)], 'STATE_MACHINE', /\[0\] is an object of class Date/],
    ['undefined inside', { gone: undefined }, 'STATE_MACHINE', /\.gone is undefined/],
    ['a function', () => 1, 'STATE_MACHINE', /function/],
  ])('that is %s is one error, of this operation alone', (_, value, code, words) => {
    const [bad, good] = received([result(value), result('neighbor')])
    expect(bad).toMatchObject({ ok: false, error: { code, outcome: 'applied', retryable: false } })
    expect(bad?.ok === false && bad.error.message).toMatch(words)
    expect(good).toMatchObject({ ok: true, value: { result: 'neighbor' } })
  })

  test('is taken when it is returned, whatever the machine makes of it afterwards', () => {
    const live = ['first']
    const first = result(live)
    live.push('second')
    const second = result(live, 2)
    live.length = 0
    expect(received([first, second])).toMatchObject([
      { value: { result: ['first'] } },
      { value: { result: ['first', 'second'] } },
    ])
  })

  test('of many large ones: as many as fit, and the others say that they were applied', () => {
    const many = Array.from({ length: 100 }, (_, at) => result(new Array(3000).fill(70_000), at))
    const seen = received(many)
    const arrived = seen.filter(({ ok }) => ok).length
    expect(arrived).toBeGreaterThan(60)
    expect(arrived).toBeLessThan(100)
    for (const answer of seen) {
      if (!answer.ok)
        expect(answer.error).toMatchObject({ code: 'BUSY', outcome: 'applied', retryable: false })
    }
  })
})

describe('an error', () => {
  const failure = (message: string, code: 'BUSY' | 'LEADERSHIP_LOST' = 'LEADERSHIP_LOST'): Answer =>
    failureAnswer(
      new QuorateError(code, message, {
        outcome: code === 'BUSY' ? 'not-applied' : 'unknown',
        leader: 'n'.repeat(64),
        retryable: true,
      }),
    )

  test('keeps code, outcome and leader however long its text and however many there are', () => {
    const texts = ['short', 'x'.repeat(5000), '漢'.repeat(2000), `${'🙂'.repeat(400)}`, '\ud800 half']
    for (const count of [1, 300, 1024]) {
      for (const maxBytes of [count * MIN_ANSWER_BYTES + MESSAGE_OVERHEAD_BYTES, 4 * MIB]) {
        const seen = received(
          Array.from({ length: count }, (_, at) => failure(texts[at % texts.length] ?? '')),
          maxBytes,
        )
        for (const answer of seen) {
          if (answer.ok) throw new Error('an error became a result')
          const { code, outcome, leader, retryable, retryableIfIdempotent, message } = answer.error
          expect([code, outcome, leader?.length]).toEqual(['LEADERSHIP_LOST', 'unknown', 64])
          expect([retryable, retryableIfIdempotent]).toEqual([false, true])
          expect(message.isWellFormed() && message.length).toBeLessThanOrEqual(1000)
        }
      }
    }
  })

  test('that user code made up does not get through as one of ours', () => {
    const made = (fields: object): unknown => Object.assign(new QuorateError('BUSY', 'text'), fields)
    for (const thrown of [
      made({ code: 'NO_SUCH_CODE' }),
      made({ outcome: 'perhaps' }),
      made({ message: { toString: () => 'no text' } }),
      made({ leader: 'no member.name' }),
      made({ leader: {} }),
      'a string',
      undefined,
      Object.create(null),
    ]) {
      expect(received([failureAnswer(thrown)])).toMatchObject([
        { ok: false, error: { code: 'NODE_FAILED', outcome: 'unknown' } },
      ])
    }
  })
})

const answers = fc.array(
  fc.oneof(
    fc.anything({ withBigInt: true, withDate: true, maxDepth: 4 }).map((value) => result(value)),
    fc.nat({ max: 40_000 }).map((size) => result('x'.repeat(size))),
    fc
      .tuple(
        fc.string({ maxLength: 3000, unit: 'binary' }),
        fc.constantFrom('applied', 'unknown', 'not-applied'),
      )
      .map(([text, outcome]) => failureAnswer(new QuorateError('STORAGE', text, { outcome }))),
  ),
  { minLength: 1, maxLength: 60 },
)

test('whatever came of the operations: the reply fits, results are never changed, outcomes never worse than true', () => {
  fc.assert(
    fc.property(answers, fc.nat({ max: 100_000 }), (all, spare) => {
      const maxBytes = all.length * MIN_ANSWER_BYTES + MESSAGE_OVERHEAD_BYTES + spare
      const seen = received(all, maxBytes)
      for (const [at, answer] of seen.entries()) {
        const was = all[at]
        if (was === undefined) throw new Error('an answer to nothing')
        if (!was.ok) {
          expect(answer).toMatchObject({
            ok: false,
            error: { code: was.error.code, outcome: was.error.outcome },
          })
        } else if (!answer.ok) expect(answer.error.outcome).toBe('applied')
      }
    }),
    { numRuns: 200 },
  )
})

test('there is room for answers exactly up to the bound', () => {
  const room = 100 * MIN_ANSWER_BYTES + MESSAGE_OVERHEAD_BYTES
  expect([room - 1, room, room + 1].map((bytes) => canAnswer(100, bytes))).toEqual([false, true, true])
  expect([99, 100, 101].map((count) => canAnswer(count, room))).toEqual([true, true, false])
})

test('a collector is done once, with the first answer to each', () => {
  const done = vi.fn()
  const collector = new AnswerCollector(2, done)
  collector.settle(1, result('b'))
  collector.settle(1, result('again'))
  expect(done).not.toHaveBeenCalled()
  collector.settle(0, result('a'))
  collector.settle(0, result('late'))
  expect(done.mock.calls).toEqual([[[result('a'), result('b')]]])
})
