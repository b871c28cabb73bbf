// Instances of a group elsewhere, as one client knows them: what was heard last of each, in the order of the log, and a
// subscription for each that somebody here listens to.

import type { AnyMachineSnapshot, EventObject, Subscription } from 'xstate'
import { z } from 'zod'
import type { LogIndex } from '../rules/types.ts'
import { encodeValue } from '../transport/wire/codec.ts'
import { type PlainState, plainSchema, snapshotOf } from './instance-codec.ts'
import type { SnapshotObserver } from './listeners.ts'
import type { MachineReplica } from './replicated-machine.ts'

/** A client that has subscriptions. */
export interface Subscribed {
  subscribe(
    query: unknown,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<{ readonly value: unknown; readonly index: LogIndex }>
}

interface Known {
  /** Null: nothing was heard yet, or there is no such instance. */
  snapshot: AnyMachineSnapshot | null
  /** As bytes, to tell what is another one. */
  bytes: Uint8Array
  index: LogIndex
  listeners: number
  readonly stop: AbortController
}

const answerSchema = z.object({
  state: plainSchema.nullable(),
  emitted: z.array(z.tuple([z.int().min(0), z.looseObject({ type: z.string() })])),
})

const NOTHING = new Uint8Array(0)

export class RemoteInstances {
  readonly #replica: MachineReplica
  readonly #through: Subscribed
  /** Only those that somebody listens to. */
  readonly #known = new Map<string, Known>()

  constructor(replica: MachineReplica, through: Subscribed) {
    this.#replica = replica
    this.#through = through
  }

  subscribe(key: string, observer: SnapshotObserver): Subscription {
    return this.#counted(key, this.#replica.listeners.subscribe(key, observer))
  }

  on(key: string, type: string, handler: (event: EventObject) => void): Subscription {
    return this.#counted(key, this.#replica.listeners.on(key, type, handler))
  }

  /** What was heard last; null: nobody listens here, or nothing was heard. */
  snapshot(key: string): AnyMachineSnapshot | null {
    return this.#known.get(key)?.snapshot ?? null
  }

  /** How it was at an index: told on when it is later, and another one, than what is known. False: nobody listens. */
  take(key: string, state: PlainState, index: LogIndex): boolean {
    const known = this.#known.get(key)
    if (known === undefined) return false
    if (index < known.index) return true
    known.index = index
    const bytes = encodeValue(state)
    if (Buffer.compare(bytes, known.bytes) === 0) return true
    known.bytes = bytes
    known.snapshot = snapshotOf(state, this.#replica.rules)
    this.#replica.listeners.changed(key, known.snapshot)
    return true
  }

  #counted(key: string, listening: Subscription): Subscription {
    const known = this.#known.get(key) ?? this.#begin(key)
    known.listeners += 1
    let isOpen = true
    return {
      unsubscribe: () => {
        if (!isOpen) return
        isOpen = false
        listening.unsubscribe()
        known.listeners -= 1
        if (known.listeners === 0) this.#end(key, known)
      },
    }
  }

  #begin(key: string): Known {
    const known = {
      ...{ snapshot: null, bytes: NOTHING, index: 0, listeners: 0 },
      stop: new AbortController(),
    }
    this.#known.set(key, known)
    void this.#follow(key, known)
    return known
  }

  /** Rejects never. */
  async #follow(key: string, known: Known): Promise<void> {
    try {
      await this.#hear(key, known)
    } catch (error) {
      this.#end(key, known)
      this.#replica.listeners.failed(key, error)
    }
  }

  #end(key: string, known: Known): void {
    known.stop.abort()
    if (this.#known.get(key) === known) this.#known.delete(key)
  }

  async #hear(key: string, known: Known): Promise<void> {
    /** What was emitted up to there is told, or was before anybody listened; null: nothing was heard yet. */
    let emittedTo: LogIndex | null = null
    for await (const { value, index } of this.#through.subscribe(['watch', key], {
      signal: known.stop.signal,
    })) {
      const { state, emitted } = answerSchema.parse(value)
      const from = emittedTo ?? index
      for (const [at, event] of emitted) if (at > from) this.#replica.listeners.emit(key, event)
      emittedTo = index
      if (state === null) continue
      this.take(key, state, index)
      // It says nothing any more.
      if (state.status !== 'active') return
    }
  }
}
