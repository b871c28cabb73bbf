// Stands between the node and a user's state machine: tells the checker what is applied and which hooks are called,
// and lets a run wait for user code that answers later.

import type { Configuration, LogIndex } from '../rules/types.ts'
import type { AppliedPosition, LeaderChange, StateMachine } from '../state-machine.ts'
import type { AppliedEntry, Hook } from './invariants.ts'

export interface MachineWatch {
  applied(entry: AppliedEntry): void
  hook(hook: Hook): void
  /** User code answers later: the run has to let it. */
  waits(promise: PromiseLike<unknown>): void
}

/** Commands of simulated clients carry a number, so that two equal commands are two proposals. */
export interface Numbered {
  readonly id: number
  readonly command: unknown
}

export class ObservedMachine implements StateMachine {
  readonly inner: StateMachine
  readonly #watch: MachineWatch

  constructor(inner: StateMachine, watch: MachineWatch) {
    this.inner = inner
    this.#watch = watch
  }

  apply(command: unknown, at: AppliedPosition): unknown {
    this.#watch.applied({ index: at.index, term: at.term })
    return this.#noticed(this.inner.apply(isNumbered(command) ? command.command : command, at))
  }

  read(query: unknown): unknown {
    if (this.inner.read === undefined) throw new Error('The state machine has no read method.')
    return this.#noticed(this.inner.read(query))
  }

  stateHash(): string {
    return this.inner.stateHash?.() ?? ''
  }

  onConfigurationCommitted(configuration: Configuration, index: LogIndex): void {
    this.inner.onConfigurationCommitted?.(configuration, index)
  }

  onLeaderStart(term: number): void {
    this.#watch.hook({ name: 'leaderStart', term })
    this.inner.onLeaderStart?.(term)
  }

  onLeaderStop(reason: string): void {
    this.#watch.hook({ name: 'leaderStop' })
    this.inner.onLeaderStop?.(reason)
  }

  onStartFollowing(change: LeaderChange): void {
    this.#watch.hook({ name: 'startFollowing', term: change.term, leader: change.leader })
    this.inner.onStartFollowing?.(change)
  }

  onStopFollowing(change: LeaderChange): void {
    this.#watch.hook({ name: 'stopFollowing', term: change.term, leader: change.leader })
    this.inner.onStopFollowing?.(change)
  }

  onError(error: Error): void {
    this.#watch.hook({ name: 'error' })
    this.inner.onError?.(error)
  }

  onShutdown(): void {
    this.#watch.hook({ name: 'shutdown' })
    this.inner.onShutdown?.()
  }

  #noticed<T>(value: T): T {
    if (typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function') {
      this.#watch.waits(value as unknown as PromiseLike<unknown>)
    }
    return value
  }
}

export function isNumbered(value: unknown): value is Numbered {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    'command' in value &&
    typeof value.id === 'number'
  )
}
