import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DropLog } from '../../../src/observability/drop-log.ts'
import { silentLogger } from '../../../src/runtime/logger.ts'
import { type Random, randomInt, seededRandom } from '../../../src/runtime/random.ts'
import { MemoryBus } from '../../../src/transport/memory/memory-bus.ts'
import { createPeerRpc } from '../../../src/transport/rpc/rpc-endpoint.ts'
import { rpcAnswerHead } from '../../../src/transport/subjects.ts'
import {
  decodeRequest,
  decodeResponse,
  decodeValue,
  encodeErrorResponse,
  encodeResponse,
  encodeValue,
  RequestEncoder,
} from '../../../src/transport/wire/codec.ts'
import { RPC_METHODS, type RpcMethod } from '../../../src/transport/wire/messages/registry.ts'
import { requests, responses } from '../support/arbitraries.ts'
import { isValidRequest, isValidResponse } from '../support/is-valid.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { mutate, pick } from '../support/mutations.ts'
import { withChecksum } from '../support/seals.ts'

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

const REQUESTS = RPC_METHODS.flatMap(requestFrames)
const RESPONSES = [
  ...RPC_METHODS.flatMap(responseFrames),
  Uint8Array.from(encodeErrorResponse('n1', { code: 'EBUSY', message: 'Still busy.' })),
]
/** For damage that gets a checksum afterwards. */
const withoutChecksum = (frame: Uint8Array): Uint8Array => frame.slice(0, -5)
const OPEN_REQUESTS = REQUESTS.map(withoutChecksum)
const OPEN_RESPONSES = RESPONSES.map(withoutChecksum)
const CORPUS = [
  ...REQUESTS,
  ...RESPONSES,
  encodeValue({ a: [1, 'two', { three: null }], b: new Uint8Array(9) }),
]

const outOfTheCodec: ReadonlySet<string> = new Set([...REQUESTS, ...RESPONSES].map(keyOf))

function keyOf(frame: Uint8Array): string {
  return Buffer.from(frame).toString('latin1')
}

interface Findings {
  readonly outcomes: Map<string, number>
  slowestMs: number
}

/** Decodes one frame in every way, and fails when what is accepted is no message. Returns whether any is. */
function decodeAll(frame: Uint8Array, random: Random, findings: Findings): boolean {
  const method = pick(RPC_METHODS, random)
  const start = process.cpuUsage()
  const request = decodeRequest(method, frame)
  const response = decodeResponse(method, frame)
  const value = decodeValue(frame)
  // Of the processor: what others do with this machine meanwhile does not count.
  const { user, system } = process.cpuUsage(start)
  findings.slowestMs = Math.max(findings.slowestMs, (user + system) / 1000)
  const isWrong =
    (request.ok && !isValidRequest(request.value)) ||
    (response.ok && response.value.outcome.ok && !isValidResponse(response.value.outcome.response))
  if (isWrong) expect.fail(`accepted ${Buffer.from(frame).toString('hex')}`)
  const note = (outcome: string) => findings.outcomes.set(outcome, (findings.outcomes.get(outcome) ?? 0) + 1)
  note(request.ok ? 'request' : request.reason)
  note(response.ok ? 'response' : response.reason)
  note(value.ok ? 'value' : value.reason)
  return request.ok || response.ok
}

function expectMet(findings: Findings, outcomes: readonly string[]): void {
  expect(findings.slowestMs).toBeLessThan(250)
  for (const outcome of outcomes) expect(findings.outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(20)
}

describe('the codec', () => {
  test(`believes no frame that is not byte for byte what was sent, over ${FRAMES / 2} damaged ones`, () => {
    const random = seededRandom(SEED)
    const findings: Findings = { outcomes: new Map(), slowestMs: 0 }
    for (let i = 0; i < FRAMES / 2; i += 1) {
      const frame = mutate(CORPUS, random)
      const believed = decodeAll(frame, random, findings)
      if (believed && !outOfTheCodec.has(keyOf(frame))) {
        expect.fail(`believed ${Buffer.from(frame).toString('hex')}`)
      }
    }
    expectMet(findings, ['request', 'response', 'value', 'BAD_CHECKSUM', 'BAD_BODY'])
  }, 60_000)

  test(`neither throws, nor stalls, nor accepts what is no message, over ${FRAMES / 2} with a fitting checksum`, () => {
    const random = seededRandom(SEED)
    const findings: Findings = { outcomes: new Map(), slowestMs: 0 }
    let forged = 0
    for (let i = 0; i < FRAMES / 2; i += 1) {
      const frame = withChecksum(mutate([...OPEN_REQUESTS, ...OPEN_RESPONSES], random))
      if (decodeAll(frame, random, findings) && !outOfTheCodec.has(keyOf(frame))) forged += 1
    }
    // The checksum is no protection against malice: what is well-formed and sealed is believed.
    expect(forged).toBeGreaterThan(100)
    // Every branch was really met: good frames among bad ones, and each reason that bytes alone can give.
    expectMet(findings, [
      'request',
      'response',
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
    ])
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
    const damaged = (frames: readonly Uint8Array[], open: readonly Uint8Array[]): Uint8Array =>
      random.next() < 0.5 ? mutate(frames, random) : withChecksum(mutate(open, random))
    for (let i = 0; i < MESSAGES; i += 1) {
      if (random.next() < 0.7) {
        const from = random.next() < 0.9 ? 'n1' : pick(['n3', 'leader', 'x$y'], random)
        const method =
          random.next() < 0.95 ? pick(RPC_METHODS, random) : pick(['sing', 'constructor', 'a.b'], random)
        if (stranger.publish(`quorate.g.n2.rpc.${from}.${method}`, damaged(REQUESTS, OPEN_REQUESTS)))
          sent += 1
      } else {
        if (calls === answered) call()
        const token =
          random.next() < 0.9 ? calls.toString(36) : pick(['', 'zzz.zz', '__proto__', '-1'], random)
        // An empty token is no subject; the bus itself refuses it.
        if (
          stranger.publish(
            `${rpcAnswerHead(transport.inbox, 'n1')}${token}`,
            damaged(RESPONSES, OPEN_RESPONSES),
          )
        )
          sent += 1
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
