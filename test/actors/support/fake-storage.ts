// A disk in memory that answers when the test lets it, or fails. What is durable outlives the nodes that wrote it.

import type { HardState, LogEntry, LogIndex, Term } from '../../../src/rules/types.ts'
import { EntryType } from '../../../src/rules/types.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import { ClaimedRead } from '../../../src/storage/claimed-read.ts'
import { LogWindow } from '../../../src/storage/log-window.ts'
import type { SnapshotDone, SnapshotStore } from '../../../src/storage/snapshot-store.ts'
import { EnginePort } from '../../../src/storage/snapshots/engine-port.ts'
import { MemoryTables } from '../../../src/storage/snapshots/memory-tables.ts'
import { SnapshotEngine } from '../../../src/storage/snapshots/snapshot-engine.ts'
import { Snapshots } from '../../../src/storage/snapshots/snapshots.ts'
import {
  type GroupStore,
  type OpenGroupResult,
  type ReadLimits,
  type Storage,
  type StorageDone,
  StorageError,
  type StorageErrorCode,
  type StoredGroup,
} from '../../../src/storage/storage.ts'
import { withheldRange } from '../../../src/storage/withheld-range.ts'

/** What survives power loss. */
export interface DiskState {
  hardState: HardState | null
  firstIndex: LogIndex
  termBeforeFirst: Term
  entries: LogEntry[]
  /** Of its files; left out: it has none. */
  identity?: number
}

type Kind = 'open' | 'snapshot' | 'fetch' | 'append' | 'truncate' | 'hardState' | 'close'

interface Work {
  readonly kind: Kind
  readonly finish: (error: StorageError | null) => void
}

export function emptyDisk(over: Partial<DiskState> = {}): DiskState {
  return { hardState: null, firstIndex: 1, termBeforeFirst: 0, entries: [], ...over }
}

