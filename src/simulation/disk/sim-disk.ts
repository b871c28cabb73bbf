// The disk of one simulated machine: what is durable, what is only in the operating system's cache, and which faults
// are in force. It outlives the processes that write to it.

import type { LogEntry, LogIndex } from '../../rules/types.ts'
import type { Random } from '../../runtime/random.ts'
import type { SnapshotCallKind } from '../../storage/snapshots/calls.ts'
import { MemoryTables } from '../../storage/snapshots/memory-tables.ts'
import type { DurableObservation } from '../invariants/observation.ts'
import type { SimProcess } from '../sim-process.ts'
import type { Scheduler } from '../time/scheduler.ts'
import { chance, drawLatencyMs, type Latency } from '../time/sim-random.ts'
import type { WriteStage } from './crash-points.ts'
import { type DiskFailure, DiskFaults, type FailPoint, type FailTimes, type Release } from './disk-faults.ts'
import { type Damage, GroupImage, type StoreName, type WriteOp } from './disk-image.ts'
import { SnapshotImage } from './snapshot-image.ts'

export interface GroupOp {
  readonly group: string
  readonly op: WriteOp
}
/** Whole or not at all: the product's disk is one database, and each batch one transaction of it. */
export type Transaction = readonly GroupOp[]

export interface DiskLatency {
  readonly open: Latency
  readonly write: Latency
  readonly sync: Latency
  /** Of old entries, off the loop. */
  readonly read: Latency
}

/** A fast local disk. */
export const DEFAULT_DISK_LATENCY: DiskLatency = {
  open: { shape: 'uniform', minMs: 1, maxMs: 10 },
  write: { shape: 'uniform', minMs: 0.02, maxMs: 0.2 },
  sync: { shape: 'exponential', minMs: 0.2, meanMs: 0.8, maxMs: 20 },
  read: { shape: 'exponential', minMs: 0.05, meanMs: 0.5, maxMs: 20 },
}

/** Which entry: an index, or a place drawn or found in the log. */
export type DamagePlace = LogIndex | 'first' | 'last' | 'middle' | 'any'

export interface DiskObserver {
  /** The write is durable: it survives power loss from here on. Comes before the callback. */
  durable?(disk: SimDisk, group: string, op: WriteOp, image: GroupImage): void
  /** Before and after each stage of a transaction: where named crash points sit. */
  stage?(disk: SimDisk, stage: WriteStage, op: WriteOp): void
  /** A step on the snapshots: the disk begins it, has done it, or the process knows. */
  snapshotStep?(disk: SimDisk, stage: 'begun' | 'done' | 'answered', kind: SnapshotCallKind): void
  /** What is durable of snapshots has changed. */
  snapshotsDurable?(disk: SimDisk): void
  /** The process is being told of a failed write of this group in this very turn. */
  failed?(disk: SimDisk, group: string, process: SimProcess): void
}

/** Everything on a disk, for putting it back later. */
export interface DiskCopy {
  readonly groups: ReadonlyMap<string, GroupImage>
  readonly snapshots: MemoryTables
}

export interface SimDiskOptions {
  readonly id: string
  readonly scheduler: Scheduler
  readonly random: Random
  readonly latency?: DiskLatency
  readonly observer?: DiskObserver
  /** Of the files that are made first; the next ones count on. Default 0: files have none. */
  readonly identity?: number
  /** What is asked for and makes no sense: a finding that ends the run (the default), or refused as INVALID. */
  readonly misuse?: 'throw' | 'refuse'
}

/** The storage of one process, as its disk sees it. */
export interface DiskLife {
  /** Nothing of it reaches the disk any more. */
  readonly released: boolean
  /** A fault has ended: what was held up may go on. */
  proceed(): void
  /** Delays have changed. */
  hurry(): void
}

export class SimDisk {
  readonly id: string
  readonly scheduler: Scheduler
  readonly random: Random
  readonly observer: DiskObserver
  readonly misuse: 'throw' | 'refuse'
  latency: DiskLatency
  /** Says "durable" and keeps everything in its cache (D8). */
  lies = false
  readonly #baseLatency: DiskLatency
  #durable = new Map<string, GroupImage>()
  /** In the cache of the operating system, in order; gone with the power. */
  #cached: Transaction[] = []
  #visible: Map<string, GroupImage> | null = null
  readonly snapshots: SnapshotImage
  readonly #faults = new DiskFaults(() => this.#current?.proceed())
  #current: DiskLife | null = null
  /** Of the files that are made from here on. */
  #identity: number

