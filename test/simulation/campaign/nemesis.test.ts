import { describe, expect, it } from 'vitest'
import {
  beginFault,
  type Fault,
  type FaultEpisode,
  type FaultTarget,
  linksBetween,
} from '../../../src/simulation/campaign/faults.ts'
import {
  enterLiveness,
  Nemesis,
  planLiveness,
  printScript,
  shrink,
} from '../../../src/simulation/campaign/nemesis.ts'
import { drawSwarm, PROFILES, type Profile } from '../../../src/simulation/campaign/swarm.ts'
import { maxRateError } from '../../../src/simulation/time/clock-bounds.ts'
import { EventKind } from '../../../src/simulation/time/scheduler.ts'
import { streamOf } from '../../../src/simulation/time/sim-random.ts'
import { World } from '../support/world.ts'

/** Writes down what is done to it. */
function recordingTarget(world: World, nodes: readonly string[]) {
  const calls: string[] = []
  const note =
    (name: string) =>
    (...args: readonly unknown[]): void => {
      calls.push(
        `${name} ${args.map((arg) => (typeof arg === 'object' ? JSON.stringify(arg) : String(arg))).join(' ')}`,
      )
    }
  const target: FaultTarget = {
    nodes,
    block: note('block'),
    unblock: note('unblock'),
    setLink: note('setLink'),
    clog: note('clog'),
    unclog: note('unclog'),
    disconnect: note('disconnect'),
    reconnect: note('reconnect'),
    crash: note('crash'),
    powerLoss: note('powerLoss'),
    restart: note('restart'),
    crashAt: (node, at, power) => {
      note('crashAt')(node, at, power)
      return { disarm: () => note('disarm')(node) }
    },
    pause: note('pause'),
    resume: note('resume'),
    setClockRate: note('setClockRate'),
    jumpWallClock: note('jumpWallClock'),
    setTimerLag: note('setTimerLag'),
    slowDisk: note('slowDisk'),
    stallDisk: (node) => {
      note('stallDisk')(node)
      return { release: () => note('releaseDisk')(node) }
    },
    failDisk: note('failDisk'),
    healDisk: note('healDisk'),
    setLying: note('setLying'),
    corruptDisk: note('corruptDisk'),
    wipeDisk: note('wipeDisk'),
    captureDisk: (node) => {
      note('captureDisk')(node)
      return () => note('restoreDisk')(node)
    },
    later: (delayMs, run) => void world.scheduler.schedule(delayMs, EventKind.FAULT, run),
  }
  return { target, calls }
}

describe('faults', () => {
  it.each<[Fault, string[], string[]]>([
    [
      { kind: 'partition', sides: [['A'], ['B', 'C']] },
      ['block A B', 'block A C', 'block B A', 'block C A'],
      ['unblock A B', 'unblock A C', 'unblock B A', 'unblock C A'],
    ],
    [{ kind: 'crash', node: 'B', power: 'lost' }, ['powerLoss B'], ['restart B']],
    [
      { kind: 'crash', node: 'B', power: 'kept', at: { point: 'send:vote', nth: 2 } },
      ['crashAt B {"point":"send:vote","nth":2} kept'],
      ['disarm B', 'restart B'],
    ],
    [
      { kind: 'failDisk', node: 'C', store: 'log', times: 'always', point: 'sync' },
      ['failDisk C log always sync'],
      ['healDisk C', 'crash C', 'restart C'],
    ],
    [{ kind: 'lie', node: 'A' }, ['setLying A true'], ['powerLoss A', 'setLying A false', 'restart A']],
    [{ kind: 'oldImage', node: 'A' }, ['captureDisk A'], ['crash A', 'restoreDisk A', 'restart A']],
    [
      { kind: 'link', from: 'A', to: '*', settings: { dropRate: 1 } },
      ['setLink A B {"dropRate":1}', 'setLink A C {"dropRate":1}'],
      ['setLink A B null', 'setLink A C null'],
    ],
  ])('%o begins and is undone', (fault, began, ended) => {
    const { target, calls } = recordingTarget(new World(), ['A', 'B', 'C'])
    const end = beginFault(target, fault)
    expect(calls.splice(0)).toEqual(began)
    end()
    expect(calls).toEqual(ended)
  })

  it('a bridge belongs to both sides', () => {
    expect(
      linksBetween(
        ['A', 'B', 'C'],
        [
          ['A', 'B'],
          ['B', 'C'],
        ],
      ),
    ).toEqual([
      ['A', 'C'],
      ['C', 'A'],
    ])
  })

  it('a flapping link goes up and down until the end', () => {
    const world = new World()
    const { target, calls } = recordingTarget(world, ['A', 'B'])
    const end = beginFault(target, { kind: 'flap', node: 'A', upMs: 10, downMs: 20 })
    world.run(65)
    expect(calls.filter((call) => call === 'block A B')).toHaveLength(3)
    end()
    world.run(100)
    expect(calls.filter((call) => call === 'unblock A B')).toHaveLength(3)
  })
})

