// Machines that cannot be replicated are refused before anything is begun, in one sentence each; and what any client may
// put into the log is looked at.

import { describe, expect, it } from 'vitest'
import {
  type AnyStateMachine,
  and,
  assign,
  createMachine,
  fromPromise,
  not,
  raise,
  setup,
  spawnChild,
} from 'xstate'
import { QuorateError } from '../../src/errors.ts'
import { replicate } from '../../src/xstate.ts'
import { rejection } from '../host/support/world.ts'
import { Group } from './support/group.ts'
import { orderMachine, SlowWorld } from './support/order.ts'

const BOUND = { maxIterations: 100 }
const job = fromPromise(async () => 1)
const invoking = (invoke: object) =>
  setup({ actors: { job } }).createMachine({ version: '1', invoke: Object(invoke) })
const one = (config: object) => createMachine({ id: 'one', version: '1', ...config })

function refusal(machine: AnyStateMachine, options: object = BOUND): string {
  try {
    replicate(machine, options)
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID', outcome: 'not-applied' })
    return error instanceof QuorateError ? error.message : ''
  }
  return 'taken'
}

class Money {
  readonly cents = 1
}

describe('a machine', () => {
  it.each<[string, AnyStateMachine, object, RegExp]>([
    ['without a version', createMachine({ id: 'm' }), BOUND, /Machine m .*: it has no version/],
    ['without a bound', one({}), {}, /maxIterations is not bounded.*maxIterations: 1000/],
    ['that is none', Object({ version: '1' }), BOUND, /it is no machine of XState/],
    [
      'with a systemId',
      invoking({ src: 'job', id: 'j', systemId: 's' }),
      BOUND,
      /invokes job with a systemId/,
    ],
    ['with a job without an id', invoking({ src: 'job' }), BOUND, /invokes job without an id: add id: 'job'/],
    ['with a nameless job', invoking({ src: job, id: 'j' }), BOUND, /invokes an actor that has no name/],
    ['with an unknown job', invoking({ src: 'jib', id: 'j' }), BOUND, /invokes jib, which nobody implements/],
    ['that watches a job', invoking({ src: 'job', id: 'j', onSnapshot: {} }), BOUND, /onSnapshot/],
    ['with an unknown action', one({ entry: 'fly' }), BOUND, /names the action fly, which nobody implements/],
    [
      'with an unknown guard',
      one({ on: { e: { guard: not(and(['can'])), actions: [] } } }),
      BOUND,
      /guard can/,
    ],
    ['with an unknown delay', one({ after: { soon: {} } }), BOUND, /names the delay soon/],
    [
      'with an unknown delay of an event',
      one({ entry: Object.assign(raise({ type: 'e' }), { delay: 'soon' }) }),
      BOUND,
      /delay soon/,
    ],
    ['with a first state that is not there', one({ initial: 'x', states: { y: {} } }), BOUND, /begins in x/],
    [
      'deep inside',
      one({ initial: 'a', states: { a: { exit: 'fly' } } }),
      BOUND,
      /state one\.a names the action fly/,
    ],
    [
      'whose context is a class',
      one({ context: { a: [new Money()] } }),
      BOUND,
      /\.context\.a\[0\].*class Money/,
    ],
    ['whose context is a date', one({ context: { at: new Date(0) } }), BOUND, /\.context\.at/],
    [
      'whose guard asks who it is',
      one({ on: { e: { guard: (x: { self: { id: string } }) => x.self.id === 'x' } } }),
      BOUND,
      /has a guard that uses self/,
    ],
    [
      'whose assign asks its system',
      one({ entry: assign({ a: ({ system }) => system.get('x') }) }),
      BOUND,
      /has an assign that uses system/,
    ],
    [
      'whose named assign spawns',
      setup({ actors: { job }, actions: { go: assign({ a: ({ spawn }) => spawn('job') }) } }).createMachine({
        version: '1',
        entry: 'go',
      }),
      BOUND,
      /one of its named actions spawns in an assign/,
    ],
    ['that spawns without an id', one({ entry: spawnChild(job) }), BOUND, /spawns an actor that has no name/],
    ['with unknown options', one({}), { ...BOUND, twice: true }, /twice/],
  ])('%s is refused', (_, machine, options, message) => {
    expect(refusal(machine, options)).toMatch(message)
  })

  it('with everything in order is taken, and left as it is', () => {
    const machine = orderMachine(new SlowWorld())
    const before = JSON.stringify(machine)
    expect(refusal(machine)).toBe('taken')
    expect(refusal(one({ options: { maxIterations: 10 } }), {})).toBe('taken')
    expect(JSON.stringify(machine)).toBe(before)
    expect(machine.options.maxIterations).toBe(Number.POSITIVE_INFINITY)
  })

  it('that spawns where nobody can see it beforehand is stopped when it does', async () => {
    const hidden = { spawn: 'spawn' } as const
    const machine = setup({ actors: { job }, types: { events: {} as { type: 'go' } } }).createMachine({
      version: '1',
      context: { child: null },
      on: { go: { actions: assign((all) => ({ child: all[hidden.spawn]('job', { id: 'c' }) })) } },
    })
    const group = new Group(() => replicate(machine, BOUND))
    group.lead('a')
    const error = await rejection(group.at('a').actor('x').send({ type: 'go' }))
    expect(String(error)).toMatch(/child c was spawned in an assign/)
  })

  it('whose instance cannot begin without an input refuses the event that would create it, and takes one that is created', async () => {
    const machine = setup({
      types: { context: {} as { name: string }, input: {} as { name: string }, events: {} as { type: 'go' } },
    }).createMachine({
      version: '1',
      context: ({ input }) => ({ name: input.name.trim() }),
      on: { go: {} },
    })
    const group = new Group(() => replicate(machine, BOUND))
    group.lead('a')
    const one = group.at('a').actor('x')
    const error = await rejection(one.send({ type: 'go' }))
    expect(error).toMatchObject({ code: 'STATE_MACHINE', outcome: 'not-applied' })
    expect(group.member('b').machine.read?.(['size'])).toBe(0)
    await one.create({ name: ' Ada ' })
    expect((await one.send({ type: 'go' })).snapshot.context).toEqual({ name: 'Ada' })
  })

  it('that changes its context in place throws, and nothing has changed', async () => {
    const machine = setup({
      types: { context: {} as { list: number[]; size?: number }, events: {} as { type: 'go' } },
    }).createMachine({
      version: '1',
      context: { list: [] },
      on: { go: { actions: assign(({ context }) => ({ size: context.list.push(1) })) } },
    })
    const [strict, lax] = [{}, { strict: false }].map(
      (more) => new Group(() => replicate(machine, { ...BOUND, ...more })),
    )
    for (const group of [strict, lax]) {
      group?.lead('a')
      await group
        ?.at('a')
        .actor('x')
        .send({ type: 'go' })
        .catch(() => {})
    }
    // The first event makes the instance, whose context nobody has frozen before.
    expect(String(await rejection(Promise.resolve(strict?.at('a').actor('x').send({ type: 'go' }))))).toMatch(
      /not extensible/,
    )
    expect(lax?.at('a').actor('x').getSnapshot().context.list).toEqual([1])
  })
})

