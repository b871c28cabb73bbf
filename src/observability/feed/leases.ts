// Who watches, and until when: an expiry per viewer, bounded in number. Whoever comes when the list is full shares one.

import { MAX_LEASE_MS } from '../../protocol/feed-protocol.ts'

/** Viewers that are kept apart. A hundred may watch: the feed is one. */
const MAX_VIEWERS = 64
/** No viewer has an empty name. */
const OTHERS = ''

interface Lease {
  readonly untilMs: number
  readonly everything: boolean
}

export class Leases {
  readonly #leases = new Map<string, Lease>()

  /** Renews, or with 0 ends, the lease of one viewer. Returns how long it holds. */
  renew(viewer: string, leaseMs: number, everything: boolean, nowMs: number): number {
    const isKnown = this.#leases.has(viewer)
    const name = isKnown || this.#leases.size < MAX_VIEWERS ? viewer : OTHERS
    if (leaseMs <= 0) {
      if (isKnown) this.#leases.delete(viewer)
      return 0
    }
    const granted = Math.min(leaseMs, MAX_LEASE_MS)
    const shared = name === OTHERS ? this.#leases.get(OTHERS) : undefined
    this.#leases.set(name, {
      untilMs: Math.max(shared?.untilMs ?? 0, nowMs + granted),
      everything: everything || (shared?.everything ?? false),
    })
    return granted
  }

  /** Forgets who has not asked again. */
  expire(nowMs: number): void {
    for (const [viewer, { untilMs }] of this.#leases) if (untilMs <= nowMs) this.#leases.delete(viewer)
  }

  clear(): void {
    this.#leases.clear()
  }

  get isEmpty(): boolean {
    return this.#leases.size === 0
  }

  get size(): number {
    return this.#leases.size
  }

  /** Somebody wants to see each event. */
  get everything(): boolean {
    for (const lease of this.#leases.values()) if (lease.everything) return true
    return false
  }
}
