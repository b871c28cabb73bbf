// append_entries: entries from the leader, or a probe without any (paper figure 2, AppendEntries). Their terms and types
// travel as runs beside an array of byte strings, see ../entries.ts.

import { z } from 'zod'
import type { LogEntry } from '../../../rules/types.ts'
import { byteStringHeadSize, writeByteStringHead } from '../byte-string.ts'
import { wireCodec } from '../cbor.ts'
import {
  type EntryRun,
  isDataList,
  isRunList,
  MAX_APPEND_BYTES,
  MAX_ENTRIES_PER_FRAME,
  MAX_RUNS_PER_FRAME,
  packRuns,
  unpackEntries,
} from '../entries.ts'
import { SEAL_BYTES, seal } from '../seal.ts'
import { badBody, type FrameDoor, PEER_PROTOCOL_VERSION, type Result } from '../sealed-tuple.ts'
import { addedLater, checked, FLAG, IDENTITY, INDEX, TERM, TERM_OR_NONE } from './fields.ts'
import {
  layout,
  layoutOf,
  type Message,
  type MessageWith,
  type SentWith,
  SMALL_FRAME,
  SPARE_ITEMS,
} from './message.ts'

const FRAME: FrameDoor = {
  maxBytes: MAX_APPEND_BYTES,
  gate: {
    maxDepth: 4, // frame, runs, run; and one to spare
    maxItems: MAX_ENTRIES_PER_FRAME + 4 * MAX_RUNS_PER_FRAME + SPARE_ITEMS,
  },
  ownership: 'copy',
}

const REQUEST = {
  term: TERM,
  prevLogIndex: INDEX,
  prevLogTerm: TERM_OR_NONE,
  committedIndex: INDEX,
  runs: checked(
    z
      .custom<EntryRun[]>(isRunList, 'must be runs of [term, type, count] with terms that never go back')
      .describe(
        'array of `[term, type, count]`, at most 4,096; terms from 1 up that never go back; counts from 1 up',
      ),
    isRunList,
  ),
  data: checked(
    z
      .custom<Uint8Array[]>(isDataList, 'must be an array of byte strings')
      .describe('array of byte strings, at most 16,384; as many as the runs count'),
    isDataList,
  ),
}

const ANSWER = {
  term: TERM_OR_NONE,
  success: FLAG,
  /** The follower's last index, a hint for backing off. Never an acknowledgement. */
  lastLogIndex: INDEX,
  /** Of a refusal: the term of the follower's entry at `prevLogIndex`, or of its last one when its log ends before. */
  conflictTerm: addedLater(TERM_OR_NONE, 0),
  /** The first index of `conflictTerm` in the follower's log: what comes before is of lower terms. */
  conflictIndex: addedLater(INDEX, 0),
  /** Of the files that the answer speaks of. */
  identity: addedLater(IDENTITY, 0),
  /** It must not be sent more commands, see rules/readonly.ts. */
  readonly: addedLater(FLAG, false),
  /** Its files lack payload, as those of a witness do, see rules/witness.ts. */
  withheld: addedLater(FLAG, false),
}

export interface AppendEntriesRequest extends Omit<MessageWith<typeof REQUEST>, 'runs' | 'data'> {
  /** Contiguous, the first one at `prevLogIndex + 1`. */
  readonly entries: readonly LogEntry[]
}
export type AppendEntriesResponse = MessageWith<typeof ANSWER>
export type SentAppendEntriesResponse = SentWith<typeof ANSWER>

export const appendEntries = {
  kind: 'append',
  frame: FRAME,
  answerFrame: SMALL_FRAME,
  request: layoutOf(REQUEST, (request: AppendEntriesRequest) => [...headItems(request), []], buildRequest),
  answer: layout(
    ANSWER,
    ({
      term,
      success,
      lastLogIndex,
      conflictTerm = 0,
      conflictIndex = 0,
      identity = 0,
      readonly = false,
      withheld = false,
    }) => [term, success, lastLogIndex, conflictTerm, conflictIndex, identity, readonly, withheld],
  ),
} as const satisfies Message<AppendEntriesRequest, AppendEntriesResponse, SentAppendEntriesResponse>

function headItems({ term, prevLogIndex, prevLogTerm, committedIndex, entries }: AppendEntriesRequest) {
  return [term, prevLogIndex, prevLogTerm, committedIndex, packRuns(entries)]
}

function buildRequest(fields: MessageWith<typeof REQUEST>): Result<AppendEntriesRequest> {
  const { term, prevLogIndex, prevLogTerm, committedIndex, runs, data } = fields
  if ((runs[0]?.[0] ?? term) < prevLogTerm || (runs.at(-1)?.[0] ?? 0) > term || prevLogTerm > term) {
    return badBody('terms go back from the previous entry to the leader')
  }
  const entries = unpackEntries(prevLogIndex, runs, data)
  if (entries === undefined)
    return badBody('the runs do not cover the entries, or one that is withheld has bytes')
  return { ok: true, value: { term, prevLogIndex, prevLogTerm, committedIndex, entries } }
}

/**
 * A frame with entries. cbor-x writes the seven small items; the byte strings are written here, six times faster than
 * it can, because it looks through its list of extensions for each of them.
 *
 * @throws RangeError when there are more entries than a frame can carry.
 */
export function encodeEntries(from: string, request: AppendEntriesRequest): Uint8Array {
  const { entries } = request
  if (entries.length > MAX_ENTRIES_PER_FRAME) {
    throw new RangeError(
      `AppendEntries carries ${entries.length} entries; at most ${MAX_ENTRIES_PER_FRAME} fit.`,
    )
  }
  const head = wireCodec.encode([PEER_PROTOCOL_VERSION, from, ...headItems(request)])
  let size = head.length + 3 + SEAL_BYTES
  for (const { data } of entries) size += byteStringHeadSize(data.length) + data.length
  const bytes = new Uint8Array(size)
  bytes.set(head)
  bytes[0] = 0x89 // an array of nine, where cbor-x wrote one of seven
  bytes[head.length] = 0x99 // an array with a length of two bytes
  bytes[head.length + 1] = entries.length >> 8
  bytes[head.length + 2] = entries.length & 0xff
  let at = head.length + 3
  for (const { data } of entries) {
    at = writeByteStringHead(bytes, at, data.length)
    bytes.set(data, at)
    at += data.length
  }
  return seal(bytes)
}
