// User code that throws wherever it is told something: everybody else hears everything all the same.

import { describe, expect, it } from 'vitest'
import { createSimulation } from '../../src/testing.ts'

describe('users that throw in hooks, listeners, inspectors and completions', () => {
  it('keep nobody from being told, through elections, failures and ends', async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const sim = await createSimulation({ seed, nodes: ['A', 'B', 'C'], rude: true })
      await sim.until(() => sim.leader() !== null)
      const first = sim.leader() ?? ''
      const answers = [1, 2, 3, 4].map((n) => sim.propose(first, ['put', 'k', String(n)]))
      const reads = [1, 2].map(() => sim.query(first, ['get', 'k']))
      for (const answer of await Promise.all([...answers, ...reads]))
        expect(answer).toMatchObject({ outcome: 'ok' })
      sim.isolate(first)
      const lost = [1, 2, 3].map((n) => sim.propose(first, ['put', 'k', String(n)]))
      for (const answer of await Promise.all(lost)) expect(answer).toMatchObject({ outcome: 'unknown' })
      sim.heal()
      await sim.until(() => sim.leader() !== null)
      await sim.close()
      sim.check()
    }
  })

  it('hear once how it ends, also when work and end come in one turn on a disk that has failed', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const sim = await createSimulation({ seed, nodes: ['A', 'B', 'C'], rude: seed % 2 === 0 })
      await sim.until(() => sim.leader() !== null)
      const leader = sim.leader() ?? ''
      sim.disk(leader).fail('log', 'always', 'write')
      const before = sim.propose(leader, ['put', 'k', '0'])
      await sim.run(seed % 3)
      const answers = [before, sim.propose(leader, ['put', 'k', '1']), sim.query(leader, ['get', 'k'])]
      const closed = sim.shutdown(leader)
      answers.push(sim.propose(leader, ['put', 'k', '2']))
      for (const { outcome } of await Promise.all(answers))
        expect(['ok', 'failed', 'unknown']).toContain(outcome)
      await closed
      // INV-17 and INV-24 have been asked when it ended: nobody was left without an answer, nothing was left behind.
      sim.check()
    }
  })
})
