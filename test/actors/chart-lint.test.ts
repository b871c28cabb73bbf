// What XState does not check for us: a missing action is skipped in silence, a
// missing delay fires at once, a missing guard or initial state kills the actor.

import { describe, expect, it } from 'vitest'
import type { AnyStateNode } from 'xstate'
import { charts } from '../../scripts/statecharts/charts.ts'
import {
  describeTransition,
  namesIn,
  pathOf,
  statesOf,
  transitionsOf,
} from '../../scripts/statecharts/walk.ts'

describe.each(charts.map(({ name, machine }) => ({ name, machine })))('the chart of $name', ({ machine }) => {
  it('names only actions, guards, delays and actors that exist', () => {
    const missing = namesIn(machine).filter(
      ({ kind, name }) => !(name in (machine.implementations[kind] ?? {})),
    )
    expect(missing).toEqual([])
  })

  it('provides nothing that it does not name', () => {
    const named = new Set(namesIn(machine).map(({ kind, name }) => `${kind} ${name}`))
    const provided = (['actions', 'guards', 'delays'] as const).flatMap((kind) =>
      Object.keys(machine.implementations[kind] ?? {}).map((name) => `${kind} ${name}`),
    )
    expect(provided.filter((name) => !named.has(name))).toEqual([])
  })

  it('writes no function in place: what happens has a name', () => {
    expect(namesIn(machine).filter(({ name }) => name.startsWith('('))).toEqual([])
  })

  it('begins each compound state in a state that it has', () => {
    const wrong = statesOf(machine).filter((state) => {
      const children = Object.keys(state.states)
      return children.length > 0 && !children.includes(String(state.config.initial))
    })
    expect(wrong.map(pathOf)).toEqual([])
  })

  it('leads to states that exist, and every state is led to', () => {
    const states = statesOf(machine)
    const known = new Set(states)
    const transitions = states.flatMap(transitionsOf)
    const lost = transitions.filter(({ target = [] }) =>
      target.some((state: AnyStateNode) => !known.has(state)),
    )
    expect(lost.map(describeTransition)).toEqual([])
    const ledTo = new Set<AnyStateNode>([machine.root])
    for (const state of states) for (const target of state.initial?.target ?? []) ledTo.add(target)
    for (const { target = [] } of transitions) for (const state of target) ledTo.add(state)
    expect(states.filter((state) => !ledTo.has(state)).map(pathOf)).toEqual([])
  })

  it('has no transition behind one that is always taken', () => {
    const shadowed = statesOf(machine).flatMap((state) =>
      [...state.transitions.values(), state.always ?? []].flatMap((choices) => {
        const first = choices.findIndex(({ guard }) => guard === undefined)
        return first < 0 ? [] : choices.slice(first + 1)
      }),
    )
    expect(shadowed.map(describeTransition)).toEqual([])
  })
})

it('no chart has a bare wildcard that would swallow the failure of a child', () => {
  const supervisors = charts.filter(
    ({ machine }) => Object.keys(machine.implementations.actors ?? {}).length > 0,
  )
  const wildcards = supervisors.flatMap(({ machine }) =>
    statesOf(machine)
      .flatMap(transitionsOf)
      .filter(({ eventType }) => eventType === '*'),
  )
  expect(wildcards.map(describeTransition)).toEqual([])
})
