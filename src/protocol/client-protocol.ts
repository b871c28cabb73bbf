// What clients and the leader's services say to each other: positional tuples, one message for many commands or
// queries. Checked by hand, item by item, because this is the path of every remote write.
//
//   propose   [1, client, [command bytes, …]]     → [1, [answer, …], standing] in the same order
//   read      [1, client, level, [query bytes, …]] → [1, [answer, …], standing]
//   answer    [index, term, result bytes] of a write · [result bytes] of a read, without the last when there is none
//             [code, outcome, message, leader, another attempt may succeed]
//   standing  [member, term, leader]: who answered, and whom it knows to lead in that term, or null
//   refusal   [1, code, message]: the message itself was not understood, nothing of it was done

import type { Applied, ReadLevel } from '../api.ts'
import { isOutcome, isQuorateErrorCode, QuorateError } from '../errors.ts'
import type { PeerId, Term } from '../rules/types.ts'
import { isMemberName } from '../transport/subjects.ts'
import { decodeValue } from '../transport/wire/codec.ts'

/** Of what clients and members say to each other. What members say among themselves has a version of its own. */
export const CLIENT_PROTOCOL_VERSION = 1

/** Bounds of one message, so that a leader's turn stays short. */
export const MAX_OPERATIONS_PER_MESSAGE = 1024
export const MAX_MESSAGE_BYTES = 256 * 1024
/** Structure around the values of one message; the values are in byte strings, each with bounds of its own. */
export const MESSAGE_LIMITS = { maxDepth: 3, maxItems: 8 * MAX_OPERATIONS_PER_MESSAGE } as const
/** What every answer can be cut down to: room for so much per operation is asked for before anything is done. */
export const MIN_ANSWER_BYTES = 192
export const MAX_CLIENT_NAME = 64
/** The version, names and headers of a message around its operations, generously. */
export const MESSAGE_OVERHEAD_BYTES = 256
/** The CBOR header of one byte string. */
export const OPERATION_OVERHEAD_BYTES = 5

export interface ProposeRequest {
  readonly client: string
  readonly commands: readonly Uint8Array[]
}

export interface ReadRequest {
  readonly client: string
  readonly level: ReadLevel
  readonly queries: readonly Uint8Array[]
}

/** What a member that answers knows of its group. It names itself as leader while it leads. */
export interface Standing {
  readonly id: PeerId
  readonly term: Term
  readonly leader: PeerId | null
}

export interface Answers<T> {
  readonly answers: readonly Answer<T>[]
  /** Null: the message was not understood, and whoever says so tells no more. */
  readonly by: Standing | null
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string }

/** One operation's fate, as it is when it arrives. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: QuorateError }

const levels: readonly unknown[] = ['readIndex', 'lease', 'local'] satisfies ReadLevel[]

export function parsePropose(message: unknown): Parsed<ProposeRequest> {
  if (!Array.isArray(message) || message.length !== 3) return problem('a proposal is [1, client, [bytes, …]]')
  const [version, client, commands]: readonly unknown[] = message
  const head = checkHead(version, client)
  if (head !== null) return problem(head)
  if (!isByteStrings(commands)) return problem(`commands are 1 to ${MAX_OPERATIONS_PER_MESSAGE} byte strings`)
  return { ok: true, value: { client: String(client), commands } }
}

export function parseRead(message: unknown): Parsed<ReadRequest> {
  if (!Array.isArray(message) || message.length !== 4)
    return problem('a read is [1, client, level, [bytes, …]]')
  const [version, client, level, queries]: readonly unknown[] = message
  const head = checkHead(version, client)
  if (head !== null) return problem(head)
  if (!isLevel(level)) return problem('a read level is readIndex, lease or local')
  if (!isByteStrings(queries)) return problem(`queries are 1 to ${MAX_OPERATIONS_PER_MESSAGE} byte strings`)
  return { ok: true, value: { client: String(client), level, queries } }
}

/** The answers to `count` operations. */
export function parseAnswers<T>(
  message: unknown,
  count: number,
  parseValue: (answer: readonly unknown[]) => T | undefined,
): Parsed<Answers<T>> {
  if (!Array.isArray(message) || message[0] !== CLIENT_PROTOCOL_VERSION)
    return problem('an answer begins with 1')
  const [, items, last]: readonly unknown[] = message
  if (isQuorateErrorCode(items) && typeof last === 'string') {
    const refused = { ok: false, error: new QuorateError(items, last) } as const
    return { ok: true, value: { answers: Array.from({ length: count }, () => refused), by: null } }
  }
  if (!Array.isArray(items) || items.length !== count) return problem(`there should be ${count} answers`)
  const answers: Answer<T>[] = []
  for (const item of items) {
    const answer = Array.isArray(item) ? parseAnswer(item, parseValue) : undefined
    if (answer === undefined) return problem(`answer ${answers.length + 1} has another form`)
    answers.push(answer)
  }
  const by = parseStanding(last)
  if (by === undefined) return problem('it does not say who answered')
  return { ok: true, value: { answers, by } }
}

