// One schema for what can be set on a node: braft's names in our case, with units, defaults and bounds.
// docs/configuration.md is generated from it.

import { z } from 'zod'
import { QuorateError } from './errors.ts'
import { RESERVED_NAMES } from './transport/subjects.ts'
import { FRAME_RESERVE_BYTES, MAX_APPEND_BYTES, MAX_ENTRIES_PER_FRAME } from './transport/wire/entries.ts'

const ms = (fallback: number, minimum: number, what: string) =>
  z.number().int().min(minimum).max(2_147_483_647).default(fallback).describe(what)
const count = (fallback: number, minimum: number, what: string, maximum = Number.MAX_SAFE_INTEGER) =>
  z.number().int().min(minimum).max(maximum).default(fallback).describe(what)

/** What a receiver takes in one AppendEntries: an option beyond it would stop replication for good. */
const MAX_ENTRIES_BYTES = MAX_APPEND_BYTES - FRAME_RESERVE_BYTES

/** The name of a host, member or group: one subject token. */
export const nameSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -')

/** The name of a member: not one of the words that stand in a member's place in subjects. */
export const memberNameSchema = nameSchema.refine(
  (name) => !RESERVED_NAMES.has(name),
  `must not be ${[...RESERVED_NAMES].join(', ')}: these words have a meaning of their own in subjects`,
)

export const tuningSchema = z.strictObject({
  electionTimeoutMs: ms(
    1000,
    10,
    'Base of election timer, lease, check-quorum period and heartbeat interval.',
  ),
  maxClockDriftMs: ms(
    1000,
    0,
    'Added to the election timeout wherever a follower waits for a leader to be gone.',
  ),
  maxElectionDelayMs: ms(1000, 0, 'Upper bound of the random part of election and vote timers.'),
  electionHeartbeatFactor: count(10, 2, 'Heartbeat interval = electionTimeoutMs / factor, at least 10 ms.'),
  leaderLease: z
    .boolean()
    .default(false)
    .describe('Leader lease, and votes withheld by it. Must be equal on all members.'),
  stepDownWhenVoteTimedOut: z
    .boolean()
    .default(true)
    .describe(
      'A candidate without a majority in time goes back to pre-vote instead of raising its term again. It does so in any case when nobody has answered.',
    ),
  maxEntryBytes: count(
    512 * 1024,
    1,
    'Largest encoded command; a larger one is refused when it is proposed.',
    MAX_ENTRIES_BYTES,
  ),
  maxEntriesPerFrame: count(1024, 1, 'Most entries in one AppendEntries.', MAX_ENTRIES_PER_FRAME),
  maxFrameBytes: count(
    256 * 1024,
    1,
    'Payload at which an AppendEntries is closed; one entry may exceed it.',
    MAX_ENTRIES_BYTES,
  ),
  maxFramesInFlight: count(16, 1, 'AppendEntries sent to one follower and not yet answered.'),
  maxBytesInFlight: count(4 * 1024 * 1024, 1, 'Payload sent to one follower and not yet answered.'),
  appendTimeoutMs: ms(2000, 10, 'An AppendEntries without an answer for this long counts as failed.'),
  retryReplicateIntervalMs: ms(1000, 1, 'Pause before a busy follower is tried again.'),
  maxPendingProposals: count(
    65_536,
    1,
    'Proposals that may wait for their result; more are refused as BUSY.',
  ),
  maxPendingBytes: count(
    64 * 1024 * 1024,
    1,
    'Bytes of commands that may wait for their result; more are refused as BUSY. One command always fits.',
  ),
  maxUndurableBytes: count(
    32 * 1024 * 1024,
    1,
    'Bytes that may wait for the own disk before proposals are refused as BUSY.',
  ),
  maxPendingReads: count(65_536, 1, 'Reads that may wait for their round; more are refused as BUSY.'),
  maxApplyBatch: count(4096, 1, 'Most entries handed to the state machine before other work gets its turn.'),
  maxApplySliceMs: ms(
    10,
    1,
    'How long commands are applied and queries answered before other work gets its turn.',
  ),
  maxReadHoldMs: ms(
    1000,
    1,
    'How long an asynchronous query may hold back commands that wait to be applied; then it fails with TIMEOUT.',
  ),
  maxCachedLogBytes: count(
    8 * 1024 * 1024,
    0,
    'Durable entries kept in memory, to be applied and for slower followers, each counting as 256 bytes at least; an eighth of it when nobody waits for them. All groups of a host together keep at most 32 MiB.',
  ),
  snapshotIntervalMs: ms(
    3_600_000,
    0,
    'A snapshot is taken this often; the first time anywhere within the interval. 0: never for this reason.',
  ),
  snapshotEveryEntries: count(
    100_000,
    0,
    'A snapshot is taken when so many entries have been applied since the last one. 0: never for this reason.',
  ),
  snapshotEveryBytes: count(
    64 * 1024 * 1024,
    0,
    'The same by bytes that have come to the log. Neither, before they are a quarter of the last snapshot. 0: never for this reason.',
  ),
  snapshotMinGapEntries: count(
    1,
    1,
    'With fewer entries applied since the last snapshot, no new one is taken; asking for one succeeds.',
  ),
  logMarginEntries: count(
    0,
    0,
    'Entries kept in the log before the end of the newest snapshot, beyond what is kept since the one before it.',
  ),
  maxRetainedLogBytes: count(
    1024 * 1024 * 1024,
    0,
    'What may come to the log while a follower is being sent a snapshot, before it is compacted nevertheless.',
  ),
  catchUpMarginEntries: count(
    1000,
    0,
    'Whoever is added lacks at most so many entries when the others begin to count it.',
  ),
  maxCatchUpStallMs: ms(
    300_000,
    1,
    'How long the others wait for somebody who is to be added, answers, and gets no further; loading a large snapshot takes as long as the state machine makes it.',
  ),
  drainTimeoutMs: ms(5000, 0, 'How long close() waits for pending proposals.'),
})

/** Every option of a node with its value. */
export type Tuning = z.output<typeof tuningSchema>
/** What a user may leave out. */
export type TuningInput = z.input<typeof tuningSchema>

/** Checks options and fills in defaults. @throws QuorateError INVALID naming the option and what it should be. */
export function parseTuning(input: TuningInput): Tuning {
  const parsed = tuningSchema.safeParse(input)
  if (parsed.success) return parsed.data
  throw new QuorateError('INVALID', describeIssues('Option', parsed.error.issues))
}

/** One sentence from zod's findings. */
export function describeIssues(
  what: string,
  issues: readonly { path: PropertyKey[]; message: string }[],
): string {
  const parts = issues.map((issue) => `${issue.path.map(String).join('.') || 'value'}: ${issue.message}`)
  return `${what} ${parts.join('; ')}.`
}

/** braft: election timeout / factor, at least 10 ms. */
export function heartbeatIntervalMs(tuning: Tuning): number {
  return Math.max(Math.floor(tuning.electionTimeoutMs / tuning.electionHeartbeatFactor), 10)
}
