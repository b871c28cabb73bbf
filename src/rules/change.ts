// Changes of membership by joint consensus (paper section 6, thesis chapter 4, braft ConfigurationCtx): what a wish makes of
// the configuration in force, by which entries it gets there, and when those who come are ready.

import { isMember, isWitness, majorityOf, members, priorityOf, targets } from './quorum.ts'
import {
  type Configuration,
  DEFAULT_PRIORITY,
  type Identities,
  type LogIndex,
  type PeerId,
  type Priorities,
} from './types.ts'

/** `voter`: votes and is counted. `witness`: a voter that keeps no payload. `learner`: gets everything and counts nowhere. */
export type MemberRole = 'voter' | 'witness' | 'learner'

/** Where a change has got to: those who come are caught up, then both sets decide, then the new one alone. */
export type ChangeStage = 'none' | 'catchingUp' | 'joint' | 'stable'

/** A member as somebody wishes it. What is left out stays as it is; of a new one it is a voter of priority 100. */
export interface MemberWish {
  readonly id: PeerId
  readonly role?: MemberRole
  readonly priority?: number
}

export type ChangeWish =
  | { readonly kind: 'set'; readonly members: readonly MemberWish[] }
  | { readonly kind: 'add'; readonly member: MemberWish }
  | { readonly kind: 'remove'; readonly peer: PeerId }
  | { readonly kind: 'promote'; readonly peer: PeerId }
  | { readonly kind: 'demote'; readonly peer: PeerId }
  | { readonly kind: 'prioritize'; readonly peer: PeerId; readonly priority: number }

export type WishVerdict =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'invalid'; readonly why: string }
  | { readonly kind: 'change'; readonly target: Configuration }

/** Of voters, and of learners: what entries, messages and files have room for. */
export const MAX_MEMBERS = 255

interface Known {
  readonly id: PeerId
  readonly role: MemberRole
  readonly priority: number
}

/** What a member is; null: none. A learner that still votes, because its demotion is under way, is a voter. */
export function roleOf(configuration: Configuration, peer: PeerId): MemberRole | null {
  if (isMember(configuration, peer)) return isWitness(configuration, peer) ? 'witness' : 'voter'
  return configuration.learners?.includes(peer) === true ? 'learner' : null
}

/** What the wish makes of a stable configuration. Whoever asks for what is already so has it. */
export function judgeWish(configuration: Configuration, wish: ChangeWish): WishVerdict {
  const known = targets(configuration).map((id) => knownOf(configuration, id))
  const wished = wishedMembers(known, wish)
  if (typeof wished === 'string') return { kind: 'invalid', why: wished }
  const wanted = wished.map((member) => completed(known, member))
  const why = flawOf(known, wanted)
  if (why !== null) return { kind: 'invalid', why }
  return sameMembers(known, wanted)
    ? { kind: 'unchanged' }
    : { kind: 'change', target: configurationFor(wanted) }
}

function knownOf(configuration: Configuration, id: PeerId): Known {
  return { id, role: roleOf(configuration, id) ?? 'voter', priority: priorityOf(configuration, id) }
}

function completed(known: readonly Known[], { id, role, priority }: MemberWish): Known {
  const now = known.find((member) => member.id === id)
  return { id, role: role ?? now?.role ?? 'voter', priority: priority ?? now?.priority ?? DEFAULT_PRIORITY }
}

/** Everybody who is to be a member, or in a sentence why this cannot be. */
function wishedMembers(known: readonly Known[], wish: ChangeWish): readonly MemberWish[] | string {
  if (wish.kind === 'set') return wish.members
  if (wish.kind === 'add') {
    const { id, role } = wish.member
    const now = known.find((member) => member.id === id)
    if (now !== undefined && role !== undefined && role !== now.role)
      return `${id} is a ${now.role} already: adding it does not make it a ${role}.`
    return [...known.filter((member) => member.id !== id), wish.member]
  }
  if (wish.kind === 'remove') return known.filter((member) => member.id !== wish.peer)
  const { peer } = wish
  if (!known.some(({ id }) => id === peer)) return `${peer} is no member.`
  const wished: MemberWish =
    wish.kind === 'prioritize'
      ? { id: peer, priority: wish.priority }
      : { id: peer, role: wish.kind === 'promote' ? 'voter' : 'learner' }
  return known.map((member) => (member.id === peer ? wished : member))
}

