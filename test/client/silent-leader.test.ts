// A leader that stands still while the bus goes on handing it requests: whom the client writes to, and what it says.

import { afterEach, describe, expect, test, vi } from 'vitest'
import { type ClientOptions, connectClient, type QuorateClient } from '../../src/client.ts'
import { isQuorateError, QuorateError } from '../../src/errors.ts'
import { attachServices } from '../../src/services/attach.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import type { MemoryConnection } from '../../src/transport/memory/memory-connection.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'
import { FakeNode } from './fake-node.ts'
import { Pausable } from './pausable.ts'

const PEERS = ['n1', 'n2', 'n3']
const SILENCE_MS = 60

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

interface Member {
  readonly node: FakeNode
  readonly process: Pausable
  readonly bus: MemoryConnection
}

function member(bus: MemoryBus, id: string): Member {
  const connection = bus.connect(id)
  const process = new Pausable(connection)
  const node = new FakeNode(id, { peers: PEERS })
  const services = attachServices({ transport: process.transport, node })
  open.push(connection, { close: () => services.detach() })
  return { node, process, bus: connection }
}

interface World {
  readonly n1: Member
  readonly n2: Member
  readonly client: QuorateClient
  /** Subjects that the client has published on. */
  sent(): readonly string[]
}

/** n1 leads in term 1 and n2 follows it; the client knows nothing yet. */
function world(options: Partial<ClientOptions> = {}): World {
  const bus = new MemoryBus()
  const n1 = member(bus, 'n1')
  const n2 = member(bus, 'n2')
  n1.node.lead(1)
  n2.node.follow('n1', 1)
  const transport = bus.connect('app')
  const publish = vi.spyOn(transport, 'publish')
  const client = connectClient({
    ...{ transport, group: 'demo', timeoutMs: 1000, silenceMs: SILENCE_MS, ...options },
  })
  open.push(transport, client)
  return { n1, n2, client, sent: () => publish.mock.calls.map(([subject]) => subject) }
}

async function failure(promise: Promise<unknown>): Promise<QuorateError> {
  const error: unknown = await promise.then(
    () => new Error('It was fulfilled.'),
    (reason: unknown) => reason,
  )
  if (isQuorateError(error)) return error
  throw error
}

describe('a client writes', () => {
  test('to the leader subject first, and to the member that answered from then on', async () => {
    const { client, sent } = world()
    for (const command of ['a', 'b']) await client.apply(command)
    await client.read('q')
    expect(sent()).toEqual([
      'quorate.demo.leader.propose',
      'quorate.demo.n1.client.propose',
      'quorate.demo.n1.client.read',
    ])
  })

  test('to the one that a member which no longer leads names', async () => {
    const { client, n1, n2, sent } = world()
    await client.apply('a')
    n1.node.onApply = () => {
      throw new QuorateError('NOT_LEADER', 'Not me.', { leader: 'n2' })
    }
    n2.node.lead(2)
    n1.node.follow('n2', 2)
    await client.apply('b')
    expect(n2.node.applied).toEqual(['b'])
    expect(sent().slice(1)).toEqual(['quorate.demo.n1.client.propose', 'quorate.demo.n2.client.propose'])
  })

  test('to the leader subject again when nobody listens at the member, or it knows no leader', async () => {
    const { client, n1, n2, sent } = world()
    await client.apply('a')
    n1.bus.disconnect()
    n2.node.lead(2)
    await client.apply('b')
    expect(n2.node.applied).toEqual(['b'])
    n1.bus.reconnect()
    n1.node.follow(null, 3)
    n2.node.onApply = (_, index) => {
      if (index > 2) return null
      n2.node.follow(null, 3)
      n1.node.lead(3)
      return null
    }
    for (const command of ['c', 'd']) await client.apply(command)
    expect(n1.node.applied).toEqual(['a', 'd'])
    expect(sent().filter((subject) => subject.includes('.leader.'))).toHaveLength(3)
  })

  test('not to a leader of an earlier term, whoever names it', async () => {
    const { client, n1, n2 } = world()
    await client.apply('a')
    let late: (value: unknown) => void = () => {}
    n1.node.onApply = () => new Promise((resolve) => (late = resolve))
    const slow = client.apply('slow')
    await vi.waitFor(() => expect(n1.node.applied).toContain('slow'))
    n2.node.lead(2)
    n1.process.stop()
    await new Promise((resolve) => setTimeout(resolve, 3 * SILENCE_MS))
    await client.apply('b')
    // Its answer says that it leads, in the term that it knows.
    n1.process.go()
    late(null)
    await slow
    await client.apply('c')
    expect(n2.node.applied).toEqual(['b', 'c'])
  })
})

test('a client does not cling to a leader that came back without its files, in a term long past', async () => {
  const { client, n1, n2 } = world()
  n1.node.lead(7)
  n2.node.follow('n1', 7)
  await client.apply('a')
  n1.node.onApply = () => {
    throw new QuorateError('SHUTDOWN', 'The node is closed.')
  }
  n1.node.follow(null, 1)
  n2.node.lead(8)
  await client.apply('b')
  expect(n2.node.applied).toEqual(['b'])
})

