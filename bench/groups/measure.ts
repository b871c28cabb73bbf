// `--groups`: what many groups cost three processes. Opening, idling, writing, and the loss of a process.

import { setTimeout as sleep } from 'node:timers/promises'
import { measureThroughput } from '../throughput.ts'
import { type GroupLoad, nowMs } from './carrier.ts'
import { Fleet, type FleetOptions, IDS, withoutLeader } from './fleet.ts'
import { barsOf, binsOf, percentileOf } from './histogram.ts'
import { type BusCounts, rateBetween } from './monitor.ts'

export interface GroupsOptions extends FleetOptions {
  readonly clients: number
  readonly size: number
  readonly seconds: number
  readonly idleSeconds: number
  /** Time for things to calm down, before idle processes and the loss of one are measured. */
  readonly settleSeconds: number
  readonly progress: (line: string) => void
}

/** One line of the table. `values` is what a figure was drawn from. */
export interface GroupsRow {
  readonly mode: 'groups'
  readonly groups: number
  readonly figure: string
  readonly value: number
  readonly unit: string
  readonly values?: readonly number[]
}

type Figure = Omit<GroupsRow, 'mode' | 'groups'>

const FAILOVER_PATIENCE_MS = 60_000
const LOOK_EVERY_MS = 100

export async function measureGroups(options: GroupsOptions): Promise<readonly GroupsRow[]> {
  const { groups, clients, progress } = options
  progress(`one group, ${clients} clients …`)
  const alone = (await measureThroughput({ ...options, mode: 'embedded' })).commitsPerSecond
  const fleet = await Fleet.start(options)
  try {
    const figures = [
      ...(await openings(fleet, options)),
      ...(await idle(fleet, options)),
      ...(await writing(fleet, options, alone)),
      ...(await losing(fleet, options)),
    ]
    return figures.map((figure) => ({ mode: 'groups', groups, ...figure }))
  } finally {
    await fleet.stop()
  }
}

/** Once to make the groups, and once more to open what is there: the first process alone, so that it is not disturbed. */
async function openings(fleet: Fleet, options: GroupsOptions): Promise<readonly Figure[]> {
  const { groups, settleSeconds, progress } = options
  progress(`${groups} groups are made …`)
  const madeMs = performance.now()
  for (const id of IDS) await fleet.startMember(id)
  await fleet.each((member) => member.ask('open', { kind: 'open', groups }))
  await fleet.allLed()
  const createMs = Math.round(performance.now() - madeMs)
  progress(`made and led after ${createMs} ms; opened again …`)
  await fleet.stopMembers()
  const openedMs: number[] = []
  const emptyBytes: number[] = []
  const emptyHeapBytes: number[] = []
  for (const id of IDS) {
    const member = await fleet.startMember(id)
    const opened = await member.ask('open', { kind: 'open', groups })
    emptyBytes.push(opened.emptyBytes)
    emptyHeapBytes.push(opened.emptyHeapBytes)
    openedMs.push(Math.round(opened.tookMs))
    progress(`${id} opened ${groups} groups in ${openedMs.at(-1)} ms`)
  }
  const electingMs = performance.now()
  await fleet.allLed()
  const allLedMs = Math.round(performance.now() - electingMs)
  progress(`all led ${allLedMs} ms later; leaders are spread …`)
  await fleet.spread()
  await sleep(settleSeconds * 1000)
  const memory = await fleet.each((member) => member.ask('memory', { kind: 'memory' }))
  const grewKb = memory.map(({ rssBytes }, at) => (rssBytes - (emptyBytes[at] ?? 0)) / groups / 1024)
  const heapKb = memory.map(({ heapBytes }, at) => (heapBytes - (emptyHeapBytes[at] ?? 0)) / groups / 1024)
  return [
    { figure: 'make groups, until all lead', value: createMs, unit: 'ms' },
    { figure: 'open a host with its groups', value: openedMs[0] ?? 0, unit: 'ms', values: openedMs },
    { figure: 'all lead, after the last host opened', value: allLedMs, unit: 'ms' },
    {
      figure: 'memory of a group in a process',
      value: rounded(mean(grewKb)),
      unit: 'kB',
      values: grewKb.map(rounded),
    },
    {
      figure: 'of that, living objects',
      value: rounded(mean(heapKb)),
      unit: 'kB',
      values: heapKb.map(rounded),
    },
  ]
}

async function idle(
  fleet: Fleet,
  { idleSeconds, settleSeconds, progress }: GroupsOptions,
): Promise<readonly Figure[]> {
  // The collections before a look at memory make code cold.
  await sleep(settleSeconds * 1000)
  progress(`idle for ${idleSeconds} s …`)
  const [before, countsBefore] = [await cpuOf(fleet), await fleet.bus.counts()]
  await sleep(idleSeconds * 1000)
  const counts = await fleet.bus.counts()
  const seconds = (counts.atMs - countsBefore.atMs) / 1000
  const after = await cpuOf(fleet)
  const percents = after.map((used, at) => rounded((100 * (used - (before[at] ?? 0))) / seconds))
  return [
    {
      figure: 'processor while idle, all processes',
      value: rounded(sum(percents)),
      unit: '% of a core',
      values: percents,
    },
    { figure: 'messages while idle', value: rateBetween(countsBefore, counts), unit: '/s' },
  ]
}

