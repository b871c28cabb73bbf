// What operators and the ordinary `nats` tool see of members.

import { describe, expect, test } from 'vitest'
import { connectClient } from '../../src/client.ts'
import { encodeJson } from '../../src/protocol/json.ts'
import { attachServices } from '../../src/services/attach.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { FakeNode } from './fake-node.ts'

function group(ids: readonly string[]): { bus: MemoryBus; nodes: FakeNode[] } {
  const bus = new MemoryBus()
  const nodes = ids.map((id) => {
    const node = new FakeNode(id, { peers: ['n1', 'n2', 'n3'] })
    attachServices({ transport: bus.connect(id), node, version: '1.2.3' })
    return node
  })
  return { bus, nodes }
}

async function ask(bus: MemoryBus, subject: string, answers: number): Promise<unknown[]> {
  const asking = bus.connect('ops')
  const received: unknown[] = []
  await new Promise<void>((resolve) => {
    asking.subscribe('_INBOX_ops.raw', ({ payload }) => {
      received.push(JSON.parse(Buffer.from(payload).toString()))
      if (received.length === answers) resolve()
    })
    asking.publish(subject, new Uint8Array(0), '_INBOX_ops.raw')
  })
  return received
}

describe('status of a group', () => {
  test('is there as soon as every member has answered', async () => {
    const { bus, nodes } = group(['n3', 'n1', 'n2'])
    nodes[0]?.lead()
    const client = connectClient({ transport: bus.connect('app'), group: 'demo' })
    const status = await client.status({ timeoutMs: 60_000 })
    expect(status).toMatchObject({ group: 'demo', leader: 'n3', unreachable: [] })
    expect(status.members.map(({ id, role }) => [id, role])).toEqual([
      ['n1', 'follower'],
      ['n2', 'follower'],
      ['n3', 'leader'],
    ])
  })

  test('is not given by who waits to be added, though it answers first', async () => {
    const { bus, nodes } = group(['n4', 'n1', 'n2', 'n3'])
    if (nodes[0] !== undefined) nodes[0].peers = []
    const client = connectClient({ transport: bus.connect('app'), group: 'demo' })
    const { members, unreachable } = await client.status({ timeoutMs: 60_000 })
    expect([members.map(({ id }) => id), unreachable]).toEqual([['n1', 'n2', 'n3', 'n4'], []])
  })

  test('names those who do not answer', async () => {
    const { bus } = group(['n2'])
    const client = connectClient({ transport: bus.connect('app'), group: 'demo' })
    expect(await client.status({ timeoutMs: 20 })).toMatchObject({ leader: null, unreachable: ['n1', 'n3'] })
  })

  test('names the leader of the newest term, whoever else still believes to lead', async () => {
    const { bus, nodes } = group(['n1', 'n2', 'n3'])
    nodes[0]?.lead(2)
    nodes[1]?.lead(5)
    nodes[2]?.lead(4)
    const client = connectClient({ transport: bus.connect('app'), group: 'demo' })
    expect(await client.status({ timeoutMs: 60_000 })).toMatchObject({ leader: 'n2' })
  })

  test('waits for those who are leaving, too', async () => {
    const { bus, nodes } = group(['n1', 'n2', 'n3'])
    for (const node of nodes) node.oldPeers = ['n1', 'n4']
    const client = connectClient({ transport: bus.connect('app'), group: 'demo' })
    expect(await client.status({ timeoutMs: 20 })).toMatchObject({ unreachable: ['n4'] })
  })

  test('leaves out whoever answers for another group', async () => {
    const { bus } = group(['n1', 'n2'])
    const stranger = bus.connect('n3')
    const status = new FakeNode('n3', { group: 'other' }).status()
    stranger.subscribe('quorate.demo.members.status', ({ replyTo = '' }) => {
      stranger.publish(replyTo, encodeJson({ ...status, instance: 'x' }))
    })
    const client = connectClient({ transport: bus.connect('app'), group: 'demo' })
    const { members, unreachable } = await client.status({ timeoutMs: 30 })
    expect([members.map(({ id }) => id), unreachable]).toEqual([['n1', 'n2'], ['n3']])
  })

  test('of a group that is not there is empty at once', async () => {
    const { bus } = group(['n1'])
    const client = connectClient({ transport: bus.connect('app'), group: 'other' })
    expect(await client.status({ timeoutMs: 60_000 })).toEqual({
      group: 'other',
      members: [],
      unreachable: [],
      ...{ leader: null, clocks: [] },
    })
  })

  test('tells how far clocks are ahead of the own one, of members that tell the time', async () => {
    const { bus, nodes } = group(['n1', 'n2', 'n3'])
    const [early, late] = nodes
    if (early === undefined || late === undefined) throw new Error('no nodes')
    const [first, second] = [early.status(), late.status()]
    early.status = () => ({ ...first, wallClockMs: Date.now() + 60_000 })
    late.status = () => ({ ...second, wallClockMs: Date.now() - 60_000 })
    const client = connectClient({ transport: bus.connect('app'), group: 'demo' })
    const { clocks } = await client.status({ timeoutMs: 60_000 })
    expect(clocks.map(({ id, aheadMs }) => [id, Math.round(aheadMs / 10_000)])).toEqual([
      ['n1', 6],
      ['n2', -6],
    ])
  })

  test('takes the answer of an older member, which leaves out what it does not know of', async () => {
    const { bus } = group(['n1', 'n2'])
    const { wallClockMs: _, leaderContactMs: __, settings: ___, ...old } = new FakeNode('n3').status()
    const older = bus.connect('n3')
    older.subscribe('quorate.demo.members.status', ({ replyTo = '' }) =>
      older.publish(replyTo, encodeJson({ ...old, instance: 'i' })),
    )
    const client = connectClient({ transport: bus.connect('app'), group: 'demo' })
    const { members } = await client.status({ timeoutMs: 60_000 })
    expect(members.at(-1)).toMatchObject({ id: 'n3', version: null, settings: null, wallClockMs: null })
    expect(members[0]).toMatchObject({ id: 'n1', version: '1.2.3' })
  })

  test('skips what is not a status', async () => {
    const { bus } = group(['n1', 'n2', 'n3'])
    const liar = bus.connect('liar')
    liar.subscribe('quorate.demo.members.status', ({ replyTo }) => {
      liar.publish(replyTo ?? '', new TextEncoder().encode('{"id":"n4","peers":["n9"]}'))
      liar.publish(replyTo ?? '', new Uint8Array([0xff]))
    })
    const client = connectClient({ transport: bus.connect('app'), group: 'demo' })
    expect((await client.status()).members.map(({ id }) => id)).toEqual(['n1', 'n2', 'n3'])
  })
})

