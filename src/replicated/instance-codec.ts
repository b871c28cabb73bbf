// An instance as bytes: what its hash is made of, what snapshots hold, and what is left of it in memory when nobody has
// asked for it lately. What comes out of the bytes is what went in, or it is refused.

import type { AnyActorRef, AnyMachineSnapshot, EventObject, Snapshot } from 'xstate'
import { z } from 'zod'
import type { LogIndex } from '../rules/types.ts'
import { messageOf } from '../runtime/errors.ts'
import { decodeValue, encodeValue } from '../transport/wire/codec.ts'
import { withoutUndefined } from './deterministic.ts'
import type { InstanceRules, SnapshotParts } from './instance.ts'
import type { Instance, Job, Timer, Tries } from './shapes.ts'

const eventSchema = z.looseObject({ type: z.string() })
/** What there is to see of an instance, as plain data. */
export const plainSchema = z.object({
  status: z.enum(['active', 'done', 'error', 'stopped']),
  value: z.unknown(),
  context: z.unknown(),
  history: z.record(z.string(), z.array(z.string())).optional(),
  output: z.unknown().optional(),
  error: z.unknown().optional(),
})
const jobSchema = z.object({
  input: z.unknown().optional(),
  /** How often a durable action has failed, and when it is due. */
  action: z.tuple([z.number(), z.number()]).optional(),
})
const keptSchema = plainSchema.extend({
  children: z.array(z.tuple([z.string(), z.string()])),
  timers: z.array(z.tuple([z.string(), z.number(), z.number(), eventSchema, z.string().nullable()])),
  jobs: z.array(z.tuple([z.string(), z.number(), z.string(), jobSchema])),
})
type Kept = z.output<typeof keptSchema>

/** What callers are answered. */
export type PlainState = z.output<typeof plainSchema>

/** An instance as it is kept: as bytes, and as they have it. */
export interface KeptInstance {
  readonly instance: Instance
  readonly bytes: Uint8Array
  readonly plain: PlainState
}

/** @throws Error in a sentence that says what cannot be kept, and where it stands. */
export function keep(instance: Instance, rules: InstanceRules): KeptInstance {
  const kept = keptOf(instance)
  const bytes = encoded(kept)
  const plain = plainOf(kept)
  if (kept.context === instance.snapshot.context) return { instance, bytes, plain }
  return { instance: { ...instance, snapshot: revived(kept, rules) }, bytes, plain }
}

/** @throws Error when the bytes are not an instance, or one that the machine has no state for. */
export function recall(bytes: Uint8Array, rules: InstanceRules): Instance {
  const kept = decoded(bytes)
  return { snapshot: revived(kept, rules), ...pendingOf(kept) }
}

/** Without waking the machine: what waits. */
export function recallPending(bytes: Uint8Array): Pick<Instance, 'timers' | 'jobs'> {
  return pendingOf(decoded(bytes))
}

export function recallPlain(bytes: Uint8Array): PlainState {
  return plainOf(decoded(bytes))
}

/** What a new version of a machine may change of an instance. Timers and jobs keep their ids, or go. */
export interface Change {
  readonly value: unknown
  readonly context: unknown
  readonly timers: Readonly<Record<string, { readonly event: EventObject; readonly dueAtMs: number }>>
  /** `isAction`: a durable action, whose `input` is the event and the params that it is called with. */
  readonly jobs: Readonly<
    Record<
      string,
      { readonly src: string; readonly input?: unknown; readonly isAction?: boolean | undefined }
    >
  >
}

interface Takeover {
  readonly change: (old: Change) => Change
  /** Of the entry that brings the new version: what it arms was armed there. */
  readonly index: LogIndex
  /** What the new version can run. */
  readonly logicOf: (job: { readonly src: string; readonly action: unknown }) => unknown
}

/** An instance of another version. @throws Error when the new one has no such state, or no such job */
export function recallAs(
  bytes: Uint8Array,
  rules: InstanceRules,
  { change, index, logicOf }: Takeover,
): Instance {
  const kept = decoded(bytes)
  const { timers, jobs } = pendingOf(kept)
  const { value, context, ...next } = change({
    ...{ value: kept.value, context: kept.context },
    timers: Object.fromEntries([...timers].map(([id, { event, dueAtMs }]) => [id, { event, dueAtMs }])),
    jobs: Object.fromEntries(
      [...jobs].map(([id, { src, input, action }]) => [id, { src, input, isAction: action !== null }]),
    ),
  })
  const takenJobs = Object.entries(next.jobs).map(([id, { src, input, isAction = false }]): [string, Job] => {
    const before = jobs.get(id)
    const tries = before?.action ?? { failures: 0, dueAtMs: 0 }
    const action = isAction ? tries : null
    if (logicOf({ src, action }) === undefined)
      throw new Error(
        isAction
          ? `durable action ${src} has not ended, and the new version does not have it (durable)`
          : `job ${id} is made of ${src}, which the new version does not have`,
      )
    return [id, { armedAt: before?.src === src ? before.armedAt : index, src, input, action }]
  })
  const takenTimers = Object.entries(next.timers).map(([id, { event, dueAtMs }]): [string, Timer] => {
    const before = timers.get(id)
    return [id, { armedAt: before?.armedAt ?? index, dueAtMs, event, target: before?.target ?? null }]
  })
  const actors = takenJobs.filter(([, { action }]) => action === null)
  const stay = kept.children.filter(([, src]) => logicOf({ src, action: null }) !== undefined)
  const children = new Map([...stay, ...actors.map(srcOf)])
  const snapshot = revived({ ...kept, value, context, history: {}, children: [...children] }, rules)
  return { snapshot, timers: new Map(takenTimers), jobs: new Map(takenJobs) }
}

