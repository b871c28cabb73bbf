// Collects the answers to the operations of one message, and fits them into one reply that the bus takes.

import { isQuorateError, QuorateError, type QuorateErrorCode } from '../errors.ts'
import {
  errorTuple,
  MESSAGE_OVERHEAD_BYTES,
  PROTOCOL_VERSION,
  type Standing,
  standingTuple,
} from '../protocol/client-protocol.ts'
import { messageOf } from '../runtime/errors.ts'
import { encodeValue } from '../transport/wire/codec.ts'

/** An error's text is for a person; what user code throws may be a book. */
const MAX_ERROR_TEXT = 1000
/** No answer of `lost` below is larger. */
const REPLACEMENT_BYTES = 80

/** Calls `done` with one tuple per operation, in the order of the request, when the last one is there. */
export class AnswerCollector {
  readonly #answers: (readonly unknown[])[]
  readonly #done: (answers: readonly (readonly unknown[])[]) => void
  #missing: number

  constructor(count: number, done: (answers: readonly (readonly unknown[])[]) => void) {
    this.#answers = new Array<readonly unknown[]>(count)
    this.#missing = count
    this.#done = done
  }

  settle(at: number, answer: readonly unknown[]): void {
    this.#answers[at] = answer
    this.#missing -= 1
    if (this.#missing === 0) this.#done(this.#answers)
  }
}

/**
 * The reply to a message. An answer that can't be sent is replaced by an error that says so; the others arrive.
 * `whenLost` says what is true of an operation whose result didn't fit.
 */
export function encodeAnswers(
  answers: readonly (readonly unknown[])[],
  by: Standing,
  maxBytes: number,
  whenLost: 'applied' | 'not-applied',
): Uint8Array {
  const who = standingTuple(by)
  const whole = tryEncode([PROTOCOL_VERSION, answers, who])
  if (whole !== null && whole.byteLength <= maxBytes) return whole
  return encodeValue([PROTOCOL_VERSION, fitAnswers(answers, maxBytes, whenLost), who])
}

function fitAnswers(
  answers: readonly (readonly unknown[])[],
  maxBytes: number,
  whenLost: 'applied' | 'not-applied',
): readonly (readonly unknown[])[] {
  const lost = (code: QuorateErrorCode, text: string, retryable: boolean): readonly unknown[] =>
    errorTuple(new QuorateError(code, text, { outcome: whenLost, retryable }))
  const unsendable = lost('STATE_MACHINE', 'CBOR cannot carry the result.', false)
  const tooLarge = lost('TOO_LARGE', 'The result is larger than a message.', false)
  const crowdedOut = lost('BUSY', 'The results together exceed a message.', whenLost === 'not-applied')
  // Every answer has room for its replacement from the start, so that the last one can't be left without any.
  const roomForResults = maxBytes - MESSAGE_OVERHEAD_BYTES - answers.length * REPLACEMENT_BYTES
  let room = roomForResults
  return answers.map((answer) => {
    const bytes = tryEncode(answer)
    if (bytes === null) return unsendable
    if (bytes.byteLength <= REPLACEMENT_BYTES) return answer
    if (bytes.byteLength > roomForResults) return tooLarge
    if (bytes.byteLength > room) return crowdedOut
    room -= bytes.byteLength
    return answer
  })
}

/** Whatever user code or the node threw, as the tuple that tells the client what is true. */
export function failureTuple(error: unknown): readonly unknown[] {
  if (!isQuorateError(error)) {
    const text = messageOf(error)
    return errorTuple(new QuorateError('NODE_FAILED', text.slice(0, MAX_ERROR_TEXT), { outcome: 'unknown' }))
  }
  if (error.message.length <= MAX_ERROR_TEXT) return errorTuple(error)
  const { code, outcome, leader, retryable } = error
  const text = error.message.slice(0, MAX_ERROR_TEXT)
  return errorTuple(new QuorateError(code, text, { outcome, leader, retryable }))
}

/** Null for what can't be encoded. */
function tryEncode(value: unknown): Uint8Array | null {
  try {
    return encodeValue(value)
  } catch {
    return null
  }
}
