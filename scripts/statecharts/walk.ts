// Walks a machine: its states, its transitions, and every name that it expects to be provided.

import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'

/** All states of a machine in document order, the root first. */
export function statesOf(machine: AnyStateMachine): readonly AnyStateNode[] {
  const below = (state: AnyStateNode): AnyStateNode[] => [
    state,
    ...Object.values(state.states).flatMap(below),
  ]
  return below(machine.root)
}

/** All transitions of a state in document order, eventless ones last. */
export function transitionsOf(state: AnyStateNode): readonly AnyTransitionDefinition[] {
  return [...state.transitions.values()].flat().concat(state.always ?? [])
}

/** `active.leader` for a state of the machine, the empty string for its root. */
export function pathOf(state: AnyStateNode): string {
  return state.path.join('.')
}

/** What a transition waits for: `timer.vote`, `after pause`, or nothing for an eventless one. */
export function triggerOf({ eventType }: AnyTransitionDefinition): string {
  const delayed = /^xstate\.after\.([^.]+)\./.exec(eventType)
  return delayed?.[1] === undefined ? eventType : `after ${delayed[1]}`
}

/** The name of a guard, null without one. */
export function guardOf({ guard }: AnyTransitionDefinition): string | null {
  return guard === undefined ? null : nameOf(guard)
}

/** A transition in one line: `active.follower --timer.election [maySeekElection]--> preVoting`. */
export function describeTransition(transition: AnyTransitionDefinition): string {
  const guard = guardOf(transition)
  const targets = (transition.target ?? []).map((target: AnyStateNode) => pathOf(target)).join(', ')
  const label = `${triggerOf(transition) || 'always'}${guard === null ? '' : ` [${guard}]`}`
  return `${pathOf(transition.source) || machineName(transition.source)} --${label}--> ${targets || '(stays)'}`
}

export interface NamedPart {
  readonly kind: 'actions' | 'guards' | 'delays' | 'actors'
  readonly name: string
  readonly state: string
}

/** Everything the chart names and somebody has to provide. */
export function namesIn(machine: AnyStateMachine): readonly NamedPart[] {
  return statesOf(machine).flatMap((state) => {
    const named = (kind: NamedPart['kind'], parts: readonly unknown[]): NamedPart[] =>
      parts.map((part) => ({ kind, name: nameOf(part), state: pathOf(state) }))
    const transitions = transitionsOf(state)
    return [
      // From the configuration: to `state.entry` and `state.exit` XState adds what makes its own delays work.
      ...named('actions', [state.config.entry ?? [], state.config.exit ?? []].flat()),
      ...named(
        'actions',
        transitions.flatMap(({ actions }) => actions),
      ),
      ...named(
        'guards',
        transitions.flatMap(({ guard }) => (guard === undefined ? [] : [guard])),
      ),
      ...named(
        'delays',
        Object.keys(state.config.after ?? {}).filter((key) => Number.isNaN(Number(key))),
      ),
      ...named(
        'actors',
        state.invoke.map(({ src }) => src),
      ),
    ]
  })
}

/** The name of a string, of `{ type }`, or of a function written in place. */
export function nameOf(part: unknown): string {
  if (typeof part === 'string') return part
  if (typeof part === 'object' && part !== null && 'type' in part) return String(part.type)
  return typeof part === 'function' ? `(${part.name || 'inline'})` : String(part)
}

function machineName(state: AnyStateNode): string {
  return state.machine.id
}
