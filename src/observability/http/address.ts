// Where a host is to be watched: `127.0.0.1:9464`, `[::1]:9464`, or a port alone, which is on loopback.

import { QuorateError } from '../../errors.ts'

export interface HttpAddress {
  readonly host: string
  readonly port: number
}

const LOOPBACK = '127.0.0.1'
const GRAMMAR = /^(?:(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9.-]{1,253})):)?(\d{1,5})$/

/** @throws QuorateError INVALID */
export function parseHttpAddress(text: string): HttpAddress {
  const [, six, other, port] = GRAMMAR.exec(text) ?? []
  if (port !== undefined && Number(port) <= 65_535)
    return { host: six ?? other ?? LOOPBACK, port: Number(port) }
  const message = `${JSON.stringify(text)} is no address to listen on: give HOST:PORT, for example 127.0.0.1:9464.`
  throw new QuorateError('INVALID', message)
}

export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' || host === '::1' || host === '::ffff:127.0.0.1' || /^127(\.\d{1,3}){3}$/.test(host)
  )
}

/**
 * A page from elsewhere whose name was made to lead to this machine says that name in `Host`: it is not let in where only
 * this machine should be.
 */
export function isLocalHostHeader(header: string | undefined): boolean {
  if (header === undefined) return true
  const name = /^\[([^\]]+)\](?::\d+)?$/.exec(header)?.[1] ?? header.replace(/:\d+$/, '')
  return isLoopback(name)
}
