// The snapshots of a storage as its callers see them: opens the store of a group, once at a time.

import { configurationOf, type SnapshotMeta } from '../../rules/types.ts'
import { messageOf, sheltered } from '../../runtime/errors.ts'
import type {
  SnapshotCopy,
  SnapshotDone,
  SnapshotReader,
  SnapshotRecord,
  SnapshotSave,
  SnapshotStore,
} from '../snapshot-store.ts'
import { type StorageDone, StorageError } from '../storage.ts'
import { Asking, BytesUnderWay, type Completer, toStorageDone } from './asking.ts'
import type { SnapshotPort } from './calls.ts'
import { CopyHandle, type Presence } from './copy-handle.ts'
import { ReaderHandle } from './reader-handle.ts'
import { refuseRecord } from './record-check.ts'
import { SaveHandle } from './save-handle.ts'

export interface SnapshotsHost {
  readonly port: SnapshotPort
  /** Why the storage takes nothing any more; null: it does. */
  refusal(): StorageError | null
  completer(group: string): Completer
  report(message: string): void
}

export class Snapshots {
  readonly #host: SnapshotsHost
  readonly #open = new Set<string>()
  readonly #underWay = new BytesUnderWay()
  #lastNumber = 0

  constructor(host: SnapshotsHost) {
    this.#host = host
  }

  open(group: string, done: SnapshotDone<SnapshotStore>): void {
    const refusal = this.#host.refusal() ?? this.#refuseOpen(group)
    if (refusal !== null) {
      this.#host.port.settle(() => this.#complete(done, { ok: false, error: refusal }))
      return
    }
    this.#open.add(group)
    this.#host.port.ask('open', { group }, (result) => {
      if (result.ok) {
        const store = this.#store(group, result.value)
        // An owner that does not take what it asked for does not keep it open.
        if (!this.#complete(done, { ok: true, value: store })) store.close(() => {})
        return
      }
      this.#open.delete(group)
      this.#complete(done, result)
    })
  }

  #store(group: string, newest: SnapshotRecord | null): SnapshotStore {
    const { port, completer } = this.#host
    const asking = new Asking(group, port, completer(group), this.#underWay, () => this.#host.refusal())
    return new StoreHandle(asking, newest, {
      nextNumber: () => ++this.#lastNumber,
      released: () => this.#open.delete(group),
    })
  }

  #complete<T>(done: (value: T) => void, value: T): boolean {
    let isTaken = true
    sheltered(
      () => done(value),
      (thrown) => {
        isTaken = false
        this.#host.report(`A callback of opening snapshots threw: ${messageOf(thrown)}.`)
      },
    )
    return isTaken
  }

  #refuseOpen(group: string): StorageError | null {
    if (!this.#open.has(group)) return null
    const message = `The snapshots of group ${group} are open already in this storage: close them first.`
    return new StorageError('INVALID', message)
  }
}

interface StoreOwner {
  readonly nextNumber: () => number
  readonly released: () => void
}

class StoreHandle implements SnapshotStore {
  readonly #asking: Asking
  readonly #owner: StoreOwner
  #newest: SnapshotRecord | null

  constructor(asking: Asking, newest: SnapshotRecord | null, owner: StoreOwner) {
    this.#asking = asking
    this.#newest = newest
    this.#owner = owner
  }

  get newest(): SnapshotRecord | null {
    return this.#newest
  }

  create(meta: SnapshotMeta, takenAtMs: number): SnapshotSave {
    const { lastIncludedIndex, lastIncludedTerm, peers, oldPeers } = meta
    const lists = { peers: [...peers], oldPeers: [...oldPeers] }
    const kept: SnapshotMeta = {
      lastIncludedIndex,
      lastIncludedTerm,
      ...configurationOf({ ...meta, ...lists }),
      ...(meta.withheld === true ? { withheld: true } : {}),
    }
    return new SaveHandle(this.#asking, this.#owner.nextNumber(), { meta: kept, takenAtMs }, this.#published)
  }

  copy(record: SnapshotRecord, done: SnapshotDone<SnapshotCopy>): void {
    const writer = this.#owner.nextNumber()
    const { group } = this.#asking
    const end: SnapshotDone<Presence> = (result) =>
      done(
        result.ok
          ? { ok: true, value: new CopyHandle(this.#asking, writer, record, result.value, this.#published) }
          : result,
      )
    this.#asking.ask('copy', { group, writer, record }, end, refuseRecord(record))
  }

  open(done: SnapshotDone<SnapshotReader>): void {
    const reader = this.#owner.nextNumber()
    this.#asking.ask('openReader', { group: this.#asking.group, reader }, (result) =>
      done(result.ok ? { ok: true, value: new ReaderHandle(this.#asking, reader, result.value) } : result),
    )
  }

  close(done: StorageDone): void {
    this.#asking.end(toStorageDone(done))
    this.#owner.released()
  }

  readonly #published = (record: SnapshotRecord): void => {
    this.#newest = record
  }
}
