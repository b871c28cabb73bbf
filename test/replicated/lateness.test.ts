// A timer that becomes due while nobody leads: how late it fires, counted from where the next leader has taken over.

import { expect, it } from 'vitest'
import { assign, setup } from 'xstate'
import { heartbeatIntervalMs } from '../../src/options.ts'
import { createSimulation, type Simulation } from '../../src/testing.ts'
import { replicate } from '../../src/xstate.ts'

const FAILOVERS = 10
/** The first ones are due while nobody leads, the last when somebody has led for long. */
const DELAYS_MS = [20, 60, 90, 120, 150, 2000]

const alarm = setup({
  types: { context: {} as { rung: number }, events: {} as { type: 'wait'; ms: number } },
  delays: { soon: ({ event }) => event.ms },
}).createMachine({
  ...{ id: 'alarm', version: '1', initial: 'quiet', context: { rung: 0 } },
  states: {
    quiet: { on: { wait: 'waiting' } },
    waiting: {
      after: { soon: { target: 'quiet', actions: assign({ rung: ({ context }) => context.rung + 1 }) } },
    },
  },
})

/** When something was applied first, whoever it was: in true time, and by the log. */
interface Seen {
  readonly atMs: number
  readonly byLogMs: number
}

/** Members that note when they take over and what they apply. */
async function alarms(seed: number) {
  const tookOver: number[] = []
  const armed = new Map<string, Seen>()
  const fired = new Map<string, Seen>()
  const stateMachine = () => {
    const machine = replicate(alarm, { maxIterations: 10, compareEvery: 0 })
    const apply = machine.apply.bind(machine)
    const onLeaderStart = machine.onLeaderStart?.bind(machine)
    machine.onLeaderStart = (term) => {
      tookOver.push(sim.scheduler.nowMs)
      onLeaderStart?.(term)
    }
    machine.apply = (command, at) => {
      const returned = apply(command, at)
      const [name, key]: readonly unknown[] = Array.isArray(command) ? command : []
      const seen = { atMs: sim.scheduler.nowMs, byLogMs: at.timeMs ?? 0 }
      const notes = name === 'event' ? armed : fired
      const isNew = name === 'event' || (name === 'fire' && Object(returned).ok === true)
      if (isNew && !notes.has(String(key))) notes.set(String(key), seen)
      return returned
    }
    return machine
  }
  const sim: Simulation = await createSimulation({
    ...{ seed, nodes: ['A', 'B', 'C'], stateMachine },
    options: { electionTimeoutMs: 1000 },
  })
  return { sim, tookOver, armed, fired }
}

const NEVER: Seen = { atMs: 0, byLogMs: 0 }

it('is late by at most one heartbeat interval after the next leader has taken over, and never early', async () => {
  const { sim, tookOver, armed, fired } = await alarms(3)
  const lateMs: number[] = []
  let dueBefore = 0
  for (let i = 0; i < FAILOVERS; i += 1) {
    await sim.until(() => sim.leader() !== null)
    const leader = sim.leader() ?? ''
    const keys = DELAYS_MS.map((ms) => `${i}.${ms}`)
    const sent = DELAYS_MS.map((ms) => sim.propose(leader, ['event', `${i}.${ms}`, { type: 'wait', ms }]))
    for (const answer of sent) expect((await sim.settled(answer)).outcome).toBe('ok')
    sim.crash(leader)
    expect(await sim.until(() => keys.every((key) => fired.has(key)))).toBe(true)
    for (const [n, key] of keys.entries()) {
      const [from, to] = [armed.get(key) ?? NEVER, fired.get(key) ?? NEVER]
      const delayMs = DELAYS_MS[n] ?? 0
      expect(to.byLogMs - from.byLogMs).toBeGreaterThanOrEqual(delayMs)
      const tookOverMs = tookOver.findLast((atMs) => atMs <= to.atMs) ?? 0
      lateMs.push(to.atMs - Math.max(tookOverMs, from.atMs + delayMs))
      if (from.atMs + delayMs < tookOverMs) dueBefore += 1
    }
    sim.restart(leader)
    await sim.run(1000)
  }
  expect(lateMs).toHaveLength(FAILOVERS * DELAYS_MS.length)
  expect(dueBefore).toBeGreaterThan(4 * FAILOVERS)
  expect(Math.max(...lateMs)).toBeLessThanOrEqual(heartbeatIntervalMs(sim.tuning))
  await sim.close()
})

it('does not care when the clock on the wall of the leader jumps, there or back, nor which one the next leader has', async () => {
  const { sim, armed, fired } = await alarms(4)
  await sim.until(() => sim.leader() !== null)
  for (const [i, jumpMs] of [3_600_000, -7_200_000, 500].entries()) {
    await sim.until(() => sim.leader() !== null)
    const leader = sim.leader() ?? ''
    for (const ms of [400, 1500]) {
      const sent = sim.propose(leader, ['event', `${i}.${ms}`, { type: 'wait', ms }])
      expect((await sim.settled(sent)).outcome).toBe('ok')
    }
    sim.clock(leader, { jumpMs })
    await sim.run(600)
    sim.crash(leader)
    await sim.run(3000)
    sim.restart(leader)
    for (const ms of [400, 1500]) {
      const [from, to] = [armed.get(`${i}.${ms}`) ?? NEVER, fired.get(`${i}.${ms}`) ?? NEVER]
      expect(to.atMs - from.atMs).toBeGreaterThanOrEqual(ms)
      expect(to.atMs - from.atMs).toBeLessThan(ms + heartbeatIntervalMs(sim.tuning))
    }
  }
  await sim.close()
})
