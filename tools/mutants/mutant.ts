// What a planted bug is: one line of the product changed, and what has to notice it.

import type { TuningInput } from '../../src/options.ts'
import type { FaultSourceName } from '../../src/simulation/campaign/fault-sources.ts'
import type { Profile } from '../../src/simulation/campaign/swarm.ts'
import type { MachinePace } from '../../src/simulation/slow-machine.ts'
import type { ScenarioName } from './scenarios.ts'

export interface Edit {
  /** Path below `src`. */
  readonly file: string
  /** Exact text, which must be there exactly once. */
  readonly find: string
  readonly replace: string
}

/** What the bug needs to show itself soon. Everything else is drawn from the seed. */
export interface Hint {
  readonly profile?: Profile
  readonly nodes?: number
  readonly tuning?: TuningInput
  /** Instead of drawn ones. */
  readonly sources?: readonly FaultSourceName[]
  /** Machines that take their time. */
  readonly machinePace?: MachinePace
  /** The group begins in the middle of a change of membership. */
  readonly joint?: boolean
  /** Members come and go. */
  readonly changes?: boolean
  /** Whether clients are real ones, over the members' services. */
  readonly via?: 'bus' | 'calls'
  /** Length of the safety phase in election timeouts. Default 40. */
  readonly safetyTimeouts?: number
  /** A script instead of a random campaign, for what no drawn fault reaches. */
  readonly scenario?: ScenarioName
}

interface Planted extends Edit {
  readonly name: string
  /** Its number among the sixteen classic mistakes (docs/invariants.md); those of this code base have none. */
  readonly number?: number
  /** Where one rule stands behind another, both have to go before anything can break. */
  readonly also?: readonly Edit[]
}

/** Hunted by simulation: seeds are run until an invariant notices it. */
export interface SeedMutant extends Planted {
  /** Invariants that may notice it; INV-0 is the liveness phase. */
  readonly expect: readonly string[]
  readonly hint?: Hint
  readonly tests?: never
}

/** Where no simulation reaches: test files are run in the copy, and one of their tests has to fail. */
export interface TestMutant extends Planted {
  /** Paths of test files, as `test/storage/model.test.ts`. */
  readonly tests: readonly string[]
  /** Only tests whose full name this regular expression finds: for files that take long. */
  readonly testName?: string
  readonly expect?: never
}

export type Mutant = SeedMutant | TestMutant

/** One of the sixteen that this code base has no place for yet. Reported, and counted on its own. */
export interface DeferredMutant {
  readonly name: string
  readonly number: number
  readonly reason: string
}
