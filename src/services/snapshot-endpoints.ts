// What operators ask a member about its snapshots: to take one, and to be read to from the newest.

import { isQuorateError, QuorateError } from '../errors.ts'
import { isSoundError } from '../protocol/client-protocol.ts'
import { encodeJson } from '../protocol/json.ts'
import {
  parseSnapshotRead,
  readAnswerTuple,
  SNAPSHOT_MESSAGE_LIMITS,
  type TakeAnswer,
} from '../protocol/snapshot-protocol.ts'
import { messageOf } from '../runtime/errors.ts'
import type { Transport } from '../transport/transport.ts'
import { decodeMessage, encodeMessage } from '../transport/wire/codec.ts'
import type { Request } from './endpoint.ts'
import type { Member } from './member-port.ts'
import type { SnapshotLending } from './snapshot-lending.ts'

/** An error's text is for a person; what user code throws may be a book. */
const MAX_ERROR_TEXT = 1000

/** Answers when the snapshot is durable: a member that is closed meanwhile says so, one that is killed says nothing. */
export function handleTake({ replyTo }: Request, member: Member, transport: Transport): void {
  member.snapshot((outcome) => {
    const answer: TakeAnswer = outcome.ok ? outcome : { ok: false, error: refusalOf(outcome.error) }
    transport.publish(replyTo, encodeJson(answer))
  })
}

/** @param refuse takes note of a refused message, in one sentence. */
export function handleSnapshotRead(
  { message, replyTo }: Request,
  lending: SnapshotLending,
  transport: Transport,
  refuse: (reason: string) => void,
): void {
  const decoded = decodeMessage(message.payload, SNAPSHOT_MESSAGE_LIMITS)
  const parsed = decoded.ok
    ? parseSnapshotRead(decoded.value)
    : ({ ok: false, problem: decoded.reason } as const)
  if (!parsed.ok) {
    refuse(parsed.problem)
    const error = {
      code: 'INVALID',
      message: `Message not understood: ${parsed.problem}.`,
      retryable: false,
    } as const
    transport.publish(replyTo, encodeMessage(readAnswerTuple({ ok: false, error })))
    return
  }
  lending.read(parsed.value, transport.status().maxPayloadBytes, (answer) =>
    transport.publish(replyTo, encodeMessage(readAnswerTuple(answer))),
  )
}

function refusalOf(thrown: unknown): Extract<TakeAnswer, { ok: false }>['error'] {
  const error =
    isQuorateError(thrown) && isSoundError(thrown)
      ? thrown
      : new QuorateError('NODE_FAILED', messageOf(thrown))
  return {
    code: error.code,
    message: error.message.slice(0, MAX_ERROR_TEXT).toWellFormed(),
    retryable: error.retryable,
  }
}
