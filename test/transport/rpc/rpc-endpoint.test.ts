import { describe, expect, test } from 'vitest'
import { DropLog } from '../../../src/observability/drop-log.ts'
import type { RequestHandler } from '../../../src/transport/rpc/peer-rpc.ts'
import { rpcAnswerHead } from '../../../src/transport/subjects.ts'
import {
  decodeResponse,
  encodeErrorResponse,
  encodeResponse,
  RequestEncoder,
} from '../../../src/transport/wire/codec.ts'
import type { InboundRequest, RpcMethod } from '../../../src/transport/wire/messages/registry.ts'
import { ask, bench } from '../support/endpoints.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { MemoryLogger } from '../support/memory-logger.ts'
import { withChecksum } from '../support/seals.ts'

const answerWith =
  (index: number): RequestHandler =>
  (_request, reply) =>
    reply({ ok: true, response: { term: 3, index } })

describe('a call', () => {
  test('reaches the handler of its group and brings back the answer', () => {
    const { clock, n1, n2, drops } = bench()
    const seen: InboundRequest[] = []
    n2.rpc.serve('g', (request, reply) => {
      seen.push(request)
      reply({ ok: true, response: { term: 3, index: 42 } })
    })
    n2.rpc.serve('other', () => expect.unreachable())
    const outcomes = ask(n1.rpc)
    clock.settle()
    expect(seen).toEqual([{ method: 'read_index', from: 'n1', message: { term: 3 } }])
    expect(outcomes).toEqual([{ ok: true, response: { term: 3, index: 42 } }])
    expect(clock.timers).toBe(0)
    expect(drops.total).toBe(0)
  })

  test('may be to itself', () => {
    const { clock, n1 } = bench()
    n1.rpc.serve('g', answerWith(1))
    const outcomes = ask(n1.rpc, 'n1')
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: true }])
  })

  test('times out once, and an answer after that is counted and dropped', () => {
    const { clock, n1, n2, reasons } = bench()
    let answerLate = (): void => {}
    n2.rpc.serve('g', (_request, reply) => {
      answerLate = () => reply({ ok: true, response: { term: 3, index: 1 } })
    })
    const outcomes = ask(n1.rpc)
    clock.settle()
    clock.advance(99)
    expect(outcomes).toEqual([])
    clock.advance(1)
    answerLate()
    clock.advance(1000)
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'TIMEOUT' } }])
    expect(reasons()).toEqual(['LATE_REPLY (unknown) 1'])
  })

  test('whose answer has come by the end of the turn in which its time is up is answered', () => {
    const { clock, n1, n2, drops } = bench()
    let answer = (): void => {}
    n2.rpc.serve('g', (_request, reply) => {
      answer = () => reply({ ok: true, response: { term: 3, index: 1 } })
    })
    const outcomes = ask(n1.rpc)
    clock.settle()
    answer() // on its way: delivered after this turn, as what lies in a socket is read after the timers
    clock.advance(100)
    expect(outcomes).toMatchObject([{ ok: true }])
    clock.advance(1000)
    expect([outcomes.length, clock.timers, drops.total]).toEqual([1, 0, 0])
  })

  test('to nobody fails at once with NO_RESPONDERS', () => {
    const { clock, n1 } = bench()
    const outcomes = ask(n1.rpc, 'n9')
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'NO_RESPONDERS' } }])
    expect(clock.timers).toBe(0)
  })

  test('for a group that nobody serves is answered ENOENT', () => {
    const { clock, n1, n2 } = bench()
    n2.rpc.serve('g', answerWith(1)).stop()
    const outcomes = ask(n1.rpc)
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'REFUSED', remoteCode: 'ENOENT' } }])
  })

  test('while the bus is down fails at once with BUS_DOWN', () => {
    const { clock, n1 } = bench()
    n1.transport.disconnect()
    const outcomes = ask(n1.rpc)
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'BUS_DOWN' } }])
    expect(clock.timers).toBe(0)
  })

  test('that is under way when the bus goes down does not wait out its time', () => {
    const { clock, n1, n2, reasons } = bench()
    let answer = (): void => {}
    n2.rpc.serve('g', (_request, reply) => {
      answer = () => reply({ ok: true, response: { term: 3, index: 1 } })
    })
    const outcomes = ask(n1.rpc)
    clock.settle()
    n1.transport.disconnect()
    expect(outcomes).toEqual([])
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'BUS_DOWN' } }])
    n1.transport.reconnect()
    answer()
    clock.advance(1000)
    expect([outcomes.length, reasons()]).toEqual([1, ['LATE_REPLY (unknown) 1']])
  })

  test('fails with CLOSED when this side closes, before or after', () => {
    const { clock, n1, n2 } = bench()
    n2.rpc.serve('g', () => {})
    const before = ask(n1.rpc)
    clock.settle()
    n1.rpc.close()
    n1.rpc.close()
    const after = ask(n1.rpc)
    clock.advance(1000)
    expect(before).toMatchObject([{ ok: false, failure: { code: 'CLOSED' } }])
    expect(after).toMatchObject([{ ok: false, failure: { code: 'CLOSED' } }])
  })

  test('too large for the bus fails and says so', () => {
    const { clock, n1 } = bench()
    const entries = [
      { index: 1, term: 1, type: 2 as const, data: new Uint8Array(n1.rpc.maxFrameBytes + 8192) },
    ]
    const outcomes: unknown[] = []
    const request = { term: 1, prevLogIndex: 0, prevLogTerm: 0, committedIndex: 0, entries }
    n1.rpc.call('g', 'n2', 'append_entries', request, 100, (outcome) => outcomes.push(outcome))
    clock.settle()
    expect(outcomes).toMatchObject([
      { ok: false, failure: { code: 'BUS_DOWN', message: expect.stringMatching(/does not fit/) } },
    ])
  })

  test.each(['', 'a.b', '*', '>', 'leader'])('to a member called %j goes nowhere', (to) => {
    const { clock, n1, n2 } = bench()
    n2.rpc.serve('g', () => expect.unreachable())
    const outcomes = ask(n1.rpc, to)
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: false }])
  })
})

