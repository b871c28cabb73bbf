// What has changed lately, in memory, and those who follow it. Nobody has a queue: each watcher has a place in what is kept
// for all, so a slow one costs nothing, and is told when its place is gone.

import { QuorateError } from '../errors.ts'
import type { KvChange } from './kv-commands.ts'

/** What a change weighs besides its texts. */
const OVERHEAD = 64
/** So many places of what is gone are left in the array before it is moved up. */
const MAX_GONE = 1024

export interface HistoryBounds {
  readonly maxChanges: number
  /** In UTF-16 units of keys and values. */
  readonly maxLength: number
}

interface Sleeper {
  readonly prefix: string
  /** @param place of the change that it waited for; null: it has to look for itself */
  readonly wake: (place: number | null) => void
}

export class History {
  readonly #bounds: HistoryBounds
  #changes: (KvChange | undefined)[] = []
  /** How many at the beginning of the array are gone. */
  #gone = 0
  /** The place of the first one in the array. Places are counted through, whatever is dropped. */
  #base = 0
  #length = 0
  #firstIndex = 1
  #hasEnded = false
  readonly #sleepers = new Set<Sleeper>()

  constructor(bounds: HistoryBounds) {
    this.#bounds = bounds
  }

  /** From this index on it has everything. */
  get firstIndex(): number {
    return this.#firstIndex
  }

  add(change: KvChange): void {
    const place = this.#base + this.#changes.push(change) - 1
    this.#length += lengthOf(change)
    while (this.#isFull()) this.#drop()
    if (this.#sleepers.size === 0) return
    for (const sleeper of this.#sleepers) if (change.key.startsWith(sleeper.prefix)) sleeper.wake(place)
  }

  /** The state has become another one: what led to it is not known. */
  restart(firstIndex: number): void {
    // One place is left out, so that nobody's is taken for one of the new ones.
    this.#base += this.#changes.length + 1
    this.#changes = []
    this.#gone = 0
    this.#length = 0
    this.#firstIndex = firstIndex
    for (const sleeper of this.#sleepers) sleeper.wake(null)
  }

  /** Whoever follows is told that nothing more comes. */
  end(): void {
    this.#hasEnded = true
    for (const sleeper of this.#sleepers) sleeper.wake(null)
  }

  /** Those from an index on that is not before `firstIndex`, in order. */
  *from(index: number): Generator<KvChange, void> {
    for (let at = this.#find(index); at < this.#changes.length; at += 1) {
      const change = this.#changes[at]
      if (change !== undefined) yield change
    }
  }

  /** Begins now, though it is read later. */
  watch(prefix: string, fromIndex: number, signal: AbortSignal | undefined): AsyncGenerator<KvChange, void> {
    const place = fromIndex < this.#firstIndex ? -1 : this.#base + this.#find(fromIndex)
    return this.#follow(prefix, fromIndex, place, signal)
  }

  async *#follow(
    prefix: string,
    fromIndex: number,
    begin: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<KvChange, void> {
    let place = begin
    while (signal?.aborted !== true) {
      if (this.#hasEnded) throw new QuorateError('SHUTDOWN', 'The member that was watched has ended.')
      if (place < this.#base + this.#gone) throw lost(prefix, this.#firstIndex)
      const change = this.#changes[place - this.#base]
      if (change === undefined) place = (await this.#sleep(prefix, signal)) ?? place
      else {
        place += 1
        if (change.index >= fromIndex && change.key.startsWith(prefix)) yield change
      }
    }
  }

  #sleep(prefix: string, signal: AbortSignal | undefined): Promise<number | null> {
    return new Promise((heard) => {
      const wake = (place: number | null): void => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', stop)
        heard(place)
      }
      const stop = (): void => wake(null)
      const sleeper: Sleeper = { prefix, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', stop)
    })
  }

  #isFull(): boolean {
    const { maxChanges, maxLength } = this.#bounds
    const kept = this.#changes.length - this.#gone
    return kept > 0 && (kept > maxChanges || this.#length > maxLength)
  }

  #drop(): void {
    const first = this.#changes[this.#gone]
    if (first === undefined) return
    // Others of the same entry may be left, but not all of it.
    this.#firstIndex = first.index + 1
    this.#length -= lengthOf(first)
    this.#changes[this.#gone] = undefined
    this.#gone += 1
    if (this.#gone < MAX_GONE || 2 * this.#gone < this.#changes.length) return
    this.#changes = this.#changes.slice(this.#gone)
    this.#base += this.#gone
    this.#gone = 0
  }

  /** The first in the array whose index is not before this one. */
  #find(index: number): number {
    let low = this.#gone
    let high = this.#changes.length
    while (low < high) {
      const middle = (low + high) >> 1
      const there = this.#changes[middle]
      if (there !== undefined && there.index < index) low = middle + 1
      else high = middle
    }
    return low
  }
}

function lengthOf({ key, value }: KvChange): number {
  return OVERHEAD + key.length + (value === null ? 0 : value.length)
}

function lost(prefix: string, firstIndex: number): QuorateError {
  const message = `Watch of ${JSON.stringify(prefix)}: this member keeps the changes from index ${firstIndex} on, and some before are missing; list, then watch from the index behind that of the list.`
  return new QuorateError('LOG_DELETED', message, { firstIndex })
}
