// The metrics of a real host: that they are true, that the page lists all of them, and that OpenTelemetry is told the same.

import { spawnSync } from 'node:child_process'
import type { Meter, Observable } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { Counters } from '../../../src/actors/node/counters.ts'
import { QuorateError } from '../../../src/errors.ts'
import { BusWatch } from '../../../src/host/host-figures.ts'
import { METRICS } from '../../../src/observability/metrics/metrics.ts'
import { type MeterLike, observeMetrics } from '../../../src/observability/metrics/opentelemetry.ts'
import { BYTES, ENTRIES, Histogram, SECONDS } from '../../../src/runtime/histogram.ts'
import { MemoryBus } from '../../../src/transport/memory/memory-bus.ts'
import type { TransportStatus } from '../../../src/transport/transport.ts'
import { codeIn, read, rowsOf } from '../../docs/support.ts'
import { watchedHost } from '../support.ts'

/** Name and labels to value, as Prometheus' text has it. */
function parse(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}

const typesIn = (text: string): string[] =>
  [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`).sort()

describe('/metrics', () => {
  it('counts what a member has done', async () => {
    await using watched = await watchedHost()
    const node = watched.host.node('demo')
    for (let number = 0; number < 5; number++) await node?.apply(['set', 'key', number])
    await node?.read(['get', 'key'])
    await expect(node?.apply('x'.repeat(600_000))).rejects.toThrow(/maxEntryBytes/)
    const values = parse(await (await watched.get('/metrics')).text())
    const of = (name: string) => values.get(`${name}{group="demo"}`)
    expect(values.get('quorate_role{group="demo",role="leader"}')).toBe(1)
    expect(values.get('quorate_role{group="demo",role="follower"}')).toBe(0)
    expect(values.get('quorate_proposals_total{group="demo",outcome="applied",code="OK"}')).toBe(5)
    expect(values.get('quorate_proposals_total{group="demo",outcome="not-applied",code="TOO_LARGE"}')).toBe(1)
    expect(of('quorate_commit_index')).toBe(node?.status().commitIndex)
    expect(of('quorate_committed_entries_total')).toBe(6)
    expect(of('quorate_commit_duration_seconds_count')).toBe(6)
    expect(of('quorate_apply_duration_seconds_count')).toBe(6)
    expect(of('quorate_append_batch_entries_sum')).toBe(6)
    expect(of('quorate_read_rounds_total')).toBe(1)
    expect(of('quorate_reads_total')).toBe(1)
    expect(values.get('quorate_elections_total{group="demo",reason="PRE_VOTE_WON"}')).toBe(1)
    expect(values.get('quorate_role_changes_total{group="demo",role="leader",reason="ELECTION_WON"}')).toBe(1)
    expect(values.get('quorate_members{group="demo",kind="voter"}')).toBe(1)
    expect(values.get('quorate_bus_connected')).toBe(1)
    expect(values.get('quorate_event_loop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0)
  })

  it('names every metric, by the conventions of Prometheus, and docs/metrics.md lists exactly these', async () => {
    await using watched = await watchedHost()
    const told = typesIn(await (await watched.get('/metrics')).text())
    expect(told).toEqual(METRICS.map(({ name, type }) => `${name} ${type}`).sort())
    for (const { name, type } of METRICS) {
      expect(name).toMatch(/^quorate_[a-z_]+$/)
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter'])
      if (/_(duration|age|timestamp|delay)(_|$)/.test(name)) expect(name).toMatch(/_seconds$/)
    }
    const listed = rowsOf(read('docs/metrics.md')).filter(([name = '']) => name.startsWith('`quorate_'))
    expect(listed).toEqual(
      METRICS.map(({ name, type, labels, help }) => [
        `\`${name}\``,
        type,
        labels.map((label) => `\`${label}\``).join(', '),
        help,
      ]),
    )
  })
})

describe('the bus', () => {
  it('has come back as often as it was lost before, not when it goes', () => {
    let tell = (_: TransportStatus): void => {}
    const status = (connected: boolean): TransportStatus => ({ connected, maxPayloadBytes: 1, detail: '' })
    const transport = new MemoryBus().connect('n1')
    const watch = new BusWatch({
      ...{ inbox: 'x', publish: () => true, subscribe: () => ({ unsubscribe: () => {} }) },
      ...{ status: () => status(true), close: () => transport.close() },
      onStatus: (handler) => {
        tell = handler
        return () => {}
      },
    })
    tell(status(true))
    expect(watch.figures.busReconnects).toBe(0)
    tell(status(false))
    tell(status(false))
    expect(watch.figures.busReconnects).toBe(0)
    tell(status(true))
    tell(status(true))
    expect(watch.figures).toEqual({ busConnected: true, busReconnects: 1 })
  })
})

describe('a histogram', () => {
  it('puts each value into the first bucket that holds it', () => {
    const histogram = new Histogram([1, 2, 4])
    for (const value of [0, 1, 2, 3, 4, 5, 100]) histogram.observe(value)
    expect(histogram.figures()).toEqual({ bounds: [1, 2, 4], counts: [2, 1, 2, 2], sum: 115 })
  })

  it('has bounds that ascend', () => {
    for (const bounds of [SECONDS, ENTRIES, BYTES]) expect([...bounds].sort((a, b) => a - b)).toEqual(bounds)
  })
})

