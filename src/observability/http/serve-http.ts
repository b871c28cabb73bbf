// The HTTP door of a host: answers GET and HEAD, for people and their tools. Everything that a stranger sends is bounded in
// bytes, connections and time, so that whoever reads slowly or sends nonsense costs the members nothing.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { QuorateError } from '../../errors.ts'
import { type Clock, systemClock, type TimerHandle } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import { type Logger, shelteredLogger } from '../../runtime/logger.ts'
import type { Observed } from '../figures.ts'
import { isLocalHostHeader, isLoopback } from './address.ts'
import { listenAt } from './listen.ts'
import { type Page, Pages } from './pages.ts'

export interface HttpOptions {
  /** Default: loopback, and nobody from elsewhere gets in. */
  readonly host?: string | undefined
  /** 0: any that is free. */
  readonly port: number
  /** `/readyz` says no when more committed entries wait to be applied. Default 10,000. */
  readonly maxApplyLag?: number | undefined
  readonly logger?: Logger | undefined
  /** Answers what it knows below `/`, for example the page of `hostPage`. */
  readonly page?: HttpPage | undefined
}

/** More that is served by the same door. */
export interface HttpPage {
  /**
   * @param path with its query, without the slash at its beginning
   * @returns false: it is none of its own
   */
  handle(path: string, request: IncomingMessage, response: ServerResponse): boolean
  close(): void
}

export interface HttpServer extends AsyncDisposable {
  /** Where it listens, for example `http://127.0.0.1:9464`. */
  readonly url: string
  /** Ends what is being answered, too. Repeating it is harmless. */
  close(): Promise<void>
}

const MAX_CONNECTIONS = 64
const MAX_HEADER_BYTES = 8 * 1024
const HEADERS_TIMEOUT_MS = 5000
const REQUEST_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 5000
/** For all that one connection asks and reads. */
const CONNECTION_LIFE_MS = 60_000
/** Answers that one connection has been given and not read. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024
const DEFAULT_MAX_APPLY_LAG = 10_000

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const

/**
 * Serves `/status`, `/raft_stat`, `/livez`, `/readyz` and `/metrics` of a host. It answers whoever reaches the address: keep
 * it on loopback, or behind something that asks who is there.
 *
 * @example await using http = await serveHttp(host, { port: 9464 })
 * @throws QuorateError CONFLICT when the port is in use, INVALID when the address cannot be listened on.
 */
export async function serveHttp(observed: Observed, options: HttpOptions): Promise<HttpServer> {
  const { port, host = '127.0.0.1', maxApplyLag = DEFAULT_MAX_APPLY_LAG } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new QuorateError(
      'INVALID',
      `Option port: ${port} is no port; it must be a whole number from 0 to 65535.`,
    )
  const logger = shelteredLogger(options.logger)
  const pages = new Pages({
    observed,
    nowMs: systemClock.nowMs,
    maxApplyLag,
    metrics: async () => (await import('../metrics/prometheus.ts')).prometheusMetrics(),
  })
  const door = new Door({
    pages,
    page: options.page,
    localOnly: isLoopback(host),
    logger,
    clock: systemClock,
  })
  const url = await listenAt(door.server, { host, port })
  return { url, close: () => door.close(), [Symbol.asyncDispose]: () => door.close() }
}

interface DoorOptions {
  readonly pages: Pages
  readonly page: HttpPage | undefined
  readonly localOnly: boolean
  readonly logger: Logger
  readonly clock: Clock
}

class Door {
  readonly server: Server
  readonly #options: DoorOptions
  /** Ends each connection after a while, unless a page goes on over it. */
  readonly #ends = new WeakMap<Socket, TimerHandle>()

  constructor(options: DoorOptions) {
    this.#options = options
    const { clock } = options
    this.server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: 1000,
      },
      (request, response) => this.#answer(request, response),
    )
    this.server.maxConnections = MAX_CONNECTIONS
    this.server.setTimeout(REQUEST_TIMEOUT_MS, (socket) => socket.destroy())
    this.server.on('connection', (socket) => {
      const timer = clock.setTimeout(() => socket.destroy(), CONNECTION_LIFE_MS)
      this.#ends.set(socket, timer)
      socket.once('close', () => clock.clearTimeout(timer))
      socket.on('error', () => {})
    })
    this.server.on('clientError', (_, socket) => socket.destroy())
  }

  close(): Promise<void> {
    this.#options.page?.close()
    return new Promise((done) => {
      this.server.close(() => done())
      this.server.closeAllConnections()
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#refusalOf(request)
    if (refusal !== null) return send(request, response, refusal, true)
    if (this.#isPage(request, response)) return
    const { pages, logger } = this.#options
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    pages.page(path).then(
      (page) => send(request, response, page),
      (error: unknown) => {
        logger.error({ path, error: messageOf(error) }, 'A page could not be made.')
        send(request, response, refused(500, 'This page could not be made; the log says why.'))
      },
    )
  }

  /** Programs that ask for `/` get the list of what there is; browsers get the page. */
  #isPage(request: IncomingMessage, response: ServerResponse): boolean {
    const { page, clock } = this.#options
    const { url = '/', headers, socket } = request
    const isBrowser = url !== '/' || headers.accept?.includes('text/html') === true
    if (page === undefined || !isBrowser || !page.handle(url.slice(1), request, response)) return false
    if (response.headersSent) clock.clearTimeout(this.#ends.get(socket))
    return true
  }

  #refusalOf({ method, headers, socket }: IncomingMessage): Page | null {
    if (socket.writableLength > MAX_UNREAD_BYTES)
      return refused(429, 'Read what was answered before you ask again.')
    if (method !== 'GET' && method !== 'HEAD') return refused(405, 'Only GET and HEAD are answered here.')
    if (this.#options.localOnly && !isLocalHostHeader(headers.host))
      return refused(403, 'Only this machine is answered here, by its own name: localhost or 127.0.0.1.')
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    return hasBody ? refused(413, 'A question here has no body.') : null
  }
}

function refused(status: number, line: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body: `${line}\n` }
}

function send(request: IncomingMessage, response: ServerResponse, page: Page, last = false): void {
  if (response.destroyed) return
  const body = Buffer.from(page.body)
  response.writeHead(page.status, {
    ...SECURITY_HEADERS,
    'content-type': page.type,
    'content-length': body.byteLength,
    ...(page.status === 405 ? { allow: 'GET, HEAD' } : {}),
    ...(last ? { connection: 'close' } : {}),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