/** In a sentence what is wrong with this set of members; null: nothing. */
function flawOf(known: readonly Known[], wanted: readonly Known[]): string | null {
  const names = wanted.map(({ id }) => id)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) return `${twice} is named twice.`
  const voters = wanted.filter(({ role }) => role !== 'learner')
  if (voters.length === 0) return 'A group needs at least one voter.'
  const most = majorityOf(voters.length) - 1
  if (voters.every(({ role }) => role === 'witness')) return 'A group of nothing but witnesses keeps no data.'
  if (voters.filter(({ role }) => role === 'witness').length > most)
    return `Of ${voters.length} voters at most ${most} can be witnesses: a majority of them would keep no data.`
  if (Math.max(voters.length, wanted.length - voters.length) > MAX_MEMBERS)
    return `A group has at most ${MAX_MEMBERS} voters and as many learners.`
  for (const { id, role } of wanted) {
    const now = known.find((member) => member.id === id)?.role ?? role
    if (now !== role && (now === 'witness' || role === 'witness'))
      return `${id} is a ${now} and cannot become a ${role}: remove it, wipe its files, then add it.`
  }
  return null
}

function sameMembers(known: readonly Known[], wanted: readonly Known[]): boolean {
  return (
    known.length === wanted.length &&
    wanted.every(({ id, role, priority }) =>
      known.some((now) => now.id === id && now.role === role && now.priority === priority),
    )
  )
}

function configurationFor(wanted: readonly Known[]): Configuration {
  const named = (...roles: MemberRole[]): readonly PeerId[] =>
    wanted.filter(({ role }) => roles.includes(role)).map(({ id }) => id)
  const priorities = wanted
    .filter(({ priority }) => priority !== DEFAULT_PRIORITY)
    .map(({ id, priority }) => [id, priority] as const)
  return tidied({
    ...{ peers: named('voter', 'witness'), oldPeers: [], learners: named('learner') },
    ...{ witnesses: named('witness'), priorities: Object.fromEntries(priorities) },
  })
}

/** Do the members have these names, in whatever order? Learners are members. */
export function isAsExpected(configuration: Configuration, expected: readonly PeerId[]): boolean {
  const [names, wanted] = [targets(configuration), new Set(expected)]
  return wanted.size === names.length && names.every((name) => wanted.has(name))
}

// ---- by which entries

/** Who votes in `target` and does not in `current`. */
export function votersAdded(current: Configuration, target: Configuration): readonly PeerId[] {
  return target.peers.filter((peer) => !current.peers.includes(peer))
}

/**
 * One voter more or less needs no joint configuration: any majority of either set has a member in common with any of the
 * other (thesis section 4.2). That holds between neighbors only, which is why a leader changes nothing before the first
 * entry of its term is committed (trap T72).
 */
export function needsJoint(current: Configuration, target: Configuration): boolean {
  return votersAdded(current, target).length + votersAdded(target, current).length > 1
}

/**
 * Both sets decide. Who votes in the old one only and is to be a learner is named among the learners already, so that
 * whoever finishes this change knows. `told`: the files of those who come.
 */
export function jointOf(current: Configuration, target: Configuration, told: Identities = {}): Configuration {
  const { peers, learners = [], witnesses = [] } = target
  const leaving = whoLeaves(current, target)
  const voted = (peer: PeerId): boolean => current.peers.includes(peer)
  return tidied({
    ...{ peers, oldPeers: current.peers, learners },
    witnesses: [...witnesses, ...leaving.filter((peer) => isWitness(current, peer))],
    priorities: { ...only(current.priorities, (peer) => leaving.includes(peer)), ...target.priorities },
    identities: { ...told, ...only(current.identities, voted) },
    newcomers: only(current.newcomers, voted),
  })
}

/** The new set alone. Of who is gone nothing is kept: should it come back, it comes as anybody else. */
export function stableOf(configuration: Configuration): Configuration {
  return tidied({ ...configuration, oldPeers: [] })
}

/** Says of members only, and leaves out what is empty. */
function tidied(configuration: Configuration): Configuration {
  const { peers, oldPeers, identities, newcomers, learners = [], witnesses = [], priorities } = configuration
  const votes = (peer: PeerId): boolean => isMember(configuration, peer)
  const named = (peer: PeerId): boolean => votes(peer) || learners.includes(peer)
  const voting = witnesses.filter(votes)
  return {
    ...{ peers, oldPeers },
    ...filled('identities', only(identities, votes)),
    ...filled('newcomers', only(newcomers, votes)),
    ...(learners.length === 0 ? {} : { learners }),
    ...(voting.length === 0 ? {} : { witnesses: voting }),
    ...filled('priorities', only(priorities, named)),
  }
}

type Numbers = Identities | Priorities

