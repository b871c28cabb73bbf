// An operator with unquiet hands: moves leadership while everything else goes on, to whoever comes to his mind, and asks for
// elections and for other timeouts.

import type { Random } from '../../runtime/random.ts'
import { InvariantViolation } from '../invariants/invariants.ts'
import type { Simulation } from '../simulation.ts'
import { EventKind } from '../time/scheduler.ts'
import { chance, drawLatencyMs, exponential, pick } from '../time/sim-random.ts'
import type { Profile } from './profiles.ts'

const SHARES: Readonly<Record<Profile, number>> = {
  ...{ swarm: 0.3, membership: 0.8, unsurvivable: 0.3 },
  ...{ network: 0, disk: 0, clock: 0, groups: 0.3 },
}

/** How often leadership is moved; null: never. A stream of its own, so that what else a seed stands for stays as it was. */
export function drawTransfers(random: Random, profile: Profile, electionTimeoutMs: number): number | null {
  return chance(random, SHARES[profile]) ? electionTimeoutMs * pick(random, [1, 3, 10, 30]) : null
}

/** How often a member is made read-only, or that is ended; null: never. */
export function drawReadonly(random: Random, profile: Profile, electionTimeoutMs: number): number | null {
  return chance(random, SHARES[profile] / 2) ? electionTimeoutMs * pick(random, [1, 5, 20]) : null
}

const ELECTION_SHARES: Readonly<Record<Profile, number>> = {
  ...{ swarm: 0.15, membership: 0.5, unsurvivable: 0.15 },
  ...{ network: 0, disk: 0, clock: 0, groups: 0.15 },
}

/** How often somebody asks for an election, or for another timeout; null: never. */
export function drawElections(random: Random, profile: Profile, electionTimeoutMs: number): number | null {
  return chance(random, ELECTION_SHARES[profile]) ? electionTimeoutMs * pick(random, [2, 5, 20]) : null
}

/** Never longer than what was configured: a longer one takes from the bound on clocks what the drawn clocks need. */
const TIMEOUT_SHARES = [0.3, 0.5, 0.8, 1]

/** How often an operator asks for a transfer before it counts as one that does not work. */
const TRANSFER_ATTEMPTS = 3

export class Operator {
  readonly #sim: Simulation
  readonly #random: Random
  #stopped = false

  constructor(sim: Simulation, random: Random) {
    this.#sim = sim
    this.#random = random
  }

  /** Asks whoever leads, or anybody, for a transfer to anybody or to the best. */
  moveLeadership(everyMs: number): void {
    const { scheduler, nodes } = this.#sim
    const random = this.#random
    const next = (): void => {
      if (this.#stopped) return
      const asked = chance(random, 0.8) ? (this.#sim.leader() ?? pick(random, nodes)) : pick(random, nodes)
      this.#sim.askForTransfer(asked, chance(random, 0.2) ? null : pick(random, nodes), () => {})
      scheduler.schedule(drawLatencyMs(random, exponential(everyMs)), EventKind.OTHER, next)
    }
    scheduler.schedule(drawLatencyMs(random, exponential(everyMs)), EventKind.OTHER, next)
  }

  /** Makes members read-only, one or several at a time, and ends that again. */
  forbidWrites(random: Random, everyMs: number): void {
    const { scheduler, nodes } = this.#sim
    const next = (): void => {
      if (this.#stopped) return
      this.#sim.setReadonly(pick(random, nodes), chance(random, 0.4))
      scheduler.schedule(drawLatencyMs(random, exponential(everyMs)), EventKind.OTHER, next)
    }
    scheduler.schedule(drawLatencyMs(random, exponential(everyMs)), EventKind.OTHER, next)
  }

  /** Asks anybody to stand for election, mostly with another timeout, which stays; or sets only that. */
  askForElections(everyMs: number): void {
    const sim = this.#sim
    const random = this.#random
    const { electionTimeoutMs } = sim.tuning
    const next = (): void => {
      if (this.#stopped) return
      const asked = pick(random, sim.nodes)
      const timeoutMs = Math.max(10, Math.floor(electionTimeoutMs * pick(random, TIMEOUT_SHARES)))
      const kind = pick(random, ['vote', 'vote now', 'timeout'] as const)
      sim.note('operator', kind, { asked, timeoutMs })
      if (kind === 'timeout') sim.resetElectionTimeout(asked, { electionTimeoutMs: timeoutMs })
      else sim.askForVote(asked, kind === 'vote' ? undefined : timeoutMs)
      sim.scheduler.schedule(drawLatencyMs(random, exponential(everyMs)), EventKind.OTHER, next)
    }
    sim.scheduler.schedule(drawLatencyMs(random, exponential(everyMs)), EventKind.OTHER, next)
  }

  stop(): void {
    this.#stopped = true
    for (const node of this.#sim.nodes) this.#sim.setReadonly(node, false)
  }

  /** Everybody waits as long again as was configured. */
  calm(): void {
    const { nodes, tuning } = this.#sim
    const { electionTimeoutMs } = tuning
    for (const node of nodes) this.#sim.resetElectionTimeout(node, { electionTimeoutMs })
  }

  /** L2: in a calm core leadership moves to a member that is up to date, unless its disk is slow at every attempt. */
  async checkTransfer(core: readonly string[]): Promise<void> {
    const sim = this.#sim
    const leader = sim.leader()
    if (leader === null) return
    const { replicators, oldPeers, peers, witnesses, commitIndex, priorities } = sim.node(leader).status()
    // Where somebody is preferred it would come back.
    if (Object.keys(priorities).length > 0) return
    const fit = replicators.filter(
      ({ peer, counts, matchIndex, state }) =>
        core.includes(peer) &&
        peers.includes(peer) &&
        !witnesses.includes(peer) &&
        counts &&
        matchIndex >= commitIndex &&
        state !== 'installingSnapshot',
    )
    if (oldPeers.length > 0 || fit.length === 0) return
    const target = pick(this.#random, fit).peer
    let why = ''
    for (let attempt = 0; attempt < TRANSFER_ATTEMPTS; attempt++) {
      why = await this.#moveTo(target)
      if (why === '') return sim.run(2 * sim.tuning.electionTimeoutMs)
    }
    throw new InvariantViolation(
      'INV-0',
      `L2: leadership did not move from ${leader} to ${target} in a calm core ${core.join(',')}, asked ${TRANSFER_ATTEMPTS} times: ${why}.`,
    )
  }

  /**
   * Why the target does not lead two election timeouts after it was asked for; nothing when it does. A transfer ends
   * after one election timeout whatever becomes of it, and a disk may need that long for the last entries and
   * the vote; the candidate it made goes on all the same.
   */
  async #moveTo(target: string): Promise<string> {
    const sim = this.#sim
    const patienceMs = 2 * sim.tuning.electionTimeoutMs
    const leads = (): boolean => sim.leader() === target
    const from = sim.leader()
    const answer = from === null ? null : await sim.transfer(from, target, patienceMs)
    if (leads() || (await sim.until(leads, patienceMs))) return ''
    if (answer === null) return 'nobody led'
    if (answer.outcome === 'ok') return `${answer.leader} leads`
    return answer.error?.message ?? 'nobody said anything'
  }
}
