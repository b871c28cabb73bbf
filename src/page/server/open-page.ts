// A page with a door of its own, below an address that nobody can guess.

import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { isLocalHostHeader, isLoopback } from '../../observability/http/address.ts'
import { listenAt } from '../../observability/http/listen.ts'
import { Site } from './site.ts'
import type { PageSource } from './source.ts'

export interface PageOptions {
  readonly source: PageSource
  /** 0: any that is free. */
  readonly port: number
  /** Default 127.0.0.1: whoever else reaches it can watch with the token alone. */
  readonly listen?: string | undefined
}

export interface OpenPage {
  readonly url: string
  readonly viewers: number
  /** Resolves when somebody has come. */
  readonly visited: Promise<void>
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
const MAX_CONNECTIONS = 128
const MAX_HEADER_BYTES = 8 * 1024
const HEADERS_TIMEOUT_MS = 5000

/** @throws QuorateError CONFLICT for a port that is in use, INVALID for one that may not be listened on. */
export async function openPage({ source, port, listen: host = LOOPBACK }: PageOptions): Promise<OpenPage> {
  const token = randomBytes(18).toString('base64url')
  const head = `/${token}/`
  const site = new Site({ source })
  const options = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS }
  const server = createServer(options, (request, response) => {
    const { url = '' } = request
    // A page from elsewhere whose name was made to lead to this machine says that name.
    const isOurs = !isLoopback(host) || isLocalHostHeader(request.headers.host)
    if (isOurs && url.startsWith(head) && site.handle(url.slice(head.length), request, response)) return
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' })
    response.end('There is nothing here: the address has a token in it.\n')
  })
  server.maxConnections = MAX_CONNECTIONS
  server.on('clientError', (_, socket) => socket.destroy())
  const base = await listenAt(server, { host, port }).catch((error: unknown) => {
    site.close()
    throw error
  })
  return {
    url: base + head,
    get viewers() {
      return site.viewers
    },
    visited: site.visited,
    async close() {
      site.close()
      const closed = new Promise((done) => server.close(done))
      server.closeAllConnections()
      await closed
    },
  }
}
