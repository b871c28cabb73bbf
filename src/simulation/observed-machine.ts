// Stands between the node and a user's state machine: tells the checker what is applied, how the state looks then and
// which hooks are called, and lets a run wait for user code that answers later.

import type { Configuration, LogIndex } from '../rules/types.ts'
import type { AppliedPosition, LeaderChange, StateMachine } from '../state-machine.ts'
import type { AppliedEntry, Hook } from './invariants/invariants.ts'

export interface MachineWatch {
  applied(entry: AppliedEntry): void
  hook(hook: Hook): void
  /** How the state looks after an entry, for machines that have `stateHash`. */
  state(at: AppliedPosition, hash: string): void
  /** User code answers later: the run has to let it. What comes back settles as a turn of the process. */
  later(promise: PromiseLike<unknown>): PromiseLike<unknown>
}

/** Commands of simulated clients carry a number, so that two equal commands are two proposals. */
export interface Numbered {
  readonly id: number
  readonly command: unknown
}

export class ObservedMachine implements StateMachine {
  readonly inner: StateMachine
  readonly #watch: MachineWatch
  /** Null where the machine has none, so that nothing is compared. */
  readonly #hash: (() => string) | null
  readonly #tellsStates: boolean
  readonly stateHash?: () => string

  /** `tellsStates`: a hash after every entry, which costs as much as the user's `stateHash` does. */
  constructor(inner: StateMachine, watch: MachineWatch, tellsStates: boolean) {
    this.inner = inner
    this.#watch = watch
    this.#hash = inner.stateHash === undefined ? null : () => inner.stateHash?.() ?? ''
    this.#tellsStates = tellsStates
    if (this.#hash !== null) this.stateHash = this.#hash
  }

  /** For comparing whole members. While states are told entry by entry there is nothing left to compare. */
  get comparableHash(): string | null {
    return this.#tellsStates ? null : (this.#hash?.() ?? null)
  }

  apply(command: unknown, at: AppliedPosition): unknown {
    this.#watch.applied({ index: at.index, term: at.term })
    const result = this.inner.apply(isNumbered(command) ? command.command : command, at)
    if (!isPromise(result)) {
      this.#tellState(at)
      return result
    }
    return this.#watch.later(
      result.then((value) => {
        this.#tellState(at)
        return value
      }),
    )
  }

  read(query: unknown): unknown {
    if (this.inner.read === undefined) throw new Error('The state machine has no read method.')
    const answer = this.inner.read(query)
    return isPromise(answer) ? this.#watch.later(answer) : answer
  }

  onConfigurationCommitted(configuration: Configuration, index: LogIndex): void {
    this.#watch.hook({ name: 'configuration', configuration, index })
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

  #tellState({ index, term }: AppliedPosition): void {
    if (this.#tellsStates && this.#hash !== null) this.#watch.state({ index, term }, this.#hash())
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
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
