// What comes with a command: the time of its entry and the trace of its caller, the same on all members.

import { expect, it } from 'vitest'
import { connectClient } from '../../src/client.ts'
import { isQuorateError, QuorateError, Refused, type StateMachinePort } from '../../src/index.ts'
import { attachServices } from '../../src/services/attach.ts'
import type { AppliedPosition, StateMachine } from '../../src/state-machine.ts'
import { rejection, until, World } from '../host/support/world.ts'

class Diary implements StateMachine {
  readonly wantsTime: boolean
  readonly seen: AppliedPosition[] = []
  port: StateMachinePort | null = null

  constructor(wantsTime: boolean) {
    this.wantsTime = wantsTime
  }

  onStart(port: StateMachinePort): void {
    this.port = port
  }

  apply(command: unknown, at: AppliedPosition): unknown {
    this.seen.push(at)
    return command === 'no' ? new Refused(new QuorateError('CONFLICT', 'Not this one.')) : command
  }
}

const TRACE = { traceparent: `00-${'4b'.repeat(16)}-${'0f'.repeat(8)}-01`, tracestate: 'vendor=1' }

async function trio(wantsTime: boolean) {
  const world = new World('a', 'b', 'c')
  const diaries = new Map(world.ids.map((id) => [id, new Diary(wantsTime)]))
  await Promise.all(
    world.ids.map((id) => world.member(id, { stateMachine: diaries.get(id) ?? new Diary(true) })),
  )
  const { leader } = await world.leader()
  const everybody = [...diaries.values()]
  const all = (count: number) =>
    until(() => everybody.every(({ seen }) => seen.length >= count), 'all have applied')
  const own = diaries.get(leader.id)
  if (own === undefined) throw new Error('a leader without a diary')
  return { world, leader, everybody, own, all, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

it('a machine that wants the time is told the same on all members, and it never goes back', async () => {
  await using group = await trio(true)
  await group.leader.node.apply('one')
  await group.leader.node.apply('two')
  await group.all(2)
  const times = group.everybody.map(({ seen }) => seen.map(({ timeMs }) => timeMs))
  expect(times[1]).toEqual(times[0])
  expect(times[2]).toEqual(times[0])
  const [first = 0, second = 0] = times[0] ?? []
  expect(first).toBeGreaterThan(1_600_000_000_000)
  expect(second).toBeGreaterThanOrEqual(first)
})

it('who asked for neither gets neither; the trace of a caller arrives on all members', async () => {
  await using group = await trio(false)
  await group.leader.node.apply('bare')
  await group.leader.node.apply('traced', { traceContext: TRACE })
  const services = await attachServices({ node: group.leader.node, transport: group.leader.connection })
  const client = connectClient({ transport: group.leader.connection, group: group.leader.node.group })
  await client.apply('from afar', { traceContext: { traceparent: TRACE.traceparent } })
  await group.all(3)
  for (const { seen } of group.everybody) {
    expect(seen[0]).not.toHaveProperty('timeMs')
    expect(seen[0]).not.toHaveProperty('traceContext')
    expect(seen[1]?.traceContext).toEqual(TRACE)
    expect(seen[2]?.traceContext).toEqual({ traceparent: TRACE.traceparent })
  }
  expect(await group.leader.node.readCommittedUserLog(seenIndex(group.own, 1))).toMatchObject({
    command: 'traced',
  })
  const error = await rejection(group.leader.node.apply('x', { traceContext: { traceparent: 'none' } }))
  expect(error).toMatchObject({ code: 'INVALID', outcome: 'not-applied' })
  client.close()
  services.detach()
})

it('a machine may refuse a command: its caller learns why, and the node goes on', async () => {
  await using group = await trio(false)
  expect(await rejection(group.leader.node.apply('no'))).toMatchObject({
    ...{ code: 'CONFLICT', message: 'Not this one.', outcome: 'not-applied' },
  })
  expect(await group.leader.node.apply('yes')).toMatchObject({ result: 'yes' })
})

it('a machine may propose by itself while its member leads', async () => {
  await using group = await trio(false)
  const answer = (diary: Diary, command: unknown) =>
    new Promise((resolve) => diary.port?.propose(command, (outcome) => resolve(outcome)))
  expect(await answer(group.own, 'mine')).toMatchObject({ ok: true, result: 'mine' })
  const other = group.everybody.find((diary) => diary !== group.own)
  if (other === undefined) throw new Error('a group of one')
  const refused = await answer(other, 'not mine')
  expect(refused).toMatchObject({ ok: false, error: expect.toSatisfy(isQuorateError) })
  expect(refused).toMatchObject({ error: { code: 'NOT_LEADER' } })
})

function seenIndex({ seen }: Diary, at: number): number {
  return seen[at]?.index ?? 0
}
