import { performance } from 'node:perf_hooks'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DropLog } from '../../src/observability/drop-log.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { randomInt, seededRandom } from '../../src/runtime/random.ts'
import {
  decodeRequest,
  decodeResponse,
  decodeValue,
  encodeErrorResponse,
  encodeResponse,
  encodeValue,
  RequestEncoder,
} from '../../src/transport/codec.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import type { RpcMethod } from '../../src/transport/messages.ts'
import { createPeerRpc } from '../../src/transport/rpc-endpoint.ts'
import { METHODS, requests, responses } from './support/arbitraries.ts'
import { isValidRequest, isValidResponse } from './support/is-valid.ts'
import { ManualClock } from './support/manual-clock.ts'
import { mutate, pick } from './support/mutations.ts'

const SEED = 20_260_801
const FRAMES = 200_000
const MESSAGES = 30_000

function requestFrames<M extends RpcMethod>(method: M): Uint8Array[] {
  const encoder = new RequestEncoder('n1')
  return fc
    .sample(requests[method], { seed: SEED, numRuns: 20 })
    .map((m) => Uint8Array.from(encoder.encode(method, m)))
}

function responseFrames<M extends RpcMethod>(method: M): Uint8Array[] {
  const sample = fc.sample(responses[method], { seed: SEED, numRuns: 10 })
  return sample.map((response) => Uint8Array.from(encodeResponse('n1', method, response)))
}

const REQUESTS = METHODS.flatMap(requestFrames)
const RESPONSES = [
  ...METHODS.flatMap(responseFrames),
  Uint8Array.from(encodeErrorResponse('n1', { code: 'EBUSY', message: 'Still busy.' })),
]
const CORPUS = [
  ...REQUESTS,
  ...RESPONSES,
  encodeValue({ a: [1, 'two', { three: null }], b: new Uint8Array(9) }),
]

describe('the codec', () => {
  test(`neither throws, nor stalls, nor accepts what is no message, over ${FRAMES} damaged frames`, () => {
    const random = seededRandom(SEED)
    const outcomes = new Map<string, number>()
    const note = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    let slowestMs = 0
    for (let i = 0; i < FRAMES; i += 1) {
      const frame = mutate(CORPUS, random)
      const method = pick(METHODS, random)
      const start = performance.now()
      const request = decodeRequest(method, frame)
      const response = decodeResponse(method, frame)
      const value = decodeValue(frame)
      slowestMs = Math.max(slowestMs, performance.now() - start)
      if (request.ok && !isValidRequest(request.value))
        expect.fail(`accepted ${Buffer.from(frame).toString('hex')}`)
      if (response.ok && response.value.outcome.ok && !isValidResponse(response.value.outcome.response)) {
        expect.fail(`accepted ${Buffer.from(frame).toString('hex')}`)
      }
      note(request.ok ? 'request' : request.reason)
      note(response.ok ? 'response' : response.reason)
      note(value.ok ? 'value' : value.reason)
    }
    expect(slowestMs).toBeLessThan(250)
    // Every branch was really met: good frames among bad ones, and each reason that bytes alone can give.
    for (const outcome of [
      'request',
      'response',
      'value',
      'EMPTY',
      'TRUNCATED',
      'TRAILING_BYTES',
      'TAG',
      'INDEFINITE_LENGTH',
      'RESERVED',
      'SIMPLE_VALUE',
      'KEY_NOT_TEXT',
      'TOO_DEEP',
      'TOO_MANY_ITEMS',
      'WRONG_VERSION',
      'BAD_BODY',
    ]) {
      expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(20)
    }
  }, 60_000)
})

describe('an endpoint', () => {
  test(`hands on only valid messages, and accounts for each of ${MESSAGES}`, () => {
    const random = seededRandom(SEED + 1)
    const clock = new ManualClock()
    const bus = new MemoryBus({ clock })
    const drops = new DropLog({ clock, logger: silentLogger })
    const transport = bus.connect('n2')
    const rpc = createPeerRpc({ transport, prefix: 'quorate', id: 'n2', clock, logger: silentLogger, drops })
    let handled = 0
    let answered = 0
    let calls = 0
    rpc.serve('g', (request) => {
      handled += 1
      expect(request.from).toBe('n1')
      if (!isValidRequest(request)) expect.fail(JSON.stringify(request))
    })
    const call = (): void => {
      calls += 1
      rpc.call(
        'g',
        'n1',
        'request_vote',
        { term: 1, lastLogIndex: 0, lastLogTerm: 0, disruptedLeader: null },
        1e9,
        (o) => {
          answered += 1
          if (o.ok && !isValidResponse(o.response)) expect.fail(JSON.stringify(o))
        },
      )
    }
    const stranger = bus.connect('n1')
    stranger.subscribe('quorate.*.n1.rpc.>', () => {})
    let sent = 0
    for (let i = 0; i < MESSAGES; i += 1) {
      if (random.next() < 0.7) {
        const from = random.next() < 0.9 ? 'n1' : pick(['n3', 'leader', 'x$y'], random)
        const method =
          random.next() < 0.95 ? pick(METHODS, random) : pick(['sing', 'constructor', 'a.b'], random)
        if (stranger.publish(`quorate.g.n2.rpc.${from}.${method}`, mutate(REQUESTS, random))) sent += 1
      } else {
        if (calls === answered) call()
        const token =
          random.next() < 0.9 ? calls.toString(36) : pick(['', 'zzz.zz', '__proto__', '-1'], random)
        // An empty token is no subject; the bus itself refuses it.
        if (stranger.publish(`${transport.inbox}.${token}`, mutate(RESPONSES, random))) sent += 1
      }
      if (randomInt(random, 0, 3) === 0) clock.settle()
    }
    clock.settle()
    expect(handled).toBeGreaterThan(1000)
    expect(answered).toBeGreaterThan(100)
    expect(handled + answered + drops.total).toBe(sent)
    expect(drops.counts().reduce((sum, { count }) => sum + count, 0)).toBe(drops.total)
  }, 60_000)
})
