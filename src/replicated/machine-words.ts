// What one state of a machine speaks of: the names of actions, guards and delays, the actors that it starts, and the
// functions that decide.

import type { AnyStateNode } from 'xstate'

export interface Started {
  readonly src: unknown
  readonly id: unknown
  readonly systemId: unknown
  readonly onSnapshot: unknown
}

export interface Words {
  readonly actions: string[]
  readonly guards: string[]
  readonly delays: string[]
  readonly invokes: Started[]
  readonly spawns: Started[]
  /** The names of functions that are actions where they stand. */
  readonly inlineActions: string[]
  readonly inlineGuards: unknown[]
  readonly assigns: unknown[]
}

/** Of this state alone, not of those within. */
export function partsOf(node: AnyStateNode): Words {
  const words = noWords()
  for (const invoke of listOf(node.config.invoke)) words.invokes.push(startedBy(invoke))
  for (const action of [...listOf(node.entry), ...listOf(node.exit)]) hearAction(action, words)
  const initial: unknown = node.config.initial
  for (const action of listOf(fieldOf(initial, 'actions'))) hearAction(action, words)
  const transitions: unknown[] = [...node.transitions.values(), node.always ?? []].flat()
  for (const transition of transitions) {
    for (const action of listOf(fieldOf(transition, 'actions'))) hearAction(action, words)
    hearGuard(fieldOf(transition, 'guard'), words)
  }
  return words
}

/** Of actions that are known by name, as they are implemented. */
export function wordsOfActions(actions: readonly unknown[]): Words {
  const words = noWords()
  for (const action of actions) hearAction(action, words)
  return words
}

function noWords(): Words {
  const guarded = { guards: [], inlineGuards: [] }
  return { actions: [], inlineActions: [], delays: [], invokes: [], spawns: [], assigns: [], ...guarded }
}

function hearAction(action: unknown, words: Words): void {
  if (typeof action === 'string') words.actions.push(action)
  if (typeof action !== 'function') {
    const name = fieldOf(action, 'type')
    if (typeof name === 'string') words.actions.push(name)
    return
  }
  // What XState's own makers return is a function with its parts as properties.
  const delay = fieldOf(action, 'delay')
  if (typeof delay === 'string') words.delays.push(delay)
  const kind = fieldOf(action, 'type')
  if (kind === undefined) words.inlineActions.push(action.name)
  if (kind === 'xstate.spawnChild') words.spawns.push(startedBy(action))
  if (kind !== 'xstate.assign') return
  const assignment = fieldOf(action, 'assignment')
  const isObject = typeof assignment === 'object' && assignment !== null
  words.assigns.push(...(isObject ? Object.values(assignment) : [assignment]))
}

function hearGuard(guard: unknown, words: Words): void {
  if (guard === undefined) return
  if (typeof guard === 'string') words.guards.push(guard)
  if (typeof guard !== 'function') {
    const name = fieldOf(guard, 'type')
    if (typeof name === 'string') words.guards.push(name)
    return
  }
  const within = fieldOf(guard, 'guards')
  if (Array.isArray(within)) for (const part of within) hearGuard(part, words)
  else words.inlineGuards.push(guard)
}

function startedBy(thing: unknown): Started {
  const [src, id, systemId, onSnapshot] = ['src', 'id', 'systemId', 'onSnapshot'].map((name) =>
    fieldOf(thing, name),
  )
  return { src, id, systemId, onSnapshot }
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

function fieldOf(thing: unknown, name: string): unknown {
  const hasFields = (typeof thing === 'object' && thing !== null) || typeof thing === 'function'
  return hasFields ? Reflect.get(thing, name) : undefined
}
