// The snapshots on a simulated disk: what is durable, what is only said to be, what is in doubt after a failed sync, and
// what is damaged.

import type { LogIndex } from '../../rules/types.ts'
import type { Random } from '../../runtime/random.ts'
import type { SnapshotRecord } from '../../storage/snapshot-store.ts'
import { MemoryTables } from '../../storage/snapshots/memory-tables.ts'
import type { StoredSnapshot } from '../../storage/snapshots/snapshot-tables.ts'
import { chance, pick } from '../time/sim-random.ts'
import type { Damage } from './disk-image.ts'

export class SnapshotImage {
  /** Ids of damaged records, and contents whose first chunk is unreadable or gone. */
  readonly damage = {
    header: new Set<number>(),
    payload: new Set<number>(),
    missing: new Set<number>(),
  }
  readonly #random: Random
  /** Asked for all the time, and seldom another one. */
  readonly #newest = new Map<string, StoredSnapshot | null>()
  #durable = new MemoryTables()
  /** Told as durable by a disk that lies; gone with the power. */
  #cached: MemoryTables | null = null
  /** Their sync has failed: whether they are there is anybody's guess until somebody looks. */
  #doubtful: MemoryTables | null = null

  constructor(random: Random) {
    this.#random = random
  }

  /** What a process sees. Not to be changed. */
  get visible(): MemoryTables {
    return this.#cached ?? this.#durable
  }

  /** The newest one that would survive power loss now; null: none. */
  newest(group: string): SnapshotRecord | null {
    return this.#stored(group)?.record ?? null
  }

  /** How many are there: the newest, an unfinished copy, and older ones that are read. */
  count(group: string): number {
    return this.#durable.load(group).length
  }

  commit(tables: MemoryTables): void {
    this.#durable = copyOf(tables)
    this.#newest.clear()
    this.#cached = null
    this.#doubtful = null
  }

  cache(tables: MemoryTables): void {
    this.#cached = copyOf(tables)
    this.#doubtful = null
  }

  doubt(tables: MemoryTables): void {
    this.#doubtful = copyOf(tables)
  }

  losePower(): void {
    this.#cached = null
  }

  /** Somebody looks. @returns whether what was in doubt is there. */
  settle(): boolean {
    const doubtful = this.#doubtful
    this.#doubtful = null
    if (doubtful === null || !chance(this.#random, 0.5)) return false
    this.commit(doubtful)
    return true
  }

  capture(): MemoryTables {
    return copyOf(this.#durable)
  }

  isDamaged(group: string): boolean {
    const { header, payload, missing } = this.damage
    const newest = this.#stored(group)
    if (newest === null || header.size + payload.size + missing.size === 0) return false
    const contents = [...newest.contents.values()]
    return header.has(newest.id) || contents.some((content) => payload.has(content) || missing.has(content))
  }

  /** Returns the index up to which the damaged snapshot goes; null: there is none. */
  corrupt(group: string, damage: Damage): LogIndex | null {
    const newest = this.#stored(group)
    if (newest === null) return null
    const contents = [...newest.contents.values()]
    const isRecord = damage === 'header' || contents.length === 0
    if (isRecord) this.damage.header.add(newest.id)
    else this.damage[damage].add(pick(this.#random, contents))
    return newest.record.meta.lastIncludedIndex
  }

  #stored(group: string): StoredSnapshot | null {
    let newest = this.#newest.get(group)
    if (newest === undefined) {
      newest = this.#durable.load(group).find(({ state }) => state === 'published') ?? null
      this.#newest.set(group, newest)
    }
    return newest
  }
}

function copyOf(tables: MemoryTables): MemoryTables {
  const copy = new MemoryTables()
  copy.restore(tables)
  return copy
}
