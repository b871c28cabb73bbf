// The door: a machine of XState in, a state machine for `startNode` out.

import type { ActorRef, AnyStateMachine, EmittedFrom, EventFromLogic, InputFrom, SnapshotFrom } from 'xstate'
import { z } from 'zod'
import { QuorateError } from '../errors.ts'
import { describeIssues } from '../options.ts'
import type { Refused, StateMachine } from '../state-machine.ts'
import { checkCarried } from './carried.ts'
import type { Previous } from './generations.ts'
import { type Asked, InstanceHandle, type SendOptions, type SentEvent } from './handles.ts'
import type { Change } from './instance-codec.ts'
import { checkMachine, isMachine } from './register.ts'
import { RemoteInstances } from './remote-instances.ts'
import type { Verdict } from './replica.ts'
import { MachineReplica } from './replicated-machine.ts'

export interface ReplicateOptions<M extends AnyStateMachine = AnyStateMachine> {
  /** How many steps one event may take before it is taken for a circle. Needed unless the machine says it itself. */
  readonly maxIterations?: number
  /** Freezes every context, so that a guard, an assign or an action that changes it in place throws. Default true. */
  readonly strict?: boolean
  /** The input of an instance that is created by its first event. The same on every member, so of the key alone. */
  readonly input?: (key: string) => InputFrom<M>
  /**
   * Names of actions that have to be performed: each is kept until it has ended, and tried again when it fails or its leader
   * dies, under one name. The same on every member; a machine that gets others needs another version.
   */
  readonly durable?: readonly string[]
  /** A job or a durable action that has no result after so long has failed. Default 0: it may take as long as it likes. */
  readonly jobTimeoutMs?: number
  /** After so many indexes of the log members compare their states. Default 1000; 0: never. */
  readonly compareEvery?: number
  /** What a member does whose state is not the leader's: say so in its log, or stop. Default `report`. */
  readonly onDivergence?: 'report' | 'stop'
  /** The version that the group runs until it is upgraded. */
  readonly previous?: PreviousMachine
}

/** An instance as one version leaves it to the next. Timers and jobs keep their ids, or go. */
export type OldInstance = Change

/** A machine that was replicated before, for a group that is to run another version of it from some entry on. */
export interface PreviousMachine {
  readonly machine: AnyStateMachine
  /** As that of the options, for this one. */
  readonly maxIterations?: number | undefined
  /** The names that this one was replicated with. */
  readonly durable?: readonly string[] | undefined
  /** What becomes of an instance; the same on every member. Left out: it stays as it is. */
  readonly migrate?: ((old: OldInstance, key: string) => OldInstance) | undefined
}

/** One instance, wherever its group is. */
export interface InstanceRef<M extends AnyStateMachine>
  extends ActorRef<SnapshotFrom<M>, EventFromLogic<M>, EmittedFrom<M>> {
  /**
   * Resolves when the event was applied.
   *
   * @throws QuorateError INVALID when the instance has ended, or does not take the event and `unaccepted` is `refuse`;
   *   STATE_MACHINE when the machine's own code threw: outcome `not-applied`, and the instance goes on. Else what `apply`
   *   of a node or a client rejects with.
   * @example const { snapshot, index } = await order.send({ type: 'pay', amount: 12 })
   */
  send: (event: EventFromLogic<M>, options?: SendOptions) => Promise<SentEvent<SnapshotFrom<M>>>
  /** Makes the instance with an input of its own. @throws QuorateError CONFLICT when it is there already */
  create(input?: InputFrom<M>): Promise<SentEvent<SnapshotFrom<M>>>
  /** Linearizable: no event that was acknowledged before is missing. */
  read(): Promise<SnapshotFrom<M>>
  /** As far as this process knows. */
  can(event: EventFromLogic<M>): boolean
}

/** The instances of a group. */
export interface Actors<M extends AnyStateMachine> {
  actor(key: string): InstanceRef<M>
}

/** Goes to `startNode` as `stateMachine`; each member has one of its own. */
export interface Replicated<M extends AnyStateMachine>
  extends StateMachine<unknown, Verdict | Refused, unknown, unknown> {
  /** The instances, by a node of this process or by a client of the group. */
  actors(through: Asked): Actors<M>
  /** The version that the group runs, as far as this member has applied its log; null: it has not said yet. */
  readonly version: string | null
  /**
   * Lets the group run the version that `replicate` was given, from this entry on; `previous` runs until then. Members that do
   * not carry it stop, so it is for when all of them have been started with the new code: a client asks all of them first,
   * and a node, which cannot, takes your word. When it runs already, nothing happens.
   *
   * @throws QuorateError CONFLICT when a member does not answer the client, or does not carry the version: nothing has changed.
   * @throws QuorateError STATE_MACHINE when an instance cannot be taken over: nothing has changed.
   */
  upgrade(through: Asked): Promise<void>
  /**
   * Lets all members compare their states with the leader's, at this entry. Who differs says so in its log and in `divergence`, with
   * the index and the instance; with a key also where in it, so ask again with the one that was named.
   */
  compare(through: Asked, key?: string): Promise<void>
  /** How the state of this member was found to differ from the leader's; null: it was not. */
  readonly divergence: string | null
}

