// The hand-driven simulation itself, through `quorate/testing`: what a script may do, and what it gets to see.

import { describe, expect, test } from 'vitest'
import type { StateMachine } from '../../src/index.ts'
import { createSimulation, type InvariantViolation, type SimulationOptions } from '../../src/testing.ts'

async function groupOf(options: Partial<SimulationOptions> = {}) {
  const sim = await createSimulation({ seed: 1, nodes: ['A', 'B', 'C'], ...options })
  const elect = async (id: string): Promise<void> => {
    const others = sim.hold({ kind: 'prevote', from: sim.nodes.filter((node) => node !== id) })
    expect(await sim.until(() => sim.leader() === id)).toBe(true)
    others.drop()
    others.end()
  }
  await elect('A')
  await sim.run(1000)
  return sim
}

const lastIndexes = (sim: Awaited<ReturnType<typeof groupOf>>): number[] =>
  sim.nodes.map((id) => sim.node(id).status().lastIndex)

describe('status, durable, trace and history', () => {
  test('a member tells everything about itself', async () => {
    const sim = await groupOf()
    const configuration = { peers: ['A', 'B', 'C'], oldPeers: [] }
    expect(sim.node('B').status()).toMatchObject({
      role: 'follower',
      term: 2,
      votedFor: 'A',
      leader: 'A',
      lastIndex: 1,
      lastTerm: 2,
      durableIndex: 1,
      commitIndex: 1,
      appliedIndex: 1,
      configuration,
      stateHash: expect.stringMatching(/^[0-9a-f]+$/),
    })
  })

  test('durable shows what a power loss would leave', async () => {
    const sim = await groupOf()
    const held = sim.disk('A').holdSync('log')
    await sim.client().put('x', '1')
    expect(sim.node('A').status().lastIndex).toBe(2)
    expect(sim.durable('A')).toMatchObject({ term: 2, votedFor: 'A', snapshot: null })
    expect(sim.durable('A').entries.map(({ index }) => index)).toEqual([1])
    held.release()
    await sim.run(100)
    expect(sim.durable('A').entries.map(({ index, term }) => [index, term])).toEqual([
      [1, 2],
      [2, 2],
    ])
  })

  test('the trace ends with what happened last', async () => {
    const sim = await groupOf()
    sim.crash('B')
    expect(sim.trace(1)).toEqual([expect.stringMatching(/^ +\d+\.\d{3} B +crash$/)])
  })

  test('clients and direct calls are in one history, with their outcomes', async () => {
    const sim = await groupOf()
    const client = sim.client('me')
    expect(await client.put('x', '1')).toEqual({ outcome: 'ok', result: true })
    expect(await client.append('x', '2')).toEqual({ outcome: 'ok', result: 2 })
    expect(await client.cas('x', '1', '3')).toEqual({ outcome: 'ok', result: false })
    expect(await client.get('x')).toEqual({ outcome: 'ok', result: '12' })
    expect(await sim.propose('A', ['put', 'x', '4'])).toMatchObject({ outcome: 'ok', index: 5 })
    expect(await sim.query('B', ['get', 'x'])).toEqual({ outcome: 'ok', answer: '4' })
    expect(
      sim.history.operations.map(({ command, outcome, result }) => [command.op, outcome, result]),
    ).toEqual([
      ['put', 'ok', true],
      ['append', 'ok', 2],
      ['cas', 'ok', false],
      ['get', 'ok', '12'],
      ['put', 'ok', true],
      ['get', 'ok', '4'],
    ])
    sim.check()
  })

  test('a group without a majority: unknown where the command may be in a log, failed where it is in none', async () => {
    const sim = await groupOf()
    sim.isolate('A')
    expect(await sim.settled(sim.propose('A', ['put', 'x', '1']))).toMatchObject({
      outcome: 'unknown',
      error: { code: 'LEADERSHIP_LOST' },
    })
    expect(await sim.settled(sim.propose('A', ['put', 'x', '2']))).toMatchObject({
      outcome: 'failed',
      error: { outcome: 'not-applied' },
    })
  })

  test('a member that dies leaves its callers without a word', async () => {
    const sim = await groupOf()
    const asked = sim.propose('A', ['put', 'x', '1'])
    sim.crash('A')
    expect(await asked).toEqual({ outcome: 'unknown', error: null })
    expect(await sim.settled(sim.propose('A', ['put', 'x', '1']))).toEqual({ outcome: 'failed', error: null })
  })
})