export class FakeStorage implements Storage {
  readonly #clock: Pick<Clock, 'defer'>
  readonly #groups = new Map<string, DiskState>()
  readonly #open = new Set<string>()
  #waiting: Work[] = []
  #held = new Set<Kind>()
  #failing = new Map<Kind, StorageError>()
  readonly #failureListeners: ((error: StorageError) => void)[] = []
  readonly #snapshotEngine = new SnapshotEngine(new MemoryTables())
  readonly #snapshots = new Snapshots({
    port: new EnginePort(
      () => this.#snapshotEngine,
      (step, end) =>
        this.#do('snapshot', () => {
          step()
          end()
        }),
    ),
    refusal: () => this.#failing.get('snapshot') ?? null,
    completer: () => ({ fault: null, complete: (done, value) => done(value) }),
    report: (message) => {
      throw new Error(message)
    },
  })
  closed = false
  /** Entries handed out by `read` so far. */
  entriesRead = 0
  /** The same for `fetch`. */
  entriesFetched = 0

  constructor(clock: Pick<Clock, 'defer'>) {
    this.#clock = clock
  }

  /** The disk of a group, as it is now. */
  disk(group: string): DiskState {
    const known = this.#groups.get(group)
    if (known !== undefined) return known
    const fresh = emptyDisk()
    this.#groups.set(group, fresh)
    return fresh
  }

  preset(group: string, state: DiskState): void {
    this.#groups.set(group, state)
  }

  isOpen(group: string): boolean {
    return this.#open.has(group)
  }

  /** From now on work of these kinds, and everything after it, waits for `release`. */
  hold(...kinds: Kind[]): void {
    for (const kind of kinds) this.#held.add(kind)
  }

  /** Ends the hold; what waited is done in order. */
  release(): void {
    this.#held = new Set()
    const waiting = this.#waiting
    this.#waiting = []
    for (const work of waiting) this.#end(work)
  }

  /** The first work that waits is done; what comes after it waits on. */
  releaseOne(): void {
    const work = this.#waiting.shift()
    if (work !== undefined) this.#end(work)
  }

  /** Kinds of the work that waits. */
  get waiting(): readonly Kind[] {
    return this.#waiting.map(({ kind }) => kind)
  }

  /** From now on work of this kind fails. */
  fail(kind: Kind, message = 'no space left on device', code: StorageErrorCode = 'FULL'): void {
    this.#failing.set(kind, new StorageError(code, message))
  }

  /** Work of this kind succeeds again. */
  mend(kind: Kind): void {
    this.#failing.delete(kind)
  }

  /** The disk is found to have failed though nobody has asked it for anything. */
  breakDown(error: StorageError): void {
    for (const listener of this.#failureListeners.splice(0)) listener(error)
  }

  openGroup(group: string, done: (result: OpenGroupResult) => void): void {
    this.#do('open', (error) => {
      if (error !== null) return done({ ok: false, error })
      if (this.#open.has(group)) {
        return done({ ok: false, error: new StorageError('INVALID', `Group ${group} is open already.`) })
      }
      this.#open.add(group)
      done({ ok: true, store: this.#store(group), stored: storedGroup(this.disk(group)) })
    })
  }

  openSnapshots(group: string, done: SnapshotDone<SnapshotStore>): void {
    this.#snapshots.open(group, done)
  }

  close(done: StorageDone): void {
    this.closed = true
    this.#do('close', done)
  }

  #store(group: string): GroupStore {
    const disk = this.disk(group)
    let next = disk.firstIndex + disk.entries.length
    let readableTo = next - 1
    const window = new LogWindow(group, disk.firstIndex, next - 1)
    const write = (kind: Kind, change: () => void, done: StorageDone): void =>
      this.#do(kind, (error) => {
        if (error === null) change()
        done(error)
      })
    return {
      append: (entries, done) => {
        for (const { index } of entries) {
          if (index !== next++) throw new Error(`append of ${index} where ${next - 1} was expected`)
        }
        const batch = [...entries]
        const last = next - 1
        const durable = window.appended(entries)
        write(
          'append',
          () => {
            disk.entries.push(...batch)
            durable()
            readableTo = Math.max(readableTo, Math.min(last, next - 1))
          },
          done,
        )
      },
      onFailure: (listener) => void this.#failureListeners.push(listener),
      truncateSuffix: (lastKept, done) => {
        next = Math.min(next, lastKept + 1)
        window.truncateSuffix(lastKept)
        readableTo = Math.min(readableTo, lastKept)
        const keep = Math.max(0, lastKept + 1 - disk.firstIndex)
        write('truncate', () => disk.entries.splice(keep), done)
      },
      truncatePrefix: (firstKept, termBeforeFirst, done) => {
        window.truncatePrefix(firstKept)
        write(
          'truncate',
          () => {
            disk.entries.splice(0, firstKept - disk.firstIndex)
            Object.assign(disk, { firstIndex: firstKept, termBeforeFirst })
          },
          done,
        )
      },
      reset: (nextIndex, termBeforeFirst, done) => {
        next = nextIndex
        window.reset(nextIndex)
        readableTo = nextIndex - 1
        write(
          'truncate',
          () => void Object.assign(disk, { firstIndex: nextIndex, termBeforeFirst, entries: [] }),
          done,
        )
      },
      saveHardState: (state, done) => {
        write(
          'hardState',
          () => {
            disk.hardState = state
          },
          done,
        )
      },
      read: (from, limits) => {
        const found = readEntries(disk, from, Math.min(readableTo, from + limits.maxEntries - 1), limits)
        this.entriesRead += found.length
        return found
      },
      fetch: (from, limits, done) => {
        const claimed = new ClaimedRead(window, from, limits.maxEntries, done)
        this.#do('fetch', (error) => {
          const entries = readEntries(disk, from, claimed.to, limits)
          this.entriesFetched += entries.length
          if (error === null) claimed.rowsRead({ entries, failure: null })
          else claimed.failed(error)
        })
        return claimed
      },
      close: (done) =>
        this.#do('close', (error) => {
          this.#open.delete(group)
          done(error)
        }),
    }
  }

  #do(kind: Kind, finish: (error: StorageError | null) => void): void {
    const work = { kind, finish }
    if (this.#waiting.length > 0 || this.#held.has(kind)) this.#waiting.push(work)
    else this.#end(work)
  }

  #end({ kind, finish }: Work): void {
    this.#clock.defer(() => finish(this.#failing.get(kind) ?? null))
  }
}

function readEntries(disk: DiskState, from: LogIndex, to: LogIndex, { maxBytes }: ReadLimits): LogEntry[] {
  const found: LogEntry[] = []
  let bytes = 0
  for (let index = from; index <= to; index++) {
    const entry = disk.entries[index - disk.firstIndex]
    if (entry === undefined || (found.length > 0 && bytes + entry.data.length > maxBytes)) break
    bytes += entry.data.length
    found.push(entry)
  }
  return found
}

function storedGroup({ hardState, firstIndex, termBeforeFirst, entries, identity }: DiskState): StoredGroup {
  return {
    ...(identity === undefined ? {} : { identity }),
    hardState,
    firstIndex,
    lastIndex: firstIndex - 1 + entries.length,
    termBeforeFirst,
    terms: entries
      .filter((entry, i) => entry.term !== entries[i - 1]?.term)
      .map(({ index, term }) => ({ firstIndex: index, term })),
    configurations: entries.filter(({ type }) => type === EntryType.CONFIGURATION),
    withheld: withheldRange(entries),
  }
}
