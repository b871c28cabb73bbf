// One instance as a user holds it: like an actor of XState, whose `send` waits until the event was applied.

import {
  type ActorRef,
  type AnyActorRef,
  type AnyEventObject,
  type AnyMachineSnapshot,
  createEmptyActor,
  type Observer,
  type Readable,
  type Snapshot,
  type Subscription,
  toObserver,
} from 'xstate'
import { z } from 'zod'
import type { Applied } from '../api.ts'
import { QuorateError } from '../errors.ts'
import type { LogIndex } from '../rules/types.ts'
import { withoutUndefined } from './deterministic.ts'
import { type PlainState, plainSchema, snapshotOf } from './instance-codec.ts'
import type { Listeners } from './listeners.ts'
import type { RemoteInstances, Subscribed } from './remote-instances.ts'
import type { MachineReplica } from './replicated-machine.ts'

/** Who takes commands and queries of the group: a node of this process, or a client of a group elsewhere. */
export interface Asked {
  apply(command: unknown): Promise<Applied>
  read(query: unknown): Promise<unknown>
  /** Of a client: what happens in the group is heard here by this. */
  subscribe?: Subscribed['subscribe']
}

export interface SendOptions {
  /** `refuse`: an event for which the machine has no transition rejects as INVALID, `not-applied`. Default `ignore`, as XState does. */
  readonly unaccepted?: 'ignore' | 'refuse'
}

export interface SentEvent<S> {
  /** How the instance was when the event had been applied. */
  readonly snapshot: S
  /** Where the event stands in the log. */
  readonly index: LogIndex
  /** Whether the machine had a transition for it. */
  readonly accepted: boolean
}

const verdictSchema = z.object({ accepted: z.boolean(), state: plainSchema.nullable() })

export class InstanceHandle implements ActorRef<AnyMachineSnapshot, AnyEventObject, AnyEventObject> {
  readonly id: string
  readonly sessionId: string
  readonly system: AnyActorRef['system']
  readonly src: AnyActorRef['src']
  readonly #replica: MachineReplica
  readonly #asked: Asked
  /** Null: what happens is heard in this process, by the member that it carries. */
  readonly #remote: RemoteInstances | null
  /** In a process without a member: what was answered last. */
  #seen: AnyMachineSnapshot | null = null

  constructor(key: string, replica: MachineReplica, asked: Asked, remote: RemoteInstances | null) {
    const { system } = createEmptyActor()
    this.id = key
    this.sessionId = key
    this.system = system
    this.src = replica.rules.machine
    this.#replica = replica
    this.#asked = asked
    this.#remote = remote
  }

  readonly send = async (
    event: AnyEventObject,
    { unaccepted = 'ignore' }: SendOptions = {},
  ): Promise<SentEvent<AnyMachineSnapshot>> => {
    const sent = await this.#apply(['event', this.id, withoutUndefined(event)])
    if (sent.accepted || unaccepted === 'ignore') return sent
    throw new QuorateError(
      'INVALID',
      `Instance ${this.id} has no transition for ${event.type} where it is now.`,
    )
  }

  /** Makes the instance; with CONFLICT when it is there already. */
  create(input: unknown): Promise<SentEvent<AnyMachineSnapshot>> {
    const plain = withoutUndefined(input)
    return this.#apply(['create', this.id, plain === undefined ? {} : { input: plain }])
  }

  /** As this member has it; one that is not there yet looks as it will when its first event creates it. */
  readonly getSnapshot = (): AnyMachineSnapshot => {
    const local =
      this.#replica.instances.get(this.id)?.snapshot ?? this.#remote?.snapshot(this.id) ?? this.#seen
    return local ?? this.#replica.preview(this.id)
  }

  /** As it is: no event that was acknowledged before is missing. */
  async read(): Promise<AnyMachineSnapshot> {
    const state = plainSchema.nullable().parse(await this.#asked.read(['get', this.id]))
    return state === null ? this.#replica.preview(this.id) : this.#see(state)
  }

  can(event: AnyEventObject): boolean {
    const snapshot = this.getSnapshot()
    return snapshot.status === 'active' && snapshot.can(event)
  }

  getPersistedSnapshot(): Snapshot<unknown> {
    return this.#replica.rules.machine.getPersistedSnapshot(this.getSnapshot())
  }

  subscribe(
    next?: Observer<AnyMachineSnapshot> | ((snapshot: AnyMachineSnapshot) => void),
    error?: (error: unknown) => void,
    complete?: () => void,
  ): Subscription {
    return (this.#remote ?? this.#local).subscribe(this.id, toObserver(next, error, complete))
  }

  readonly on: AnyActorRef['on'] = (type, handler) =>
    (this.#remote ?? this.#local).on(this.id, String(type), handler)

  select<T>(
    selector: (snapshot: AnyMachineSnapshot) => T,
    equals: (a: T, b: T) => boolean = Object.is,
  ): Readable<T> {
    const subscribe = (
      next?: Observer<T> | ((value: T) => void),
      error?: (error: unknown) => void,
      complete?: () => void,
    ): Subscription => {
      const observer = toObserver(next, error, complete)
      let before = selector(this.getSnapshot())
      return this.subscribe((snapshot) => {
        const after = selector(snapshot)
        if (equals(before, after)) return
        before = after
        observer.next?.(after)
      })
    }
    return { subscribe, get: () => selector(this.getSnapshot()) }
  }

  /** An instance begins with its first event, and ends by its own machine. */
  start(): void {}
  stop(): void {}

  [Symbol.observable](): this {
    return this
  }

  get #local(): Listeners {
    return this.#replica.listeners
  }

  async #apply(command: readonly unknown[]): Promise<SentEvent<AnyMachineSnapshot>> {
    const { index, result } = await this.#asked.apply(command)
    const { accepted, state } = verdictSchema.parse(result)
    return { snapshot: state === null ? this.getSnapshot() : this.#see(state, index), index, accepted }
  }

  /** Where no member is, this is all that is known; whoever watches here is told. */
  #see(state: PlainState, index?: LogIndex): AnyMachineSnapshot {
    const snapshot = snapshotOf(state, this.#replica.rules)
    if (this.#replica.port !== null) return snapshot
    this.#seen = snapshot
    // A read does not say of which index it is: who listens hears of it in its turn.
    const isTold = this.#remote !== null && (index === undefined || this.#remote.take(this.id, state, index))
    if (!isTold) this.#replica.listeners.changed(this.id, snapshot)
    return snapshot
  }
}
