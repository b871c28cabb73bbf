// What a client knows of a group whose members nobody has told it: who they are and who leads, as they change.

import { afterEach, expect, test, vi } from 'vitest'
import { connectClient } from '../../src/client.ts'
import { attachServices } from '../../src/services/attach.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { VirtualClock } from '../actors/support/virtual-clock.ts'
import { AdminNode } from './admin-node.ts'

const open: { close(): unknown }[] = []
afterEach(() => {
  for (const each of open.splice(0).reverse()) each.close()
})

function group() {
  const clock = new VirtualClock()
  const bus = new MemoryBus({ clock })
  const nodes = ['n1', 'n2', 'n3'].map((id) => {
    const node = new AdminNode(id, { peers: ['n1', 'n2'] })
    attachServices({ transport: bus.connect(id), node, clock })
    node.follow('n1', 2)
    return node
  })
  nodes[0]?.lead(2)
  nodes[2]?.follow(null, 0)
  if (nodes[2] !== undefined) nodes[2].peers = []
  const transport = bus.connect('app')
  const asked = vi.spyOn(transport, 'publish')
  const client = connectClient({ transport, group: 'demo', clock })
  open.push(client)
  const questions = (): number =>
    asked.mock.calls.filter(([subject]) => subject === 'quorate.demo.members.status').length
  /** What comes of it, though no time passes. */
  const soon = async <T>(asking: Promise<T>): Promise<T> => {
    for (let turn = 0; turn < 20; turn += 1) {
      clock.settle()
      await Promise.resolve()
    }
    return await asking
  }
  return { clock, client, nodes, questions, soon }
}

test('members and leader are asked for, by whoever knows no more than the name of the group', async () => {
  const { client, soon, questions } = group()
  const both = Promise.all([client.members(), client.members(), client.leader()])
  // Who waits to be added answers as well, and names nobody.
  expect(await soon(both)).toEqual([
    { leader: 'n1', term: 2, voters: ['n1', 'n2'], learners: [] },
    { leader: 'n1', term: 2, voters: ['n1', 'n2'], learners: [] },
    'n1',
  ])
  expect(questions()).toBe(1)
})

test('members are known for a second, and asked for again after it', async () => {
  const { client, clock, soon, questions, nodes } = group()
  await soon(client.members())
  for (const node of nodes) node.peers = ['n1', 'n2', 'n3']
  for (const node of nodes) node.learners = ['n4']
  clock.advance(300)
  expect(await soon(client.members())).toMatchObject({ voters: ['n1', 'n2'] })
  expect(questions()).toBe(1)
  clock.advance(1000)
  const later = client.members()
  // n4 does not answer: it is waited for.
  clock.advance(600)
  expect(await soon(later)).toMatchObject({ voters: ['n1', 'n2', 'n3'], learners: ['n4'] })
  expect(questions()).toBe(2)
})

test('while the members change, those of both sets are told', async () => {
  const { client, soon, nodes } = group()
  for (const node of nodes) node.oldPeers = ['n1', 'n3']
  expect(await soon(client.members())).toMatchObject({ voters: ['n1', 'n2', 'n3'] })
})

test('an answer that names another leader is reason to ask again', async () => {
  const { client, soon, questions, nodes } = group()
  await soon(client.apply('a'))
  expect(await soon(client.leader())).toBe('n1')
  expect(questions()).toBe(0)
  await soon(client.members())
  const [n1, n2] = nodes
  n1?.follow('n2', 3)
  n2?.lead(3)
  if (n1 !== undefined)
    n1.onApply = () => {
      throw new Error('It does not lead.')
    }
  await soon(client.apply('b').catch(() => {}))
  expect(await soon(client.leader())).toBe('n2')
  expect(await soon(client.members())).toMatchObject({ leader: 'n2', term: 3 })
  expect(questions()).toBe(2)
})

test('without a leader nothing is kept, and without a member one learns so', async () => {
  const { client, soon, questions, nodes } = group()
  for (const node of nodes) node.follow(null, 3)
  expect(await soon(client.members())).toMatchObject({ leader: null, voters: ['n1', 'n2'] })
  expect(await soon(client.leader())).toBeNull()
  expect(questions()).toBe(2)
  const alone = connectClient({ transport: new MemoryBus().connect('app'), group: 'demo' })
  open.push(alone)
  await expect(alone.members()).rejects.toMatchObject({ code: 'NO_LEADER', retryable: true })
})
