// Carries out what clients send: decodes and checks a message, hands its operations to the member in order and in one
// turn, and answers when all are settled.

import { QuorateError } from '../errors.ts'
import {
  CLIENT_PROTOCOL_VERSION,
  MESSAGE_LIMITS,
  type Parsed,
  parsePropose,
  parseRead,
  type Standing,
} from '../protocol/client-protocol.ts'
import type { Transport } from '../transport/transport.ts'
import { checkEncodedValue, decodeMessage, decodeValue, encodeValue } from '../transport/wire/codec.ts'
import { checkCommand } from '../transport/wire/envelope.ts'
import {
  type Answer,
  AnswerCollector,
  canAnswer,
  encodeAnswers,
  failureAnswer,
  resultAnswer,
} from './answers.ts'
import type { Request } from './endpoint.ts'
import type { WhenLost } from './lost-result.ts'
import type { Member } from './member-port.ts'

export interface OperationContext {
  readonly member: Member
  readonly transport: Transport
  /** Who answers, and whom it knows to lead, when the answer is sent. */
  readonly standing: () => Standing
  /** Takes note of a refused message, in one sentence. */
  readonly refuse: (reason: string) => void
}

export function handlePropose(request: Request, context: OperationContext): void {
  const commands = open(request, context, parsePropose, ({ commands }) => commands)?.operations
  if (commands === undefined) return
  const maxBytes = context.transport.status().maxPayloadBytes
  const answers = collect(commands.length, request, 'applied', context)
  for (const [at, command] of commands.entries()) {
    const refused = checkCommand(command)
    if (refused === undefined) {
      context.member.propose(command, (outcome) =>
        answers.settle(
          at,
          outcome.ok
            ? resultAnswer([outcome.index, outcome.term], outcome.result, maxBytes, 'applied')
            : failureAnswer(outcome.error),
        ),
      )
      // Such bytes must never reach the log, where every member would have to make something of them.
    } else answers.settle(at, notPlain(refused))
  }
}

export function handleRead(request: Request, context: OperationContext): void {
  const opened = open(request, context, parseRead, ({ queries }) => queries)
  if (opened === undefined) return
  const { operations: queries, parsed } = opened
  const maxBytes = context.transport.status().maxPayloadBytes
  const answers = collect(queries.length, request, 'not-applied', context)
  for (const [at, bytes] of queries.entries()) {
    const refused = checkEncodedValue(bytes)
    const query = decodeValue(bytes)
    if (refused === undefined && query.ok) {
      context.member.query(query.value, parsed.level, (outcome) =>
        answers.settle(
          at,
          outcome.ok
            ? resultAnswer([], outcome.answer, maxBytes, 'not-applied')
            : failureAnswer(outcome.error),
        ),
      )
    } else answers.settle(at, notPlain(refused ?? 'UNDECODABLE'))
  }
}

/** A read that any member may answer; whoever is none says so, and the client asks on. */
export function handleReadOfAny(request: Request, context: OperationContext): void {
  const { member, standing } = context
  if (member.isMember()) return handleRead(request, context)
  const message = `${standing().id} is no member of its group, or not yet: ask another one.`
  const error = new QuorateError('NOT_LEADER', message, { retryable: true })
  handleRead(request, {
    ...context,
    member: { ...member, query: (_, __, done) => done({ ok: false, error }) },
  })
}

interface Opened<T> {
  readonly parsed: T
  readonly operations: readonly Uint8Array[]
}

/** The checked message, or undefined when it was refused: then nothing of it is carried out. */
function open<T>(
  { message, replyTo }: Request,
  context: OperationContext,
  parse: (value: unknown) => Parsed<T>,
  operationsOf: (request: T) => readonly Uint8Array[],
): Opened<T> | undefined {
  const { transport } = context
  const refuse = (problem: string): undefined => {
    context.refuse(problem)
    transport.publish(
      replyTo,
      encodeValue([CLIENT_PROTOCOL_VERSION, 'INVALID', `Message not understood: ${problem}.`]),
    )
  }
  const decoded = decodeMessage(message.payload, MESSAGE_LIMITS)
  if (!decoded.ok) return refuse(`it is not plain CBOR (${decoded.reason})`)
  const parsed = parse(decoded.value)
  if (!parsed.ok) return refuse(parsed.problem)
  const operations = operationsOf(parsed.value)
  // Asked before anything is done: an answer that can't be sent would leave all outcomes unknown.
  if (canAnswer(operations.length, transport.status().maxPayloadBytes)) {
    return { parsed: parsed.value, operations }
  }
  return refuse(`the answers to ${operations.length} operations would not fit the bus`)
}

function collect(
  count: number,
  { replyTo }: Request,
  whenLost: WhenLost,
  { transport, standing }: OperationContext,
): AnswerCollector {
  return new AnswerCollector(count, (answers) => {
    // False: the bus is down or closed. The client learns nothing and says `unknown`, which is the truth.
    const { maxPayloadBytes } = transport.status()
    transport.publish(replyTo, encodeAnswers(answers, standing(), maxPayloadBytes, whenLost))
  })
}

function notPlain(reason: string): Answer {
  const text = `The operation is not a plain CBOR value (${reason}).`
  return failureAnswer(new QuorateError('INVALID', text))
}
