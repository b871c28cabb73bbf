// What services need of a member, and the two ways to get it: through the port that our own nodes have, by callbacks and
// with commands as the bytes they came in, or from any other RaftNode, by promises and values.

import type { RaftNode, ReadLevel } from '../api.ts'
import { QuorateError } from '../errors.ts'
import type { Feed } from '../observability/feed/feed.ts'
import type { SnapshotSummary } from '../protocol/snapshot-protocol.ts'
import { roleOf } from '../rules/change.ts'
import type { LogIndex, Term } from '../rules/types.ts'
import { sheltered } from '../runtime/errors.ts'
import type { SnapshotReader } from '../storage/snapshot-store.ts'
import { decodeValue } from '../transport/wire/codec.ts'
import { isEnvelope, openEnvelope } from '../transport/wire/envelope.ts'

export type WriteOutcome =
  | { readonly ok: true; readonly index: LogIndex; readonly term: Term; readonly result: unknown }
  | { readonly ok: false; readonly error: unknown }

export type ReadOutcome =
  | { readonly ok: true; readonly answer: unknown }
  | { readonly ok: false; readonly error: unknown }

export type SnapshotOutcome =
  | { readonly ok: true; readonly snapshot: SnapshotSummary }
  | { readonly ok: false; readonly error: unknown }

/** Of the state after exactly the entries up to `index`. */
export type StateHashAnswer =
  | { readonly ok: true; readonly index: LogIndex; readonly hash: string }
  | { readonly ok: false; readonly error: unknown }

/** `index` null: where the member stands. An index that is not applied yet is waited for, as long as `waitMs`. */
export interface StateHashRequest {
  readonly index: LogIndex | null
  readonly waitMs: number
}

export type LentSnapshot =
  | { readonly ok: true; readonly reader: SnapshotReader }
  | { readonly ok: false; readonly error: QuorateError }

/**
 * A member by callbacks. Spares a decode, an encode and two promises for each command. What comes out is the state
 * machine's own, and it may change it later: take what is needed of it within the call of `done`.
 */
export interface MemberPort {
  /** `command` is one encoded value that is carried, and the node's to keep. `done` comes once, after the call. */
  propose(command: Uint8Array, expectedTerm: Term | undefined, done: (outcome: WriteOutcome) => void): void
  /** `query` is handed to the state machine as it is. `done` comes once, after the call. */
  query(query: unknown, level: ReadLevel, done: (outcome: ReadOutcome) => void): void
  /** Does its group count it, or send it the log, as far as it knows? Left out: yes. */
  isMember?(): boolean
  /** Takes the hash of the state. `done` comes once. Left out: it cannot say at which index it would be. */
  stateHash?(request: StateHashRequest, done: (answer: StateHashAnswer) => void): void
  /** Opens the newest snapshot. `done` comes once; the reader is its to close. Left out: none is lent. */
  openSnapshot?(done: (opened: LentSnapshot) => void): void
  /** How many of the bytes may be read of a snapshot now (`snapshotThrottle`). Left out: all. */
  takeReadingBudget?(bytes: number): number
  /** The state machine, for those who subscribe to what is in it. Left out: nobody can. */
  readonly machine?: FollowedMachine
  /** What it tells those who watch it: made when it is asked for. Left out: it cannot be watched. */
  readonly feed?: Feed
}

export interface FollowedMachine {
  /** Tells when the answer to a query may have changed. Returns the function that ends it. @throws what user code throws */
  follow(query: unknown, changed: () => void): () => void
}

/** Where a node keeps its port: no name that a node of somebody else's making could have by chance. */
export const MEMBER_PORT: unique symbol = Symbol.for('quorate.member-port')

export interface PortedNode {
  readonly [MEMBER_PORT]: MemberPort
}

