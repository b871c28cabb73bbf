// Every metric there is: those of each group, and those of the process.

import type { HostFigures } from '../figures.ts'
import { histogramOfHost, type Metric, ofHost, sampleOf } from './definition.ts'
import { GROUP_METRICS } from './group-metrics.ts'

function dropsByReason({ drops }: HostFigures): ReadonlyMap<string, number> {
  const sums = new Map<string, number>()
  for (const { reason, count } of drops) sums.set(reason, (sums.get(reason) ?? 0) + count)
  return sums
}

const HOST_METRICS: readonly Metric[] = [
  {
    ...{ type: 'gauge', name: 'quorate_host_info', labels: ['member'] },
    help: 'Always 1; says whose process this is.',
    read: ({ figures }) => [sampleOf(1, { member: figures.id })],
  },
  {
    ...{ type: 'counter', name: 'quorate_dropped_messages_total', labels: ['reason'] },
    help: 'Messages from the bus that were dropped.',
    read: ({ figures }) => [...dropsByReason(figures)].map(([reason, count]) => sampleOf(count, { reason })),
  },
  ofHost('gauge', 'quorate_bus_connected', '1 while the bus is connected.', (host) => host.busConnected),
  ofHost(
    'counter',
    'quorate_bus_reconnects_total',
    'How often the bus came back.',
    (host) => host.busReconnects,
  ),
  histogramOfHost(
    'quorate_disk_write_duration_seconds',
    'One transaction with its sync, for all groups together.',
    ({ storage }) => storage?.writeSeconds ?? null,
  ),
  histogramOfHost(
    'quorate_disk_write_batch_bytes',
    'What one transaction wrote.',
    ({ storage }) => storage?.writeBytes ?? null,
  ),
  ofHost(
    'gauge',
    'quorate_wal_bytes',
    'Size of the write-ahead log.',
    ({ storage }) => storage?.walBytes ?? null,
  ),
  ofHost(
    'gauge',
    'quorate_database_bytes',
    'Size of the database that the logs of all groups are in.',
    ({ storage }) => storage?.databaseBytes ?? null,
  ),
  {
    ...{ type: 'gauge', name: 'quorate_event_loop_delay_seconds', labels: ['quantile'] },
    help: 'How late timers of this process were since metrics were asked for last.',
    read: ({ loopDelay }) =>
      Object.entries(loopDelay).map(([quantile, value]) => sampleOf(value, { quantile })),
  },
]

export const METRICS: readonly Metric[] = [...GROUP_METRICS, ...HOST_METRICS]
