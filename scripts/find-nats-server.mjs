// Finds nats-server for the tests, and with --install gets it from the system's own packages when it is missing.
// Plain JavaScript without dependencies: it runs before anything is built. Quiet when all is well.

import { fileURLToPath } from 'node:url'
import { findProgram, installPackages } from './system-packages.mjs'

/** Debian puts servers where the PATH of an ordinary user does not look. */
const MORE_PLACES = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/usr/bin', '/opt/homebrew/bin']
const ADVICE =
  'nats-server was not found: install it (Debian: apt-get install nats-server; macOS: brew install nats-server) or point NATS_SERVER at it.'

/** Path of nats-server: the variable NATS_SERVER, then PATH, then the usual places. Undefined when there is none. */
export function findNatsServer(env = process.env) {
  const name = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server'
  return findProgram([name], env.NATS_SERVER, env.PATH, MORE_PLACES)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (findNatsServer() === undefined && process.argv.includes('--install')) installPackages('nats-server')
  if (findNatsServer() === undefined) {
    console.error(ADVICE)
    process.exitCode = 1
  }
}
