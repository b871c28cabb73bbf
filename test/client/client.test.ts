// A client and the services of members, over the in-process bus: what reaches the node, what comes back, and what is
// true of it.

import { afterEach, describe, expect, test, vi } from 'vitest'
import { type ClientOptions, connectClient, type QuorateClient } from '../../src/client.ts'
import { isQuorateError, QuorateError } from '../../src/errors.ts'
import { MAX_OPERATIONS_PER_MESSAGE } from '../../src/protocol/client-protocol.ts'
import { type AttachedServices, attachServices } from '../../src/services/attach.ts'
import { MEMBER_PORT, type MemberPort, type PortedNode } from '../../src/services/member-port.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import type { MemoryConnection } from '../../src/transport/memory/memory-connection.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'
import { FakeNode } from './fake-node.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

interface World {
  readonly bus: MemoryBus
  readonly node: FakeNode
  readonly services: AttachedServices
  readonly memberBus: MemoryConnection
  readonly clientBus: MemoryConnection
  readonly client: QuorateClient
}

function member(bus: MemoryBus, node: FakeNode): { services: AttachedServices; memberBus: MemoryConnection } {
  const memberBus = bus.connect(node.id)
  const services = attachServices({ transport: memberBus, node })
  open.push(memberBus, { close: () => services.detach() })
  return { services, memberBus }
}

function world(options: Partial<ClientOptions> = {}, bus = new MemoryBus()): World {
  const node = new FakeNode('n1').lead()
  const clientBus = bus.connect('app')
  const client = connectClient({ transport: clientBus, group: 'demo', timeoutMs: 1000, ...options })
  open.push(clientBus, client)
  return { bus, node, ...member(bus, node), clientBus, client }
}

async function failure(promise: Promise<unknown>): Promise<QuorateError> {
  const error: unknown = await promise.then(
    () => new Error('It was fulfilled.'),
    (reason: unknown) => reason,
  )
  if (isQuorateError(error)) return error
  throw error
}

function standStill(ms: number): void {
  const endMs = performance.now() + ms
  while (performance.now() < endMs);
}

describe('a write', () => {
  test('reaches the leader as it was given and brings back index, term and result', async () => {
    const { client, node } = world()
    node.onApply = (command) => ({ saw: command })
    const command = ['put', 'ключ', { nested: [1, 2.5, null, true], bytes: new Uint8Array([1, 2]) }]
    await expect(client.apply(command)).resolves.toEqual({ index: 1, term: 1, result: { saw: command } })
  })

  test('is copied before apply returns', async () => {
    const { client, node } = world()
    const bytes = new Uint8Array([1, 2, 3])
    const written = client.apply(bytes)
    bytes.fill(0)
    await written
    expect(node.applied).toEqual([new Uint8Array([1, 2, 3])])
  })

  test('shares one message with all others of its turn, in order, each with its own result', async () => {
    const { client, node, clientBus } = world()
    const publish = vi.spyOn(clientBus, 'publish')
    node.onApply = (command) => Number(command) * 2
    const results = await Promise.all(Array.from({ length: 500 }, (_, at) => client.apply(at)))
    expect(publish).toHaveBeenCalledTimes(1)
    expect(node.applied).toEqual(Array.from({ length: 500 }, (_, at) => at))
    expect(results.map(({ result }) => result)).toEqual(Array.from({ length: 500 }, (_, at) => at * 2))
  })

  test('is cut into messages by count and by bytes', async () => {
    const { client, node, clientBus } = world()
    const publish = vi.spyOn(clientBus, 'publish')
    await Promise.all(Array.from({ length: MAX_OPERATIONS_PER_MESSAGE + 1 }, (_, at) => client.apply(at)))
    expect(publish).toHaveBeenCalledTimes(2)
    await Promise.all(Array.from({ length: 4 }, () => client.apply('x'.repeat(200 * 1024))))
    expect(publish).toHaveBeenCalledTimes(6)
    expect(node.applied).toHaveLength(MAX_OPERATIONS_PER_MESSAGE + 5)
  })

  test('larger than the bus is refused at once, and so is what CBOR cannot carry', async () => {
    const { client, node } = world()
    expect(await failure(client.apply('x'.repeat(2 ** 20)))).toMatchObject({
      code: 'TOO_LARGE',
      outcome: 'not-applied',
      retryable: false,
    })
    expect(await failure(client.apply(new Date(0)))).toMatchObject({
      code: 'INVALID',
      outcome: 'not-applied',
    })
    expect(node.applied).toEqual([])
  })
})

