// Collects the answers to the operations of one message, and fits them into one reply that the bus takes. Each is made
// the moment its operation is done, for a state machine may go on changing what it returned.

import { isQuorateError, QuorateError } from '../errors.ts'
import {
  CLIENT_PROTOCOL_VERSION,
  errorTuple,
  isSoundError,
  MESSAGE_OVERHEAD_BYTES,
  MIN_ANSWER_BYTES,
  type Standing,
  standingTuple,
} from '../protocol/client-protocol.ts'
import { messageOf } from '../runtime/errors.ts'
import { encodeMessage, encodeValue, VALUE_LIMITS } from '../transport/wire/codec.ts'
import { lostResult, type WhenLost } from './lost-result.ts'

/** An error's text is for a person; what user code throws may be a book. */
const MAX_ERROR_TEXT = 1000
/** What stands around the bytes of a result: heads, index and term. */
const RESULT_OVERHEAD_BYTES = 24
/** What stands around the text of an error: heads, code, outcome and the longest name of a member. */
const ERROR_OVERHEAD_BYTES = 112

export type Answer =
  | {
      readonly ok: true
      /** Index and term of a write. */
      readonly position: readonly number[]
      /** Null: the machine returned nothing. */
      readonly result: Uint8Array | null
    }
  | { readonly ok: false; readonly error: QuorateError }

/** Calls `done` with one answer per operation, in the order of the request, when the last one is there. */
export class AnswerCollector {
  readonly #answers: Answer[]
  readonly #done: (answers: readonly Answer[]) => void
  #missing: number

  constructor(count: number, done: (answers: readonly Answer[]) => void) {
    this.#answers = new Array<Answer>(count)
    this.#missing = count
    this.#done = done
  }

  /** The first answer to an operation counts. */
  settle(at: number, answer: Answer): void {
    if (this.#answers[at] !== undefined) return
    this.#answers[at] = answer
    this.#missing -= 1
    if (this.#missing === 0) this.#done(this.#answers)
  }
}

/** Room for what `count` answers can be cut down to. */
export function canAnswer(count: number, maxBytes: number): boolean {
  return count * MIN_ANSWER_BYTES + MESSAGE_OVERHEAD_BYTES <= maxBytes
}

/** What a state machine returned. What cannot be carried, or never fits the bus, becomes an error of this operation. */
export function resultAnswer(
  position: readonly number[],
  result: unknown,
  maxBytes: number,
  whenLost: WhenLost,
): Answer {
  if (result === undefined) return { ok: true, position, result: null }
  try {
    const limits = { ...VALUE_LIMITS, maxBytes: Math.min(VALUE_LIMITS.maxBytes, maxBytes) }
    return { ok: true, position, result: encodeValue(result, limits) }
  } catch (error) {
    return { ok: false, error: lostResult(error, whenLost) }
  }
}

/** Whatever user code or the node threw, as the error that tells the client what is true. */
export function failureAnswer(thrown: unknown): Answer {
  if (isQuorateError(thrown) && isSoundError(thrown)) return { ok: false, error: thrown }
  return { ok: false, error: new QuorateError('NODE_FAILED', messageOf(thrown), { outcome: 'unknown' }) }
}

/**
 * The reply to a message, of at most `maxBytes` when `canAnswer` said so. A result that doesn't fit is replaced by an
 * error that says so, and of an error only text is cut: its code and its outcome arrive.
 */
export function encodeAnswers(
  answers: readonly Answer[],
  by: Standing,
  maxBytes: number,
  whenLost: WhenLost,
): Uint8Array {
  // Every answer has the least room from the start, so that the last one can't be left without any.
  const spareBytes = maxBytes - MESSAGE_OVERHEAD_BYTES - answers.length * MIN_ANSWER_BYTES
  let leftBytes = spareBytes
  const tuples = answers.map((answer) => {
    const whole = answer.ok
      ? answer
      : ({ ok: false, error: withText(answer.error, MAX_ERROR_TEXT * 3) } as const)
    const beyondBytes = Math.max(0, sizeOf(whole) - MIN_ANSWER_BYTES)
    if (beyondBytes <= leftBytes) {
      leftBytes -= beyondBytes
      return tupleOf(whole)
    }
    if (!whole.ok) return errorTuple(withText(whole.error, MIN_ANSWER_BYTES - ERROR_OVERHEAD_BYTES))
    return tupleOf(beyondBytes > spareBytes ? tooLarge(whenLost) : crowdedOut(whenLost))
  })
  return encodeMessage([CLIENT_PROTOCOL_VERSION, tuples, standingTuple(by)])
}

function sizeOf(answer: Answer): number {
  if (answer.ok) return RESULT_OVERHEAD_BYTES + (answer.result?.length ?? 0)
  return ERROR_OVERHEAD_BYTES + Buffer.byteLength(answer.error.message)
}

function tupleOf(answer: Answer): readonly unknown[] {
  if (!answer.ok) return errorTuple(answer.error)
  return answer.result === null ? answer.position : [...answer.position, answer.result]
}

function tooLarge(outcome: WhenLost): Answer {
  return {
    ok: false,
    error: new QuorateError('TOO_LARGE', 'The result is larger than a message.', { outcome }),
  }
}

/** A read may be asked again, and then has a message to itself. */
function crowdedOut(outcome: WhenLost): Answer {
  const text = 'The results together exceed a message.'
  return { ok: false, error: new QuorateError('BUSY', text, { outcome, retryable: true }) }
}

/** The same error with text of at most `maxBytes`, well-formed wherever it was cut. */
function withText(error: QuorateError, maxBytes: number): QuorateError {
  const { code, outcome, leader, message } = error
  if (message.length <= MAX_ERROR_TEXT && Buffer.byteLength(message) <= maxBytes && message.isWellFormed())
    return error
  // A letter that is cut in two takes the room of three bytes.
  const text = Buffer.from(message.slice(0, MAX_ERROR_TEXT))
    .subarray(0, maxBytes - 3)
    .toString()
  return new QuorateError(code, text, { outcome, leader, retryable: error.retryableIfIdempotent })
}