describe('a handler', () => {
  test('that throws is answered for, and others go on', () => {
    const { clock, n1, n2, logger } = bench()
    n2.rpc.serve('g', () => {
      throw new Error('oh')
    })
    const outcomes = ask(n1.rpc)
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'REFUSED', remoteCode: 'EINTERNAL' } }])
    expect(logger.lines).toMatchObject([{ level: 'error', fields: { group: 'g', from: 'n1' } }])
  })

  test('can answer once only', () => {
    const { clock, n1, n2, drops } = bench()
    n2.rpc.serve('g', (_request, reply) => {
      reply({ ok: true, response: { term: 3, index: 1 } })
      reply({ ok: true, response: { term: 3, index: 2 } })
      throw new Error('after the answer')
    })
    const outcomes = ask(n1.rpc)
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: true, response: { index: 1 } }])
    expect(drops.total).toBe(0)
  })

  test('of a group there can be one, and the next when it has stopped', () => {
    const { n2 } = bench()
    const first = n2.rpc.serve('g', () => {})
    expect(() => n2.rpc.serve('g', () => {})).toThrow(/already served/)
    first.stop()
    const second = n2.rpc.serve('g', () => {})
    first.stop()
    expect(() => n2.rpc.serve('g', () => {})).toThrow(/already served/)
    second.stop()
    expect(() => n2.rpc.serve('a.b', () => {})).toThrow(/Group/)
  })
})

