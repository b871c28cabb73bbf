// The sentences of a client's own errors: what a caller may conclude when no member has said anything.

import { QuorateError } from '../errors.ts'
import type { Transport } from '../transport/transport.ts'
import type { LaneErrors } from './lane.ts'

export interface LaneErrorContext {
  readonly transport: Transport
  readonly group: string
  readonly timeoutMs: number
  /** A write without an answer may have been applied; a read has nothing to apply. */
  readonly write: boolean
}

export function laneErrors({ transport, group, timeoutMs, write }: LaneErrorContext): LaneErrors {
  const unanswered = write ? 'unknown' : 'not-applied'
  const retryable = true
  const notSent = (): QuorateError =>
    new QuorateError('TRANSPORT', `Nothing could be sent for ${timeoutMs} ms: ${transport.status().detail}`, {
      retryable,
    })
  return {
    notSent,
    leaderSilent: () =>
      transport.status().connected
        ? new QuorateError(
            'NO_LEADER',
            `The leader of group ${group} was silent, and nobody else led it for ${timeoutMs} ms.`,
            { retryable },
          )
        : notSent(),
    nobodyListens: () =>
      new QuorateError('NO_LEADER', `Nobody led group ${group} for ${timeoutMs} ms.`, { retryable }),
    noAnswer: () =>
      new QuorateError(
        'TIMEOUT',
        write
          ? `No answer within ${timeoutMs} ms: the command may or may not be applied.`
          : `No answer within ${timeoutMs} ms.`,
        { outcome: unanswered, retryable: !write },
      ),
    tooLate: () =>
      new QuorateError(
        'TIMEOUT',
        `This process stood still for more than ${timeoutMs} ms; nothing was sent.`,
        {
          retryable,
        },
      ),
    badAnswer: (problem) =>
      new QuorateError('TRANSPORT', `The answer of group ${group} was not understood: ${problem}.`, {
        outcome: unanswered,
      }),
    closed: (sent) =>
      new QuorateError('SHUTDOWN', 'The client was closed before an answer came.', {
        outcome: sent ? unanswered : 'not-applied',
      }),
  }
}
