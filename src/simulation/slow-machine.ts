// A state machine that takes its time, in virtual time: it holds the loop, or answers later, or not for a long while.

import type { Configuration, LogIndex } from '../rules/types.ts'
import type { Random } from '../runtime/random.ts'
import {
  type AppliedPosition,
  asksForTime,
  type BackgroundSave,
  type LeaderChange,
  type SnapshotReader,
  type SnapshotWriter,
  type StateMachine,
} from '../state-machine.ts'
import { decodeValue, encodeValue } from '../transport/wire/codec.ts'
import type { Lane, SimProcess } from './sim-process.ts'
import { EventKind } from './time/scheduler.ts'
import { chance, drawLatencyMs, type Latency } from './time/sim-random.ts'

export interface MachinePace {
  /** For which the loop of the process is held, per command and per query. Default: no time at all. */
  readonly cost?: Latency
  /** After which a command is carried out and a query is answered, while the loop goes on. Default: at once. */
  readonly delay?: Latency
  /** The share of commands for which it is `hangMs` instead of `delay`. Default 0. */
  readonly hangRate?: number
  readonly hangMs?: number
  /** How long a snapshot takes to be captured (commands wait), written in the background, and loaded. */
  readonly capture?: Latency
  readonly background?: Latency
  readonly load?: Latency
}

/** What a query got whose state changed under it. */
export interface TornAnswer {
  readonly torn: readonly [unknown, unknown]
}

/** What makes an object a promise to whoever is handed it. */
const THEN = 'then'
const AT_ONCE: Latency = { shape: 'constant', ms: 0 }

export class SlowMachine implements StateMachine {
  readonly #inner: StateMachine
  readonly #process: SimProcess
  readonly #random: Random
  readonly #pace: MachinePace
  readonly #lane: Lane
  readonly wantsTime?: NonNullable<StateMachine['wantsTime']>
  readonly onStart?: NonNullable<StateMachine['onStart']>
  readonly stateHash?: () => string
  readonly onSnapshotSave?: NonNullable<StateMachine['onSnapshotSave']>
  readonly onSnapshotLoad?: NonNullable<StateMachine['onSnapshotLoad']>

  constructor(inner: StateMachine, process: SimProcess, random: Random, pace: MachinePace) {
    this.#inner = inner
    this.#process = process
    this.#random = random
    this.#pace = pace
    this.#lane = { name: `${process.id} machine` }
    if (inner.stateHash !== undefined) this.stateHash = () => inner.stateHash?.() ?? ''
    if (inner.wantsTime !== undefined) this.wantsTime = (encoded) => asksForTime(inner, encoded)
    if (inner.onStart !== undefined) this.onStart = (port) => inner.onStart?.(port)
    if (inner.snapshot === undefined && inner.onSnapshotSave === undefined) return
    this.onSnapshotSave = (writer, signal) => this.#save(writer, signal)
    this.onSnapshotLoad = (reader, signal) => this.#load(reader, signal)
  }

  apply(command: unknown, at: AppliedPosition): unknown {
    this.#spend()
    const { hangRate = 0, hangMs = 0, delay } = this.#pace
    if (chance(this.#random, hangRate)) return this.#later(hangMs, () => this.#inner.apply(command, at))
    if (delay === undefined) return this.#inner.apply(command, at)
    return this.#later(drawLatencyMs(this.#random, delay), () => this.#inner.apply(command, at))
  }

  /** Looks at the state twice, as an answer does that is put together in pieces. */
  read(query: unknown): unknown {
    this.#spend()
    const { delay } = this.#pace
    if (delay === undefined) return this.#inner.read?.(query)
    // Its own to keep: whoever reads may write on the query.
    const kept: unknown = structuredClone(query)
    const first = this.#inner.read?.(query)
    return this.#later(drawLatencyMs(this.#random, delay), () => {
      const second = this.#inner.read?.(kept)
      return first === second ? second : ({ torn: [first, second] } satisfies TornAnswer)
    })
  }

