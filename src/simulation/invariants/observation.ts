// What the checker is told: how a member looks after a step, what is on its disk, what left it, what was promised.

import type { Configuration, HardState, LogEntry, LogId, LogIndex, PeerId, Term } from '../../rules/types.ts'
import type { Role } from '../../status.ts'
import type { MessageKind } from '../bus/message-kind.ts'

/**
 * A member after a step. The checker keeps the newest one of each member and reads `alive`, `role`, `term` and
 * `leaseValid` again later, so a live view (getters over the node) sees more than a copy: leases that end by time.
 */
export interface NodeObservation {
  readonly id: PeerId
  /** Grows with every start of the process. */
  readonly life: number
  readonly alive: boolean
  readonly role: Role
  readonly term: Term
  readonly votedFor: PeerId | null
  readonly leader: PeerId | null
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly durableIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly appliedIndex: LogIndex
  readonly leaseValid: boolean
  /** The same object as long as nothing changed. */
  readonly configuration: Configuration
  /** An operator has forced who the members are, and no entry says so yet. Leave it out where nobody does. */
  readonly forced?: boolean
  /** Entries of its log, or of its state, came without payload. Leave it out where there are no witnesses. */
  readonly lacksPayload?: boolean
  /** Read only when `appliedIndex` has moved. Null: unknown. */
  readonly stateHash: string | null
  /** The newest snapshot that the state has in it; null without one. */
  readonly snapshot: (LogId & { readonly configuration?: Configuration }) | null
  /** Snapshots that followers are being sent, and how much has come to the log since. Leave it out for none. */
  readonly sending?: readonly { readonly snapshotIndex: LogIndex; readonly bytesSince: number }[]
  /** Of the entry before `firstIndex`. Leave it out where it is not checked. */
  readonly termBeforeFirst?: Term | undefined
  /** Null outside of first to last index, never inside: what is not in memory comes from the disk. */
  entryAt(index: LogIndex): LogEntry | null
}

/** What would survive power loss now. */
export interface DurableObservation {
  readonly hardState: HardState | null
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  /** Of the entry just before `firstIndex`; 0 when there is none. */
  readonly termBeforeFirst: Term
  /** The newest snapshot on disk. Leave it out where there are none. */
  readonly snapshot?: LogId | null
  entryAt(index: LogIndex): LogEntry | null
}

/** A message at the moment it leaves a member, decoded. */
export interface SentMessage {
  readonly kind: MessageKind
  readonly from: PeerId
  readonly to: PeerId
  /** Null when the message carries none. */
  readonly term: Term | null
  /** For `voteAck`. */
  readonly granted?: boolean
  /** For `appendAck` and `readIndexAck`: a positive answer. */
  readonly success?: boolean
  /**
   * For a successful `appendAck`: previous index and number of entries of the request it answers, added up. Leave it
   * out where the leader does not count the answer (heartbeats, probes).
   */
  readonly acknowledgedIndex?: LogIndex
  /** For an answer to an offer of a snapshot that says `installed`: up to where that goes. */
  readonly installedIndex?: LogIndex
}

/** An AppendEntries or heartbeat as it reaches a member. */
export interface ReceivedAppend {
  /** Leave it out where leases are not checked. */
  readonly from?: PeerId
  readonly term: Term
  readonly prevLogIndex: LogIndex
  readonly prevLogTerm: Term
  readonly entryCount: number
  readonly committedIndex: LogIndex
}

/** An entry as the user's state machine got it. */
export interface AppliedEntry {
  readonly index: LogIndex
  readonly term: Term
  /** The command's bytes, where they are known. */
  readonly data?: Uint8Array
}

export type CallKind = 'proposal' | 'read' | 'staleRead' | 'transfer' | 'membership' | 'snapshot' | 'shutdown'

export interface Call {
  /** A read that trusts clocks. */
  readonly byLease?: boolean
  readonly kind: CallKind
  readonly node: PeerId
  /** For proposals: what `identify` makes of the entry that it becomes. */
  readonly key?: string
  /** For proposals: they may only be done in this term. */
  readonly expectedTerm?: Term
}

export interface Completion {
  readonly outcome: 'ok' | 'failed' | 'unknown'
  /** Of a proposal that is `ok`: its entry, with `term`. Of a read: the applied index of the state that answered. Of a snapshot: up to where it goes. */
  readonly index?: LogIndex
  readonly term?: Term
}

export type Hook =
  | { readonly name: 'leaderStart'; readonly term: Term }
  | { readonly name: 'leaderStop' }
  | { readonly name: 'startFollowing' | 'stopFollowing'; readonly term: Term; readonly leader: PeerId }
  | {
      readonly name: 'configuration'
      readonly configuration: Configuration
      readonly index: LogIndex
    }
  | { readonly name: 'error' }
  | { readonly name: 'shutdown' }
