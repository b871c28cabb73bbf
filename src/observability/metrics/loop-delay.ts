// How late timers of this process are. It is measured from the first time on that somebody asks for metrics.

import { monitorEventLoopDelay } from 'node:perf_hooks'

const RESOLUTION_MS = 20
const NANOS = 1e9

/** Answers with what has been since it was asked last. */
export function watchLoopDelay(): () => Readonly<Record<string, number>> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  return () => {
    if (histogram.count === 0) return { '0.5': 0, '0.99': 0, '1': 0 }
    // What is measured is the whole interval, of which the resolution was meant.
    const late = (nanos: number): number => Math.max(0, nanos / NANOS - RESOLUTION_MS / 1000)
    const delays = {
      '0.5': late(histogram.percentile(50)),
      '0.99': late(histogram.percentile(99)),
      '1': late(histogram.max),
    }
    histogram.reset()
    return delays
  }
}
