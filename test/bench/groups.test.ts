// The benchmark of many groups, without its processes: three hosts on one memory bus.

import { afterEach, describe, expect, test, vi } from 'vitest'
import { Carrier } from '../../bench/groups/carrier.ts'
import { IDS, movesToSpread, withoutLeader } from '../../bench/groups/fleet.ts'
import { barsOf, binsOf, percentileOf } from '../../bench/groups/histogram.ts'
import { rateBetween } from '../../bench/groups/monitor.ts'
import { type Host, MemoryBus, MemoryDisk, MemoryStorage, openHost } from '../../src/index.ts'

const GROUPS = 6
const OFTEN = { interval: 5, timeout: 10_000 }
const hosts = new Map<string, Host>()

afterEach(() => {
  for (const host of hosts.values()) host.destroy()
  hosts.clear()
})

async function carriers(): Promise<ReadonlyMap<string, Carrier>> {
  const bus = new MemoryBus()
  const all = new Map<string, Carrier>()
  for (const id of IDS) {
    const storage = new MemoryStorage({ disk: new MemoryDisk() })
    hosts.set(id, await openHost({ id, storage, transport: bus.connect(id) }))
    const host = hosts.get(id)
    if (host !== undefined)
      all.set(id, new Carrier(host, IDS, { electionTimeoutMs: 100, maxClockDriftMs: 100 }))
  }
  await Promise.all([...all.values()].map((carrier) => carrier.open(GROUPS)))
  return all
}

function allLed(all: ReadonlyMap<string, Carrier>): Promise<ReadonlyMap<number, string>> {
  return vi.waitUntil(() => {
    const leaders = [...all].flatMap(([id, carrier]) => carrier.led().map((group) => [group, id] as const))
    return leaders.length === GROUPS && new Map(leaders)
  }, OFTEN)
}

describe('carriers of many groups', () => {
  test('spread their leaders, are written to, and note which groups they take over', async () => {
    const all = await carriers()
    for (
      let moves = movesToSpread(await allLed(all));
      moves.size > 0;
      moves = movesToSpread(await allLed(all))
    )
      await Promise.all([...all].map(([id, carrier]) => carrier.move(moves.get(id) ?? [])))
    const [first, second, third] = IDS.map((id) => all.get(id))
    expect(first?.led()).toEqual([0, 3])
    expect(second?.led()).toEqual([1, 4])
    const result = await second?.load(4, 10, 0.05)
    expect(result?.commits).toBeGreaterThan(0)
    expect(result?.failed).toBe(0)

    for (const carrier of [second, third]) carrier?.watch()
    hosts.get('n1')?.destroy()
    const taken = () => [second, third].flatMap((carrier) => carrier?.takeovers ?? [])
    await vi.waitUntil(() => taken().length === 2, OFTEN)
    expect(
      taken()
        .map(({ group }) => group)
        .toSorted(),
    ).toEqual([0, 3])
    for (const { electedMs, acceptedMs } of taken()) expect(acceptedMs).toBeGreaterThan(electedMs)
  })
})

describe('leaders are spread', () => {
  test('by moving only those that stand elsewhere', () => {
    const leaders = new Map([
      [0, 'n1'],
      [1, 'n1'],
      [2, 'n1'],
      [3, 'n3'],
    ])
    expect([...movesToSpread(leaders)]).toEqual([
      [
        'n1',
        [
          [1, 'n2'],
          [2, 'n3'],
        ],
      ],
      ['n3', [[3, 'n1']]],
    ])
  })

  test('and groups without one are named, ten of them', () => {
    expect(withoutLeader(20, [3])).toBe('1 of 20 groups have no leader: g3.')
    expect(withoutLeader(20, [...Array(12).keys()])).toMatch(/^12 of 20 .*: g0, g1, .*g9, and 2 more\.$/)
  })
})

describe('a histogram', () => {
  test('has bins of a round width that hold every time', () => {
    const bins = binsOf([101, 149, 150, 420])
    expect(bins[0]).toEqual({ fromMs: 100, toMs: 120, count: 1 })
    expect(bins.at(-1)).toEqual({ fromMs: 420, toMs: 440, count: 1 })
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(4)
    expect(bins.length).toBeLessThanOrEqual(20)
    expect(binsOf([5]).length).toBe(1)
    expect(binsOf([])).toEqual([])
    expect(binsOf([0, 1_000_000]).length).toBeLessThanOrEqual(21)
  })

  test('is drawn with bars as long as the bins are full', () => {
    const [full, empty, half] = barsOf([
      { fromMs: 0, toMs: 50, count: 4 },
      { fromMs: 50, toMs: 100, count: 0 },
      { fromMs: 100, toMs: 150, count: 2 },
    ])
    expect(full).toBe(`  0 to  50 ms ${'█'.repeat(50)} 4`)
    expect(empty).toBe(' 50 to 100 ms  0')
    expect(half).toBe(`100 to 150 ms ${'█'.repeat(25)} 2`)
  })

  test('has percentiles', () => {
    const times = [5, 1, 3, 2, 4, 6, 7, 8, 9, 10]
    expect([0.5, 0.9, 1].map((share) => percentileOf(times, share))).toEqual([5, 9, 10])
    expect(percentileOf([], 0.5)).toBe(0)
  })
})

test('messages per second come from two counts', () => {
  const at = (messages: number, atMs: number) => ({ messages, slowConsumers: 0, atMs })
  expect(rateBetween(at(100, 1000), at(600, 1250))).toBe(2000)
  expect(rateBetween(at(100, 1000), at(600, 1000))).toBe(0)
})
