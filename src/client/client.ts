// A client of one group, on whatever bus: finds the leader, sends what is asked in one turn together, tries again
// what was not done, and tells the truth about the rest.

import type { Applied, ReadLevel } from '../api.ts'
import { QuorateError } from '../errors.ts'
import {
  type Answers,
  CLIENT_PROTOCOL_VERSION,
  MAX_CLIENT_NAME,
  MAX_MESSAGE_BYTES,
  MAX_OPERATIONS_PER_MESSAGE,
  MESSAGE_LIMITS,
  MESSAGE_OVERHEAD_BYTES,
  MIN_ANSWER_BYTES,
  OPERATION_OVERHEAD_BYTES,
  type Parsed,
  parseAnswers,
  parseApplied,
  parseReadValue,
} from '../protocol/client-protocol.ts'
import { membersSubject } from '../protocol/subjects.ts'
import { systemClock } from '../runtime/clock.ts'
import { systemRandom } from '../runtime/random.ts'
import { clientSubject, DEFAULT_PREFIX, leaderSubject } from '../transport/subjects.ts'
import { decodeMessage, encodeMessage, encodeValue } from '../transport/wire/codec.ts'
import { type TraceContext, traced } from '../transport/wire/envelope.ts'
import { abortable } from './abortable.ts'
import { Admission, Admitted } from './admission.ts'
import { laneErrors } from './errors.ts'
import { Lane } from './lane.ts'
import { LeaderRoute } from './leader-route.ts'
import { Requester } from './requester.ts'
import { Destination, fixedRoute, type Route } from './route.ts'
import { RouteTable } from './route-table.ts'
import { type ClientApplyOptions, openSession } from './session.ts'
import type { ClientOptions, ClientReadOptions, QuorateClient } from './shapes.ts'
import { askStatus, type GroupStatus, type StatusOptions } from './status.ts'
import { type Heard, type SubscribeOptions, Subscription } from './subscription.ts'

const DEFAULT_TIMEOUT_MS = 5000
const DEFAULT_MAX_PENDING = 65_536
const DEFAULT_MAX_PENDING_BYTES = 64 * 1024 * 1024
/** Longer timers would run out at once. */
const MAX_TIMER_MS = 2_147_483_647
const DEFAULT_SILENCE_MS = 500
const FIRST_PAUSE_MS = 5
/** Also the time that a client may lose after a new leader is there. */
const LONGEST_PAUSE_MS = 100
/** A read whose member is silent is asked elsewhere after this share of its time. */
const READ_ATTEMPTS = 5
/** So is a command of a session: its leader may have died with it. */
const SESSION_ATTEMPTS = 5

