// Stands between a node and its state machine: gives commands the time of their entry, carries out those of sessions once,
// and keeps what it has to remember for that in the snapshots of the machine. To the node it is the state machine.

import { createHash } from 'node:crypto'
import { type MachineSnapshots, snapshotsOf } from '../actors/snapshot/machine-snapshots.ts'
import { isOutcome, isQuorateErrorCode, QuorateError } from '../errors.ts'
import type { Configuration, LogIndex, Term } from '../rules/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { isThenable } from '../runtime/errors.ts'
import {
  type AppliedPosition,
  asksForTime,
  type LeaderChange,
  Refused,
  type SnapshotReader,
  type StateMachine,
} from '../state-machine.ts'
import { decodeValue, encodeValue } from '../transport/wire/codec.ts'
import {
  isEnvelope,
  type SessionMark,
  sealCommand,
  stampEnvelope,
  stampOf,
} from '../transport/wire/envelope.ts'
import { EntryClock } from './entry-clock.ts'
import { LEDGER_FILE, readLedger, writeLedger } from './ledger-file.ts'
import { type KeptResult, SessionTable, sessionRefusal } from './session-table.ts'

/** A thenable, on purpose. */
const THEN = 'then'

export interface CommandMachineOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'wallMs' | 'defer'>
  /** The end of the log when the node was started: what stands there says nothing about how late it is. */
  readonly replayedTo: () => LogIndex
}

/** A query whose asker wants to know, too, of which command's state the answer was made. */
export class PlacedQuery {
  index: LogIndex = 0
  readonly query: unknown

  constructor(query: unknown) {
    this.query = query
  }
}

export class CommandMachine implements StateMachine {
  readonly #inner: StateMachine
  readonly #clock: EntryClock
  readonly #defer: Clock['defer']
  readonly #replayedTo: () => LogIndex
  readonly #sessions = new SessionTable()
  /** Whoever wants to know that the state may be another one: told once after a turn, however many commands it had. */
  readonly #followers = new Set<() => void>()
  #isTelling = false
  /** Of the newest command. */
  #index: LogIndex = 0
  /** Of the newest entry that has one; never goes back. */
  #timeMs = 0
  readonly read?: (query: unknown) => unknown
  readonly stateHash?: () => string
  readonly carries?: () => readonly string[]
  readonly onSnapshotSave?: NonNullable<StateMachine['onSnapshotSave']>
  readonly onSnapshotLoad?: NonNullable<StateMachine['onSnapshotLoad']>

