// The copy on the leader in simulated groups: whatever is done to leaders, no step of an older copy comes after one of a
// newer one, by the one clock of the simulation.

import { describe, expect, it } from 'vitest'
import { NodeFacade } from '../../src/host/raft-node.ts'
import type { Random } from '../../src/runtime/random.ts'
import { createSimulation, type Simulation } from '../../src/simulation/simulation.ts'
import { pick, streamOf } from '../../src/simulation/time/sim-random.ts'
import { compareTokens, type FencingToken, runAsLeader } from '../../src/xstate.ts'
import { worker } from './copies.ts'

const OPTIONS = {
  ...{ leaderLease: true, electionTimeoutMs: 200, maxClockDriftMs: 20, maxElectionDelayMs: 20 },
  electionHeartbeatFactor: 10,
}
const NODES = ['A', 'B', 'C'] as const

interface Step {
  readonly id: string
  readonly token: FencingToken
  readonly atMs: number
}

/** A group whose members all employ one worker, in every life they begin. */
class Employers {
  readonly sim: Simulation
  readonly steps: Step[] = []
  readonly #lives = new Map<string, number>()
  readonly #exclusion: 'lease' | 'usual'

  constructor(sim: Simulation, exclusion: 'lease' | 'usual') {
    this.sim = sim
    this.#exclusion = exclusion
    this.employ()
  }

  employ(): void {
    for (const [id, member] of this.sim.members) {
      if (!member.alive || this.#lives.get(id) === member.life) continue
      this.#lives.set(id, member.life)
      const { node } = member
      if (node === null) continue
      const step = (token: FencingToken): void => {
        this.steps.push({ id, token, atMs: this.sim.nowMs })
      }
      member.enter(() => {
        runAsLeader(new NodeFacade(node, (_, done) => done()), worker, {
          exclusion: this.#exclusion,
          input: (leadership) => ({ ...leadership, work: { everyMs: 4, step } }),
        })
      })
    }
  }

  restart(id: string): void {
    this.sim.restart(id)
    this.employ()
  }

  /** Waits for steps under a newer token than all before; of another member than `not`. */
  async next(not = ''): Promise<Step> {
    const seen = this.steps.length
    const found = () => this.steps.slice(seen).find(({ id }) => id !== not)
    await this.sim.until(() => found() !== undefined)
    const step = found()
    if (step === undefined) throw new Error('Nobody works.')
    return step
  }

  check(): number {
    const late = this.steps.filter((step, at) => {
      const before = this.steps[at - 1]
      return before !== undefined && compareTokens(step.token, before.token) < 0
    })
    expect(late).toEqual([])
    return new Set(this.steps.map(({ token }) => `${token.term} ${token.index} ${token.run}`)).size
  }
}

async function employers(seed: number, exclusion: 'lease' | 'usual' = 'lease'): Promise<Employers> {
  const clockRates = { A: 1.02, B: 0.98, C: 1 }
  const options = { ...OPTIONS, leaderLease: exclusion === 'lease' }
  return new Employers(await createSimulation({ seed, nodes: NODES, options, clockRates }), exclusion)
}

describe('the copy on the leader', () => {
  it.each([1, 2])('has ended on a leader that is cut off before another begins (seed %i)', async (seed) => {
    const group = await employers(seed)
    const { sim } = group
    for (let round = 0; round < 3; round++) {
      const { id } = await group.next()
      sim.isolate(id)
      const other = await group.next(id)
      const last = group.steps.findLast((step) => step.id === id)
      expect(other.atMs - (last?.atMs ?? 0), 'the old copy ends some time before').toBeGreaterThan(
        OPTIONS.maxClockDriftMs,
      )
      sim.heal()
    }
    expect(group.check()).toBeGreaterThan(3)
    await sim.close()
  })

  it.each([1, 2])('takes no step when its process wakes up too late (seed %i)', async (seed) => {
    const group = await employers(seed)
    const { sim } = group
    const { id } = await group.next()
    sim.pause(id)
    await group.next(id)
    const taken = group.steps.filter((step) => step.id === id).length
    sim.resume(id)
    await sim.run(500)
    expect(group.steps.filter((step) => step.id === id)).toHaveLength(taken)
    group.check()
    await sim.close()
  })

  it.each([1, 2, 3])('is never two, whatever is done to leaders (seed %i)', async (seed) => {
    const group = await employers(seed)
    const { sim } = group
    const random = streamOf(seed, 'chaos')
    for (let i = 0; i < 60; i++) {
      disturb(group, random)
      await sim.run(60)
    }
    sim.heal()
    for (const id of NODES) {
      sim.resume(id)
      group.restart(id)
    }
    await group.next()
    expect(group.check()).toBeGreaterThan(3)
    sim.check()
    await sim.close()
  })

  // The bus tells the others at once that nobody listens, and they elect another leader while this one believes in its own
  // time, and its connection.
  it.each([1, 2, 3])(
    'without leases: has ended on a leader that lost the bus before another begins (seed %i)',
    async (seed) => {
      const group = await employers(seed, 'usual')
      const { sim } = group
      for (let round = 0; round < 3; round++) {
        const { id, token } = await group.next()
        sim.disconnect(id, 10_000)
        await sim.until(() => NODES.some((one) => one !== id && sim.node(one).status().role === 'leader'))
        expect(sim.nowMs - (group.steps.at(-1)?.atMs ?? 0), 'elected while the old copy runs').toBeLessThan(
          20,
        )
        const other = await group.next(id)
        const last = group.steps.findLast((step) => step.id === id)
        expect(compareTokens(token, other.token)).toBeLessThan(0)
        expect(other.atMs - (last?.atMs ?? 0), 'the old copy ends before').toBeGreaterThan(0)
        sim.reconnect(id)
        await sim.until(() => sim.leader() !== null)
      }
      expect(group.check()).toBeGreaterThan(3)
      await sim.close()
    },
  )

  it('without leases: goes on at once with the member that leadership was handed to', async () => {
    const group = await employers(4, 'usual')
    const { sim } = group
    const { id } = await group.next()
    const heir = NODES.find((other) => other !== id) ?? ''
    const before = sim.nowMs
    await sim.transfer(id, heir)
    const other = await group.next(id)
    expect(other.atMs - before).toBeLessThan(OPTIONS.electionTimeoutMs)
    expect(group.check()).toBeGreaterThan(1)
    await sim.close()
  })
})

/** Mostly to whoever leads. */
function disturb(group: Employers, random: Random): void {
  const { sim } = group
  const leader = sim.leader() ?? pick(random, NODES)
  const down = NODES.filter((id) => !sim.node(id).alive)
  const paused = NODES.filter((id) => sim.node(id).paused)
  switch (pick(random, ['crash', 'cut', 'heal', 'pause', 'resume', 'transfer', 'vote', 'restart'] as const)) {
    case 'crash':
      return down.length === 0 ? sim.crash(leader) : undefined
    case 'restart':
      for (const id of down) group.restart(id)
      return
    case 'cut':
      return sim.isolate(leader)
    case 'heal':
      return sim.heal()
    case 'pause':
      return paused.length === 0 ? sim.pause(leader) : undefined
    case 'resume':
      for (const id of paused) sim.resume(id)
      return
    case 'transfer':
      return sim.askForTransfer(leader, null, () => {})
    case 'vote':
      return sim.askForVote(pick(random, NODES), 50)
  }
}