const episode = (id: number, atMs: number, forMs: number, node: string): FaultEpisode => ({
  id,
  atMs,
  forMs,
  fault: { kind: 'pause', node },
})

describe('the nemesis', () => {
  it('begins and ends each episode at its time, and ends the rest when stopped', () => {
    const world = new World()
    const { target, calls } = recordingTarget(world, ['A', 'B', 'C'])
    const nemesis = new Nemesis({
      scheduler: world.scheduler,
      target,
      episodes: [episode(0, 10, 10, 'A'), episode(1, 30, 100, 'B'), episode(2, 80, 5, 'C')],
    })
    nemesis.start()
    world.run(15)
    expect([...calls]).toEqual(['pause A'])
    world.run(25)
    expect(nemesis.active.map(({ id }) => id)).toEqual([1])
    nemesis.stop()
    world.run(500)
    expect(calls).toEqual(['pause A', 'resume A', 'pause B', 'resume B'])
    expect(nemesis.counts().get('pause')).toBe(2)
  })

  it('draws a core with a quorum of sound members and gives the others a fate for good', () => {
    for (let seed = 0; seed < 200; seed++) {
      const nodes = ['A', 'B', 'C', 'D', 'E']
      const plan = planLiveness(streamOf(seed, 'core'), {
        nodes,
        voters: [nodes],
        damaged: new Set(['B', 'E']),
        needed: [],
      })
      expect(plan?.core).not.toContain('B')
      expect(plan?.core.length).toBe(3)
      expect([...(plan?.core ?? []), ...(plan?.outside ?? []).map(({ node }) => node)].sort()).toEqual(nodes)
    }
    const lost = { nodes: ['A', 'B', 'C'], voters: [['A', 'B', 'C']], damaged: new Set(['A', 'B']) }
    expect(planLiveness(streamOf(1, 'core'), { ...lost, needed: [] })).toBeNull()
    for (let seed = 0; seed < 50; seed++) {
      const sound = { ...lost, damaged: new Set<string>() }
      expect(planLiveness(streamOf(seed, 'core'), { ...sound, needed: ['A', 'B'] })?.core).toEqual(
        expect.arrayContaining(['A', 'B']),
      )
      expect(
        planLiveness(streamOf(seed, 'core'), { ...lost, damaged: new Set(['A']), needed: ['A'] }),
      ).toBeNull()
    }
    const { target, calls } = recordingTarget(new World(), ['A', 'B', 'C'])
    enterLiveness(target, { core: ['A', 'B'], outside: [{ node: 'C', fate: 'deaf' }] })
    expect(calls).toContain('restart A')
    expect(calls.slice(-2)).toEqual(['block A C', 'block B C'])
  })
})

