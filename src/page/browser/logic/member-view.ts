// A member as a card shows it: one word for how it is, its numbers, and what a person should notice. Made from what the feed
// tells now, or from a sample of what has been.

import type { MemberModel } from '../../../client/watch/member-model.ts'
import type { FeedStatus } from '../../../protocol/feed-protocol.ts'
import type { Sample, StagedMember } from '../../page-protocol.ts'

export type Condition =
  | 'leader'
  | 'follower'
  | 'candidate'
  | 'learner'
  | 'witness'
  | 'starting'
  | 'outside'
  | 'failed'
  | 'paused'
  | 'dead'
  | 'silent'
  | 'unknown'

/** The word and the sign of each: nothing is told by color alone. */
export const CONDITIONS: Readonly<Record<Condition, { readonly word: string; readonly sign: string }>> = {
  leader: { word: 'Leader', sign: '★' },
  follower: { word: 'Follower', sign: '●' },
  candidate: { word: 'Candidate', sign: '▲' },
  learner: { word: 'Learner', sign: '■' },
  witness: { word: 'Witness', sign: '◆' },
  starting: { word: 'Starting', sign: '◌' },
  outside: { word: 'Not a member', sign: '○' },
  failed: { word: 'Failed', sign: '✖' },
  paused: { word: 'Paused', sign: '❚❚' },
  dead: { word: 'Dead', sign: '✖' },
  silent: { word: 'Not heard', sign: '?' },
  unknown: { word: 'Not heard yet', sign: '?' },
}

export interface Indexes {
  readonly last: number
  readonly durable: number
  readonly commit: number
  readonly applied: number
}

export interface MemberView {
  readonly id: string
  readonly condition: Condition
  readonly term: number
  readonly leader: string | null
  readonly indexes: Indexes | null
  /** Short notes, each a few words. */
  readonly marks: readonly string[]
  /** Why it is not as it should be, as a sentence. */
  readonly problem: string | null
  readonly status: FeedStatus | null
}

/** As it is now. */
export function viewOf(member: MemberModel, staged: StagedMember | undefined): MemberView {
  const { id, status, restarts } = member
  const condition = conditionOf(member, staged)
  const marks = [
    ...(staged?.isCut === true ? ['⚡ cut off'] : []),
    ...(restarts > 0 ? [`restarted ${restarts}×`] : []),
    ...(status === null ? [] : marksOf(status)),
  ]
  const problem = status?.error ?? (staged === undefined ? member.problem : null)
  const indexes = status === null ? null : indexesOf(status)
  return {
    id,
    condition,
    term: status?.term ?? 0,
    leader: status?.leader ?? null,
    indexes,
    marks,
    problem,
    status,
  }
}

/** As it was. */
export function viewOfSample(sample: Sample): MemberView {
  const { member: id, role, term, leader } = sample
  const indexes = {
    last: sample.lastIndex,
    durable: sample.durableIndex,
    commit: sample.commitIndex,
    applied: sample.appliedIndex,
  }
  return {
    id,
    condition: conditionOfRole(role),
    term,
    leader,
    indexes,
    marks: [],
    problem: null,
    status: null,
  }
}

function indexesOf({ lastIndex, durableIndex, commitIndex, appliedIndex }: FeedStatus): Indexes {
  return { last: lastIndex, durable: durableIndex, commit: commitIndex, applied: appliedIndex }
}

function conditionOf({ id, state, status }: MemberModel, staged: StagedMember | undefined): Condition {
  if (staged?.state === 'crashed' || state === 'ended') return 'dead'
  if (staged?.state === 'paused') return 'paused'
  if (state === 'silent') return 'silent'
  if (status === null) return 'unknown'
  if (status.role === 'follower') return conditionOfFollower(id, status)
  return conditionOfRole(status.role)
}

function conditionOfFollower(id: string, { witnesses, learners, membership }: FeedStatus): Condition {
  if (witnesses.includes(id)) return 'witness'
  if (learners.includes(id)) return 'learner'
  return membership === 'waiting' || membership === 'removed' ? 'outside' : 'follower'
}

function conditionOfRole(role: string): Condition {
  switch (role) {
    case 'leader':
    case 'follower':
    case 'candidate':
      return role
    case 'error':
      return 'failed'
    case 'shuttingDown':
    case 'shutdown':
      return 'dead'
    default:
      return 'starting'
  }
}

function marksOf({ leaseValid, role, snapshot, change, oldPeers }: FeedStatus): string[] {
  return [
    ...(role === 'leader' && leaseValid ? ['lease held'] : []),
    ...(snapshot.state === 'idle' ? [] : [`${snapshot.state} a snapshot${share(snapshot)}`]),
    ...(change === null || change.stage === 'none' ? [] : [`membership: ${change.stage}`]),
    ...(oldPeers.length > 0 ? ['joint configuration'] : []),
  ]
}

export function share({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }): string {
  return totalBytes > 0 ? ` ${Math.floor((doneBytes / totalBytes) * 100)}%` : ''
}
