// What the rules of the checker share: each member's last state, the canonical log, and who was leader when.

import type { Configuration, HardState, LogEntry, LogIndex, PeerId, Term } from '../../rules/types.ts'
import { EntryType } from '../../rules/types.ts'
import type { Role } from '../../status.ts'
import { type EntryRecord, isDurable, LogRegistry, MirroredLog } from './log-registry.ts'
import type { DurableObservation, NodeObservation } from './observation.ts'
import type { RetentionLimits } from './retention-rules.ts'

export interface CheckerOptions {
  /** What is durable at a member; null when its disk is empty. */
  readonly durable: (id: PeerId) => DurableObservation | null
  /** For INV-13: what a CONFIGURATION entry says. Without it that rule is not checked. */
  readonly decodeConfiguration?: (data: Uint8Array) => Configuration
  /** For INV-18: the key of the proposal that became this entry. */
  readonly identify?: (entry: EntryRecord) => string | null
  /** For INV-7: the reference machine's digest after the canonical log up to `index`. */
  readonly stateHashAt?: (index: LogIndex) => string | null
  /** Nothing is said that the checker is not told: a new term that nobody named is one too many (INV-2). */
  readonly seesEveryMessage?: boolean
  /** True time, for promises that last: the lease-waiting half of INV-15. */
  readonly nowMs?: () => number
  /** For INV-15: how long a voter that answered a leader holds its vote back, in true time. Null: leases are off. */
  readonly voteHeldMs?: number | null
  /** For INV-15: how long after its voters have heard a leader its lease may last at most, in true time. */
  readonly leaseLimitMs?: number
  /** For INV-24: how much log stays behind a snapshot. Null: it is not checked. */
  readonly retention?: RetentionLimits | null
  /** For INV-27: has this committed command to be carried out, or was it by an earlier entry? Left out: always. */
  readonly carriesOut?: (index: LogIndex) => boolean
  /** Told once per index, ascending: the place where a reference machine is fed. */
  readonly onCanonical?: (entry: EntryRecord) => void
}

/** The last index up to which nothing is canonical. */
export class CanonicalLog {
  readonly #records: (EntryRecord | undefined)[] = []
  /** The term of the member that first showed each index as committed. */
  readonly #committedIn: Term[] = []
  #lastIndex: LogIndex = 0

  get lastIndex(): LogIndex {
    return this.#lastIndex
  }

  at(index: LogIndex): EntryRecord | null {
    return this.#records[index] ?? null
  }

  committedInTerm(index: LogIndex): Term {
    return this.#committedIn[index] ?? 0
  }

  add(record: EntryRecord, term: Term): void {
    this.#records[record.index] = record
    this.#committedIn[record.index] = term
    this.#lastIndex = Math.max(this.#lastIndex, record.index)
  }
}

/** What the checker remembers of one member. */
export class MemberState {
  readonly id: PeerId
  readonly log: MirroredLog
  /** The newest observation. */
  view: NodeObservation | null = null
  life = 0
  /** It has begun to take part in this life, and may be on its way out by now. */
  isUp = false
  role: Role = 'uninitialized'
  term: Term = 0
  votedFor: PeerId | null = null
  commitIndex: LogIndex = 0
  appliedIndex: LogIndex = 0
  snapshotIndex: LogIndex = 0
  configuration: Configuration | null = null
  /** Highest term in any message that left it, over all lives. */
  sentTerm: Term = 0
  durableHardState: HardState | null = null
  /** The last vote that was durable in each term, over all lives. */
  readonly durableVotes = new Map<Term, PeerId | null>()
  /** The highest position it acknowledged, in the newest term in which it acknowledged anything. */
  acknowledged = { term: 0, index: 0 }
  /** The leader that it answered last, and when that leader's message had come: its vote is held back for it. */
  held: { readonly leader: PeerId; readonly term: Term; readonly sinceMs: number } | null = null
  /** The newest message of a leader that reached it. */
  heard: { readonly leader: PeerId; readonly term: Term; readonly atMs: number } | null = null
  /** Its record of term and vote was taken away; what it had promised counts all the same. */
  metaLost = false
  /** Its storage told it of a failure in this life. */
  storageFailed = false
  /** Its durable state was damaged or replaced by a fault: promises of before don't bind it any more. */
  waived = false

  constructor(id: PeerId, registry: LogRegistry) {
    this.id = id
    this.log = new MirroredLog(registry, id)
  }

  startLife(life: number): void {
    this.life = life
    this.isUp = false
    this.role = 'uninitialized'
    this.term = 0
    this.votedFor = null
    this.commitIndex = 0
    this.appliedIndex = 0
    this.configuration = null
    this.storageFailed = false
    this.log.clear()
  }
}

export class CheckerContext {
  readonly options: CheckerOptions
  readonly registry = new LogRegistry()
  readonly canon = new CanonicalLog()
  readonly leaders = new Map<Term, PeerId>()
  /** Who the members are by the word of an operator who has lost a majority for good. */
  forced: readonly PeerId[] | null = null
  /** The highest term of any message so far, but for the one that a pre-vote asks about. */
  highestSentTerm: Term = 0
  readonly #members = new Map<PeerId, MemberState>()

  constructor(options: CheckerOptions) {
    this.options = options
  }

  member(id: PeerId): MemberState {
    let member = this.#members.get(id)
    if (member === undefined) {
      member = new MemberState(id, this.registry)
      this.#members.set(id, member)
    }
    return member
  }

  members(): IterableIterator<MemberState> {
    return this.#members.values()
  }

  /** What was in force at a member's commit index, by its log or its snapshot; null: they don't say. */
  configurationAt({ log }: MemberState, { commitIndex, snapshot }: NodeObservation): Configuration | null {
    for (let at = commitIndex; at >= log.firstIndex; at--) {
      const record = log.at(at)
      if (record?.type !== EntryType.CONFIGURATION) continue
      return this.options.decodeConfiguration?.(record.data) ?? null
    }
    return snapshot?.configuration ?? null
  }

  /** Members on whose disk the entry is, and those of whom nothing can be asked any more. */
  holdsDurably(id: PeerId, record: EntryRecord): boolean {
    return this.#members.get(id)?.waived === true || isDurable(this.options.durable(id), record)
  }
}

/** True when `holds` is true for a majority of the voters, of both halves while joint. */
export function hasQuorum(configuration: Configuration, holds: (id: PeerId) => boolean): boolean {
  const { peers, oldPeers } = configuration
  return hasMajority(peers, holds) && (oldPeers.length === 0 || hasMajority(oldPeers, holds))
}

function hasMajority(peers: readonly PeerId[], holds: (id: PeerId) => boolean): boolean {
  let count = 0
  for (const peer of peers) if (holds(peer)) count++
  return count * 2 > peers.length
}

export const sameMembers = (a: readonly PeerId[], b: readonly PeerId[]): boolean =>
  a.length === b.length && a.every((peer) => b.includes(peer))

export const describeConfiguration = ({ peers, oldPeers }: Configuration): string =>
  oldPeers.length === 0 ? `{${peers.join(',')}}` : `{${oldPeers.join(',')}} to {${peers.join(',')}}`

export function isActive(role: Role): boolean {
  return role === 'follower' || role === 'candidate' || role === 'leader'
}

export const brief = (entry: EntryRecord | LogEntry | null): string =>
  entry === null ? 'nothing' : `(index ${entry.index}, term ${entry.term})`