describe('plans', () => {
  it('are the same for the same seed, serializable, and different from seed to seed', () => {
    for (const profile of PROFILES) {
      const plan = drawSwarm({ seed: 11, profile })
      expect(drawSwarm({ seed: 11, profile })).toEqual(plan)
      expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)
    }
    const sizes = new Set<number>()
    for (let seed = 0; seed < 50; seed++) sizes.add(drawSwarm({ seed }).nodes.length)
    expect(sizes.size).toBeGreaterThan(4)
  })

  it('damage at most a minority, unless asked not to', () => {
    for (let seed = 0; seed < 300; seed++) {
      const { nodes, episodes } = drawSwarm({ seed, profile: 'disk' })
      const hurt = new Set(episodes.flatMap(({ fault }) => (fault.kind === 'corrupt' ? [fault.node] : [])))
      expect(hurt.size).toBeLessThanOrEqual(Math.floor((nodes.length - 1) / 2))
      const harmful = episodes.filter(({ fault }) => ['wipe', 'oldImage', 'lie'].includes(fault.kind))
      expect(harmful).toEqual([])
    }
    const kinds = new Set<string>()
    for (let seed = 0; seed < 100; seed++) {
      for (const { fault } of drawSwarm({ seed, profile: 'unsurvivable', nodes: 3 }).episodes)
        kinds.add(fault.kind)
    }
    expect([...kinds]).toEqual(expect.arrayContaining(['wipe', 'oldImage', 'lie', 'corrupt']))
  })

  it('reach every kind of fault, leave most out each time, and keep clocks inside the bound', () => {
    const kinds = new Map<string, number>()
    for (let seed = 0; seed < 300; seed++) {
      const plan = drawSwarm({ seed, nodes: 3 })
      for (const kind of new Set(plan.episodes.map(({ fault }) => fault.kind))) {
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      }
      const bound = maxRateError(plan.tuning)
      for (const rate of Object.values(plan.clockRates)) expect(Math.abs(rate - 1)).toBeLessThanOrEqual(bound)
    }
    expect(kinds.size).toBe(16)
    for (const [kind, count] of kinds) expect(count, kind).toBeLessThan(260)
  })

  it('never let two episodes of a kind overlap on one member', () => {
    for (let seed = 0; seed < 100; seed++) {
      const { episodes } = drawSwarm({ seed, nodes: 3 })
      const untilMs = new Map<string, number>()
      for (const { atMs, forMs, fault } of episodes) {
        if (fault.kind !== 'pause') continue
        expect(atMs + 1).toBeGreaterThanOrEqual(untilMs.get(fault.node) ?? 0)
        untilMs.set(fault.node, atMs + forMs)
      }
    }
  })

  it('let members come and go in most seeds of membership, some of the swarm, and nowhere else', () => {
    const share = (profile: Profile) => {
      const plans = Array.from({ length: 100 }, (_, seed) => drawSwarm({ seed, profile }))
      return plans.filter(({ memberChanges }) => memberChanges !== null).length
    }
    expect(share('membership')).toBeGreaterThan(60)
    expect(share('swarm')).toBeGreaterThan(10)
    expect(share('swarm')).toBeLessThan(50)
    for (const profile of ['network', 'disk', 'clock', 'unsurvivable'] as const)
      expect(share(profile)).toBe(0)
    const hosts = Array.from({ length: 50 }, (_, seed) => drawSwarm({ seed, profile: 'membership' }))
    for (const { nodes, memberChanges, clockRates } of hosts)
      expect(Object.keys(clockRates)).toEqual([...nodes, ...(memberChanges?.joiners ?? [])])
  })
})

describe('elections that somebody asks for', () => {
  it('are drawn in half of the seeds of membership, some of the swarm, and none of what has one field only', () => {
    const share = (profile: Profile) => {
      const plans = Array.from({ length: 100 }, (_, seed) => drawSwarm({ seed, profile }))
      return plans.filter(({ electionsEveryMs }) => electionsEveryMs !== null).length
    }
    expect(share('membership')).toBeGreaterThan(35)
    expect(share('swarm')).toBeGreaterThan(5)
    expect(share('swarm')).toBeLessThan(30)
    for (const profile of ['network', 'disk', 'clock'] as const) expect(share(profile)).toBe(0)
  })
})

describe('a failing plan', () => {
  it('shrinks to what is needed', async () => {
    const plan = Array.from({ length: 40 }, (_, i) => i)
    let runs = 0
    const left = await shrink(plan, (items) => {
      runs++
      return items.includes(7) && items.includes(31)
    })
    expect(left).toEqual([7, 31])
    expect(runs).toBeLessThan(80)
  })

  it('prints as a script', () => {
    expect(
      printScript([
        { id: 3, atMs: 100, forMs: 50, fault: { kind: 'partition', sides: [['A'], ['B', 'C']] } },
        { id: 4, atMs: 120, forMs: 30, fault: { kind: 'crash', node: 'A', power: 'lost' } },
      ]),
    ).toEqual([
      'await sim.run(100)',
      "const fault3 = sim.fault({ kind: 'partition', sides: [['A'], ['B', 'C']] })",
      'await sim.run(20)',
      "const fault4 = sim.fault({ kind: 'crash', node: 'A', power: 'lost' })",
      'await sim.run(30)',
      'fault3.end()',
      'fault4.end()',
    ])
  })
})
