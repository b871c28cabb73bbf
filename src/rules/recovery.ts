// What a node makes of what it finds on disk (braft NodeImpl::init).

import type { Configuration, ConfigurationEntry, HardState, LogId, LogIndex, Term } from './types.ts'
import { NOTHING } from './types.ts'

export interface RecoveredLog {
  readonly firstIndex: LogIndex
  readonly lastLogId: LogId
  /** Newest configuration entry of the log, committed or not. */
  readonly configuration: ConfigurationEntry | null
}

export interface RecoveredSnapshot {
  readonly id: LogId
  readonly configuration: Configuration
}

/** Null when log and snapshot fit together, else what is missing (braft check_consistency, trap T57 and INV-21). */
export function findInconsistency(log: RecoveredLog, snapshot: RecoveredSnapshot | null): string | null {
  const { firstIndex, lastLogId } = log
  if (snapshot === null) {
    return firstIndex === 1
      ? null
      : `the log begins at index ${firstIndex} and no snapshot covers what is before it`
  }
  if (firstIndex - 1 > snapshot.id.index) {
    return `the log begins at index ${firstIndex}, the snapshot ends at ${snapshot.id.index}: entries between are missing`
  }
  if (snapshot.id.index > lastLogId.index) {
    return `the snapshot ends at index ${snapshot.id.index}, beyond the log's last index ${lastLogId.index}`
  }
  return null
}

/**
 * Precedence: newest configuration entry of the log > snapshot > initial > empty. A log (or snapshot) that exists
 * wins even when it holds no configuration: the initial one is for a first start only (braft NodeImpl::init).
 */
export function recoverConfiguration(
  log: RecoveredLog,
  snapshot: RecoveredSnapshot | null,
  initial: Configuration,
): ConfigurationEntry {
  if (log.configuration !== null) return log.configuration
  if (snapshot !== null) return { ...snapshot.configuration, id: snapshot.id }
  if (log.lastLogId.index > 0) return { peers: [], oldPeers: [], id: NOTHING }
  return { ...initial, id: NOTHING }
}

export interface RecoveredHardState {
  readonly state: HardState
  /** The record was lost or older than the log and has to be written before anything relies on it. */
  readonly repaired: boolean
  /** Nothing was ever promised by this member: it owes no leader a waiting time. */
  readonly firstStart: boolean
}

/**
 * A log newer than the record means that the record was lost; this member may have voted in the log's last term, so
 * it starts in the next one (trap T12).
 */
export function recoverHardState(stored: HardState | null, lastLogTerm: Term): RecoveredHardState {
  const state = stored ?? { term: 1, votedFor: null }
  if (state.term < lastLogTerm) {
    return { state: { term: lastLogTerm + 1, votedFor: null }, repaired: true, firstStart: false }
  }
  if (stored === null && lastLogTerm > 0) {
    return { state: { term: lastLogTerm + 1, votedFor: null }, repaired: true, firstStart: false }
  }
  return { state, repaired: false, firstStart: state.term === 1 && state.votedFor === null }
}
