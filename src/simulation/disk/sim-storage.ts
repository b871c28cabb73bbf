// One process life's use of a simulated disk: the `Storage` that the real code is given. Writes queue up, go as one
// transaction when the disk is free, and answer in the order in which they were asked for.

import type { LogEntry, LogIndex } from '../../rules/types.ts'
import { sheltered } from '../../runtime/errors.ts'
import type { ClaimedRead, RowsRead } from '../../storage/claimed-read.ts'
import { FailureWatch } from '../../storage/failure-watch.ts'
import type { SnapshotDone, SnapshotStore } from '../../storage/snapshot-store.ts'
import type { Completer } from '../../storage/snapshots/asking.ts'
import { Snapshots } from '../../storage/snapshots/snapshots.ts'
import {
  type OpenGroupResult,
  type ReadLimits,
  type Storage,
  type StorageDone,
  StorageError,
} from '../../storage/storage.ts'
import type { DeathCause, Lane, SimProcess } from '../sim-process.ts'
import { EventKind, type ScheduledEvent } from '../time/scheduler.ts'
import { chance } from '../time/sim-random.ts'
import type { FailPoint } from './disk-faults.ts'
import { type StoreName, storeOf, type WriteOp } from './disk-image.ts'
import type { DiskLatency, DiskLife, GroupOp, SimDisk } from './sim-disk.ts'
import { SimGroupStore, type StorageOfGroup } from './sim-group-store.ts'
import { SimSnapshots } from './sim-snapshots.ts'

interface QueuedWrite extends GroupOp {
  readonly done: StorageDone
}

/** Something that takes the disk a while. */
interface Work {
  readonly what: keyof DiskLatency
  readonly run: () => void
  event: ScheduledEvent | null
}

type Phase = 'idle' | 'writing' | 'beforeSync' | 'syncing'

/** How often the answers of one transaction come as turns of their own instead of together. */
const SPLIT_ANSWERS_RATE = 0.25

export class SimStorage implements Storage, StorageOfGroup, DiskLife {
  readonly #disk: SimDisk
  readonly #process: SimProcess
  readonly #locked: boolean
  readonly #lane: Lane
  readonly #open = new Map<string, SimGroupStore>()
  /** Called when everything asked for before has ended. */
  readonly #whenDrained: (() => void)[] = []
  readonly #answers: (() => void)[] = []
  /** Asynchronous reads, carried out one after the other. */
  readonly #reads: (() => void)[] = []
  readonly #underWay = new Set<Work>()
  #readHeld = false
  #queue: QueuedWrite[] = []
  #batch: QueuedWrite[] = []
  #phase: Phase = 'idle'
  /** After one failure every later write of this life fails, as in the product. */
  #failure: StorageError | null = null
  #closed = false
  #released = false
  readonly #simSnapshots: SimSnapshots
  readonly #snapshots: Snapshots

