// What a simulated group is made of, and the shapes in which it shows itself to a test.

import type { TuningInput } from '../options.ts'
import type { Configuration, LogEntry, PeerId, SnapshotMeta } from '../rules/types.ts'
import type { StateMachine } from '../state-machine.ts'
import type { NodeStatus } from '../status.ts'
import type { LinkSettings } from './bus/link.ts'
import type { DiskLatency } from './disk/sim-disk.ts'
import type { MachinePace } from './slow-machine.ts'
import type { Latency } from './time/sim-random.ts'

export interface SimulationOptions {
  /** Decides everything that is left to chance: timers, orders, delays, what a power loss takes. */
  readonly seed: number
  /** The members of the group, which is also its first configuration. */
  readonly nodes: readonly PeerId[]
  /** Hosts that wait to be added: their first configuration is empty. Default: none. */
  readonly joiners?: readonly PeerId[]
  /** Members that are not started: `restart` starts them. */
  readonly stopped?: readonly PeerId[]
  /** Options of every node, as for `startNode`. */
  readonly options?: TuningInput
  /**
   * Makes one state machine per life of a member. Default: the built-in key-value machine, which `client` uses. When
   * your machine has `stateHash`, members are compared with each other after every entry (INV-7). It may answer later;
   * a run can be repeated exactly as long as that is by promises alone, without timers or I/O of the real world.
   */
  readonly stateMachine?: () => StateMachine
  /**
   * The state machines write on everything they are given or give away (commands, positions, queries, results), and keep
   * it: to show that nobody else's memory is handed to them. Default: they don't.
   */
  readonly scribbles?: boolean
  /** User code throws wherever it is only told something: hooks, listeners, inspectors, completions. Default: it doesn't. */
  readonly rude?: boolean
  /** How long the state machines take for a command or a query, in virtual time. Default: no time at all. */
  readonly machinePace?: MachinePace
  /** Whether a machine that throws ends the simulation (the default), or only its member. */
  readonly machineErrors?: 'throw' | 'allow'
  /** Of every link: delay, loss, duplicates, order. Default: a local network without faults. */
  readonly link?: Partial<LinkSettings>
  readonly disk?: DiskLatency
  /** How late timers come. Default: never. */
  readonly timerLag?: Latency
  readonly deferLag?: Latency
  /** How much later it is at each look at a clock: whoever looks twice in one turn sees two times. Default 0. */
  readonly lookMs?: number
  /** Local milliseconds per true millisecond, where it is not 1. */
  readonly clockRates?: Readonly<Record<PeerId, number>>
  /** What the first entry of every log says, as an earlier life of the group left it. Default: empty logs. */
  readonly inheritedConfiguration?: Configuration
  /** The members' services are on the bus, and `busClient` gives real clients of theirs. Default false. */
  readonly services?: boolean
  /**
   * Files have an identity, which the log records, so that wiped members are noticed. Default false: they have none, and
   * no entries are written for it, which scripts would have to count.
   */
  readonly identities?: boolean
  /** Other groups that the same processes carry, by name; of the same members. Default: none. */
  readonly sideGroups?: readonly string[]
  /** False: no invariants, for tests that break them on purpose. */
  readonly check?: boolean
  /** Lines of trace kept in memory. Default 2000. */
  readonly maxTraceLines?: number
  /** Gets every line of the trace as NDJSON. */
  readonly writeNdjson?: (line: string) => void
}

export interface SimulatedStatus extends NodeStatus {
  readonly configuration: Configuration
}

export interface SimulatedNode {
  readonly alive: boolean
  readonly paused: boolean
  readonly status: () => SimulatedStatus
}

/** What would survive power loss now. */
export interface DurableState {
  readonly term: number
  readonly votedFor: PeerId | null
  readonly entries: readonly LogEntry[]
  readonly snapshot: SnapshotMeta | null
}
