// A chart with its active states, and an arrow for the transition that has just fired.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type ChartNode, chartOf, isActive } from '../logic/chart-tree.ts'

/** Whose chart it is, and where it stands. */
export interface Drawn {
  readonly id: string
  /** Each active state: several where states are parallel. */
  readonly states: readonly string[]
  /** What led there. */
  readonly last: { readonly event: string; readonly from: string; readonly atMs: number } | null
}

interface ChartProps {
  readonly drawn: Drawn
  readonly json: string | undefined
  readonly title: string
  readonly isSmall?: boolean
  /** It is not heard any more. */
  readonly isPast?: boolean
}

export function Chart({ drawn, json, title, isSmall = false, isPast = false }: ChartProps) {
  const tree = useMemo(() => (json === undefined ? undefined : chartOf(json)), [json])
  const [chosen, setChosen] = useState('')
  const { states, last } = drawn
  const state = states.join(' + ')
  if (tree === undefined) return null
  const node = find(tree, chosen === '' ? (states[0] ?? '') : chosen)
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
      <Boxes tree={tree} drawn={drawn} chosen={chosen} choose={isSmall ? null : setChosen} />
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
  readonly drawn: Drawn
  readonly chosen: string
  readonly choose: ((path: string) => void) | null
}

/** States in states, and an arrow for the transition that has just fired. */
function Boxes({ tree, drawn: { id, states, last }, chosen, choose }: BoxesProps) {
  const ref = useRef<HTMLDivElement>(null)
  const [arrow, setArrow] = useState<Arrow | null>(null)
  const [state = ''] = states
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
        <Box key={child.path} node={child} states={states} chosen={chosen} choose={choose} />
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
  readonly states: readonly string[]
  readonly chosen: string
  readonly choose: ((path: string) => void) | null
}

function Box({ node, states, chosen, choose }: BoxProps) {
  const { key, path, type, isInitial, children } = node
  const active = states.some((state) => isActive(path, state))
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
            <Box key={child.path} node={child} states={states} chosen={chosen} choose={choose} />
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
