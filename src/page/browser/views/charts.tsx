// The charts of one member: the node's with the active state and the transition that has just fired, and its helpers small.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { WatchedActor } from '../../../client/watch/member-model.ts'
import type { Route } from '../hooks.ts'
import { type ChartNode, chartOf, isActive } from '../logic/chart-tree.ts'
import { leaderOf } from '../logic/headline.ts'
import { CONDITIONS } from '../logic/member-view.ts'
import type { Store } from '../store.ts'
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
          actor={root}
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
            actor={actor}
            json={store.model.charts.get(actor.chart ?? '')}
            title={actor.id.slice(id.length + 1)}
            isSmall
          />
        ))}
      </div>
    </section>
  )
}

interface ChartProps {
  readonly actor: WatchedActor
  readonly json: string | undefined
  readonly title: string
  readonly isSmall?: boolean
  /** It is not heard any more. */
  readonly isPast?: boolean
}

function Chart({ actor, json, title, isSmall = false, isPast = false }: ChartProps) {
  const tree = useMemo(() => (json === undefined ? undefined : chartOf(json)), [json])
  const [chosen, setChosen] = useState('')
  const { state, last } = actor
  if (tree === undefined) return null
  const node = find(tree, chosen === '' ? state : chosen)
  return (
    <figure class={`chart ${isSmall ? 'small' : ''} ${isPast ? 'past' : ''}`}>
      <figcaption>
        <strong>{title}</strong> {state === '' ? '' : state.replaceAll('.', ' › ')}
        {last === null ? null : (
          <span class="last">
            {' '}
            after <code>{last.event}</code>
          </span>
        )}
      </figcaption>
      <Boxes tree={tree} actor={actor} chosen={chosen} choose={isSmall ? null : setChosen} />
      {isSmall || node === undefined ? null : <Transitions node={node} />}
    </figure>
  )
}

function find(node: ChartNode, path: string): ChartNode | undefined {
  if (node.path === path) return node
  return node.children.map((child) => find(child, path)).find((found) => found !== undefined)
}

interface BoxesProps {
  readonly tree: ChartNode
  readonly actor: WatchedActor
  readonly chosen: string
  readonly choose: ((path: string) => void) | null
}

/** States in states, and an arrow for the transition that has just fired. */
function Boxes({ tree, actor: { id, state, last }, chosen, choose }: BoxesProps) {
  const ref = useRef<HTMLDivElement>(null)
  const [arrow, setArrow] = useState<Arrow | null>(null)
  const head = `head-${id.replace(/\W/g, '-')}`
  useLayoutEffect(() => {
    setArrow(ref.current === null || last === null ? null : arrowOf(ref.current, last.from, state))
  }, [last?.atMs, state])
  useEffect(() => {
    const timer = window.setTimeout(() => setArrow(null), ARROW_MS)
    return () => window.clearTimeout(timer)
  }, [arrow])
  return (
    <div class="boxes" ref={ref}>
      {tree.children.map((child) => (
        <Box key={child.path} node={child} state={state} chosen={chosen} choose={choose} />
      ))}
      {arrow === null ? null : (
        <svg class="fired" aria-hidden="true">
          <defs>
            <marker
              id={head}
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="7"
              markerHeight="7"
              orient="auto"
            >
              <path d="M0 0 8 4 0 8z" />
            </marker>
          </defs>
          <path d={arrow.path} marker-end={`url(#${head})`} />
        </svg>
      )}
    </div>
  )
}

const ARROW_MS = 2500

interface Arrow {
  readonly path: string
}

function arrowOf(boxes: HTMLElement, from: string, to: string): Arrow | null {
  const [a, b] = [from, to].map((path) =>
    boxes.querySelector(`[data-path="${CSS.escape(path)}"]`)?.getBoundingClientRect(),
  )
  if (a === undefined || b === undefined || from === to) return null
  const { left, top } = boxes.getBoundingClientRect()
  const [x1, y1] = [a.left + a.width / 2 - left, a.top + a.height / 2 - top]
  const [x2, y2] = [b.left + b.width / 2 - left, b.top + b.height / 2 - top]
  const bow = Math.min(60, Math.hypot(x2 - x1, y2 - y1) / 4)
  return { path: `M${x1} ${y1} Q${(x1 + x2) / 2} ${(y1 + y2) / 2 - bow} ${x2} ${y2}` }
}

interface BoxProps {
  readonly node: ChartNode
  readonly state: string
  readonly chosen: string
  readonly choose: ((path: string) => void) | null
}

function Box({ node, state, chosen, choose }: BoxProps) {
  const { key, path, type, isInitial, children } = node
  const active = isActive(path, state)
  const name = (
    <>
      {isInitial ? (
        <span class="initial" title="it begins here">
          ●
        </span>
      ) : null}
      {key}
      {type === 'final' ? ' ◉' : ''}
    </>
  )
  return (
    <div
      class={`state ${type} ${active ? 'active' : ''} ${path === chosen ? 'chosen' : ''}`}
      data-path={path}
      aria-current={active ? 'true' : undefined}
    >
      {choose === null ? (
        <span class="name">{name}</span>
      ) : (
        <button type="button" class="name link" onClick={() => choose(path === chosen ? '' : path)}>
          {name}
        </button>
      )}
      {children.length === 0 ? null : (
        <div class="inner">
          {children.map((child) => (
            <Box key={child.path} node={child} state={state} chosen={chosen} choose={choose} />
          ))}
        </div>
      )}
    </div>
  )
}

function Transitions({ node: { path, transitions } }: { readonly node: ChartNode }) {
  return (
    <details class="transitions">
      <summary>
        What <strong>{path.replaceAll('.', ' › ')}</strong> reacts to ({transitions.length})
      </summary>
      <ul>
        {transitions.map(({ event, target }, at) => (
          <li key={`${event} ${target} ${at}`}>
            <code>{event}</code> {target === '' ? '' : `→ ${target.replace(/^[.#]/, '')}`}
          </li>
        ))}
      </ul>
    </details>
  )
}
