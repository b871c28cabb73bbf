// A machine as a Mermaid state diagram. Mermaid cannot connect the insides of two composite states: such an edge is
// drawn between the composites, and says in parentheses where it begins or ends.

import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { guardOf, pathOf, statesOf, transitionsOf, triggerOf } from './walk.ts'

interface Edge {
  /** The composite that the edge is drawn in. */
  readonly host: AnyStateNode
  readonly from: string
  readonly to: string
  /** What follows the events (guard, and where the edge begins or ends), and the events that share it. */
  readonly labels: Map<string, string[]>
}

/** The chart with all its states and all transitions that lead to one; what only acts is not drawn. */
export function toMermaid(machine: AnyStateMachine): string {
  const edges = edgesOf(machine)
  const lines = ['stateDiagram-v2', '  direction TB', ...drawInside(machine.root, edges, '  ')]
  return `${lines.join('\n')}\n`
}

function edgesOf(machine: AnyStateMachine): readonly Edge[] {
  const edges = new Map<string, Edge>()
  for (const state of statesOf(machine)) {
    for (const transition of transitionsOf(state)) {
      for (const target of transition.target ?? []) {
        const edge = edgeBetween(state, target)
        const key = `${pathOf(edge.host)} ${edge.from} ${edge.to}`
        const known = edges.get(key) ?? { host: edge.host, from: edge.from, to: edge.to, labels: new Map() }
        edges.set(key, known)
        const guard = guardOf(transition)
        const rest = `${guard === null ? '' : ` [${guard}]`}${edge.note}`
        known.labels.set(rest, [...(known.labels.get(rest) ?? []), triggerOf(transition)])
      }
    }
  }
  return [...edges.values()]
}

/** Where an edge is drawn: in the nearest composite around both ends, between what lies directly in it. */
function edgeBetween(source: AnyStateNode, target: AnyStateNode) {
  const [from, to] = [chainOf(source), chainOf(target)]
  let depth = 0
  while (depth + 1 < from.length && depth + 1 < to.length && from[depth + 1] === to[depth + 1]) depth++
  // A state that leads to itself is drawn as a loop beside it, not inside it.
  if (source === target && depth > 0) depth--
  const host = from[depth] ?? source
  const [first, last] = [from[depth + 1], to[depth + 1]]
  const begins = first === undefined || first === source ? '' : ` (${source.key})`
  const ends = last === undefined || last === target ? '' : ` → ${target.key}`
  return {
    host,
    from: first === undefined ? anyOf(host) : idOf(first),
    to: idOf(last ?? target),
    note: begins + ends,
  }
}

function drawInside(state: AnyStateNode, edges: readonly Edge[], pad: string): string[] {
  const own = edges.filter(({ host }) => host === state)
  const lines: string[] = []
  for (const child of Object.values(state.states)) {
    const inside = drawInside(child, edges, `${pad}  `)
    lines.push(`${pad}state "${child.key}" as ${idOf(child)}${inside.length > 0 ? ' {' : ''}`)
    if (inside.length > 0)
      lines.push(`${pad}  direction ${pad.length > 2 ? 'TB' : 'LR'}`, ...inside, `${pad}}`)
  }
  if (own.some(({ from }) => from === anyOf(state))) lines.push(`${pad}state "any" as ${anyOf(state)}`)
  const [initial] = state.initial?.target ?? []
  if (initial !== undefined) lines.push(`${pad}[*] --> ${idOf(initial)}`)
  lines.push(...own.map(({ from, to, labels }) => pad + drawEdge(from, to, labelLines(labels))))
  for (const child of Object.values(state.states)) {
    if (child.type === 'final') lines.push(`${pad}${idOf(child)} --> [*]`)
  }
  return lines
}

function labelLines(labels: Edge['labels']): readonly string[] {
  return [...labels].map(([rest, events]) => `${events.join(', ')}${rest}`.trim())
}

export function drawEdge(from: string, to: string, lines: readonly string[]): string {
  const label = lines.filter((line) => line !== '').join('<br/>')
  return `${from} --> ${to}${label === '' ? '' : ` : ${label}`}`
}

/** `timer.vote [stepsDownOnVoteTimeout]`; an eventless transition shows its guard alone. */
export function labelOf(transition: AnyTransitionDefinition): string {
  const guard = guardOf(transition)
  return [triggerOf(transition), guard === null ? '' : `[${guard}]`].filter((part) => part !== '').join(' ')
}

function chainOf(state: AnyStateNode): readonly AnyStateNode[] {
  return state.parent === undefined ? [state] : [...chainOf(state.parent), state]
}

export function idOf(state: AnyStateNode): string {
  return pathOf(state).replace(/\W/g, '_')
}

function anyOf(state: AnyStateNode): string {
  return `${idOf(state) || 'root'}_any`
}
