import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/runtime/clock.ts'
import { MemoryBus } from '../../../src/transport/memory/memory-bus.ts'
import type { NatsMessageLike } from '../../../src/transport/nats/nats-like.ts'
import { NatsTransport } from '../../../src/transport/nats/nats-transport.ts'
import type { InboundMessage } from '../../../src/transport/transport.ts'
import { MemoryLogger } from '../support/memory-logger.ts'
import { ThirdVersion } from '../support/third-version.ts'

function setUp() {
  const connection = new ThirdVersion()
  const logger = new MemoryLogger()
  const transport = new NatsTransport({
    connection,
    owned: false,
    inbox: '_INBOX_n1.x',
    clock: systemClock,
    logger,
  })
  return { connection, logger, transport }
}

describe('a connection of the third version', () => {
  test('says with server and type whether it is up', async () => {
    const { connection, logger, transport } = setUp()
    expect(transport.status().connected).toBe(true)
    connection.emit({ type: 'disconnect', server: 'a:1' })
    await logger.until(({ message }) => message.startsWith('Lost'))
    expect(transport.status()).toMatchObject({ connected: false, detail: expect.stringContaining('a:1') })
    expect(transport.publish('x', new Uint8Array(1))).toBe(false)
    connection.emit({ type: 'reconnect', server: 'b:2' })
    await logger.until(({ message }) => message.includes('again'))
    expect(transport.status()).toMatchObject({ connected: true, detail: expect.stringContaining('b:2') })
  })

  test('says with an error object what is forbidden', async () => {
    const { connection, logger } = setUp()
    const error = Object.assign(new Error('no'), {
      operation: 'publish',
      subject: 'quorate.g.n2.rpc.n3.pre_vote',
    })
    connection.emit({ type: 'error', error })
    const line = await logger.until(({ level }) => level === 'warn')
    expect(line.fields).toEqual({ operation: 'publish', subject: 'quorate.g.n2.rpc.n3.pre_vote' })
  })

  test('does not get to see what a handler throws', () => {
    const { connection, logger, transport } = setUp()
    const seen: InboundMessage[] = []
    transport.subscribe('x', (message) => {
      seen.push(message)
      throw new Error('handler')
    })
    const message: NatsMessageLike = {
      subject: 'x',
      reply: '',
      data: new Uint8Array(0),
      headers: { code: 503 },
    }
    connection.callback(null, message)
    expect(seen).toMatchObject([{ subject: 'x', replyTo: undefined, noResponders: true }])
    expect(logger.lines).toMatchObject([{ level: 'error' }])
  })

  test.each<[string, Partial<NatsMessageLike>, boolean]>([
    ['empty, with status 503', { headers: { code: 503 } }, true],
    ['empty, with another status', { headers: { code: 404 } }, false],
    ['empty, without a status', {}, false],
    ['not empty, with status 503', { data: new Uint8Array(1), headers: { code: 503 } }, false],
  ])('an answer that is %s says that nobody listens: %s', (_what, given, expected) => {
    const { connection, transport } = setUp()
    const seen: InboundMessage[] = []
    transport.subscribe('x', (message) => seen.push(message))
    connection.callback(null, { subject: 'x', data: new Uint8Array(0), ...given })
    expect(seen.map(({ noResponders }) => noResponders)).toEqual([expected])
  })

  test('is not used before it is connected', () => {
    const connection = new ThirdVersion()
    connection.info = undefined
    const logger = new MemoryLogger()
    const transport = new NatsTransport({
      connection,
      owned: false,
      inbox: 'i.x',
      clock: systemClock,
      logger,
    })
    expect(transport.status().connected).toBe(false)
  })
})

