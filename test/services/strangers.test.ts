// Whoever was removed, or waits to be added, hears what is asked of any member, and leaves the answer to others.

import { expect, it } from 'vitest'
import { authorityOf } from '../../src/client/status.ts'
import { connectClient } from '../../src/client.ts'
import { parseMemberStatus } from '../../src/protocol/admin-protocol.ts'
import { attachServices } from '../../src/services/attach.ts'
import { rejection, until, World } from '../host/support/world.ts'

async function served(world: World, id: string, options = {}) {
  const member = await world.member(id, options)
  const services = attachServices({ transport: member.connection, node: member.node })
  return { ...member, services }
}

it('a read of any member is never answered by who is none', { timeout: 30_000 }, async () => {
  await using world = new World('a', 'b')
  const [a, b, waiting] = [
    await served(world, 'a'),
    await served(world, 'b'),
    await served(world, 'w', { peers: [] }),
  ]
  const { leader } = await untilLed(world)
  await leader.node.apply('word')
  await until(() => [a, b].every(({ machine }) => machine.words.length === 1), 'both have the word')
  const client = connectClient({ transport: world.bus.connect('app'), group: 'words', timeoutMs: 2000 })
  const everybody = () =>
    Promise.all(Array.from({ length: 30 }, () => client.read('all', { level: 'local' })))
  for (const words of await everybody()) expect(words).toEqual(['word'])

  const other = leader.id === 'a' ? b : a
  await leader.node.removePeer(other.id)
  await until(() => other.node.status().membership === 'removed', 'it has learned it')
  await leader.node.apply('later')
  for (const words of await everybody()) expect(words).toEqual(['word', 'later'])

  // Nobody is left but those: then that is what the client hears.
  await world.close(leader)
  expect(await rejection(client.read('all', { level: 'local' }))).toMatchObject({
    code: 'NOT_LEADER',
    message: expect.stringMatching(/is no member of its group, or not yet: ask another one/),
  })
  client.close()
  for (const { services } of [a, b, waiting]) services.detach()
})

async function untilLed(world: World) {
  const led = () =>
    [...world.members.values()].find(({ node }) => node.status().state === 'active.leader.serving')
  await until(() => led() !== undefined, 'a leader')
  const leader = led()
  if (leader === undefined) throw new Error('the leader is gone again')
  return { leader }
}

it('without a leader the word of a member counts, however far a removed one has got', async () => {
  await using world = new World('a')
  const { node } = await world.member('a')
  const status = { ...node.status(), instance: 'x', version: null, leader: null, role: 'follower' as const }
  const member = parseMemberStatus({ ...status, id: 'm', peers: ['m', 'n'], term: 3, membership: 'voter' })
  const gone = parseMemberStatus({ ...status, id: 'r', peers: ['r', 'm'], term: 9, membership: 'removed' })
  if (member === undefined || gone === undefined) throw new Error('no status')
  const told = { leader: null }
  expect(authorityOf({ ...told, members: [gone, member] })?.id).toBe('m')
  expect(authorityOf({ ...told, members: [gone] })?.id).toBe('r')
})