  constructor(inner: StateMachine, { clock, replayedTo }: CommandMachineOptions) {
    this.#inner = inner
    this.#clock = new EntryClock(clock)
    this.#defer = (run) => clock.defer(run)
    this.#replayedTo = replayedTo
    if (inner.read !== undefined) this.read = (query) => this.#read(query)
    if (inner.carries !== undefined) this.carries = () => inner.carries?.() ?? []
    if (inner.stateHash !== undefined) this.stateHash = () => this.#hash(inner.stateHash?.() ?? '')
    const snapshots = snapshotsOf(inner)
    if (snapshots === null) return
    this.onSnapshotSave = (writer, signal) => {
      // First, and at once: what is remembered has to be as old as the state.
      const ledger = { timeMs: this.#timeMs, sessions: this.#sessions.records() }
      if (ledger.timeMs > 0) void writer.addFile(LEDGER_FILE, writeLedger(ledger))
      return snapshots.capture(writer, signal)
    }
    this.onSnapshotLoad = (reader, signal) => this.#load(snapshots, reader, signal)
  }

  /** The user's. */
  get inner(): StateMachine {
    return this.#inner
  }

  /** A command as it goes to the log. */
  prepare(data: Uint8Array): Uint8Array {
    return !isEnvelope(data) && asksForTime(this.#inner, data) ? sealCommand(data, {}) : data
  }

  /** The leader puts it into the log now. */
  stamp(data: Uint8Array): void {
    if (isEnvelope(data)) stampEnvelope(data, this.#clock.nowMs())
  }

  /** Tells when the answer to a query may have changed. Returns the function that ends it. @throws what the user's machine throws */
  follow(query: unknown, changed: () => void): () => void {
    const stop = this.#inner.onSubscribe?.(query, changed) ?? null
    if (stop !== null) return stop
    this.#followers.add(changed)
    return () => void this.#followers.delete(changed)
  }

  /** A leader has put it into the log, and it has come here: long before it is applied, so the time on it is newer then. */
  hear(data: Uint8Array): void {
    const timeMs = stampOf(data)
    if (timeMs !== null) this.#clock.hear(timeMs)
  }

  apply(command: unknown, at: AppliedPosition & { readonly session?: SessionMark }): unknown {
    this.#index = at.index
    this.#tellFollowers()
    return this.#apply(command, at)
  }

  #apply(command: unknown, at: AppliedPosition & { readonly session?: SessionMark }): unknown {
    if (at.timeMs === undefined) return this.#inner.apply(command, at)
    this.#clock.note(at.timeMs, at.index > this.#replayedTo())
    // Stamps of two leaders may cross in the log.
    this.#timeMs = Math.max(this.#timeMs, at.timeMs)
    const { session, ...place } = { ...at, timeMs: this.#timeMs }
    return session === undefined
      ? this.#inner.apply(command, place)
      : this.#inSession(command, place, session)
  }

  onStart(...given: Parameters<NonNullable<StateMachine['onStart']>>): void {
    this.#inner.onStart?.(...given)
  }

  onConfigurationCommitted(configuration: Configuration, index: LogIndex): void {
    return this.#inner.onConfigurationCommitted?.(configuration, index)
  }

  onLeaderStart(term: Term): void {
    return this.#inner.onLeaderStart?.(term)
  }

  onLeaderStop(reason: string): void {
    return this.#inner.onLeaderStop?.(reason)
  }

  onStartFollowing(change: LeaderChange): void {
    return this.#inner.onStartFollowing?.(change)
  }

  onStopFollowing(change: LeaderChange): void {
    return this.#inner.onStopFollowing?.(change)
  }

  onError(error: Error): void {
    return this.#inner.onError?.(error)
  }

  onShutdown(): void {
    return this.#inner.onShutdown?.()
  }

  #tellFollowers(): void {
    if (this.#isTelling || this.#followers.size === 0) return
    this.#isTelling = true
    this.#defer(() => {
      this.#isTelling = false
      for (const changed of this.#followers) changed()
    })
  }

  #read(query: unknown): unknown {
    if (!(query instanceof PlacedQuery)) return this.#inner.read?.(query)
    query.index = this.#index
    return this.#inner.read?.(query.query)
  }

  #inSession(command: unknown, at: AppliedPosition, mark: SessionMark): unknown {
    if (mark.session === 0) return this.#sessions.open(at.index, mark.sequence, this.#timeMs)
    if (mark.sequence === 0) return this.#sessions.close(mark.session) ?? null
    const verdict = this.#sessions.judge(mark, this.#timeMs)
    if (verdict === 'stale' || verdict === 'expired') return new Refused(sessionRefusal(mark, verdict))
    if (verdict === 'repeat') return repeated(this.#sessions.resultOf(mark))
    const result = this.#inner.apply(command, at)
    if (isThenable(result)) return new Noted(result, (settled) => this.#sessions.keep(mark, kept(settled)))
    this.#sessions.keep(mark, kept(result))
    return result
  }

  #load(snapshots: MachineSnapshots, reader: SnapshotReader, signal: AbortSignal): void | Promise<void> {
    this.#index = reader.meta.lastIncludedIndex
    this.#tellFollowers()
    const files = reader.files()
    if (!files.some(({ name }) => name === LEDGER_FILE)) {
      this.#restore({ timeMs: 0, sessions: [] })
      return snapshots.load(reader, signal)
    }
    const hidden: SnapshotReader = {
      meta: reader.meta,
      files: () => reader.files().filter(({ name }) => name !== LEDGER_FILE),
      open: (name) => reader.open(name),
      readAll: (name) => reader.readAll(name),
    }
    return readLedger(reader.open(LEDGER_FILE)).then((ledger) => {
      this.#restore(ledger)
      return snapshots.load(hidden, signal)
    })
  }

  #restore({ timeMs, sessions }: Awaited<ReturnType<typeof readLedger>>): void {
    this.#timeMs = timeMs
    if (timeMs > 0) this.#clock.note(timeMs, false)
    this.#sessions.restore(sessions)
  }

  #hash(inner: string): string {
    if (this.#sessions.size === 0) return inner
    return createHash('sha256').update(`${inner} ${this.#sessions.hash()}`).digest('hex').slice(0, 16)
  }
}

/** What a machine will answer, noted in the turn in which it is heard: no promise more that somebody would have to wait for. */
class Noted implements PromiseLike<unknown> {
  readonly #inner: PromiseLike<unknown>
  readonly #note: (value: unknown) => void

  constructor(inner: PromiseLike<unknown>, note: (value: unknown) => void) {
    this.#inner = inner
    this.#note = note
  }

  [THEN]<A = unknown, B = never>(
    heard?: ((value: unknown) => A | PromiseLike<A>) | null,
    failed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    const passOn = heard ?? ((): PromiseLike<never> => new Promise(() => {}))
    return this.#inner.then((value) => {
      this.#note(value)
      return passOn(value)
    }, failed)
  }
}

/** A result as it is kept: `[0, value]`, `[1, code, message, outcome]` of a refusal, `[2]` of what no codec carries. */
function kept(result: unknown): KeptResult {
  if (result instanceof Refused) {
    const { code, message, outcome } = result.error
    return encodeValue([1, code, message, outcome])
  }
  try {
    return encodeValue(result === undefined ? [0] : [0, result])
  } catch {
    return encodeValue([2])
  }
}

function repeated(bytes: KeptResult | null): unknown {
  const decoded = bytes === null ? null : decodeValue(bytes)
  const parts: readonly unknown[] = decoded?.ok === true && Array.isArray(decoded.value) ? decoded.value : [2]
  const [kind, value, message, outcome] = parts
  if (kind === 0) return value
  if (kind === 1 && isQuorateErrorCode(value) && isOutcome(outcome))
    return new Refused(new QuorateError(value, String(message), { outcome }))
  const text = 'The command was applied; its result could not be kept, and is lost.'
  return new Refused(new QuorateError('INVALID', text, { outcome: 'applied' }))
}
