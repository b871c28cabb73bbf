// A majority that is lost for good at the end of a run: an operator tells one of those that are left who the members are.
//
// A reset may lose what only the lost ones had, and then nothing of before binds anybody. So the simulation's operator does what
// a careful one does: he tells the member that has most, which here has everything that anybody took for committed, and the
// others never come back. What may be lost then is what nobody was told to be done, and every invariant goes on holding, but
// that the majorities of the old and of the forced members meet (INV-13 b), and that the log says who the members are while
// nobody has written it down yet (INV-13 a).

import type { Configuration, PeerId } from '../../rules/types.ts'
import { compareLogIds, type LogId } from '../../rules/types.ts'
import type { Random } from '../../runtime/random.ts'
import { InvariantViolation } from '../invariants/violation.ts'
import { GROUP, type SimMember } from '../sim-member.ts'
import type { Simulation } from '../simulation.ts'
import { chance, pick } from '../time/sim-random.ts'
import type { LivenessPlan } from './nemesis.ts'
import type { Profile } from './profiles.ts'

const SHARES: Readonly<Record<Profile, number>> = {
  ...{ membership: 0.3, swarm: 0.1 },
  ...{ network: 0, disk: 0, clock: 0, groups: 0, unsurvivable: 0 },
}

/** Whether this run ends so. */
export function drawDisaster(random: Random, profile: Profile): boolean {
  return chance(random, SHARES[profile])
}

/** Null: whoever has everything would have no majority to lose. */
export function planDisaster(random: Random, members: readonly SimMember[]): LivenessPlan | null {
  const sound = members.filter(({ disk }) => !disk.damaged)
  const best = bestOf(sound)
  const configuration = best?.node?.core.configuration
  if (best === undefined || configuration === undefined) return null
  const voters = [...new Set([...configuration.peers, ...configuration.oldPeers])]
  if (!voters.includes(best.id)) return null
  const others = sound.map(({ id }) => id).filter((id) => id !== best.id && voters.includes(id))
  const core = others.length > 0 && chance(random, 0.5) ? [best.id, pick(random, others)] : [best.id]
  if (isMajority(configuration, core)) return null
  const outside = members.filter(({ id }) => !core.includes(id))
  return { core, outside: outside.map(({ id: node }) => ({ node, fate: 'dead' })) }
}

const PAUSE_MS = 50

/**
 * Tells whoever has most, until it is written down: again when it is busy, or could not lead because what was on its way to
 * another one's disk has made that one's log the longer.
 * @throws InvariantViolation L11
 */
export async function forceMembers(sim: Simulation, { core }: LivenessPlan, withinMs: number): Promise<void> {
  const left = [...sim.members.values()].filter(({ id }) => core.includes(id))
  for (const endMs = sim.nowMs + withinMs; ; await sim.run(PAUSE_MS)) {
    const told = bestOf(left)?.id ?? ''
    const answer = await sim.resetPeers(told, core, withinMs)
    sim.note('operator', 'reset', { told, peers: core.join(), outcome: answer.outcome })
    if (answer.outcome === 'ok') return
    const isWorthwhile = answer.outcome === 'unknown' || answer.error?.retryable === true
    if (isWorthwhile && sim.nowMs < endMs) continue
    const why = answer.error?.message ?? 'nothing was said.'
    throw new InvariantViolation('INV-0', `L11: ${told} was told that the members are ${core.join()}: ${why}`)
  }
}

function isMajority({ peers, oldPeers }: Configuration, core: readonly PeerId[]): boolean {
  const has = (half: readonly PeerId[]): boolean =>
    half.filter((peer) => core.includes(peer)).length * 2 > half.length
  return has(peers) && (oldPeers.length === 0 || has(oldPeers))
}

function bestOf(members: readonly SimMember[]): SimMember | undefined {
  return [...members].sort((a, b) => compareLogIds(lastOf(b), lastOf(a)))[0]
}

/** Where the durable log ends: of all logs that are sound, the last one has everything that is committed. */
function lastOf({ disk }: SimMember): LogId {
  const image = disk.durable(GROUP)
  const snapshot = disk.snapshots.newest(GROUP)?.meta
  const index = image?.lastIndex ?? 0
  const entry = image?.entryAt(index)
  if (entry !== null && entry !== undefined) return { index, term: entry.term }
  return { index: snapshot?.lastIncludedIndex ?? 0, term: snapshot?.lastIncludedTerm ?? 0 }
}