  /** The storage for one life of a process. While an older one holds the disk, its groups answer LOCKED. */
  constructor(disk: SimDisk, process: SimProcess) {
    this.#disk = disk
    this.#process = process
    this.#locked = !disk.claim(this)
    this.#lane = { name: `${process.id} disk` }
    this.#simSnapshots = new SimSnapshots(disk, {
      get alive() {
        return process.alive
      },
      later: (what, run) => this.#later(what, run),
      answer: (run) => this.#answer(run),
    })
    this.#snapshots = new Snapshots({
      port: this.#simSnapshots.port,
      refusal: () => this.#refusal(),
      completer: (group) => this.#completer(group),
      report: () => {},
    })
    process.onDeath((cause) => this.#die(cause))
  }

  /** True when this life no longer holds the disk. */
  get released(): boolean {
    return this.#released
  }

  /** Writes asked for and not answered. */
  get pending(): number {
    return this.#queue.length + this.#batch.length
  }

  openGroup(group: string, done: (result: OpenGroupResult) => void): void {
    this.#later('open', () => this.#afterWrites(() => this.#answer(() => this.#completeOpen(group, done))))
  }

  openSnapshots(group: string, done: SnapshotDone<SnapshotStore>): void {
    this.#snapshots.open(group, done)
  }

  close(done: StorageDone): void {
    this.#closed = true
    this.#afterWrites(() => {
      this.#released = true
      this.#answer(() => done(null))
    })
  }

  /** Holds were released: goes on where it stopped. */
  proceed(): void {
    if (this.#readHeld) this.#endRead()
    this.#simSnapshots.proceed()
    if (this.#phase === 'beforeSync') this.#sync()
    else this.#pump()
  }

  // The group store's side.

  /** A callback that throws is a finding, as any other misuse; sheltered as in the product where misuse is refused. */
  get sheltersCallbacks(): boolean {
    return this.#disk.misuse === 'refuse'
  }

  /** Once closed, and for good. */
  get closed(): boolean {
    return this.#closed
  }

  refuse(code: 'CLOSED' | 'INVALID' | 'FAULT', message: string, done: StorageDone): void {
    if (code === 'INVALID' && this.#disk.misuse === 'throw')
      throw new Error(`Contract of storage broken: ${message}`)
    this.#answer(() => done(new StorageError(code, message)))
  }

  write(group: string, op: WriteOp, done: StorageDone): void {
    if (!this.#process.alive) return
    this.#queue.push({ group, op, done })
    this.#disk.observer.stage?.(this.#disk, 'issued', op)
    this.#pump()
  }

  /** @throws StorageError when the disk fails to read, or what it reads is damaged. */
  read(group: string, from: LogIndex, limits: ReadLimits): LogEntry[] {
    if (this.#disk.takeFailure(new Set<StoreName>(['log']), ['read']) !== null) {
      throw new StorageError('IO', `Reading the log of group ${group} failed (planned fault).`)
    }
    return this.#disk.visible(group).read(from, limits)
  }

  /** Reads at a drawn moment; what the log has lost since it was asked for is the claim's to know. */
  fetch(group: string, read: ClaimedRead, maxBytes: number, isClosed: () => boolean): void {
    const run = (): void => {
      const rows = this.#rows(group, read, maxBytes)
      this.#answer(() => {
        if (isClosed() || this.#closed) read.failed(new StorageError('CLOSED', `Group ${group} is closed.`))
        else read.rowsRead(rows)
      })
      this.#reads.shift()
      this.#nextRead()
    }
    if (this.#reads.push(run) === 1) this.#nextRead()
  }

  #nextRead(): void {
    if (this.#reads.length > 0) this.#later('read', () => this.#endRead())
  }

  /** A stalled disk ends nothing; `proceed` comes back to it. */
  #endRead(): void {
    this.#readHeld = this.#disk.stalled
    if (!this.#readHeld) this.#reads[0]?.()
  }

  #rows(group: string, { from, to }: ClaimedRead, maxBytes: number): RowsRead {
    if (to < from) return { entries: [], failure: null }
    if (this.#disk.takeFailure(new Set<StoreName>(['log']), ['read']) !== null) {
      const error = new StorageError('IO', `Reading the log of group ${group} failed (planned fault).`)
      return { entries: [], failure: { index: from, error } }
    }
    return this.#disk.visible(group).readRows(from, { maxEntries: to - from + 1, maxBytes })
  }

  closeGroup(group: string, done: StorageDone): void {
    this.#afterWrites(() => {
      this.#open.delete(group)
      this.#answer(() => done(null))
    })
  }

  /** The disk has another speed: what is under way ends no later than it would if it began now. */
  hurry(): void {
    const { scheduler } = this.#disk
    for (const work of this.#underWay) {
      const delayMs = this.#disk.drawMs(work.what)
      if (work.event === null || scheduler.nowMs + delayMs >= work.event.atMs) continue
      scheduler.cancel(work.event)
      this.#schedule(work, delayMs)
    }
  }

  #completeOpen(group: string, done: (result: OpenGroupResult) => void): void {
    const result = this.#openNow(group)
    if (this.sheltersCallbacks)
      sheltered(
        () => done(result),
        () => {},
      )
    else done(result)
  }

  #refusal(): StorageError | null {
    if (this.#locked)
      return new StorageError('LOCKED', `The disk of ${this.#disk.id} is in use by another process.`)
    return this.#closed ? new StorageError('CLOSED', 'The storage is closed.') : null
  }

  /** A callback that throws is a finding, unless misuse is refused. */
  #completer(group: string): Completer {
    if (this.sheltersCallbacks) return new FailureWatch(group, () => {})
    return { fault: null, complete: (done, value) => done(value) }
  }

  #openNow(group: string): OpenGroupResult {
    try {
      const refusal = this.#refusal()
      if (refusal !== null) throw refusal
      if (this.#open.has(group)) throw new StorageError('INVALID', `Group ${group} is open already.`)
      if (this.#disk.takeFailure(new Set<StoreName>(['log', 'meta']), ['read']) !== null) {
        throw new StorageError('IO', `Opening group ${group} failed (planned fault).`)
      }
      this.#disk.settle()
      const stored = this.#disk.visible(group).open()
      const store = new SimGroupStore(this, group, stored)
      this.#open.set(group, store)
      return { ok: true, store, stored }
    } catch (error) {
      if (error instanceof StorageError) return { ok: false, error }
      throw error
    }
  }

  #pump(): void {
    if (this.#phase !== 'idle' || !this.#process.alive) return
    if (this.#queue.length === 0) {
      for (const run of this.#whenDrained.splice(0)) run()
      return
    }
    if (this.#disk.stalled) return
    this.#batch = this.#takeBatch()
    this.#enter('writing')
    this.#later('write', () => this.#written())
  }

  /** Whatever waits goes together, except that writes before a held one don't wait for it. */
  #takeBatch(): QueuedWrite[] {
    const firstHeld = this.#queue.findIndex(({ op }) => this.#disk.isHeld(storeOf(op)))
    return this.#queue.splice(0, firstHeld > 0 ? firstHeld : this.#queue.length)
  }

  #written(): void {
    const failure = this.#failure === null ? this.#disk.takeFailure(this.#stores(), ['write', 'full']) : null
    if (failure !== null || this.#failure !== null) {
      this.#failBatch(failure?.point ?? null)
      return
    }
    this.#phase = 'beforeSync'
    this.#sync()
  }

  #sync(): void {
    const held = this.#batch.some(({ op }) => this.#disk.isHeld(storeOf(op)))
    if (held || this.#disk.stalled) return
    this.#enter('syncing')
    this.#later('sync', () => {
      // A hold may have come meanwhile.
      if (this.#disk.stalled || this.#batch.some(({ op }) => this.#disk.isHeld(storeOf(op)))) {
        this.#phase = 'beforeSync'
        return
      }
      this.#synced()
    })
  }

  #synced(): void {
    if (this.#disk.takeFailure(this.#stores(), ['sync']) !== null) {
      this.#failBatch('sync')
      return
    }
    const batch = this.#endBatch()
    if (this.#disk.lies) this.#disk.cache(batch)
    else this.#disk.commit(batch)
    for (const { op } of batch) this.#disk.observer.stage?.(this.#disk, 'synced', op)
    this.#answerBatch(batch, null)
    this.#pump()
  }

  #failBatch(point: FailPoint | null): void {
    const batch = this.#endBatch()
    if (point !== null) {
      this.#disk.afterFailure(batch, point)
      this.#failure = new StorageError(
        point === 'full' ? 'FULL' : 'IO',
        `The disk of ${this.#disk.id} failed at ${point} (planned fault).`,
      )
    }
    this.#answerBatch(batch, this.#failure)
    this.#tellFailure()
    this.#pump()
  }

  #endBatch(): QueuedWrite[] {
    const batch = this.#batch
    this.#batch = []
    this.#phase = 'idle'
    return batch
  }

  #answerBatch(batch: readonly QueuedWrite[], error: StorageError | null): void {
    const answerOne = ({ group, op, done }: QueuedWrite): void => {
      if (error !== null) this.#disk.observer.failed?.(this.#disk, group, this.#process)
      done(error)
      this.#disk.observer.stage?.(this.#disk, 'answered', op)
    }
    if (chance(this.#disk.random, SPLIT_ANSWERS_RATE)) {
      for (const write of batch) this.#answer(() => answerOne(write))
    } else {
      this.#answer(() => {
        for (const write of batch) if (this.#process.alive) answerOne(write)
      })
    }
  }

  /** Once, and after the answers of what failed, as in the product. */
  #tellFailure(): void {
    const error = this.#failure
    if (error === null) return
    for (const store of this.#open.values()) this.#answer(() => store.fail(error))
  }

  /** Answers wait in the lane of the process: first in, first out. */
  #answer(run: () => void): void {
    this.#answers.push(run)
    this.#disk.scheduler.schedule(0, EventKind.DISK, () =>
      this.#process.turn(this.#lane, () => this.#answers.shift()?.()),
    )
  }

  #afterWrites(run: () => void): void {
    this.#whenDrained.push(run)
    this.#pump()
  }

  #enter(phase: 'writing' | 'syncing'): void {
    this.#phase = phase
    for (const { op } of this.#batch) this.#disk.observer.stage?.(this.#disk, phase, op)
  }

  #later(what: keyof DiskLatency, run: () => void): void {
    const work: Work = {
      what,
      run: () => {
        this.#underWay.delete(work)
        if (this.#process.alive) run()
      },
      event: null,
    }
    this.#underWay.add(work)
    this.#schedule(work, this.#disk.drawMs(what))
  }

  #schedule(work: Work, delayMs: number): void {
    work.event = this.#disk.scheduler.schedule(delayMs, EventKind.DISK, work.run)
  }

  #stores(): Set<StoreName> {
    return new Set(this.#batch.map(({ op }) => storeOf(op)))
  }

  /** The transaction under way is in the cache when it was written, perhaps when it wasn't; what waited is gone. */
  #die(_cause: DeathCause): void {
    this.#released = true
    const written = this.#phase === 'beforeSync' || this.#phase === 'syncing'
    if (this.#batch.length > 0 && (written || chance(this.#disk.random, 0.5))) this.#disk.cache(this.#batch)
    this.#queue = []
    this.#batch = []
    this.#answers.length = 0
    this.#reads.length = 0
  }
}
