// The group: members in a ring, who leads, and how far each has got. Many members stand in rows instead.

import type { Route } from '../hooks.ts'
import { leaderOf } from '../logic/headline.ts'
import { CONDITIONS, type Condition, type MemberView } from '../logic/member-view.ts'
import { type Place, RING_MEMBERS, ringOf, scaleOf } from '../logic/ring.ts'
import type { Store } from '../store.ts'
import { MemberCard } from './member-card.tsx'

export interface GroupProps {
  readonly store: Store
  readonly go: (next: Partial<Route>) => void
}

export function GroupView({ store, go }: GroupProps) {
  const { views } = store
  const isRing = views.length > 1 && views.length <= RING_MEMBERS
  const places = ringOf(views.length)
  const scale = scaleOf(views)
  return (
    <section aria-label="Members of the group" class={store.lookAtMs === null ? '' : 'past'}>
      <div class={isRing ? `ring of-${views.length}` : 'rows'}>
        {isRing ? <Arrows store={store} views={views} places={places} /> : null}
        {views.map((view, at) => {
          const { x = 0.5, y = 0.5 } = places[at] ?? {}
          const place = isRing ? { left: `${x * 100}%`, top: `${y * 100}%` } : {}
          return (
            <div key={view.id} class="place" style={place}>
              <MemberCard
                store={store}
                view={view}
                views={views}
                scale={scale}
                isSmall={views.length > RING_MEMBERS}
                go={go}
              />
            </div>
          )
        })}
      </div>
      <Legend />
    </section>
  )
}

interface ArrowsProps {
  readonly store: Store
  readonly views: readonly MemberView[]
  readonly places: readonly Place[]
}

/** Lines from the leader to those who follow it, and requests on their way. */
function Arrows({ store, views, places }: ArrowsProps) {
  const leader = leaderOf(views)
  const placeOf = (id: string): Place | undefined => places[views.findIndex((view) => view.id === id)]
  const from = leader === null ? undefined : placeOf(leader)
  return (
    <svg class="arrows" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      {from === undefined
        ? null
        : views.map((view) => {
            const to = placeOf(view.id)
            if (view.id === leader || to === undefined) return null
            const follows = view.leader === leader && view.condition !== 'dead' && view.condition !== 'silent'
            return <line key={view.id} class={follows ? 'follows' : 'lost'} {...lineOf(from, to)} />
          })}
      {store.lookAtMs !== null
        ? null
        : store.pulses.map(({ key, from, to, isVote }) => {
            const [a, b] = [placeOf(from), placeOf(to)]
            return a === undefined || b === undefined ? null : (
              <Pulse key={key} from={a} to={b} isVote={isVote} />
            )
          })}
    </svg>
  )
}

function lineOf(from: Place, to: Place) {
  return { x1: from.x * 100, y1: from.y * 100, x2: to.x * 100, y2: to.y * 100 }
}

function Pulse({ from, to, isVote }: { readonly from: Place; readonly to: Place; readonly isVote: boolean }) {
  const style = {
    '--x1': `${from.x * 100}px`,
    '--y1': `${from.y * 100}px`,
    '--x2': `${to.x * 100}px`,
    '--y2': `${to.y * 100}px`,
  }
  return <ellipse class={`pulse ${isVote ? 'vote' : ''}`} style={style} rx="0.55" ry="0.9" />
}

const EXPLAINED: readonly (readonly [Condition, string])[] = [
  ['leader', 'decides the order of all writes and copies them to the others.'],
  ['follower', 'keeps a copy, and waits for the leader’s heartbeat.'],
  ['candidate', 'has not heard a leader in time and asks for votes.'],
]

function Legend() {
  return (
    <details class="legend">
      <summary>What is to be seen here?</summary>
      <dl>
        {EXPLAINED.map(([condition, words]) => (
          <div key={condition}>
            <dt>
              <span class={`sign ${condition}`} aria-hidden="true">
                {CONDITIONS[condition].sign}
              </span>{' '}
              {CONDITIONS[condition].word}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
        <div>
          <dt>Term</dt>
          <dd>
            counts elections: in each term at most one member leads. Whoever gets votes of a majority does.
          </dd>
        </div>
        <div>
          <dt>Bars</dt>
          <dd>
            entries of the log: those that a member has written down, those that its disk holds, those that a
            majority holds (committed: never lost), and those that its state machine has applied.
          </dd>
        </div>
      </dl>
    </details>
  )
}
