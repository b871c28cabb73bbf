// When a majority is gone for good: an operator says who the members are, and no majority is asked (braft reset_peers).
// What Raft promises holds no longer than the operator's word that the others never come back.

import { MAX_MEMBERS, roleOf } from './change.ts'
import { isMember, isStable, isWitness, majorityOf, priorityOf } from './quorum.ts'
import { isPlausibleTerm } from './term.ts'
import {
  type Configuration,
  compareLogIds,
  type Identity,
  type LogId,
  type PeerId,
  type Priorities,
  type Term,
} from './types.ts'

export interface ResetSituation {
  /** In force, committed or not. */
  readonly configuration: Configuration
  /** Who is to vote from now on, and nobody else. */
  readonly peers: readonly PeerId[]
  /** The member that is told so. */
  readonly self: PeerId
  /** Of its files; 0: not known. */
  readonly identity: Identity
  /** It leads, and a change of the members runs (braft: EBUSY). Of a follower the change ends with this. */
  readonly changing: boolean
  /** It installs a snapshot, which brings a configuration of its own. */
  readonly installing: boolean
  /** Its files are those of a witness, whatever the configuration says. */
  readonly lacksPayload: boolean
}

export type ResetVerdict =
  /** `why` is half a sentence. */
  | { readonly kind: 'invalid'; readonly why: string }
  /** Not now. */
  | { readonly kind: 'busy'; readonly why: string }
  /** The members are these already. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'force'; readonly configuration: Configuration }

/**
 * What becomes of the configuration in force, joint or not, when an operator says who the members are. Whoever is told has
 * to be one of them: nobody else could write it down, so it would be lost with the next crash (braft forgets it so).
 */
export function judgeReset(situation: ResetSituation): ResetVerdict {
  const { configuration, peers, self, identity, changing, installing } = situation
  const why = flawOf(situation)
  if (why !== null) return { kind: 'invalid', why }
  if (changing) return { kind: 'busy', why: 'a change of the members runs' }
  if (installing) return { kind: 'busy', why: 'a snapshot is being installed' }
  return saysTheSame(configuration, peers) && mayLeadBy(configuration, self, identity)
    ? { kind: 'unchanged' }
    : { kind: 'force', configuration: forcedOf(configuration, peers, self, identity) }
}

function flawOf({ configuration, peers, self, lacksPayload }: ResetSituation): string | null {
  if (peers.length === 0) return 'a group needs at least one voter'
  const twice = peers.find((peer, i) => peers.indexOf(peer) !== i)
  if (twice !== undefined) return `${twice} is named twice`
  if (peers.length > MAX_MEMBERS) return `a group has at most ${MAX_MEMBERS} voters`
  if (!peers.includes(self))
    return `${self} is not among ${peers.join(', ')}: ask one that is, for it has to lead them`
  if (lacksPayload || roleOf(configuration, self) === 'witness')
    return `${self} is a witness and keeps no data: ask a member that does`
  const witnesses = peers.filter((peer) => isWitness(configuration, peer)).length
  if (witnesses >= majorityOf(peers.length))
    return `of ${peers.length} voters ${witnesses} would be witnesses, which keep no data: at most ${majorityOf(peers.length) - 1} may be`
  return null
}

/**
 * These voters and nobody else; learners among them vote. Of those who stay it keeps what was known, but for the one that
 * is told: its files are the ones that it has now, and it may lead. For the files of the others nobody has spoken.
 */
function forcedOf(
  configuration: Configuration,
  peers: readonly PeerId[],
  self: PeerId,
  identity: Identity,
): Configuration {
  const witnesses = peers.filter((peer) => isWitness(configuration, peer))
  const identities = stayingOf(configuration.identities, peers)
  if (identity !== 0) identities[self] = identity
  const priorities = stayingOf(configuration.priorities, peers)
  if (priorities[self] === 0) delete priorities[self]
  return {
    ...{ peers: [...peers], oldPeers: [] },
    ...(Object.keys(identities).length === 0 ? {} : { identities }),
    ...(witnesses.length === 0 ? {} : { witnesses }),
    ...(Object.keys(priorities).length === 0 ? {} : { priorities }),
  }
}

function stayingOf(numbers: Priorities = {}, peers: readonly PeerId[]): Record<PeerId, number> {
  return Object.fromEntries(Object.entries(numbers).filter(([peer]) => peers.includes(peer)))
}

function mayLeadBy(configuration: Configuration, self: PeerId, identity: Identity): boolean {
  const recorded = configuration.identities?.[self] ?? 0
  const isKnown = identity === 0 || recorded === 0 || recorded === identity
  return isKnown && isMember(configuration, self) && priorityOf(configuration, self) > 0
}

/** Are these the voters, and do they alone decide? */
export function saysTheSame(configuration: Configuration, peers: readonly PeerId[]): boolean {
  return isStable(configuration) && sameNames(configuration.peers, peers)
}

function sameNames(a: readonly PeerId[], b: readonly PeerId[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name))
}

/**
 * A configuration that was forced stands in no log until its leader writes it there. What was in the log when it was forced
 * does not bring it down, also when what came later is truncated; an entry that is newer does.
 *
 * @param since the newest configuration of the log when it was forced
 */
export function isOverruled(since: LogId, newest: LogId | null): boolean {
  return newest !== null && compareLogIds(newest, since) > 0
}

/** More elections than members that were cut off can have held meanwhile: at one per second, twelve days of them. */
const FAR_TERMS = 2 ** 20

/**
 * The term of an entry that is written while nobody runs. Were it the next one, others that come back against the
 * operator's word could have led in it: equal terms at equal indexes mean equal entries, and nobody would notice that
 * these are not. No further than others believe (rules/term.ts).
 */
export function recoveryTerm(term: Term): Term {
  return isPlausibleTerm(term, term + FAR_TERMS) ? term + FAR_TERMS : term + 1
}
