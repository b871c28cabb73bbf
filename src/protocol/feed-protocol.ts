// What a member tells whoever watches it, as plain JSON: the batches that it publishes on
// `<prefix>.<group>.events.<node>.inspect` while somebody has asked for them, and the picture that it answers the asker with.
// Nothing is in here that `status` and the log would not show: no command, no result, no state of a user's.

import { z } from 'zod'
import { nameSchema } from '../options.ts'
import { decodeJson } from './json.ts'

export const FEED_VERSION = 1 as const
/** The last token of the subject that batches are published on. */
export const FEED_KIND = 'inspect'
export const MAX_BATCH_BYTES = 256 * 1024
/** Nobody is told anything for longer than this without asking again. */
export const MAX_LEASE_MS = 60_000

const MAX_ACTORS = 8192
const MAX_ITEMS = 8192

const index = z.int().min(0)
const atMs = z.number()
const nullableName = nameSchema.nullable()
const names = z.array(nameSchema).max(1024).readonly()
/** A word of ours: an event, a method, a state, a reason. */
const word = z.string().max(160)
/** `n1`, `n1/replicator:n2`. */
const actorId = z.string().min(1).max(256)
const path = z.string().max(256)
const count = z.int().min(0)

const actorSchema = z.object({
  id: actorId,
  /** Null: it is the member itself. */
  parent: actorId.nullable(),
  /** The name of its chart; null: it has none. */
  chart: word.nullable(),
  /** The path of its state, as `active.leader.serving`; empty without a chart. */
  state: path,
})

const replicatorSchema = z.object({
  ...{ peer: nameSchema, state: word, nextIndex: index, matchIndex: index, inFlightEntries: index },
  /** When the newest request that was answered left; null: none was. */
  lastContactAtMs: atMs.nullable(),
  /** Of the snapshot that it is being sent; null: of none. */
  installing: z.object({ doneBytes: index, totalBytes: index }).nullable(),
})

const timerSchema = z.object({
  name: word,
  /** Drawn for this round. */
  delayMs: z.number(),
  dueAtMs: atMs,
})

const statusSchema = z.object({
  role: word,
  ...{ term: index, leader: nullableName, votedFor: nullableName, membership: word },
  ...{ peers: names, oldPeers: names, learners: names, witnesses: names },
  ...{ firstIndex: index, lastIndex: index, durableIndex: index, commitIndex: index, appliedIndex: index },
  ...{ pendingProposals: index, pendingBytes: index, undurableBytes: index },
  leaseValid: z.boolean(),
  /** A follower takes its leader for alive until then; null: it knows of none, or leads itself. */
  leaderAliveUntilMs: atMs.nullable(),
  electionTimeoutMs: z.number(),
  timers: z.array(timerSchema).max(16).readonly(),
  replicators: z.array(replicatorSchema).max(1024).readonly(),
  change: z.object({ stage: word, adding: names }).nullable(),
  snapshot: z.object({ index, state: word, doneBytes: index, totalBytes: index }),
  /** Of entries that were sampled since the last status; null: none was committed. Only a leader knows. */
  commitLatency: z.object({ samples: count, p50Ms: z.number(), p99Ms: z.number() }).nullable(),
  /** Of its disk, each with its sync, since it was opened. Null: nothing was written, or nobody counts. */
  diskWrites: z.object({ p50Ms: z.number(), p99Ms: z.number() }).nullable().default(null),
  /** What stopped the member. */
  error: z.string().max(1024).nullable(),
})

const roleSchema = z.object({
  ...{ from: word, to: word, term: index, leader: nullableName, reason: word, atMs },
})

const voteSchema = z.object({
  ...{ candidate: nameSchema, voter: nameSchema, term: index, atMs },
  /** Asked before the term is raised: it binds nobody. */
  pre: z.boolean(),
  granted: z.boolean(),
  /** Why, by the voter; null: this is the candidate's word, who only heard the answer. */
  reason: word.nullable(),
})

const itemSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('actor'), ...actorSchema.shape, atMs }),
  z.object({ kind: z.literal('gone'), id: actorId, atMs }),
  z.object({
    ...{ kind: z.literal('transition'), id: actorId, event: word, from: path, to: path, atMs },
    /** Transitions of this actor that are not told, just before this one. */
    skipped: count,
  }),
  /** Events that an actor was sent since this was told last. */
  z.object({ kind: z.literal('counts'), id: actorId, events: z.record(word, count) }),
  /** One event, as it was sent: only when everything was asked for. */
  z.object({ kind: z.literal('event'), id: actorId, event: word, atMs }),
  z.object({ kind: z.literal('role'), ...roleSchema.shape }),
  z.object({ kind: z.literal('leader'), leader: nullableName, term: index, atMs }),
  z.object({ kind: z.literal('vote'), ...voteSchema.shape }),
  z.object({ kind: z.literal('status'), status: statusSchema, atMs }),
  /** Requests that came from other members since this was told last. */
  z.object({
    kind: z.literal('messages'),
    heard: z
      .array(z.object({ from: nameSchema, method: word, count }))
      .max(4096)
      .readonly(),
    atMs,
  }),
])

const batchSchema = z.object({
  v: z.literal(FEED_VERSION),
  group: nameSchema,
  node: nameSchema,
  /** Drawn when the member's process started it: another one is another life. */
  boot: z.string().min(1).max(32),
  /** The number of the first item. Where it is not the one expected, something was not told. */
  seq: index,
  atMs,
  /** Items that this member has left out before these, because nobody took them in time. */
  dropped: count,
  items: z.array(itemSchema).max(MAX_ITEMS).readonly(),
})

/** What `inspect` is answered with: all there is now. What has a later number comes on the feed. */
export const pictureSchema = z.object({
  ok: z.literal(true),
  v: z.literal(FEED_VERSION),
  ...{ group: nameSchema, node: nameSchema, boot: z.string().min(1).max(32) },
  /** The number of the next item: whatever has a smaller one is in here. */
  seq: index,
  atMs,
  /** For how long the feed goes on without being asked for again. */
  leaseMs: index,
  actors: z.array(actorSchema).max(MAX_ACTORS).readonly(),
  /** By name, as JSON: the configuration of each machine without its functions. */
  charts: z.record(word, z.string()).readonly(),
  /** Charts that had no room: to be asked for by `charts`. */
  more: z.array(word).max(256).readonly(),
  status: statusSchema,
})

export type FeedActor = z.output<typeof actorSchema>
export type FeedStatus = z.output<typeof statusSchema>
export type FeedItem = z.output<typeof itemSchema>
export type FeedItemOf<K extends FeedItem['kind']> = Extract<FeedItem, { readonly kind: K }>
export type FeedBatch = z.output<typeof batchSchema>
export type FeedPicture = z.output<typeof pictureSchema>

/** Undefined for whatever is no batch of this version. */
export function parseBatch(payload: Uint8Array): FeedBatch | undefined {
  return batchSchema.safeParse(decodeJson(payload, MAX_BATCH_BYTES)).data
}