const durableSchema = z
  .array(z.string('must be the name of an action, as text').min(1, 'must be the name of an action'))
  .refine((names) => new Set(names).size === names.length, 'must not name an action twice')
  .default([])

const optionsSchema = z.strictObject({
  maxIterations: z.number().int().min(1).optional(),
  strict: z.boolean().default(true),
  input: z
    .custom<(key: string) => unknown>((input) => typeof input === 'function', 'must be a function')
    .optional(),
  durable: durableSchema,
  jobTimeoutMs: z.number().min(0).max(2_147_483_647).default(0),
  compareEvery: z.number().int().min(0).default(1000),
  onDivergence: z.enum(['report', 'stop']).default('report'),
  previous: z
    .strictObject({
      machine: z.custom<AnyStateMachine>(isMachine, 'must be a machine of XState'),
      maxIterations: z.number().int().min(1).optional(),
      durable: durableSchema,
      migrate: z
        .custom<NonNullable<PreviousMachine['migrate']>>(
          (migrate) => typeof migrate === 'function',
          'must be a function',
        )
        .optional(),
    })
    .optional(),
})

/**
 * Makes a state machine of a machine of XState, for any number of instances of it. The machine imports nothing for it.
 *
 * @throws QuorateError INVALID, with the reason in one sentence, for a machine that cannot be replicated.
 * @example
 * const orders = replicate(orderMachine, { maxIterations: 1000 })
 * const node = await host.startNode({ group: 'orders', peers: ['n1', 'n2', 'n3'], stateMachine: orders })
 * const order = orders.actors(node).actor('4711')
 * const { snapshot } = await order.send({ type: 'pay' })
 */
export function replicate<M extends AnyStateMachine>(machine: M, options?: ReplicateOptions<M>): Replicated<M>
export function replicate(
  machine: AnyStateMachine,
  options: ReplicateOptions = {},
): Replicated<AnyStateMachine> {
  const parsed = optionsSchema.safeParse(options)
  if (!parsed.success) throw new QuorateError('INVALID', describeIssues('Option', parsed.error.issues))
  const { input, previous: old, ...settings } = parsed.data
  const maxIterations = checkMachine(machine, settings.maxIterations, settings.durable)
  const previous = old === undefined ? null : previousOf(old, maxIterations)
  const inputOf = input ?? (() => undefined)
  return new ReplicatedActors(machine, { ...settings, maxIterations, inputOf, previous })
}

function previousOf(old: PreviousMachine, bound: number): Previous {
  const { machine, maxIterations, durable = [], migrate } = old
  const own = checkMachine(machine, maxIterations ?? bound, durable)
  return { machine, maxIterations: own, durable, migrate: (key, old) => migrate?.(old, key) ?? old }
}

/** For whoever starts a machine that says nothing of a bound: more than any event needs. */
const PLENTY_OF_STEPS = 1000

/** A machine as it is, without options: null, it is none of XState's. @throws QuorateError INVALID */
export function replicateAsIs(machine: unknown): StateMachine | null {
  if (!isMachine(machine)) return null
  const isBounded = Number.isFinite(machine.options.maxIterations)
  return replicate(machine, isBounded ? {} : { maxIterations: PLENTY_OF_STEPS })
}

class ReplicatedActors extends MachineReplica implements Replicated<AnyStateMachine> {
  /** One for each client, so that an instance is subscribed to once however many handles it has. */
  readonly #remote = new WeakMap<Asked, RemoteInstances>()

  actors(through: Asked): Actors<AnyStateMachine> {
    const remote = this.#remoteOf(through)
    return { actor: (key) => new InstanceHandle(key, this, through, remote) }
  }

  #remoteOf(through: Asked): RemoteInstances | null {
    const { subscribe } = through
    if (subscribe === undefined) return null
    const remote = this.#remote.get(through) ?? new RemoteInstances(this, { subscribe })
    this.#remote.set(through, remote)
    return remote
  }

  async compare(through: Asked, key: string | null = null): Promise<void> {
    await through.apply(['check', key])
  }

  async upgrade(through: Asked): Promise<void> {
    const command = this.upgradeCommand
    if (command === null) return
    await checkCarried(this.newestName, through)
    await through.apply(command)
  }
}
