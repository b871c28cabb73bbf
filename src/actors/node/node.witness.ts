// Being a witness, and having the files of one: the rules are in rules/witness.ts.

import type { QuorateError } from '../../errors.ts'
import { roleOf } from '../../rules/change.ts'
import { InvariantError } from '../../rules/invariants.ts'
import { isWitness } from '../../rules/quorum.ts'
import type { LogIndex } from '../../rules/types.ts'
import { isSentNoPayload, refusedByWitness, tellableIndex } from '../../rules/witness.ts'
import type { Reply } from '../../transport/rpc/peer-rpc.ts'
import type { AppendEntriesRequest } from '../../transport/wire/messages/registry.ts'
import type { PeerProgress } from '../replication/peer-progress.ts'
import { lacksPayload, withheldIndex } from '../snapshot/payload.ts'
import type { NodeCore } from './node.core.ts'
import type { Office } from './office.ts'

/** By configuration, or by what its files lack: it leads nobody and shows nobody a state. */
export function keepsNoData(core: NodeCore): boolean {
  return isWitness(core.configuration, core.id) || lacksPayload(core)
}

/**
 * Why this member answers no read; null: it does. One that rests on the leader's word is to be asked of the leader; what
 * only this member could show, nobody can.
 */
export function refusalToShow(core: NodeCore, rests: 'onLeader' | 'onItself'): QuorateError | null {
  if (!keepsNoData(core)) return null
  const { id, group, leader } = core
  const text = `Member ${id} is a witness of ${group}, or has the files of one, and keeps no data`
  if (rests === 'onItself')
    return core.error('UNSUPPORTED', `${text}: ask another member.`, { retryable: true })
  const whom = leader === null ? 'another member' : leader
  return core.error('NOT_LEADER', `${text}: ask ${whom}.`, { retryable: true })
}

/** What nobody may ever see: a leader sends what it has, and this one would send nothing for something. */
export function assertHoldsData(core: NodeCore): void {
  if (!lacksPayload(core)) return
  const evidence = `${core.id} was elected in term ${core.term} and lacks the payload of entries up to ${withheldIndex(core)}`
  throw new InvariantError('leader completeness', evidence)
}

/** Whoever is counted as one that holds data and has the files of a witness is told to everybody who looks. */
export function noteFiles(core: NodeCore): void {
  const { membership, configuration, id, group, logger } = core
  const isMisplaced = lacksPayload(core) && ['voter', 'learner'].includes(roleOf(configuration, id) ?? '')
  if (isMisplaced && !membership.isMisplaced)
    logger.error(
      { group, withheldIndex: withheldIndex(core) },
      `Member ${id} is a ${roleHere(core)} of ${group} with the files of a witness, ${ADVICE}`,
    )
  membership.isMisplaced = isMisplaced
}

const ADVICE = 'which hold no data: it neither leads nor counts. Remove it, wipe its files, and add it again.'

function roleHere({ configuration, id }: NodeCore): string {
  return roleOf(configuration, id) ?? 'member'
}

/** Data for files that lack what came before is not taken. Returns whether it was refused. */
export function refusesData(core: NodeCore, message: AppendEntriesRequest, reply: Reply): boolean {
  const refused = refusedByWitness(lacksPayload(core), message.entries)
  if (refused === null) return false
  const problem = `${core.id} lacks the payload of entries up to ${withheldIndex(core)} and cannot take the data of entry ${refused.index}: it is a ${roleHere(core)} of ${core.group} with the files of a witness, ${ADVICE}`
  core.outbox.post(() => reply({ ok: false, error: { code: 'EINVAL', message: problem } }))
  return true
}

/** More may be durable where the data is: witnesses may be told of it. */
export function wakeWitnesses(core: NodeCore): void {
  const { office } = core
  for (const { progress, replicator } of office?.followers.values() ?? []) {
    if (office === null || !progress.isWitness) continue
    progress.tellableIndex = tellable(core, office)
    if (progress.nextIndex <= progress.tellableIndex) replicator.send({ type: 'log.grew' })
  }
}

function tellable(core: NodeCore, { followers }: Office): LogIndex {
  const { configuration, id, log } = core
  return tellableIndex(configuration, id, log.durableIndex, (peer) => {
    const progress = followers.get(peer)?.progress
    if (progress === undefined || progress.isMisplaced) return 0
    return core.counts(peer, progress.identity) ? progress.matchIndex : 0
  })
}

/** What this peer is sent from now on. */
export function noteWhatIsSent(core: NodeCore, office: Office, progress: PeerProgress): void {
  const { target } = office.change
  progress.isWitness = isSentNoPayload(core.configuration, target, progress.peer, progress.isWitness)
  if (progress.isWitness) progress.tellableIndex = tellable(core, office)
}
