// Items that wait for the next batch: numbered, bounded in number and bytes, the oldest dropped first and counted.

import type { FeedItem } from '../../protocol/feed-protocol.ts'

/** One item, and what it is on the bus. */
interface Queued {
  readonly item: FeedItem
  readonly json: string
}

/** Items whose numbers follow each other. */
export interface Taken {
  readonly seq: number
  /** What was left out before these. */
  readonly dropped: number
  readonly items: readonly FeedItem[]
  readonly json: string
}

export interface QueueBounds {
  readonly maxItems: number
  readonly maxBytes: number
}

export class FeedQueue {
  readonly #bounds: QueueBounds
  #queued: Queued[] = []
  #bytes = 0
  #next = 1
  #dropped = 0

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds
  }

  /** The number of the next item. */
  get next(): number {
    return this.#next
  }

  get isEmpty(): boolean {
    return this.#queued.length === 0
  }

  push(item: FeedItem): void {
    const json = JSON.stringify(item)
    this.#queued.push({ item, json })
    this.#bytes += json.length
    this.#next += 1
    const { maxItems, maxBytes } = this.#bounds
    let excess = 0
    while (this.#queued.length - excess > maxItems || this.#bytes > maxBytes) {
      this.#bytes -= this.#queued[excess]?.json.length ?? 0
      excess += 1
    }
    if (excess === 0) return
    this.#queued.splice(0, excess)
    this.#dropped += excess
  }

  /** Something was not told: a number is left out, so that whoever counts notices. */
  skip(): void {
    this.#queued = []
    this.#bytes = 0
    this.#next += 1
  }

  /** As many as fit, at least one; null: there are none. */
  take(maxBytes: number): Taken | null {
    const first = this.#queued[0]
    if (first === undefined) return null
    let [count, bytes] = [1, first.json.length]
    for (const { json } of this.#queued.slice(1)) {
      // Text of ours is plain ASCII but for what an error says, so one character may be three bytes at most.
      if (bytes + json.length + 1 > maxBytes) break
      bytes += json.length + 1
      count += 1
    }
    const seq = this.#next - this.#queued.length
    const taken = this.#queued.splice(0, count)
    this.#bytes -= taken.reduce((sum, { json }) => sum + json.length, 0)
    const dropped = this.#dropped
    this.#dropped = 0
    return {
      seq,
      dropped,
      items: taken.map(({ item }) => item),
      json: taken.map(({ json }) => json).join(','),
    }
  }

  /** What was taken has reached nobody. */
  lost(count: number): void {
    this.#dropped += count
  }
}
