// The client at its limits: of time, of bytes, of operations in a message; and what it keeps when it is closed.

import { afterEach, describe, expect, test, vi } from 'vitest'
import { type ClientOptions, connectClient } from '../../src/client.ts'
import { isQuorateError } from '../../src/errors.ts'
import {
  MAX_MESSAGE_BYTES,
  MAX_OPERATIONS_PER_MESSAGE,
  MESSAGE_OVERHEAD_BYTES,
  MIN_ANSWER_BYTES,
  OPERATION_OVERHEAD_BYTES,
} from '../../src/protocol/client-protocol.ts'
import { attachServices } from '../../src/services/attach.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import type { Subscription } from '../../src/transport/transport.ts'
import { decodeMessage, encodeValue } from '../../src/transport/wire/codec.ts'
import { VirtualClock } from '../actors/support/virtual-clock.ts'
import { FakeNode } from './fake-node.ts'

interface Asked {
  readonly subject: string
  readonly operations: readonly Uint8Array[]
  answer(answers: readonly unknown[]): void
}

/** A leader that answers when the test says so, on a bus in virtual time. */
function world(options: Partial<ClientOptions> & { maxPayloadBytes?: number } = {}) {
  const { maxPayloadBytes = 2 ** 20, ...rest } = options
  const clock = new VirtualClock()
  const bus = new MemoryBus({ clock, maxPayloadBytes })
  const member = bus.connect('n1')
  const asked: Asked[] = []
  member.subscribe('quorate.demo.*.*', hear)
  member.subscribe('quorate.demo.*.client.*', hear)
  function hear({
    subject,
    payload,
    replyTo = '',
  }: {
    subject: string
    payload: Uint8Array
    replyTo?: string | undefined
  }) {
    const decoded = decodeMessage(payload, { maxDepth: 3, maxItems: 10_000 })
    const message: unknown[] = decoded.ok && Array.isArray(decoded.value) ? decoded.value : []
    const operations = (message.at(-1) ?? []) as Uint8Array[]
    const answer = (answers: readonly unknown[]): void =>
      void member.publish(replyTo, encodeValue([1, answers, ['n1', 1, 'n1']]))
    asked.push({ subject, operations, answer })
  }
  const transport = bus.connect('app')
  const listening = new Set<Subscription>()
  const subscribe = transport.subscribe.bind(transport)
  vi.spyOn(transport, 'subscribe').mockImplementation((...args) => {
    const subscription = subscribe(...args)
    listening.add(subscription)
    return {
      unsubscribe() {
        listening.delete(subscription)
        subscription.unsubscribe()
      },
    }
  })
  const client = connectClient({ transport, group: 'demo', clock, timeoutMs: 1000, ...rest })
  return { clock, client, asked, listening }
}

/** What became of it so far. */
function watch(promise: Promise<unknown>): { state: unknown } {
  const seen: { state: unknown } = { state: 'open' }
  promise.then(
    (value) => {
      seen.state = value
    },
    (error: unknown) => {
      seen.state = isQuorateError(error) ? `${error.code} ${error.outcome}` : error
    },
  )
  return seen
}

const heard = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const DONE = [[1, 1, encodeValue('done')]]

