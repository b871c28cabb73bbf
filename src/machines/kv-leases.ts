// The keys that go by themselves, in the order in which they are due: a heap in which each knows its place, so that one that
// is touched every second leaves nothing behind.

import type { KvLease } from './kv-commands.ts'

/** What is promised never changes: whoever touches a key makes a new one. */
export interface Lease extends KvLease {
  readonly key: string
  /** Where it stands in the heap. */
  at: number
}

export class Leases {
  readonly #heap: Lease[] = []

  get size(): number {
    return this.#heap.length
  }

  first(): Lease | undefined {
    return this.#heap[0]
  }

  add(lease: Lease): void {
    this.#rise(this.#heap.push(lease) - 1, lease)
  }

  remove(lease: Lease): void {
    const last = this.#heap.pop()
    if (last === undefined || last === lease) return
    this.#sink(lease.at, last)
    this.#rise(last.at, last)
  }

  /** How many are due by then. Looks at those, and at no more than as many again. */
  countDue(timeMs: number, at = 0): number {
    const lease = this.#heap[at]
    if (lease === undefined || lease.dueAtMs > timeMs) return 0
    return 1 + this.countDue(timeMs, 2 * at + 1) + this.countDue(timeMs, 2 * at + 2)
  }

  #rise(from: number, lease: Lease): void {
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = this.#heap[above]
      if (parent === undefined || isBefore(parent, lease)) break
      this.#put(at, parent)
      at = above
    }
    this.#put(at, lease)
  }

  #sink(from: number, lease: Lease): void {
    let at = from
    for (;;) {
      const left = 2 * at + 1
      const one = this.#heap[left]
      const other = this.#heap[left + 1]
      if (one === undefined) break
      const isRight = other !== undefined && isBefore(other, one)
      const least = isRight ? other : one
      if (isBefore(lease, least)) break
      this.#put(at, least)
      at = isRight ? left + 1 : left
    }
    this.#put(at, lease)
  }

  #put(at: number, lease: Lease): void {
    this.#heap[at] = lease
    lease.at = at
  }
}

/** A total order, since members that come to the same leases by different ways must take them away in the same order. */
function isBefore(one: Lease, other: Lease): boolean {
  return one.dueAtMs < other.dueAtMs || (one.dueAtMs === other.dueAtMs && one.key < other.key)
}
