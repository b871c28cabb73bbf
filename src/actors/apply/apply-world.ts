// The door through which the apply queue sees its node.

import type { RaftLog } from '../../log/raft-log.ts'
import type { Tuning } from '../../options.ts'
import type { LogIndex } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { StateMachine } from '../../state-machine.ts'
import type { ExclusiveTask } from './apply-queue.events.ts'
import type { ClosureQueue } from './closures.ts'

/** What the apply queue tells the node. */
export type ApplyReport =
  /** `bytes`: of all entries applied since the node started. */
  | { readonly type: 'applied'; readonly index: LogIndex; readonly bytes: number }
  | { readonly type: 'apply.failed'; readonly error: Error }
  | { readonly type: 'applyQueue.stopped' }

export interface ApplyWorld {
  readonly group: string
  readonly stateMachine: StateMachine
  readonly logger: Logger
  readonly clock: Pick<Clock, 'nowMs' | 'defer' | 'setTimeout' | 'clearTimeout'>
  readonly tuning: Pick<Tuning, 'maxApplyBatch' | 'maxApplySliceMs' | 'maxReadHoldMs'>
  readonly log: Pick<RaftLog, 'cached' | 'fetch' | 'configurations'>
  readonly closures: ClosureQueue
  readonly commitIndex: LogIndex
  /** Tasks that wait or run, and have not been told how they ended. */
  readonly exclusiveTasks: Set<ExclusiveTask>
  /** The node has vanished: nothing is to be told any more. */
  readonly gone: boolean
  send(report: ApplyReport): void
  /** Calls a completion: one that throws is logged and stops nobody. */
  shelter(run: () => unknown): void
  /** Logs what a completion has thrown. */
  readonly completionThrew: (thrown: unknown) => void
}
