// Whoever watches instances on this member: told after each change, and of what they emit. One that throws costs the
// others nothing.

import type { AnyMachineSnapshot, EventObject, Subscription } from 'xstate'
import { sheltered } from '../runtime/errors.ts'

export interface SnapshotObserver<S = AnyMachineSnapshot> {
  readonly next?: (snapshot: S) => void
  readonly error?: (error: unknown) => void
  readonly complete?: () => void
}

interface EmitListener {
  readonly type: string
  readonly handler: (event: EventObject) => void
}

export class Listeners {
  readonly #observers = new Map<string, Set<SnapshotObserver>>()
  readonly #emitted = new Map<string, Set<EmitListener>>()
  readonly #threw: (thrown: unknown) => void

  constructor(threw: (thrown: unknown) => void) {
    this.#threw = threw
  }

  subscribe(key: string, observer: SnapshotObserver): Subscription {
    return add(this.#observers, key, observer)
  }

  on(key: string, type: string, handler: (event: EventObject) => void): Subscription {
    return add(this.#emitted, key, { type, handler })
  }

  /** Is there anybody? Then a snapshot is worth making. */
  watches(key: string): boolean {
    return this.#observers.has(key)
  }

  /** All keys that somebody watches. */
  watched(): readonly string[] {
    return [...this.#observers.keys()]
  }

  /** A snapshot of one that has ended is the last. */
  changed(key: string, snapshot: AnyMachineSnapshot): void {
    for (const observer of [...(this.#observers.get(key) ?? [])])
      sheltered(() => {
        if (snapshot.status !== 'error') observer.next?.(snapshot)
        if (snapshot.status === 'error') observer.error?.(snapshot.error)
        if (snapshot.status === 'done') observer.complete?.()
      }, this.#threw)
    if (snapshot.status !== 'active') this.#observers.delete(key)
  }

  /** Nothing more will be heard of it here. */
  failed(key: string, error: unknown): void {
    const observers = [...(this.#observers.get(key) ?? [])]
    this.#observers.delete(key)
    this.#emitted.delete(key)
    for (const observer of observers) sheltered(() => observer.error?.(error), this.#threw)
  }

  emit(key: string, event: EventObject): void {
    for (const { type, handler } of [...(this.#emitted.get(key) ?? [])])
      if (type === '*' || type === event.type) sheltered(() => handler(event), this.#threw)
  }
}

function add<L>(all: Map<string, Set<L>>, key: string, listener: L): Subscription {
  const some = all.get(key) ?? new Set()
  all.set(key, some.add(listener))
  return {
    unsubscribe: () => {
      some.delete(listener)
      if (some.size === 0 && all.get(key) === some) all.delete(key)
    },
  }
}
