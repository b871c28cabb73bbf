// News of a node that its chart does not tell: that the members are others, that there is another snapshot. Listeners hear
// it after the turn in which it happened, once, however often it happened in it.

import type { Configuration } from '../../rules/types.ts'

export type NewsKind = 'membership' | 'snapshot'

export class Bulletin {
  readonly #listeners: Readonly<Record<NewsKind, Set<() => void>>> = {
    membership: new Set(),
    snapshot: new Set(),
  }
  readonly #due = new Set<NewsKind>()
  #members = ''

  /** Returns the function that ends the subscription. */
  on(kind: NewsKind, listener: () => void): () => void {
    const listeners = this.#listeners[kind]
    // One that is given twice is told twice.
    const own = (): void => listener()
    listeners.add(own)
    return () => listeners.delete(own)
  }

  /** Whether these are others than before: a leader's first entry says again who is there. */
  sees({ peers, oldPeers, learners = [], witnesses = [], priorities = {} }: Configuration): boolean {
    const members = JSON.stringify([peers, oldPeers, learners, witnesses, Object.entries(priorities).sort()])
    if (members === this.#members) return false
    this.#members = members
    return true
  }

  /** Returns whether somebody has to call `take` after this turn. */
  tell(kind: NewsKind): boolean {
    if (this.#listeners[kind].size === 0 || this.#due.has(kind)) return false
    this.#due.add(kind)
    return true
  }

  /** Whoever is to be told now. */
  take(kind: NewsKind): readonly (() => void)[] {
    this.#due.delete(kind)
    return [...this.#listeners[kind]]
  }
}