test.each([
  ['half a surrogate pair', { name: '\ud800' }],
  ['undefined', undefined],
  ['undefined inside', [undefined]],
  ['a Map', new Map()],
  ['a bigint beyond 64 bits', [1n << 70n]],
])('%s is refused as a command and as a query, and nothing is sent', async (_, value) => {
  const { client, node, clientBus } = world()
  const publish = vi.spyOn(clientBus, 'publish')
  for (const asked of [client.apply(value), client.read(value)]) {
    expect(await failure(asked)).toMatchObject({ code: 'INVALID', outcome: 'not-applied' })
  }
  expect(publish).not.toHaveBeenCalled()
  expect(node.applied).toEqual([])
})

describe('a node with a port', () => {
  class PortedFake extends FakeNode implements PortedNode {
    readonly proposed: Uint8Array[] = []
    readonly [MEMBER_PORT]: MemberPort = {
      propose: (command, _, done) => {
        this.proposed.push(command)
        const index = this.proposed.length
        queueMicrotask(() => done({ ok: true, index, term: 1, result: undefined }))
      },
      query: (query, _, done) => queueMicrotask(() => done({ ok: true, answer: query })),
    }
  }

  test('gets the bytes as they were sent, its own to keep, and nothing that is not CBOR', async () => {
    const bus = new MemoryBus()
    const node = new PortedFake('n1')
    node.lead()
    member(bus, node)
    const client = connectClient({ transport: bus.connect('app'), group: 'demo' })
    expect(await client.apply(['put', 'k', 'v'])).toEqual({ index: 1, term: 1, result: undefined })
    const raw = bus.connect('raw')
    const reply = new Promise<string>((resolve) => {
      raw.subscribe('_INBOX_raw.x', ({ payload }) => resolve(Buffer.from(payload).toString()))
    })
    raw.publish(
      'quorate.demo.leader.propose',
      encodeValue([1, 'c', [new Uint8Array([0x81])]]),
      '_INBOX_raw.x',
    )
    expect(await reply).toContain('not a plain CBOR value (TRUNCATED)')
    expect(node.proposed).toEqual([encodeValue(['put', 'k', 'v'])])
    expect(node.applied).toEqual([])
  })
})

describe('when a write fails', () => {
  test('retryable refusals are tried again until they are accepted', async () => {
    const { client, node } = world()
    const codes = ['NOT_LEADER', 'BUSY', 'NO_LEADER'] as const
    node.onApply = (_, index) => {
      const code = codes[index - 1]
      if (code !== undefined) throw new QuorateError(code, 'Not now.')
      return 'done'
    }
    await expect(client.apply('a')).resolves.toMatchObject({ result: 'done', index: 4 })
  })

  test('only the refused ones of a message are tried again', async () => {
    const { client, node } = world()
    let refusals = 0
    node.onApply = (command) => {
      if (command === 'second' && refusals++ === 0)
        throw new QuorateError('BUSY', 'Full.', { retryable: true })
      return null
    }
    await Promise.all(['first', 'second', 'third'].map((command) => client.apply(command)))
    expect(node.applied).toEqual(['first', 'second', 'third', 'second'])
  })

  test.each([
    ['INVALID', 'not-applied'],
    ['TERM_MISMATCH', 'not-applied'],
    ['LEADERSHIP_LOST', 'unknown'],
    ['SHUTDOWN', 'unknown'],
    ['STATE_MACHINE', 'applied'],
  ] as const)('%s with outcome %s is handed on and never tried again', async (code, outcome) => {
    const { client, node } = world()
    node.onApply = () => {
      throw new QuorateError(code, 'So it is.', { outcome, leader: 'n2', retryable: outcome === 'unknown' })
    }
    expect(await failure(client.apply('a'))).toMatchObject({
      code,
      outcome,
      leader: 'n2',
      message: 'So it is.',
    })
    expect(node.applied).toHaveLength(1)
  })

  test('an error that is none of ours leaves the outcome unknown', async () => {
    const { client, node } = world()
    node.onApply = () => Promise.reject(new Error(`${'long '.repeat(1000)}`))
    const error = await failure(client.apply('a'))
    expect(error).toMatchObject({ code: 'NODE_FAILED', outcome: 'unknown' })
    expect(error.message.length).toBeLessThanOrEqual(1000)
  })

  test('silence after it was sent is unknown, exactly once, when time is up', async () => {
    const { client, node } = world({ timeoutMs: 80 })
    node.onApply = () => new Promise(() => {})
    expect(await failure(client.apply('a'))).toMatchObject({
      code: 'TIMEOUT',
      outcome: 'unknown',
      retryable: false,
    })
    expect(node.applied).toEqual(['a'])
  })

  test('a member killed in mid-flight leaves unknown; nobody there is NO_LEADER and not applied', async () => {
    const { client, node, memberBus } = world({ timeoutMs: 120 })
    node.onApply = () => {
      void memberBus.close()
      return null
    }
    const first = failure(client.apply('in flight'))
    await vi.waitFor(() => expect(node.applied).toHaveLength(1))
    expect(await failure(client.apply('after'))).toMatchObject({
      code: 'NO_LEADER',
      outcome: 'not-applied',
      retryable: true,
    })
    expect(await first).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' })
    expect(node.applied).toEqual(['in flight'])
  })

  test('it waits for a leader that comes later', async () => {
    const bus = new MemoryBus()
    const { client, node, services } = world({}, bus)
    services.detach()
    const second = new FakeNode('n2')
    member(bus, second)
    const written = client.apply('a')
    await failure(connectClient({ transport: bus.connect('b'), group: 'demo', timeoutMs: 30 }).apply('probe'))
    second.lead()
    await expect(written).resolves.toMatchObject({ index: 1 })
    expect([node.applied, second.applied]).toEqual([[], ['a']])
  })

  test('while the bus is down nothing is sent, and after it is back everything is', async () => {
    const { client, node, clientBus } = world({ timeoutMs: 500 })
    const late = connectClient({ transport: clientBus, group: 'demo', timeoutMs: 40 })
    clientBus.disconnect()
    const patient = client.apply('patient')
    expect(await failure(late.apply('hasty'))).toMatchObject({
      code: 'TRANSPORT',
      outcome: 'not-applied',
      message: expect.stringContaining('lost its connection'),
    })
    clientBus.reconnect()
    await patient
    expect(node.applied).toEqual(['patient'])
  })

  test('a process that stood still longer than that sends nothing, and says so', async () => {
    const { client, node } = world({ timeoutMs: 20 })
    const late = failure(client.apply('late'))
    standStill(40)
    expect(await late).toMatchObject({ code: 'TIMEOUT', outcome: 'not-applied', retryable: true })
    expect(node.applied).toEqual([])
  })

  test('an answer that came while the process stood still counts', async () => {
    const { client, node } = world({ timeoutMs: 50 })
    node.onApply = (_, index) => {
      standStill(80)
      return index
    }
    await expect(client.apply('a')).resolves.toMatchObject({ result: 1 })
  })

  test('close tells apart what was sent and what was not', async () => {
    const { client, node } = world()
    node.onApply = () => new Promise(() => {})
    const sent = failure(client.apply('sent'))
    await vi.waitFor(() => expect(node.applied).toHaveLength(1))
    const waiting = failure(client.apply('waiting'))
    client.close()
    expect(await sent).toMatchObject({ code: 'SHUTDOWN', outcome: 'unknown' })
    expect(await waiting).toMatchObject({ code: 'SHUTDOWN', outcome: 'not-applied' })
    expect(await failure(client.apply('late'))).toMatchObject({ code: 'SHUTDOWN', outcome: 'not-applied' })
  })
})

