// What a source of planned faults is: for whom, how often, how long, and what it draws.

import type { Random } from '../../runtime/random.ts'
import type { Fault } from './faults.ts'
import type { Profile } from './profiles.ts'

/** What a source may draw from. */
export interface DrawContext {
  readonly nodes: readonly string[]
  /** Whose disks may be damaged for good. */
  readonly victims: readonly string[]
  readonly electionTimeoutMs: number
  /** The bound on clock rates that the options declare. */
  readonly maxRateError: number
}

export interface FaultSource {
  readonly name: string
  readonly profiles: readonly Profile[]
  /** Mean time between two episodes, and of one, in election timeouts. */
  readonly everyTimeouts: number
  readonly forTimeouts: number
  /** Null: nothing to do here, for example no second member. */
  draw(random: Random, context: DrawContext): Fault | null
}
