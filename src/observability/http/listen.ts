// Opening a door at an address, and why it can't be opened, as a sentence.

import type { Server } from 'node:http'
import { QuorateError } from '../../errors.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { HttpAddress } from './address.ts'

/** Connections that wait to be accepted. */
const BACKLOG = 64

/**
 * Resolves to the address, as `http://127.0.0.1:9464`.
 * @throws QuorateError CONFLICT when the port is in use, INVALID when the address cannot be listened on.
 */
export function listenAt(server: Server, { host, port }: HttpAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(asSentence(error, host, port)))
    server.listen({ host, port, exclusive: true, backlog: BACKLOG }, () => {
      server.removeAllListeners('error')
      server.on('error', () => {})
      const address = server.address()
      const taken = typeof address === 'object' && address !== null ? address.port : port
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${taken}`)
    })
  })
}

function asSentence(error: NodeJS.ErrnoException, host: string, port: number): QuorateError {
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  if (error.code === 'EADDRINUSE') {
    const message = `Something else already listens on ${where}: stop it, or choose another port.`
    return new QuorateError('CONFLICT', message, { cause: error })
  }
  const why =
    error.code === 'EACCES'
      ? 'this user may not listen there'
      : error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND'
        ? 'this machine has no such address'
        : messageOf(error)
  return new QuorateError('INVALID', `Cannot listen on ${where}: ${why}.`, { cause: error })
}
