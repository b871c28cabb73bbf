// What a configuration change does: judges wishes, looks after those who come, appends the entries, tells who asked.

import {
  type CatchUpVerdict,
  isAsExpected,
  jointOf,
  judgeCatchUp,
  judgeWish,
  needsJoint,
  stableOf,
  votersAdded,
  type WishVerdict,
  whyNotYet,
} from '../../rules/change.ts'
import { isMember, isStable, isWitness } from '../../rules/quorum.ts'
import { type Configuration, configurationOf, type Identities, type PeerId } from '../../rules/types.ts'
import type { AskedChange, ChangeOutcome, ChangeWorld } from './change-world.ts'
import type { ConfigurationChange } from './configuration-change.ts'

export interface ChangeContext {
  readonly world: ChangeWorld
  readonly change: ConfigurationChange
}

/** `moved`: the commit index, or what followers hold, may have. */
export type ChangeEvent = { readonly type: 'ask'; readonly asked: AskedChange } | { readonly type: 'moved' }

// ---- what somebody wishes

type Verdict = WishVerdict | { readonly kind: 'early' | 'unexpected'; readonly why: string }

function verdictOn({ world }: ChangeContext, { wish, expect }: AskedChange): Verdict {
  const { configuration } = world
  const early = whyNotYet(world.readiness)
  if (early !== null) return { kind: 'early', why: early }
  const verdict = judgeWish(configuration, wish)
  if (verdict.kind !== 'change' || expect === undefined || isAsExpected(configuration, expect)) return verdict
  return { kind: 'unexpected', why: `The members are not ${expect.join(', ')} any more.` }
}

export function isRefused(context: ChangeContext, event: ChangeEvent): boolean {
  return event.type === 'ask' && !['change', 'unchanged'].includes(verdictOn(context, event.asked).kind)
}

export function isUnchanged(context: ChangeContext, event: ChangeEvent): boolean {
  return event.type === 'ask' && verdictOn(context, event.asked).kind === 'unchanged'
}

/** Nobody begins or ceases to vote: one entry, and nobody to wait for. */
export function keepsVoters({ world, change }: ChangeContext): boolean {
  const { configuration } = world
  const { target } = change
  return (
    target !== null &&
    votersAdded(configuration, target).length + votersAdded(target, configuration).length === 0
  )
}

export function refuse(context: ChangeContext, event: ChangeEvent): void {
  if (event.type !== 'ask') return
  const { world } = context
  const verdict = verdictOn(context, event.asked)
  const why = 'why' in verdict ? verdict.why : ''
  if (verdict.kind === 'early')
    return settle(world, event.asked, {
      ok: false,
      error: world.error('BUSY', `The members cannot be changed yet: ${why}.`, { retryable: true }),
    })
  const code = verdict.kind === 'unexpected' ? 'CONFLICT' : 'INVALID'
  settle(world, event.asked, { ok: false, error: world.error(code, why) })
}

export function refuseBusy({ world }: ChangeContext, event: ChangeEvent): void {
  if (event.type !== 'ask') return
  const error = world.error('BUSY', 'Another change of the members is running.', { retryable: true })
  settle(world, event.asked, { ok: false, error })
}

export function confirm({ world }: ChangeContext, event: ChangeEvent): void {
  if (event.type === 'ask') settle(world, event.asked, { ok: true, configuration: world.configuration })
}

function settle(world: ChangeWorld, asked: AskedChange, outcome: ChangeOutcome): void {
  world.shelter(() => asked.settle(outcome))
}

export function begin(context: ChangeContext, event: ChangeEvent): void {
  if (event.type !== 'ask') return
  const { world, change } = context
  const verdict = verdictOn(context, event.asked)
  if (verdict.kind !== 'change') return
  const { configuration, group, term, logger } = world
  change.asked = event.asked
  change.target = verdict.target
  change.adding = votersAdded(configuration, verdict.target)
  world.readmit(change.adding)
  change.beginsAt(world.clock.nowMs())
  change.answers = new Map(change.adding.map((peer) => [peer, world.progressOf(peer)?.answers ?? 0]))
  logger.info(
    { group, term, members: configurationOf(configuration), wished: verdict.target },
    'The members are about to change.',
  )
  if (change.adding.length > 0) world.send({ type: 'followers.due', term })
}

// ---- those who come

