// All instances of a group, by key. Each is kept as bytes, which never change: a snapshot of all of them is a list of
// references. Those that were asked for lately are kept awake as well.

import type { AnyMachineSnapshot } from 'xstate'
import type { HashLanes } from '../machines/kv-hash.ts'
import { hashText } from '../machines/kv-hash.ts'
import { exchange, freeze, hashInstance, NO_INSTANCES } from './deterministic.ts'
import type { InstanceRules } from './instance.ts'
import { keep, type PlainState, recall, recallPending, recallPlain } from './instance-codec.ts'
import type { Instance, Job, Timer } from './shapes.ts'

/** So many snapshots are kept ready; the others are made from their bytes when they are asked for. */
const MAX_AWAKE = 4096

export interface Resident {
  readonly key: string
  /** Its bytes, a character each: text lies in memory closer together than small arrays do, and costs less to give back. */
  readonly packed: string
  readonly hash: HashLanes
  /** What waits; null: nothing, as with most. */
  readonly timers: ReadonlyMap<string, Timer> | null
  readonly jobs: ReadonlyMap<string, Job> | null
}

export function bytesOf({ packed }: Resident): Uint8Array {
  return Buffer.from(packed, 'latin1')
}

export class Instances {
  readonly #rules: InstanceRules
  readonly #strict: boolean
  readonly #residents = new Map<string, Resident>()
  /** The one that was made last comes last. */
  readonly #awake = new Map<string, AnyMachineSnapshot>()
  #total = NO_INSTANCES

  constructor(rules: InstanceRules, strict: boolean) {
    this.#rules = rules
    this.#strict = strict
  }

  get size(): number {
    return this.#residents.size
  }

  get hash(): string {
    return hashText(this.#total)
  }

  resident(key: string): Resident | undefined {
    return this.#residents.get(key)
  }

  residents(): IterableIterator<Resident> {
    return this.#residents.values()
  }

  /** In the order in which they were made. */
  keys(from: number, count: number): readonly string[] {
    return [...this.#residents.keys()].slice(from, from + count)
  }

  /** Null: there is none. */
  get(key: string): Instance | null {
    const resident = this.#residents.get(key)
    if (resident === undefined) return null
    const { timers, jobs } = resident
    return { snapshot: this.#wake(resident), timers: timers ?? NONE, jobs: jobs ?? NO_JOBS }
  }

  /** What there is to see of it; null: there is none. */
  plain(key: string): PlainState | null {
    const resident = this.#residents.get(key)
    return resident === undefined ? null : recallPlain(bytesOf(resident))
  }

  /** Where it stands, without waking it; null: there is none. */
  standing(key: string): Pick<PlainState, 'status' | 'value'> | null {
    return this.#awake.get(key) ?? this.plain(key)
  }

  /** Those that were changed last, as far as that is known, the newest first; and then those that were made last. */
  lately(count: number): readonly string[] {
    const awake = [...this.#awake.keys()].slice(-count).reverse()
    if (awake.length >= count) return awake
    const made = [...this.#residents.keys()].slice(-count).reverse()
    return [...new Set([...awake, ...made])].slice(0, count)
  }

  /** Keys that begin like this, the one that is just this before all others. */
  find(text: string, count: number): readonly string[] {
    const found = this.#residents.has(text) ? [text] : []
    for (const key of this.#residents.keys()) {
      if (found.length >= count) break
      if (key !== text && key.startsWith(text)) found.push(key)
    }
    return found
  }

  /** @throws Error when it cannot be kept; then nothing has changed. */
  put(key: string, next: Instance): PlainState {
    const { instance, bytes, plain } = keep(next, this.#rules)
    this.#take(key, bytes, instance)
    this.#remember(key, instance.snapshot)
    return plain
  }

  /** As a snapshot has it. @throws Error when the bytes are no instance */
  load(key: string, bytes: Uint8Array): void {
    this.#take(key, bytes, recallPending(bytes))
  }

  /** Somebody else's code may have changed it in place before it threw. */
  forget(key: string): void {
    this.#awake.delete(key)
  }

  #take(key: string, bytes: Uint8Array, { timers, jobs }: Pick<Instance, 'timers' | 'jobs'>): void {
    const hash = hashInstance(key, bytes)
    this.#total = exchange(this.#total, this.#residents.get(key)?.hash ?? null, hash)
    const waiting = { timers: timers.size > 0 ? timers : null, jobs: jobs.size > 0 ? jobs : null }
    const packed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    this.#residents.set(key, { key, packed, hash, ...waiting })
  }

  #wake(resident: Resident): AnyMachineSnapshot {
    const { key } = resident
    const awake = this.#awake.get(key)
    if (awake !== undefined) return awake
    const { snapshot } = recall(bytesOf(resident), this.#rules)
    this.#remember(key, snapshot)
    return snapshot
  }

  #remember(key: string, snapshot: AnyMachineSnapshot): void {
    if (this.#strict) freeze(snapshot.context)
    this.#awake.delete(key)
    this.#awake.set(key, snapshot)
    if (this.#awake.size <= MAX_AWAKE) return
    for (const oldest of this.#awake.keys()) {
      this.#awake.delete(oldest)
      return
    }
  }
}

const NONE: ReadonlyMap<string, Timer> = new Map()
const NO_JOBS: ReadonlyMap<string, Job> = new Map()
