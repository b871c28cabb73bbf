// The snapshots of a storage as the side with the disk sees them: every call of a handle is one step on the tables.
// Synchronous, so that a thread, a simulated disk or the next turn of a clock can carry the steps out.

import { messageOf } from '../../runtime/errors.ts'
import type { SnapshotRecord, SnapshotResult } from '../snapshot-store.ts'
import { StorageError } from '../storage.ts'
import type { AnswerOf, CallOf, ReaderNumber, SnapshotCall, SnapshotCallKind, WriterNumber } from './calls.ts'
import { CopyWriter } from './copy-writer.ts'
import { KeptSnapshots } from './kept-snapshots.ts'
import { SaveWriter } from './save-writer.ts'
import { SnapshotReading } from './snapshot-reading.ts'
import type { SnapshotTables } from './snapshot-tables.ts'

/** Chunks become durable together, so many bytes at a time. */
const COMMIT_BYTES = 16 * 1024 * 1024
/** Chunks removed in one step: four times as much as is written between two commits, in a few milliseconds. */
const REMOVED_CHUNKS = 256

type Steps = { readonly [Kind in SnapshotCallKind]: (call: CallOf<Kind>) => AnswerOf<Kind> }

interface Writing<Writer extends SaveWriter | CopyWriter> {
  readonly writer: Writer
  failure: StorageError | null
}

export class SnapshotEngine {
  readonly #tables: SnapshotTables
  readonly #groups = new Map<string, KeptSnapshots>()
  readonly #saves = new Map<WriterNumber, Writing<SaveWriter>>()
  readonly #copies = new Map<WriterNumber, Writing<CopyWriter>>()
  readonly #readers = new Map<ReaderNumber, SnapshotReading>()
  /** Contents that nobody needs any more, to be removed bit by bit. */
  #garbage: number[]
  #uncommittedBytes = 0
  /** Those of whom something is not committed yet. */
  readonly #uncommitted = new Set<Writing<SaveWriter | CopyWriter>>()

  constructor(tables: SnapshotTables) {
    this.#tables = tables
    this.#garbage = [...tables.unusedContents()]
  }