  /** Captured late, and written later: what a save takes of a state is the state at one moment all the same. */
  async #save(writer: SnapshotWriter, signal: AbortSignal): Promise<BackgroundSave> {
    await this.#pass(this.#pace.capture)
    const inner = this.#inner
    if (inner.onSnapshotSave !== undefined) {
      const rest = await inner.onSnapshotSave(writer, signal)
      return async () => {
        await this.#pass(this.#pace.background)
        if (typeof rest === 'function') await rest()
        else if (rest !== undefined)
          for await (const { name, content, userMeta } of rest) {
            await writer.addFile(name, content, userMeta)
            await this.#pass(this.#pace.background)
          }
      }
    }
    const bytes = encodeValue(inner.snapshot?.())
    return async () => {
      await this.#pass(this.#pace.background)
      const half = Math.floor(bytes.length / 2)
      await writer.addFile('first half', bytes.subarray(0, half))
      await this.#pass(this.#pace.background)
      await writer.addFile('second half', bytes.subarray(half))
    }
  }

  async #load(reader: SnapshotReader, signal: AbortSignal): Promise<void> {
    await this.#pass(this.#pace.load)
    const inner = this.#inner
    if (inner.onSnapshotLoad !== undefined) return inner.onSnapshotLoad(reader, signal)
    const halves = [await reader.readAll('first half'), await reader.readAll('second half')]
    await this.#pass(this.#pace.load)
    const decoded = decodeValue(Buffer.concat(halves))
    if (!decoded.ok) throw new Error(`The snapshot holds no value: ${decoded.reason}.`)
    await inner.restore?.(decoded.value)
  }

  /** Virtual time goes by for whoever awaits it. */
  #pass(latency: Latency | undefined): Promise<void> {
    if (latency === undefined) return Promise.resolve()
    const { scheduler } = this.#process
    const delayMs = drawLatencyMs(this.#random, latency)
    return new Promise((resolve) =>
      scheduler.schedule(delayMs, EventKind.OTHER, () => this.#process.turn(this.#lane, resolve)),
    )
  }

  onConfigurationCommitted(configuration: Configuration, index: LogIndex): void {
    this.#inner.onConfigurationCommitted?.(configuration, index)
  }

  onLeaderStart(term: number): void {
    this.#inner.onLeaderStart?.(term)
  }

  onLeaderStop(reason: string): void {
    this.#inner.onLeaderStop?.(reason)
  }

  onStartFollowing(change: LeaderChange): void {
    this.#inner.onStartFollowing?.(change)
  }

  onStopFollowing(change: LeaderChange): void {
    this.#inner.onStopFollowing?.(change)
  }

  onError(error: Error): void {
    this.#inner.onError?.(error)
  }

  onShutdown(): void {
    this.#inner.onShutdown?.()
  }

  #spend(): void {
    this.#process.spend(drawLatencyMs(this.#random, this.#pace.cost ?? AT_ONCE))
  }

  #later<T>(delayMs: number, run: () => T): PromiseLike<T> {
    return new VirtualPromise(this.#process, this.#lane, delayMs, run)
  }
}

/**
 * Settles in virtual time, as a turn of its process, without the microtasks of the real world: a run needs no yielding
 * for it. Good for one `then`.
 */
class VirtualPromise<T> implements PromiseLike<T> {
  readonly #process: SimProcess
  readonly #lane: Lane
  readonly #delayMs: number
  readonly #run: () => T

  constructor(process: SimProcess, lane: Lane, delayMs: number, run: () => T) {
    this.#process = process
    this.#lane = lane
    this.#delayMs = delayMs
    this.#run = run
  }

  [THEN]<A = T, B = never>(
    onValue?: ((value: T) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    const { scheduler } = this.#process
    // What the listener throws ends the run: it is the node's.
    const settle = (): unknown => {
      const ran = this.#attempt()
      return ran.ok ? onValue?.(ran.value) : onError?.(ran.error)
    }
    scheduler.schedule(this.#delayMs, EventKind.OTHER, () => this.#process.turn(this.#lane, settle))
    return new Promise<never>(() => {})
  }

  #attempt(): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown } {
    try {
      return { ok: true, value: this.#run() }
    } catch (error) {
      return { ok: false, error }
    }
  }
}
