// Instances of a replicated machine: those that changed last, any by its key, and one of them with its chart.

import { useEffect, useState } from 'preact/hooks'
import { isNewer, type WatchedInstances } from '../../../client/watch/instance-book.ts'
import type { FeedInstance } from '../../../protocol/feed-protocol.ts'
import type { Route } from '../hooks.ts'
import { findInstances } from '../link.ts'
import { leaderOf, number } from '../logic/headline.ts'
import { duration, eventInWords, statesInWords } from '../logic/instances.ts'
import type { Store } from '../store.ts'
import { Chart } from './chart.tsx'

export interface InstancesProps {
  readonly store: Store
  /** The key of the one that is looked at; empty: none is. */
  readonly chosen: string
  readonly go: (next: Partial<Route>) => void
}

/** So soon after a key was typed it is looked for. */
const TYPED_MS = 250
/** One that is looked at is asked for so often: under load the feed passes changes over. */
const LOOK_MS = 1000

export function InstancesView({ store, chosen, go }: InstancesProps) {
  const { instances } = store.model
  const [wanted, setWanted] = useState('')
  const found = useFound(store.model.group, wanted, TYPED_MS)
  const looked = useFound(store.model.group, chosen, 0)
  if (instances === null) return <p>No member tells of instances.</p>
  const list = wanted === '' ? instances.newest : (found ?? [])
  const one = newestOf(chosen, [...instances.newest, ...(looked ?? [])])
  return (
    <section aria-label="Instances" class="instances">
      <p>
        <strong>{instances.machine}</strong>, version {instances.version}: {number(instances.total)} instances
        {wanted === '' && instances.total > list.length ? `; the ${list.length} that changed last` : ''}
      </p>
      {chosen === '' ? null : (
        <Instance store={store} machine={instances} instance={one} chosen={chosen} go={go} />
      )}
      <label class="filter">
        Find by the beginning of the key{' '}
        <input type="search" value={wanted} onInput={({ currentTarget }) => setWanted(currentTarget.value)} />
      </label>
      {wanted !== '' && found?.length === 0 ? <p>No instance has a key that begins like this.</p> : null}
      <List store={store} instances={list} chosen={chosen} go={go} />
    </section>
  )
}

/** Null: nobody has answered yet. Asked again and again while it is wanted. */
function useFound(group: string, text: string, delayMs: number): readonly FeedInstance[] | null {
  const [found, setFound] = useState<readonly FeedInstance[] | null>(null)
  useEffect(() => {
    setFound(null)
    if (text === '') return
    let timer = 0
    let isOver = false
    const ask = async (): Promise<void> => {
      const next = await findInstances(group, text)
      if (isOver) return
      setFound(next)
      timer = window.setTimeout(ask, LOOK_MS)
    }
    timer = window.setTimeout(ask, delayMs)
    return () => {
      isOver = true
      window.clearTimeout(timer)
    }
  }, [group, text])
  return found
}

function newestOf(key: string, all: readonly FeedInstance[]): FeedInstance | undefined {
  const same = all.filter((each) => each.key === key)
  return same.reduce<FeedInstance | undefined>((best, each) => (isNewer(each, best) ? each : best), undefined)
}

interface ListProps {
  readonly store: Store
  readonly instances: readonly FeedInstance[]
  readonly chosen: string
  readonly go: (next: Partial<Route>) => void
}

function List({ store, instances, chosen, go }: ListProps) {
  const { nowMs } = store
  if (instances.length === 0) return null
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {['Key', 'State', 'Moved by', 'Ago', 'Waits for'].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {instances.map(({ key, status, states, last, timers, jobs, more }) => (
            <tr key={key} class={key === chosen ? 'chosen' : ''}>
              <td class="key">
                <button type="button" class="link" onClick={() => go({ member: key })}>
                  {key}
                </button>
              </td>
              <td>
                {statesInWords(states)}
                {status === 'active' ? '' : ` (${status})`}
              </td>
              <td>{last === null ? '–' : eventInWords(last.event)}</td>
              <td>{last === null ? '–' : duration(Math.max(0, nowMs - last.atMs))}</td>
              <td>{waits(timers.length, jobs.length, more)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function waits(timers: number, jobs: number, more: number): string {
  const parts = [
    ...(timers === 0 ? [] : [`${timers} ${timers === 1 ? 'timer' : 'timers'}`]),
    ...(jobs === 0 ? [] : [`${jobs} ${jobs === 1 ? 'job' : 'jobs'}`]),
    ...(more === 0 ? [] : [`${more} more`]),
  ]
  return parts.length === 0 ? '–' : parts.join(', ')
}

interface InstanceProps {
  readonly store: Store
  readonly machine: WatchedInstances
  readonly instance: FeedInstance | undefined
  readonly chosen: string
  readonly go: (next: Partial<Route>) => void
}

function Instance({ store, machine, instance, chosen, go }: InstanceProps) {
  const close = (
    <button type="button" onClick={() => go({ member: '' })}>
      Close
    </button>
  )
  if (instance === undefined)
    return (
      <p>
        No instance {chosen} is known here. {close}
      </p>
    )
  const { key, status, states, last } = instance
  const [from = ''] = last?.from ?? []
  const drawn = { id: key, states, last: last && { event: eventInWords(last.event), from, atMs: last.atMs } }
  const json = machine.chart === null ? undefined : store.model.charts.get(machine.chart)
  return (
    <>
      {json === undefined ? (
        <p>
          <strong>{key}</strong>: {statesInWords(states)}. Its chart is too large to be drawn here.
        </p>
      ) : (
        <Chart drawn={drawn} json={json} title={key} isPast={status !== 'active'} />
      )}
      {status === 'active' ? null : <p>It has ended ({status}): it takes no more events.</p>}
      <Pending store={store} instance={instance} />
      <p>{close}</p>
    </>
  )
}

function Pending({ store, instance }: { readonly store: Store; readonly instance: FeedInstance }) {
  const { timers, jobs, more } = instance
  if (timers.length + jobs.length + more === 0) return null
  const leader = leaderOf(store.presentViews)
  return (
    <ul class="pending" aria-label="What it waits for">
      {timers.map(({ id, dueAtMs }) => (
        <li key={`timer ${id}`}>
          {eventInWords(id)}: {duration(Math.max(0, dueAtMs - store.nowMs))} left
        </li>
      ))}
      {jobs.map(({ id, src, failures = 0, dueAtMs = 0 }) => (
        <li key={`job ${id}`}>
          job {id === src ? id : `${id} (${src})`}{' '}
          {dueAtMs > store.nowMs
            ? `is tried again in ${duration(dueAtMs - store.nowMs)}`
            : leader === null
              ? 'waits for a leader to run it'
              : `runs at ${leader}`}
          {failures === 0 ? '' : `, has failed ${failures === 1 ? 'once' : `${failures} times`}`}
        </li>
      ))}
      {more === 0 ? null : <li>and {more} more</li>}
    </ul>
  )
}
