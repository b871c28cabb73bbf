// An operator forces who the members are (braft NodeImpl::reset_peers): in force at once on this member, which stands for
// election among them; whoever asked is answered when an entry on this disk says so. braft answers at once, and forgets it
// in a crash.

import { judgeReset, type ResetVerdict } from '../../rules/disaster.ts'
import { members } from '../../rules/quorum.ts'
import type { AskedReset } from '../membership/reset.ts'
import { lacksPayload } from '../snapshot/payload.ts'
import { tellNews } from './node.configuration.ts'
import type { NodeCore } from './node.core.ts'
import type { EventOf } from './node.events.ts'
import { refused, settle, settleWaiting } from './node.forced.ts'
import { refusal } from './node.refusals.ts'
import { isChanging } from './node.transfer.ts'

type Asking = EventOf<'reset'>

/** One verdict per request: guard and action hear the same. */
function verdictOn(core: NodeCore, event: Asking): ResetVerdict {
  const known = core.membership.reset.verdict
  if (known?.event === event) return known.verdict
  const { configuration, id: self, identity, office, snapshots } = core
  const verdict = judgeReset({
    configuration,
    ...{ peers: event.peers, self, identity },
    changing: office !== null && isChanging(core),
    installing: snapshots.isInstalling,
    lacksPayload: lacksPayload(core),
  })
  core.membership.reset.verdict = { event, verdict }
  return verdict
}

export function resetForces(core: NodeCore, event: Asking): boolean {
  return verdictOn(core, event).kind === 'force'
}

/** The office, if there was one, is left. */
export function forcePeers(core: NodeCore, event: Asking): void {
  const verdict = verdictOn(core, event)
  if (verdict.kind !== 'force') return
  const { group, id, term, configuration, logger } = core
  const before = members(configuration)
  logger.error(
    { group, term, before, after: event.peers },
    `An operator has forced the members of ${group} on ${id}: ${event.peers.join(', ')}, before ${before.join(', ') || 'nobody'}. What only the others had acknowledged may be lost; they must never be started again with their files.`,
  )
  settleWaiting(core, refused(core, 'CONFLICT', 'others were forced meanwhile'))
  core.configuration = { ...verdict.configuration, id: configuration.id }
  core.membership.sees(core.configuration, id)
  if (core.life.bulletin.sees(core.configuration)) tellNews(core, 'membership')
  const since = core.membership.reset.forced?.since ?? configuration.id
  core.membership.reset.forced = { peers: event.peers, since, entry: null }
  awaitDisk(core, event.asked)
}

/** A request that changes nothing is answered, or waits for what was forced before it. */
export function answerReset(core: NodeCore, event: Asking): void {
  const verdict = verdictOn(core, event)
  if (verdict.kind === 'invalid') return settle(core, event.asked, refused(core, 'INVALID', verdict.why))
  if (verdict.kind === 'busy')
    return settle(core, event.asked, refused(core, 'BUSY', verdict.why, { retryable: true }))
  if (core.membership.reset.forced !== null) return awaitDisk(core, event.asked)
  settle(core, event.asked, { ok: true, configuration: core.configuration })
}

/** Whoever takes part in nothing has no members. */
export function refuseReset(core: NodeCore, { asked }: Asking): void {
  settle(core, asked, { ok: false, error: refusal(core) })
}

/** What was forced stays in force, and whoever asked knows that no disk has it yet. */
export function giveUpReset(core: NodeCore, { asked }: EventOf<'reset.late'>): void {
  if (!core.membership.reset.waiting.delete(asked)) return
  const missing = core.others.length === 0 ? 'it leads' : `it or ${core.others.join(' or ')} leads`
  const message = `The members of ${core.group} are reset on ${core.id} in memory only: no leader has written it down yet, and a restart of ${core.id} before ${missing} forgets it. Ask again to go on waiting.`
  const error = core.error('TIMEOUT', message, { outcome: 'unknown', retryable: true })
  settle(core, asked, { ok: false, error })
}

function awaitDisk(core: NodeCore, asked: AskedReset): void {
  const { electionTimeoutMs, maxClockDriftMs } = core.tuning
  const late = (): void => core.send({ type: 'reset.late', asked })
  core.membership.reset.waiting.set(
    asked,
    core.clock.setTimeout(late, 2 * (electionTimeoutMs + maxClockDriftMs)),
  )
}
