// kill -9, pauses and a lost bus, against real processes under load. What clients were told must stay true: the whole
// history is linearizable, and all members end with the same state.

import { afterEach, expect, test } from 'vitest'
import { Group } from './support/group.ts'
import { Workload } from './support/workload.ts'

const CLIENTS = 12
const LONG = { timeout: 90_000 }

let group: Group
afterEach(() => group.stop())

async function settle(load: Workload): Promise<void> {
  await load.progress(20)
  await load.stop()
  await group.converged()
  expect(load.check()).toMatchObject({ verdict: 'linearizable' })
}

// Who waited for the silence of a killed leader would wait for half a minute, three times. The bus says that it is gone.
test('leaders and followers are killed in a loop', LONG, async () => {
  group = await Group.start({ flags: ['--max-clock-drift', '30000'] })
  const load = new Workload(group.client, CLIENTS)
  await load.progress(50)
  for (let round = 0; round < 6; round++) {
    const leader = await group.leader()
    const victim = round % 2 === 0 ? leader : group.ids.find((id) => id !== leader)
    if (victim === undefined) throw new Error('A group of three has followers.')
    await group.end(victim, 'SIGKILL')
    await load.progress(40)
    await group.startMember(victim)
  }
  await settle(load)
})

test('the whole group is killed at once and comes back with what it acknowledged', LONG, async () => {
  group = await Group.start()
  const load = new Workload(group.client, CLIENTS)
  for (let round = 0; round < 3; round++) {
    await load.progress(60)
    await Promise.all(group.ids.map((id) => group.end(id, 'SIGKILL')))
    await Promise.all(group.ids.map((id) => group.startMember(id)))
  }
  await settle(load)
})

test('a paused leader is replaced, and serves nothing stale when it wakes up', LONG, async () => {
  group = await Group.start()
  const load = new Workload(group.client, CLIENTS)
  for (let round = 0; round < 3; round++) {
    await load.progress(40)
    const paused = await group.leader()
    group.signal(paused, 'SIGSTOP')
    await group.leader(paused)
    const replacedAtMs = performance.now()
    // More than the clients have in flight: each of them goes on although the paused one still listens.
    await load.progress(20 * CLIENTS)
    expect(load.lostSince(replacedAtMs)).toEqual([])
    group.signal(paused, 'SIGCONT')
  }
  await settle(load)
})

test('the bus is killed and restarted', LONG, async () => {
  group = await Group.start()
  const load = new Workload(group.client, CLIENTS)
  const { term } = await group.leading()
  for (let round = 0; round < 2; round++) {
    await load.progress(40)
    await group.nats.kill()
    await group.nats.restart()
  }
  await settle(load)
  // Everybody misses everybody then: nobody is a judge of who is gone.
  expect((await group.leading()).term - term).toBeLessThanOrEqual(2)
})

test('SIGTERM hands over before it ends, and ends with exit status 0', LONG, async () => {
  group = await Group.start()
  const load = new Workload(group.client, CLIENTS)
  await load.progress(40)
  const leader = await group.leader()
  expect(await group.end(leader, 'SIGTERM')).toBe(0)
  expect(await group.leader()).not.toBe(leader)
  await group.startMember(leader)
  await settle(load)
})
