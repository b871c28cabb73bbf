// Looks at the state at one index exactly: after the entry there and before the next one, however fast entries come. So
// members that apply at different moments can be compared.

import type { QuorateError } from '../../errors.ts'
import type { LogIndex } from '../../rules/types.ts'
import type { ApplyQueueEvent, ExclusiveTask } from './apply-queue.events.ts'

export type StateHashOutcome =
  | { readonly ok: true; readonly index: LogIndex; readonly hash: string }
  | { readonly ok: false; readonly error: QuorateError }

export interface StateProbe {
  readonly index: LogIndex
  readonly task: ExclusiveTask
}

export class StateProbes {
  /** Whoever waits for its answer, wherever it has got to. */
  readonly asked = new Set<(outcome: StateHashOutcome) => void>()
  /** Those whose index is not committed here yet. */
  readonly ahead = new Set<StateProbe>()

  /** What the apply queue is told when all is committed up to here: each probe in its place among the entries. */
  upTo(index: LogIndex): readonly ApplyQueueEvent[] {
    const all = { type: 'committed', index } as const
    if (this.ahead.size === 0) return [all]
    const due = [...this.ahead].filter((probe) => probe.index <= index).sort((a, b) => a.index - b.index)
    for (const probe of due) this.ahead.delete(probe)
    return [...due.flatMap(inItsPlace), all]
  }
}

function inItsPlace({ index, task }: StateProbe): readonly ApplyQueueEvent[] {
  return [
    { type: 'committed', index },
    { type: 'stateHash', task },
  ]
}
