// What members make of requests from the bus: where they answer, what they carry out, and that nobody's mistake is
// anybody else's end.

import { afterEach, describe, expect, test, vi } from 'vitest'
import { connectClient } from '../../src/client.ts'
import { QuorateError } from '../../src/errors.ts'
import {
  MAX_CLIENT_NAME,
  MAX_OPERATIONS_PER_MESSAGE,
  MESSAGE_OVERHEAD_BYTES,
  MIN_ANSWER_BYTES,
} from '../../src/protocol/client-protocol.ts'
import type { Logger } from '../../src/runtime/logger.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { attachServices } from '../../src/services/attach.ts'
import { MEMBER_PORT, type MemberPort, type PortedNode } from '../../src/services/member-port.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'
import { FakeNode } from '../client/fake-node.ts'

const open: { close(): unknown }[] = []
const unheard: unknown[] = []
const onUnheard = (reason: unknown): void => void unheard.push(reason)
process.on('unhandledRejection', onUnheard)
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
  await new Promise((resolve) => setImmediate(resolve))
  expect(unheard.splice(0)).toEqual([])
})

function world({
  node = new FakeNode('n1'),
  bus = new MemoryBus(),
  logger = silentLogger,
}: {
  node?: FakeNode
  bus?: MemoryBus
  logger?: Logger
} = {}) {
  node.lead()
  const memberBus = bus.connect(node.id)
  const services = attachServices({ transport: memberBus, node, logger })
  const app = bus.connect('app')
  const client = connectClient({ transport: app, group: 'demo', timeoutMs: 500 })
  open.push(memberBus, app, { close: () => services.detach() }, client)
  return { node, bus, app, client, memberBus }
}

const propose = (...commands: unknown[]): Uint8Array =>
  encodeValue([1, 'c', commands.map((command) => encodeValue(command))])
const read = encodeValue([1, 'c', 'local', [encodeValue('q')]])

describe('an answer', () => {
  const places = [
    'quorate.demo.n2.rpc.n1.append_entries',
    'quorate.demo.leader.propose',
    'quorate.other.events.n1.x',
    '$SYS.REQ.SERVER.PING',
    '$SRV.PING',
  ]
  const requests: readonly (readonly [string, Uint8Array])[] = [
    ['quorate.demo.leader.propose', propose('a')],
    ['quorate.demo.leader.read', read],
    ['quorate.demo.n1.client.propose', propose('a')],
    ['quorate.demo.n1.client.read', read],
    ['quorate.demo.members.read', read],
    ['quorate.demo.members.status', new Uint8Array()],
    ['quorate.demo.n1.admin.status', new Uint8Array()],
    ['$SRV.INFO', new Uint8Array()],
    ['$SRV.STATS.quorate-demo', new Uint8Array()],
    ['quorate.demo.leader.propose', encodeValue('nonsense')],
  ]
  test.each(places)('is never given at %s, and what wants it there is not carried out', async (place) => {
    const { app, client, node, memberBus } = world()
    const publish = vi.spyOn(memberBus, 'publish')
    for (const [subject, payload] of requests) app.publish(subject, payload, place)
    await client.apply('after')
    expect(publish.mock.calls.map(([subject]) => subject).filter((at) => !at.startsWith('_INBOX'))).toEqual(
      [],
    )
    expect(node.applied).toEqual(['after'])
    expect(node.reads).toEqual([])
  })

  test('is given at every other place', async () => {
    const { app, client, memberBus } = world()
    const publish = vi.spyOn(memberBus, 'publish')
    const inboxes = ['_INBOX.x', 'my.inbox', 'quorate', 'quorated.demo.x']
    for (const inbox of inboxes) app.publish('quorate.demo.leader.propose', propose('a'), inbox)
    await client.apply('after')
    expect(publish.mock.calls.map(([subject]) => subject)).toEqual(expect.arrayContaining(inboxes))
  })

  test('that would not fit the bus is refused before anything is done', async () => {
    for (const [count, taken] of [
      [9, true],
      [10, true],
      [11, false],
    ] as const) {
      const bus = new MemoryBus({ maxPayloadBytes: 10 * MIN_ANSWER_BYTES + MESSAGE_OVERHEAD_BYTES })
      const { app, node } = world({ bus })
      const reply = new Promise<string>((resolve) => {
        app.subscribe('_INBOX_app.raw', ({ payload }) => resolve(Buffer.from(payload).toString()))
      })
      app.publish('quorate.demo.leader.propose', propose(...new Array(count).fill('a')), '_INBOX_app.raw')
      expect((await reply).includes('would not fit the bus')).toBe(!taken)
      expect(node.applied).toHaveLength(taken ? count : 0)
    }
  })
})