/** How far they have got; who is silent is known of a time only. */
function catchUp({ world, change }: ChangeContext, nowMs: number | null): CatchUpVerdict {
  const { lastIndex, tuning, id } = world
  return judgeCatchUp({
    lastIndex,
    marginEntries: tuning.catchUpMarginEntries,
    added: change.adding,
    peers: change.target?.peers ?? [],
    sightingOf: (peer) => {
      if (peer === id)
        return { peer, matchIndex: lastIndex, isAlive: true, isMoving: true, lacksPayload: false }
      const progress = world.progressOf(peer)
      const { matchIndex = 0, lastContactMs = 0, answers = 0 } = progress ?? {}
      // A learner that is to vote may have had the log, and have gone since.
      const isHere = !change.adding.includes(peer) || answers > (change.answers.get(peer) ?? 0)
      const sinceMs = Math.max(lastContactMs, change.startedMs)
      const isAlive = nowMs === null || nowMs - sinceMs <= tuning.electionTimeoutMs
      const stillMs = nowMs === null ? 0 : nowMs - change.standsStillSinceMs(peer, progress, nowMs)
      const isMoving = stillMs <= tuning.maxCatchUpStallMs
      const lacksPayload =
        progress?.isMisplaced === true && !isWitness(change.target ?? world.configuration, peer)
      return { peer, matchIndex: isHere ? matchIndex : 0, isAlive, isMoving, lacksPayload }
    },
  })
}

/** Who keeps the others waiting and does not answer? */
export function look(context: ChangeContext): void {
  const verdict = catchUp(context, context.world.clock.nowMs())
  context.change.inVain = verdict.kind === 'failed' ? verdict : null
}

/** And what they are to vote on next can be appended: the configuration in force is committed (INV-13 c). */
export function isReady(context: ChangeContext): boolean {
  return catchUp(context, null).kind === 'ready' && whyNotYet(context.world.readiness) === null
}

export function isReadyForJoint(context: ChangeContext): boolean {
  const { world, change } = context
  return change.target !== null && needsJoint(world.configuration, change.target) && isReady(context)
}

export function giveUp(context: ChangeContext): void {
  const { world, change } = context
  const { waitedFor = [], why = 'silent' } = change.inVain ?? {}
  const { group, term, logger, tuning } = world
  const stalled = `answered, but got no further for ${tuning.maxCatchUpStallMs} ms (maxCatchUpStallMs)`
  const who = waitedFor.join(', ')
  const what = {
    silent: `${who} did not answer while catching up with the log.`,
    stalled: `${who} ${stalled} while catching up with the log.`,
    withoutData: `the files of ${who} are those of a witness and hold no data. Stop it, wipe its files, and add it again.`,
  }
  const message = `The members stay as they are: ${what[why]}`
  logger.warn({ group, term, waitedFor, why }, message)
  end(context, { ok: false, error: world.error('CATCH_UP', message) })
  world.send({ type: 'followers.due', term })
}

// ---- the entries

/** Both sets decide from here on; a joint configuration that an earlier leader had begun stands in the term's first entry. */
export function proposeJoint({ world, change }: ChangeContext): void {
  const { configuration } = world
  if (change.target === null || !isStable(configuration)) return
  propose(world, jointOf(configuration, change.target, filesOf(world, change.adding)))
}

/** The new set decides alone. One that an earlier leader had begun with stands in the term's first entry. */
export function proposeStable({ world, change: { target, adding } }: ChangeContext): void {
  const { configuration } = world
  if (target === null && isStable(configuration)) return
  const joint =
    target !== null && isStable(configuration)
      ? jointOf(configuration, target, filesOf(world, adding))
      : configurationOf(configuration)
  propose(world, stableOf(joint))
}

/** Whoever watches a change that takes its time is told what it waits for. */
function propose(world: ChangeWorld, configuration: Configuration): void {
  world.propose(configuration)
  const { group, term, logger } = world
  const who = isStable(configuration)
    ? 'The new members decide alone.'
    : 'Old and new members decide together.'
  logger.info({ group, term, members: configuration }, who)
}

function filesOf(world: ChangeWorld, peers: readonly PeerId[]): Identities {
  const known = peers.map((peer) => [peer, world.progressOf(peer)?.identity ?? 0] as const)
  return Object.fromEntries(known.filter(([, identity]) => identity > 0))
}

/** The newest configuration of this term is committed. */
export function isCommitted({ world }: ChangeContext): boolean {
  const { configuration, commitIndex, term } = world
  return configuration.id.term === term && configuration.id.index <= commitIndex
}

/** Everybody hears that it is committed, whoever has left among them. A leader that has left itself leaves its office. */
export function conclude(context: ChangeContext): void {
  const { world } = context
  const { configuration, id, term, group, logger } = world
  logger.info({ group, term, members: configurationOf(configuration) }, 'The members have changed.')
  world.beat()
  end(context, { ok: true, configuration })
  if (!isMember(configuration, id)) world.send({ type: 'change.left', term })
}

function end({ world, change }: ChangeContext, outcome: ChangeOutcome): void {
  const { asked } = change
  change.asked = null
  change.target = null
  change.adding = []
  change.inVain = null
  if (asked !== null) settle(world, asked, outcome)
}