const srcOf = ([id, { src }]: [string, Job]): [string, string] => [id, src]

/** A snapshot to look at, from what a caller was answered. @throws Error when the machine has no such state */
export function snapshotOf(plain: PlainState, rules: InstanceRules): AnyMachineSnapshot {
  return revived({ ...plain, children: [] }, rules)
}

function plainOf({ children, timers, jobs, ...plain }: Kept): PlainState {
  return plain
}

function keptOf({ snapshot, timers, jobs }: Instance): Kept {
  const { status, value, context, historyValue, output, error, children } = snapshot
  const history = Object.entries(historyValue).map(
    ([id, nodes]) => [id, nodes.map((node) => node.id)] as const,
  )
  return {
    status,
    value,
    context: withoutUndefined(context),
    ...(history.length > 0 && { history: Object.fromEntries(history) }),
    ...(output !== undefined && { output: withoutUndefined(output) }),
    ...(status === 'error' && { error: plainError(error) }),
    children: childrenOf(children),
    timers: [...timers].map(([id, { armedAt, dueAtMs, event, target }]) => [
      id,
      armedAt,
      dueAtMs,
      event,
      target,
    ]),
    jobs: [...jobs].map(([id, { armedAt, src, input, action }]) => [
      id,
      armedAt,
      src,
      { ...(input !== undefined && { input }), ...(action !== null && { action: triesOf(action) }) },
    ]),
  }
}

const triesOf = ({ failures, dueAtMs }: Tries): [number, number] => [failures, dueAtMs]

function childrenOf(children: Readonly<Record<string, AnyActorRef>>): Kept['children'] {
  return Object.entries(children).map(([id, { src }]) => [id, String(src)])
}

/** An error in a form that is the same on every member; what is plain already stays as it is. */
export function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error === undefined ? null : withoutUndefined(error)
  return { name: error.name, message: messageOf(error) }
}

function encoded(kept: Kept): Uint8Array {
  try {
    return encodeValue(kept)
  } catch (error) {
    throw new Error(
      messageOf(error)
        .replace('The value cannot be carried:', 'the state cannot be kept:')
        .replace(/\.$/, ''),
      { cause: error },
    )
  }
}

function decoded(bytes: Uint8Array): Kept {
  const value = decodeValue(bytes)
  if (!value.ok) throw new Error(`an instance is not valid CBOR (${value.reason})`)
  const parsed = keptSchema.safeParse(value.value)
  if (parsed.success) return parsed.data
  throw new Error(`an instance has another form: ${parsed.error.issues[0]?.message}`)
}

function revived(kept: PlainState & Pick<Kept, 'children'>, rules: InstanceRules): AnyMachineSnapshot {
  const { value, context, history = {} } = kept
  const nodes = Object.entries(history).map(([id, ids]) => [id, ids.map((node) => ({ id: node }))] as const)
  const parts: SnapshotParts = {
    value,
    context,
    ...standing(kept),
    historyValue: Object.fromEntries(nodes),
  }
  return rules.restore(parts, new Map(kept.children))
}

function standing({ status, output, error }: PlainState): Snapshot<unknown> {
  if (status === 'done') return { status, output, error: undefined }
  if (status === 'error') return { status, output: undefined, error }
  return { status, output: undefined, error: undefined }
}

function pendingOf({ timers, jobs }: Kept): Pick<Instance, 'timers' | 'jobs'> {
  return {
    timers: new Map<string, Timer>(
      timers.map(([id, armedAt, dueAtMs, event, target]) => [id, { armedAt, dueAtMs, event, target }]),
    ),
    jobs: new Map<string, Job>(
      jobs.map(([id, armedAt, src, { input, action }]) => [
        id,
        {
          armedAt,
          src,
          input,
          action: action === undefined ? null : { failures: action[0], dueAtMs: action[1] },
        },
      ]),
    ),
  }
}
