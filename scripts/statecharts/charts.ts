// The charts of src/actors, by name: what is exported, drawn and checked.

import type { AnyStateMachine } from 'xstate'
import { applyQueueMachine } from '../../src/actors/apply-queue.machine.ts'
import { heartbeatMachine } from '../../src/actors/heartbeat.machine.ts'
import { logMachine } from '../../src/actors/log.machine.ts'
import { nodeMachine } from '../../src/actors/node.machine.ts'
import { replicatorMachine } from '../../src/actors/replicator.machine.ts'
import { timerMachine } from '../../src/actors/timer.machine.ts'

export interface Chart {
  /** The name of its files in `statecharts/`, as in `src/actors/<name>.machine.ts`. */
  readonly name: string
  readonly machine: AnyStateMachine
  /** One sentence for the legend. */
  readonly what: string
}

export const charts: readonly Chart[] = [
  {
    name: 'node',
    machine: nodeMachine,
    what: 'One member of one group: it comes up step by step, then follows, stands for election or leads, and ends in order or in error.',
  },
  {
    name: 'replicator',
    machine: replicatorMachine,
    what: 'One follower as its leader sees it: where do our logs agree, then a window of frames, rest, or a pause after a failure.',
  },
  {
    name: 'heartbeat',
    machine: heartbeatMachine,
    what: 'The heartbeat of a leader to one follower, independent of replication.',
  },
  {
    name: 'log',
    machine: logMachine,
    what: 'The log of one group: opened, then appended to and truncated; a failed write is the end of it.',
  },
  {
    name: 'apply-queue',
    machine: applyQueueMachine,
    what: 'The serial queue in front of the user’s state machine: idle, at work, failed for good, or stopped.',
  },
  {
    name: 'timer',
    machine: timerMachine,
    what: 'A repeating timer. The state that invokes it owns it: it cannot outlive the role it belongs to.',
  },
]
