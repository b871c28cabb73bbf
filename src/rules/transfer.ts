// Moving leadership on purpose (thesis section 3.10; braft transfer_leadership_to): who may be asked for it, who may get
// it, and when the target has everything.

import { isLearner, isMember, isWitness, priorityOf } from './quorum.ts'
import { chooseSuccessor, type Successor } from './succession.ts'
import type { Configuration, LogIndex, PeerId } from './types.ts'

/** What a leader knows of a follower that might follow it in office. */
export interface Heir extends Successor {
  /** Its files are the ones that it is known by (rules/identity.ts). */
  readonly counts: boolean
  /** Since the newest request that it answered was sent. */
  readonly silentMs: number
}

export interface TransferSituation {
  readonly configuration: Configuration
  readonly self: PeerId
  /** Null: the best there is. */
  readonly to: PeerId | null
  /** The first entry of the term is applied (trap T72). */
  readonly established: boolean
  readonly transferring: boolean
  /** A member without the newest configuration could disturb later terms (trap T82). */
  readonly changing: boolean
  readonly heirs: readonly Heir[]
  /** Who has been silent for longer is not there. */
  readonly electionTimeoutMs: number
  readonly drawn: number
}

export type TransferRefusal =
  | 'NOT_ESTABLISHED'
  | 'TRANSFERRING'
  | 'CHANGING'
  | 'UNKNOWN'
  | 'LEARNER'
  | 'WITNESS'
  | 'NEVER_LEADS'
  | 'NEWCOMER'
  | 'READONLY'
  | 'UNREACHABLE'
  | 'NOBODY'

export type TransferVerdict =
  /** Who was named leads already. */
  | { readonly kind: 'leads' }
  | { readonly kind: 'start'; readonly target: PeerId }
  | { readonly kind: 'refuse'; readonly why: TransferRefusal }

const refuse = (why: TransferRefusal): TransferVerdict => ({ kind: 'refuse', why })

/** What becomes of a request for a transfer, asked of a leader. */
export function judgeTransfer(situation: TransferSituation): TransferVerdict {
  const { configuration, self, to, established, transferring, changing, heirs } = situation
  if (to === self) return { kind: 'leads' }
  if (to !== null) {
    if (isLearner(configuration, to)) return refuse('LEARNER')
    if (!isMember(configuration, to)) return refuse('UNKNOWN')
    if (isWitness(configuration, to)) return refuse('WITNESS')
    if (priorityOf(configuration, to) === 0) return refuse('NEVER_LEADS')
  }
  if (transferring) return refuse('TRANSFERRING')
  if (!established) return refuse('NOT_ESTABLISHED')
  if (changing) return refuse('CHANGING')
  const present = heirs.filter((heir) => heir.counts && isReachable(heir, situation.electionTimeoutMs))
  if (to === null) {
    const best = chooseSuccessor(configuration, present, situation.drawn)
    return best === null ? refuse('NOBODY') : { kind: 'start', target: best }
  }
  const heir = heirs.find(({ peer }) => peer === to)
  if (heir?.counts === false) return refuse('NEWCOMER')
  // It is not sent what it would have to have, and would take no commands.
  if (heir?.isReadonly === true) return refuse('READONLY')
  return present.some(({ peer }) => peer === to) ? { kind: 'start', target: to } : refuse('UNREACHABLE')
}

function isReachable({ consecutiveErrors, silentMs }: Heir, electionTimeoutMs: number): boolean {
  return consecutiveErrors === 0 && silentMs <= electionTimeoutMs
}

export interface TargetPosition {
  /** Up to where the target's files equal the leader's log, durably. */
  readonly matchIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly commitIndex: LogIndex
}

/**
 * May the target be told to campaign? It has to hold the whole log, or it would lose its election. braft looks no
 * further; here everything is committed first, so that no caller of the old leader is left with an unknown outcome.
 */
export function hasEverything({ matchIndex, lastIndex, commitIndex }: TargetPosition): boolean {
  return matchIndex >= lastIndex && commitIndex >= lastIndex
}
