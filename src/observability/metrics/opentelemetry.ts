// The same metrics for OpenTelemetry: observable instruments, which ask when an exporter collects. The meter is handed in,
// so that nothing here needs the package; `Meter` of `@opentelemetry/api` fits.

import type { Observed } from '../figures.ts'
import type { Labels, Metric, Moment } from './definition.ts'
import { watchLoopDelay } from './loop-delay.ts'
import { METRICS } from './metrics.ts'

interface InstrumentOptions {
  readonly description?: string
  readonly unit?: string
}

/** The part of OpenTelemetry's `Meter` that is used. */
export interface MeterLike<Instrument> {
  createObservableGauge(name: string, options?: InstrumentOptions): Instrument
  createObservableCounter(name: string, options?: InstrumentOptions): Instrument
  addBatchObservableCallback(
    callback: (result: BatchResult<Instrument>) => void,
    observables: Instrument[],
  ): void
  removeBatchObservableCallback(
    callback: (result: BatchResult<Instrument>) => void,
    observables: Instrument[],
  ): void
}

interface BatchResult<Instrument> {
  observe(instrument: Instrument, value: number, attributes?: Record<string, string>): void
}

interface Series<Instrument> {
  readonly instrument: Instrument
  readonly read: (moment: Moment) => readonly { readonly labels: Labels; readonly value: number }[]
}

/**
 * Tells an OpenTelemetry meter about a host whenever its exporter collects: names without `_total`, histograms as their
 * `_sum` and `_count`.
 *
 * @example const end = observeMetrics(host, metrics.getMeter('quorate'))
 * @returns what ends it
 */
export function observeMetrics<Instrument>(observed: Observed, meter: MeterLike<Instrument>): () => void {
  const loopDelay = watchLoopDelay()
  const series = METRICS.flatMap((metric) => seriesOf(meter, metric))
  const instruments = series.map(({ instrument }) => instrument)
  const tell = (result: BatchResult<Instrument>): void => {
    const moment = { figures: observed.figures(), loopDelay: loopDelay() }
    for (const { instrument, read } of series) {
      for (const { labels, value } of read(moment)) result.observe(instrument, value, { ...labels })
    }
  }
  meter.addBatchObservableCallback(tell, instruments)
  return () => meter.removeBatchObservableCallback(tell, instruments)
}

function seriesOf<Instrument>(meter: MeterLike<Instrument>, metric: Metric): Series<Instrument>[] {
  const options = { description: metric.help, unit: unitOf(metric.name) }
  const name = metric.name.replace(/_total$/, '')
  if (metric.type !== 'histogram') {
    const create = metric.type === 'gauge' ? 'createObservableGauge' : 'createObservableCounter'
    return [{ instrument: meter[create](name, options), read: metric.read }]
  }
  return [
    {
      instrument: meter.createObservableCounter(`${name}_sum`, options),
      read: (moment) => metric.read(moment).map(({ labels, value }) => ({ labels, value: value.sum })),
    },
    {
      instrument: meter.createObservableCounter(`${name}_count`, { ...options, unit: '1' }),
      read: (moment) =>
        metric.read(moment).map(({ labels, value }) => ({
          labels,
          value: value.counts.reduce((sum, count) => sum + count, 0),
        })),
    },
  ]
}

/** As UCUM writes it. */
function unitOf(name: string): string {
  if (name.endsWith('_seconds')) return 's'
  return name.endsWith('_bytes') ? 'By' : '1'
}
