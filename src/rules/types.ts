// The nouns of the rules: plain values, no behaviour beyond comparison.

/** A term of Raft (paper section 5.1): a whole number, 1 on a fresh node. */
export type Term = number
/** A position in the log: the first entry has index 1, 0 means "before the log". */
export type LogIndex = number
/** The name of a member: one subject token, `[A-Za-z0-9_-]{1,64}`. */
export type PeerId = string

/** Position of one entry. Ordered by term first, then index (paper section 5.4.1). `(0, 0)` means "nothing". */
export interface LogId {
  readonly index: LogIndex
  readonly term: Term
}

export const NOTHING: LogId = { index: 0, term: 0 }

/** Negative when `a` is older than `b`, 0 when equal, positive when newer. Term decides before index. */
export function compareLogIds(a: LogId, b: LogId): number {
  return a.term !== b.term ? a.term - b.term : a.index - b.index
}

/**
 * Kinds of entries, numbered as in braft. A NO_OP is readable but never written: see `decisions.md`. WITHHELD is what a
 * witness keeps of a DATA entry: its place and term, and no bytes.
 */
export const EntryType = { NO_OP: 1, DATA: 2, CONFIGURATION: 3, WITHHELD: 4 } as const
export type EntryType = (typeof EntryType)[keyof typeof EntryType]

const ENTRY_TYPES: ReadonlySet<unknown> = new Set(Object.values(EntryType))

/** Checks a value read from outside. */
export function isEntryType(value: unknown): value is EntryType {
  return ENTRY_TYPES.has(value)
}

/** One entry of the log. `data` is opaque: a command for DATA, an encoded configuration for CONFIGURATION, else nothing. */
export interface LogEntry {
  readonly index: LogIndex
  readonly term: Term
  readonly type: EntryType
  readonly data: Uint8Array
}

/** Drawn when a member's files are made: other files have another one. 1 to 2^48 - 1; 0: not known. */
export type Identity = number
export type Identities = Readonly<Record<PeerId, Identity>>

/** The voting members: `peers`, and while joint (paper section 6) also `oldPeers`. Empty `oldPeers` = stable. */
export interface Configuration {
  readonly peers: readonly PeerId[]
  readonly oldPeers: readonly PeerId[]
  /** Which files each member is known by; who is missing has not been recorded yet (rules/identity.ts). */
  readonly identities?: Identities
  /** Files that were announced under a member's name, and do not count yet. */
  readonly newcomers?: Identities
  /**
   * Get everything and count nowhere; none of them is in `peers`. Whoever is in `oldPeers` as well votes as long as that
   * counts, and becomes a learner when the change ends.
   */
  readonly learners?: readonly PeerId[]
  /** Those of the voters that keep no payload of entries, and get no files of snapshots (braft's witness). */
  readonly witnesses?: readonly PeerId[]
  /** Who leads when several could: the highest that is up to date. 0: never. Who is missing has `DEFAULT_PRIORITY`. */
  readonly priorities?: Priorities
}

export type Priorities = Readonly<Record<PeerId, number>>

export const DEFAULT_PRIORITY = 100

export const EMPTY_CONFIGURATION: Configuration = { peers: [], oldPeers: [] }

/** A configuration and the log entry it came from; `(0, 0)` when it was given at start (initial configuration). */
export interface ConfigurationEntry extends Configuration {
  readonly id: LogId
}

/** Positions in the log, both included. */
export interface IndexRange {
  readonly first: LogIndex
  readonly last: LogIndex
}

/** What must survive power loss before anything relies on it (paper figure 2, "persistent state"). */
export interface HardState {
  readonly term: Term
  readonly votedFor: PeerId | null
}

/** What a snapshot stands for (braft SnapshotMeta): every entry up to an index, and the configuration in force there. */
export interface SnapshotMeta extends Configuration {
  readonly lastIncludedIndex: LogIndex
  readonly lastIncludedTerm: Term
  readonly peers: readonly PeerId[]
  /** Not empty when the configuration at that index was joint (trap T71). */
  readonly oldPeers: readonly PeerId[]
  /** It has no files, because whoever took it lacks the payload of entries: a witness, or one that was sent it as such. */
  readonly withheld?: true
}

/** Everything that a configuration consists of, and nothing else. */
export function configurationOf(configuration: Configuration): Configuration {
  const { peers, oldPeers, identities, newcomers, learners, witnesses, priorities } = configuration
  return {
    peers,
    oldPeers,
    ...(identities === undefined ? {} : { identities }),
    ...(newcomers === undefined ? {} : { newcomers }),
    ...(learners === undefined ? {} : { learners }),
    ...(witnesses === undefined ? {} : { witnesses }),
    ...(priorities === undefined ? {} : { priorities }),
  }
}