/** Vitest fails a run in which a rejection is handled by nobody; so would a process end. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a connection that throws', () => {
  const broken = (what: string) => (): never => {
    throw new Error(what)
  }

  test('when it is watched: it is said, and messages go on', async () => {
    const connection = new ThirdVersion()
    connection.status = async function* () {
      yield { type: 'update' }
      throw new Error('no more statuses')
    }
    connection.closed = () => Promise.reject(new Error('cannot tell'))
    const logger = new MemoryLogger()
    const transport = new NatsTransport({ connection, owned: false, inbox: 'i', clock: systemClock, logger })
    await logger.until(({ message }) => message.includes('cannot be watched'))
    await logger.until(({ message }) => message.includes('closed for good'))
    await nextTurn()
    const seen: string[] = []
    transport.subscribe('x', ({ subject }) => seen.push(subject))
    connection.callback(null, { subject: 'x', data: new Uint8Array(1) })
    expect(seen).toEqual(['x'])
  })

  test('when it is let go of: closing goes on to its end', async () => {
    const connection = new ThirdVersion()
    const logger = new MemoryLogger()
    const transport = new NatsTransport({ connection, owned: true, inbox: 'i', clock: systemClock, logger })
    let ended = 0
    connection.subscribe = (_subject, options) => {
      connection.callback = options.callback
      return { unsubscribe: () => (++ended === 1 ? broken('no such subscription')() : undefined) }
    }
    transport.subscribe('x', () => {})
    transport.subscribe('y', () => {})
    connection.flush = broken('not connected')
    connection.close = () => Promise.reject(new Error('closed already'))
    const told: boolean[] = []
    transport.onStatus(broken('listener'))
    transport.onStatus(({ connected }) => told.push(connected))
    await transport.close()
    expect([ended, told]).toEqual([2, [false]])
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(3)
  })

  test('or a listener that closes it in its turn: it is closed once', async () => {
    const connection = new ThirdVersion()
    connection.info = undefined
    const logger = new MemoryLogger()
    const transport = new NatsTransport({ connection, owned: true, inbox: 'i', clock: systemClock, logger })
    let closed = 0
    connection.close = async () => void closed++
    const told: string[] = []
    transport.onStatus(({ detail }) => {
      told.push(detail)
      void transport.close()
    })
    await Promise.all([transport.close(), transport.close()])
    expect([closed, told, logger.lines]).toEqual([1, ['The transport is closed.'], []])
  })

  test('one listener that throws does not keep a change of status from the next', async () => {
    const { connection, logger, transport } = setUp()
    const told: boolean[] = []
    transport.onStatus(broken('listener'))
    transport.onStatus(async () => broken('later')())
    transport.onStatus(({ connected }) => told.push(connected))
    connection.emit({ type: 'disconnect', server: 'a:1' })
    await logger.until(({ message }) => message.startsWith('Lost'))
    await nextTurn()
    expect(told).toEqual([false])
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(2)
  })

  test('a handler that fails later, in a promise, is logged like one that throws', async () => {
    const { connection, logger, transport } = setUp()
    transport.subscribe('x', async () => broken('later')())
    connection.callback(null, { subject: 'x', data: new Uint8Array(1) })
    await logger.until(({ level, fields }) => level === 'error' && fields.subject === 'x')
  })
})

describe('the bus of this process', () => {
  test('tells every listener and every handler, though one of them throws', async () => {
    const logger = new MemoryLogger()
    const bus = new MemoryBus({ logger })
    const connection = bus.connect('n1')
    const told: string[] = []
    const broken = (): never => {
      throw new Error('mine')
    }
    connection.onStatus(broken)
    connection.onStatus(({ connected }) => told.push(String(connected)))
    for (const handler of [broken, async () => broken(), () => told.push('x')])
      connection.subscribe('x', handler)
    connection.publish('x', new Uint8Array(1))
    await nextTurn()
    await nextTurn()
    connection.disconnect()
    expect(told).toEqual(['x', 'false'])
    expect(logger.lines.map(({ level }) => level)).toEqual(['error', 'error', 'error'])
  })
})
