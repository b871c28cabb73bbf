// Stands between the node and a user's state machine: tells the checker what is applied, how the state looks then and
// which hooks are called, and lets a run wait for user code that answers later.

import type { Configuration, LogIndex } from '../rules/types.ts'
import { type AppliedPosition, asksForTime, type LeaderChange, type StateMachine } from '../state-machine.ts'
import { encodeValue } from '../transport/wire/codec.ts'
import type { AppliedEntry, Hook } from './invariants/invariants.ts'
import { Scribbler } from './scribbler.ts'

export interface MachineWatch {
  applied(entry: AppliedEntry): void
  hook(hook: Hook): void
  /** How the state looks after an entry, for machines that have `stateHash`. */
  state(at: AppliedPosition, hash: string): void
  /** The state is being saved, or replaced by that of a snapshot. */
  snapshot(what: 'capture' | 'load' | 'loaded', hash: string | null): void
  /** User code answers later: the run has to let it. What comes back settles as a turn of the process. */
  later(promise: PromiseLike<unknown>): PromiseLike<unknown>
}

/** Commands of simulated clients carry a number, so that two equal commands are two proposals. */
export interface Numbered {
  readonly id: number
  readonly command: unknown
  /** Something to scribble on. */
  readonly bytes?: Uint8Array
}

/** The bytes of a proposal. Byte strings are what a codec lends most easily, so every command has one. */
export function encodeNumbered(id: number, command: unknown): Uint8Array {
  return encodeValue({ id, command, bytes: Uint8Array.of(id & 0xff, 1, 2, 3, 4, 5, 6, 7) })
}

export interface ObservedMachineOptions {
  /** A hash after every entry, which costs as much as the user's `stateHash` does. */
  readonly tellsStates: boolean
  /** It writes on everything that it is given, and keeps it. */
  readonly scribbles: boolean
}

export class ObservedMachine implements StateMachine {
  readonly inner: StateMachine
  readonly #watch: MachineWatch
  /** Null where the machine has none, so that nothing is compared. */
  readonly #hash: (() => string) | null
  readonly #tellsStates: boolean
  readonly #scribbler: Scribbler | null
  readonly wantsTime?: NonNullable<StateMachine['wantsTime']>
  readonly onStart?: NonNullable<StateMachine['onStart']>
  readonly stateHash?: () => string
  readonly onSnapshotSave?: NonNullable<StateMachine['onSnapshotSave']>
  readonly onSnapshotLoad?: NonNullable<StateMachine['onSnapshotLoad']>
  readonly snapshot?: () => unknown
  readonly restore?: (value: unknown) => void | Promise<void>

  constructor(inner: StateMachine, watch: MachineWatch, { tellsStates, scribbles }: ObservedMachineOptions) {
    this.inner = inner
    this.#watch = watch
    this.#hash = inner.stateHash === undefined ? null : () => inner.stateHash?.() ?? ''
    this.#tellsStates = tellsStates
    this.#scribbler = scribbles ? new Scribbler() : null
    if (this.#hash !== null) this.stateHash = this.#hash
    if (inner.wantsTime !== undefined) this.wantsTime = (encoded) => asksForTime(inner, encoded)
    if (inner.onStart !== undefined) this.onStart = (port) => inner.onStart?.(port)
    if (inner.onSnapshotSave !== undefined)
      this.onSnapshotSave = (writer, signal) => {
        this.#captures()
        const returned = inner.onSnapshotSave?.(writer, signal)
        this.#scribbler?.scribbleOn(writer.meta)
        return returned
      }
    if (inner.onSnapshotLoad !== undefined)
      this.onSnapshotLoad = (reader, signal) =>
        this.#loads(() => inner.onSnapshotLoad?.(reader, signal), reader.meta)
    if (inner.snapshot !== undefined)
      this.snapshot = () => {
        this.#captures()
        const value = inner.snapshot?.()
        this.#scribbler?.keep(value)
        return value
      }
    if (inner.restore !== undefined)
      this.restore = (value) => this.#loads(() => inner.restore?.(value), value)
  }

  /** For comparing whole members. While states are told entry by entry there is nothing left to compare. */
  get comparableHash(): string | null {
    return this.#tellsStates ? null : (this.#hash?.() ?? null)
  }

  apply(command: unknown, at: AppliedPosition): unknown {
    const { index, term } = at
    this.#watch.applied({ index, term })
    const result = this.inner.apply(isNumbered(command) ? command.command : command, { ...at })
    if (!isPromise(result)) {
      this.#tellState({ index, term })
      this.#scribbler?.scribbleOn(command, at)
      this.#scribbler?.keep(result)
      return result
    }
    return this.#watch.later(
      result.then((value) => {
        this.#tellState({ index, term })
        this.#scribbler?.scribbleOn(command, at)
        this.#scribbler?.keep(value)
        return value
      }),
    )
  }

  read(query: unknown): unknown {
    if (this.inner.read === undefined) throw new Error('The state machine has no read method.')
    const answer = this.inner.read(query)
    if (isPromise(answer)) return this.#watch.later(answer)
    this.#scribbler?.scribbleOn(query)
    this.#scribbler?.keep(answer)
    return answer
  }

  onConfigurationCommitted(configuration: Configuration, index: LogIndex): void {
    this.#watch.hook({ name: 'configuration', configuration, index })
    this.inner.onConfigurationCommitted?.(configuration, index)
    this.#scribbler?.scribbleOn(configuration)
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
    this.#scribbler?.scribbleOn(change)
  }

  onStopFollowing(change: LeaderChange): void {
    this.#watch.hook({ name: 'stopFollowing', term: change.term, leader: change.leader })
    this.inner.onStopFollowing?.(change)
    this.#scribbler?.scribbleOn(change)
  }

  onError(error: Error): void {
    this.#watch.hook({ name: 'error' })
    this.inner.onError?.(error)
  }

  onShutdown(): void {
    this.#watch.hook({ name: 'shutdown' })
    this.inner.onShutdown?.()
  }

  #captures(): void {
    this.#watch.snapshot('capture', this.#hash?.() ?? null)
  }

  /** `given` is the machine's own. */
  #loads(load: () => void | Promise<void>, given: unknown): void | Promise<void> {
    this.#watch.snapshot('load', null)
    const loaded = (): void => {
      this.#watch.snapshot('loaded', this.#hash?.() ?? null)
      this.#scribbler?.scribbleOn(given)
    }
    const returned = load()
    if (isPromise(returned)) return returned.then(loaded)
    loaded()
  }

  #tellState({ index, term }: AppliedPosition): void {
    if (this.#tellsStates && this.#hash !== null) this.#watch.state({ index, term }, this.#hash())
  }
}

/** The same methods, for a machine that stands in front of another one. */
export function snapshotMethods(
  inner: StateMachine,
): Pick<StateMachine, 'onSnapshotSave' | 'onSnapshotLoad' | 'snapshot' | 'restore'> {
  const { onSnapshotSave, onSnapshotLoad, snapshot, restore } = inner
  return {
    ...(onSnapshotSave && { onSnapshotSave: onSnapshotSave.bind(inner) }),
    ...(onSnapshotLoad && { onSnapshotLoad: onSnapshotLoad.bind(inner) }),
    ...(snapshot && { snapshot: snapshot.bind(inner) }),
    ...(restore && { restore: restore.bind(inner) }),
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
