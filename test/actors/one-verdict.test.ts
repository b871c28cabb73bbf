// A decision is taken once. A guard that is asked again, later, about the same event says the same: otherwise the chart
// goes one way and the action another (a vote granted and never stored). Told by every story, on every chart, with a clock
// that shows another time at each look.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { charts } from '../../scripts/statecharts/charts.ts'
import { storiesFor } from './support/stories.ts'
import { VirtualClock } from './support/virtual-clock.ts'

type Asked = { readonly event: unknown; readonly name: string; readonly verdict: unknown; again(): unknown }
type Implementation = (...args: unknown[]) => unknown

/** Guards asked since the last action was carried out. */
let asked: Asked[] = []
let guardUnderway: string | null = null
const changed = new Set<string>()
const looked = new Set<string>()
const undo: (() => void)[] = []
let guards = 0

/** Before an action changes anything: the guards that were asked about the same event. */
function askAgain(event: unknown): void {
  const before = asked
  asked = []
  for (const { event: about, name, verdict, again } of before)
    if (about === event && again() !== verdict) changed.add(name)
}

function eventIn(args: readonly unknown[]): unknown {
  // A custom action gets `{ event }` first, a builtin after its actor and snapshot.
  const holder = args.find((arg) => typeof arg === 'object' && arg !== null && 'event' in arg)
  return holder !== undefined && holder !== null && typeof holder === 'object' && 'event' in holder
    ? holder.event
    : undefined
}

function replace(
  holder: Record<string, unknown>,
  key: string,
  wrap: (original: Implementation) => Implementation,
) {
  const original = holder[key]
  if (typeof original !== 'function') return
  const call: Implementation = (...args) => Reflect.apply(original, undefined, args)
  if ('resolve' in original && typeof original.resolve === 'function') {
    // A builtin of XState (assign, sendTo …): what it computes is in `resolve`.
    const { resolve } = original
    original.resolve = wrap((...args) => Reflect.apply(resolve, undefined, args))
    undo.push(() => {
      original.resolve = resolve
    })
    return
  }
  holder[key] = wrap(call)
  undo.push(() => {
    holder[key] = original
  })
}

beforeAll(() => {
  for (const { name: chart, machine } of charts) {
    const { guards: questions, actions } = machine.implementations
    for (const key of Object.keys(questions)) {
      guards++
      replace(questions, key, (original) => (...args) => {
        const name = `${chart}: ${key}`
        const ask = (): unknown => {
          guardUnderway = name
          try {
            return original(...args)
          } finally {
            guardUnderway = null
          }
        }
        const verdict = ask()
        asked.push({ event: eventIn(args), name, verdict, again: ask })
        return verdict
      })
    }
    for (const key of Object.keys(actions)) {
      replace(actions, key, (original) => (...args) => {
        askAgain(eventIn(args))
        return original(...args)
      })
    }
  }
  const { nowMs } = VirtualClock.prototype
  VirtualClock.prototype.nowMs = function look(this: VirtualClock): number {
    if (guardUnderway !== null) looked.add(guardUnderway)
    this.perLookMs = 0.001
    return nowMs.call(this)
  }
  undo.push(() => {
    VirtualClock.prototype.nowMs = nowMs
  })
})

afterAll(() => {
  for (const step of undo) step()
})

describe('told to live actors, with a clock that is later at each look', () => {
  it.each(Object.entries(storiesFor(() => {})))('%s', async (_, tell) => {
    asked = []
    await tell()
  })

  it('every guard says twice what it says once', () => {
    expect(guards).toBeGreaterThan(30)
    expect([...changed]).toEqual([])
  })

  it('no guard looks at the clock: times come with the event', () => {
    expect([...looked]).toEqual([])
  })
})
