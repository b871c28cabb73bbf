// What a feed needs of a state machine that consists of many instances of one chart.

import type { FeedInstance } from '../../protocol/feed-protocol.ts'

/** A command has reached an instance; `key` null: all of them may be others now. */
export interface InstanceMove {
  readonly key: string | null
  readonly event: string
  readonly index: number
  readonly atMs: number
}

export interface InstanceSource {
  readonly machine: string
  readonly version: string
  /** The configuration as JSON, of names alone. */
  readonly chart: string
  readonly total: number
  /** Undefined: there is none. What moved it last is for whoever follows to know. */
  view(key: string): Omit<FeedInstance, 'last'> | undefined
  /** Those that changed last as far as that is known, the newest first. */
  lately(count: number): readonly string[]
  /** Keys that begin like this, the one that is just this before all others. */
  find(text: string, count: number): readonly string[]
  /** Costs something at each command. Returns the function that ends it. */
  follow(moved: (move: InstanceMove) => void): () => void
}

/** Where a state machine keeps it: no name that one of somebody else's making could have by chance. */
export const INSTANCE_SOURCE: unique symbol = Symbol.for('quorate.instance-source')

interface WithInstances {
  readonly [INSTANCE_SOURCE]: InstanceSource
}

/** Null: this state machine has no instances. */
export function instancesOf(stateMachine: object): InstanceSource | null {
  return hasInstances(stateMachine) ? stateMachine[INSTANCE_SOURCE] : null
}

function hasInstances(stateMachine: object): stateMachine is WithInstances {
  return INSTANCE_SOURCE in stateMachine
}
