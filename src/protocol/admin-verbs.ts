// What operators ask of a group and its members, and what they are told: one object per request and per answer, in JSON
// for people and scripts, in CBOR for programs. Whoever asks in one form is answered in it.
//
//   <prefix>.<group>.<member>.admin.<verb>     {"peer":"n4"}  → {"ok":true, …} or {"ok":false,"error":{…}}
//   <prefix>.<group>.admin.<verb>              the same, asked of the group

import { z } from 'zod'
import type { ConfigurationInfo } from '../api.ts'
import {
  isOutcome,
  isQuorateErrorCode,
  type Outcome,
  QuorateError,
  type QuorateErrorCode,
} from '../errors.ts'
import { memberNameSchema, nameSchema } from '../options.ts'
import { decodeMessage, encodeValue } from '../transport/wire/codec.ts'
import type { Parsed } from './client-protocol.ts'
import { type FeedPicture, MAX_FIND, MAX_LEASE_MS, pictureSchema } from './feed-protocol.ts'
import { decodeJson, encodeJson } from './json.ts'
import { type SnapshotSummary, snapshotSummarySchema } from './snapshot-protocol.ts'

export const MAX_ADMIN_REQUEST_BYTES = 64 * 1024
export const MAX_ADMIN_ANSWER_BYTES = 1024 * 1024
const ANSWER_LIMITS = { maxDepth: 8, maxItems: 32_768 } as const
const REQUEST_LIMITS = { maxDepth: 4, maxItems: 4096 } as const
const MAX_NAMES = 512
const MAX_PRIORITY = 1_000_000
const MAX_HASH_WAIT_MS = 30_000

// ---- requests

const role = z.enum(['voter', 'witness', 'learner'])
const priority = z.int().min(0).max(MAX_PRIORITY)
const named = z.strictObject({ id: memberNameSchema, role: role.optional(), priority: priority.optional() })
const expect = z.array(memberNameSchema).max(MAX_NAMES).optional()
const peer = memberNameSchema

const requestSchema = z.discriminatedUnion('verb', [
  z.strictObject({
    ...{ verb: z.literal('add_peer'), peer, expect },
    ...{ role: role.optional(), priority: priority.optional() },
  }),
  z.strictObject({ verb: z.literal('remove_peer'), peer, expect }),
  z.strictObject({
    verb: z.literal('change_peers'),
    peers: z
      .array(z.union([memberNameSchema, named]))
      .min(1)
      .max(MAX_NAMES),
    expect,
  }),
  z.strictObject({ verb: z.literal('promote'), peer, expect }),
  z.strictObject({ verb: z.literal('demote'), peer, expect }),
  z.strictObject({ verb: z.literal('set_priority'), peer, priority, expect }),
  z.strictObject({ verb: z.literal('transfer_leader'), peer: peer.optional() }),
  z.strictObject({ verb: z.literal('snapshot') }),
  z.strictObject({ verb: z.literal('get_leader') }),
  z.strictObject({ verb: z.literal('list_peers') }),
  z.strictObject({
    verb: z.literal('reset_peer'),
    peers: z.array(memberNameSchema).min(1).max(MAX_NAMES),
    force: z.literal(true, 'must be true: what only the other members have acknowledged may be lost'),
    /** The group's name, typed once more: this is meant, and not another one. */
    confirm: nameSchema,
  }),
  z.strictObject({ verb: z.literal('readonly'), on: z.boolean() }),
  z.strictObject({
    verb: z.literal('state_hash'),
    /** The hash after exactly the entries up to here. Left out: where the member stands. */
    index: z.int().min(0).optional(),
    /** How long to wait for it. */
    waitMs: z.int().min(0).max(MAX_HASH_WAIT_MS).optional(),
  }),
  z.strictObject({
    ...{ verb: z.literal('inspect'), viewer: nameSchema },
    /** How long to go on telling; 0: this viewer has seen enough. */
    leaseMs: z.int().min(0).max(MAX_LEASE_MS),
    /** Each event, one by one. */
    everything: z.boolean().optional(),
    /** Which charts to answer with. Left out: all. */
    charts: z.array(z.string().max(160)).max(64).optional(),
    /** Instances whose keys begin like this, to answer with as well. */
    find: z.string().min(1).max(MAX_FIND).optional(),
  }),
])

export type AdminRequest = z.output<typeof requestSchema>
export type AdminVerb = AdminRequest['verb']

/** Asked of the group these reach the leader wherever it is, for nobody else listens there. */
export const GROUP_VERBS = [
  'add_peer',
  'remove_peer',
  'change_peers',
  'promote',
  'demote',
  'set_priority',
  'transfer_leader',
  'snapshot',
  'get_leader',
  'list_peers',
] as const satisfies readonly AdminVerb[]
/** What one member is told about itself: only ever asked of that member. */
export const MEMBER_VERBS = [
  'reset_peer',
  'readonly',
  'inspect',
  'state_hash',
] as const satisfies readonly AdminVerb[]
export const ADMIN_VERBS: readonly AdminVerb[] = [...GROUP_VERBS, ...MEMBER_VERBS]

export type PayloadForm = 'json' | 'cbor'

/** How a payload is meant: JSON when it is empty or begins as an object of JSON does, else CBOR. */
export function formOf(payload: Uint8Array): PayloadForm {
  const first = payload.find((byte) => !BLANKS.has(byte))
  return first === undefined || first === 0x7b ? 'json' : 'cbor'
}

const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