describe('the counters of a node', () => {
  it('follow one entry at a time, in its own term', () => {
    const counters = new Counters()
    counters.appended(10, 10, 1, 0)
    counters.appended(10, 20, 1, 5)
    counters.committed(0, 9, 1, 20)
    expect(counters.commitSeconds.figures().sum).toBe(0)
    counters.committed(9, 10, 1, 30)
    expect(counters.commitSeconds.figures().sum).toBeCloseTo(0.03)
    counters.applied(8, 40)
    counters.applied(9, 50)
    expect(counters.applySeconds.figures().sum).toBeCloseTo(0.03)
    expect(counters.committedEntries).toBe(10)
  })

  it('forget what an office that was lost had begun', () => {
    const counters = new Counters()
    counters.appended(1, 10, 1, 0)
    counters.committed(0, 12, 2, 1000)
    counters.appended(1, 13, 3, 2000)
    counters.committed(12, 13, 3, 2010)
    expect(counters.commitSeconds.figures().sum).toBeCloseTo(0.01)
  })

  it('tell failures and roles apart by their words', () => {
    const counters = new Counters()
    counters.failed(new QuorateError('BUSY', 'full'))
    counters.failedAfterTaking(new QuorateError('LEADERSHIP_LOST', 'lost', { outcome: 'unknown' }))
    counters.failedAfterTaking(new QuorateError('LEADERSHIP_LOST', 'lost', { outcome: 'unknown' }))
    counters.becomes('candidate', 'PRE_VOTE_WON')
    expect(counters.failedAfterTaken).toBe(2)
    expect(counters.failures).toEqual([
      { code: 'BUSY', outcome: 'not-applied', count: 1 },
      { code: 'LEADERSHIP_LOST', outcome: 'unknown', count: 2 },
    ])
    expect(counters.roles).toEqual([{ role: 'candidate', reason: 'PRE_VOTE_WON', count: 1 }])
  })
})

describe('OpenTelemetry', () => {
  it('takes a meter of @opentelemetry/api, as its types say', () => {
    const fits = (meter: Meter): MeterLike<Observable> => meter
    expect(fits).toBeTypeOf('function')
  })

  it('is told the same numbers when it collects, and nothing more once that is ended', async () => {
    await using watched = await watchedHost()
    await watched.host.node('demo')?.apply(['set', 'a', 1])
    const callbacks = new Set<
      (result: { observe(name: string, value: number, labels?: object): void }) => void
    >()
    const units = new Map<string, string | undefined>()
    const create = (name: string, options?: { readonly unit?: string }): string => {
      units.set(name, options?.unit)
      return name
    }
    const meter: MeterLike<string> = {
      ...{ createObservableGauge: create, createObservableCounter: create },
      addBatchObservableCallback: (callback) => void callbacks.add(callback),
      removeBatchObservableCallback: (callback) => void callbacks.delete(callback),
    }
    const end = observeMetrics(watched.host, meter)
    const seen = new Map<string, number>()
    const observe = (name: string, value: number, labels?: object): void =>
      void seen.set(`${name} ${JSON.stringify(labels)}`, value)
    for (const callback of callbacks) callback({ observe })
    expect(seen.get('quorate_commit_index {"group":"demo"}')).toBe(2)
    expect(seen.get('quorate_proposals {"group":"demo","outcome":"applied","code":"OK"}')).toBe(1)
    expect(seen.get('quorate_commit_duration_seconds_count {"group":"demo"}')).toBe(2)
    expect(units.get('quorate_commit_duration_seconds_sum')).toBe('s')
    expect(units.get('quorate_wal_bytes')).toBe('By')
    end()
    expect(callbacks.size).toBe(0)
  })
})

describe('what examples/deploy watches with', () => {
  const names = new Set(
    METRICS.flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  )

  it.each(['examples/deploy/prometheus/alerts.yaml', 'examples/deploy/prometheus/dashboard.json'])(
    '%s names metrics that exist',
    (file) => {
      const used = [...read(file).matchAll(/\bquorate_[a-z_]+/g)].map(([name]) => name)
      expect(used.length).toBeGreaterThan(5)
      expect(used.filter((name) => !names.has(name))).toEqual([])
    },
  )

  it('rules that promtool takes, or that have the shape it asks for', () => {
    const file = 'examples/deploy/prometheus/alerts.yaml'
    const tool = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
    if (tool.error === undefined) expect(tool.stdout + tool.stderr).toMatch(/SUCCESS/)
    const rule = z.strictObject({
      alert: z.string().regex(/^Quorate[A-Z]\w+$/),
      expr: z.string().min(1),
      for: z
        .string()
        .regex(/^\d+[smh]$/)
        .optional(),
      labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
      annotations: z.strictObject({ summary: z.string(), action: z.string() }),
    })
    const rules = z.strictObject({
      groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule).min(1) })),
    })
    expect(() => rules.parse(parseYaml(read(file)))).not.toThrow()
  })

  it('a dashboard whose panels all ask something', () => {
    const panel = z.object({
      ...{ id: z.number(), title: z.string(), type: z.string() },
      gridPos: z.object({ h: z.number(), w: z.number(), x: z.number(), y: z.number() }),
      targets: z.array(z.object({ expr: z.string().min(1), refId: z.string() })).min(1),
    })
    const schema = z.object({ uid: z.string(), schemaVersion: z.number(), panels: z.array(panel).min(5) })
    const { panels } = schema.parse(JSON.parse(read('examples/deploy/prometheus/dashboard.json')))
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })

  it('the page on metrics speaks of metrics that exist', () => {
    const used = codeIn(read('docs/metrics.md')).filter((code) => /^quorate_[a-z_]+$/.test(code))
    expect(used.filter((name) => !METRICS.some((metric) => metric.name === name))).toEqual([])
  })
})
