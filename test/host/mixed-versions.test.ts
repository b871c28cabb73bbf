// A group in the middle of an upgrade: one member speaks as an earlier minor version did, one as a later one may.

import { expect, it } from 'vitest'
import { plain, sealedTuple } from '../transport/support/seals.ts'
import { until, World } from './support/world.ts'

type Dialect = (items: readonly unknown[]) => readonly unknown[]

/** 0.1.0 named no conflict in its answers to entries and heartbeats. */
const earlier: Dialect = (items) => {
  const [, , error, , success, lastLogIndex] = items
  const isAppendAnswer = error === null && typeof success === 'boolean' && typeof lastLogIndex === 'number'
  return isAppendAnswer ? items.slice(0, 6) : items
}
const later: Dialect = (items) => [...items, 'new', 7, { of: [items.length] }]

/** What `id` says to other members, from its next connection on, is said in `dialect`. Returns how often that made a difference. */
function speaks(world: World, id: string, dialect: Dialect): () => number {
  let changed = 0
  const connect = world.bus.connect.bind(world.bus)
  world.bus.connect = (name) => {
    const connection = connect(name)
    if (name !== id) return connection
    const publish = connection.publish.bind(connection)
    connection.publish = (subject, payload, replyTo) => {
      const items: unknown = plain.decode(payload)
      if (!Array.isArray(items)) return publish(subject, payload, replyTo)
      const said = dialect(items.slice(0, -1))
      if (said.length !== items.length - 1) changed += 1
      return publish(subject, sealedTuple(said), replyTo)
    }
    return connection
  }
  return () => changed
}

it('members of three versions elect each other, replicate, and catch up', async () => {
  await using world = new World('a', 'b', 'c')
  const differences = [speaks(world, 'b', earlier), speaks(world, 'c', later)]
  let { leader } = await world.elect()
  const words: string[] = []
  const led = new Set<string>()
  for (let round = 0; round < 4; round += 1) {
    led.add(leader.id)
    for (let i = 0; i < 5; i += 1) {
      words.push(`${round}.${i}`)
      await leader.node.apply(`${round}.${i}`)
    }
    const fallen = leader
    await world.kill(fallen)
    const next = await world.leader()
    words.push(`${round} while one is down`)
    await next.leader.node.apply(`${round} while one is down`)
    await world.member(fallen.id)
    leader = (await world.leader()).leader
    const machines = [...world.members.values()].map(({ machine }) => machine)
    await until(
      () => machines.every((machine) => machine.words.length === words.length),
      'all words everywhere',
    )
    for (const machine of machines) expect(machine.words).toEqual(words)
  }
  expect(led.size).toBeGreaterThan(1)
  for (const count of differences) expect(count()).toBeGreaterThan(10)
}, 60_000)
