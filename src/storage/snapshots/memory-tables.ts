// The tables of snapshots in memory: for the storage without a disk, and for the simulated one, which keeps a copy of
// what is durable.

import type { SnapshotState, SnapshotTables, StoredChunk, StoredSnapshot } from './snapshot-tables.ts'

interface Row {
  readonly group: string
  readonly snapshot: StoredSnapshot
}

interface Chunk extends StoredChunk {
  readonly data: Uint8Array
}

export class MemoryTables implements SnapshotTables {
  #snapshots = new Map<number, Row>()
  #contents = new Map<number, Map<number, Chunk>>()
  /** Never go back, so that what was undone is not taken for what came after it. */
  #nextId = 1
  #nextContent = 1

  load(group: string): readonly StoredSnapshot[] {
    return [...this.#snapshots.values()].filter((row) => row.group === group).map(({ snapshot }) => snapshot)
  }

  insert(group: string, snapshot: Omit<StoredSnapshot, 'id'>): number {
    const id = this.#nextId++
    this.#snapshots.set(id, { group, snapshot: { ...snapshot, id, contents: new Map(snapshot.contents) } })
    return id
  }

  setState(id: number, state: SnapshotState): void {
    const row = this.#snapshots.get(id)
    if (row !== undefined) this.#snapshots.set(id, { ...row, snapshot: { ...row.snapshot, state } })
  }

  remove(id: number): void {
    this.#snapshots.delete(id)
  }

  newContent(): number {
    const content = this.#nextContent++
    this.#contents.set(content, new Map())
    return content
  }

  unusedContents(): readonly number[] {
    const used = new Set(
      [...this.#snapshots.values()].flatMap(({ snapshot }) => [...snapshot.contents.values()]),
    )
    return [...this.#contents.keys()].filter((content) => !used.has(content))
  }

  chunks(content: number): Iterable<StoredChunk> {
    return [...(this.#contents.get(content)?.values() ?? [])].sort((a, b) => a.number - b.number)
  }

  putChunk(content: number, number: number, data: Uint8Array, digest: Uint8Array): void {
    this.#contents.get(content)?.set(number, { number, bytes: data.length, digest, data })
  }

  readChunk(content: number, number: number): Uint8Array | null {
    return this.#contents.get(content)?.get(number)?.data.slice() ?? null
  }

  removeChunks(content: number): boolean {
    this.#contents.delete(content)
    return true
  }

  giveBack(): boolean {
    return false
  }

  commit(): void {}

  rollBack(): void {}

  /** Becomes equal to `other`; what is in either one changes apart from then on. */
  restore(other: MemoryTables): void {
    this.#snapshots = new Map(other.#snapshots)
    this.#contents = new Map([...other.#contents].map(([content, chunks]) => [content, new Map(chunks)]))
    this.#nextId = Math.max(this.#nextId, other.#nextId)
    this.#nextContent = Math.max(this.#nextContent, other.#nextContent)
  }
}