describe('what is dropped and counted', () => {
  const body = (from: string, method: RpcMethod = 'read_index') =>
    new RequestEncoder(from).encode(method, { term: 3 })
  const flipped = (frame: Uint8Array): Uint8Array => frame.map((byte, at) => (at === 5 ? byte ^ 4 : byte))

  test.each([
    [
      'a sender that is not the one in the subject',
      'quorate.g.n2.rpc.n3.read_index',
      body('n1'),
      'FORGED_SENDER n3 1',
    ],
    ['an unknown method', 'quorate.g.n2.rpc.n3.sing', body('n3'), 'UNKNOWN_METHOD n3 1'],
    ['a method that every object has', 'quorate.g.n2.rpc.n3.toString', body('n3'), 'UNKNOWN_METHOD n3 1'],
    ['a subject that goes on', 'quorate.g.n2.rpc.n3.read_index.x', body('n3'), 'BAD_SUBJECT (unknown) 1'],
    [
      'a sender called events',
      'quorate.g.n2.rpc.events.read_index',
      body('events'),
      'BAD_SUBJECT (unknown) 1',
    ],
    ['an empty body', 'quorate.g.n2.rpc.n3.read_index', new Uint8Array(0), 'BAD_CHECKSUM n3 1'],
    ['a flipped bit', 'quorate.g.n2.rpc.n3.read_index', flipped(body('n3')), 'BAD_CHECKSUM n3 1'],
    ['another message', 'quorate.g.n2.rpc.n3.pre_vote', body('n3'), 'BAD_BODY n3 1'],
    ['a large vote', 'quorate.g.n2.rpc.n3.pre_vote', new Uint8Array(5000), 'TOO_LARGE n3 1'],
    ['a tag', 'quorate.g.n2.rpc.n3.read_index', withChecksum(Uint8Array.from([0xc2, 0x45])), 'TAG n3 1'],
  ])('%s', (_what, subject, payload, expected) => {
    const { clock, bus, n2, reasons, logger } = bench()
    n2.rpc.serve('g', () => expect.unreachable())
    const stranger = bus.connect('n3')
    expect(stranger.publish(subject, payload, `${stranger.inbox}.1`)).toBe(true)
    clock.settle()
    expect(reasons()).toEqual([expected])
    expect(logger.lines.every(({ level }) => level === 'warn')).toBe(true)
  })

  test('an unknown method is answered, so that a later version does not wait', () => {
    const { clock, bus } = bench()
    const next = bus.connect('n3')
    const answers: unknown[] = []
    next.subscribe(`${next.inbox}.>`, ({ payload }) => answers.push(decodeResponse('read_index', payload)))
    next.publish('quorate.g.n2.rpc.n3.get_mood', body('n3'), `${next.inbox}.1`)
    next.publish('quorate.g.n2.rpc.n3.get_mood', body('n3'))
    clock.settle()
    const error = { code: 'ENOMETHOD', message: 'n2 does not know the method "get_mood".' }
    expect(answers).toEqual([{ ok: true, value: { from: 'n2', outcome: { ok: false, error } } }])
  })

  test.each(['timeout_now', 'get_mood'])(
    'a request (%s) that wants its answer among the members',
    (method) => {
      const { clock, bus, n1, n2, reasons } = bench()
      n1.rpc.serve('g', () => expect.unreachable())
      n2.rpc.serve('g', () => expect.unreachable())
      bus
        .connect('n3')
        .publish(`quorate.g.n2.rpc.n3.${method}`, body('n3'), 'quorate.g.n1.rpc.n2.timeout_now')
      clock.settle()
      expect(reasons()).toEqual(['BAD_REPLY_SUBJECT n3 1'])
    },
  )

  test('an answer from somebody who was not asked, and the right one still counts', () => {
    const { clock, bus, n1, n2, reasons } = bench()
    let answer = (): void => {}
    n2.rpc.serve('g', (_request, reply) => {
      answer = () => reply({ ok: true, response: { term: 3, index: 1 } })
    })
    const outcomes = ask(n1.rpc)
    clock.settle()
    const stranger = bus.connect('n3')
    const forged = encodeResponse('n3', 'read_index', { term: 9, index: 9 })
    const head = rpcAnswerHead(n1.transport.inbox, 'n2')
    stranger.publish(`${head}1`, forged)
    stranger.publish(`${head}1`, encodeErrorResponse('n3', { code: 'EPERM', message: '' }))
    stranger.publish(`${head}1`, Uint8Array.from([0xff]))
    stranger.publish(`${head}1`, withChecksum(Uint8Array.from([0xff])))
    stranger.publish(`${head}2`, forged)
    // What a bus with permissions lets it say: in its own name, here with the words of another.
    const inOthersWords = encodeResponse('n2', 'read_index', { term: 3, index: 9 })
    stranger.publish(`${rpcAnswerHead(n1.transport.inbox, 'n3')}1`, inOthersWords)
    clock.settle()
    expect(outcomes).toEqual([])
    answer()
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: true, response: { index: 1 } }])
    expect(reasons()).toEqual([
      'WRONG_PEER n3 2',
      'WRONG_PEER (unknown) 1',
      'BAD_CHECKSUM n2 1',
      'INDEFINITE_LENGTH n2 1',
      'LATE_REPLY (unknown) 1',
    ])
  })

  test('a request without a wish for an answer is handled, and the answer goes nowhere', () => {
    const { clock, bus, n2, drops } = bench()
    const seen: InboundRequest[] = []
    n2.rpc.serve('g', (request, reply) => {
      seen.push(request)
      reply({ ok: true, response: { term: 3, index: 1 } })
    })
    bus.connect('n3').publish('quorate.g.n2.rpc.n3.read_index', body('n3'))
    clock.settle()
    expect(seen.length).toBe(1)
    expect(drops.total).toBe(0)
  })
})

describe('the drop log', () => {
  test('writes one line per reason and sender and minute, with the count', () => {
    const clock = new ManualClock()
    const logger = new MemoryLogger()
    const drops = new DropLog({ clock, logger })
    for (let i = 0; i < 10; i += 1) drops.record('TAG', 'n1', 'detail')
    drops.record('TAG', 'n2', 'detail')
    drops.record('EMPTY', 'n1', 'detail')
    clock.advance(59_999)
    drops.record('TAG', 'n1', 'detail')
    expect(logger.lines.map(({ fields }) => `${fields.reason} ${fields.sender}`)).toEqual([
      'TAG n1',
      'TAG n2',
      'EMPTY n1',
    ])
    clock.advance(1)
    drops.record('TAG', 'n1', 'detail')
    expect(logger.lines.at(-1)?.fields).toMatchObject({ dropped: 11, droppedInTotal: 12 })
    expect(drops.total).toBe(14)
  })

  test('keeps a bounded number of names', () => {
    const drops = new DropLog({ clock: new ManualClock(), logger: new MemoryLogger(), maxSenders: 3 })
    for (let i = 0; i < 100; i += 1) drops.record('TAG', `n${i}`, '')
    drops.record('TAG', 'n1', '')
    expect(drops.counts()).toEqual([
      { reason: 'TAG', sender: 'n0', count: 1 },
      { reason: 'TAG', sender: 'n1', count: 2 },
      { reason: 'TAG', sender: 'n2', count: 1 },
      { reason: 'TAG', sender: '(others)', count: 97 },
    ])
  })
})