describe('in the log', () => {
  const group = new Group(() => replicate(orderMachine(new SlowWorld()), BOUND))
  group.lead('a')

  it.each<[string, unknown, RegExp]>([
    ['text', 'put', /a command is an array that begins with declare, upgrade, create, event/],
    ['an array of nobody', ['put', 'a'], /a command is an array/],
    ['a name of every object', ['toString', 'a'], /a command is an array/],
    ['an event without a type', ['event', 'a', { kind: 'add' }], /an event has a type, which is text/],
    ['an event whose type is a number', ['event', 'a', { type: 1 }], /an event has a type/],
    ['an event without anything', ['event', 'a'], /^Not applied: event/],
    ['an event of XState', ['event', 'a', { type: 'xstate.done.actor.payment' }], /made by XState alone/],
    ['an empty key', ['event', '', { type: 'add' }], /a key has at least one character/],
    ['a long key', ['event', 'k'.repeat(513), { type: 'add' }], /a key has at most 512 characters/],
    ['a timer that began at half past', ['fire', 'a', 't', 0.5], /^Not applied: fire/],
    ['a key to compare that is a number', ['check', 1], /^Not applied: check/],
    ['an error without a message', ['failed', 'a', 'j', 1, {}], /^Not applied: failed/],
    [
      'another machine',
      ['declare', { machine: 'order', version: '2', definition: '' }],
      /replicates version 1/,
    ],
  ])('%s is refused everywhere, and changes nothing', async (_, command, message) => {
    await group.at('a').actor('a').send({ type: 'forget' })
    const before = group.hashes()
    const error = await rejection(group.propose(command))
    expect(error).toMatchObject({
      code: 'INVALID',
      outcome: 'not-applied',
      message: expect.stringMatching(message),
    })
    expect(group.hashes()).toEqual(before)
  })

  it.each<[string, unknown]>([
    ['a timer', ['fire', 'nobody', 't', 1]],
    ['a result', ['done', 'nobody', 'payment', 1, {}]],
    ['a failure', ['failed', 'nobody', 'payment', 1, { message: 'x' }]],
    ['an event of a job', ['sent', 'nobody', 'ear', 1, { type: 'heard', word: 'x' }]],
    ['a durable action that failed', ['missed', 'nobody', 'print#1.0', 1, 0, { message: 'x' }]],
    ['a durable action that failed, of a job', ['missed', 'paying', 'payment', 0, 0, { message: 'x' }]],
  ])('%s of an unknown instance, or of what does not wait, does nothing', async (_, command) => {
    const { index } = await group.at('a').actor('paying').send({ type: 'pay' })
    const before = group.hashes()
    const known = Array.isArray(command) && command[1] === 'paying'
    const sent = known ? command.map((part, i) => (i === 3 ? index : part)) : command
    expect((await group.propose(sent)).result).toMatchObject({ ok: false, code: 'STALE' })
    expect(group.hashes()).toEqual(before)
    expect(group.member('b').machine.read?.(['get', 'nobody'])).toBe(null)
    await group.propose(['failed', 'paying', 'payment', index, { message: 'enough' }])
  })

  it.each<[unknown, unknown]>([
    [['size'], 2],
    [
      ['keys', 0, 10],
      ['a', 'paying'],
    ],
    [['pending', 'a'], { timers: {}, jobs: {} }],
    [['pending', 'b'], null],
    [['get', 'b'], null],
    [['what'], { refused: expect.stringContaining('A query is') }],
  ])('%j can be asked', (query, answer) => {
    expect(group.member('b').machine.read?.(query)).toEqual(answer)
  })
})

