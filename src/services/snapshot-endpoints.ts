// What operators ask a member about its snapshots beside taking one: to be read to from the newest.

import { parseSnapshotRead, readAnswerTuple, SNAPSHOT_MESSAGE_LIMITS } from '../protocol/snapshot-protocol.ts'
import type { Transport } from '../transport/transport.ts'
import { decodeMessage, encodeMessage } from '../transport/wire/codec.ts'
import type { Request } from './endpoint.ts'
import type { SnapshotLending } from './snapshot-lending.ts'

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
