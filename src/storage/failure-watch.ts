// What a group's store owes its owner when something fails: every completion is called once, whatever another did, and
// somebody is told when no later write can succeed.

import { messageOf, sheltered } from '../runtime/errors.ts'
import { StorageError } from './storage.ts'

export class FailureWatch {
  readonly #group: string
  readonly #report: (message: string) => void
  #listener: ((error: StorageError) => void) | null = null
  #failure: StorageError | null = null
  #fault: StorageError | null = null

  constructor(group: string, report: (message: string) => void) {
    this.#group = group
    this.#report = report
  }

  /** Why this group takes nothing more, though its storage would; `null`: it does. */
  get fault(): StorageError | null {
    return this.#fault
  }

  /** Calls what waits for a write or read. An owner whose callback throws may not know what is durable: it must stop. */
  complete<T>(done: (value: T) => void, value: T): void {
    sheltered(() => done(value), this.#threw)
  }

  listen(listener: (error: StorageError) => void): void {
    this.#listener = listener
    if (this.#failure !== null) this.#tell(this.#failure)
  }

  /** Only the first failure is told. */
  fail(error: StorageError): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#tell(error)
  }

  readonly #threw = (thrown: unknown): void => {
    const message = `A callback of group ${this.#group} threw (${messageOf(thrown)}): its owner may not know what is durable, so nothing is written for it any more.`
    this.#report(message)
    this.#fault ??= new StorageError('FAULT', message, { cause: thrown })
    this.fail(this.#fault)
  }

  #tell(error: StorageError): void {
    const listener = this.#listener
    this.#listener = null
    if (listener === null) return
    sheltered(
      () => listener(error),
      (thrown) => this.#report(`The failure listener of group ${this.#group} threw: ${messageOf(thrown)}.`),
    )
  }
}
