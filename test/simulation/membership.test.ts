// Members that come and go in a simulated group: by hand, and as an operator of a campaign wishes it.

import { describe, expect, it } from 'vitest'
import { drawWish } from '../../src/simulation/campaign/member-changes.ts'
import { drawSwarm, type Profile } from '../../src/simulation/campaign/swarm.ts'
import { createSimulation, type Simulation } from '../../src/simulation/simulation.ts'
import { streamOf } from '../../src/simulation/time/sim-random.ts'

const set = (...ids: string[]) => ({ kind: 'set', members: ids.map((id) => ({ id })) }) as const

async function led(sim: Simulation): Promise<string> {
  await sim.until(() => sim.leader() !== null)
  return sim.leader() ?? ''
}

describe('a simulated group', () => {
  it('goes to other hosts altogether, and keeps what it knows', async () => {
    const sim = await createSimulation({ seed: 1, nodes: ['A', 'B', 'C'], joiners: ['D', 'E', 'F'] })
    const client = sim.client()
    await led(sim)
    await client.put('color', 'blue')
    expect(sim.node('D').status()).toMatchObject({ peers: [], membership: 'waiting' })
    const answer = await sim.change(await led(sim), set('D', 'E', 'F'))
    expect(answer).toMatchObject({ outcome: 'ok', configuration: { peers: ['D', 'E', 'F'], oldPeers: [] } })
    for (const gone of ['A', 'B', 'C']) sim.crash(gone)
    expect(['D', 'E', 'F']).toContain(await led(sim))
    expect(await client.get('color')).toMatchObject({ outcome: 'ok', result: 'blue' })
    sim.check()
    await sim.close()
  })

  it('tells a caller whose leader dies in the middle that it does not know, and finishes what was begun', async () => {
    const sim = await createSimulation({ seed: 2, nodes: ['A', 'B', 'C'], joiners: ['D', 'E'] })
    const leader = await led(sim)
    const others = ['A', 'B', 'C'].filter((id) => id !== leader)
    const asked = sim.change(leader, set(...others, 'D', 'E'))
    await sim.until(() => others.some((id) => sim.node(id).status().oldPeers.length > 0))
    sim.crash(leader)
    expect(await asked).toMatchObject({ outcome: 'unknown' })
    const isDone = (id: string) => sim.node(id).status().peers.join() === [...others, 'D', 'E'].join()
    await sim.until(() => others.every((id) => isDone(id) && sim.node(id).status().oldPeers.length === 0))
    await sim.until(() =>
      others.some((id) => sim.node(id).status().role === 'leader' && sim.node(id).status().change === null),
    )
    expect(sim.node(await led(sim)).status()).toMatchObject({ oldPeers: [], change: null })
    sim.check()
    await sim.close()
  })
})

describe('a simulated group that has lost its majority for good', () => {
  it('goes on with those whom an operator names, with everything that was acknowledged', async () => {
    const sim = await createSimulation({ seed: 4, nodes: ['A', 'B', 'C'] })
    const client = sim.client()
    await led(sim)
    await client.put('color', 'blue')
    await sim.until(() => sim.nodes.every((id) => sim.node(id).status().appliedIndex >= 2))
    for (const lost of ['A', 'B']) sim.crash(lost)
    expect(await sim.resetPeers('C', ['A'])).toMatchObject({ outcome: 'failed', error: { code: 'INVALID' } })
    const answer = await sim.resetPeers('C', ['C'])
    expect(answer).toMatchObject({ outcome: 'ok', configuration: { peers: ['C'], oldPeers: [] } })
    expect(await client.get('color')).toMatchObject({ outcome: 'ok', result: 'blue' })
    sim.crash('C')
    sim.restart('C')
    expect(await led(sim)).toBe('C')
    expect(await client.get('color')).toMatchObject({ outcome: 'ok', result: 'blue' })
    sim.check()
    await sim.close()
  })

  it('ends so in some seeds of membership and of the swarm, and nowhere else', () => {
    const share = (profile: Profile) =>
      Array.from({ length: 100 }, (_, seed) => drawSwarm({ seed, profile })).filter(
        ({ disaster }) => disaster,
      ).length
    expect(share('membership')).toBeGreaterThan(15)
    expect(share('swarm')).toBeGreaterThan(3)
    for (const profile of ['network', 'disk', 'clock', 'unsurvivable'] as const)
      expect(share(profile)).toBe(0)
  })
})

describe('an operator', () => {
  it('wishes everything, and never that those whose disks may die are a majority', () => {
    const random = streamOf(1, 'wishes')
    const hosts = { all: ['A', 'B', 'C', 'D', 'E'], victims: ['A'], witnesses: ['E'] }
    const kinds = new Set<string>()
    for (let i = 0; i < 2000; i++) {
      const drawn = drawWish(random, { peers: ['A', 'B', 'C'], learners: ['D'] }, hosts)
      if (drawn === null) continue
      expect(drawn.expect).toEqual(['A', 'B', 'C', 'D'])
      kinds.add(drawn.wish.kind)
      const { wish } = drawn
      const wished = wish.kind === 'set' ? wish.members : wish.kind === 'add' ? [wish.member] : []
      for (const { id, role } of wished) expect(role === 'witness').toBe(id === 'E')
      if (drawn.wish.kind !== 'set') continue
      const voters = drawn.wish.members.filter(({ role }) => role !== 'learner').map(({ id }) => id)
      expect(voters.includes('A') ? voters.length : 3).toBeGreaterThan(2)
    }
    expect([...kinds].sort()).toEqual(['add', 'demote', 'prioritize', 'promote', 'remove', 'set'])
  })
})
