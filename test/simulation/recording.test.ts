// A recorded run: it is the same run, and whoever plays it sees what happened in it.

import { describe, expect, it, onTestFinished } from 'vitest'
import type { StagedMember } from '../../src/page/page-protocol.ts'
import type { FeedItem } from '../../src/protocol/feed-protocol.ts'
import { runPlan } from '../../src/simulation/campaign/campaign.ts'
import type { Fault } from '../../src/simulation/campaign/faults.ts'
import { drawSwarm, PROFILES } from '../../src/simulation/campaign/swarm.ts'
import { endWords, faultWords } from '../../src/simulation/recording/fault-words.ts'
import { Recorder } from '../../src/simulation/recording/recorder.ts'
import { createSimulation, type Simulation } from '../../src/simulation/simulation.ts'
import { framesOf, messagesOf, Replay } from './support/recording.ts'

interface Recorded {
  readonly sim: Simulation
  readonly lines: string[]
  readonly recorder: Recorder
  /** What a viewer who has seen everything up to now makes of it. */
  readonly replay: () => Replay
  readonly staged: (id: string) => StagedMember | undefined
}

async function record(nodes: readonly string[], maxBytes?: number): Promise<Recorded> {
  const sim = await createSimulation({ seed: 3, nodes })
  onTestFinished(() => sim.close())
  const lines: string[] = []
  const bound = maxBytes === undefined ? {} : { maxBytes }
  const recorder = new Recorder({ sim, title: 'By hand', write: (line) => lines.push(line), ...bound })
  sim.afterStep = () => recorder.look()
  const replay = (): Replay => {
    const seen = new Replay()
    seen.show(framesOf(lines))
    return seen
  }
  return { sim, lines, recorder, replay, staged: (id) => replay().stage.find((each) => each.id === id) }
}

async function led(sim: Simulation): Promise<string> {
  expect(await sim.until(() => sim.leader() !== null)).toBe(true)
  await sim.run(200)
  return sim.leader() ?? ''
}

describe('a run that is recorded', () => {
  it.each(PROFILES)(
    'of profile %s has the same trace as one that is not',
    async (profile) => {
      for (let seed = 1; seed <= 2; seed++) {
        const plan = drawSwarm({ seed, profile, nodes: 3, safetyTimeouts: 8 })
        const lines: string[] = []
        // The others take long to come to rest.
        const liveness = seed === 1 && ['clock', 'membership'].includes(profile)
        const alone = await runPlan(plan, { liveness })
        const watched = await runPlan(plan, { liveness, record: (line) => lines.push(line) })
        const { traceHash, traceLines, events, failure } = alone
        expect(watched).toMatchObject({ traceHash, traceLines, events, failure })
        expect(JSON.parse(lines[0] ?? '')).toEqual({
          quorate: 'replay',
          v: 1,
          title: `Seed ${seed} of profile ${profile}: ${plan.nodes.length} members, ${plan.episodes.length} faults`,
        })
        const frames = framesOf(lines)
        new Replay().show(frames)
        expect(messagesOf(frames, 'charts')).toHaveLength(1)
        const notes = messagesOf(frames, 'note').map(({ text }) => text)
        expect(notes.filter((text) => text.includes('misses something'))).toEqual([])
        expect(notes.at(-1)).toBe('The run is over, and every invariant has held.')
      }
    },
    60_000,
  )

  it('is the same where looking at a clock takes time', async () => {
    const seeds = Array.from({ length: 40 }, (_, i) => i + 1)
    const plans = seeds.map((seed) => drawSwarm({ seed, safetyTimeouts: 6 }))
    const slow = plans.filter(({ lookMs }) => lookMs > 0).slice(0, 6)
    expect(slow).toHaveLength(6)
    for (const plan of slow) {
      const alone = await runPlan(plan, { liveness: false })
      const watched = await runPlan(plan, { liveness: false, record: () => {} })
      expect(watched.traceHash).toBe(alone.traceHash)
    }
  }, 60_000)
})

