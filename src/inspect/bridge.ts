// The way from a stream of messages to a browser: a page and a WebSocket below an address that nobody can guess.

import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import { QuorateError } from '../errors.ts'
import { listenAt } from '../observability/http/listen.ts'
import { headersOf, type Page, pagesOf } from './bridge-page.ts'
import type { StatelyStream } from './stately-stream.ts'

export interface BridgeOptions {
  readonly stream: StatelyStream
  /** 0: any that is free. */
  readonly port: number
  /** Default 127.0.0.1: whoever else hears it can watch with the token alone. */
  readonly listen?: string | undefined
  /** The page of the inspector. */
  readonly ui?: string | undefined
}

export interface Bridge {
  /** The page. */
  readonly url: string
  /** The messages alone, for other tools. */
  readonly socketUrl: string
  readonly viewers: number
  /** Resolves when somebody has come. */
  readonly visited: Promise<void>
  close(): Promise<void>
}

export const STATELY_UI = 'https://stately.ai/inspect'
const LOOPBACK = '127.0.0.1'
const MAX_VIEWERS = 32
/** A viewer that has not read so much of what it was sent is cut off. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024
/** Viewers only listen. */
const MAX_HEARD_BYTES = 1024

/** @throws QuorateError CONFLICT for a port that is in use, INVALID for one that may not be listened on. */
export async function openBridge(options: BridgeOptions): Promise<Bridge> {
  const { listen = LOOPBACK, port, ui = STATELY_UI } = options
  if (!/^https?:\/\//.test(ui) || !URL.canParse(ui))
    throw new QuorateError('INVALID', `The inspector's page ${ui} is no address of the web.`)
  const bridge = new OpenBridge(options.stream, ui)
  await bridge.listen(listen, port)
  return bridge
}

class OpenBridge implements Bridge {
  readonly visited: Promise<void>
  readonly #stream: StatelyStream
  readonly #ui: string
  readonly #token = randomBytes(18).toString('base64url')
  readonly #server: Server
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_HEARD_BYTES })
  #pages: ReadonlyMap<string, Page> = new Map()
  #origins: ReadonlySet<string> = new Set()
  #base = ''
  #visit: () => void = () => {}

  constructor(stream: StatelyStream, ui: string) {
    this.#stream = stream
    this.#ui = ui
    this.visited = new Promise((resolve) => {
      this.#visit = resolve
    })
    this.#server = createServer((request, response) => this.#answer(request, response))
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  get url(): string {
    return `http://${this.#base}/${this.#token}/`
  }

  get socketUrl(): string {
    return `ws://${this.#base}/${this.#token}/socket`
  }

  get viewers(): number {
    return this.#sockets.clients.size
  }

  async listen(host: string, port: number): Promise<void> {
    const url = new URL(await listenAt(this.#server, { host, port }))
    this.#base = url.host
    const name = host.includes(':') ? `[${host}]` : host
    this.#origins = new Set([name, 'localhost', LOOPBACK].map((each) => `http://${each}:${url.port}`))
    this.#pages = pagesOf(this.#ui, this.socketUrl)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#sockets.close()
    const closed = new Promise((done) => this.#server.close(done))
    this.#server.closeAllConnections()
    await closed
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(headersOf(this.#ui))) response.setHeader(name, value)
    const page = this.#pages.get(this.#below(request) ?? '-')
    if (page === undefined) return end(response, 404, 'There is nothing here: the address has a token in it.')
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET')
      return end(response, 405, 'This can only be read.')
    }
    response.setHeader('content-type', page.type)
    response.end(page.body)
  }

  /** What stands behind the token; undefined: it is another one. */
  #below({ url = '' }: IncomingMessage): string | undefined {
    const head = `/${this.#token}/`
    return url.startsWith(head) ? url.slice(head.length) : undefined
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const { origin } = request.headers
    // A browser says which page it speaks for; other programs say nothing.
    const isOurs = origin === undefined || this.#origins.has(origin)
    if (this.#below(request) !== 'socket' || !isOurs) return refuse(socket, '403 Forbidden')
    if (this.viewers >= MAX_VIEWERS) return refuse(socket, '503 Service Unavailable')
    this.#sockets.handleUpgrade(request, socket, head, (viewer) => this.#show(viewer))
  }

  #show(viewer: WebSocket): void {
    let stop = (): void => {}
    const leave = (): void => stop()
    viewer.on('close', leave)
    viewer.on('error', () => viewer.terminate())
    stop = this.#stream.listen((message) => {
      if (viewer.readyState !== WebSocket.OPEN) return
      viewer.send(JSON.stringify(message))
      if (viewer.bufferedAmount > MAX_UNREAD_BYTES) viewer.terminate()
    })
    this.#visit()
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.end(`${text}\n`)
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}
