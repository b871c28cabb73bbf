// The pairs of a key-value store with all that hangs on them: their digest, their order, and when they go by themselves. By
// the time of the log a key may be gone that is still here: whoever looks is not shown it, whoever writes takes it away first.

import type { KvChange, KvLease } from './kv-commands.ts'
import { combine, type HashLanes, hashKey, hashLease, hashMore, hashText, NO_PAIRS } from './kv-hash.ts'
import { type Lease, Leases } from './kv-leases.ts'
import { OrderedKeys } from './kv-order.ts'

/** Never changed, so that whoever has copied the list of them has the state. */
export interface Pair {
  readonly key: string
  readonly value: string
  readonly hash: HashLanes
  /** When it goes by itself; null: it stays. */
  readonly lease: Lease | null
}

export type Changed = (type: KvChange['type'], key: string, value: string | null) => void

export class Pairs {
  readonly #changed: Changed
  readonly #pairs = new Map<string, Pair>()
  readonly #leases = new Leases()
  #total: HashLanes = NO_PAIRS
  /** Kept from the first question for it on. */
  #order: OrderedKeys | null = null
  /** Of the newest entry that has one: what is due by then is gone. */
  #timeMs = 0

  constructor(changed: Changed) {
    this.#changed = changed
  }

  get timeMs(): number {
    return this.#timeMs
  }

  get size(): number {
    return this.#pairs.size - this.#leases.countDue(this.#timeMs)
  }

  get isLeased(): boolean {
    return this.#leases.size > 0
  }

  /** When the first key is due; null: none is leased. */
  get nextDueMs(): number | null {
    return this.#leases.first()?.dueAtMs ?? null
  }

  /** Time never goes back. */
  noteTime(timeMs: number): void {
    if (timeMs > this.#timeMs) this.#timeMs = timeMs
  }

  /** For readers: nothing changes. */
  seen(key: string): Pair | undefined {
    const pair = this.#pairs.get(key)
    return pair === undefined || this.#isDue(pair) ? undefined : pair
  }

  /** For commands: one that is due goes now. */
  live(key: string): Pair | undefined {
    const pair = this.#pairs.get(key)
    if (pair === undefined || !this.#isDue(pair)) return pair
    this.#take(pair, 'expire')
    return undefined
  }

  /** In order, not before `start`; some may be gone for readers. */
  keysFrom(start: string): Iterable<string> {
    this.#order ??= new OrderedKeys(this.#pairs.keys())
    return this.#order.from(start)
  }

  all(): readonly Pair[] {
    return [...this.#pairs.values()]
  }

  hash(): string {
    return hashText(this.#total)
  }

  /** A new value. `ttlMs`: from now on; null: the key stays. */
  put(key: string, value: string, ttlMs: number | null): void {
    const before = this.live(key)
    const hash = hashMore(hashKey(key), value)
    this.#set({ key, value, hash, lease: ttlMs === null ? null : this.#leaseOf(key, ttlMs) }, before)
    this.#changed('put', key, value)
  }

  /** What is there goes on: its value with something behind it, its time as it was. */
  append(pair: Pair, more: string): void {
    const value = pair.value + more
    this.#set({ ...pair, value, hash: hashMore(pair.hash, more) }, pair)
    this.#changed('put', pair.key, value)
  }

  /** Its time begins anew. */
  touch(pair: Pair, ttlMs: number): void {
    this.#set({ ...pair, lease: this.#leaseOf(pair.key, ttlMs) }, pair)
  }

  remove(pair: Pair): void {
    this.#take(pair, 'delete')
  }

  /** Takes away what is due, so many at the most. */
  expire(max: number): { readonly expired: number; readonly more: boolean } {
    for (let expired = 0; ; expired += 1) {
      const first = this.#leases.first()
      const pair = first === undefined ? undefined : this.#pairs.get(first.key)
      if (pair === undefined || !this.#isDue(pair)) return { expired, more: false }
      if (expired === max) return { expired, more: true }
      this.#take(pair, 'expire')
    }
  }

  /** As it comes from a snapshot: nobody is told. */
  restore(key: string, value: string, lease: KvLease | null): void {
    const hash = hashMore(hashKey(key), value)
    const own = lease === null ? null : { ...lease, key, at: 0 }
    this.#set({ key, value, hash, lease: own }, this.#pairs.get(key))
  }

  #leaseOf(key: string, ttlMs: number): Lease {
    return { key, ttlMs, dueAtMs: this.#timeMs + ttlMs, at: 0 }
  }

  #isDue({ lease }: Pair): boolean {
    return lease !== null && lease.dueAtMs <= this.#timeMs
  }

  #set(pair: Pair, before: Pair | undefined): void {
    if (before === undefined) this.#order?.add(pair.key)
    else this.#total = combine(this.#total, before.hash, -1)
    this.#pairs.set(pair.key, pair)
    this.#total = combine(this.#total, pair.hash, 1)
    this.#exchange(before?.lease ?? null, pair.lease)
  }

  #take(pair: Pair, why: 'delete' | 'expire'): void {
    this.#pairs.delete(pair.key)
    this.#order?.delete(pair.key)
    this.#total = combine(this.#total, pair.hash, -1)
    this.#exchange(pair.lease, null)
    this.#changed(why, pair.key, null)
  }

  /** The one for the other. */
  #exchange(old: Lease | null, next: Lease | null): void {
    if (old === next) return
    if (old !== null) {
      this.#leases.remove(old)
      this.#total = combine(this.#total, hashLease(old), -1)
    }
    if (next === null) return
    this.#leases.add(next)
    this.#total = combine(this.#total, hashLease(next), 1)
  }
}