describe('a result that cannot be sent', () => {
  test('says that the command was applied, and spoils no other', async () => {
    const { client, node } = world({}, new MemoryBus({ maxPayloadBytes: 64 * 1024 }))
    node.onApply = (command) => {
      if (command === 'date') return new Date(0)
      if (command === 'huge') return 'x'.repeat(100_000)
      return command === 'half' ? 'x'.repeat(40_000) : 'fine'
    }
    const commands = ['a', 'date', 'huge', 'half', 'half', 'b']
    const settled = await Promise.allSettled(commands.map((command) => client.apply(command)))
    expect(settled.map((one) => (one.status === 'fulfilled' ? one.value.index : one.reason))).toMatchObject([
      1,
      { code: 'STATE_MACHINE', outcome: 'applied' },
      { code: 'TOO_LARGE', outcome: 'applied' },
      4,
      { code: 'BUSY', outcome: 'applied' },
      6,
    ])
  })

  test('of reads is asked again, one after the other', async () => {
    const { client, node } = world({}, new MemoryBus({ maxPayloadBytes: 64 * 1024 }))
    node.onRead = () => 'x'.repeat(40_000)
    const values = await Promise.all([client.read('a'), client.read('b'), client.read('c')])
    expect(values.map((value) => String(value).length)).toEqual([40_000, 40_000, 40_000])
  })
})