describe('a member', () => {
  const made = (version: string, more: object = {}) => {
    const machine = setup({ types: { events: {} as { type: 'e' } } }).createMachine({
      id: 'm',
      version,
      on: { e: {} },
      ...more,
    })
    return replicate(machine, BOUND)
  }
  type Made = ReturnType<typeof made>

  /** A member that begins to read the log of a group of version 1. */
  async function starting(other: Made): Promise<() => unknown> {
    const group = new Group((id) => (id === 'b' ? other : made('1')), ['a'])
    group.lead('a')
    await group.at('a').actor('x').send({ type: 'e' })
    return () => group.start('b')
  }

  it('that carries another version than its group stops, and says which', async () => {
    expect(await starting(made('2'))).toThrow(
      /this member carries machine m of version 2, its group m of version 1: start it with/,
    )
  })

  it('that carries another definition of the same version stops', async () => {
    const other = made('1', { initial: 'a', states: { a: {} } })
    expect(await starting(other)).toThrow(/another definition of machine m version 1/)
    expect(await starting(made('1'))).not.toThrow()
  })

  it('whose state is not the leader’s is found, with index and path', async () => {
    let members = 0
    const machineOf = (luck: number) =>
      setup({ types: { events: {} as { type: 'draw' } } }).createMachine({
        id: 'm',
        version: '1',
        context: { drawn: [0] },
        on: { draw: { actions: assign({ drawn: [1, luck] }) } },
      })
    const group = new Group(() =>
      replicate(machineOf(members++ === 2 ? 7 : 3), { ...BOUND, compareEvery: 2 }),
    )
    group.lead('a')
    await group.at('a').actor('x').send({ type: 'draw' })
    await group.clock.advance(1)
    expect([...group.members.values()].map(({ machine }) => machine.divergence)).toEqual([
      null,
      null,
      "The machine is not deterministic: after index 2 the state of this member is not the leader's: instance x differs at .context.drawn.1. Guards and assigns may use nothing but context and event.",
    ])
  })

  it('is found when somebody asks: the instance first, and then where in it', async () => {
    let members = 0
    const machineOf = (luck: number) =>
      setup({ types: { events: {} as { type: 'draw' | 'rest' } } }).createMachine({
        id: 'm',
        version: '1',
        context: { drawn: [0] },
        on: { draw: { actions: assign({ drawn: [1, luck] }) }, rest: {} },
      })
    const group = new Group(() =>
      replicate(machineOf(members++ === 1 ? 7 : 3), { ...BOUND, compareEvery: 0 }),
    )
    group.lead('a')
    const [x, y] = ['x', 'y'].map((key) => group.at('a').actor(key))
    const asked = { apply: (command: unknown) => group.propose(command), read: async () => null }
    const { machine } = group.member('b')
    await y?.send({ type: 'rest' })
    await group.member('a').machine.compare(asked)
    await group.clock.advance(1)
    expect(machine.divergence).toBe(null)
    await x?.send({ type: 'draw' })
    await group.member('a').machine.compare(asked)
    await group.clock.advance(1)
    expect(machine.divergence).toMatch(/after index 6 the state of this member .*: instance x differs\./)
    await group.member('a').machine.compare(asked, 'x')
    await group.clock.advance(1)
    expect(machine.divergence).toMatch(/after index 8 .*: instance x differs at \.context\.drawn\.1\./)
    expect(['a', 'c'].map((id) => group.member(id).machine.divergence)).toEqual([null, null])
  })
})
