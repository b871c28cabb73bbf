// State machines that write on everything they get and give, and keep it: the log, its disks and the answers stay as
// they were.

import { describe, expect, it } from 'vitest'
import { Scribbler } from '../../src/simulation/scribbler.ts'
import { createSimulation } from '../../src/testing.ts'

describe('a scribbler', () => {
  it('writes on byte strings, lists and objects, however deep, and again later', () => {
    const given = { bytes: Uint8Array.of(1, 2), list: [1, [2]], text: 'a' }
    const scribbler = new Scribbler()
    scribbler.scribbleOn(given)
    expect(given).toEqual({ bytes: Uint8Array.of(42, 42), list: ['scribbled', 1], text: 'scribbled' })
    given.bytes.fill(0)
    scribbler.scribbleOn()
    expect(given.bytes).toEqual(Uint8Array.of(42, 42))
  })

  it('leaves what it gives away alone until the next call, and what is frozen for good', () => {
    const scribbler = new Scribbler()
    const given = [1, 2]
    const frozen = Object.freeze([1, 2])
    scribbler.keep(given)
    scribbler.keep(frozen)
    expect(given).toEqual([1, 2])
    scribbler.scribbleOn()
    expect(given).toEqual(['scribbled', 1])
    expect(frozen).toEqual([1, 2])
  })
})

/** Collects byte strings, and gives out its own insides. */
class Collector {
  readonly #seen: number[] = []
  apply(command: unknown): { readonly seen: readonly number[] } {
    if (command instanceof Uint8Array) this.#seen.push(command.reduce((sum, byte) => sum + byte, 0))
    return { seen: [...this.#seen] }
  }
  read(): readonly number[] {
    return [...this.#seen]
  }
  stateHash(): string {
    return this.#seen.join(',')
  }
}

describe('machines that scribble', () => {
  it('change neither what a member stores that comes back, nor what callers were told', async () => {
    const sim = await createSimulation({
      seed: 1,
      nodes: ['A', 'B', 'C'],
      scribbles: true,
      stateMachine: () => new Collector(),
    })
    await sim.until(() => sim.leader() !== null)
    await sim.run(500)
    const leader = sim.leader() ?? ''
    const away = sim.nodes.find((id) => id !== leader) ?? ''
    sim.crash(away)
    const told = []
    for (let n = 1; n <= 5; n++) told.push(await sim.propose(leader, Uint8Array.of(n, n)))
    sim.restart(away)
    await sim.run(2000)
    expect(told.at(-1)).toMatchObject({ outcome: 'ok', result: { seen: [2, 4, 6, 8, 10] } })
    expect(await sim.query(away, [], 'local')).toMatchObject({ answer: [2, 4, 6, 8, 10] })
    const onDisk = sim.nodes.map((id) =>
      sim.durable(id).entries.map(({ data }) => Buffer.from(data).toString('hex')),
    )
    expect(onDisk[1]).toEqual(onDisk[0])
    expect(onDisk[2]).toEqual(onDisk[0])
    sim.check()
  })
})