async function writing(fleet: Fleet, options: GroupsOptions, alone: number): Promise<readonly Figure[]> {
  const { groups, clients, size, seconds, progress } = options
  progress(`${groups} groups, ${clients} clients …`)
  const led = [...(await fleet.allLed()).values()]
  const results = await fleet.each(async (member, id) => {
    const share = Math.round((clients * led.filter((leader) => leader === id).length) / groups)
    if (share === 0) return null
    return (await member.ask('load', { kind: 'load', clients: share, size, seconds })).result
  })
  return written(
    results.filter((result) => result !== null),
    alone,
  )
}

function written(results: readonly GroupLoad[], alone: number): readonly Figure[] {
  const all = Math.round(sum(results.map((result) => result.commits / result.seconds)))
  return [
    { figure: 'commits in one group', value: alone, unit: '/s' },
    { figure: 'commits in all groups', value: all, unit: '/s' },
    { figure: 'all groups, share of one group', value: rounded(all / alone), unit: '' },
    {
      figure: 'commit in all groups, p50',
      value: rounded(Math.max(...results.map((r) => r.p50ms))),
      unit: 'ms',
    },
    {
      figure: 'commit in all groups, p99',
      value: rounded(Math.max(...results.map((r) => r.p99ms))),
      unit: 'ms',
    },
    { figure: 'commands that failed', value: sum(results.map(({ failed }) => failed)), unit: '' },
  ]
}

/** Kills the process that leads the first group, and every third. */
async function losing(fleet: Fleet, options: GroupsOptions): Promise<readonly Figure[]> {
  await fleet.spread()
  await sleep(options.settleSeconds * 1000)
  const [lost] = IDS
  const orphans = [...(await fleet.leaders())].filter(([, leader]) => leader === lost).map(([group]) => group)
  await fleet.each((member) => member.ask('watch', { kind: 'watch' }))
  options.progress(`${lost}, which leads ${orphans.length} groups, is killed …`)
  const droppedBefore = await dropsOf(fleet, lost)
  const series = [await fleet.bus.counts()]
  const killedMs = nowMs()
  await fleet.members.get(lost)?.kill()
  fleet.members.delete(lost)
  const accepted = await takenOver(fleet, orphans, series)
  const allMs = orphans.map((group) => rounded((accepted.get(group) ?? killedMs) - killedMs))
  const drops = (await dropsOf(fleet, lost)) - droppedBefore
  for (const line of barsOf(binsOf(allMs))) options.progress(line)
  const [first, last] = [series.at(0), series.at(-1)]
  const rates = series.slice(1).map((counts, at) => rateBetween(series[at] ?? counts, counts))
  return [
    { figure: 'leaders killed', value: orphans.length, unit: '' },
    { figure: 'killed: write accepted again, p50', value: percentileOf(allMs, 0.5), unit: 'ms' },
    { figure: 'killed: write accepted again, p90', value: percentileOf(allMs, 0.9), unit: 'ms' },
    { figure: 'killed: write accepted again, last', value: Math.max(0, ...allMs), unit: 'ms', values: allMs },
    {
      ...{ figure: 'messages until then', unit: '/s', values: rates },
      value: first === undefined || last === undefined ? 0 : rateBetween(first, last),
    },
    { figure: 'messages in the busiest tenth of a second', value: Math.max(0, ...rates), unit: '/s' },
    { figure: 'messages dropped by members meanwhile', value: drops, unit: '' },
    {
      ...{ figure: 'connections too slow for the bus', unit: '' },
      value: (last?.slowConsumers ?? 0) - (first?.slowConsumers ?? 0),
    },
  ]
}

/** When each of these groups accepted a write again. Counts what goes over the bus meanwhile. */
async function takenOver(
  fleet: Fleet,
  orphans: readonly number[],
  series: BusCounts[],
): Promise<ReadonlyMap<number, number>> {
  const endMs = performance.now() + FAILOVER_PATIENCE_MS
  for (;;) {
    await sleep(LOOK_EVERY_MS)
    series.push(await fleet.bus.counts())
    const answers = await fleet.each((member) => member.ask('takeovers', { kind: 'takeovers' }))
    const accepted = new Map<number, number>()
    for (const { group, acceptedMs } of answers.flatMap(({ takeovers }) => takeovers))
      accepted.set(group, Math.min(acceptedMs, accepted.get(group) ?? acceptedMs))
    if (orphans.every((group) => accepted.has(group))) return accepted
    if (performance.now() > endMs) {
      const lost = orphans.filter((group) => !accepted.has(group))
      throw new Error(withoutLeader(orphans.length, lost))
    }
  }
}

function cpuOf(fleet: Fleet): Promise<readonly number[]> {
  return fleet.each(async (member) => (await member.ask('cpu', { kind: 'cpu' })).seconds)
}

/** Since they were started, of all but one. */
async function dropsOf(fleet: Fleet, except: string): Promise<number> {
  return sum(
    await fleet.each(async (member, id) =>
      id === except ? 0 : (await member.ask('drops', { kind: 'drops' })).count,
    ),
  )
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const mean = (values: readonly number[]): number => sum(values) / Math.max(1, values.length)
const rounded = (value: number): number => Math.round(value * 100) / 100
