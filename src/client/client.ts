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
import type { PeerId } from '../rules/types.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { type Random, systemRandom } from '../runtime/random.ts'
import { clientSubject, DEFAULT_PREFIX, leaderSubject } from '../transport/subjects.ts'
import type { Transport } from '../transport/transport.ts'
import { decodeMessage, encodeMessage, encodeValue } from '../transport/wire/codec.ts'
import { type TraceContext, traced } from '../transport/wire/envelope.ts'
import { laneErrors } from './errors.ts'
import { Lane } from './lane.ts'
import { LeaderRoute } from './leader-route.ts'
import { Requester } from './requester.ts'
import { Destination, fixedRoute } from './route.ts'
import { type GroupRoute, RouteTable } from './route-table.ts'
import { type ClientApplyOptions, type ClientSession, openSession, type SessionOptions } from './session.ts'
import { askStatus, type GroupStatus, type StatusOptions } from './status.ts'

export interface ClientOptions {
  /** Used, and not closed with the client. */
  readonly transport: Transport
  readonly group: string
  /** Default `quorate`. */
  readonly prefix?: string
  /** How long an operation may take, retries included: 1 to 2,147,483,647. Default 5000. */
  readonly timeoutMs?: number
  /**
   * A leader that answers none of the requests that wait for it for so long (or half of it, at the least) is taken for
   * stuck: all members are asked who leads, and until one says so nothing more is sent. Default 500.
   */
  readonly silenceMs?: number
  /** Shows who asked, in the members' logs. At most 64 characters. Default `client`. */
  readonly name?: string
  readonly clock?: Clock
  readonly random?: Random
}

export interface ClientReadOptions {
  /** Default `readIndex`. `local` asks any member, the others the leader. */
  readonly level?: ReadLevel
}

export interface QuorateClient {
  /**
   * Replicates a command; resolves with what the state machine returned. The command is copied before this returns.
   * Commands of one turn reach the log in order unless one of them has to be tried again.
   *
   * Rejects with a QuorateError: `outcome` is `not-applied` when it was refused until time was up, and `unknown` when
   * a leader may have taken it and no answer came. Such a write is never sent twice.
   */
  apply<Result = unknown>(command: unknown, options?: ClientApplyOptions): Promise<Applied<Result>>
  /**
   * Begins a session, through the log: commands that are sent in it are carried out once each, and sent again until there is an
   * answer. Any number of sessions may be open; a group keeps 10,000 and forgets the one that was used longest ago.
   *
   * @throws QuorateError INVALID for a bad option, and as `apply` does.
   * @example
   * const session = await client.session()
   * await session.apply({ op: 'append', key: 'log', value: 'one,' })
   */
  session(options?: SessionOptions): Promise<ClientSession>
  /** Queries the state machine. Tried again until time is up, since a read changes nothing. */
  read<Value = unknown>(query: unknown, options?: ClientReadOptions): Promise<Value>
  /** Who leads, as far as it is known just now; null: nobody does. Asks when no answer has told yet. */
  leader(): Promise<PeerId | null>
  /**
   * Who the members are, and who leads them. No list is needed to begin with, and none has to be kept: it is asked for
   * again when it is older than a second, or when answers say that another one leads.
   *
   * @throws QuorateError NO_LEADER when no member answers.
   */
  members(): Promise<GroupRoute>
  /** What every member that answers says, and who of the configuration did not. Never rejects for want of answers. */
  status(options?: StatusOptions): Promise<GroupStatus>
  /** Settles what is open: not sent yet is not applied, under way is unknown. Repeating it is harmless. */
  close(): void
}

const DEFAULT_TIMEOUT_MS = 5000
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
    ...{ clock, requester, destinationOf, statusSubject },
    silenceMs: options.silenceMs ?? DEFAULT_SILENCE_MS,
    onMoved: () => table.doubt(),
    onFound: () => {
      for (const lane of [writes, inSessions, reads.readIndex, reads.lease]) lane.resume()
    },
  })
  const askGroup = (status: StatusOptions = {}): Promise<GroupStatus> =>
    askStatus({ requester, clock, group, subject: statusSubject, ...status })
  const table = new RouteTable({ clock, group, ask: askGroup })
  const toAny = fixedRoute({ propose: localRead, read: localRead })
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
  const readLane = (level: ReadLevel) =>
    new Lane<readonly [unknown]>({
      ...common,
      method: 'read',
      route: level === 'local' ? toAny : toLeader,
      encode: (queries) => encodeMessage([CLIENT_PROTOCOL_VERSION, name, level, queries]),
      parse: (reply, count) => parseReply(reply, count, parseReadValue),
      repeatable: true,
      attemptTimeoutMs: timeoutMs / READ_ATTEMPTS,
      errors: laneErrors({ transport, group, timeoutMs, write: false }),
    })
  const reads: Readonly<Record<ReadLevel, Lane<readonly [unknown]>>> = {
    readIndex: readLane('readIndex'),
    lease: readLane('lease'),
    local: readLane('local'),
  }

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
      lane.add({ bytes, deadlineMs: clock.nowMs() + timeoutMs, resolve, reject })
    })

  return {
    // The members' machine decides what a result is; the caller says what it expects of it.
    apply: <Result>(command: unknown, { traceContext }: ClientApplyOptions = {}) =>
      start(writes, command, traceContext) as Promise<Applied<Result>>,
    read: async <Value>(query: unknown, { level = 'readIndex' }: ClientReadOptions = {}) => {
      const [value] = await start(reads[level], query)
      return value as Value
    },
    session: (sessionOptions) => openSession({ lane: inSessions, clock, timeoutMs, check }, sessionOptions),
    leader: async () => toLeader.leader ?? (await table.current()).leader,
    members: () => table.current(),
    status: askGroup,
    close() {
      if (closed) return
      closed = true
      toLeader.close()
      writes.close()
      inSessions.close()
      for (const lane of Object.values(reads)) lane.close()
      requester.close()
    },
  }
}

function checkOptions({ timeoutMs = 1, silenceMs = 1, name = '' }: ClientOptions): void {
  for (const [option, ms] of Object.entries({ timeoutMs, silenceMs })) {
    if (ms >= 1 && ms <= MAX_TIMER_MS) continue
    throw new QuorateError('INVALID', `${option} must be 1 to ${MAX_TIMER_MS}, not ${ms}.`)
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
