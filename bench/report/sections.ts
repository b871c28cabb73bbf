// From results to plots: which figures are drawn over which axis.

import type { Chart, Point, Series } from './chart.ts'
import type { GroupsFigure, OpenRow, Results, ThroughputRow } from './results.ts'
import { exact, shortBytes } from './svg.ts'

export interface Section {
  readonly title: string
  readonly text: string
  readonly charts: readonly Chart[]
}

type Mode = ThroughputRow['mode']
type Dimension = 'clients' | 'size' | 'members'
const DIMENSIONS: readonly Dimension[] = ['clients', 'size', 'members']

const STYLES: Readonly<Record<Mode, Omit<Series, 'points'>>> = {
  embedded: { name: 'embedded', color: 1 },
  pipe: { name: 'bare pipe', color: 1, isDashed: true },
  remote: { name: 'remote', color: 2 },
  remotePipe: { name: 'bare pipe, remote', color: 2, isDashed: true },
  kv: { name: 'key-value, remote', color: 3, isDashed: true },
  etcd: { name: 'etcd', color: 3 },
  jetstream: { name: 'JetStream R3, no sync', color: 4 },
}

/** Only what has at least two figures beside each other. */
export function sectionsOf({ throughput, groups, opens }: Results): readonly Section[] {
  return [
    over(throughput, 'clients', 'Clients', 'clients, each with one command under way'),
    over(throughput, 'size', 'Entry size', 'bytes of a command (K: 1,024)', shortBytes),
    over(throughput, 'members', 'Members', 'members of the group'),
    groupsSection(groups),
    opensSection(opens),
  ].flatMap((section) => {
    const charts = section.charts.filter(({ series }) => series.some(({ points }) => points.length > 1))
    return charts.length === 0 ? [] : [{ ...section, charts }]
  })
}

function over(
  all: readonly ThroughputRow[],
  dimension: Dimension,
  title: string,
  xLabel: string,
  xFormat: (value: number) => string = exact,
): Section {
  const rows = alike(all, dimension)
  const chart = (chartTitle: string, yLabel: string, yScale: Chart['yScale'], value: Value): Chart => ({
    ...{ title: chartTitle, xLabel, yLabel, yScale, xFormat },
    series: linesOf(rows, dimension, value),
  })
  const isShare = ({ mode }: ThroughputRow): boolean => mode !== 'pipe' && mode !== 'remotePipe'
  return {
    title,
    text: `${sentenceOf(rows, dimension)} Embedded has its load in the leader's process, remote in a client process; each is a share of the bare pipe of its form, which was measured just before.`,
    charts: [
      chart('Commits per second', 'commits/s', 'log', (row) => row.commitsPerSecond),
      ...(dimension === 'size'
        ? [chart('Bytes committed', 'MB/s', 'log', (row) => (row.commitsPerSecond * row.size) / 1e6)]
        : []),
      chart('Share of the bare pipe', 'commits, share of the pipe’s', 'linear', (row) =>
        isShare(row) ? row.shareOfPipe : null,
      ),
      chart('Latency, median', 'ms', 'log', (row) => row.p50ms),
      chart('Latency, 99th percentile', 'ms', 'log', (row) => row.p99ms),
    ],
  }
}

/** Null: this row has none. */
type Value = (row: ThroughputRow) => number | null

/** One line for each mode. What was measured twice is told as it was measured last; what was measured at one
 * place only is no line. */
function linesOf(rows: readonly ThroughputRow[], dimension: Dimension, value: Value): readonly Series[] {
  const lines = new Map<Mode, Map<number, number>>()
  for (const row of rows) {
    const y = value(row)
    if (y !== null) lines.set(row.mode, (lines.get(row.mode) ?? new Map()).set(row[dimension], y))
  }
  const order = Object.keys(STYLES)
  return [...lines]
    .filter(([, points]) => points.size > 1)
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .map(([mode, points]) => ({ ...STYLES[mode], points: [...points].map(([x, y]) => ({ x, y })) }))
}

/** Rows that differ in this one only: those that make the longest line. */
function alike(rows: readonly ThroughputRow[], dimension: Dimension): readonly ThroughputRow[] {
  const rest = DIMENSIONS.filter((each) => each !== dimension)
  const families = new Map<string, ThroughputRow[]>()
  for (const row of rows) {
    const key = rest.map((each) => row[each]).join()
    families.set(key, [...(families.get(key) ?? []), row])
  }
  const lengthOf = (family: readonly ThroughputRow[]): number =>
    new Set(family.map((row) => row[dimension])).size
  return [...families.values()].sort((a, b) => lengthOf(b) - lengthOf(a))[0] ?? []
}

function sentenceOf([row]: readonly ThroughputRow[], dimension: Dimension): string {
  if (row === undefined) return ''
  const parts = {
    clients: `${exact(row.clients)} clients`,
    size: `commands of ${exact(row.size)} bytes`,
    members: row.members === 1 ? 'one member' : `${row.members} members`,
  }
  const said = DIMENSIONS.filter((each) => each !== dimension).map((each) => parts[each])
  return `With ${said.join(' and ')}.`
}

function groupsSection(figures: readonly GroupsFigure[]): Section {
  const xLabel = 'groups, three members each'
  const series = (figure: string, name: string, color: Series['color'], isDashed = false): Series => ({
    ...{ name, color, isDashed },
    points: figures.flatMap((row): Point[] =>
      row.figure === figure ? [{ x: row.groups, y: row.value }] : [],
    ),
  })
  const chart = (
    title: string,
    yLabel: string,
    yScale: Chart['yScale'],
    lines: readonly Series[],
  ): Chart => ({
    ...{ title, xLabel, yLabel, yScale, xFormat: exact, series: lines },
  })
  return {
    title: 'Groups',
    text: 'Three processes carry one member of each group, and each leads every third. A process that leads a third of the groups is killed: a group is back when it has accepted a write of its new leader.',
    charts: [
      chart('Commits per second, all groups', 'commits/s', 'log', [
        series('commits in all groups', 'all groups', 1),
        series('commits in one group', 'one group, as many clients', 1, true),
      ]),
      chart('Share of one group', 'commits, share of one group’s', 'linear', [
        series('all groups, share of one group', 'share', 1),
      ]),
      chart('A process is killed: groups are back', 'ms after the kill', 'linear', [
        series('killed: write accepted again, p50', 'half of them', 1, true),
        series('killed: write accepted again, last', 'all of them', 1),
      ]),
      chart('Processor while idle', '% of a core, three processes', 'linear', [
        series('processor while idle, all processes', 'processor', 1),
      ]),
      chart('Messages while idle', 'messages/s', 'linear', [series('messages while idle', 'messages', 1)]),
      chart('Memory of a group in a process', 'kB', 'log', [
        series('memory of a group in a process', 'memory', 1),
      ]),
      chart('Opening', 'ms', 'linear', [series('open a host with its groups', 'open a host', 1)]),
    ],
  }
}

function opensSection(opens: readonly OpenRow[]): Section {
  const chart = (title: string, yLabel: string, value: (row: OpenRow) => number): Chart => ({
    ...{ title, yLabel, xLabel: 'entries of 100 bytes in the log', yScale: 'linear' },
    series: [{ name: 'open', color: 1, points: opens.map((row) => ({ x: row.entries, y: value(row) })) }],
  })
  return {
    title: 'Log length at open',
    text: 'A fresh process opens its host and starts a member with a log of this length and no snapshot.',
    charts: [
      chart('Time until it is open', 'ms', ({ openMs }) => openMs),
      chart('Memory of the process then', 'MB', ({ rssMb }) => rssMb),
    ],
  }
}
