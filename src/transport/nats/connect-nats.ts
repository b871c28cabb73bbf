// Opens the bus over NATS: dials with settings that suit consensus, says what it is doing while it waits, or uses a
// connection that the host already has.

import type { ConnectionOptions, NatsConnection } from 'nats'
import { QuorateError } from '../../errors.ts'
import type { PeerId } from '../../rules/types.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import { type Logger, shelteredLogger } from '../../runtime/logger.ts'
import { inboxPrefixOf } from '../permissions.ts'
import { isToken } from '../subjects.ts'
import type { Transport } from '../transport.ts'
import type { NatsLike } from './nats-like.ts'
import { NatsTransport } from './nats-transport.ts'

/** As the `nats` package takes them, whose own declarations ask for types of the browser: ours name none of them. */
export interface NatsTlsOptions {
  /** TLS before the server says anything. */
  readonly handshakeFirst?: boolean
  readonly ca?: string
  readonly caFile?: string
  readonly cert?: string
  readonly certFile?: string
  readonly key?: string
  readonly keyFile?: string
}

export interface NatsOptions {
  /** For example `nats://10.0.0.1:4222`. Several: any of them will do. Not needed with `connection`. */
  readonly servers?: string | readonly string[]
  /** This process's name. Its inbox is `_INBOX_<id>`, which is what permissions are written for. */
  readonly id: PeerId
  /** How the connection is called in the server's monitoring. Default `quorate <id>`. */
  readonly name?: string
  readonly user?: string
  readonly pass?: string
  readonly token?: string
  /** Content of a `.creds` file. */
  readonly creds?: string
  /** Seed of an NKey, `SU…`. */
  readonly nkeySeed?: string
  readonly tls?: NatsTlsOptions
  /** A connection of the host's own, `nats` v2 or v3: it is used and never closed. Excludes all of the above but `id`. */
  readonly connection?: NatsLike
  /** First token of the inbox. Default `_INBOX_<id>`. */
  readonly inboxPrefix?: string
  readonly logger?: Logger
  readonly clock?: Clock
  /** Keep trying until a server answers. Default true; false fails at the first refusal of all servers. */
  readonly waitOnFirstConnect?: boolean
  /** Ends the waiting. */
  readonly signal?: AbortSignal
  /** Whatever else the `nats` package understands; wins over the settings made here. */
  readonly extra?: Readonly<Record<string, unknown>>
}

