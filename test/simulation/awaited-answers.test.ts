// Scripts that just await an answer: virtual time passes for them, and for nobody else.

import { describe, expect, test } from 'vitest'
import type { StateMachine } from '../../src/index.ts'
import { createSimulation } from '../../src/testing.ts'

async function groupLedByA() {
  const sim = await createSimulation({ seed: 1, nodes: ['A', 'B', 'C'] })
  const others = sim.hold({ kind: 'prevote', from: ['B', 'C'] })
  await sim.until(() => sim.leader() === 'A')
  others.end()
  return sim
}

describe('an answer that is awaited', () => {
  test('lets time pass where nothing else does, and no longer than it takes', async () => {
    const sim = await groupLedByA()
    const before = sim.nowMs
    const answers = await Promise.all([sim.client().put('x', '1'), sim.propose('A', ['put', 'x', '2'])])
    expect(answers.map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
    expect(sim.nowMs - before).toBeLessThan(100)
    const now = sim.nowMs
    await new Promise((resolve) => setImmediate(resolve))
    expect(sim.nowMs).toBe(now)
  })

  test('leaves time to who lets it pass', async () => {
    const sim = await groupLedByA()
    sim.isolate('A')
    const asked = sim.propose('A', ['put', 'x', '1'])
    const before = sim.nowMs
    await sim.run(10)
    expect(sim.nowMs - before).toBe(10)
    expect(await asked).toMatchObject({ outcome: 'unknown' })
  })

  test('rejects when an invariant breaks while it is awaited, and so does every later one', async () => {
    class Chance implements StateMachine {
      #value = 0
      apply(): number {
        this.#value = this.#value * 2 + (chance++ % 3)
        return this.#value
      }
      stateHash(): string {
        return String(this.#value)
      }
    }
    let chance = 0
    const sim = await createSimulation({ seed: 1, nodes: ['A', 'B', 'C'], stateMachine: () => new Chance() })
    await sim.until(() => sim.leader() !== null)
    const leader = sim.leader() ?? ''
    const ask = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) await sim.propose(leader, i)
    }
    await expect(ask()).rejects.toThrow('INV-7')
    await expect(sim.propose(leader, 9)).rejects.toThrow('INV-7')
  })
})
