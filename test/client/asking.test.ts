// How a caller asks: with a signal, of whom, and no more than there is room for.

import { afterEach, describe, expect, test } from 'vitest'
import { type ClientOptions, connectClient, type QuorateClient } from '../../src/client.ts'
import { attachServices } from '../../src/services/attach.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { rejection } from '../host/support/world.ts'
import { FakeNode } from './fake-node.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function group(options: Partial<ClientOptions> = {}) {
  const bus = new MemoryBus()
  const peers = ['n1', 'n2']
  const leader = new FakeNode('n1', { peers }).lead()
  const follower = new FakeNode('n2', { peers })
  follower.follow('n1')
  for (const node of [leader, follower]) {
    const services = attachServices({ transport: bus.connect(node.id), node })
    closing.push(() => services.detach())
  }
  const client: QuorateClient = connectClient({ transport: bus.connect('client'), group: 'demo', ...options })
  closing.push(() => client.close())
  return { leader, follower, client }
}

/** A machine that answers when it is told to. */
function slow(node: FakeNode): { answer(): void } {
  const waiting: (() => void)[] = []
  node.onApply = () => new Promise((resolve) => waiting.push(() => resolve(null)))
  return {
    answer: () => {
      for (const go of waiting.splice(0)) go()
    },
  }
}

describe('a signal', () => {
  test('that was aborted before: nothing is sent', async () => {
    const { client, leader } = group()
    const signal = AbortSignal.abort('no')
    expect(await rejection(client.apply('x', { signal }))).toMatchObject({
      code: 'ABORTED',
      outcome: 'not-applied',
    })
    expect(await rejection(client.read('x', { signal }))).toMatchObject({ code: 'ABORTED', cause: 'no' })
    expect([leader.applied, leader.reads]).toEqual([[], []])
  })

  test('ends the waiting: of a write nobody knows, of a read nothing was applied', async () => {
    const { client, leader } = group()
    slow(leader)
    leader.onRead = () => new Promise(() => {})
    const [write, read] = [new AbortController(), new AbortController()]
    const asked = [client.apply('x', { signal: write.signal }), client.read('x', { signal: read.signal })]
    write.abort()
    read.abort()
    const [ofWrite, ofRead] = await Promise.all(asked.map(rejection))
    expect(ofWrite).toMatchObject({ code: 'ABORTED', outcome: 'unknown' })
    expect(ofRead).toMatchObject({ code: 'ABORTED', outcome: 'not-applied' })
  })
})

describe('who is asked', () => {
  test('is the leader, unless it may be anybody', async () => {
    const { client, leader, follower } = group()
    for (let count = 0; count < 40; count += 1) await client.read(count)
    expect(follower.reads).toEqual([])
    for (let count = 0; count < 40; count += 1) await client.read(count, { from: 'nearest' })
    expect(follower.reads.length).toBeGreaterThan(0)
    expect(new Set(follower.reads.map(({ level }) => level))).toEqual(new Set(['readIndex']))
    follower.reads.length = 0
    leader.reads.length = 0
    for (let count = 0; count < 40; count += 1) await client.read(count, { level: 'local', from: 'leader' })
    expect([leader.reads.length, follower.reads.length]).toEqual([40, 0])
  })
})

describe('room', () => {
  test('is for so many operations and bytes; more are refused at once, and may wait until half is free', async () => {
    const { client, leader } = group({ maxPending: 4, maxPendingBytes: 1000 })
    const machine = slow(leader)
    const taken = Array.from({ length: 4 }, (_, at) => client.apply(at))
    expect(await rejection(client.apply('x'))).toMatchObject({
      code: 'BUSY',
      retryable: true,
      outcome: 'not-applied',
    })
    expect(await rejection(client.read('x'))).toMatchObject({ code: 'BUSY' })
    let isReady = false
    const ready = client.ready().then(() => {
      isReady = true
    })
    await Promise.resolve()
    expect(isReady).toBe(false)
    await expect.poll(() => leader.applied.length).toBe(4)
    machine.answer()
    await Promise.all([...taken, ready])
    const large = client.apply('x'.repeat(2000))
    expect(await rejection(client.apply('y'))).toMatchObject({ code: 'BUSY' })
    await expect.poll(() => leader.applied.length).toBe(5)
    machine.answer()
    expect(await large).toMatchObject({ index: 5 })
  })

  test('waits for nobody who has closed the client', async () => {
    const { client, leader } = group({ maxPending: 1 })
    slow(leader)
    const asked = rejection(client.apply('x'))
    const ready = client.ready()
    await expect.poll(() => leader.applied.length).toBe(1)
    client.close()
    expect(await asked).toMatchObject({ code: 'SHUTDOWN', outcome: 'unknown' })
    await ready
  })

  test.each([{ maxPending: 0 }, { maxPendingBytes: -1 }])('%o is none', (limits) => {
    const transport = new MemoryBus().connect('client')
    expect(() => connectClient({ transport, group: 'demo', ...limits })).toThrow(/must be at least 1/)
  })
})
