// The charts of one member: the node's with the active state and the transition that has just fired, and its helpers small.

import type { WatchedActor } from '../../../client/watch/member-model.ts'
import type { Route } from '../hooks.ts'
import { leaderOf } from '../logic/headline.ts'
import { CONDITIONS } from '../logic/member-view.ts'
import type { Store } from '../store.ts'
import { Chart, type Drawn } from './chart.tsx'
import { Timers } from './timers.tsx'

export interface ChartsProps {
  readonly store: Store
  readonly member: string
  readonly go: (next: Partial<Route>) => void
}

export function ChartsView({ store, member: wanted, go }: ChartsProps) {
  const views = store.presentViews
  const id = views.some((view) => view.id === wanted) ? wanted : (leaderOf(views) ?? views[0]?.id ?? '')
  const member = store.model.members.get(id)
  if (member === undefined) return <p>No member is seen yet.</p>
  const root = member.actors.get(id)
  const condition = views.find((view) => view.id === id)?.condition ?? 'unknown'
  const isPast = member.state !== 'live' || condition === 'dead'
  const helpers = [...member.actors.values()].filter((actor) => actor.id !== id && actor.chart !== null)
  return (
    <section aria-label="Charts">
      <fieldset class="picker">
        <legend>Whose charts</legend>
        {views.map((view) => (
          <button
            key={view.id}
            type="button"
            aria-pressed={view.id === id}
            onClick={() => go({ member: view.id })}
          >
            {view.id}
          </button>
        ))}
      </fieldset>
      {root?.chart === null || root === undefined ? (
        <p>Member {id} is not heard: there is no chart of it.</p>
      ) : (
        <Chart
          drawn={drawnOf(root)}
          json={store.model.charts.get(root.chart)}
          title={`The node ${id}`}
          isPast={isPast}
        />
      )}
      {isPast ? (
        <p>
          {CONDITIONS[condition].word}: this is where {id} was when it was last heard.
        </p>
      ) : null}
      <Timers store={store} member={member} />
      <div class="helpers">
        {helpers.map((actor) => (
          <Chart
            key={actor.id}
            drawn={drawnOf(actor)}
            json={store.model.charts.get(actor.chart ?? '')}
            title={actor.id.slice(id.length + 1)}
            isSmall
          />
        ))}
      </div>
    </section>
  )
}

function drawnOf({ id, state, last }: WatchedActor): Drawn {
  return { id, states: [state], last }
}
