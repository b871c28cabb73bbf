// What a user implements, with what Quorate promises about the calls.

import type { QuorateError } from './errors.ts'
import type { Configuration, LogIndex, PeerId, SnapshotMeta, Term } from './rules/types.ts'
import type { Clock } from './runtime/clock.ts'
import type { Logger } from './runtime/logger.ts'
import type { TraceContext } from './transport/wire/envelope.ts'

/** Where a command stands in the log. */
export interface AppliedPosition {
  readonly index: LogIndex
  readonly term: Term
  /**
   * The time of the entry in ms since 1970, by the clock of the leader that took it; the same on all members, and never less than that
   * of an entry before it. There for commands of machines that ask for it (`wantsTime`) or that came in a session or with a trace.
   */
  readonly timeMs?: number
  /** What the caller of `apply` gave: the same on all members, a carrier for OpenTelemetry's `propagation.extract`. */
  readonly traceContext?: TraceContext
}

/**
 * What `apply` returns to refuse a command: the entry is passed over, on all members alike, and its caller's promise is
 * rejected with the error. (What `apply` throws stops the node.)
 *
 * @example
 * return new Refused(new QuorateError('CONFLICT', 'The order is closed.'))
 */
export class Refused {
  readonly error: QuorateError

  constructor(error: QuorateError) {
    this.error = error
  }
}

/** What a state machine may use of the node that runs it. */
export interface StateMachinePort {
  readonly group: string
  readonly id: PeerId
  /** Its timers end with the node. */
  readonly clock: Clock
  readonly logger: Logger
  /**
   * Proposes a command as `RaftNode.apply` does. `done` comes once, after the call; a member that does not lead refuses.
   * The result is the machine's own. @throws QuorateError INVALID for what no codec carries
   */
  propose(command: unknown, done: (outcome: ProposedOutcome) => void): void
}

/** What a proposal of the state machine's own has come to. */
export type ProposedOutcome =
  | { readonly ok: true; readonly index: LogIndex; readonly term: Term; readonly result: unknown }
  | { readonly ok: false; readonly error: unknown }

export interface LeaderChange {
  readonly leader: PeerId
  readonly term: Term
  /** Why, in one word from a closed list, for example `ELECTION_TIMEOUT` or `NEW_LEADER`. */
  readonly reason: string
}

/** What a file of a snapshot may be made of. */
export type SnapshotContent = Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** Takes the files of a snapshot. What is handed over may be changed afterwards: it is copied, or read as it is consumed. */
export interface SnapshotWriter {
  /** The position that the snapshot stands for, and the configuration in force there. */
  readonly meta: SnapshotMeta
  /**
   * Adds a file. Names are relative, with `/` between their parts; none may leave the snapshot. `userMeta` is any CBOR
   * value. Resolves when the file has been written; need not be awaited, the snapshot waits for all of them.
   * @throws QuorateError INVALID (as a rejection): a bad name, one that is there already, content of no use.
   */
  addFile(name: string, content: SnapshotContent, userMeta?: unknown): Promise<void>
  removeFile(name: string): Promise<void>
}

/** A file of a snapshot, as `SnapshotReader.files` lists it. */
export interface SnapshotFileInfo {
  readonly name: string
  readonly bytes: number
  /** Hexadecimal; equal for equal contents. */
  readonly checksum: string
  /** What was handed to `addFile`; null: nothing. */
  readonly userMeta: unknown
}

/** The files of a snapshot. */
export interface SnapshotReader {
  readonly meta: SnapshotMeta
  files(): readonly SnapshotFileInfo[]
  /** The file piece by piece. @throws QuorateError INVALID when there is no such file. */
  open(name: string): AsyncIterable<Uint8Array>
  /** The whole file at once. */
  readAll(name: string): Promise<Uint8Array>
}

/** One file for a snapshot, as a background save yields it. */
export interface SnapshotFileInput {
  readonly name: string
  readonly content: SnapshotContent
  readonly userMeta?: unknown
}

/** The part of a save that runs while commands are applied again: it works on what was captured before. */
export type BackgroundSave = (() => void | Promise<void>) | AsyncIterable<SnapshotFileInput>