test('a write that was under way when its member left the bus is answered', async () => {
  const bus = new MemoryBus()
  const node = new FakeNode('n1').lead()
  const memberBus = bus.connect('n1')
  const services = attachServices({ transport: memberBus, node })
  const app = bus.connect('app')
  const client = connectClient({ transport: app, group: 'demo', timeoutMs: 500 })
  open.push(memberBus, app, client)
  let apply: (result: unknown) => void = () => {}
  const taken = new Promise<void>((resolve) => {
    node.onApply = () => {
      resolve()
      return new Promise((settle) => {
        apply = settle
      })
    }
  })
  const written = client.apply('a')
  await taken
  services.detach()
  apply('done')
  await expect(written).resolves.toMatchObject({ result: 'done' })
  const late = client.apply('b').catch((error: unknown) => error)
  expect(await late).toMatchObject({ code: 'NO_LEADER', outcome: 'not-applied' })
  expect(node.applied).toEqual(['a'])
})

describe('the door of a member', () => {
  const answerTo = async (message: unknown): Promise<string> => {
    const { app } = world()
    const reply = new Promise<string>((resolve) => {
      app.subscribe('_INBOX_app.raw', ({ payload }) => resolve(Buffer.from(payload).toString()))
    })
    app.publish('quorate.demo.leader.propose', encodeValue(message), '_INBOX_app.raw')
    return reply
  }
  const commands = (count: number): Uint8Array[] => new Array<Uint8Array>(count).fill(encodeValue('a'))

  test.each([
    [0, false],
    [1, true],
    [MAX_OPERATIONS_PER_MESSAGE - 1, true],
    [MAX_OPERATIONS_PER_MESSAGE, true],
    [MAX_OPERATIONS_PER_MESSAGE + 1, false],
  ])('takes a message of %i operations: %s', async (count, taken) => {
    expect((await answerTo([1, 'c', commands(count)])).includes('not understood')).toBe(!taken)
  })

  test.each([
    [MAX_CLIENT_NAME - 1, true],
    [MAX_CLIENT_NAME, true],
    [MAX_CLIENT_NAME + 1, false],
  ])('takes a client name of %i characters: %s', async (length, taken) => {
    expect((await answerTo([1, 'c'.repeat(length), commands(1)])).includes('not understood')).toBe(!taken)
  })

  test.each([
    [63, true],
    [64, true],
    [65, false],
  ])('takes a command of %i levels: %s', async (levels, taken) => {
    const command = Uint8Array.from([...new Array<number>(levels).fill(0x81), 0x01])
    expect((await answerTo([1, 'c', [command]])).includes('TOO_DEEP')).toBe(!taken)
  })
})

describe('values that are none', () => {
  test.each([
    ['text that is no UTF-8', [0x61, 0xff]],
    ['a key twice', [0xa2, 0x61, 0x61, 1, 0x61, 0x61, 2]],
  ])('%s is refused as a command and as a query', async (_, bytes) => {
    const { app, node } = world()
    const replies: string[] = []
    const both = new Promise<void>((resolve) => {
      app.subscribe('_INBOX_app.raw', ({ payload }) => {
        if (replies.push(Buffer.from(payload).toString()) === 2) resolve()
      })
    })
    const operation = Uint8Array.from(bytes)
    app.publish('quorate.demo.leader.propose', encodeValue([1, 'c', [operation]]), '_INBOX_app.raw')
    app.publish('quorate.demo.leader.read', encodeValue([1, 'c', 'local', [operation]]), '_INBOX_app.raw')
    await both
    for (const reply of replies) expect(reply).toMatch(/INVALID.*not a plain CBOR value/s)
    expect([node.applied, node.reads]).toEqual([[], []])
  })
})