describe('a recording', () => {
  it('shows that a leader dies, that another takes over, and that the first comes back', async () => {
    const { sim, lines, replay, staged } = await record(['A', 'B', 'C'])
    const first = await led(sim)
    expect(replay().model.leader).toBe(first)
    expect([...replay().model.charts.keys()]).toContain('node')

    sim.crash(first)
    await sim.run(200)
    expect(replay().model.members.get(first)).toMatchObject({ state: 'ended', problem: `${first} has died.` })
    expect(staged(first)).toEqual({ id: first, state: 'crashed', isCut: false })
    // What it was doing when it died.
    expect(replay().model.members.get(first)?.actors.get(first)?.state).toMatch(/^active\.leader/)

    const second = await led(sim)
    expect(second).not.toBe(first)
    const seen = replay()
    expect(seen.model.leader).toBe(second)
    const { term } = sim.node(second).status()
    const { entries } = seen.model.timeline
    expect(entries).toContainEqual(
      expect.objectContaining({ kind: 'role', member: second, to: 'leader', term, reason: 'ELECTION_WON' }),
    )
    expect(entries).toContainEqual(
      expect.objectContaining({
        kind: 'vote',
        candidate: second,
        term,
        pre: false,
        granted: true,
        reason: 'GRANTED',
      }),
    )
    const heard = [...(seen.model.members.get(second)?.heard.keys() ?? [])]
    expect(heard.length).toBeGreaterThan(0)

    sim.restart(first)
    await sim.run(500)
    const back = replay()
    expect(back.model.members.get(first)).toMatchObject({ state: 'live', restarts: 1 })
    expect(back.restarts.get(first)).toBe(1)
    for (const [id, { status, actors }] of back.model.members) {
      const { role, term, commitIndex, lastIndex, state } = sim.node(id).status()
      expect(status).toMatchObject({ role, term, commitIndex, lastIndex, leader: second })
      expect(actors.get(id)?.state).toBe(state)
    }
    const notes = messagesOf(framesOf(lines), 'note').map(({ text }) => text)
    expect(notes).toEqual([`${first} has died.`, `${first} starts again.`])
  })

  it('tells what happens at its very moment, and numbers every twenty milliseconds', async () => {
    const { sim, lines } = await record(['A', 'B', 'C'])
    const leader = await led(sim)
    for (let i = 0; i < 50; i++) {
      void sim.propose(leader, { op: 'put', key: 'k', value: String(i) })
      await sim.run(7)
    }
    const batches = framesOf(lines).flatMap(({ atMs, message }) =>
      message.kind === 'batch' && message.batch.node === leader ? [{ atMs, items: message.batch.items }] : [],
    )
    const told = batches.flatMap(({ atMs, items }) => items.map((item) => ({ atMs, item })))
    const roles = told.filter(({ item }) => item.kind === 'role')
    expect(roles.length).toBeGreaterThan(2)
    for (const { atMs, item } of roles) expect(item).toMatchObject({ atMs })
    const isTurn = (item: FeedItem): boolean =>
      ['role', 'leader', 'vote'].includes(item.kind) || (item.kind === 'transition' && item.id === leader)
    const calm = batches.filter(({ items }) => !items.some(isTurn))
    expect(calm.length).toBeGreaterThan(10)
    for (const [at, { atMs }] of calm.entries())
      expect(atMs - (calm[at - 1]?.atMs ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(19.99)
    const latencies = told.flatMap(({ item }) =>
      item.kind === 'status' && item.status.commitLatency !== null ? [item.status.commitLatency] : [],
    )
    expect(latencies[0]?.p50Ms).toBeGreaterThan(0)
  })

  it('shows who is cut off, who stands still, and who has lost the bus', async () => {
    const { sim, staged } = await record(['A', 'B', 'C'])
    await led(sim)
    sim.isolate('A')
    sim.pause('B')
    sim.disconnect('C', 100)
    await sim.run(300)
    expect(['A', 'B', 'C'].map(staged)).toEqual([
      { id: 'A', state: 'running', isCut: true },
      { id: 'B', state: 'paused', isCut: false },
      { id: 'C', state: 'running', isCut: true },
    ])
    sim.heal()
    sim.oneway('A', 'B')
    sim.resume('B')
    sim.reconnect('C')
    await sim.run(300)
    for (const id of ['A', 'B', 'C']) expect(staged(id)).toEqual({ id, state: 'running', isCut: false })
  })

  it('tells a member that ends in order, and one that stops itself, from one that dies', async () => {
    const { sim, replay, lines } = await record(['A', 'B', 'C'])
    await led(sim)
    await sim.shutdown('A')
    sim.disk('B').fail('log', 'always', 'write')
    sim.disk('B').fail('meta', 'always', 'write')
    void sim.propose(await led(sim), { op: 'put', key: 'k', value: 'v' })
    await sim.until(() => sim.node('B').status().role === 'error', 20_000)
    await sim.run(30)
    expect(replay().model.members.get('A')).toMatchObject({
      state: 'ended',
      problem: 'A has ended in order.',
    })
    expect(replay().model.members.get('B')?.status).toMatchObject({ role: 'error' })
    const notes = messagesOf(framesOf(lines), 'note').map(({ text, tone }) => `${tone}: ${text}`)
    expect(notes).toEqual([
      'step: A has ended in order.',
      expect.stringMatching(/^fault: B has stopped itself: \S/),
    ])
  })

  it('says where it has no room for more, and still how the run ended', async () => {
    const { sim, lines, recorder } = await record(['A', 'B', 'C'], 100_000)
    await led(sim)
    await sim.run(60_000)
    const count = lines.length
    await sim.run(1000)
    expect(lines).toHaveLength(count)
    expect(lines.join('').length).toBeLessThan(110_000)
    recorder.end({ invariant: 'INV-1', message: 'INV-1: A and B lead in term 2.\n  at x.ts:1' })
    const [full, broken] = messagesOf(framesOf(lines), 'note').slice(-2)
    expect(full?.text).toMatch(/^The recording ends here/)
    expect(broken?.tone).toBe('broken')
    expect(broken?.text).toMatch(/^INV-1: A and B lead in term 2\. It must hold: Election safety\./)
  })
})

describe('the words of faults', () => {
  it.each<[Fault, string]>([
    [{ kind: 'partition', sides: [['A', 'B'], ['C']] }, 'The network falls apart: A, B | C.'],
    [{ kind: 'block', links: [['A', 'B']] }, 'Nothing passes from A to B.'],
    [
      { kind: 'link', from: '*', to: 'B', settings: { dropRate: 0.051, filter: ['append'] } },
      'All that is sent to B: 5.1 % lost, no append.',
    ],
    [{ kind: 'link', from: 'A', to: 'B', settings: {} }, 'What A sends to B: as at the start.'],
    [{ kind: 'crash', node: 'A', power: 'lost' }, 'A loses its power.'],
    [
      { kind: 'crash', node: 'A', power: 'kept', at: { point: 'apply', nth: 3 } },
      "A dies when it comes by 'apply' (3×).",
    ],
    [{ kind: 'crashAll', power: 'kept' }, 'All members die at once.'],
    [{ kind: 'pause', node: 'C' }, 'C stands still.'],
  ])('%j', (fault, words) => {
    expect(faultWords(fault)).toBe(words)
  })

  it('say what is over', () => {
    expect(endWords({ kind: 'pause', node: 'C' })).toBe('Over: the pause of C.')
    expect(endWords({ kind: 'crashAll', power: 'kept' })).toBe('Over: the crash of all.')
  })
})