const FIRST_RETRY_MS = 250
const SLOWEST_RETRY_MS = 5000
const DIAL_TIMEOUT_MS = 5000
/** What no amount of waiting mends: a person has to change something. */
const FATAL_CODES: ReadonlySet<unknown> = new Set([
  'AUTHORIZATION_VIOLATION',
  'AUTHENTICATION_EXPIRED',
  'BAD_AUTHENTICATION',
  'BAD_CREDS',
  'INVALID_OPTION',
  'TLS',
  // A server that offers no TLS to whoever asks for it, and certificates that are not to be believed.
  'SERVER_OPT_NA',
  'CERT_HAS_EXPIRED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * Resolves with a connected transport.
 *
 * @throws QuorateError INVALID for options that cannot work, TRANSPORT when the server refuses the credentials, or
 * when none answers and `waitOnFirstConnect` is false; ABORTED when `signal` says so.
 */
export async function connectNats(options: NatsOptions): Promise<Transport> {
  if (!isToken(options.id)) {
    throw new QuorateError(
      'INVALID',
      `Id ${JSON.stringify(options.id)} must be 1 to 64 letters, digits, _ or -.`,
    )
  }
  const nats = await import('nats')
  const clock = options.clock ?? systemClock
  const logger = shelteredLogger(options.logger)
  const inboxPrefix = options.inboxPrefix ?? inboxPrefixOf(options.id)
  const inbox = nats.createInbox(inboxPrefix)
  if (options.connection !== undefined) {
    return new NatsTransport({ connection: options.connection, owned: false, inbox, clock, logger })
  }
  const settings = settingsFor(options, inboxPrefix, nats)
  const connection = await dial(options, clock, logger, () => nats.connect(settings))
  logger.info({ server: connection.getServer() }, 'Connected to NATS.')
  return new NatsTransport({ connection, owned: true, inbox, clock, logger })
}

type NatsModule = Pick<typeof import('nats'), 'credsAuthenticator' | 'nkeyAuthenticator'>

function settingsFor(options: NatsOptions, inboxPrefix: string, nats: NatsModule): ConnectionOptions {
  const settings: ConnectionOptions = {
    servers: serversOf(options),
    name: options.name ?? `quorate ${options.id}`,
    inboxPrefix,
    timeout: DIAL_TIMEOUT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 150,
    reconnectJitter: 100,
    reconnectJitterTLS: 200,
    // A link that is half open is noticed after two unanswered pings.
    pingInterval: 2000,
    maxPingOut: 2,
    // Credentials are rotated; a server that refuses us today may take us tomorrow.
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
  }
  if (options.user !== undefined) settings.user = options.user
  if (options.pass !== undefined) settings.pass = options.pass
  if (options.token !== undefined) settings.token = options.token
  if (options.tls !== undefined) settings.tls = options.tls
  // The client would go on in plain text when such a server offers no TLS.
  else if (serversOf(options).some((server) => server.startsWith('tls://'))) settings.tls = {}
  const encoder = new TextEncoder()
  if (options.creds !== undefined)
    settings.authenticator = nats.credsAuthenticator(encoder.encode(options.creds))
  else if (options.nkeySeed !== undefined) {
    settings.authenticator = nats.nkeyAuthenticator(encoder.encode(options.nkeySeed))
  }
  // Waiting for the first connection is done here, where it can be seen.
  return { ...settings, ...options.extra, waitOnFirstConnect: false }
}

function serversOf({ servers }: NatsOptions): string[] {
  const list = typeof servers === 'string' ? servers.split(',') : [...(servers ?? [])]
  const named = list.map((server) => server.trim()).filter((server) => server !== '')
  if (named.length > 0) return named
  throw new QuorateError(
    'INVALID',
    'No NATS server is given: name one in `servers`, or hand in a `connection`.',
  )
}

async function dial(
  options: NatsOptions,
  clock: Clock,
  logger: Logger,
  connect: () => Promise<NatsConnection>,
): Promise<NatsConnection> {
  const { signal } = options
  const servers = serversOf(options).join(', ')
  for (let attempt = 1, retryMs = FIRST_RETRY_MS; ; attempt += 1) {
    requireNotAborted(signal, servers)
    try {
      logger.debug({ servers, attempt }, 'Connecting to NATS.')
      const connection = await connect()
      if (signal?.aborted === true) await connection.close()
      requireNotAborted(signal, servers)
      return connection
    } catch (error) {
      if (error instanceof QuorateError) throw error
      const why = reasonOf(error)
      if (isFatal(error) || options.waitOnFirstConnect === false) {
        throw new QuorateError('TRANSPORT', `Cannot connect to NATS at ${servers}: ${why}.`, { cause: error })
      }
      logger.warn(
        { servers, attempt, error: why, retryMs },
        `No NATS server at ${servers} yet; trying again.`,
      )
    }
    await pause(clock, retryMs, signal)
    retryMs = Math.min(retryMs * 2, SLOWEST_RETRY_MS)
  }
}

function isFatal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FATAL_CODES.has(error.code)
}

function reasonOf(error: unknown): string {
  const offersNoTls = error instanceof Error && 'code' in error && error.code === 'SERVER_OPT_NA'
  return offersNoTls ? 'TLS is asked for, and the server offers none' : messageOf(error)
}

function requireNotAborted(signal: AbortSignal | undefined, servers: string): void {
  if (signal?.aborted !== true) return
  throw new QuorateError('ABORTED', `Gave up connecting to NATS at ${servers}.`, { cause: signal.reason })
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clock.clearTimeout(timer)
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const timer = clock.setTimeout(finish, delayMs)
    signal?.addEventListener('abort', finish)
  })
}