describe('a node that breaks its promises', () => {
  class Broken extends FakeNode implements PortedNode {
    readonly [MEMBER_PORT]: MemberPort = {
      propose: (command, _, done) => {
        if (command.at(-1) === 0x61) throw new Error('broken')
        done({ ok: true, index: 1, term: 1, result: 'done' })
        done({ ok: false, error: new Error('and again') })
      },
      query: () => {
        throw new QuorateError('STORAGE', 'No disk.')
      },
    }
  }

  test('by throwing, answering at once or twice: each client learns what is true of its own', async () => {
    const { client } = world({ node: new Broken('n1') })
    const settled = await Promise.allSettled([client.apply('a'), client.apply('b'), client.read('q')])
    expect(settled).toMatchObject([
      { reason: { code: 'NODE_FAILED', outcome: 'unknown', message: 'broken' } },
      { value: { result: 'done' } },
      { reason: { code: 'STORAGE' } },
    ])
  })

  test('by throwing instead of a promise', async () => {
    const node = new FakeNode('n1')
    vi.spyOn(node, 'apply').mockImplementation(() => {
      throw new Error('no promise')
    })
    vi.spyOn(node, 'read').mockImplementation(() => {
      throw new Error('no promise')
    })
    const { client } = world({ node })
    const settled = await Promise.allSettled([client.apply('a'), client.read('q')])
    expect(settled).toMatchObject([
      { reason: { code: 'NODE_FAILED', outcome: 'unknown' } },
      { reason: { code: 'NODE_FAILED' } },
    ])
  })
})

test('an answer that cannot be given is logged, ends nothing, and the next one is given', async () => {
  const error = vi.fn()
  const { client, memberBus } = world({ logger: { ...silentLogger, error } })
  const publish = vi.spyOn(memberBus, 'publish').mockImplementationOnce(() => {
    throw new Error('no bus')
  })
  const lost = client.apply('a').catch((reason: unknown) => reason)
  await expect(client.read('q')).resolves.toBe('q')
  expect(error).toHaveBeenCalledWith(expect.objectContaining({ error: 'no bus' }), expect.any(String))
  expect(publish).toHaveBeenCalledTimes(2)
  client.close()
  expect(await lost).toMatchObject({ outcome: 'unknown' })
})

test('answers that do not fit one message say that nothing was applied', async () => {
  const { app, node } = world()
  node.onRead = () => 'x'.repeat(2 ** 20 - 10_000)
  const reply = new Promise<string>((resolve) => {
    app.subscribe('_INBOX_app.raw', ({ payload }) => resolve(Buffer.from(payload.subarray(-200)).toString()))
  })
  const queries = ['a', 'b'].map((query) => encodeValue(query))
  app.publish('quorate.demo.leader.read', encodeValue([1, 'c', 'local', queries]), '_INBOX_app.raw')
  expect(await reply).toMatch(/BUSY.*not-applied.*exceed a message/s)
})

test('a hundred reads of a list of three thousand numbers are all answered, and so is one of 62 levels', async () => {
  const { client, node } = world()
  const list = Array.from({ length: 3000 }, (_, at) => at)
  node.onRead = () => list
  const all = await Promise.all(Array.from({ length: 100 }, () => client.read('list')))
  for (const one of all) expect(one).toEqual(list)
  let deep: unknown = 1
  for (let level = 0; level < 62; level += 1) deep = [deep]
  node.onApply = () => deep
  await expect(client.apply('deep')).resolves.toMatchObject({ result: deep })
})
