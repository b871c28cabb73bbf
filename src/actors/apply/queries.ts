// Queries that wait for their index to be applied. A heap: the next one due is found at once, however many wait.

import type { LogIndex } from '../../rules/types.ts'
import type { QueuedQuery } from './apply-queue.events.ts'

interface Waiting {
  readonly query: QueuedQuery
  readonly order: number
}

/** By index, and among equals in the order in which they came. */
function comesBefore(a: Waiting, b: Waiting): boolean {
  return a.query.index < b.query.index || (a.query.index === b.query.index && a.order < b.order)
}

export class QueryQueue {
  readonly #heap: Waiting[] = []
  #order = 0

  get size(): number {
    return this.#heap.length
  }

  add(query: QueuedQuery): void {
    const added = { query, order: this.#order++ }
    let at = this.#heap.push(added) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = this.#heap[above]
      if (parent === undefined || comesBefore(parent, added)) break
      this.#heap[at] = parent
      at = above
    }
    this.#heap[at] = added
  }

  /** Is one due? */
  isDue(applied: LogIndex): boolean {
    const first = this.#heap[0]
    return first !== undefined && first.query.index <= applied
  }

  /** Takes the first one, if what it waits for is applied. */
  takeDue(applied: LogIndex): QueuedQuery | null {
    return this.isDue(applied) ? this.take() : null
  }

  /** Takes the first one, due or not; null when nobody waits. */
  take(): QueuedQuery | null {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (first === undefined || last === undefined) return null
    if (this.#heap.length > 0) this.#sink(last)
    return first.query
  }

  #sink(item: Waiting): void {
    let at = 0
    for (;;) {
      const left = this.#heap[2 * at + 1]
      const right = this.#heap[2 * at + 2]
      if (left === undefined) break
      const rightIsFirst = right !== undefined && comesBefore(right, left)
      const child = rightIsFirst ? right : left
      if (comesBefore(item, child)) break
      this.#heap[at] = child
      at = 2 * at + (rightIsFirst ? 2 : 1)
    }
    this.#heap[at] = item
  }
}