  constructor(options: SimDiskOptions) {
    this.id = options.id
    this.scheduler = options.scheduler
    this.random = options.random
    this.snapshots = new SnapshotImage(options.random)
    this.observer = options.observer ?? {}
    this.misuse = options.misuse ?? 'throw'
    this.#identity = options.identity ?? 0
    this.#baseLatency = options.latency ?? DEFAULT_DISK_LATENCY
    this.latency = this.#baseLatency
  }

  /** One life of a process opens it. False while an older one has not let go. */
  claim(life: DiskLife): boolean {
    if (this.isClaimed) return false
    this.#current = life
    if (this.snapshots.settle()) this.observer.snapshotsDurable?.(this)
    return true
  }

  get isClaimed(): boolean {
    return this.#current !== null && !this.#current.released
  }

  /** What would survive power loss at this instant for certain. Null: the group was never written. Don't change it. */
  durable(group: string): GroupImage | null {
    return this.#durable.get(group) ?? null
  }

  /** The same for a checker, with the newest snapshot. */
  durableView(group: string): DurableObservation | null {
    const image = this.durable(group)
    const newest = this.snapshots.newest(group)
    if (image === null || newest === null) return image
    const { lastIncludedIndex: index, lastIncludedTerm: term } = newest.meta
    const { hardState, firstIndex, lastIndex, termBeforeFirst } = image
    const entryAt = (at: LogIndex): LogEntry | null => image.entryAt(at)
    return { hardState, firstIndex, lastIndex, termBeforeFirst, snapshot: { index, term }, entryAt }
  }

  // Faults.

  /** Transactions with records of `store` stay at their sync, and everything behind them, until released. */
  holdSync(store: StoreName): Release {
    return this.#faults.hold(store)
  }

  /** Nothing ends any more (D7), until released. */
  stall(): Release {
    return this.#faults.hold('all')
  }

  /** The next transaction with records of `store` (once), or all of them until `heal`, fail at that point. */
  fail(store: StoreName, times: FailTimes, point: FailPoint): void {
    this.#faults.fail({ store, times, point })
  }

  /** Every delay is multiplied (D6). 1 is back to normal. */
  slow(factor: number): void {
    const { open, write, sync, read } = this.#baseLatency
    this.latency = {
      open: scaled(open, factor),
      write: scaled(write, factor),
      sync: scaled(sync, factor),
      read: scaled(read, factor),
    }
    this.#current?.hurry()
  }

  /** Ends failures, slowness and lies. Damage stays, and holds end by their own `release`. */
  heal(): void {
    this.#faults.clearFailures()
    this.latency = this.#baseLatency
    this.lies = false
    this.#current?.hurry()
  }

  /** Damages what is at rest (D5). @returns the index of the entry, 0 for meta, null when there was nothing to damage. */
  corrupt(
    group: string,
    store: StoreName,
    place: DamagePlace = 'any',
    damage: Damage = 'payload',
  ): LogIndex | null {
    const image = this.#durable.get(group)
    if (image === undefined) return null
    this.#visible = null
    if (store === 'snapshot') return this.snapshots.corrupt(group, damage)
    if (store === 'meta') {
      image.damageMeta()
      return image.hardState === null ? null : 0
    }
    const index = this.#indexOf(image, place)
    if (index === null) return null
    image.damageEntry(index, damage)
    return index
  }

