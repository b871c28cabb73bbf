// A quick machine does what XState does: the same actions in the same order, the same states, the same told to inspectors. Told by
// two machines of one chart, one of them quick, that get the same events.

import { describe, expect, it } from 'vitest'
import { createActor, type InspectionEvent, setup } from 'xstate'
import { quick } from '../../src/actors/quick.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { VirtualClock } from './support/virtual-clock.ts'

type Event = {
  readonly type: 'a' | 'b' | 'go.up' | 'go.down' | 'back' | 'far' | 'nap' | 'odd'
  readonly flag: boolean
}

interface Context {
  readonly log: string[]
  flag: boolean
  turns: number
}

/** Nested states, wildcards, reentry, states that need no event, and what is not plain: a delay, an action of XState's. */
function chart() {
  const base = setup({
    types: { context: {} as Context, events: {} as Event },
    guards: {
      isFlagged: ({ event }) => event.flag === true,
      wasFlagged: ({ context }) => context.flag,
      isThird: ({ context }) => context.turns % 3 === 0,
    },
    actions: {
      note: ({ context, event }) => {
        context.flag = event.flag === true
        context.turns++
        context.log.push(`note ${event.type}`)
      },
      say: ({ context }, params: { readonly what: string }) => {
        context.log.push(params.what)
      },
    },
    delays: { short: 10 },
  })
  const say = (what: string) => ({ type: 'say', params: { what } }) as const
  return base.createMachine({
    id: 'chart',
    context: () => ({ log: [], flag: false, turns: 0 }),
    initial: 'calm',
    on: {
      '*': { actions: [say('anything')] },
      'go.*': { actions: ['note', say('somewhere')] },
      'go.up': { guard: 'wasFlagged', actions: say('up') },
    },
    states: {
      calm: {
        entry: say('in calm'),
        exit: say('out of calm'),
        on: {
          a: [{ guard: 'isFlagged' }, { target: 'busy', actions: ['note', say('to busy')] }],
          b: { target: 'calm', actions: 'note' },
          back: { target: 'calm', reenter: true, actions: 'note' },
          far: { target: '#chart.busy.deep.low', actions: 'note' },
          odd: { actions: base.raise({ type: 'b', flag: true }) },
        },
      },
      busy: {
        entry: say('in busy'),
        exit: say('out of busy'),
        always: { guard: 'isThird', target: 'calm', actions: say('third') },
        on: {
          a: { actions: 'note' },
          b: [
            { guard: 'isFlagged', target: '.deep.low', actions: 'note' },
            { target: 'busy', reenter: true, actions: 'note' },
          ],
          far: { target: '#chart.calm', actions: 'note' },
          nap: { target: 'napping', actions: 'note' },
        },
        initial: 'shallow',
        states: {
          shallow: { entry: say('in shallow'), on: { 'go.down': { target: 'deep', actions: 'note' } } },
          deep: {
            entry: say('in deep'),
            exit: say('out of deep'),
            initial: 'high',
            on: { 'go.up': { target: 'shallow', actions: 'note' } },
            states: {
              high: { entry: say('in high'), on: { 'go.down': { target: 'low', actions: 'note' } } },
              low: {
                entry: say('in low'),
                exit: say('out of low'),
                always: { guard: 'wasFlagged', target: 'high' },
                on: { back: { target: '#chart.napping' } },
              },
            },
          },
        },
      },
      napping: { entry: say('in napping'), exit: say('out of napping'), after: { short: 'calm' } },
    },
  })
}

function play(isQuick: boolean, rest: string | null, seed: number): readonly string[] {
  const machine = chart()
  if (isQuick) quick(machine, rest)
  const clock = new VirtualClock()
  const told: string[] = []
  const inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.action')
      told.push(`action ${event.action.type} ${JSON.stringify(event.action.params)}`)
    if (event.type === '@xstate.microstep' && event._transitions.length > 0)
      told.push(`step ${event._transitions.map((each) => JSON.stringify(each)).join()}`)
    if (event.type === '@xstate.snapshot' && 'value' in event.snapshot)
      told.push(`${event.event.type} => ${JSON.stringify(event.snapshot)}`)
  }
  const actor = createActor(machine, { clock, inspect })
  actor.start()
  const random = seededRandom(seed)
  const types = ['a', 'b', 'go.up', 'go.down', 'back', 'far', 'nap', 'odd'] as const
  for (let turn = 0; turn < 200; turn++) {
    const type = types[Math.floor(random.next() * types.length)] ?? 'a'
    actor.send({ type, flag: random.next() < 0.4 })
    const { value, _nodes } = actor.getSnapshot()
    told.push(JSON.stringify([value, _nodes.map(({ id }) => id).toSorted()]))
    if (random.next() < 0.2) clock.advance(20)
  }
  return [...told, ...actor.getSnapshot().context.log]
}

describe('a quick machine', () => {
  it.each([1, 2, 3, 4, 5, 6])('does what XState does, with events drawn from %i', (seed) => {
    expect(play(true, null, seed)).toEqual(play(false, null, seed))
    expect(play(true, null, seed).some((line) => line.includes('in high'))).toBe(true)
  })

  it('leaves to XState what it looks at in the middle of a step, and what throws', () => {
    const machine = setup({
      types: { context: {} as { n: number }, events: {} as { type: 'go' | 'on' } },
      actions: {
        count: ({ context }) => {
          context.n++
        },
        throws: () => {
          throw new Error('no')
        },
      },
      guards: { isSecond: ({ context }) => context.n === 2 },
      delays: { short: 10 },
    }).createMachine({
      context: () => ({ n: 0 }),
      initial: 'one',
      states: {
        one: {
          on: { go: { actions: 'count' }, on: { actions: 'throws' } },
          always: { guard: 'isSecond', target: 'two' },
        },
        two: { after: { short: 'one' }, on: { on: { actions: 'throws' } } },
      },
    })
    quick(machine, 'rest')
    const actor = createActor(machine, { clock: new VirtualClock() }).start()
    let error: unknown
    actor.subscribe({ error: (thrown) => (error = thrown) })
    actor.send({ type: 'go' })
    expect(actor.getSnapshot().value).toBe('one')
    actor.send({ type: 'go' })
    expect([actor.getSnapshot().value, actor.getSnapshot().context.n]).toEqual(['two', 2])
    actor.send({ type: 'on' })
    expect([actor.getSnapshot().status, error]).toEqual(['error', new Error('no')])
  })
})
