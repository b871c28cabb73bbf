// install_snapshot: the leader offers its newest snapshot to a follower that needs what is compacted (paper figure 13, with
// the data fetched by the follower instead). Answered at once and offered again until the follower has it.

import { z } from 'zod'
import { addedLater, FLAG, IDENTITY, INDEX, MEMBER, TERM, TERM_OR_NONE } from './fields.ts'
import { layout, type Message, type MessageWith, type SentWith, SMALL_FRAME, SPARE_ITEMS } from './message.ts'

const MAX_MEMBERS = 255

const MEMBERS = z.array(MEMBER).max(MAX_MEMBERS).describe('array of names of members, at most 255')

const IDENTITIES = z
  .array(z.tuple([MEMBER, IDENTITY]))
  .max(2 * MAX_MEMBERS)
  .describe('array of `[member, identity]`, at most 510')

const PRIORITIES = z
  .array(z.tuple([MEMBER, INDEX]))
  .max(2 * MAX_MEMBERS)
  .describe('array of `[member, number]`, at most 510')

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
  /** Of the configuration: the files that members are known by, and those that do not count yet. */
  identities: IDENTITIES,
  newcomers: IDENTITIES,
  learners: addedLater(MEMBERS, []),
  witnesses: addedLater(MEMBERS, []),
  priorities: addedLater(PRIORITIES, []),
  /** It goes to a witness: what it stands for, and no files. */
  withheld: addedLater(FLAG, false),
}

const ANSWER = {
  term: TERM_OR_NONE,
  state: z
    .enum(['installed', 'accepted', 'loading', 'busy'])
    .describe('`installed`, `accepted`, `loading` or `busy`'),
  /** Of the bytes of the snapshot, how many are there; both 0 while that is unknown. */
  doneBytes: INDEX,
  totalBytes: INDEX,
  /** Of the files that hold it. */
  identity: addedLater(IDENTITY, 0),
}

export type InstallSnapshotRequest = MessageWith<typeof REQUEST>
export type InstallSnapshotResponse = MessageWith<typeof ANSWER>
type SentInstallSnapshotResponse = SentWith<typeof ANSWER>

export const installSnapshot = {
  kind: 'installSnapshot',
  frame: {
    maxBytes: 256 * 1024,
    gate: { maxDepth: 5, maxItems: 22 * MAX_MEMBERS + SPARE_ITEMS },
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
    offer.identities,
    offer.newcomers,
    offer.learners,
    offer.witnesses,
    offer.priorities,
    offer.withheld,
  ]),
  answer: layout(ANSWER, ({ term, state, doneBytes, totalBytes, identity = 0 }) => [
    ...[term, state, doneBytes, totalBytes],
    identity,
  ]),
} as const satisfies Message<InstallSnapshotRequest, InstallSnapshotResponse, SentInstallSnapshotResponse>
