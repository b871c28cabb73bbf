// A group changes over to another version of its machine: at one entry, on every member, with all that is pending.

import { describe, expect, it } from 'vitest'
import { type AnyStateMachine, assign, fromPromise, setup } from 'xstate'
import { type OldInstance, type Replicated, replicate } from '../../src/xstate.ts'
import { rejection } from '../host/support/world.ts'
import { Group, save, turn } from './support/group.ts'

const calls: string[] = []

function machineOf(version: string, step: number, idle = 'idle'): AnyStateMachine {
  return setup({
    types: {
      context: {} as { count: number; done: unknown },
      events: {} as { type: 'add' | 'run' | 'wait' },
    },
    actors: {
      work: fromPromise<string, null>(({ self }) => {
        calls.push(`${version} ${self.id}`)
        return new Promise(() => {})
      }),
    },
  }).createMachine({
    ...{ id: 'counter', version, initial: idle, context: { count: 0, done: null } },
    states: {
      [idle]: {
        on: {
          add: { actions: assign({ count: ({ context }) => context.count + step }) },
          run: 'running',
          wait: 'waiting',
        },
      },
      running: {
        invoke: {
          ...{ id: 'work', src: 'work', input: null },
          onDone: { target: idle, actions: assign({ done: ({ event }) => event.output }) },
        },
      },
      waiting: {
        after: { 1000: { target: idle, actions: assign({ count: ({ context }) => context.count + step }) } },
      },
    },
  })
}

const BOUND = { maxIterations: 100 }
const first = (): Replicated<AnyStateMachine> => replicate(machineOf('1', 1), BOUND)
const renamed = (old: OldInstance): OldInstance => ({
  ...old,
  value: old.value === 'idle' ? 'ready' : old.value,
})
const second = (
  migrate: (old: OldInstance, key: string) => OldInstance = renamed,
): Replicated<AnyStateMachine> =>
  replicate(machineOf('2', 100, 'ready'), { ...BOUND, previous: { machine: machineOf('1', 1), migrate } })

/** All members restarted with code that carries both versions. */
async function rolled(migrate?: (old: OldInstance, key: string) => OldInstance) {
  let isNew = false
  const group = new Group<AnyStateMachine>((id) => (isNew && id !== 'old' ? second(migrate) : first()))
  group.lead('a')
  await turn()
  const counter = (key: string) => group.at(group.leader ?? 'a').actor(key)
  await counter('c').send({ type: 'add' })
  await counter('running').send({ type: 'run' })
  await counter('waiting').send({ type: 'wait' })
  isNew = true
  for (const id of ['b', 'c', 'a']) {
    group.kill(id)
    group.start(id)
    group.lead('c')
    await counter('c').send({ type: 'add' })
  }
  const upgrade = (id = 'c') =>
    group.member(id).machine.upgrade({ apply: (command) => group.propose(command), read: async () => null })
  return { group, counter, upgrade }
}

describe('a group whose members carry a new version', () => {
  it('runs the old one until it is upgraded, and then the new one, on every member', async () => {
    const { group, counter, upgrade } = await rolled()
    expect(counter('c').getSnapshot()).toMatchObject({ value: 'idle', context: { count: 4 } })
    expect([...group.members.values()].map(({ machine }) => machine.version)).toEqual(['1', '1', '1'])
    await upgrade()
    expect([...group.members.values()].map(({ machine }) => machine.version)).toEqual(['2', '2', '2'])
    expect(counter('c').getSnapshot()).toMatchObject({ value: 'ready', context: { count: 4 } })
    expect((await counter('c').send({ type: 'add' })).snapshot.context.count).toBe(104)
    expect(group.hashes().size).toBe(1)
    const { length } = group.log
    await upgrade()
    expect(group.log).toHaveLength(length)
  })

  it('takes over what is pending: timers fire, jobs start over in their new form', async () => {
    const { group, counter, upgrade } = await rolled()
    calls.length = 0
    await upgrade()
    expect(calls).toEqual(['2 orders/running/work/3'])
    await group.clock.advance(1001)
    expect(counter('waiting').getSnapshot()).toMatchObject({ value: 'ready', context: { count: 100 } })
    await group.propose(['done', 'running', 'work', 3, { output: 'done' }])
    expect(counter('running').getSnapshot()).toMatchObject({ value: 'ready', context: { done: 'done' } })
    expect(group.hashes().size).toBe(1)
  })

  it('has the same bytes from the log, and from a snapshot before or after', async () => {
    const { group, counter, upgrade } = await rolled()
    const before = await save(group.member('a'))
    await upgrade()
    await counter('c').send({ type: 'add' })
    const after = await save(group.member('a'))
    await counter('c').send({ type: 'add' })
    group.start('replayed')
    await group.startFrom('before', before)
    await group.startFrom('after', after)
    const all = await Promise.all([...group.members.values()].map(save))
    for (const { bytes } of all) expect(Buffer.compare(bytes, all[0]?.bytes ?? new Uint8Array())).toBe(0)
    expect(group.hashes().size).toBe(1)
  })

  it('stays as it is when an instance cannot be taken over, and says which', async () => {
    const { group, counter, upgrade } = await rolled((old) => old)
    const before = group.hashes()
    const error = await rejection(upgrade())
    expect(error).toMatchObject({ code: 'STATE_MACHINE', outcome: 'not-applied' })
    expect(String(error)).toMatch(/version 2 of counter cannot take over instance c: .*idle/)
    expect(group.hashes()).toEqual(before)
    expect((await counter('c').send({ type: 'add' })).snapshot.context.count).toBe(5)
  })

  it('is left by a member that does not carry it: that one stops, and says so', async () => {
    const { group, upgrade } = await rolled()
    await upgrade()
    expect(() => group.start('old')).toThrow(
      /this member carries machine counter of version 1, its group counter of version 2: start it with code that has/,
    )
  })

  it('begins with the newest one when it is new itself, and takes over what came before', async () => {
    const group = new Group<AnyStateMachine>(() => second())
    group.leader = 'a'
    await group.propose(['event', 'c', { type: 'add' }])
    group.lead('a')
    await group.at('a').actor('c').send({ type: 'add' })
    expect(group.at('b').actor('c').getSnapshot()).toMatchObject({ value: 'ready', context: { count: 101 } })
    expect(group.member('b').machine.version).toBe('2')
  })
})
