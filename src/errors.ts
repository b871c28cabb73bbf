// Errors that tell the caller what is true: was it applied, may I try again, who might be the leader.

import type { LogIndex, PeerId } from './rules/types.ts'

/** What a caller may conclude about the command. `unknown`: it may have been, or may yet be, applied. */
export type Outcome = 'not-applied' | 'applied' | 'unknown'

export type QuorateErrorCode =
  | 'NOT_LEADER' // this member does not lead; `leader` says who might
  | 'NO_LEADER' // nobody is known to lead
  | 'LEADERSHIP_LOST' // it was in the log of a leader that lost its office: outcome unknown
  | 'BUSY' // a queue is full or a change is running: try again
  | 'CATCH_UP' // members to be added did not answer while they were given the log: nothing has changed
  | 'LOG_DELETED' // the entry is compacted away; `firstIndex` says where the log begins
  | 'NO_MORE_LOG' // no entry of a user from there on has been applied yet
  | 'READONLY' // the leader, or too many members for a majority, are read-only: not applied
  | 'TERM_MISMATCH' // `expectedTerm` is not the current term
  | 'TOO_LARGE' // larger than `maxEntryBytes`
  | 'INVALID' // a bad argument or option
  | 'LEASE_EXPIRED' // a lease read without a valid lease
  | 'UNSUPPORTED' // for example a query on a machine without `read`
  | 'STATE_MACHINE' // user code threw
  | 'STORAGE' // the disk failed, or what is on it cannot be used
  | 'TRANSPORT' // the bus is not there, or too small
  | 'UNREACHABLE' // the member that was named does not answer the leader
  | 'TIMEOUT' // no answer in time
  | 'ABORTED' // the caller's signal; or a snapshot that was given up for the leader's
  | 'SHUTDOWN' // the node or host is closed
  | 'NODE_FAILED' // the node is in its error state
  | 'CONFLICT' // duplicate id, group or data directory; or the members are not the expected ones
  | 'SESSION_EXPIRED' // the session is not known any more: outcome unknown, and not applied by this attempt

export interface QuorateErrorDetails {
  readonly outcome?: Outcome
  readonly leader?: PeerId | null
  /** Beside LOG_DELETED: where the log begins. */
  readonly firstIndex?: LogIndex | null
  /** Another attempt may well succeed. What the caller may make of that depends on the outcome. */
  readonly retryable?: boolean
  readonly cause?: unknown
}

const BRAND = Symbol.for('quorate.error')

/**
 * Every error that Quorate hands to its users.
 *
 * @example
 * try { await node.apply(command) } catch (error) {
 *   if (isQuorateError(error) && error.retryable) retryAt(error.leader)
 * }
 */
export class QuorateError extends Error {
  override readonly name = 'QuorateError'
  readonly [BRAND] = true
  readonly code: QuorateErrorCode
  readonly outcome: Outcome
  readonly leader: PeerId | null
  /** Beside LOG_DELETED: where the log begins. */
  readonly firstIndex: LogIndex | null
  /** Another attempt may succeed, and cannot apply anything twice: only beside outcome `not-applied`. */
  readonly retryable: boolean
  /**
   * Another attempt may succeed. Beside outcome `unknown` the first one may yet be applied as well, so this is for
   * commands that may be applied twice without harm. True whenever `retryable` is.
   */
  readonly retryableIfIdempotent: boolean
  constructor(code: QuorateErrorCode, message: string, details: QuorateErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.outcome = details.outcome ?? 'not-applied'
    this.leader = details.leader ?? null
    this.firstIndex = details.firstIndex ?? null
    const mayHelp = details.retryable ?? false
    this.retryable = mayHelp && this.outcome === 'not-applied'
    this.retryableIfIdempotent = mayHelp && this.outcome !== 'applied'
  }
}

/** True for errors of any copy of this package in the process. */
export function isQuorateError(value: unknown): value is QuorateError {
  return typeof value === 'object' && value !== null && BRAND in value
}

const codes: Readonly<Record<QuorateErrorCode, true>> = {
  NOT_LEADER: true,
  NO_LEADER: true,
  LEADERSHIP_LOST: true,
  BUSY: true,
  CATCH_UP: true,
  READONLY: true,
  TERM_MISMATCH: true,
  LOG_DELETED: true,
  NO_MORE_LOG: true,
  TOO_LARGE: true,
  INVALID: true,
  LEASE_EXPIRED: true,
  UNREACHABLE: true,
  UNSUPPORTED: true,
  STATE_MACHINE: true,
  STORAGE: true,
  TRANSPORT: true,
  TIMEOUT: true,
  ABORTED: true,
  SHUTDOWN: true,
  NODE_FAILED: true,
  CONFLICT: true,
  SESSION_EXPIRED: true,
}

/** For what comes from the bus or from a disk. */
export function isQuorateErrorCode(value: unknown): value is QuorateErrorCode {
  return typeof value === 'string' && Object.hasOwn(codes, value)
}

const outcomes: readonly unknown[] = ['not-applied', 'applied', 'unknown'] satisfies Outcome[]

/** For what comes from the bus or from a disk. */
export function isOutcome(value: unknown): value is Outcome {
  return outcomes.includes(value)
}
