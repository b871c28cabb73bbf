// One member: what it is, how far it has got, what it does for others, and what can be done to it.

import { useState } from 'preact/hooks'
import type { StageAction } from '../../page-protocol.ts'
import type { Route } from '../hooks.ts'
import { act } from '../link.ts'
import { number } from '../logic/headline.ts'
import { CONDITIONS, type Indexes, type MemberView, share } from '../logic/member-view.ts'
import { isLag, lagOf, type Scale, shareOf } from '../logic/ring.ts'
import type { Store } from '../store.ts'

export interface CardProps {
  readonly store: Store
  readonly view: MemberView
  readonly views: readonly MemberView[]
  readonly scale: Scale
  readonly isSmall: boolean
  readonly go: (next: Partial<Route>) => void
}

export function MemberCard({ store, view, views, scale, isSmall, go }: CardProps) {
  const { id, condition, term, indexes, marks, problem } = view
  const { word, sign } = CONDITIONS[condition]
  const behind = indexes === null || condition === 'dead' ? 0 : lagOf(indexes, views)
  const lag = isLag(behind, store.series.rows.at(-1)?.commitsPerSecond ?? null) ? behind : 0
  return (
    <article
      class={`card ${condition} ${isSmall ? 'small' : ''}`}
      aria-label={`Member ${id}: ${word}, term ${term}`}
    >
      <h2>
        <span class={`sign ${condition}`} aria-hidden="true">
          {sign}
        </span>
        <button
          type="button"
          class="link"
          title={`The chart of ${id}`}
          onClick={() => go({ view: 'charts', member: id })}
        >
          {id}
        </button>
        <span class="word">{word}</span>
        <span class="term">{term > 0 ? `term ${term}` : ''}</span>
      </h2>
      {indexes === null ? null : isSmall ? (
        <p class="numbers">
          {number(indexes.applied)} {lag > 0 ? <span class="lag">{number(lag)} behind</span> : null}
        </p>
      ) : (
        <Bars indexes={indexes} scale={scale} lag={lag} />
      )}
      {marks.length === 0 ? null : <p class="marks">{marks.join(' · ')}</p>}
      {isSmall ? null : <Following view={view} />}
      {problem === null ? null : <p class="problem">{problem}</p>}
      {store.lookAtMs === null ? <Actions store={store} id={id} /> : null}
    </article>
  )
}

const BARS: readonly { readonly key: keyof Indexes; readonly title: string }[] = [
  { key: 'last', title: 'written' },
  { key: 'durable', title: 'on disk' },
  { key: 'commit', title: 'committed' },
  { key: 'applied', title: 'applied' },
]

function Bars({
  indexes,
  scale,
  lag,
}: {
  readonly indexes: Indexes
  readonly scale: Scale
  readonly lag: number
}) {
  return (
    <dl class="bars">
      {BARS.map(({ key, title }) => (
        <div key={key}>
          <dt>{title}</dt>
          <dd>
            <span class="bar" aria-hidden="true">
              <span class={`fill ${key}`} style={{ transform: `scaleX(${shareOf(indexes[key], scale)})` }} />
            </span>
            <span class="value">{number(indexes[key])}</span>
          </dd>
        </div>
      ))}
      {lag > 0 ? <p class="lag">{number(lag)} entries behind</p> : null}
    </dl>
  )
}

/** What a leader knows of those who follow it. */
function Following({ view: { status, condition } }: { readonly view: MemberView }) {
  if (status === null || condition !== 'leader' || status.replicators.length === 0) return null
  return (
    <ul class="following" aria-label="Whom it sends to">
      {status.replicators.map(({ peer, state, inFlightEntries, installing }) => (
        <li key={peer}>
          → {peer}: {installing === null ? state : `installing${share(installing)}`}
          {inFlightEntries > 0 ? `, ${number(inFlightEntries)} on the way` : ''}
        </li>
      ))}
    </ul>
  )
}

const WORDS: Readonly<Record<StageAction, string>> = {
  crash: 'Crash',
  start: 'Start',
  pause: 'Pause',
  resume: 'Resume',
  cut: 'Cut off',
  heal: 'Heal',
}

function Actions({ store: { staged, actions }, id }: { readonly store: Store; readonly id: string }) {
  const [refusal, setRefusal] = useState<string | null>(null)
  const member = staged.find((each) => each.id === id)
  if (member === undefined || actions.length === 0) return null
  const { state, isCut } = member
  const fitting: readonly StageAction[] = [
    state === 'crashed' ? 'start' : 'crash',
    ...(state === 'crashed' ? [] : [state === 'paused' ? ('resume' as const) : ('pause' as const)]),
    isCut ? 'heal' : 'cut',
  ]
  return (
    <p class="actions">
      {fitting
        .filter((action) => actions.includes(action))
        .map((action) => (
          <button
            key={action}
            type="button"
            aria-label={`${WORDS[action]} ${id}`}
            onClick={() => {
              act({ action, member: id }).then(setRefusal, () => {})
            }}
          >
            {WORDS[action]}
          </button>
        ))}
      {refusal === null ? null : (
        <span class="problem" role="alert">
          {refusal}
        </span>
      )}
    </p>
  )
}
