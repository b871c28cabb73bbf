// One instance of a machine, as a value: its snapshot, its timers, its jobs. What an event makes of it is computed here, the
// same on every member; nothing happens, nothing is changed in place.

import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine, EventObject, Snapshot } from 'xstate'
import { type DurableCode, durableCode } from './durable.ts'
import { Collector, inertLogic } from './scope.ts'
import { type Before, Settlement } from './settlement.ts'
import type { At, Effect, Instance } from './shapes.ts'

export interface Stepped {
  readonly instance: Instance
  readonly effects: readonly Effect[]
  /** Whether the machine had a transition for the event. */
  readonly accepted: boolean
}

export class InstanceRules {
  readonly machine: AnyStateMachine
  readonly maxIterations: number
  readonly #durable: DurableCode
  readonly #collector = new Collector()
  readonly #named: ReadonlySet<string>
  /** Those that end in a star. */
  readonly #families: readonly string[]

  /** @param machine is left as it is: what is asked is a copy, whose actors do nothing. */
  constructor(machine: AnyStateMachine, maxIterations: number, durable: readonly string[]) {
    const actors = Object.keys(machine.implementations.actors ?? {})
    const copy = machine.provide({ actors: Object.fromEntries(actors.map((name) => [name, inertLogic])) })
    copy.options = { ...copy.options, maxIterations }
    this.machine = copy
    this.maxIterations = maxIterations
    this.#durable = durableCode(machine, durable)
    const known = copy.events.map(String)
    this.#named = new Set(known)
    this.#families = known.filter((descriptor) => descriptor.endsWith('*'))
  }

  /** @throws whatever the machine's own code throws, and an Error for what cannot be replicated. */
  begin(input: unknown, at: At): Stepped {
    return this.#settle(this.#initial(input), NOTHING, at, true)
  }

  /** How an instance looks that is not there yet. @throws what its own code throws */
  preview(input: unknown): AnyMachineSnapshot {
    return this.#initial(input)
  }

  /** @throws whatever the machine's own code throws, and an Error for what cannot be replicated. */
  step(instance: Instance, event: EventObject, at: At): Stepped {
    if (!this.#knows(event.type)) return { instance, effects: [], accepted: false }
    this.#collector.begin()
    const { scope } = this.#collector
    const snapshot: AnyMachineSnapshot = this.machine.transition(instance.snapshot, event, scope)
    // Only then it is not plain to see whether there was a transition.
    if (snapshot === instance.snapshot && this.#collector.isEmpty)
      return { instance, effects: [], accepted: snapshot.can(event) }
    const { timers, jobs } = instance
    const before = { timers, jobs, children: instance.snapshot.children }
    return this.#settle(snapshot, before, at, true)
  }

  /** A snapshot from its parts. @throws Error when the machine has no such state. */
  restore(parts: SnapshotParts, children: ReadonlyMap<string, string>): AnyMachineSnapshot {
    const inert = { status: 'active', output: undefined, error: undefined }
    const dressed = [...children].map(([id, src]) => [id, { snapshot: inert, src }] as const)
    const whole = { children: Object.fromEntries(dressed), ...parts }
    return this.machine.restoreSnapshot(whole, this.#collector.scope)
  }

  /** XState keeps a note for each type of event it has seen, for ever: those that no state names never get there. */
  #knows(type: string): boolean {
    return (
      type.startsWith('xstate.') || this.#named.has(type) || this.#families.some((all) => matches(type, all))
    )
  }

  #initial(input: unknown): AnyMachineSnapshot {
    this.#collector.begin()
    const first: AnyMachineSnapshot = this.machine.getInitialSnapshot(this.#collector.scope, input)
    // It returns what was thrown.
    if (first.status === 'error') throw first.error
    return first
  }

  /** What it sends to itself comes after the step, in the order in which it was sent. */
  #settle(first: AnyMachineSnapshot, before: Before, at: At, accepted: boolean): Stepped {
    const settlement = new Settlement(before, at, { self: this.#collector.self, durable: this.#durable })
    let snapshot = first
    settlement.take(this.#collector.take(), snapshot)
    for (let steps = 0; snapshot.status === 'active'; steps += 1) {
      const next: AnyEventObject | undefined = settlement.ownEvents.shift()
      if (next === undefined) break
      if (steps >= this.maxIterations)
        throw new Error(`it sends itself events without end: more than ${this.maxIterations} in one step`)
      snapshot = this.machine.transition(snapshot, next, this.#collector.scope)
      settlement.take(this.#collector.take(), snapshot)
    }
    return { ...settlement.conclude(snapshot), accepted }
  }
}

/** What XState can make a snapshot of, but for its children. */
export type SnapshotParts = Snapshot<unknown> & {
  readonly value: unknown
  readonly context: unknown
  readonly historyValue: unknown
}

const NOTHING: Before = { timers: new Map(), jobs: new Map(), children: {} }

function matches(type: string, family: string): boolean {
  return family === '*' || `${type}.`.startsWith(family.slice(0, -1))
}
