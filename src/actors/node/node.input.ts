// What a node is handed when it is started: its place in the world, and what is wished of it.

import type { Tuning } from '../../options.ts'
import type { Configuration, PeerId } from '../../rules/types.ts'
import type { CacheBudget } from '../../runtime/cache-budget.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Random } from '../../runtime/random.ts'
import type { SnapshotThrottle } from '../../runtime/snapshot-throttle.ts'
import type { StateMachine } from '../../state-machine.ts'
import type { Storage } from '../../storage/storage.ts'
import type { PeerRpc, RequestHandler } from '../../transport/rpc/peer-rpc.ts'

/** The world and the wishes that a node is started with. */
export interface NodeInput {
  readonly group: string
  readonly id: PeerId
  readonly initialConfiguration: Configuration
  readonly tuning: Tuning
  readonly stateMachine: StateMachine
  /** Called with each command that goes into the log of this member as leader: notes the time on it. */
  readonly stamp: (data: Uint8Array) => void
  /** Called with the newest command of those that have come from a leader: tells the time that is noted on it. */
  readonly hear: (data: Uint8Array) => void
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly storage: Storage
  /** Members whose files an operator vouches for, whatever the log says of them. */
  readonly trusted?: readonly PeerId[]
  /** For what could be read again, shared by all groups of the process. */
  readonly caches: CacheBudget
  /** For snapshots, shared by all groups of the process. */
  readonly throttle: SnapshotThrottle
  readonly rpc: PeerRpc
  /** Joins the routing table of the host; throws when the group is already carried. */
  readonly join: (handler: RequestHandler) => { stop(): void }
  /** Called once: the node takes part in its group, or could not be started. */
  readonly started: (error: Error | null) => void
}
