// A copy of another member's snapshot while it is fetched: which chunks are there, and whether what has come is what
// was promised.

import {
  type MissingRange,
  SNAPSHOT_CHUNK_BYTES,
  type SnapshotFile,
  type SnapshotRecord,
} from '../snapshot-store.ts'
import { StorageError } from '../storage.ts'
import { chunkDigest, fileDigest, sameBytes } from './digest.ts'
import type { KeptSnapshots } from './kept-snapshots.ts'
import type { SnapshotTables } from './snapshot-tables.ts'

interface Fetched {
  readonly file: SnapshotFile
  readonly content: number
  /** By chunk: 1 when it is there. */
  readonly present: Uint8Array
}

export class CopyWriter {
  readonly kept: KeptSnapshots
  readonly #record: SnapshotRecord
  readonly #tables: SnapshotTables
  readonly #fetched = new Map<string, Fetched>()

  /** Begins the copy, or goes on with the unfinished one, durably. */
  constructor(kept: KeptSnapshots, tables: SnapshotTables, record: SnapshotRecord) {
    this.kept = kept
    this.#record = record
    this.#tables = tables
    this.#take(placesFor(record, kept, tables))
  }

  get missing(): readonly MissingRange[] {
    return [...this.#fetched.values()].flatMap(({ file, present }) => missingOf(file, present))
  }

  get presentBytes(): number {
    return this.missing.reduce((bytes, { from, to }) => bytes - (to - from), this.#record.bytes)
  }

  put(name: string, offset: number, data: Uint8Array): void {
    const fetched = this.#fetched.get(name)
    if (fetched === undefined) throw this.#invalid(`it has no file ${name}`)
    const { file, content, present } = fetched
    const number = offset / SNAPSHOT_CHUNK_BYTES
    const isPresent = present[number]
    if (isPresent === undefined) throw this.#invalid(`no chunk of file ${name} begins at ${offset}`)
    const bytes = chunkBytes(file, number)
    if (data.length !== bytes)
      throw this.#invalid(`the chunk of file ${name} at ${offset} has ${bytes} bytes, not ${data.length}`)
    // It may belong to a snapshot that is being read.
    if (isPresent === 1) return
    this.#tables.putChunk(content, number, data, chunkDigest(data))
    present[number] = 1
  }

  publish(): SnapshotRecord {
    const [missing] = this.missing
    if (missing !== undefined) throw this.#invalid(`file ${missing.name} is not complete`)
    const wrong = [...this.#fetched.values()].filter(({ file, content }) => !this.#fits(file, content))
    if (wrong.length > 0) throw this.#forget(wrong)
    this.kept.publishCopy()
    return this.#record
  }

  #fits({ digest }: SnapshotFile, content: number): boolean {
    const digests = [...this.#tables.chunks(content)].map((chunk) => chunk.digest)
    return sameBytes(fileDigest(digests), digest)
  }

  #forget(wrong: readonly Fetched[]): StorageError {
    const contents = new Map([...this.#fetched].map(([name, { content }]) => [name, content]))
    for (const { file } of wrong) contents.set(file.name, this.#tables.newContent())
    this.kept.replaceCopy(this.#record, contents)
    const names = wrong.slice(0, 3).map(({ file }) => file.name)
    const more = wrong.length > names.length ? ` and ${wrong.length - names.length} more` : ''
    return new StorageError(
      'CORRUPT',
      `${this.#named()}: what has come of ${names.join(', ')}${more} is not what was promised (its checksum differs), and is fetched anew next time.`,
    )
  }

  #take(contents: ReadonlyMap<string, number>): void {
    this.kept.replaceCopy(this.#record, contents)
    for (const file of this.#record.files) {
      const content = contents.get(file.name) ?? 0
      const present = new Uint8Array(Math.ceil(file.bytes / SNAPSHOT_CHUNK_BYTES))
      for (const { number, bytes } of this.#tables.chunks(content)) {
        if (bytes === chunkBytes(file, number)) present[number] = 1
      }
      this.#fetched.set(file.name, { file, content, present })
    }
  }

  #invalid(what: string): StorageError {
    return new StorageError('INVALID', `${this.#named()}: ${what}.`)
  }

  #named(): string {
    return `Copy of snapshot ${this.#record.meta.lastIncludedIndex} of group ${this.kept.group}`
  }
}

function chunkBytes(file: SnapshotFile, number: number): number {
  return Math.min(SNAPSHOT_CHUNK_BYTES, file.bytes - number * SNAPSHOT_CHUNK_BYTES)
}

function missingOf({ name, bytes }: SnapshotFile, present: Uint8Array): MissingRange[] {
  const ranges: MissingRange[] = []
  for (let number = present.indexOf(0); number >= 0; ) {
    const next = present.indexOf(1, number)
    const to = next < 0 ? bytes : next * SNAPSHOT_CHUNK_BYTES
    ranges.push({ name, from: number * SNAPSHOT_CHUNK_BYTES, to })
    number = next < 0 ? -1 : present.indexOf(0, next)
  }
  return ranges
}

/** Where the content of each file lies, or will lie: what is there is used again. */
function placesFor(
  record: SnapshotRecord,
  kept: KeptSnapshots,
  tables: SnapshotTables,
): ReadonlyMap<string, number> {
  const whole = new Map<string, number>()
  const newest = kept.newest?.snapshot
  for (const file of newest?.record.files ?? []) {
    const content = newest?.contents.get(file.name)
    if (content !== undefined && !kept.damaged.has(content)) whole.set(sameContent(file), content)
  }
  const begun = new Map<string, number>()
  for (const file of kept.copying?.record.files ?? []) {
    const content = kept.copying?.contents.get(file.name)
    if (content !== undefined && !kept.damaged.has(content))
      begun.set(`${file.name}\0${sameContent(file)}`, content)
  }
  const place = (file: SnapshotFile): number =>
    whole.get(sameContent(file)) ?? begun.get(`${file.name}\0${sameContent(file)}`) ?? tables.newContent()
  return new Map(record.files.map((file) => [file.name, place(file)]))
}

function sameContent({ bytes, digest }: SnapshotFile): string {
  return `${bytes} ${Buffer.from(digest).toString('hex')}`
}