export function standingTuple({ id, term, leader }: Standing): readonly unknown[] {
  return [id, term, leader]
}

export function parseApplied(answer: readonly unknown[]): Applied | undefined {
  const [index, term, bytes] = answer
  if (answer.length < 2 || answer.length > 3 || !isCount(index) || !isCount(term)) return undefined
  const result = parseResult(bytes)
  return result === undefined ? undefined : { index, term, result: result[0] }
}

/** A read's answer in a tuple of its own: the value may be null or undefined. */
export function parseReadValue(answer: readonly unknown[]): readonly [unknown] | undefined {
  return answer.length < 2 ? parseResult(answer[0]) : undefined
}

/** Without bytes the machine has returned nothing. What is not a value is no result. */
function parseResult(bytes: unknown): readonly [unknown] | undefined {
  if (bytes === undefined) return [undefined]
  if (!(bytes instanceof Uint8Array)) return undefined
  const decoded = decodeValue(bytes)
  return decoded.ok ? [decoded.value] : undefined
}

export function errorTuple(error: QuorateError): readonly unknown[] {
  return [error.code, error.outcome, error.message, error.leader, error.retryableIfIdempotent === true]
}

/** Whether what calls itself an error of ours is one that can be told: user code may have made it. */
export function isSoundError({ code, outcome, message, leader }: QuorateError): boolean {
  return (
    isQuorateErrorCode(code) &&
    isOutcome(outcome) &&
    typeof message === 'string' &&
    (leader === null || isMember(leader))
  )
}

function parseAnswer<T>(
  item: readonly unknown[],
  parseValue: (answer: readonly unknown[]) => T | undefined,
): Answer<T> | undefined {
  if (item.length !== 5) {
    const value = parseValue(item)
    return value === undefined ? undefined : { ok: true, value }
  }
  const [code, outcome, message, leader, retryable] = item
  if (!isQuorateErrorCode(code) || !isOutcome(outcome) || typeof message !== 'string') return undefined
  if ((leader !== null && typeof leader !== 'string') || typeof retryable !== 'boolean') return undefined
  return { ok: false, error: new QuorateError(code, message, { outcome, leader, retryable }) }
}

/** The names become parts of subjects. */
function parseStanding(value: unknown): Standing | undefined {
  if (!Array.isArray(value) || value.length !== 3) return undefined
  const [id, term, leader]: readonly unknown[] = value
  if (!isMember(id) || !isCount(term) || (leader !== null && !isMember(leader))) return undefined
  return { id, term, leader }
}

function checkHead(version: unknown, client: unknown): string | null {
  if (version !== CLIENT_PROTOCOL_VERSION)
    return `this member speaks version ${CLIENT_PROTOCOL_VERSION} of the client protocol`
  if (typeof client !== 'string' || client.length > MAX_CLIENT_NAME)
    return `a client name has at most ${MAX_CLIENT_NAME} characters`
  return null
}

function isByteStrings(value: unknown): value is readonly Uint8Array[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_OPERATIONS_PER_MESSAGE &&
    value.every((item) => item instanceof Uint8Array)
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isMember(value: unknown): value is PeerId {
  return typeof value === 'string' && isMemberName(value)
}

function isLevel(value: unknown): value is ReadLevel {
  return levels.includes(value)
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text }
}
