// State machines that take their time: whoever leads goes on leading, and who only reads is not kept waiting.

import { describe, expect, it } from 'vitest'
import { createSimulation, type Simulation, type SimulationOptions } from '../../src/testing.ts'

async function groupOf(options: Partial<SimulationOptions>): Promise<{ sim: Simulation; leader: string }> {
  const sim = await createSimulation({ seed: 1, nodes: ['A', 'B', 'C'], ...options })
  await sim.until(() => sim.leader() !== null)
  await sim.run(1000)
  return { sim, leader: sim.leader() ?? '' }
}

const constant = (ms: number) => ({ shape: 'constant', ms }) as const

describe('a machine that holds the loop', () => {
  it('for 1 ms per command deposes nobody, whatever is written at once', async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const { sim, leader } = await groupOf({ seed, machinePace: { cost: constant(1) } })
      const { term } = sim.node(leader).status()
      const answers = Array.from({ length: 3000 }, (_, n) =>
        sim.propose(leader, ['put', 'k', String(n)], 60_000),
      )
      const asked = sim.nowMs
      const read = sim.query(leader, ['get', 'k'], 'local').then(() => sim.nowMs - asked)
      const outcomes = (await Promise.all(answers)).map(({ outcome }) => outcome)
      expect(new Set(outcomes)).toEqual(new Set(['ok']))
      expect(await read).toBeLessThan(100)
      expect([sim.leader(), sim.node(leader).status().term]).toEqual([leader, term])
      await sim.run(5000)
      sim.check()
    }
  })

  it('deposes nobody when members that come back apply all of it at once', async () => {
    const { sim, leader } = await groupOf({ machinePace: { cost: constant(0.5) } })
    const back = sim.nodes.find((id) => id !== leader) ?? ''
    sim.crash(back)
    for (let n = 0; n < 2000; n++) void sim.propose(leader, ['put', 'k', String(n)], 60_000)
    await sim.run(5000)
    const { term } = sim.node(leader).status()
    sim.restart(back)
    await sim.until(() => sim.node(back).status().appliedIndex === sim.node(leader).status().appliedIndex)
    expect([sim.leader(), sim.node(leader).status().term]).toEqual([leader, term])
    sim.check()
  })
})

describe('a machine that answers later', () => {
  it('keeps no reader waiting behind the commands of others', async () => {
    const { sim, leader } = await groupOf({ machinePace: { delay: constant(2) } })
    for (let n = 0; n < 1000; n++) void sim.propose(leader, ['put', 'k', String(n)], 60_000)
    await sim.run(20)
    const asked = sim.nowMs
    expect(await sim.query(leader, ['get', 'k'], 'local')).toMatchObject({ outcome: 'ok' })
    expect(sim.nowMs - asked).toBeLessThan(50)
    await sim.run(10_000)
    sim.check()
  })

  it('and sees no half of a change while it reads', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { sim, leader } = await groupOf({
        seed,
        machinePace: { delay: { shape: 'uniform', minMs: 0, maxMs: 5 } },
      })
      const reads = []
      for (let n = 0; n < 100; n++) {
        void sim.propose(leader, ['put', 'k', String(n)], 60_000)
        reads.push(sim.query(leader, ['get', 'k'], 'local'))
        await sim.run(3)
      }
      for (const read of await Promise.all(reads)) expect(JSON.stringify(read)).not.toContain('torn')
      sim.check()
    }
  })

  it('or not for ten seconds costs no office', async () => {
    const { sim, leader } = await groupOf({ machinePace: { hangRate: 1, hangMs: 10_000 } })
    const { term } = sim.node(leader).status()
    const answer = sim.propose(leader, ['put', 'k', '1'], 60_000)
    await sim.run(9000)
    expect([sim.leader(), sim.node(leader).status().term]).toEqual([leader, term])
    expect(await answer).toMatchObject({ outcome: 'ok' })
    sim.check()
  })
})

describe('a leader that stands still for 1.2 s while its followers wait for 2 s', () => {
  it('reads its mail before it judges anybody silent, and stays in office', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const { sim, leader } = await groupOf({
        seed,
        options: { electionTimeoutMs: 1000, maxClockDriftMs: 1000, leaderLease: seed % 2 === 0 },
      })
      const { term } = sim.node(leader).status()
      const answers = [1, 2, 3].map((n) => sim.propose(leader, ['put', 'k', String(n)], 60_000))
      sim.pause(leader)
      await sim.run(1200)
      sim.resume(leader)
      for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ outcome: 'ok' })
      await sim.run(3000)
      expect([sim.leader(), sim.node(leader).status().term]).toEqual([leader, term])
      sim.check()
    }
  })
})
