// Every state of every chart can be reached, and every transition is taken: the stories below are played to live
// actors, and what they never do is listed.

import { afterAll, describe, expect, it } from 'vitest'
import type { AnyStateMachine, AnyTransitionDefinition, InspectionEvent } from 'xstate'
import { charts } from '../../scripts/statecharts/charts.ts'
import { describeTransition, pathOf, statesOf, transitionsOf } from '../../scripts/statecharts/walk.ts'
import { storiesFor } from './support/stories.ts'

const taken = new Set<AnyTransitionDefinition>()
const visited = new Map<unknown, Set<string>>()

function watch(event: InspectionEvent): void {
  if (event.type !== '@xstate.microstep' && event.type !== '@xstate.snapshot') return
  if (event.type === '@xstate.microstep') for (const transition of event._transitions) taken.add(transition)
  const logic = 'logic' in event.actorRef ? event.actorRef.logic : undefined
  const paths = visited.get(logic) ?? new Set<string>()
  visited.set(logic, paths)
  if ('value' in event.snapshot) for (const path of pathsIn(event.snapshot.value)) paths.add(path)
}

/** `{ active: { leader: 'serving' } }` as `active`, `active.leader` and `active.leader.serving`. */
function pathsIn(value: unknown, above: readonly string[] = []): string[] {
  if (typeof value === 'string') return [[...above, value].join('.')]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [
    [...above, key].join('.'),
    ...pathsIn(inner, [...above, key]),
  ])
}

/** Drawn, and never taken. */
const UNREACHABLE: readonly string[] = [
  // A vote timer takes at least as long as any lease; only one that fires early gets here.
  'active.candidate --timer.vote [stepsDownOnVoteTimeout]--> active.follower',
  // Nothing is in flight in `waiting`, so whatever is answered there is stale.
  'waiting --append.answered [hasFailed]--> blocked',
  'waiting --append.answered [isDeposed]--> (stays)',
  'waiting --append.answered [isRefused]--> probing',
  'waiting --append.answered--> (stays)',
]

const stories = storiesFor(watch)

describe('told to live actors', () => {
  it.each(Object.entries(stories))('%s', async (_, tell) => {
    await tell()
  })

  afterAll(() => {
    taken.clear()
    visited.clear()
  })

  describe.each(charts.map(({ name, machine }) => ({ name, machine })))(
    'the chart of $name',
    ({ machine }) => {
      it('has no state that was never reached', () => {
        const reached = visited.get(machine) ?? new Set()
        const unreached = statesOf(machine)
          .slice(1)
          .map(pathOf)
          .filter((path) => !reached.has(path))
        expect(unreached).toEqual([])
      })

      it('has no transition that was never taken', () => {
        expect(untaken(machine).filter((line) => !UNREACHABLE.includes(line))).toEqual([])
      })
    },
  )

  function untaken(machine: AnyStateMachine): string[] {
    return statesOf(machine)
      .flatMap(transitionsOf)
      .filter((transition) => !taken.has(transition))
      .map(describeTransition)
  }
})