  /** True when something at rest is damaged: the planner's damage budget counts this disk. */
  get damaged(): boolean {
    return [...this.#durable].some(([group, image]) => image.damaged || this.snapshots.isDamaged(group))
  }

  /** The record of term and vote is gone, the log is not (ND-13). Only while no process has it open. */
  loseMeta(): void {
    const copy = this.capture()
    for (const image of copy.groups.values()) image.hardState = null
    this.restore(copy)
  }

  /** Everything gone (P9). Only while no process has it open. */
  wipe(): void {
    this.restore({ groups: new Map(), snapshots: new MemoryTables() })
    if (this.#identity > 0) this.#identity++
  }

  /** A copy of what is durable, for `restore`. */
  capture(): DiskCopy {
    return { groups: this.#clones(), snapshots: this.snapshots.capture() }
  }

  /** Puts an older copy back (P10). Only while no process has it open. */
  restore({ groups, snapshots }: DiskCopy): void {
    if (this.#current !== null && !this.#current.released) {
      throw new Error(`The disk of ${this.id} is in use: stop its process before changing what is on it.`)
    }
    this.#durable = new Map([...groups].map(([group, image]) => [group, image.clone()]))
    this.snapshots.commit(snapshots)
    this.#cached = []
    this.#visible = null
  }

  /**
   * The power goes: of what was not synced a drawn prefix survives, or `keep` transactions. Call it after the process
   * was killed with this cause.
   */
  losePower(keep = Math.floor(this.random.next() * (this.#cached.length + 1))): void {
    const kept = this.#cached.slice(0, keep)
    this.#cached = []
    this.snapshots.losePower()
    this.#visible = null
    for (const transaction of kept) this.#makeDurable(transaction)
  }

  /** Transactions that a power loss may take. */
  get unsynced(): number {
    return this.#cached.length
  }

  // The storage's side.

  /** What a reader sees: durable and cached. */
  visible(group: string): GroupImage {
    if (this.#cached.length === 0) return this.#imageOf(this.#durable, group)
    if (this.#visible === null) {
      const images = this.#clones()
      for (const { group: owner, op } of this.#cached.flat()) this.#imageOf(images, owner).apply(op)
      this.#visible = images
    }
    return this.#imageOf(this.#visible, group)
  }

  /** A sync of snapshots has come back. */
  commitSnapshots(tables: MemoryTables): void {
    if (this.lies) return this.snapshots.cache(tables)
    this.snapshots.commit(tables)
    this.observer.snapshotsDurable?.(this)
  }

  /** Opening makes what it reads durable first: nobody may rely on what the next power loss takes away. */
  settle(): void {
    if (this.lies) return
    const cached = this.#cached
    this.#cached = []
    this.#visible = null
    for (const transaction of cached) this.#makeDurable(transaction)
  }

  /** A sync has come back. */
  commit(transaction: Transaction): void {
    this.cache(transaction)
    this.settle()
  }

  /** Written, and no sync came back for it. */
  cache(transaction: Transaction): void {
    this.#cached.push(transaction)
    this.#visible = null
  }

  isHeld(store: StoreName): boolean {
    return this.#faults.holds(store)
  }

  get stalled(): boolean {
    return this.#faults.holds('all')
  }

  /** The failure that hits `transaction` at this point, used up when it is for once. */
  takeFailure(stores: ReadonlySet<StoreName>, points: readonly FailPoint[]): DiskFailure | null {
    return this.#faults.take(stores, points)
  }

  drawMs(what: keyof DiskLatency): number {
    return drawLatencyMs(this.random, this.latency[what])
  }

  /** After a failed transaction: whether its records are there all the same is anybody's guess (D1, D2). */
  afterFailure(transaction: Transaction, point: FailPoint): void {
    const survives = point === 'sync' ? 0.5 : point === 'write' ? 0.25 : 0
    if (chance(this.random, survives)) this.cache(transaction)
  }

  #makeDurable(transaction: Transaction): void {
    for (const { group, op } of transaction) {
      const image = this.#imageOf(this.#durable, group)
      this.observer.durable?.(this, group, op, image)
      image.apply(op)
    }
  }

  #clones(): Map<string, GroupImage> {
    return new Map([...this.#durable].map(([group, image]) => [group, image.clone()]))
  }

  #imageOf(images: Map<string, GroupImage>, group: string): GroupImage {
    let image = images.get(group)
    if (image === undefined) {
      image = new GroupImage(group, this.#identity)
      images.set(group, image)
    }
    return image
  }

  #indexOf(image: GroupImage, place: DamagePlace): LogIndex | null {
    const { firstIndex, lastIndex } = image
    if (lastIndex < firstIndex) return null
    if (place === 'first') return firstIndex
    if (place === 'last') return lastIndex
    if (place === 'middle') return Math.floor((firstIndex + lastIndex) / 2)
    if (place === 'any') return firstIndex + Math.floor(this.random.next() * (lastIndex - firstIndex + 1))
    return place >= firstIndex && place <= lastIndex ? place : null
  }
}

function scaled(latency: Latency, factor: number): Latency {
  switch (latency.shape) {
    case 'constant':
      return { shape: 'constant', ms: latency.ms * factor }
    case 'uniform':
      return { shape: 'uniform', minMs: latency.minMs * factor, maxMs: latency.maxMs * factor }
    case 'exponential':
      return {
        shape: 'exponential',
        minMs: latency.minMs * factor,
        meanMs: latency.meanMs * factor,
        maxMs: latency.maxMs * factor,
      }
  }
}