describe('for the nats tool', () => {
  test('one member answers in JSON on its admin subject', async () => {
    const { bus } = group(['n1', 'n2'])
    expect(await ask(bus, 'quorate.demo.n2.admin.status', 1)).toMatchObject([{ id: 'n2', role: 'follower' }])
  })

  test.each([
    ['$SRV.PING', 2, 'io.nats.micro.v1.ping_response'],
    ['$SRV.INFO.quorate-demo', 2, 'io.nats.micro.v1.info_response'],
    ['$SRV.STATS.quorate-demo.n2', 1, 'io.nats.micro.v1.stats_response'],
  ])('%s finds members', async (subject, count, type) => {
    const { bus } = group(['n1', 'n2'])
    const answers = await ask(bus, subject, count)
    for (const answer of answers) {
      expect(answer).toMatchObject({
        type,
        name: 'quorate-demo',
        version: '1.2.3',
        metadata: { group: 'demo' },
      })
    }
  })

  test('endpoints have subjects, queues, counts and what the member is doing', async () => {
    const { bus, nodes } = group(['n1'])
    nodes[0]?.lead()
    await connectClient({ transport: bus.connect('app'), group: 'demo' }).apply('a')
    const [stats] = await ask(bus, '$SRV.STATS.quorate-demo.n1', 1)
    expect(stats).toMatchObject({
      endpoints: expect.arrayContaining([
        expect.objectContaining({
          name: 'propose',
          subject: 'quorate.demo.leader.propose',
          queue_group: 'leaders',
          num_requests: 1,
          num_errors: 0,
          data: expect.objectContaining({ role: 'leader', commitIndex: 1 }),
        }),
      ]),
    })
  })
})
