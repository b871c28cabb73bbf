// beats: what one process has to say to another about all groups that they share: heartbeats, who is asked to sleep, and who has
// woken. The sender leads these groups. No member's message but a process's: it is described here as the others are.

import { z } from 'zod'
import { isToken } from '../../subjects.ts'
import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  SentAppendEntriesResponse,
} from './append-entries.ts'
import { FLAG } from './fields.ts'
import { layout, type MessageWith, SPARE_ITEMS } from './message.ts'

/** Most groups of each list in one message. */
export const MAX_GROUPS_PER_MESSAGE = 256
const ITEMS_PER_GROUP = 16

/** The last token of its subject. */
export const BEATS = 'beats'

const COUNT = z.int().min(0).describe('whole number, 0 to 2^53 − 1')

type NamedRow = readonly [group: string, ...numbers: number[]]

const isCount = (value: unknown): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

function isList<T>(value: unknown, isRow: (row: unknown) => row is T): value is T[] {
  return Array.isArray(value) && value.length <= MAX_GROUPS_PER_MESSAGE && value.every(isRow)
}

/** A later minor version may say more about a group: what follows is left unread. */
const namedRows = (numbers: number, shape: string) => {
  const isRow = (row: unknown): row is NamedRow =>
    Array.isArray(row) &&
    row.length > numbers &&
    typeof row[0] === 'string' &&
    isToken(row[0]) &&
    row.slice(1, numbers + 1).every(isCount)
  return z
    .custom<NamedRow[]>((value) => isList(value, isRow), `must be an array of ${shape}`)
    .describe(`array of \`${shape}\`, at most ${MAX_GROUPS_PER_MESSAGE}`)
}

const isNumbers = (row: unknown): row is number[] =>
  Array.isArray(row) && row.length >= 5 && row.every(isCount)
const isRefusal = (row: unknown): row is [number, string, string] =>
  Array.isArray(row) && isCount(row[0]) && typeof row[1] === 'string' && typeof row[2] === 'string'

/** What both sides say of themselves, see rules/wake-ledger.ts. */
const LEDGER = {
  incarnation: COUNT,
  number: COUNT,
  version: COUNT,
  woken: namedRows(1, '[group, version]'),
  allBefore: COUNT,
  /** The life of the receiver that was heard last, and the version of its ledger that was read. */
  heardIncarnation: COUNT,
  heardVersion: COUNT,
}

const REQUEST = {
  ...LEDGER,
  asks: namedRows(2, '[group, term, lastIndex]'),
  beats: namedRows(4, '[group, term, prevLogIndex, prevLogTerm, committedIndex]'),
  /** An answer vouches for those who sleep. */
  vouches: FLAG,
}

const ANSWER = {
  ...LEDGER,
  /** True in the one answer to a request that settles its `asks`. */
  settlesAsks: FLAG,
  agreed: z
    .custom<number[]>(
      (value) => Array.isArray(value) && value.length <= MAX_GROUPS_PER_MESSAGE && value.every(isCount),
    )
    .describe('array of positions in `asks`, from 0'),
  answers: z
    .custom<number[][]>((value) => isList(value, isNumbers), 'must be an array of rows of numbers')
    .describe(
      'array of `[position in beats, term, flags, lastLogIndex, identity]`; flags: 1 success, 2 readonly, 4 withheld',
    ),
  refused: z
    .custom<[number, string, string][]>((value) => isList(value, isRefusal), 'must be an array of refusals')
    .describe('array of `[position in beats, code, message]`'),
}

export type BeatsRequest = MessageWith<typeof REQUEST>
export type BeatsAnswer = MessageWith<typeof ANSWER>

/** Row by row, so that one that makes no sense costs the others nothing; null: it makes none. */
export function heartbeatOf([, ...row]: BeatsRequest['beats'][number]): AppendEntriesRequest | null {
  const [term = 0, prevLogIndex = 0, prevLogTerm = 0, committedIndex = 0] = row
  if (term < 1 || prevLogTerm > term) return null
  return { term, prevLogIndex, prevLogTerm, committedIndex, entries: [] }
}

export function beatRow(group: string, request: AppendEntriesRequest): BeatsRequest['beats'][number] {
  return [group, request.term, request.prevLogIndex, request.prevLogTerm, request.committedIndex]
}

const SUCCESS = 1
const READONLY = 2
const WITHHELD = 4

export function answerRow(at: number, answer: SentAppendEntriesResponse): BeatsAnswer['answers'][number] {
  const { term, success, lastLogIndex, identity = 0, readonly = false, withheld = false } = answer
  const flags = (success ? SUCCESS : 0) | (readonly ? READONLY : 0) | (withheld ? WITHHELD : 0)
  return [at, term, flags, lastLogIndex, identity]
}

export function heartbeatAnswerOf(row: BeatsAnswer['answers'][number]): AppendEntriesResponse {
  const [, term = 0, flags = 0, lastLogIndex = 0, identity = 0] = row
  return {
    term,
    success: (flags & SUCCESS) !== 0,
    lastLogIndex,
    conflictTerm: 0,
    conflictIndex: 0,
    identity,
    readonly: (flags & READONLY) !== 0,
    withheld: (flags & WITHHELD) !== 0,
  }
}

const FRAME = {
  maxBytes: 256 * 1024,
  gate: { maxDepth: 4, maxItems: 3 * MAX_GROUPS_PER_MESSAGE * ITEMS_PER_GROUP + SPARE_ITEMS },
  ownership: 'view',
} as const

const ledgerItems = (said: MessageWith<typeof LEDGER>): unknown[] => [
  ...[said.incarnation, said.number, said.version, said.woken, said.allBefore],
  ...[said.heardIncarnation, said.heardVersion],
]

export const beats = {
  kind: 'beats',
  frame: FRAME,
  answerFrame: FRAME,
  request: layout(REQUEST, (said) => [...ledgerItems(said), said.asks, said.beats, said.vouches]),
  answer: layout(ANSWER, (said) => [
    ...ledgerItems(said),
    ...[said.settlesAsks, said.agreed, said.answers, said.refused],
  ]),
} as const
