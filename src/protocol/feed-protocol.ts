// What a member tells whoever watches it, as plain JSON: the batches that it publishes on
// `<prefix>.<group>.events.<node>.inspect` while somebody has asked for them, and the picture that it answers the asker with.
// Nothing is in here that `status` and the log would not show: no command, no result, no state of a user's but for the names of
// states that instances of replicated machines are in.

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

/** Of a list of instances, as JSON. */
export const MAX_INSTANCE_BYTES = 24 * 1024
/** Instances that one member names at once. */
export const MAX_INSTANCES = 64
/** Of one instance: active states, timers and jobs that are named. */
export const MAX_STATES = 16
export const MAX_PENDING = 8
export const MAX_FIND = 512

const states = z.array(path).max(MAX_STATES).readonly()

/** One instance of a replicated machine: names and times alone, nothing of its context and of no event but its type. */
const instanceSchema = z.object({
  key: z.string().min(1).max(MAX_FIND),
  status: z.enum(['active', 'done', 'error', 'stopped']),
  /** Each active state from the root on, as `paying.waiting`: several where states are parallel. */
  states,
  /** This member had applied so much when it looked. */
  asOf: index,
  /** The command that reached it last, and where it was before (empty: not known); null: none since somebody watches. */
  last: z.object({ event: word, from: states, index, atMs }).nullable(),
  timers: z
    .array(z.object({ id: word, dueAtMs: atMs }))
    .max(MAX_PENDING)
    .readonly(),
  /** What was invoked and has no result: it runs at the leader. */
  jobs: z
    .array(
      z.object({
        ...{ id: word, src: word },
        /** Of a durable action: how often it has failed, and when it is tried again. */
        ...{ failures: count.optional(), dueAtMs: atMs.optional() },
      }),
    )
    .max(MAX_PENDING)
    .readonly(),
  /** Timers and jobs that are not named. */
  more: count,
})

const instancesSchema = z.object({
  /** The machine that all of them are made of. `chart`: null, it is too large to be told. */
  ...{ machine: word, version: word, chart: word.nullable() },
  total: count,
  /** Those that changed last, the newest first. */
  instances: z.array(instanceSchema).max(MAX_INSTANCES).readonly(),
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
  /** Instances of a replicated machine that have changed. `whole`: all have; what was known of them is of before. */
  z.object({ kind: z.literal('instances'), ...instancesSchema.shape, whole: z.boolean(), atMs }),
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
  /** Left out: its state machine has none. */
  instances: instancesSchema.optional(),
  /** Instances whose keys begin with what was asked for by `find`. */
  found: z.array(instanceSchema).max(MAX_INSTANCES).readonly().optional(),
})

export type FeedActor = z.output<typeof actorSchema>
export type FeedStatus = z.output<typeof statusSchema>
export type FeedInstance = z.output<typeof instanceSchema>
export type FeedInstances = z.output<typeof instancesSchema>
export type FeedItem = z.output<typeof itemSchema>
export type FeedItemOf<K extends FeedItem['kind']> = Extract<FeedItem, { readonly kind: K }>
export type FeedBatch = z.output<typeof batchSchema>
export type FeedPicture = z.output<typeof pictureSchema>

/** Undefined for whatever is no batch of this version. */
export function parseBatch(payload: Uint8Array): FeedBatch | undefined {
  return batchSchema.safeParse(decodeJson(payload, MAX_BATCH_BYTES)).data
}
