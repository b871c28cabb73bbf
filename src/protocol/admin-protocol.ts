// What a member says about itself when it is asked for its status: JSON, checked by the one who asked.

import { z } from 'zod'
import { nameSchema } from '../options.ts'
import type { NodeStatus, ReplicatorStatus, SnapshotStatus } from '../status.ts'

const index = z.number().int().min(0)
const peer = nameSchema
const nullablePeer = peer.nullable()

const replicatorSchema = z.object({
  peer,
  // Not a closed list: a newer member may be in states that this version doesn't know.
  state: z.custom<ReplicatorStatus['state']>(
    (value) => typeof value === 'string' && /^\w{1,64}$/.test(value),
  ),
  nextIndex: index,
  matchIndex: index,
  identity: index.default(0),
  counts: z.boolean().default(true),
  readonly: z.boolean().default(false),
  inFlightEntries: index,
  inFlightFrames: index,
  consecutiveErrors: index,
  lastContactMs: z.number().nullable(),
  /** Not told by members of older versions. */
  installing: z
    .object({ snapshotIndex: index, doneBytes: index, totalBytes: index })
    .nullable()
    .default(null),
})

const diskSchema = z.object({
  walBytes: z.number().nonnegative(),
  /** Not told by members of older versions. */
  databaseBytes: z.number().nonnegative().default(0),
  blockedByReaderMs: z.number().nonnegative().nullable(),
  freeBytes: z.number().nonnegative().optional(),
  writes: z
    .object({ count: index, p50Ms: z.number().nonnegative(), p99Ms: z.number().nonnegative() })
    .optional(),
})

/** Of the versions of a state machine that a member says it carries. */
export const MAX_VERSIONS = 16
export const MAX_VERSION_NAME = 1024

const settingsSchema = z.object({
  electionTimeoutMs: index,
  maxClockDriftMs: index,
  leaderLease: z.boolean(),
  maxEntryBytes: index,
})

/** Unknown fields of a newer member are dropped. */
export const snapshotSchema = z.object({
  newest: z.object({ index, term: index, bytes: index, files: index, takenAtMs: z.number() }).nullable(),
  state: z.enum(['idle', 'saving', 'downloading', 'loading']),
  doneBytes: index,
  totalBytes: index,
  saves: index,
  failures: index,
  lastDurationMs: z.number().nullable(),
  lastError: z.string().nullable(),
})

const NOTHING_TOLD: SnapshotStatus = {
  newest: null,
  state: 'idle',
  doneBytes: 0,
  totalBytes: 0,
  saves: 0,
  failures: 0,
  lastDurationMs: null,
  lastError: null,
}

const bytes = index.nullable()
const changeSchema = z.object({
  stage: z.enum(['catchingUp', 'joint', 'stable']),
  adding: z
    .array(
      z.object({ peer, matchIndex: index, remainingEntries: index, doneBytes: bytes, totalBytes: bytes }),
    )
    .max(1024),
})

const memberStatusSchema = z.object({
  group: nameSchema,
  id: peer,
  /** Drawn when the member's services start: two of them under one id are two processes. */
  instance: z.string().max(64),
  identity: index.default(0),
  role: z.enum([
    'uninitialized',
    'initializing',
    'follower',
    'candidate',
    'leader',
    'error',
    'shuttingDown',
    'shutdown',
  ]),
  state: z.string().max(256),
  term: index,
  votedFor: nullablePeer,
  leader: nullablePeer,
  peers: z.array(peer).max(1024),
  oldPeers: z.array(peer).max(1024),
  /** Not told by members of older versions, nor is what follows. */
  learners: z.array(peer).max(1024).default([]),
  witnesses: z.array(peer).max(1024).default([]),
  priorities: z.record(peer, index).default({}),
  membership: z.enum(['voter', 'witness', 'learner', 'waiting', 'removed']).default('voter'),
  resetPending: z.boolean().default(false),
  readonly: z.boolean().default(false),
  refusesCommands: z.boolean().default(false),
  withheldIndex: z.int().min(0).default(0),
  change: changeSchema.nullable().default(null),
  firstIndex: index,
  lastIndex: index,
  lastTerm: index,
  durableIndex: index,
  undurableBytes: index.default(0),
  commitIndex: index,
  appliedIndex: index,
  pendingProposals: index,
  pendingBytes: index.default(0),
  leaseValid: z.boolean(),
  stateHash: z.string().max(256).nullable(),
  /** Not told by members of older versions. */
  carries: z.array(z.string().max(MAX_VERSION_NAME)).max(MAX_VERSIONS).default([]),
  replicators: z.array(replicatorSchema).max(1024),
  /** Not told by members of older versions. */
  snapshot: snapshotSchema.default(NOTHING_TOLD),
  disk: diskSchema.nullable().default(null),
  version: z.string().max(64).nullable().default(null),
  leaderContactMs: z.number().nullable().default(null),
  settings: settingsSchema.nullable().default(null),
  wallClockMs: z.number().nullable().default(null),
  error: z.string().nullable(),
})

export interface MemberStatus extends NodeStatus {
  readonly instance: string
  /** Of the program that it runs in, as `attachServices` was told; null: it was not told, or does not say. */
  readonly version: string | null
}

export const MAX_STATUS_BYTES = 1024 * 1024

/** Undefined when it is not a member's status. */
export function parseMemberStatus(value: unknown): MemberStatus | undefined {
  const parsed = memberStatusSchema.safeParse(value)
  return parsed.success ? parsed.data : undefined
}
