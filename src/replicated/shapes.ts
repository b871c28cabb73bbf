// What an instance is made of, and what follows from a step of it.

import type { AnyMachineSnapshot, EventObject } from 'xstate'
import type { LogIndex } from '../rules/types.ts'

/** A delayed event. `target`: the job it is for; null: the instance itself. */
export interface Timer {
  readonly armedAt: LogIndex
  readonly dueAtMs: number
  readonly event: EventObject
  readonly target: string | null
}

/** How far a durable action has come. */
export interface Tries {
  readonly failures: number
  /** Not before that: after a failure it waits. */
  readonly dueAtMs: number
}

/** An invoked actor, or a durable action: it runs at the leader until there is a result. */
export interface Job {
  readonly armedAt: LogIndex
  /** The name of the actor, or of the action. */
  readonly src: string
  /** Of an action: what it is called with. */
  readonly input: unknown
  /** Null: an actor. */
  readonly action: Tries | null
}

/** Whether it is the same one, and a durable action has failed as often. */
export function isSameTry(one: Job | undefined, other: Job): boolean {
  return one?.armedAt === other.armedAt && one.action?.failures === other.action?.failures
}

export interface Instance {
  readonly snapshot: AnyMachineSnapshot
  readonly timers: ReadonlyMap<string, Timer>
  readonly jobs: ReadonlyMap<string, Job>
}

/** What follows from a step, besides the state. */
export type Effect =
  | { readonly type: 'emit'; readonly event: EventObject }
  | { readonly type: 'tell'; readonly job: string; readonly event: EventObject }
  | { readonly type: 'gaveUp'; readonly name: string; readonly error: unknown }
  | { readonly type: 'act'; readonly name: string; readonly run: () => void }

/** Where an event stands in the log. */
export interface At {
  readonly index: LogIndex
  /** By the leader's clock; never decreases. */
  readonly timeMs: number
}