export function parseAdminRequest(verb: AdminVerb, payload: Uint8Array): Parsed<AdminRequest> {
  if (payload.byteLength > MAX_ADMIN_REQUEST_BYTES)
    return { ok: false, problem: `it has more than ${MAX_ADMIN_REQUEST_BYTES} bytes` }
  const body = decodeBody(payload, REQUEST_LIMITS)
  if (!isObject(body)) return { ok: false, problem: 'it is no object, in JSON or CBOR' }
  const parsed = requestSchema.safeParse({ ...body, verb })
  if (parsed.success) return { ok: true, value: parsed.data }
  return { ok: false, problem: parsed.error.issues.map(describe).join('; ') }
}

function describe({ path, message }: { path: PropertyKey[]; message: string }): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`
}

/** A request of its own, without the verb: that is in the subject. */
export function encodeAdminRequest({ verb: _, ...body }: AdminRequest): Uint8Array {
  return encodeValue(withoutUndefined(body))
}

// ---- answers

const index = z.int().min(0)
const names = z.array(nameSchema).max(1024).readonly()

/** Who is a member, and where a change of it has got to. */
const configurationSchema = z.object({
  /** Who votes, witnesses among them. */
  peers: names,
  /** Not empty while both sets decide. */
  oldPeers: names,
  learners: names,
  witnesses: names,
  /** Of those that have another one than 100. */
  priorities: z.record(nameSchema, z.int().min(0)).readonly(),
  /** Of the entry that says so; 0: none, it was given at the start. */
  index,
  stage: z.enum(['none', 'catchingUp', 'joint', 'stable']),
  leader: nameSchema.nullable(),
})

const changedSchema = z.object({
  ok: z.literal(true),
  before: configurationSchema,
  after: configurationSchema,
})
const leaderSchema = z.object({ ok: z.literal(true), leader: nameSchema, term: index })
const listSchema = z.object({
  ...{ ok: z.literal(true), member: nameSchema, term: index },
  ...configurationSchema.shape,
})
const snapshotSchema = z.object({ ok: z.literal(true), snapshot: snapshotSummarySchema })
const readonlySchema = z.object({ ok: z.literal(true), readonly: z.boolean() })

const stateHashSchema = z.object({
  ...{ ok: z.literal(true), member: nameSchema, index, hash: z.string().max(256) },
})

const refusalSchema = z.object({
  ok: z.literal(false),
  error: z.object({
    code: z.custom<QuorateErrorCode>(isQuorateErrorCode),
    message: z.string().max(4096),
    outcome: z.custom<Outcome>(isOutcome).default('not-applied'),
    leader: nameSchema.nullable().default(null),
    retryable: z.boolean().default(false),
  }),
})

/** Who the members were, and who they are. */
export interface Changed {
  readonly ok: true
  readonly before: ConfigurationInfo
  readonly after: ConfigurationInfo
}
export type Leadership = z.output<typeof leaderSchema>

interface AnswerOf {
  add_peer: Changed
  remove_peer: Changed
  change_peers: Changed
  promote: Changed
  demote: Changed
  set_priority: Changed
  reset_peer: Changed
  transfer_leader: Leadership
  get_leader: Leadership
  list_peers: z.output<typeof listSchema>
  snapshot: { readonly ok: true; readonly snapshot: SnapshotSummary }
  readonly: z.output<typeof readonlySchema>
  inspect: FeedPicture
  state_hash: z.output<typeof stateHashSchema>
}
export type AdminAnswer<V extends AdminVerb = AdminVerb> = AnswerOf[V]

const answerSchemas: { readonly [V in AdminVerb]: z.ZodType<AnswerOf[V]> } = {
  ...{ add_peer: changedSchema, remove_peer: changedSchema, change_peers: changedSchema },
  ...{ promote: changedSchema, demote: changedSchema, set_priority: changedSchema },
  ...{ reset_peer: changedSchema, transfer_leader: leaderSchema, get_leader: leaderSchema },
  ...{ list_peers: listSchema, snapshot: snapshotSchema, readonly: readonlySchema },
  ...{ inspect: pictureSchema, state_hash: stateHashSchema },
}

export type AdminRefusal = z.output<typeof refusalSchema>

export function refusalOf(error: QuorateError): AdminRefusal {
  const { code, outcome, leader, retryableIfIdempotent: retryable } = error
  const message = error.message.slice(0, 1000).toWellFormed()
  return { ok: false, error: { code, message, outcome, leader, retryable } }
}

export function encodeAdminAnswer(answer: object, form: PayloadForm): Uint8Array {
  return form === 'json' ? encodeJson(answer) : encodeValue(withoutUndefined(answer))
}

/** The answer to `verb`, or the error that it is; undefined when it is neither. */
export function parseAdminAnswer<V extends AdminVerb>(
  verb: V,
  payload: Uint8Array,
): AdminAnswer<V> | QuorateError | undefined {
  if (payload.byteLength > MAX_ADMIN_ANSWER_BYTES) return undefined
  const body = decodeBody(payload, ANSWER_LIMITS)
  const refused = refusalSchema.safeParse(body)
  if (refused.success) {
    const { code, message, ...details } = refused.data.error
    return new QuorateError(code, message, details)
  }
  return answerSchemas[verb].safeParse(body).data
}

function decodeBody(
  payload: Uint8Array,
  limits: { readonly maxDepth: number; readonly maxItems: number },
): unknown {
  if (formOf(payload) === 'cbor') {
    const decoded = decodeMessage(payload, limits)
    return decoded.ok ? decoded.value : undefined
  }
  return payload.byteLength === 0 ? {} : decodeJson(payload, MAX_ADMIN_ANSWER_BYTES)
}

function isObject(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}

/** What is not set is not said: CBOR of ours has no word for it. */
function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined))
}
