// The snapshots of one group that are on disk: the newest, an unfinished copy, and older ones that somebody still reads.

import type { SnapshotRecord } from '../snapshot-store.ts'
import { StorageError } from '../storage.ts'
import { fileDigest, sameBytes } from './digest.ts'
import type { SnapshotTables, StoredSnapshot } from './snapshot-tables.ts'

/** A published snapshot, and how many read it. */
export interface Kept {
  readonly snapshot: StoredSnapshot
  readers: number
}

export class KeptSnapshots {
  readonly group: string
  /** Contents of which a chunk was found damaged. */
  readonly damaged = new Set<number>()
  readonly #tables: SnapshotTables
  readonly #free: (contents: readonly number[]) => void
  #newest: Kept | null = null
  #copying: StoredSnapshot | null = null
  readonly #dropped = new Set<Kept>()

  /**
   * @param free takes contents that no snapshot of the group needs any more.
   * @throws StorageError CORRUPT when what is there does not fit together.
   */
  constructor(group: string, tables: SnapshotTables, free: (contents: readonly number[]) => void) {
    this.group = group
    this.#tables = tables
    this.#free = free
    const stored = tables.load(group)
    const [published = null, another] = stored.filter(({ state }) => state === 'published')
    const [copying = null, more] = stored.filter(({ state }) => state === 'copying')
    if (another !== undefined || more !== undefined)
      throw this.#corrupt(another ?? more, 'there are two of a kind of which there is always one')
    if (published !== null) this.#check(published)
    this.#newest = published === null ? null : { snapshot: published, readers: 0 }
    this.#copying = copying
    // The process ended before they were removed.
    for (const snapshot of stored) if (snapshot.state === 'dropped') this.#remove(snapshot)
  }

  get newest(): Kept | null {
    return this.#newest
  }

  get copying(): StoredSnapshot | null {
    return this.#copying
  }

  /** Publishes a save, durably. */
  publish(record: SnapshotRecord, contents: ReadonlyMap<string, number>): void {
    this.#makeNewest(() => {
      const id = this.#tables.insert(this.group, { state: 'published', record, contents })
      return { id, state: 'published', record, contents }
    })
  }

  /** Publishes the unfinished copy, durably. */
  publishCopy(): void {
    const copying = this.#copying
    if (copying === null) throw new TypeError(`group ${this.group} has no copy to publish`)
    this.#makeNewest(() => {
      this.#tables.setState(copying.id, 'published')
      return { ...copying, state: 'published' }
    })
    this.#copying = null
  }

  /** Puts a copy in the place of the one before it, durably. */
  replaceCopy(record: SnapshotRecord, contents: ReadonlyMap<string, number>): void {
    const before = this.#copying
    if (before !== null) this.#tables.remove(before.id)
    const id = this.#tables.insert(this.group, { state: 'copying', record, contents })
    this.#tables.commit()
    this.#copying = { id, state: 'copying', record, contents }
    if (before !== null) this.#free(this.#unused(before))
  }

  /** Somebody has read it to the end. */
  release(kept: Kept): void {
    kept.readers--
    if (kept.readers === 0 && this.#dropped.delete(kept)) this.#remove(kept.snapshot)
  }

  #makeNewest(write: () => StoredSnapshot): void {
    const before = this.#newest
    const snapshot = write()
    if (before !== null) this.#tables.setState(before.snapshot.id, 'dropped')
    this.#tables.commit()
    this.#newest = { snapshot, readers: 0 }
    if (before === null) return
    if (before.readers > 0) this.#dropped.add(before)
    else this.#remove(before.snapshot)
  }

  #remove(snapshot: StoredSnapshot): void {
    this.#tables.remove(snapshot.id)
    this.#free(this.#unused(snapshot))
  }

  /** Contents of a snapshot that is gone which no other one shares. */
  #unused(gone: StoredSnapshot): number[] {
    const others = [this.#newest?.snapshot, this.#copying, ...[...this.#dropped].map((kept) => kept.snapshot)]
    const used = new Set(others.flatMap((other) => [...(other?.contents.values() ?? [])]))
    return [...new Set(gone.contents.values())].filter((content) => !used.has(content))
  }

  /** Whether all chunks are there and are those of the file; their bytes are checked when they are read. */
  #check(snapshot: StoredSnapshot): void {
    for (const { name, bytes, digest } of snapshot.record.files) {
      const chunks = [...this.#tables.chunks(snapshot.contents.get(name) ?? 0)]
      const sum = chunks.reduce((total, chunk) => total + chunk.bytes, 0)
      if (sum !== bytes) throw this.#corrupt(snapshot, `file ${name} has ${sum} bytes instead of ${bytes}`)
      if (!sameBytes(fileDigest(chunks.map((chunk) => chunk.digest)), digest))
        throw this.#corrupt(snapshot, `the checksum of file ${name} does not fit its chunks`)
    }
  }

  #corrupt(snapshot: StoredSnapshot | undefined, what: string): StorageError {
    const index = snapshot?.record.meta.lastIncludedIndex
    return new StorageError('CORRUPT', `Snapshot ${index} of group ${this.group} is damaged: ${what}.`)
  }
}