/** A member as services use it. Nothing throws, `done` comes at most once, and what it throws is reported. */
export interface Member {
  /** Hands on a checked, encoded command. */
  propose(command: Uint8Array, done: (outcome: WriteOutcome) => void): void
  query(query: unknown, level: ReadLevel, done: (outcome: ReadOutcome) => void): void
  isMember(): boolean
  stateHash(request: StateHashRequest, done: (answer: StateHashAnswer) => void): void
  snapshot(done: (outcome: SnapshotOutcome) => void): void
  openSnapshot(done: (opened: LentSnapshot) => void): void
  takeReadingBudget(bytes: number): number
  /** Null: nobody can subscribe here. */
  machine(): FollowedMachine | null
  feed(): Feed | null
}

/** What a node tells those who watch it; null: it is not one of ours. */
export function feedOf(node: RaftNode): Feed | null {
  return hasPort(node) ? (node[MEMBER_PORT].feed ?? null) : null
}

export function memberOf(node: RaftNode, report: (thrown: unknown) => void): Member {
  const port: MemberPort = hasPort(node) ? node[MEMBER_PORT] : portByPromises(node)
  return {
    propose(command, done) {
      const settle = once(done, report)
      sheltered(
        () => port.propose(command, undefined, settle),
        (error) => settle({ ok: false, error }),
      )
    },
    query(query, level, done) {
      const settle = once(done, report)
      sheltered(
        () => port.query(query, level, settle),
        (error) => settle({ ok: false, error }),
      )
    },
    stateHash(request, done) {
      const settle = once(done, report)
      const unsupported = new QuorateError('UNSUPPORTED', 'This member hashes its state at no given index.')
      if (port.stateHash === undefined) return settle({ ok: false, error: unsupported })
      sheltered(
        () => port.stateHash?.(request, settle),
        (error) => settle({ ok: false, error }),
      )
    },
    snapshot(done) {
      const settle = once(done, report)
      sheltered(
        () =>
          node
            .snapshot()
            .then(({ files, ...info }) => settle({ ok: true, snapshot: { ...info, files: files.length } })),
        (error) => settle({ ok: false, error }),
      )
    },
    openSnapshot(done) {
      if (port.openSnapshot !== undefined) return port.openSnapshot(done)
      done({ ok: false, error: new QuorateError('UNSUPPORTED', 'This member lends no snapshots.') })
    },
    isMember: () => port.isMember?.() ?? true,
    takeReadingBudget: (bytes) => port.takeReadingBudget?.(bytes) ?? bytes,
    machine: () => port.machine ?? null,
    feed: () => feedOf(node),
  }
}

function portByPromises(node: RaftNode): MemberPort {
  return {
    propose(command, expectedTerm, done) {
      const envelope = isEnvelope(command) ? openEnvelope(command) : null
      const decoded = decodeValue(envelope?.command ?? command)
      if (!decoded.ok) return done({ ok: false, error: new QuorateError('INVALID', decoded.reason) })
      if (envelope?.session != null) {
        const text = 'This member knows of no sessions.'
        return done({ ok: false, error: new QuorateError('UNSUPPORTED', text) })
      }
      const traced = envelope?.trace == null ? {} : { traceContext: envelope.trace }
      const options = expectedTerm === undefined ? traced : { expectedTerm, ...traced }
      // Returned, so that whoever called hears of a rejection.
      return node.apply(decoded.value, options).then((applied) => done({ ok: true, ...applied }))
    },
    isMember: () => roleOf(node.members(), node.id) !== null,
    query: (query, level, done) => node.read(query, { level }).then((answer) => done({ ok: true, answer })),
  }
}

/** At most once, and what it throws is reported: others wait in the same loop. */
function once<O>(done: (outcome: O) => void, report: (thrown: unknown) => void): (outcome: O) => void {
  let open = true
  return (outcome) => {
    if (!open) return
    open = false
    sheltered(() => done(outcome), report)
  }
}

function hasPort(node: RaftNode): node is RaftNode & PortedNode {
  return MEMBER_PORT in node
}
