// `--trace-one`: where the time of one write goes. One client writes, one command after the other, in the leader's process; each
// process notes when a write passes its trace points, by the machine's clock.

import { TRACE_POINTS, type TracePoint } from '../src/runtime/trace-points.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { percentileOf } from './groups/histogram.ts'
import { measurePipe } from './pipe.ts'

/** A point on the way of a write, and when it was passed. Times are milliseconds of the machine's clock that only goes forward. */
export interface Passed {
  readonly point: TracePoint
  readonly atMs: number
}

/** A write of the client: when it was begun, and when its result was there. */
export interface Traced {
  readonly fromMs: number
  readonly toMs: number
}

export interface TraceRow {
  readonly mode: 'trace'
  readonly where: string
  readonly point: TracePoint | 'result'
  /** After the write was begun; medians and 90th percentiles over all writes. */
  readonly p50ms: number
  readonly p90ms: number
  /** In how many of the writes it was passed. */
  readonly count: number
}

export interface TraceOptions extends ClusterOptions {
  readonly writes: number
  readonly size: number
  readonly pipe: string
  readonly progress: (line: string) => void
}

const WARM_UP = 300

export async function measureTrace(options: TraceOptions): Promise<readonly TraceRow[]> {
  const { writes, size, progress } = options
  const pipe = await measurePipe(options.pipe, { directory: options.directory, clients: 1, size, seconds: 2 })
  const cluster = await Cluster.start(options)
  try {
    const { id, child } = await cluster.leader()
    progress(`${writes} writes, one after the other, at ${id} …`)
    await child.ask('traced', { kind: 'trace', commits: WARM_UP, size })
    for (const member of cluster.members.values()) await member.ask('passed', { kind: 'passed' })
    const { writes: traced } = await child.ask('traced', { kind: 'trace', commits: writes, size })
    const rows: TraceRow[] = []
    for (const [name, member] of cluster.members) {
      const { passed } = await member.ask('passed', { kind: 'passed' })
      rows.push(...rowsOf(name === id ? 'leader' : `follower ${name}`, traced, passed))
    }
    const took = traced.map(({ fromMs, toMs }) => toMs - fromMs)
    rows.push(rowOf('leader', 'result', took))
    progress(`a write took ${rowOf('', 'result', took).p50ms} ms; one over the bare pipe ${pipe.p50ms} ms`)
    return rows.toSorted((a, b) => a.p50ms - b.p50ms)
  } finally {
    await cluster.stop()
  }
}

/** When each point was passed first in each write. What another write has caused is not counted, as far as times tell. */
export function rowsOf(
  where: string,
  writes: readonly Traced[],
  passed: readonly Passed[],
): readonly TraceRow[] {
  const after = new Map<TracePoint, number[]>()
  let next = 0
  for (const { fromMs, toMs } of writes) {
    const seen = new Set<TracePoint>()
    for (let one = passed[next]; one !== undefined && one.atMs <= toMs; one = passed[++next]) {
      if (one.atMs < fromMs || seen.has(one.point)) continue
      seen.add(one.point)
      after.set(one.point, [...(after.get(one.point) ?? []), one.atMs - fromMs])
    }
  }
  return TRACE_POINTS.flatMap((point) => {
    const times = after.get(point)
    return times === undefined ? [] : [rowOf(where, point, times)]
  })
}

function rowOf(where: string, point: TraceRow['point'], times: readonly number[]): TraceRow {
  const rounded = (ms: number): number => Math.round(ms * 1000) / 1000
  const [p50ms, p90ms] = [rounded(percentileOf(times, 0.5)), rounded(percentileOf(times, 0.9))]
  return { mode: 'trace', where, point, p50ms, p90ms, count: times.length }
}

const WIDTH = 50

/** The way of a write as lines, from left to right, one for each point. */
export function wayOf(rows: readonly TraceRow[]): readonly string[] {
  const all = Math.max(...rows.map(({ p50ms }) => p50ms), Number.EPSILON)
  const names = rows.map(({ where, point }) => `${where}: ${point}`)
  const width = Math.max(0, ...names.map((name) => name.length))
  return rows.map(({ p50ms }, at) => {
    const left = Math.round((WIDTH * p50ms) / all)
    return `${(names[at] ?? '').padEnd(width)} ${p50ms.toFixed(3).padStart(7)} ms ${'·'.repeat(left)}█`
  })
}
