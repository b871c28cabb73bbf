// Clients that are subscribed to instances of this member: told when one of them moves, and of what it has emitted lately.

import type { EventObject } from 'xstate'
import type { LogIndex } from '../rules/types.ts'
import { copyValue, encodeValue } from '../transport/wire/codec.ts'
import { withoutUndefined } from './deterministic.ts'

/** Of one instance: an answer carries so many events, of so many bytes together. */
const MAX_EVENTS = 32
const MAX_BYTES = 32 * 1024

/** Where in the log it was emitted, and what. */
export type Emitted = readonly [LogIndex, EventObject]

interface Followed {
  readonly followers: Set<() => void>
  emitted: readonly { readonly entry: Emitted; readonly bytes: number }[]
}

export class KeyFollowers {
  readonly #followed = new Map<string, Followed>()

  /** Events are kept from here on. Returns the function that ends it. */
  follow(key: string, changed: () => void): () => void {
    const followed = this.#followed.get(key) ?? { followers: new Set(), emitted: [] }
    this.#followed.set(key, followed)
    followed.followers.add(changed)
    return () => {
      followed.followers.delete(changed)
      if (followed.followers.size === 0 && this.#followed.get(key) === followed) this.#followed.delete(key)
    }
  }

  moved(key: string): void {
    for (const changed of this.#followed.get(key)?.followers ?? []) changed()
  }

  allMoved(): void {
    for (const key of this.#followed.keys()) this.moved(key)
  }

  emit(key: string, index: LogIndex, event: EventObject): void {
    const followed = this.#followed.get(key)
    const entry = followed === undefined ? null : entryOf(index, event)
    if (followed === undefined || entry === null) return
    const all = [...followed.emitted, entry].slice(-MAX_EVENTS)
    let bytes = 0
    // From the newest back, as far as there is room.
    const excess = all.findLastIndex((each) => {
      bytes += each.bytes
      return bytes > MAX_BYTES
    })
    followed.emitted = all.slice(excess + 1)
  }

  /** The newest last. */
  emitted(key: string): readonly Emitted[] {
    return (this.#followed.get(key)?.emitted ?? []).map(({ entry }) => entry)
  }
}

/** Null: it cannot be carried to anybody. */
function entryOf(index: LogIndex, event: EventObject): Followed['emitted'][number] | null {
  try {
    const plain = copyValue(withoutUndefined(event)) as EventObject
    return { entry: [index, plain], bytes: encodeValue(plain).length }
  } catch {
    return null
  }
}
