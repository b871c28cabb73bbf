// The actors of a member that a feed knows of: what they are called over all members, which state they were last seen in,
// and how many of their events and transitions have come since the last batch.

import type { ActorRefLike, AnyActorRef, AnyStateMachine } from 'xstate'
import type { FeedActor } from '../../protocol/feed-protocol.ts'
import { pathOf } from './charts.ts'

export interface KnownActor {
  readonly ref: ActorRefLike
  readonly id: string
  readonly parent: string | null
  readonly chart: string | null
  state: string
  /** The state's value as it was seen last: the same object is the same state. */
  value: unknown
  readonly events: Map<string, number>
  /** Transitions that may still be told in this batch. */
  left: number
  /** What was not told for want of that. */
  untold: { readonly event: string; readonly from: string; readonly skipped: number } | null
}

/** Transitions of one actor that are told in one batch: beyond it is told where they have led. */
const TOLD_PER_BATCH = 16
/** Heartbeats come and go ten times a second: told once in so many batches. */
const SELDOM: ReadonlySet<string> = new Set(['heartbeat'])
const SELDOM_BATCHES = 10

export class ActorBook {
  readonly #member: string
  readonly #bySession = new Map<string, KnownActor>()
  readonly #byId = new Map<string, KnownActor>()
  #batches = 0

  constructor(member: string) {
    this.#member = member
  }

  find(ref: ActorRefLike): KnownActor | undefined {
    return this.#bySession.get(ref.sessionId)
  }

  /** An actor of the same name that has not been seen to end. */
  namesake(actor: KnownActor): KnownActor | undefined {
    return this.#byId.get(actor.id)
  }

  /** Null for what is no actor of ours. */
  describe(ref: ActorRefLike): KnownActor | null {
    if (!isActor(ref)) return null
    const parentRef = ref._parent
    const parent = parentRef === undefined ? null : (this.find(parentRef)?.id ?? this.#member)
    const snapshot: unknown = ref.getSnapshot()
    const machine = machineOf(snapshot)
    const value = stateValueOf(snapshot)
    return {
      ...{ ref, parent, value },
      id: parent === null ? this.#member : `${parent}/${ref.id}`,
      chart: machine?.id ?? null,
      state: machine === null ? '' : pathOf(value),
      events: new Map(),
      left: TOLD_PER_BATCH,
      untold: null,
    }
  }

  add(actor: KnownActor): void {
    this.#bySession.set(actor.ref.sessionId, actor)
    this.#byId.set(actor.id, actor)
  }

  remove(actor: KnownActor): void {
    this.#bySession.delete(actor.ref.sessionId)
    if (this.#byId.get(actor.id) === actor) this.#byId.delete(actor.id)
  }

  /** Root first, each before its children. */
  addAll(root: AnyActorRef): void {
    const actor = this.describe(root)
    if (actor === null) return
    this.add(actor)
    for (const child of childrenOf(root.getSnapshot())) this.addAll(child)
  }

  [Symbol.iterator](): IterableIterator<KnownActor> {
    return this.#bySession.values()
  }

  /** A new batch begins. */
  renew(): void {
    this.#batches += 1
    const seldomToo = this.#batches % SELDOM_BATCHES === 0
    for (const actor of this) {
      if (!isSeldomTold(actor)) actor.left = TOLD_PER_BATCH
      else if (seldomToo) actor.left = 1
    }
  }
}

export function isSeldomTold({ chart }: KnownActor): boolean {
  return SELDOM.has(chart ?? '')
}

export function feedActor({ id, parent, chart, state }: KnownActor): FeedActor {
  return { id, parent, chart, state }
}

/** What a snapshot of a machine says its state is; undefined for other logic. */
export function stateValueOf(snapshot: unknown): unknown {
  return isObject(snapshot) && 'value' in snapshot ? snapshot.value : undefined
}

export function isActive(snapshot: unknown): boolean {
  return isObject(snapshot) && 'status' in snapshot && snapshot.status === 'active'
}

function machineOf(snapshot: unknown): AnyStateMachine | null {
  return isObject(snapshot) && 'machine' in snapshot && isMachine(snapshot.machine) ? snapshot.machine : null
}

function isMachine(value: unknown): value is AnyStateMachine {
  return isObject(value) && 'config' in value && 'id' in value && typeof value.id === 'string'
}

function childrenOf(snapshot: unknown): readonly AnyActorRef[] {
  if (!isObject(snapshot) || !('children' in snapshot) || !isObject(snapshot.children)) return []
  return Object.values(snapshot.children).filter(isActor)
}

function isActor(value: unknown): value is AnyActorRef {
  return isObject(value) && 'sessionId' in value && 'getSnapshot' in value && '_parent' in value
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