function only(numbers: Numbers = {}, keeps: (peer: PeerId) => boolean): Numbers {
  return Object.fromEntries(Object.entries(numbers).filter(([peer]) => keeps(peer)))
}

function filled<K extends 'identities' | 'newcomers' | 'priorities'>(key: K, numbers: Numbers) {
  return Object.keys(numbers).length === 0 ? {} : { [key]: numbers }
}

/** Who is sent the log no longer once `next` has taken the place of `before`. */
export function whoLeaves(before: Configuration, next: Configuration): readonly PeerId[] {
  const stay = new Set(targets(next))
  return [...new Set(targets(before))].filter((peer) => !stay.has(peer))
}

// ---- may it begin, and when are they ready

export interface Readiness {
  /** The first entry of the leader's term has been applied. */
  readonly isEstablished: boolean
  readonly configurationIndex: LogIndex
  readonly commitIndex: LogIndex
}

/** Null: a change may begin. Else why it has to wait (trap T72, INV-13 c). */
export function whyNotYet({ isEstablished, configurationIndex, commitIndex }: Readiness): string | null {
  if (!isEstablished) return 'the leader has not applied the first entry of its term yet'
  if (configurationIndex > commitIndex) return 'the configuration in force is not committed yet'
  return null
}

/** What a leader knows of one member that has to have the log. */
export interface CatchingUp {
  readonly peer: PeerId
  /** Up to where it holds the log durably; 0: it has not said. */
  readonly matchIndex: LogIndex
  /** It has answered within the last election timeout. */
  readonly isAlive: boolean
  /** It has got further, with the log or with a snapshot, within the time for which others wait for that. */
  readonly isMoving: boolean
  /** It is to hold data, and says that its files are those of a witness. */
  readonly lacksPayload: boolean
}

export interface CatchUpSituation {
  readonly added: readonly PeerId[]
  /** Who is to vote, the leader among them if it stays. */
  readonly peers: readonly PeerId[]
  readonly lastIndex: LogIndex
  readonly marginEntries: number
  readonly sightingOf: (peer: PeerId) => CatchingUp
}

export type CatchUpVerdict =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting' }
  /** `waitedFor` in vain: somebody of them does not answer, they all do and get no further, or their files hold no data. */
  | {
      readonly kind: 'failed'
      readonly why: 'silent' | 'stalled' | 'withoutData'
      readonly waitedFor: readonly PeerId[]
    }

/**
 * Ready when everybody who comes, and a majority of the new set, lacks no more than the margin. Whoever lags is waited
 * for as long as it answers and gets further, however long that takes (trap T76).
 */
export function judgeCatchUp(situation: CatchUpSituation): CatchUpVerdict {
  const { added, peers, lastIndex, marginEntries, sightingOf } = situation
  const empty = added.filter((peer) => sightingOf(peer).lacksPayload)
  if (empty.length > 0) return { kind: 'failed', why: 'withoutData', waitedFor: empty }
  const lags = (peer: PeerId): boolean => !isCaughtUp(sightingOf(peer).matchIndex, lastIndex, marginEntries)
  const inVain = peers.filter((peer) => {
    const { isAlive, isMoving } = sightingOf(peer)
    return lags(peer) && !(isAlive && isMoving)
  })
  const failed = (waitedFor: readonly PeerId[]): CatchUpVerdict => {
    const isStalled = waitedFor.every((peer) => sightingOf(peer).isAlive)
    return { kind: 'failed', why: isStalled ? 'stalled' : 'silent', waitedFor }
  }
  const lost = inVain.filter((peer) => added.includes(peer))
  if (lost.length > 0) return failed(lost)
  if (peers.length - inVain.length < majorityOf(peers.length)) return failed(inVain)
  const ready = peers.filter((peer) => !lags(peer))
  const isReady = ready.length >= majorityOf(peers.length) && !added.some(lags)
  return { kind: isReady ? 'ready' : 'waiting' }
}

/** A member that has said nothing of its log has nothing, however short the log is. */
export function isCaughtUp(matchIndex: LogIndex, lastIndex: LogIndex, marginEntries: number): boolean {
  return matchIndex > 0 && matchIndex + marginEntries >= lastIndex
}

/** How a member stands to its group. `waiting`: it has not been added yet. `removed`: it was a member, and is none. */
export type Membership = MemberRole | 'waiting' | 'removed'

export function membershipOf(configuration: Configuration, self: PeerId, wasMember: boolean): Membership {
  return (
    roleOf(configuration, self) ?? (wasMember && members(configuration).length > 0 ? 'removed' : 'waiting')
  )
}