/** @throws QuorateError INVALID when prefix or group can't be part of a subject, or a time or the name is out of bounds. */
export function connectClient(options: ClientOptions): QuorateClient {
  checkOptions(options)
  const { transport, group, prefix = DEFAULT_PREFIX, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const { clock = systemClock, random = systemRandom, name = 'client' } = options
  const statusSubject = membersSubject(prefix, group, 'status')
  const localRead = membersSubject(prefix, group, 'read')
  const destinationOf = (leader: string | null): Destination => {
    const subjectOf = (method: string): string =>
      leader === null ? leaderSubject(prefix, group, method) : clientSubject(prefix, group, leader, method)
    return new Destination(leader, { propose: subjectOf('propose'), read: subjectOf('read') })
  }
  const requester = new Requester(transport)
  const toLeader = new LeaderRoute({
    clock,
    ...{ requester, destinationOf, statusSubject },
    silenceMs: options.silenceMs ?? DEFAULT_SILENCE_MS,
    onMoved: () => table.doubt(),
    onFound: () => {
      for (const lane of [writes, inSessions, ...Object.values(reads)]) lane.resume()
    },
  })
  const askGroup = (status: StatusOptions = {}): Promise<GroupStatus> =>
    askStatus({ requester, clock, group, subject: statusSubject, ...status })
  const table = new RouteTable({ clock, group, ask: askGroup })
  const toAny = fixedRoute({ propose: localRead, read: localRead })
  const { maxPending = DEFAULT_MAX_PENDING, maxPendingBytes = DEFAULT_MAX_PENDING_BYTES } = options
  const admission = new Admission({ maxPending, maxPendingBytes })
  const subscriptions = new Set<Subscription>()
  let closed = false

  const maxMessage = () => {
    const { maxPayloadBytes } = transport.status()
    return {
      bytes: Math.min(MAX_MESSAGE_BYTES, maxPayloadBytes - MESSAGE_OVERHEAD_BYTES),
      operations: Math.max(
        1,
        Math.min(
          MAX_OPERATIONS_PER_MESSAGE,
          Math.floor((maxPayloadBytes - MESSAGE_OVERHEAD_BYTES) / MIN_ANSWER_BYTES),
        ),
      ),
    }
  }
  const common = {
    clock,
    requester,
    maxMessage,
    operationOverheadBytes: OPERATION_OVERHEAD_BYTES,
    backoffMs: (attempt: number) => {
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempt - 1, 10), LONGEST_PAUSE_MS)
      return pauseMs * (0.5 + random.next() / 2)
    },
  }
  const writes = new Lane<Applied>({
    ...common,
    method: 'propose',
    route: toLeader,
    encode: (commands) => encodeMessage([CLIENT_PROTOCOL_VERSION, name, commands]),
    parse: (reply, count) => parseReply(reply, count, parseApplied),
    repeatable: false,
    attemptTimeoutMs: timeoutMs,
    errors: laneErrors({ transport, group, timeoutMs, write: true }),
  })
  const inSessions = new Lane<Applied>({
    ...common,
    method: 'propose',
    route: toLeader,
    encode: (commands) => encodeMessage([CLIENT_PROTOCOL_VERSION, name, commands]),
    parse: (reply, count) => parseReply(reply, count, parseApplied),
    repeatable: true,
    attemptTimeoutMs: timeoutMs / SESSION_ATTEMPTS,
    errors: laneErrors({ transport, group, timeoutMs, write: true }),
  })
  const readLane = (level: ReadLevel, from: Route) =>
    new Lane<readonly [unknown]>({
      ...common,
      method: 'read',
      route: from,
      encode: (queries) => encodeMessage([CLIENT_PROTOCOL_VERSION, name, level, queries]),
      parse: (reply, count) => parseReply(reply, count, parseReadValue),
      repeatable: true,
      attemptTimeoutMs: timeoutMs / READ_ATTEMPTS,
      errors: laneErrors({ transport, group, timeoutMs, write: false }),
    })
  const readLanes = (from: Route): Readonly<Record<ReadLevel, Lane<readonly [unknown]>>> => ({
    readIndex: readLane('readIndex', from),
    lease: readLane('lease', from),
    local: readLane('local', from),
  })
  const reads = readLanes(toLeader)
  const nearReads = readLanes(toAny)

  const check = (bytes: number): void => {
    if (closed) throw new QuorateError('SHUTDOWN', 'The client is closed.')
    const maxBytes = transport.status().maxPayloadBytes - MESSAGE_OVERHEAD_BYTES
    if (!transport.status().connected || bytes <= maxBytes) return
    throw new QuorateError('TOO_LARGE', `The operation has ${bytes} bytes; the bus takes ${maxBytes}.`)
  }
  const start = <T>(lane: Lane<T>, value: unknown, trace?: TraceContext): Promise<T> =>
    new Promise((resolve, reject) => {
      const bytes = traced(encodeValue(value), trace)
      check(bytes.byteLength)
      admission.take(bytes.byteLength)
      lane.add(new Admitted(bytes, clock.nowMs() + timeoutMs, admission, resolve, reject))
    })

  return {
    // The members' machine decides what a result is; the caller says what it expects of it.
    apply: <Result>(command: unknown, { traceContext, signal }: ClientApplyOptions = {}) =>
      abortable(signal, 'unknown', () => start(writes, command, traceContext)) as Promise<Applied<Result>>,
    read: async <Value>(query: unknown, { level = 'readIndex', from, signal }: ClientReadOptions = {}) => {
      const lane = (from ?? (level === 'local' ? 'nearest' : 'leader')) === 'leader' ? reads : nearReads
      const [value] = await abortable(signal, 'not-applied', () => start(lane[level], query))
      return value as Value
    },
    subscribe: <Value>(query: unknown, subscribeOptions: SubscribeOptions = {}) => {
      check(0)
      const ended = (subscription: Subscription): void => void subscriptions.delete(subscription)
      const parts = { transport, requester, clock, random, prefix, group, name, timeoutMs, ended }
      const subscription = new Subscription(query, subscribeOptions, parts)
      if (!subscription.isOver) subscriptions.add(subscription)
      return subscription as AsyncIterableIterator<Heard<Value>, undefined>
    },
    ready: () => admission.ready(),
    session: (sessionOptions) =>
      openSession({ lane: inSessions, clock, timeoutMs, check, admission }, sessionOptions),
    leader: async () => toLeader.leader ?? (await table.current()).leader,
    members: () => table.current(),
    status: askGroup,
    close() {
      if (closed) return
      closed = true
      for (const subscription of [...subscriptions])
        subscription.end(new QuorateError('SHUTDOWN', 'The client is closed.'))
      toLeader.close()
      writes.close()
      inSessions.close()
      for (const lane of [...Object.values(reads), ...Object.values(nearReads)]) lane.close()
      admission.release()
      requester.close()
    },
  }
}

function checkOptions({ timeoutMs = 1, silenceMs = 1, name = '', ...limits }: ClientOptions): void {
  for (const [option, ms] of Object.entries({ timeoutMs, silenceMs })) {
    if (ms >= 1 && ms <= MAX_TIMER_MS) continue
    throw new QuorateError('INVALID', `${option} must be 1 to ${MAX_TIMER_MS}, not ${ms}.`)
  }
  const { maxPending = 1, maxPendingBytes = 1 } = limits
  for (const [option, most] of Object.entries({ maxPending, maxPendingBytes })) {
    if (most >= 1) continue
    throw new QuorateError('INVALID', `${option} must be at least 1, not ${most}.`)
  }
  if (name.length > MAX_CLIENT_NAME || !name.isWellFormed()) {
    throw new QuorateError('INVALID', `A client's name is text of at most ${MAX_CLIENT_NAME} characters.`)
  }
}

function parseReply<T>(
  reply: Uint8Array,
  count: number,
  parseValue: (answer: readonly unknown[]) => T | undefined,
): Parsed<Answers<T>> {
  const decoded = decodeMessage(reply, MESSAGE_LIMITS)
  if (!decoded.ok) return { ok: false, problem: `it is not plain CBOR (${decoded.reason})` }
  return parseAnswers(decoded.value, count, parseValue)
}