/**
 * A replicated state machine.
 *
 * All calls come one at a time, in log order, each index at most once in the life of a process. A member that starts
 * again applies the log from the beginning (or from its newest snapshot), so `apply` must depend on nothing but the
 * state and the command: no clock, no randomness, no I/O whose result matters.
 *
 * What takes long holds up its own group only as far as it must: synchronous code is called for 10 ms at a time
 * (`maxApplySliceMs`), then heartbeats, votes and other groups have their turn; an asynchronous `apply` costs them nothing.
 * Commands and positions are the machine's own to keep and to change.
 *
 * When `apply` throws or rejects, the node stops in its error state: the entries before stay applied, the entry is
 * not skipped, and its caller learns the error.
 *
 * @example
 * class Counter implements StateMachine<{ add: number }, number> {
 *   #total = 0
 *   apply(command: { add: number }) { return (this.#total += command.add) }
 *   read() { return this.#total }
 * }
 */
export interface StateMachine<Command = unknown, Result = unknown, Query = unknown, Answer = unknown> {
  /**
   * True: each command comes with the time of its entry, `at.timeMs`, for 18 bytes more in the log. A function is asked about each
   * command, as it is encoded, by the member that takes it.
   */
  readonly wantsTime?: boolean | ((encoded: Uint8Array) => boolean)
  /** The versions of itself that this program can run, in words: shown in the member's status. For machines that a group upgrades. */
  carries?(): readonly string[]
  /** The first call, before the node takes part in its group. */
  onStart?(port: StateMachinePort): void
  /** Carries out one committed command. What it returns goes to the caller of `node.apply` on the proposing member. */
  apply(command: Command, at: AppliedPosition): Result | Promise<Result>
  /**
   * Answers a query from the current state. Called between applies, never during one. It may be asynchronous: until its
   * promise is settled nothing is applied, so that it never sees half of a change; other queries may run beside it. If
   * commands have waited for it for `maxReadHoldMs` (1,000 ms), its caller gets TIMEOUT and they go on.
   */
  read?(query: Query): Answer | Promise<Answer>
  /**
   * For clients that subscribe to a query: call `changed` whenever its answer may have become another one, from within `apply` or at any
   * time, until the returned function is called. Null, or left out: the query is asked anew after commands, whatever they
   * were, at most 20 times a second.
   *
   * @example
   * onSubscribe([, key], changed) { return this.#listeners.add(key, changed) }
   */
  onSubscribe?(query: Query, changed: () => void): (() => void) | null
  /** A digest of the whole state, equal on members that applied the same entries. For checks and status. */
  stateHash?(): string
  /**
   * Saves the state (braft on_snapshot_save). Commands wait while it runs; what it returns, a function or files, runs
   * while they go on, and must work on a copy of the state. `signal` is aborted when nobody needs the snapshot any more: this member ends, or
   * has fallen so far behind that it takes the leader's, which waits 10 s for a save.
   * What it throws ends this attempt; the snapshot before it stays.
   */
  onSnapshotSave?(
    writer: SnapshotWriter,
    signal: AbortSignal,
  ): void | BackgroundSave | Promise<void> | Promise<BackgroundSave | undefined>
  /**
   * Replaces the whole state by a snapshot's (braft on_snapshot_load): at the start, and when this member has fallen too
   * far behind. What it throws stops the node.
   */
  onSnapshotLoad?(reader: SnapshotReader, signal: AbortSignal): void | Promise<void>
  /** For small states, in the place of `onSnapshotSave`: the whole state as one value that CBOR can carry. */
  snapshot?(): unknown
  /** The counterpart of `snapshot`: replaces the whole state by the value. */
  restore?(value: unknown): void | Promise<void>
  /** A stable (never a joint) configuration was committed. */
  onConfigurationCommitted?(configuration: Configuration, index: LogIndex): void
  /** Every entry of earlier terms has been applied, and this member leads `term`. */
  onLeaderStart?(term: Term): void
  /** Leadership ended. Also called when it ended before `onLeaderStart` came. */
  onLeaderStop?(reason: string): void
  onStartFollowing?(change: LeaderChange): void
  onStopFollowing?(change: LeaderChange): void
  /** The node entered its error state. At most once. */
  onError?(error: Error): void
  /** The last call. */
  onShutdown?(): void
}

/** Whether the entry of this command is to have a time. */
export function asksForTime(machine: Pick<StateMachine, 'wantsTime'>, encoded: Uint8Array): boolean {
  return typeof machine.wantsTime === 'function' ? machine.wantsTime(encoded) : machine.wantsTime === true
}
