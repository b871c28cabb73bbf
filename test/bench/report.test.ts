// The benchmark's report, drawn without measuring anything.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Chart, drawChart } from '../../bench/report/chart.ts'
import { drawReport } from '../../bench/report/draw.ts'
import { readResults } from '../../bench/report/results.ts'
import { linearUp, logAcross, logUp } from '../../bench/report/scales.ts'
import { sectionsOf } from '../../bench/report/sections.ts'
import { element, escaped, exact, short, shortBytes } from '../../bench/report/svg.ts'

const machine = { cpu: 'A & B <fast>', cores: 2, node: 'v20.19.0', at: '2026-01-02T03:04:05.678Z' }
const row = (mode: string, more: object = {}) => ({
  ...{
    mode,
    clients: 64,
    size: 100,
    members: 3,
    commitsPerSecond: 1000,
    p50ms: 2,
    p99ms: 9,
    shareOfPipe: 0.5,
  },
  ...more,
})
const groups = (count: number, figure: string, value: number) => ({
  ...{ mode: 'groups', groups: count, figure, value, unit: 'ms' },
})
const fileOf = (...results: object[]): string => JSON.stringify({ machine, results })

describe('a scale', () => {
  test('over an axis reaches from end to end, with ticks at the figures that have room', () => {
    const axis = logAcross([1, 4, 16, 17, 64], 50, 350, 30)
    expect([axis.at(1), axis.at(64), axis.at(8)].map(Math.round)).toEqual([50, 350, 200])
    expect(axis.ticks).toEqual([1, 4, 16, 64])
  })

  test('up an axis has round ticks, not too many, within round ends', () => {
    expect(logUp([120, 90_000], 200, 0).ticks).toEqual([100, 1000, 10_000, 100_000])
    expect(logUp([1.2, 80], 200, 0).ticks).toEqual([1, 2, 5, 10, 20, 50, 100])
    expect(logUp([1, 1e12], 200, 0).ticks.length).toBeLessThanOrEqual(7)
    expect(linearUp([0.2, 0.9], 200, 0).ticks).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1])
    expect(linearUp([0.2, 0.9], 200, 0).at(0)).toBe(200)
  })

  test('has a length even for one figure, none, or zero', () => {
    for (const axis of [logAcross([8], 0, 100, 30), logUp([8], 0, 100), linearUp([0], 0, 100)])
      expect(Number.isFinite(axis.at(8))).toBe(true)
    expect(Number.isFinite(logUp([0], 0, 100).at(1))).toBe(true)
    expect(logAcross([], 0, 100, 30).ticks).toEqual([])
  })
})

describe('text', () => {
  test('that means something in markup is escaped, in elements and attributes', () => {
    expect(escaped(`<b a="1">'&'`)).toBe('&lt;b a=&quot;1&quot;&gt;&#39;&amp;&#39;')
    expect(element('g', { class: 'a"b' }, 'x')).toBe('<g class="a&quot;b">x</g>')
  })

  test('of numbers is short on axes and exact in tables', () => {
    expect([1500, 0.25, 120_000].map(short)).toEqual(['1.5K', '0.25', '120K'])
    expect([1500, 0.2512345, 123_456.7].map(exact)).toEqual(['1,500', '0.2512', '123,457'])
    expect([16, 1024, 262_144].map(shortBytes)).toEqual(['16', '1K', '256K'])
  })
})