describe('time', () => {
  test.each([
    [999, { index: 1, term: 1, result: 'done' }],
    [1000, 'TIMEOUT unknown'],
    [1001, 'TIMEOUT unknown'],
  ])('an answer after %i of 1000 ms is %j', async (afterMs, state) => {
    const { clock, client, asked } = world()
    const seen = watch(client.apply('a'))
    clock.advance(afterMs)
    asked[0]?.answer(DONE)
    clock.settle()
    await heard()
    expect(seen.state).toEqual(state)
  })

  test('that was spent before anything could be sent leaves nothing sent, at its end and after it', async () => {
    for (const [standsStillMs, sent] of [
      [999, 1],
      [1000, 0],
      [1001, 0],
    ] as const) {
      const { clock, client, asked } = world()
      const seen = watch(client.apply('a'))
      clock.sleep(standsStillMs)
      clock.settle()
      await heard()
      expect(asked).toHaveLength(sent)
      expect(seen.state).toBe(sent === 1 ? 'open' : 'TIMEOUT not-applied')
    }
  })

  test('of one operation ends without that of another in the same message', async () => {
    const { clock, client, asked } = world()
    const early = watch(client.apply('early'))
    clock.sleep(400)
    const late = watch(client.apply('late'))
    clock.settle()
    clock.advance(600)
    await heard()
    expect([early.state, late.state]).toEqual(['TIMEOUT unknown', 'open'])
    asked[0]?.answer([...DONE, [2, 1, encodeValue('late')]])
    clock.settle()
    await heard()
    expect([early.state, late.state]).toEqual(['TIMEOUT unknown', { index: 2, term: 1, result: 'late' }])
  })

  test('a read is asked again after a fifth of its time, and the first answer that comes then counts', async () => {
    const { clock, client, asked } = world({ silenceMs: 100_000 })
    const seen = watch(client.read('q'))
    clock.advance(199)
    expect(asked).toHaveLength(1)
    clock.advance(100)
    expect(asked).toHaveLength(2)
    asked[0]?.answer([[encodeValue('too late')]])
    clock.settle()
    await heard()
    expect(seen.state).toBe('open')
    asked[1]?.answer([[encodeValue('in time')]])
    clock.settle()
    await heard()
    expect(seen.state).toBe('in time')
  })

  test.each([
    ['timeoutMs', 0, false],
    ['timeoutMs', 1, true],
    ['timeoutMs', 2, true],
    ['timeoutMs', 2_147_483_646, true],
    ['timeoutMs', 2_147_483_647, true],
    ['timeoutMs', 2_147_483_648, false],
    ['timeoutMs', Number.NaN, false],
    ['silenceMs', 0, false],
    ['silenceMs', 1, true],
    ['silenceMs', 2_147_483_648, false],
  ] as const)('%s of %d is taken: %s', (option, ms, taken) => {
    const connect = () => world({ [option]: ms })
    if (taken) expect(connect).not.toThrow()
    else expect(connect).toThrow(/must be 1 to 2147483647/)
  })
})

describe('the name of a client', () => {
  test.each([
    ['x'.repeat(63), true],
    ['x'.repeat(64), true],
    ['x'.repeat(65), false],
    ['\ud800', false],
  ])('%j is taken: %s', async (name, taken) => {
    if (!taken) return expect(() => world({ name })).toThrow(/at most 64 characters/)
    const { clock, client, asked } = world({ name })
    const seen = watch(client.apply('a'))
    clock.settle()
    asked[0]?.answer(DONE)
    clock.settle()
    await heard()
    expect(seen.state).toMatchObject({ result: 'done' })
  })
})

describe('one message', () => {
  test.each([
    [MAX_OPERATIONS_PER_MESSAGE - 1, [1023]],
    [MAX_OPERATIONS_PER_MESSAGE, [1024]],
    [MAX_OPERATIONS_PER_MESSAGE + 1, [1024, 1]],
  ])('of %i operations is %j', (count, messages) => {
    const { clock, client, asked } = world()
    for (let i = 0; i < count; i += 1) watch(client.apply(i))
    clock.settle()
    expect(asked.map(({ operations }) => operations.length)).toEqual(messages)
  })

  test.each([
    [-1, [2]],
    [0, [2]],
    [1, [1, 1]],
  ])('holds %i bytes beside its bound as %j', (beside, messages) => {
    const { clock, client, asked } = world()
    // Two byte strings with heads of 5 bytes, each with the overhead of an operation.
    const each = MAX_MESSAGE_BYTES / 2 - OPERATION_OVERHEAD_BYTES - 5
    watch(client.apply(new Uint8Array(each)))
    watch(client.apply(new Uint8Array(each + beside)))
    clock.settle()
    expect(asked.map(({ operations }) => operations.length)).toEqual(messages)
  })

  test.each([
    [-1, 'sent'],
    [0, 'sent'],
    [1, 'TOO_LARGE not-applied'],
  ])('with an operation %i bytes beside what the bus takes is %s', async (beside, fate) => {
    const maxPayloadBytes = 100_000
    const { clock, client, asked } = world({ maxPayloadBytes })
    const seen = watch(client.apply(new Uint8Array(maxPayloadBytes - MESSAGE_OVERHEAD_BYTES - 5 + beside)))
    clock.settle()
    await heard()
    expect(asked.length === 1 ? 'sent' : seen.state).toBe(fate)
  })

  test.each([
    [9, [9]],
    [10, [10]],
    [11, [10, 1]],
  ])('of %i operations on a bus with room for ten answers is %j', (count, messages) => {
    const maxPayloadBytes = 10 * MIN_ANSWER_BYTES + MESSAGE_OVERHEAD_BYTES
    const { clock, client, asked } = world({ maxPayloadBytes })
    for (let i = 0; i < count; i += 1) watch(client.apply(i))
    clock.settle()
    expect(asked.map(({ operations }) => operations.length)).toEqual(messages)
  })
})

