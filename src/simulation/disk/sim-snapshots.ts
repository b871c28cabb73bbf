// The snapshots of one process life on a simulated disk: the product's engine, whose steps take the disk a while each.
// What it commits is on the disk; everything else is gone with the process.

import type { SnapshotCallKind } from '../../storage/snapshots/calls.ts'
import { EnginePort } from '../../storage/snapshots/engine-port.ts'
import { MemoryTables } from '../../storage/snapshots/memory-tables.ts'
import { SnapshotEngine } from '../../storage/snapshots/snapshot-engine.ts'
import type { StoredChunk, StoredSnapshot } from '../../storage/snapshots/snapshot-tables.ts'
import { StorageError } from '../../storage/storage.ts'
import type { StoreName } from './disk-image.ts'
import type { SimDisk } from './sim-disk.ts'

const SNAPSHOT: ReadonlySet<StoreName> = new Set<StoreName>(['snapshot'])

class SimTables extends MemoryTables {
  readonly #disk: SimDisk

  constructor(disk: SimDisk) {
    super()
    this.#disk = disk
    this.restore(disk.snapshots.visible)
  }

  override load(group: string): readonly StoredSnapshot[] {
    const stored = super.load(group)
    const damaged = stored.find(({ id }) => this.#disk.snapshots.damage.header.has(id))
    if (damaged === undefined) return stored
    const index = damaged.record.meta.lastIncludedIndex
    throw new StorageError('CORRUPT', `The record of snapshot ${index} of group ${group} fails its checksum.`)
  }

  override chunks(content: number): Iterable<StoredChunk> {
    const { missing } = this.#disk.snapshots.damage
    return [...super.chunks(content)].filter(({ number }) => number > 0 || !missing.has(content))
  }

  override readChunk(content: number, number: number): Uint8Array | null {
    this.#failAt(['read'])
    const { payload, missing } = this.#disk.snapshots.damage
    if (number === 0 && (payload.has(content) || missing.has(content))) return null
    return super.readChunk(content, number)
  }

  override commit(): void {
    this.#failAt(['write', 'full', 'sync'])
    this.#disk.commitSnapshots(this)
  }

  override rollBack(): void {
    this.restore(this.#disk.snapshots.visible)
  }

  #failAt(points: readonly ('read' | 'write' | 'full' | 'sync')[]): void {
    const failure = this.#disk.takeFailure(SNAPSHOT, points)
    if (failure === null) return
    if (failure.point === 'sync') this.#disk.snapshots.doubt(this)
    throw new StorageError(
      failure.point === 'full' ? 'FULL' : 'IO',
      `The disk of ${this.#disk.id} failed at ${failure.point} of a snapshot (planned fault).`,
    )
  }
}

/** How a life reaches its disk. */
export interface SnapshotLife {
  readonly alive: boolean
  /** After as long as the disk takes for this, unless the process has died. */
  later(what: 'open' | 'write' | 'sync' | 'read', run: () => void): void
  /** In the process, in the order of asking. */
  answer(run: () => void): void
}

interface Step {
  readonly what: 'open' | 'write' | 'sync' | 'read'
  readonly run: () => void
}

export class SimSnapshots {
  readonly port: EnginePort
  readonly #disk: SimDisk
  readonly #life: SnapshotLife
  readonly #waiting: Step[] = []
  #engine: SnapshotEngine | null = null
  #isHeld = false

  constructor(disk: SimDisk, life: SnapshotLife) {
    this.#disk = disk
    this.#life = life
    const pass = (stage: 'begun' | 'done' | 'answered', kind: SnapshotCallKind | null): void => {
      if (kind !== null) disk.observer.snapshotStep?.(disk, stage, kind)
    }
    this.port = new EnginePort(
      () => {
        this.#engine ??= new SnapshotEngine(new SimTables(disk))
        return this.#engine
      },
      (step, end, kind) => {
        const run = (): void => {
          pass('begun', kind)
          if (!life.alive) return
          step()
          pass('done', kind)
          life.answer(() => {
            end()
            pass('answered', kind)
          })
        }
        const what = kind === 'open' || kind === 'read' ? kind : kind === 'publish' ? 'sync' : 'write'
        if (this.#waiting.push({ what, run }) === 1) this.#next()
      },
    )
  }

  /** A hold has ended. */
  proceed(): void {
    if (this.#isHeld) this.#end()
  }

  #next(): void {
    const [step] = this.#waiting
    if (step !== undefined) this.#life.later(step.what, () => this.#end())
  }

  #end(): void {
    this.#isHeld = this.#disk.stalled || this.#disk.isHeld('snapshot')
    if (this.#isHeld) return
    this.#waiting.shift()?.run()
    this.#next()
  }
}