describe('a plot', () => {
  const chart: Chart = {
    ...{ title: 'Speed <fast>', xLabel: 'clients', yLabel: 'per s', yScale: 'log' },
    series: [
      {
        name: 'ours',
        color: 1,
        points: [
          { x: 4, y: 400 },
          { x: 1, y: 100 },
          { x: 16, y: 0 },
        ],
      },
      { name: 'theirs & more', color: 2, isDashed: true, points: [{ x: 1, y: 10 }] },
    ],
  }

  test('has title, names of both axes, a line in order, a dot for each figure, and a legend', () => {
    const drawn = drawChart(chart)
    expect(drawn).toContain('<figcaption>Speed &lt;fast&gt;</figcaption>')
    expect(drawn).toContain('>clients</text>')
    expect(drawn).toContain('>per s</text>')
    expect(drawn).toContain('<title>ours, 4: 400</title>')
    expect(drawn).toContain('theirs &amp; more</li>')
    // A logarithm has no place for zero.
    expect(drawn).not.toContain('ours, 16')
    const xs = [...(/<path d="M([\d.]+),[\d.]+L([\d.]+),/.exec(drawn)?.slice(1) ?? [])].map(Number)
    expect(xs[0]).toBeLessThan(xs[1] ?? 0)
    expect(drawn).not.toMatch(/NaN|undefined|Infinity/)
  })

  test('of one line has no legend', () => {
    expect(drawChart({ ...chart, series: chart.series.slice(0, 1) })).not.toContain('legend')
  })
})

describe('results', () => {
  test('become lines over what differs, all else being equal', () => {
    const results = readResults(
      fileOf(
        row('embedded', { clients: 1, commitsPerSecond: 10 }),
        row('embedded', { clients: 64, commitsPerSecond: 20 }),
        row('pipe', { clients: 64, shareOfPipe: 1 }),
        row('pipe', { clients: 1, shareOfPipe: 1 }),
        row('etcd', { clients: 64 }),
        row('embedded', { clients: 64, size: 4096, commitsPerSecond: 5 }),
        // Measured again: the last time counts.
        row('embedded', { clients: 64, commitsPerSecond: 30 }),
      ),
    )
    const [clients, sizes, ...more] = sectionsOf(results)
    expect(more).toEqual([])
    expect(clients?.title).toBe('Clients')
    const [commits, share] = clients?.charts ?? []
    expect(commits?.series.map(({ name, points }) => [name, points])).toEqual([
      [
        'embedded',
        [
          { x: 1, y: 10 },
          { x: 64, y: 30 },
        ],
      ],
      [
        'bare pipe',
        [
          { x: 64, y: 1000 },
          { x: 1, y: 1000 },
        ],
      ],
    ])
    expect(share?.series.map(({ name }) => name)).toEqual(['embedded'])
    expect(sizes?.charts[1]).toMatchObject({ title: 'Bytes committed' })
    expect(sizes?.charts[1]?.series[0]?.points).toContainEqual({ x: 4096, y: (5 * 4096) / 1e6 })
  })

  test('of groups and of logs have plots of their own', () => {
    const figure = 'killed: write accepted again, last'
    const results = readResults(
      fileOf(
        ...[groups(10, figure, 200), groups(100, figure, 900)],
        { mode: 'open', entries: 1000, openMs: 100, rssMb: 80 },
        { mode: 'open', entries: 10_000, openMs: 110, rssMb: 81 },
      ),
    )
    const [killed, opened] = sectionsOf(results)
    expect(killed?.charts.map(({ title }) => title)).toEqual(['A process is killed: groups are back'])
    expect(opened?.charts.map(({ yLabel }) => yLabel)).toEqual(['ms', 'MB'])
  })

  test('of older runs are read, and what cannot be drawn is passed over', () => {
    const { members: _, ...old } = row('remote')
    expect(readResults(fileOf(old, { mode: 'failover', kills: 3 })).throughput).toHaveLength(1)
  })

  test.each([
    ['no JSON', 'machine and results are missing'],
    ['{"results": []}', 'machine and results are missing'],
    [fileOf({ mode: 'failover' }), 'There is nothing in it to draw'],
  ])('that are none are refused: %s', (text, why) => {
    expect(() => readResults(text)).toThrow(why)
  })
})

describe('the page', () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-report-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('is one file without scripts and links, and says on what it was measured, and what was not', () => {
    const [from, to] = [join(directory, 'results.json'), join(directory, 'deep', 'report.html')]
    const missing = { mode: 'missing', what: 'etcd', why: 'It was <not> found.' }
    writeFileSync(from, fileOf(row('embedded'), row('embedded', { clients: 1 }), missing))
    drawReport(from, to)
    const page = readFileSync(to, 'utf8')
    expect(page).not.toMatch(/<script|<link|\bsrc=|https?:|url\(/)
    expect(page).toContain('2 cores (A &amp; B &lt;fast&gt;)')
    expect(page).toContain('measured 2026-01-02 03:04 UTC')
    expect(page).toContain('Not measured: etcd. It was &lt;not&gt; found.')
    expect(page).toContain('prefers-color-scheme: dark')
    expect(page).toMatch(/<td>1,000<\/td>/)
  })

  test('names the file that it cannot be drawn from', () => {
    const nowhere = join(directory, 'nowhere.json')
    expect(() => drawReport(nowhere, join(directory, 'x.html'))).toThrow(
      `No report can be drawn from ${nowhere}: `,
    )
  })
})
