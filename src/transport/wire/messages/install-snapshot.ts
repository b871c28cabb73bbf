// install_snapshot: the leader offers its newest snapshot to a follower that needs what is compacted (paper figure 13, with
// the data fetched by the follower instead). Answered at once and offered again until the follower has it.

import { z } from 'zod'
import { INDEX, MEMBER, TERM, TERM_OR_NONE } from './fields.ts'
import { layout, type Message, type MessageWith, SMALL_FRAME, SPARE_ITEMS } from './message.ts'

const MAX_MEMBERS = 255

const MEMBERS = z.array(MEMBER).max(MAX_MEMBERS).describe('array of names of members, at most 255')

const REQUEST = {
  term: TERM,
  lastIncludedIndex: INDEX,
  lastIncludedTerm: TERM,
  peers: MEMBERS,
  oldPeers: MEMBERS,
  /** Of all files together. */
  bytes: INDEX,
  /** How many files there are. */
  files: INDEX,
  takenAtMs: INDEX,
}

const ANSWER = {
  term: TERM_OR_NONE,
  state: z
    .enum(['installed', 'accepted', 'loading', 'busy'])
    .describe('`installed`, `accepted`, `loading` or `busy`'),
  /** Of the bytes of the snapshot, how many are there; both 0 while that is unknown. */
  doneBytes: INDEX,
  totalBytes: INDEX,
}

export type InstallSnapshotRequest = MessageWith<typeof REQUEST>
export type InstallSnapshotResponse = MessageWith<typeof ANSWER>

export const installSnapshot = {
  kind: 'installSnapshot',
  frame: {
    maxBytes: 64 * 1024,
    gate: { maxDepth: 4, maxItems: 2 * MAX_MEMBERS + SPARE_ITEMS },
    ownership: 'view',
  },
  answerFrame: SMALL_FRAME,
  request: layout(REQUEST, (offer) => [
    offer.term,
    offer.lastIncludedIndex,
    offer.lastIncludedTerm,
    offer.peers,
    offer.oldPeers,
    offer.bytes,
    offer.files,
    offer.takenAtMs,
  ]),
  answer: layout(ANSWER, ({ term, state, doneBytes, totalBytes }) => [term, state, doneBytes, totalBytes]),
} as const satisfies Message<InstallSnapshotRequest, InstallSnapshotResponse>
