// get_file: a follower fetches a piece of a snapshot that it was offered (braft FileService). Each request stands for
// itself: whoever serves it keeps nothing of it.

import { z } from 'zod'
import { byteStringHeadSize, writeByteStringHead } from '../byte-string.ts'
import { wireCodec } from '../cbor.ts'
import { SEAL_BYTES, seal } from '../seal.ts'
import { PEER_PROTOCOL_VERSION } from '../sealed-tuple.ts'
import { INDEX, TERM, TERM_OR_NONE } from './fields.ts'
import { layout, type Message, type MessageWith, SMALL_FRAME, SPARE_ITEMS } from './message.ts'

/** Most bytes of one piece. */
export const MAX_PIECE_BYTES = 256 * 1024
const MAX_NAME_LENGTH = 255

const REQUEST = {
  term: TERM,
  lastIncludedIndex: INDEX,
  lastIncludedTerm: TERM,
  /** The empty name stands for the list of files. */
  name: z.string().max(MAX_NAME_LENGTH).describe('text of at most 255 characters; empty: the list of files'),
  /** Bytes, or of the list files, that come before the piece. */
  offset: INDEX,
  /** Most bytes wanted. */
  count: z.int().min(1).max(MAX_PIECE_BYTES).describe('whole number, 1 to 262,144'),
}

const ANSWER = {
  term: TERM_OR_NONE,
  /** Bytes of the whole file; of the list, how many files there are. */
  total: INDEX,
  data: z
    .custom<Uint8Array>(
      (data) => data instanceof Uint8Array && data.length <= MAX_PIECE_BYTES,
      'must be a byte string of at most 262,144 bytes',
    )
    .describe('byte string of at most 262,144 bytes'),
}

export type GetFileRequest = MessageWith<typeof REQUEST>
export type GetFileResponse = MessageWith<typeof ANSWER>

export const getFile = {
  kind: 'getFile',
  frame: SMALL_FRAME,
  answerFrame: {
    maxBytes: MAX_PIECE_BYTES + SMALL_FRAME.maxBytes,
    gate: { maxDepth: SMALL_FRAME.gate.maxDepth, maxItems: SPARE_ITEMS },
    ownership: 'view',
  },
  request: layout(REQUEST, ({ term, lastIncludedIndex, lastIncludedTerm, name, offset, count }) => [
    term,
    lastIncludedIndex,
    lastIncludedTerm,
    name,
    offset,
    count,
  ]),
  answer: layout(ANSWER, ({ term, total, data }) => [term, total, data]),
} as const satisfies Message<GetFileRequest, GetFileResponse>

/**
 * An answer with a piece. cbor-x writes the small items; the piece is copied once, where cbor-x would make room for it
 * again and again.
 */
export function encodePiece(from: string, { term, total, data }: GetFileResponse): Uint8Array {
  const head = wireCodec.encode([PEER_PROTOCOL_VERSION, from, null, term, total])
  const bytes = new Uint8Array(head.length + byteStringHeadSize(data.length) + data.length + SEAL_BYTES)
  bytes.set(head)
  bytes[0] = 0x87 // an array of seven, where cbor-x wrote one of five
  bytes.set(data, writeByteStringHead(bytes, head.length, data.length))
  return seal(bytes)
}
