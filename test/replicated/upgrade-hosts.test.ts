// A group of real hosts is upgraded through a client, which asks every member first whether it carries the new version.

import { expect, it } from 'vitest'
import { type AnyStateMachine, assign, setup } from 'xstate'
import { connectClient } from '../../src/client.ts'
import { attachServices } from '../../src/services/attach.ts'
import { type Replicated, replicate } from '../../src/xstate.ts'
import { GROUP, rejection, until, World } from '../host/support/world.ts'

function counterOf(version: string, step: number): AnyStateMachine {
  return setup({
    types: { context: {} as { count: number }, events: {} as { type: 'add' } },
  }).createMachine({
    ...{ id: 'counter', version, initial: 'idle', context: { count: 0 } },
    states: {
      idle: { on: { add: { actions: assign({ count: ({ context }) => context.count + step }) } } },
    },
  })
}

const first = (): Replicated<AnyStateMachine> => replicate(counterOf('1', 1), { maxIterations: 10 })
const second = (): Replicated<AnyStateMachine> =>
  replicate(counterOf('2', 100), { maxIterations: 10, previous: { machine: counterOf('1', 1) } })

it('an upgrade is refused while a member does not carry it or does not answer, and done when all do', async () => {
  await using world = new World('a', 'b', 'c')
  const machines = new Map<string, Replicated<AnyStateMachine>>()
  const join = async (id: string, stateMachine: Replicated<AnyStateMachine>): Promise<void> => {
    machines.set(id, stateMachine)
    const { node, connection } = await world.member(id, { stateMachine })
    attachServices({ node, transport: connection })
  }
  const restart = async (id: string): Promise<void> => {
    const member = world.members.get(id)
    if (member !== undefined) await world.kill(member)
    await join(id, second())
    await world.leader()
  }
  await Promise.all(world.ids.map((id) => join(id, first())))
  await world.leader()
  const client = connectClient({ transport: world.bus.connect('operator'), group: GROUP })
  // The operator has the code of the new version, and carries no member.
  const orders = second()
  const counter = orders.actors(client).actor('x')
  expect((await counter.send({ type: 'add' })).snapshot.context).toEqual({ count: 1 })

  await restart('a')
  await restart('b')
  const refused = await rejection(orders.upgrade(client))
  expect(refused).toMatchObject({ code: 'CONFLICT', outcome: 'not-applied' })
  expect(String(refused)).toMatch(/Not upgraded: c does not say to carry counter version 2, definition \w+\./)

  const last = world.members.get('c')
  if (last !== undefined) await world.kill(last)
  expect(String(await rejection(orders.upgrade(client)))).toMatch(/Not upgraded: c does not/)
  await join('c', second())
  await world.leader()

  const version = () => [...machines.values()].map((machine) => machine.version)
  await until(() => version().every((each) => each === '1'), 'all have applied what was there')
  await orders.upgrade(client)
  await until(() => version().every((each) => each === '2'), 'all run the new version')
  expect((await counter.send({ type: 'add' })).snapshot.context).toEqual({ count: 101 })
  await orders.upgrade(client)
  client.close()
})
