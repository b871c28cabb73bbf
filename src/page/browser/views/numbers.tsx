// Numbers over time, and as tables.

import { number } from '../logic/headline.ts'
import { CONDITIONS } from '../logic/member-view.ts'
import { lagOf } from '../logic/ring.ts'
import type { Store } from '../store.ts'
import { Plot } from './plot.tsx'
import { Sortable } from './sortable.tsx'

const MEMBERS = [
  { id: 'id', title: 'Member' },
  { id: 'what', title: 'Is' },
  { id: 'term', title: 'Term', isNumber: true },
  { id: 'last', title: 'Written', isNumber: true },
  { id: 'durable', title: 'On disk', isNumber: true },
  { id: 'commit', title: 'Committed', isNumber: true },
  { id: 'applied', title: 'Applied', isNumber: true },
  { id: 'lag', title: 'Behind', isNumber: true },
  { id: 'pending', title: 'Proposals waiting', isNumber: true },
  { id: 'disk', title: 'Disk write p50 / p99, ms' },
]

const REPLICATORS = [
  { id: 'peer', title: 'To' },
  { id: 'state', title: 'State' },
  { id: 'matchIndex', title: 'Has', isNumber: true },
  { id: 'nextIndex', title: 'Gets next', isNumber: true },
  { id: 'inFlightEntries', title: 'On the way', isNumber: true },
  { id: 'contact', title: 'Answered, ms ago', isNumber: true },
]

export function NumbersView({ store }: { readonly store: Store }) {
  const { rows } = store.series
  const views = store.presentViews
  const leader = views.find(({ condition }) => condition === 'leader')
  const members = views.map(({ id, condition, term, indexes, status }) => ({
    ...{ key: id, id, what: CONDITIONS[condition].word, term },
    ...{ last: indexes?.last ?? null, durable: indexes?.durable ?? null },
    ...{ commit: indexes?.commit ?? null, applied: indexes?.applied ?? null },
    lag: indexes === null ? null : lagOf(indexes, views),
    pending: status?.pendingProposals ?? null,
    disk: status?.diskWrites == null ? null : `${status.diskWrites.p50Ms} / ${status.diskWrites.p99Ms}`,
  }))
  const replicators = (leader?.status?.replicators ?? []).map(
    ({ peer, state, matchIndex, nextIndex, inFlightEntries, lastContactAtMs }) => ({
      ...{ key: peer, peer, state, matchIndex, nextIndex, inFlightEntries },
      contact: lastContactAtMs === null ? null : Math.max(0, Math.round(store.nowMs - lastContactAtMs)),
    }),
  )
  const ids = views.map(({ id }) => id).slice(0, MAX_LINES)
  return (
    <section aria-label="Numbers">
      <div class="plots">
        <Plot
          title="Commits per second"
          rows={rows}
          lines={[{ name: 'commits/s', of: (row) => row.commitsPerSecond }]}
        />
        <Plot
          title="Commit latency, ms"
          rows={rows}
          lines={[
            { name: 'p50', of: (row) => row.p50Ms },
            { name: 'p99', of: (row) => row.p99Ms },
          ]}
        />
        <Plot
          title="Lag, entries"
          rows={rows}
          lines={ids.map((id) => ({ name: id, of: (row) => row.lag.get(id) ?? null }))}
        />
        <Plot
          title="Disk writes with their sync, p99 since the start, ms"
          rows={rows}
          lines={ids.map((id) => ({ name: id, of: (row) => row.diskP99Ms.get(id) ?? null }))}
        />
        <Plot
          title="Waiting for the leader's disk, kB"
          rows={rows}
          lines={[
            {
              name: 'kB',
              of: ({ undurableBytes }) => (undurableBytes === null ? null : undurableBytes / 1000),
            },
          ]}
        />
      </div>
      <Sortable caption={`${number(members.length)} members`} columns={MEMBERS} rows={members} />
      {replicators.length === 0 ? null : (
        <Sortable
          caption={`What ${leader?.id ?? 'the leader'} sends`}
          columns={REPLICATORS}
          rows={replicators}
        />
      )}
    </section>
  )
}

/** More lines in one plot cannot be told apart. */
const MAX_LINES = 9