describe('a read', () => {
  test.each(['readIndex', 'lease'] as const)('%s is asked of the leader', async (level) => {
    const { client, node, bus } = world()
    const follower = new FakeNode('n2')
    member(bus, follower)
    await expect(client.read(['get', 'a'], { level })).resolves.toEqual(['get', 'a'])
    expect([node.reads, follower.reads]).toEqual([[{ query: ['get', 'a'], level }], []])
  })

  test('local is answered by any member, without a leader', async () => {
    const bus = new MemoryBus()
    const node = new FakeNode('n1')
    member(bus, node)
    const client = connectClient({ transport: bus.connect('app'), group: 'demo', timeoutMs: 500 })
    open.push(client)
    node.onRead = () => undefined
    await expect(client.read('q', { level: 'local' })).resolves.toBeUndefined()
    expect(node.reads).toEqual([{ query: 'q', level: 'local' }])
  })

  test('is tried again when its member says nothing or lost its office', async () => {
    const { client, node } = world({ timeoutMs: 500 })
    let asked = 0
    node.onRead = () => {
      asked += 1
      if (asked === 1) return new Promise(() => {})
      if (asked === 2) throw new QuorateError('LEADERSHIP_LOST', 'Gone.', { outcome: 'unknown' })
      return 'value'
    }
    await expect(client.read('q')).resolves.toBe('value')
    expect(asked).toBe(3)
  })

  test('in vain ends in time, and nothing was applied', async () => {
    const { client, node } = world({ timeoutMs: 60 })
    node.onRead = () => new Promise(() => {})
    expect(await failure(client.read('q'))).toMatchObject({ code: 'TIMEOUT', outcome: 'not-applied' })
    node.onRead = () => {
      throw new QuorateError('LEASE_EXPIRED', 'No lease.')
    }
    expect(await failure(client.read('q', { level: 'lease' }))).toMatchObject({ code: 'LEASE_EXPIRED' })
  })
})

describe('the leader service', () => {
  test('listens while its node leads, and a moment longer to say that it no longer does', async () => {
    const { node, client, bus } = world({ timeoutMs: 300 })
    await client.apply('a')
    node.onApply = () => {
      throw new QuorateError('NOT_LEADER', 'Not me.', { leader: 'n2' })
    }
    node.follow()
    const next = new FakeNode('n2').lead()
    member(bus, next)
    await client.apply('b')
    expect(next.applied).toEqual(['b'])
  })

  const nonsense: readonly (readonly [string, Uint8Array])[] = [
    ['no bytes', new Uint8Array(0)],
    ['no CBOR', new Uint8Array([0xff, 0xff])],
    ['a big number', new Uint8Array([0xc2, 0x41, 0x01])],
    ['a number', encodeValue(1)],
    ['another version', encodeValue([2, 'c', [encodeValue('a')]])],
    ['no client', encodeValue([1, null, [encodeValue('a')]])],
    ['no commands', encodeValue([1, 'c', []])],
    ['commands that are no bytes', encodeValue([1, 'c', ['a']])],
    ['too many commands', encodeValue([1, 'c', new Array(1025).fill(new Uint8Array(1))])],
  ]
  test.each(nonsense)('answers %s with what is wrong, and applies nothing', async (_, payload) => {
    const { node, clientBus } = world()
    const reply = new Promise<Uint8Array>((resolve) => {
      clientBus.subscribe('_INBOX_app.raw', (message) => resolve(message.payload.slice()))
    })
    clientBus.publish('quorate.demo.leader.propose', payload, '_INBOX_app.raw')
    expect(Buffer.from(await reply).toString()).toMatch(/INVALID.*Message not understood: .+\./s)
    expect(node.applied).toEqual([])
  })

  test('a command that is not CBOR fails alone', async () => {
    const { node, clientBus } = world()
    const reply = new Promise<string>((resolve) => {
      clientBus.subscribe('_INBOX_app.raw', ({ payload }) => resolve(Buffer.from(payload).toString()))
    })
    const commands = [encodeValue('a'), new Uint8Array([0xff]), encodeValue('b')]
    clientBus.publish('quorate.demo.leader.propose', encodeValue([1, 'c', commands]), '_INBOX_app.raw')
    expect(await reply).toContain('The operation is not a plain CBOR value')
    expect(node.applied).toEqual(['a', 'b'])
  })

  test('carries out nothing without a place to answer', async () => {
    const { node, clientBus, client } = world()
    clientBus.publish('quorate.demo.leader.propose', encodeValue([1, 'c', [encodeValue('a')]]))
    await client.apply('b')
    expect(node.applied).toEqual(['b'])
  })
})

describe('answers from somebody else', () => {
  test.each([
    ['nonsense', new Uint8Array([1])],
    ['too few', encodeValue([1, []])],
    ['another form', encodeValue([1, [['x', 'y']]])],
    ['an unknown code', encodeValue([1, [['WHAT', 'unknown', '', null, false]]])],
  ])('%s leave a write unknown and a read failed', async (_, payload) => {
    const bus = new MemoryBus()
    const impostor = bus.connect('x')
    impostor.subscribe('quorate.demo.leader.*', ({ replyTo }) => impostor.publish(replyTo ?? '', payload))
    const client = connectClient({ transport: bus.connect('app'), group: 'demo', timeoutMs: 200 })
    expect(await failure(client.apply('a'))).toMatchObject({ code: 'TRANSPORT', outcome: 'unknown' })
    expect(await failure(client.read('a'))).toMatchObject({ code: 'TRANSPORT', outcome: 'not-applied' })
  })
})
