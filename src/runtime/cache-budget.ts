// Memory for what could be read or made again, shared by everything in one process that would like to keep some: who
// has not used its part for longest gives way first.

/** Lets go of what it can until at most `maxBytes` are held, and returns how many are. */
export type GiveWay = (maxBytes: number) => number

/** One keeper's part of the budget. */
export interface CacheShare {
  /** So many bytes are held now, and have just been used. */
  holds(bytes: number): void
  /** What is held from now on does not count: its keeper is on its way out. */
  leave(): void
}

interface Keeper {
  bytes: number
  readonly giveWay: GiveWay
}

export class CacheBudget {
  readonly #maxBytes: number
  /** The one that has not been used for longest is first. */
  readonly #keepers = new Set<Keeper>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** `giveWay` is called while somebody tells what they hold: it must not tell anything itself. */
  join(giveWay: GiveWay): CacheShare {
    const keeper: Keeper = { bytes: 0, giveWay }
    let hasLeft = false
    return {
      holds: (bytes) => {
        if (hasLeft) return
        this.#keepers.delete(keeper)
        if (bytes > 0) this.#keepers.add(keeper)
        this.#set(keeper, bytes)
        if (this.#bytes > this.#maxBytes) this.#collect()
      },
      leave: () => {
        hasLeft = true
        this.#keepers.delete(keeper)
        this.#set(keeper, 0)
      },
    }
  }

  #collect(): void {
    for (const keeper of this.#keepers) {
      const excess = this.#bytes - this.#maxBytes
      if (excess <= 0) return
      this.#set(keeper, keeper.giveWay(Math.max(0, keeper.bytes - excess)))
      if (keeper.bytes === 0) this.#keepers.delete(keeper)
    }
  }

  #set(keeper: Keeper, bytes: number): void {
    this.#bytes += bytes - keeper.bytes
    keeper.bytes = bytes
  }
}