  /** Carries a call out. When it fails nothing has changed, but that what was not committed may be lost. */
  answer<Kind extends SnapshotCallKind>({ kind, call }: SnapshotCall<Kind>): SnapshotResult<AnswerOf<Kind>> {
    try {
      return { ok: true, value: this.#steps[kind](call) }
    } catch (thrown) {
      const error = toStorageError(thrown)
      if (!isRefusal(error)) this.#lost(error)
      return { ok: false, error }
    }
  }

  /** Makes durable what has been written. @throws StorageError */
  commit(): void {
    try {
      this.#tables.commit()
    } catch (thrown) {
      const error = toStorageError(thrown)
      this.#lost(error)
      throw error
    }
    this.#committed()
  }

  /** Whether something waits for a commit. */
  get isUncommitted(): boolean {
    return this.#uncommittedBytes > 0 || this.#uncommitted.size > 0
  }

  /** One step of removing what nobody needs, unless something is being written. @returns whether more is left. */
  keepHouse(): boolean {
    if (this.isUncommitted) return false
    const isLeft = this.#removeSome() || this.#tables.giveBack()
    this.commit()
    return isLeft
  }

  readonly #steps: Steps = {
    open: ({ group }) => this.#group(group).newest?.snapshot.record ?? null,
    close: ({ group }) => {
      for (const [number, { writer }] of this.#saves) if (writer.kept.group === group) this.#leave(number)
      for (const [number, { writer }] of this.#copies) if (writer.kept.group === group) this.#leave(number)
      for (const [number, { kept }] of this.#readers) if (kept.group === group) this.#endReader(number)
      this.#groups.delete(group)
      this.commit()
      return null
    },
    create: ({ group, writer, meta, takenAtMs }) => {
      const kept = this.#group(group)
      for (const [number, save] of this.#saves) {
        if (save.writer.kept === kept) this.#leave(number)
      }
      this.#saves.set(writer, {
        writer: new SaveWriter(kept, this.#tables, meta, takenAtMs),
        failure: null,
      })
      return null
    },
    append: ({ writer, name, data }) => {
      const save = this.#save(writer)
      this.#uncommitted.add(save)
      save.writer.append(name, data)
      this.#wrote(data.length)
      return null
    },
    endFile: ({ writer, name, userMeta }) => {
      const save = this.#save(writer)
      this.#uncommitted.add(save)
      return save.writer.endFile(name, userMeta)
    },
    removeFile: ({ writer, name }) => {
      this.#free(this.#save(writer).writer.removeFile(name))
      return null
    },
    copy: ({ group, writer, record }) => {
      const kept = this.#group(group)
      for (const [number, copy] of this.#copies) {
        if (copy.writer.kept === kept) this.#leave(number)
      }
      const copy = new CopyWriter(kept, this.#tables, record)
      this.#committed()
      this.#copies.set(writer, { writer: copy, failure: null })
      return { missing: copy.missing, presentBytes: copy.presentBytes }
    },
    put: ({ writer, name, offset, data }) => {
      const copy = this.#copy(writer)
      this.#uncommitted.add(copy)
      copy.writer.put(name, offset, data)
      this.#wrote(data.length)
      return null
    },
    publish: ({ writer }) => {
      const record = this.#saves.has(writer)
        ? this.#save(writer).writer.publish()
        : this.#publishCopy(writer, this.#copy(writer))
      this.#saves.delete(writer)
      this.#copies.delete(writer)
      this.#committed()
      return record
    },
    leave: ({ writer }) => {
      this.#leave(writer)
      return null
    },
    openReader: ({ group, reader }) => {
      const kept = this.#group(group)
      const what = kept.newest
      if (what === null) throw new StorageError('INVALID', `Group ${group} has no snapshot to be read.`)
      this.#readers.set(reader, new SnapshotReading(kept, what, this.#tables))
      return what.snapshot.record
    },
    read: ({ reader, name, offset, maxBytes }) => {
      const reading = this.#readers.get(reader)
      if (reading === undefined) throw new StorageError('CLOSED', 'This reader of a snapshot is closed.')
      return reading.read(name, offset, maxBytes)
    },
    closeReader: ({ reader }) => {
      this.#endReader(reader)
      return null
    },
  }

  readonly #free = (contents: readonly number[]): void => {
    for (const content of contents) this.#garbage.push(content)
  }

  /** Opened for the first call that needs it: a file that was not there, or could not be opened, may be there later. */
  #group(group: string): KeptSnapshots {
    const known = this.#groups.get(group)
    if (known !== undefined) return known
    const kept = new KeptSnapshots(group, this.#tables, this.#free)
    this.#groups.set(group, kept)
    return kept
  }

  #save(number: WriterNumber): Writing<SaveWriter> {
    return usable(this.#saves.get(number))
  }

  #copy(number: WriterNumber): Writing<CopyWriter> {
    return usable(this.#copies.get(number))
  }

  #publishCopy(number: WriterNumber, copy: Writing<CopyWriter>): SnapshotRecord {
    try {
      return copy.writer.publish()
    } catch (error) {
      if (error instanceof StorageError && error.code === 'CORRUPT') this.#copies.delete(number)
      throw error
    }
  }

  #leave(number: WriterNumber): void {
    const save = this.#saves.get(number)
    if (save !== undefined) this.#free(save.writer.contents())
    const copy = this.#copies.get(number)
    this.#saves.delete(number)
    this.#copies.delete(number)
    if (copy !== undefined && copy.failure === null) this.commit()
  }

  #endReader(number: ReaderNumber): void {
    const reading = this.#readers.get(number)
    this.#readers.delete(number)
    reading?.end()
  }

  #wrote(bytes: number): void {
    this.#uncommittedBytes += bytes
    if (this.#uncommittedBytes < COMMIT_BYTES) return
    this.commit()
    // In a transaction of its own: space that was given up in this one cannot be written to without a copy of it.
    if (this.#removeSome()) this.commit()
  }

  /** @returns whether something was, and so perhaps more is left. */
  #removeSome(): boolean {
    const content = this.#garbage.at(-1)
    if (content === undefined) return false
    if (this.#tables.removeChunks(content, REMOVED_CHUNKS)) this.#garbage.pop()
    return true
  }

  #committed(): void {
    this.#uncommittedBytes = 0
    this.#uncommitted.clear()
  }

  /** What was not committed is gone, and with it the writers that it belonged to. */
  #lost(error: StorageError): void {
    this.#tables.rollBack()
    for (const writing of this.#uncommitted) writing.failure ??= error
    this.#committed()
  }
}

/** The call made no sense, or found damage; the tables are as they were. */
function isRefusal({ code }: StorageError): boolean {
  return code === 'INVALID' || code === 'CLOSED' || code === 'CORRUPT'
}

function usable<Writer extends SaveWriter | CopyWriter>(
  writing: Writing<Writer> | undefined,
): Writing<Writer> {
  if (writing === undefined)
    throw new StorageError(
      'INVALID',
      'This snapshot is not written any more: it was published, left, or replaced by a newer one.',
    )
  if (writing.failure !== null) throw writing.failure
  return writing
}

function toStorageError(thrown: unknown): StorageError {
  if (thrown instanceof StorageError) return thrown
  return new StorageError('IO', `Keeping a snapshot failed: ${messageOf(thrown)}.`, { cause: thrown })
}
