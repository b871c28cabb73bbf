// What the server takes, and what the log takes: at the limit, one below and one above.

import { describe, expect, onTestFinished, test } from 'vitest'
import { connectNats } from '../../../src/transport/nats/connect-nats.ts'
import { NatsTransport } from '../../../src/transport/nats/nats-transport.ts'
import { NatsServer } from '../../support/nats-server.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { MemoryLogger } from '../support/memory-logger.ts'
import { ThirdVersion } from '../support/third-version.ts'

test('a payload of what the server takes arrives, one byte more does not leave', async () => {
  const nats = await NatsServer.start({ config: 'max_payload: 65536' })
  onTestFinished(() => nats.stop())
  const bus = await connectNats({ servers: nats.url, id: 'n1' })
  onTestFinished(() => bus.close())
  const sizes: number[] = []
  const both = new Promise<void>((resolve) =>
    bus.subscribe('big', ({ payload }) => {
      if (sizes.push(payload.length) === 2) resolve()
    }),
  )
  const sent = [65_537, 65_536, 65_535].map((size) => bus.publish('big', new Uint8Array(size)))
  await both
  expect([sent, sizes, bus.status().connected]).toEqual([[false, true, true], [65_536, 65_535], true])
})

describe('what the server forbids', () => {
  function setUp() {
    const clock = new ManualClock()
    const logger = new MemoryLogger()
    const connection = new ThirdVersion()
    const transport = new NatsTransport({ connection, owned: false, inbox: 'i', clock, logger })
    onTestFinished(() => transport.close())
    let told = 0
    /** Resolves when the transport has heard it, logged or not. */
    const forbid = async (subject: string): Promise<void> => {
      connection.emit({
        type: 'error',
        error: Object.assign(new Error('no'), { operation: 'publish', subject }),
      })
      connection.emit({ type: `seen ${++told}` })
      await logger.until(({ fields }) => fields.type === `seen ${told}`)
    }
    const warned = () =>
      logger.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields.subject)
    return { clock, forbid, warned }
  }

  test('is logged once a minute and subject', async () => {
    const { clock, forbid, warned } = setUp()
    await forbid('a')
    await forbid('a')
    await forbid('b')
    clock.advance(59_999)
    await forbid('a')
    expect(warned()).toEqual(['a', 'b'])
    clock.advance(1)
    await forbid('a')
    expect(warned()).toEqual(['a', 'b', 'a'])
  })

  test.each([
    [99, false],
    [100, false],
    [101, true],
  ])('%i subjects: the first is forgotten: %s', async (count, forgotten) => {
    const { forbid, warned } = setUp()
    for (let i = 0; i < count; i += 1) await forbid(`s${i}`)
    await forbid('s0')
    expect(warned().filter((subject) => subject === 's0').length).toBe(forgotten ? 2 : 1)
  })
})