describe('hold', () => {
  test('catches, releases some, releases the rest and ends', async () => {
    const sim = await groupOf()
    const hold = sim.hold({ kind: 'append', from: 'A' })
    const asked = sim.propose('A', ['put', 'x', '1'])
    await sim.run(50)
    expect(hold.messages.map(({ kind, from }) => `${kind} ${from}`)).toEqual(['append A', 'append A'])
    const first = hold.messages[0]?.to ?? ''
    hold.release(1)
    expect(await asked).toMatchObject({ outcome: 'ok' })
    expect(hold.messages).toHaveLength(1)
    expect(sim.node(first).status().lastIndex).toBe(2)
    hold.release()
    await sim.run(50)
    expect(lastIndexes(sim)).toEqual([2, 2, 2])
    await sim.settled(sim.propose('A', ['put', 'x', '2']))
    expect(hold.messages).toEqual([])
  })

  test('drops for good, and repeats what it has caught', async () => {
    const sim = await groupOf()
    const hold = sim.hold({ kind: 'append', from: 'A', to: 'B' })
    void sim.propose('A', ['put', 'x', '1'])
    await sim.run(50)
    hold.drop()
    expect(hold.messages).toEqual([])
    await sim.run(50)
    expect(lastIndexes(sim)).toEqual([2, 1, 2])
    hold.replay(0)
    await sim.run(50)
    expect(lastIndexes(sim)).toEqual([2, 2, 2])
    expect(() => hold.replay(7)).toThrow('Nothing to replay: message 7 of 1 caught.')
  })

  test('knows answers from requests', async () => {
    const sim = await groupOf()
    const acks = sim.hold({ kind: 'appendAck', to: 'A' })
    const asked = sim.propose('A', ['put', 'x', '1'])
    await sim.run(50)
    expect(lastIndexes(sim)).toEqual([2, 2, 2])
    expect(sim.node('A').status().commitIndex).toBe(1)
    acks.release()
    expect(await asked).toMatchObject({ outcome: 'ok' })
  })
})

describe('links', () => {
  test('oneway lets this direction pass, also where it was cut', async () => {
    const sim = await groupOf()
    sim.cut('A', 'B')
    sim.oneway('A', 'B')
    await sim.settled(sim.propose('A', ['put', 'x', '1']))
    await sim.run(50)
    expect(lastIndexes(sim)).toEqual([2, 2, 2])
    expect(
      sim.trace().filter((line) => line.includes('lost append') && line.includes('reason=blocked')),
    ).not.toEqual([])
    const progress = sim
      .node('A')
      .status()
      .replicators.find(({ peer }) => peer === 'B')
    expect(progress?.matchIndex).toBe(1)
  })

  test('heal ends every cut', async () => {
    const sim = await groupOf()
    sim.isolate('B')
    await sim.settled(sim.propose('A', ['put', 'x', '1']))
    expect(sim.node('B').status().lastIndex).toBe(1)
    sim.heal()
    expect(await sim.until(() => sim.node('B').status().appliedIndex === 2)).toBe(true)
  })
})

describe('pause and resume', () => {
  test('nothing happens to who is paused, and everything that waited comes after', async () => {
    const sim = await groupOf()
    sim.pause('C')
    expect(sim.node('C').paused).toBe(true)
    const before = sim.node('C').status()
    for (const value of ['1', '2', '3']) await sim.settled(sim.propose('A', ['append', 'x', value]))
    const late = sim.query('C', ['get', 'x'])
    expect(sim.node('C').status()).toMatchObject({ lastIndex: before.lastIndex, term: before.term })
    sim.resume('C')
    expect(await sim.settled(late)).toEqual({ outcome: 'ok', answer: '123' })
    sim.check()
  })

  test('what comes from one sender keeps its order for a paused member, whatever the seed', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const sim = await groupOf({ seed })
      sim.pause('B')
      for (const value of ['1', '2', '3', '4']) await sim.settled(sim.propose('A', ['append', 'x', value]))
      sim.resume('B')
      await sim.run(20)
      const refused = sim.trace().filter((line) => / B +send appendAck .*success=false/.test(line))
      expect(refused).toEqual([])
      expect(sim.node('B').status().lastIndex).toBe(5)
    }
  })
})

