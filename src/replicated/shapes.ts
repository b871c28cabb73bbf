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

/** An invoked actor: it runs at the leader until there is a result. */
export interface Job {
  readonly armedAt: LogIndex
  readonly src: string
  readonly input: unknown
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
  | { readonly type: 'act'; readonly name: string; readonly run: () => void }

/** Where an event stands in the log. */
export interface At {
  readonly index: LogIndex
  /** By the leader's clock; never decreases. */
  readonly timeMs: number
}
