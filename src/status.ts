// The one status object: what logs, tools, pages and people read about a member.

import type { ChangeStage, Membership } from './rules/change.ts'
import type { LogIndex, PeerId, Priorities, Term } from './rules/types.ts'
import type { DiskStatus } from './storage/storage.ts'

export type Role =
  | 'uninitialized'
  | 'initializing'
  | 'follower'
  | 'candidate'
  | 'leader'
  | 'error'
  | 'shuttingDown'
  | 'shutdown'

/** A leader's view of one follower. */
export interface ReplicatorStatus {
  readonly peer: PeerId
  readonly state: 'probing' | 'replicating' | 'waiting' | 'blocked' | 'installingSnapshot'
  readonly nextIndex: LogIndex
  readonly matchIndex: LogIndex
  /** Of the files it speaks of; 0: it has not said. */
  readonly identity: number
  /** False: it has come back with other files than it had, and is not confirmed yet. */
  readonly counts: boolean
  /** It is not sent commands that came after it said so. */
  readonly readonly: boolean
  /** Entries sent and not yet answered. */
  readonly inFlightEntries: number
  readonly inFlightFrames: number
  readonly consecutiveErrors: number
  /** Milliseconds since the newest request that was answered left; null before the first. */
  readonly lastContactMs: number | null
  /** The snapshot that it is being sent, because it needs what is compacted; null: none. */
  readonly installing: InstallationStatus | null
}

/** How far a follower has got with a snapshot, as it told last. */
export interface InstallationStatus {
  readonly snapshotIndex: LogIndex
  readonly doneBytes: number
  readonly totalBytes: number
}

/** What is known, and what is being done, about the snapshots of a member. */
export interface SnapshotStatus {
  /** The newest one; null: there is none. */
  readonly newest: {
    readonly index: LogIndex
    readonly term: Term
    readonly bytes: number
    readonly files: number
    readonly takenAtMs: number
  } | null
  readonly state: 'idle' | 'saving' | 'downloading' | 'loading'
  /** Of a download under way; of a save, whose size nobody knows before, `doneBytes` alone. */
  readonly doneBytes: number
  readonly totalBytes: number
  /** Taken, and failed, since the node was started. */
  readonly saves: number
  readonly failures: number
  /** Of the last one that was taken or loaded; null: none was. */
  readonly lastDurationMs: number | null
  /** Why the last attempt failed; null: it did not, or there was none. */
  readonly lastError: string | null
}

/** A member that is given the log so that it can vote. */
export interface AddingStatus {
  readonly peer: PeerId
  readonly matchIndex: LogIndex
  /** Entries that it lacks. */
  readonly remainingEntries: number
  /** Of the snapshot that it is being sent; null: of none. */
  readonly doneBytes: number | null
  readonly totalBytes: number | null
}

/** A change of the members under way. */
export interface ChangeStatus {
  readonly stage: Exclude<ChangeStage, 'none'>
  readonly adding: readonly AddingStatus[]
}

/** What members of a group should agree on. */
export interface SettingsStatus {
  /** `resetElectionTimeout` changes these two, and not their sum. */
  readonly electionTimeoutMs: number
  readonly maxClockDriftMs: number
  readonly leaderLease: boolean
  readonly maxEntryBytes: number
}

export interface NodeStatus {
  readonly group: string
  readonly id: PeerId
  /** Of its files, drawn when they were made; 0: its storage draws none. */
  readonly identity: number
  readonly role: Role
  /** The path in the node's chart, for example `active.leader.serving`. */
  readonly state: string
  readonly term: Term
  readonly votedFor: PeerId | null
  readonly leader: PeerId | null
  /** Milliseconds since a leader was heard here; null: none has been, or a member of an older version does not say. */
  readonly leaderContactMs: number | null
  readonly peers: readonly PeerId[]
  readonly oldPeers: readonly PeerId[]
  readonly learners: readonly PeerId[]
  readonly witnesses: readonly PeerId[]
  /** Of whoever has another than 100. */
  readonly priorities: Priorities
  /** What this member is to its group. `waiting`: nobody has added it yet. `removed`: it was a member, and knows that it is none, or was told so when it asked for votes. */
  readonly membership: Membership
  /** An operator has forced who the members are, and no entry on the disk of this member says so yet: a crash forgets it. */
  readonly resetPending: boolean
  /** It was told to be sent no more commands (`setReadonly`). */
  readonly readonly: boolean
  /** Of a leader: it takes no commands, because it or too many others are read-only. */
  readonly refusesCommands: boolean
  /** Up to where payload of entries may be missing here, as it is on a witness; 0: nothing is. Such a member leads nobody and shows no state. */
  readonly withheldIndex: LogIndex
  /** Of a leader that changes the members; null: none does. */
  readonly change: ChangeStatus | null
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
  readonly durableIndex: LogIndex
  /** Entries handed to the disk that it has not confirmed yet, in bytes. */
  readonly undurableBytes: number
  readonly commitIndex: LogIndex
  readonly appliedIndex: LogIndex
  /** Proposals that wait for their result. */
  readonly pendingProposals: number
  /** The bytes of their commands. */
  readonly pendingBytes: number
  readonly leaseValid: boolean
  readonly stateHash: string | null
  /** The versions of its state machine that this member can run, for machines that say so. */
  readonly carries: readonly string[]
  readonly replicators: readonly ReplicatorStatus[]
  readonly snapshot: SnapshotStatus
  /** How the disk of its process is doing; null when the storage does not say. */
  readonly disk: DiskStatus | null
  /** Null: a member of an older version does not say. */
  readonly settings: SettingsStatus | null
  /** The time of the day where it runs, when it said this, in milliseconds since 1970; null as above. */
  readonly wallClockMs: number | null
  /** What stopped the node, when its role is `error`. */
  readonly error: string | null
}
