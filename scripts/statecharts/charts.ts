// The charts of src/actors, by name: what is exported, drawn and checked.

import type { AnyStateMachine } from 'xstate'
import { applyQueueMachine } from '../../src/actors/apply/apply-queue.machine.ts'
import { logMachine } from '../../src/actors/log.machine.ts'
import { configurationChangeMachine } from '../../src/actors/membership/configuration-change.machine.ts'
import { nodeMachine } from '../../src/actors/node/node.machine.ts'
import { heartbeatMachine } from '../../src/actors/replication/heartbeat.machine.ts'
import { replicatorMachine } from '../../src/actors/replication/replicator.machine.ts'
import { copierMachine } from '../../src/actors/snapshot/copier.machine.ts'
import { snapshotMachine } from '../../src/actors/snapshot/snapshot.machine.ts'
import { timerMachine } from '../../src/actors/timer.machine.ts'

export interface Chart {
  /** The name of its files in `statecharts/`. */
  readonly name: string
  /** Where the machine is written. */
  readonly source: string
  readonly machine: AnyStateMachine
  /** One sentence for the legend. */
  readonly what: string
}

export const charts: readonly Chart[] = [
  {
    name: 'node',
    source: 'src/actors/node/node.machine.ts',
    machine: nodeMachine,
    what: 'One member of one group: it comes up step by step, then follows, stands for election or leads, and ends in order or in error.',
  },
  {
    name: 'replicator',
    source: 'src/actors/replication/replicator.machine.ts',
    machine: replicatorMachine,
    what: 'One follower as its leader sees it: where do our logs agree, then a window of frames, rest, or a pause after a failure.',
  },
  {
    name: 'heartbeat',
    source: 'src/actors/replication/heartbeat.machine.ts',
    machine: heartbeatMachine,
    what: 'The heartbeat of a leader to one follower, independent of replication.',
  },
  {
    name: 'log',
    source: 'src/actors/log.machine.ts',
    machine: logMachine,
    what: 'The log of one group: opened, then appended to and truncated; a failed write is the end of it.',
  },
  {
    name: 'apply-queue',
    source: 'src/actors/apply/apply-queue.machine.ts',
    machine: applyQueueMachine,
    what: 'The serial queue in front of the user’s state machine: idle, at work, failed for good, or stopped.',
  },
  {
    name: 'configuration-change',
    source: 'src/actors/membership/configuration-change.machine.ts',
    machine: configurationChangeMachine,
    what: 'The change of membership that a leader carries out: those who come are caught up, both sets decide, then the new one alone.',
  },
  {
    name: 'snapshot',
    source: 'src/actors/snapshot/snapshot.machine.ts',
    machine: snapshotMachine,
    what: 'The snapshots of one member: it saves, fetches one from its leader, or loads one, and does one of these at a time.',
  },
  {
    name: 'copier',
    source: 'src/actors/snapshot/copier.machine.ts',
    machine: copierMachine,
    what: 'The download of one snapshot: its list of files, what is missing of them piece by piece, and the step in which it is published.',
  },
  {
    name: 'timer',
    source: 'src/actors/timer.machine.ts',
    machine: timerMachine,
    what: 'A repeating timer. The state that invokes it owns it: it cannot outlive the role it belongs to.',
  },
]
