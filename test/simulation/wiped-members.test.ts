// Members that lose their files again and again, while others come and go: with identities on record nothing that was
// acknowledged is lost, and every one of them counts again in the end (fault P9).

import { describe, expect, it } from 'vitest'
import { decodeConfiguration } from '../../src/log/configuration-codec.ts'
import { EntryType } from '../../src/rules/types.ts'
import { streamOf } from '../../src/simulation/time/sim-random.ts'
import { createSimulation, type Simulation } from '../../src/testing.ts'

const OPTIONS = { electionTimeoutMs: 300, maxClockDriftMs: 100, maxElectionDelayMs: 200 }

/** Writes for as long as it is not told to stop. */
function write(sim: Simulation, name: string, keys: number): () => void {
  const client = sim.client(name, 2000)
  let at = 0
  let stopped = false
  const next = (): void => {
    if (stopped) return
    at++
    const key = `k${at % keys}`
    const command =
      at % 3 === 0 ? ({ op: 'get', key } as const) : ({ op: 'put', key, value: `${name}${at}` } as const)
    client.start(command, 'readIndex', () => sim.later(50, next))
  }
  next()
  return () => {
    stopped = true
  }
}

/** Everybody is on record in everybody's log, and counts. Who has no record cannot know whose files are others. */
function allCount(sim: Simulation): boolean {
  const leader = sim.leader()
  if (leader === null) return false
  const { replicators } = sim.node(leader).status()
  const newest = sim.nodes.map((id) => newestIdentities(sim, id))
  const isAgreed = newest.every((record) => record === newest[0])
  return isAgreed && newest[0] !== '' && replicators.every(({ counts, identity }) => counts && identity > 0)
}

/** As text; empty while somebody is missing. */
function newestIdentities(sim: Simulation, id: string): string {
  const entry = sim.durable(id).entries.findLast(({ type }) => type === EntryType.CONFIGURATION)
  const identities = entry === undefined ? {} : (decodeConfiguration(entry)?.identities ?? {})
  return Object.keys(identities).length < sim.nodes.length ? '' : JSON.stringify(identities)
}

describe('members that lose their files', () => {
  for (const size of [3, 5]) {
    it.each([1, 2, 3, 4, 5, 6])(`of ${size}, in seed %i`, async (seed) => {
      const random = streamOf(seed, 'wipes')
      const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random.next() * items.length)]
      const nodes = ['A', 'B', 'C', 'D', 'E'].slice(0, size)
      const sim = await createSimulation({ seed, nodes, options: OPTIONS, identities: true })
      const stops = ['x', 'y'].map((name) => write(sim, name, 3))
      for (let round = 0; round < 4; round++) {
        expect(await sim.until(() => allCount(sim), 60_000), `round ${round}`).toBe(true)
        const victim = pick(nodes) ?? 'A'
        const away = pick(nodes.filter((id) => id !== victim)) ?? 'B'
        // Whoever is away now misses what the victim has acknowledged.
        sim.crash(away)
        await sim.run(200 + random.next() * 1500)
        sim.crash(victim)
        sim.wipeDisk(victim)
        if (random.next() < 0.5) {
          const third = pick(nodes.filter((id) => id !== victim && id !== away)) ?? 'C'
          sim.isolate(third)
        }
        sim.restart(victim)
        sim.restart(away)
        await sim.run(random.next() * 3000)
        sim.heal()
        sim.check()
      }
      expect(await sim.until(() => allCount(sim), 60_000)).toBe(true)
      for (const stop of stops) stop()
      await sim.run(5000)
      sim.check()
      await sim.close()
    })
  }
})
