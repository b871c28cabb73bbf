// Snapshots in memory for the parts around their store: what is read, held back, fails, and whether readers are let go.

import type {
  SnapshotDone,
  SnapshotReader,
  SnapshotRecord,
  SnapshotStore,
} from '../../../src/storage/snapshot-store.ts'
import { StorageError } from '../../../src/storage/storage.ts'

export interface FakeFile {
  readonly name: string
  readonly content: Uint8Array
  readonly userMeta?: Uint8Array
}

export function recordOf(index: number, term: number, files: readonly FakeFile[]): SnapshotRecord {
  return {
    meta: { lastIncludedIndex: index, lastIncludedTerm: term, peers: ['a', 'b', 'c'], oldPeers: [] },
    files: files
      .map(({ name, content, userMeta = null }) => ({
        name,
        bytes: content.length,
        digest: new Uint8Array(32).fill(content.length % 251),
        userMeta,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    bytes: files.reduce((sum, { content }) => sum + content.length, 0),
    takenAtMs: 1,
  }
}

/** A store whose newest snapshot can be opened and read. */
export class FakeSnapshots implements Pick<SnapshotStore, 'open'> {
  index = 0
  term = 1
  files: readonly FakeFile[] = []
  /** Snapshots that are held open. */
  readonly open_: number[] = []
  /** The next reads end with it. */
  failure: StorageError | null = null
  /** Reads that wait for `release`; null: none waits. */
  held: (() => void)[] | null = null
  reads = 0

  publish(index: number, files: readonly FakeFile[], term = 1): void {
    Object.assign(this, { index, files, term })
  }

  open(done: SnapshotDone<SnapshotReader>): void {
    if (this.index === 0) return done({ ok: false, error: new StorageError('INVALID', 'there is none') })
    const { index, files, term } = this
    this.open_.push(index)
    let closed = false
    done({
      ok: true,
      value: {
        record: recordOf(index, term, files),
        read: (name, offset, maxBytes, end) => {
          this.reads++
          const content = files.find((file) => file.name === name)?.content ?? new Uint8Array(0)
          const { failure } = this
          const answer = (): void =>
            failure === null
              ? end({ ok: true, value: content.slice(offset, offset + maxBytes) })
              : end({ ok: false, error: failure })
          if (this.held === null) answer()
          else this.held.push(answer)
        },
        close: () => {
          if (!closed) this.open_.splice(this.open_.indexOf(index), 1)
          closed = true
        },
      },
    })
  }

  release(): void {
    const held = this.held ?? []
    this.held = null
    for (const answer of held) answer()
  }
}