describe('clients that share a connection', () => {
  const open: { close(): unknown }[] = []
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close()
  })

  test('get their own answers', async () => {
    const bus = new MemoryBus()
    const memberBus = bus.connect('n1')
    const node = new FakeNode('n1').lead()
    node.onApply = (command) => command
    const services = attachServices({ transport: memberBus, node })
    const transport = bus.connect('app')
    const clients = [1, 2, 3].map(() => connectClient({ transport, group: 'demo', timeoutMs: 1000 }))
    open.push(memberBus, { close: () => services.detach() }, transport, ...clients)
    const results = await Promise.all(
      clients.map(async (client, at) => {
        const [write, read] = await Promise.all([client.apply(`w${at}`), client.read(`r${at}`)])
        return [write.result, read]
      }),
    )
    expect(results).toEqual([
      ['w0', 'r0'],
      ['w1', 'r1'],
      ['w2', 'r2'],
    ])
  })
})

test('a client with nothing to do asks nobody anything', async () => {
  const { clock, client, asked } = world({ silenceMs: 100 })
  const seen = watch(client.apply('a'))
  clock.settle()
  asked[0]?.answer(DONE)
  clock.advance(10_000)
  await heard()
  expect(seen.state).toMatchObject({ result: 'done' })
  expect(asked).toHaveLength(1)
  expect(clock.pendingTimers).toBe(0)
})

describe('a client that is closed', () => {
  test.each([
    ['asked nothing', 0],
    ['waits for answers', 1],
    ['waits for its next attempt', 2],
    ['waits for a leader that is silent', 3],
  ])('while it %s settles everything and keeps nothing', async (_, stage) => {
    const { clock, client, asked, listening } = world({ silenceMs: 100, timeoutMs: 10_000 })
    const seen: { state: unknown }[] = []
    if (stage > 0) seen.push(...['a', 'b'].map((word) => watch(client.apply(word))), watch(client.read('q')))
    clock.settle()
    if (stage === 2) {
      const busy = ['BUSY', 'not-applied', 'Full.', null, true]
      for (const { operations, answer } of asked) answer(operations.map(() => busy))
      clock.settle()
    }
    if (stage === 3) {
      clock.advance(500)
      seen.push(watch(client.apply('c')))
      clock.settle()
    }
    client.close()
    client.close()
    await heard()
    expect(seen.map(({ state }) => state)).toEqual(
      [
        [],
        ['SHUTDOWN unknown', 'SHUTDOWN unknown', 'SHUTDOWN not-applied'],
        ['SHUTDOWN not-applied', 'SHUTDOWN not-applied', 'SHUTDOWN not-applied'],
        ['SHUTDOWN unknown', 'SHUTDOWN unknown', 'SHUTDOWN not-applied', 'SHUTDOWN not-applied'],
      ][stage],
    )
    expect(clock.pendingTimers).toBe(0)
    expect(listening.size).toBe(0)
    const before = asked.length
    clock.advance(60_000)
    expect(asked).toHaveLength(before)
  })

  test('while it asks for the status of the group answers that in time', async () => {
    const { clock, client } = world()
    const status = watch(client.status({ timeoutMs: 50 }))
    clock.settle()
    client.close()
    clock.advance(50)
    await heard()
    expect(status.state).toMatchObject({ members: [], leader: null })
    expect(clock.pendingTimers).toBe(0)
  })
})
