// Leading: the term's first entry, proposals, counting acknowledgements, check-quorum (braft become_leader, apply).

import { isAlone } from '../../rules/election.ts'
import { nextRecord, standingOf } from '../../rules/identity.ts'
import { judgeQuorum, NO_FOLLOWER_LEASE, type QuorumVerdict } from '../../rules/lease.ts'
import { judgeProposal } from '../../rules/proposal.ts'
import { isMember, members } from '../../rules/quorum.ts'
import { mayServeReads } from '../../rules/read.ts'
import {
  type Configuration,
  EntryType,
  type Identity,
  type LogEntry,
  type PeerId,
} from '../../rules/types.ts'
import { passes } from '../../runtime/trace-points.ts'
import type { Proposal } from '../apply/closures.ts'
import type { TimerFired } from '../timer.machine.ts'
import { appendConfiguration, appendToLog } from './node.appending.ts'
import type { NodeCore } from './node.core.ts'
import { learnLeader } from './node.handover.ts'
import { stopWatching } from './node.presence.ts'
import { mayAppendCommands } from './node.readonly.ts'
import { refuseProposal } from './node.refusals.ts'
import { assertHoldsData, wakeWitnesses } from './node.witness.ts'
import { Office } from './office.ts'

/** Rounds of check-quorum before an entry is written for nothing but members that no entry names yet. */
const RECORD_AFTER_CHECKS = 3

/** Takes office. The ex-follower owes nobody a vote any more (trap T18). */
export function takeOffice(core: NodeCore): Office {
  assertHoldsData(core)
  core.candidacy.end()
  core.nextVersion()
  core.leader = core.id
  learnLeader(core, core.id)
  core.reason = 'ELECTION_WON'
  stopWatching(core)
  const office = new Office(core.term, core.log.lastIndex + 1, core.clock.nowMs(), leaderBefore(core))
  core.following.lease = NO_FOLLOWER_LEASE
  core.office = office
  return office
}

/** Who led the term before this one, as far as this member knows: it has followed him, or was it itself. */
function leaderBefore({ id, term, candidacy, following }: NodeCore): PeerId | null {
  if (candidacy.lastOffice === term - 1) return id
  return following.leaderTerm === term - 1 ? following.lease.lastLeader : null
}

/**
 * The first entry of the term is the configuration in force. It commits everything of earlier terms, and leadership
 * begins for the user when it is applied (braft ConfigurationCtx::flush; the no-op of paper section 8).
 */
export function appendFirstEntry(core: NodeCore): void {
  core.closures.add(core.log.lastIndex + 1, { kind: 'leaderStart', term: core.term })
  appendConfiguration(core, withKnownFiles(core))
}

/** The configuration in force, with the files of this member and its voters where none are recorded. */
function withKnownFiles({ configuration, id, identity, candidacy }: NodeCore): Configuration {
  const recorded = configuration.identities ?? {}
  const identities: Record<PeerId, Identity> = {}
  for (const peer of members(configuration)) {
    const told = peer === id ? identity : (candidacy.voters.get(peer) ?? 0)
    const known = isAlone(configuration, id) ? 0 : (recorded[peer] ?? 0)
    if (known + told > 0) identities[peer] = known || told
  }
  return Object.keys(identities).length === 0 ? configuration : { ...configuration, identities }
}

/** Brings the record of the members' files up to date, one entry at a time (rules/identity.ts). */
export function recordIdentities(core: NodeCore): void {
  const { office, configuration, commitIndex, trusted } = core
  if (office === null || office.transfer !== null || !isEstablished(core)) return
  // Who was there from the beginning stands in the term's first entry. The others can wait for one of their own.
  const isTime = ++office.quorumChecks >= RECORD_AFTER_CHECKS
  const isToWait = (peer: PeerId, identity: Identity): boolean =>
    !isTime && standingOf(configuration, peer, identity) === 'unrecorded'
  const sightings = [...office.followers.values()]
    .filter(({ progress: { peer } }) => isMember(configuration, peer))
    .map(({ progress: { peer, identity, matchIndex } }) => ({
      peer,
      matchIndex,
      identity: isToWait(peer, identity) ? 0 : identity,
    }))
  const configurationIndex = configuration.id.index
  const next = nextRecord({ configuration, configurationIndex, commitIndex, sightings, trusted })
  for (const { peer, identity } of sightings) {
    if (standingOf(configuration, peer, identity) !== 'newcomer') continue
    const recorded = configuration.identities?.[peer]
    core.logger.warn(
      { group: core.group, peer, recorded, identity },
      `Member ${peer} of ${core.group} has come back with other files than it had: it does not count until they hold everything and the others have confirmed them.`,
    )
  }
  if (next !== null) appendConfiguration(core, next)
}

/** One batch of proposals: indexes, memory, disk and followers in the same turn (docs/architecture.md). */
export function appendProposals(core: NodeCore, proposals: readonly Proposal[]): void {
  const entries: LogEntry[] = []
  let index = core.log.lastIndex
  const isReadonly = !mayAppendCommands(core)
  for (const proposal of proposals) {
    const verdict = judgeProposal(true, core.term, proposal.expectedTerm)
    if (verdict !== 'accept' || isReadonly) {
      refuseProposal(core, proposal)
      continue
    }
    core.input.stamp(proposal.data)
    entries.push({ index: ++index, term: core.term, type: EntryType.DATA, data: proposal.data })
    core.closures.add(index, proposal)
  }
  appendToLog(core, entries)
  passes('appended')
  core.files.look()
}

/** What a member is known to hold durably; the leader's own part counts only when its disk has confirmed. */
export function countBallots(core: NodeCore): void {
  const { office, log } = core
  if (office === null) return
  const matchOf = (peer: string): number => {
    if (peer === core.id) return log.durableIndex
    const progress = office.followers.get(peer)?.progress
    if (progress === undefined || progress.isMisplaced) return 0
    return core.counts(peer, progress.identity) ? progress.matchIndex : 0
  }
  const index = office.ballots.count(core.commitIndex, log.lastIndex, matchOf)
  if (index > core.commitIndex) passes('committed')
  core.commitTo(index)
  core.files.look()
  wakeWitnesses(core)
  office.change.moved()
}

/** Check-quorum, at the time at which its timer fired. */
export function judgeContact(core: NodeCore, { firedMs, lateMs }: TimerFired): QuorumVerdict {
  const heldUpUntilMs =
    lateMs > core.heldUpAfterMs ? firedMs : (core.office?.heldUpUntilMs ?? Number.NEGATIVE_INFINITY)
  const patience = { electionTimeoutMs: core.tuning.electionTimeoutMs, roundMs: core.heartbeatMs }
  return judgeQuorum(core.contact, patience, firedMs, heldUpUntilMs)
}

/** This process slept, not the others: everybody is asked now, and judged after one heartbeat round. */
export function giveOneRound(core: NodeCore): void {
  const { office } = core
  if (office === null) return
  office.givesOneRound = true
  for (const { heartbeat } of office.followers.values()) heartbeat.send({ type: 'beat' })
}

/** The delay to the next check of contact. */
export function contactDelayMs(core: NodeCore): number {
  const { office } = core
  if (office?.givesOneRound !== true) return core.tuning.electionTimeoutMs
  office.givesOneRound = false
  return core.heartbeatMs
}

/** The first entry of the term has been applied: reads are safe, leadership is established. */
export function isEstablished(core: NodeCore): boolean {
  return core.office !== null && mayServeReads(core.office.ballots.pendingIndex, core.appliedIndex)
}
