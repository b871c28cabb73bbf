// The metrics as Prometheus reads them, by its own client library. A registry is filled for each answer: what is counted is
// counted elsewhere, in plain numbers.

import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { HistogramFigures } from '../../runtime/histogram.ts'
import type { HostFigures } from '../figures.ts'
import type { HistogramMetric, Moment, Sample } from './definition.ts'
import { watchLoopDelay } from './loop-delay.ts'
import { METRICS } from './metrics.ts'

/** What a page needs: the text, and the type to send it as. */
export function prometheusMetrics() {
  const loopDelay = watchLoopDelay()
  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    text: (figures: HostFigures): Promise<string> => render({ figures, loopDelay: loopDelay() }),
  }
}

function render(moment: Moment): Promise<string> {
  const registry = new Registry()
  for (const metric of METRICS) {
    const { name, help, labels } = metric
    const shape = { name, help, labelNames: [...labels], registers: [registry] }
    if (metric.type === 'histogram') new Counted(shape, metric, moment)
    else if (metric.type === 'gauge') {
      const gauge = new Gauge(shape)
      for (const sample of metric.read(moment)) gauge.set(sample.labels, sample.value)
    } else {
      const counter = new Counter(shape)
      for (const sample of metric.read(moment)) counter.inc(sample.labels, Math.max(0, sample.value))
    }
  }
  return registry.metrics()
}

/** A histogram that was counted already: prom-client's own takes single values only. */
class Counted extends Histogram {
  readonly #samples: readonly Sample<HistogramFigures>[]
  readonly #metric: HistogramMetric

  constructor(shape: ConstructorParameters<typeof Histogram>[0], metric: HistogramMetric, moment: Moment) {
    super(shape)
    this.#metric = metric
    this.#samples = metric.read(moment)
  }

  /** What the registry, and `get`, ask for; prom-client's types know nothing of it. */
  async getForPromString() {
    const { name, help, type } = this.#metric
    return { name, help, type, values: this.#samples.flatMap((sample) => valuesOf(name, sample)) }
  }
}

function valuesOf(name: string, { labels, value: { bounds, counts, sum } }: Sample<HistogramFigures>) {
  let total = 0
  const buckets = counts.map((count, bucket) => {
    total += count
    const le = bounds[bucket] ?? '+Inf'
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total }
  })
  const ends = [
    { metricName: `${name}_sum`, labels: { ...labels }, value: sum },
    { metricName: `${name}_count`, labels: { ...labels }, value: total },
  ]
  return [...buckets, ...ends]
}
