// How the handles of one group ask: whatever is refused before it reaches the engine ends in its turn all the same, and
// the bytes under way are bounded.

import { MAX_SNAPSHOT_BYTES_UNDER_WAY, type SnapshotDone } from '../snapshot-store.ts'
import { type StorageDone, StorageError } from '../storage.ts'
import type { AnswerOf, CallOf, SnapshotCallKind, SnapshotPort } from './calls.ts'

/** Calls completions, and knows whether one has thrown. */
export interface Completer {
  readonly fault: StorageError | null
  complete<T>(done: (value: T) => void, value: T): void
}

/** Bytes that the handles of a storage have asked for and not been answered. */
export class BytesUnderWay {
  #bytes = 0

  /** The reason why so many more are too many; null: they are taken. */
  take(bytes: number): string | null {
    if (this.#bytes + bytes > MAX_SNAPSHOT_BYTES_UNDER_WAY) {
      return `more than ${MAX_SNAPSHOT_BYTES_UNDER_WAY} bytes of snapshots are under way: wait for some of them to be done`
    }
    this.#bytes += bytes
    return null
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }
}

export class Asking {
  readonly group: string
  readonly underWay: BytesUnderWay
  readonly #port: SnapshotPort
  readonly #completer: Completer
  readonly #refusal: () => StorageError | null
  #closed = false

  constructor(
    group: string,
    port: SnapshotPort,
    completer: Completer,
    underWay: BytesUnderWay,
    refusal: () => StorageError | null,
  ) {
    this.group = group
    this.underWay = underWay
    this.#port = port
    this.#completer = completer
    this.#refusal = refusal
  }

  /** Lets go of the group: whatever is asked for from now on ends with CLOSED. Repeating it is harmless. */
  end(done: SnapshotDone<null>): void {
    const end: SnapshotDone<null> = (result) => this.#completer.complete(done, result)
    if (this.#closed) this.#port.settle(() => end({ ok: true, value: null }))
    else this.#port.ask('close', { group: this.group }, end)
    this.#closed = true
  }

  /** `done` is called once, sheltered. With `invalid`, the reason why this makes no sense, nothing is asked for. */
  ask<Kind extends SnapshotCallKind>(
    kind: Kind,
    call: CallOf<Kind>,
    done: SnapshotDone<AnswerOf<Kind>>,
    invalid: string | null = null,
  ): void {
    const refusal = this.#refusalOf(invalid)
    if (refusal !== null)
      this.#port.settle(() => this.#completer.complete(done, { ok: false, error: refusal }))
    else this.#port.ask(kind, call, (result) => this.#completer.complete(done, result))
  }

  /** Nothing is asked for: `done` comes in its turn, with a refusal or with what `failure` returns then. */
  settle(invalid: string | null, failure: () => StorageError | null, done: StorageDone): void {
    const refusal = this.#refusalOf(invalid)
    this.#port.settle(() => this.#completer.complete(done, refusal ?? failure()))
  }

  /** Why nothing can be asked for; null: it can. */
  #refusalOf(invalid: string | null): StorageError | null {
    if (this.#closed) return new StorageError('CLOSED', `The snapshots of group ${this.group} are closed.`)
    const error = this.#refusal() ?? this.#completer.fault
    if (error !== null || invalid === null) return error
    return new StorageError('INVALID', `Snapshots of group ${this.group}: ${invalid}.`)
  }
}

/** For calls that have nothing to tell but whether they failed. */
export function toStorageDone(done: StorageDone): SnapshotDone<null> {
  return (result) => done(result.ok ? null : result.error)
}