describe('a leader that stands still', () => {
  test('new requests wait for the leader that the members name, and what was sent stays unknown', async () => {
    const { client, n1, n2 } = world({ timeoutMs: 600 })
    await client.apply('a')
    n1.process.stop()
    const lost = failure(client.apply('lost'))
    const read = client.read('q')
    await new Promise((resolve) => setTimeout(resolve, 2 * SILENCE_MS))
    const held = client.apply('held')
    n2.node.lead(2)
    await held
    await expect(read).resolves.toBe('q')
    await client.apply('b')
    expect(await lost).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' })
    expect(n2.node.applied).toEqual(['held', 'b'])
    n1.process.go()
    // What reached it late is its own to refuse; nothing was sent a second time.
    await vi.waitFor(() => expect(n1.node.applied).toEqual(['a', 'lost']))
    await client.apply('c')
    expect(n2.node.applied).toEqual(['held', 'b', 'c'])
  })

  test('is found also by a client that began when it stood still already', async () => {
    const { client, n1, n2 } = world()
    n1.process.stop()
    n2.node.lead(2)
    // Whichever of the two the bus picks for the first ones.
    await Promise.allSettled([client.read('x'), client.read('y', { level: 'lease' })])
    for (let i = 0; i < 10; i += 1) await client.apply(i)
    expect(n2.node.applied).toHaveLength(10)
  })

  test('without another one, nothing is sent to it, and the caller learns that nothing was', async () => {
    const { client, n1, n2 } = world({ timeoutMs: 300 })
    await client.apply('a')
    n1.process.stop()
    const lost = failure(client.apply('lost'))
    await new Promise((resolve) => setTimeout(resolve, 2 * SILENCE_MS))
    expect(await failure(client.apply('held'))).toMatchObject({
      code: 'NO_LEADER',
      outcome: 'not-applied',
      retryable: true,
      message: expect.stringContaining('was silent'),
    })
    expect((await lost).outcome).toBe('unknown')
    // It is asked for as soon as somebody wants something again.
    n1.process.go()
    await client.apply('b')
    expect(n1.node.applied).toEqual(['a', 'lost', 'b'])
    expect(n2.node.applied).toEqual([])
  })

  test('that is only slow is believed when it says that it leads', async () => {
    const { client, n1 } = world()
    await client.apply('a')
    const waiting: (() => void)[] = []
    n1.node.onApply = () => new Promise<void>((resolve) => waiting.push(resolve))
    const writes = [client.apply('slow')]
    await new Promise((resolve) => setTimeout(resolve, 3 * SILENCE_MS))
    writes.push(client.apply('next'))
    await vi.waitFor(() => expect(waiting).toHaveLength(2))
    for (const settle of waiting) settle()
    await Promise.all(writes)
    expect(n1.node.applied).toEqual(['a', 'slow', 'next'])
  })

  test('while members answer nothing at all is left to the bus', async () => {
    const bus = new MemoryBus()
    const mute = bus.connect('mute')
    mute.subscribe('quorate.demo.leader.propose', () => {})
    const transport = bus.connect('app')
    const publish = vi.spyOn(transport, 'publish')
    const client = connectClient({ transport, group: 'demo', timeoutMs: 400, silenceMs: SILENCE_MS })
    open.push(mute, transport, client)
    const first = failure(client.apply('a'))
    await vi.waitFor(() =>
      expect(publish).toHaveBeenCalledWith(
        'quorate.demo.members.status',
        ...[expect.anything(), expect.anything()],
      ),
    )
    await new Promise((resolve) => setTimeout(resolve, 10))
    await mute.close()
    expect(await failure(client.apply('b'))).toMatchObject({ code: 'NO_LEADER', outcome: 'not-applied' })
    expect((await first).outcome).toBe('unknown')
  })
})

test.each([
  ['no standing', [1, [[1, 1, null]]]],
  ['a name that is no name', [1, [[1, 1, null]], ['n1', 1, 'n1.client.propose.>']]],
  ['a term that is none', [1, [[1, 1, null]], ['n1', -1, 'n1']]],
  ['a word of the grammar', [1, [[1, 1, null]], ['leader', 1, 'leader']]],
])('an answer with %s moves nobody', async (_, answer) => {
  const bus = new MemoryBus()
  const impostor = bus.connect('x')
  impostor.subscribe('quorate.demo.leader.*', ({ replyTo }) =>
    impostor.publish(replyTo ?? '', encodeValue(answer)),
  )
  const transport = bus.connect('app')
  const publish = vi.spyOn(transport, 'publish')
  const client = connectClient({ transport, group: 'demo', timeoutMs: 200 })
  open.push(impostor, transport, client)
  for (const command of ['a', 'b'])
    expect(await failure(client.apply(command))).toMatchObject({ code: 'TRANSPORT', outcome: 'unknown' })
  expect(publish.mock.calls.map(([subject]) => subject)).toEqual(
    Array.from({ length: 2 }, () => 'quorate.demo.leader.propose'),
  )
})

test('discovery names what each member listens on', async () => {
  const bus = new MemoryBus()
  member(bus, 'n1')
  const asking = bus.connect('ops')
  open.push(asking)
  const info = await new Promise<string>((resolve) => {
    asking.subscribe('_INBOX_ops.x', ({ payload }) => resolve(Buffer.from(payload).toString()))
    asking.publish('$SRV.INFO.quorate-demo.n1', new Uint8Array(0), '_INBOX_ops.x')
  })
  expect(JSON.parse(info).endpoints).toContainEqual(
    expect.objectContaining({ name: 'member-propose', subject: 'quorate.demo.n1.client.propose' }),
  )
})