/** Adds numbers, and answers after a few promises. */
class SlowCounter implements StateMachine<number, number, 'total', number> {
  #total = 0
  async apply(add: number): Promise<number> {
    await Promise.resolve()
    this.#total += add
    await Promise.resolve()
    return this.#total
  }
  async read(): Promise<number> {
    return this.#total
  }
  stateHash(): string {
    return String(this.#total)
  }
}

describe('a machine of one’s own', () => {
  test('may answer later, and runs the same way twice', async () => {
    const runOnce = async () => {
      const sim = await groupOf({ stateMachine: () => new SlowCounter() })
      for (let i = 1; i <= 10; i++)
        expect(await sim.settled(sim.propose('A', i))).toMatchObject({
          outcome: 'ok',
          result: (i * (i + 1)) / 2,
        })
      expect(await sim.settled(sim.query('C', 'total'))).toEqual({ outcome: 'ok', answer: 55 })
      sim.crash('C')
      sim.restart('C')
      await sim.run(5000)
      sim.check()
      await sim.close()
      return sim.traceHash
    }
    expect(await runOnce()).toBe(await runOnce())
  })

  test('is not let on while its process is paused', async () => {
    const sim = await groupOf({ stateMachine: () => new SlowCounter() })
    const asked = sim.propose('A', 1)
    await sim.until(() => sim.trace(5).some((line) => / A +apply /.test(line)))
    sim.pause('A')
    await sim.run(500)
    expect(sim.node('A').status().appliedIndex).toBe(1)
    sim.resume('A')
    expect(await asked).toMatchObject({ outcome: 'ok', result: 1 })
  })

  test('has no clients', async () => {
    const sim = await groupOf({ stateMachine: () => new SlowCounter() })
    expect(() => sim.client()).toThrow('use propose()')
  })

  test('that throws ends the run, naming the index; or its member, when that is wanted', async () => {
    class Picky extends SlowCounter {
      override async apply(add: number): Promise<number> {
        if (add === 7) throw new Error('not seven')
        return super.apply(add)
      }
    }
    const strict = await groupOf({ stateMachine: () => new Picky() })
    await strict.settled(strict.propose('A', 1))
    await expect(strict.settled(strict.propose('A', 7))).rejects.toThrow('failed at index 3: not seven')
    const lenient = await groupOf({ stateMachine: () => new Picky(), machineErrors: 'allow' })
    expect(await lenient.settled(lenient.propose('A', 7))).toMatchObject({
      outcome: 'unknown',
      error: { code: 'STATE_MACHINE' },
    })
    expect(lenient.node('A').status()).toMatchObject({ role: 'error', appliedIndex: 1 })
  })
})

describe('a machine that is not deterministic', () => {
  /** From the fifth command on, B goes its own way: every life of a machine here knows which one it is. */
  function divergent(at: number) {
    let made = 0
    return () => {
      const isOdd = ++made === 2
      let commands = 0
      let total = 0
      return {
        apply(add: number) {
          commands++
          total += isOdd && commands === at ? add + 1 : add
          return total
        },
        stateHash: () => String(total),
      }
    }
  }

  test.each([1, 5])('is found at the entry where members begin to differ: command %i', async (at) => {
    const sim = await groupOf({ stateMachine: divergent(at) })
    const apply = async (): Promise<void> => {
      // All of them in one batch: only a comparison entry by entry finds the first.
      await sim.settled(Promise.all(Array.from({ length: 10 }, () => sim.propose('A', 1))))
      await sim.run(2000)
    }
    const error = await apply().then(
      () => null,
      (caught: InvariantViolation) => caught,
    )
    expect(error).toMatchObject({ invariant: 'INV-7', evidence: { index: at + 1 } })
    expect(error?.message).toMatch(
      new RegExp(`after entry ${at + 1} of term 2 its state differs between members`),
    )
    expect(error?.message).toMatch(new RegExp(`B: ${at + 1}\\b`))
    expect(() => sim.check()).toThrow('INV-7')
  })

  test('also when it differs from its own former life', async () => {
    let lives = 0
    const sim = await createSimulation({
      seed: 1,
      nodes: ['A'],
      stateMachine: () => {
        const life = ++lives
        return { apply: () => null, stateHash: () => `made by life ${life}` }
      },
    })
    await sim.until(() => sim.leader() === 'A')
    await sim.settled(sim.propose('A', 'anything'))
    sim.crash('A')
    sim.restart('A')
    await expect(sim.run(5000)).rejects.toThrow(
      /after entry 2 .*A: made by life 1; A \(start 2\): made by life 2/,
    )
  })

  test('is not noticed without stateHash', async () => {
    const sim = await groupOf({ stateMachine: () => ({ apply: () => Math.random() }) })
    await sim.settled(sim.propose('A', 1))
    await sim.run(1000)
    expect(sim.node('A').status().stateHash).toBe(null)
    sim.check()
  })
})

describe('the end', () => {
  test('close lets go of timers, subscriptions and callers on every member', async () => {
    const sim = await groupOf()
    const asked = [1, 2, 3].map((value) => sim.propose('A', ['put', 'x', String(value)]))
    await sim.run(0.1)
    await sim.close()
    for (const id of sim.nodes) expect(sim.node(id).alive).toBe(false)
    for (const answer of await sim.settled(Promise.all(asked))) expect(answer.outcome).not.toBe('failed')
    expect(await sim.until(() => false, 600_000)).toBe(false)
  })

  test('shutdown ends one member, and another one takes over', async () => {
    const sim = await groupOf()
    await sim.shutdown('A')
    expect(sim.node('A').alive).toBe(false)
    expect(await sim.until(() => sim.leader() !== null, 500)).toBe(true)
    sim.restart('A')
    await sim.run(2000)
    expect(sim.node('A').status().leader).toBe(sim.leader())
    await sim.close()
  })

  test('a member whose disk never answers is named', async () => {
    const sim = await groupOf()
    sim.disk('B').stall()
    void sim.propose('A', ['put', 'x', '1'])
    await sim.run(100)
    await expect(sim.close()).rejects.toThrow('B did not end within 10 minutes of virtual time.')
  })

  test('settled gives up by virtual time', async () => {
    const sim = await groupOf()
    await expect(sim.settled(new Promise(() => {}), 1000)).rejects.toThrow('within 1000 ms')
  })
})
