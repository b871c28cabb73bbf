// Whoever throws where nobody would catch it: nothing of that skips somebody else's completion.

import { describe, expect, test } from 'vitest'
import type { PeerRpc, RequestHandler } from '../../../src/transport/rpc/peer-rpc.ts'
import { createPeerRpc } from '../../../src/transport/rpc/rpc-endpoint.ts'
import { ask, bench } from '../support/endpoints.ts'
import { ignoreDrops } from '../support/ignore-drops.ts'

const answerWith =
  (index: number): RequestHandler =>
  (_request, reply) =>
    reply({ ok: true, response: { term: 3, index } })

describe('whoever throws when its call ends', () => {
  const thrower = (rpc: PeerRpc, to = 'n2'): void =>
    rpc.call('g', to, 'read_index', { term: 3 }, 100, () => {
      throw new Error('mine')
    })

  /** As a test of each way: the others hear, nothing is thrown into the clock or the bus, and it is logged. */
  test.each<[string, string, (b: ReturnType<typeof bench>) => void]>([
    ['by a time-out', 'TIMEOUT', ({ clock }) => clock.advance(100)],
    [
      'with the bus',
      'BUS_DOWN',
      ({ clock, n1 }) => {
        n1.transport.disconnect()
        clock.settle()
      },
    ],
    [
      'with this side',
      'CLOSED',
      ({ clock, n1 }) => {
        n1.rpc.close()
        clock.settle()
      },
    ],
  ])('%s', (_how, code, finish) => {
    const b = bench()
    b.n2.rpc.serve('g', () => {})
    thrower(b.n1.rpc)
    const outcomes = ask(b.n1.rpc)
    thrower(b.n1.rpc)
    b.clock.settle()
    finish(b)
    expect(outcomes).toMatchObject([{ ok: false, failure: { code } }])
    expect(b.logger.lines).toMatchObject(
      Array(2).fill({ level: 'error', fields: { to: 'n2', method: 'read_index' } }),
    )
  })

  test.each<[string, RequestHandler]>([
    ['by its answer', answerWith(1)],
    ['by a refusal', (_request, reply) => reply({ ok: false, error: { code: 'EPERM', message: '' } })],
  ])('%s', (_how, handler) => {
    const { clock, n1, n2, logger } = bench()
    n2.rpc.serve('g', handler)
    thrower(n1.rpc)
    const outcomes = ask(n1.rpc)
    clock.settle()
    expect([outcomes.length, logger.lines.length]).toEqual([1, 1])
  })

  test('before it left', () => {
    const { clock, n1, logger } = bench()
    thrower(n1.rpc, 'n9')
    thrower(n1.rpc, 'a.b')
    n1.transport.disconnect()
    thrower(n1.rpc)
    n1.rpc.close()
    thrower(n1.rpc)
    const outcomes = ask(n1.rpc)
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'CLOSED' } }])
    expect(logger.lines.filter(({ message }) => message.includes('threw when it ended'))).toHaveLength(4)
  })

  test('later, in a promise', async () => {
    const { clock, n1, n2, logger } = bench()
    n2.rpc.serve('g', answerWith(1))
    n1.rpc.call('g', 'n2', 'read_index', { term: 3 }, 100, async () => {
      throw new Error('mine')
    })
    clock.settle()
    await logger.until(({ level }) => level === 'error')
  })
})

describe('a bus that throws', () => {
  test('fails what is sent, and ends nothing else', () => {
    const { clock, n1, n2, bus, logger } = bench()
    const broken = bus.connect('n3')
    broken.publish = () => {
      throw new Error('broken pipe')
    }
    const rpc = createPeerRpc({
      transport: broken,
      prefix: 'quorate',
      id: 'n3',
      clock,
      logger,
      drops: ignoreDrops,
    })
    const outcomes = ask(rpc)
    rpc.serve('g', answerWith(1))
    const unanswered = ask(n1.rpc, 'n3')
    n2.rpc.serve('g', answerWith(1))
    const others = ask(n1.rpc)
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'BUS_DOWN' } }])
    expect(others).toMatchObject([{ ok: true }])
    clock.advance(100)
    expect(unanswered).toMatchObject([{ ok: false, failure: { code: 'TIMEOUT' } }])
  })

  test('when a subscription ends: calls are told all the same', () => {
    const { clock, bus, n2, logger } = bench()
    const transport = bus.connect('n3')
    const subscribe = transport.subscribe.bind(transport)
    transport.subscribe = (...args) => {
      subscribe(...args)
      return {
        unsubscribe: () => {
          throw new Error('no such subscription')
        },
      }
    }
    const rpc = createPeerRpc({ transport, prefix: 'quorate', id: 'n3', clock, logger, drops: ignoreDrops })
    n2.rpc.serve('g', () => {})
    const outcomes = ask(rpc)
    clock.settle()
    rpc.close()
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'CLOSED' } }])
  })
})
