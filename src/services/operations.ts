// Carries out what clients send: decodes and checks a message, hands its operations to the member in order and in one
// turn, and answers when all are settled.

import { QuorateError } from '../errors.ts'
import {
  type Parsed,
  PROTOCOL_VERSION,
  parsePropose,
  parseRead,
  type Standing,
} from '../protocol/client-protocol.ts'
import type { InboundMessage, Transport } from '../transport/transport.ts'
import { decodeValue, encodeValue, VALUE_LIMITS } from '../transport/wire/codec.ts'
import { checkCbor } from '../transport/wire/gate.ts'
import { AnswerCollector, encodeAnswers, failureTuple } from './answers.ts'
import type { Propose, Query, ReadOutcome, WriteOutcome } from './member-port.ts'

export interface OperationContext {
  readonly propose: Propose
  readonly query: Query
  readonly transport: Transport
  /** Who answers, and whom it knows to lead, when the answer is sent. */
  readonly standing: () => Standing
  /** Takes note of a refused message, in one sentence. */
  readonly refuse: (reason: string) => void
}

export function handlePropose(message: InboundMessage, context: OperationContext): void {
  const opened = open(message, context, parsePropose)
  if (opened === undefined) return
  const { commands } = opened.request
  const answers = new AnswerCollector(commands.length, (all) => reply(opened, all, 'applied', context))
  for (const [at, command] of commands.entries()) {
    const refused = checkCbor(command, VALUE_LIMITS)
    if (refused === undefined) {
      context.propose(command, (outcome) => answers.settle(at, writeTuple(outcome)))
      // Such bytes must never reach the log, where every member would have to make something of them.
    } else answers.settle(at, failureTuple(notPlain(refused)))
  }
}

export function handleRead(message: InboundMessage, context: OperationContext): void {
  const opened = open(message, context, parseRead)
  if (opened === undefined) return
  const { queries, level } = opened.request
  const answers = new AnswerCollector(queries.length, (all) => reply(opened, all, 'not-applied', context))
  for (const [at, bytes] of queries.entries()) {
    const query = decodeValue(bytes)
    if (query.ok) {
      context.query(query.value, level, (outcome) => answers.settle(at, readTuple(outcome)))
    } else answers.settle(at, failureTuple(notPlain(query.reason)))
  }
}

function writeTuple(outcome: WriteOutcome): readonly unknown[] {
  return outcome.ok ? [outcome.index, outcome.term, outcome.result] : failureTuple(outcome.error)
}

function readTuple(outcome: ReadOutcome): readonly unknown[] {
  return outcome.ok ? [outcome.answer] : failureTuple(outcome.error)
}

interface Opened<T> {
  readonly request: T
  readonly replyTo: string
}

/** The checked message, or undefined when it was refused. Without a place to answer nothing is carried out. */
function open<T>(
  message: InboundMessage,
  context: OperationContext,
  parse: (value: unknown) => Parsed<T>,
): Opened<T> | undefined {
  const { replyTo } = message
  if (replyTo === undefined) {
    context.refuse('it has no reply subject')
    return undefined
  }
  // One private copy: what is decoded from it is kept, and the payload itself is valid during this call only.
  const decoded = decodeValue(message.payload.slice())
  const parsed: Parsed<T> = decoded.ok
    ? parse(decoded.value)
    : { ok: false, problem: `it is not plain CBOR (${decoded.reason})` }
  if (parsed.ok) return { request: parsed.value, replyTo }
  context.refuse(parsed.problem)
  const refusal = [PROTOCOL_VERSION, 'INVALID', `Message not understood: ${parsed.problem}.`]
  context.transport.publish(replyTo, encodeValue(refusal))
  return undefined
}

function reply(
  { replyTo }: Opened<unknown>,
  answers: readonly (readonly unknown[])[],
  whenLost: 'applied' | 'not-applied',
  { transport, standing }: OperationContext,
): void {
  // False: the bus is down or closed. The client learns nothing and says `unknown`, which is the truth.
  const { maxPayloadBytes } = transport.status()
  transport.publish(replyTo, encodeAnswers(answers, standing(), maxPayloadBytes, whenLost))
}

function notPlain(reason: string): QuorateError {
  return new QuorateError('INVALID', `The operation is not a plain CBOR value (${reason}).`)
}
