// Finds nats-server for the tests, and with --install gets it from the system's own packages when it is missing.
// Plain JavaScript without dependencies: it runs before anything is built. Quiet when all is well.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Debian puts servers where the PATH of an ordinary user does not look. */
const MORE_PLACES = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/usr/bin', '/opt/homebrew/bin']
const ADVICE =
  'nats-server was not found: install it (Debian: apt-get install nats-server; macOS: brew install nats-server) or point NATS_SERVER at it.'

/** Path of nats-server: the variable NATS_SERVER, then PATH, then the usual places. Undefined when there is none. */
export function findNatsServer(env = process.env) {
  if (env.NATS_SERVER) return isExecutable(env.NATS_SERVER) ? env.NATS_SERVER : undefined
  const name = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server'
  const places = [...(env.PATH ?? '').split(delimiter).filter((place) => place !== ''), ...MORE_PLACES]
  return places.map((place) => join(place, name)).find(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Runs quietly; true when it worked. */
function run(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(command, args, { stdio: 'ignore', env }).status === 0
}

/** Tries apt-get as root or with a sudo that does not ask. */
function install() {
  const isRoot = process.getuid?.() === 0
  if (!run('apt-get', ['--version']) || !(isRoot || run('sudo', ['-n', 'true']))) return
  const apt = (...args) => (isRoot ? run('apt-get', args) : run('sudo', ['-n', 'apt-get', ...args]))
  console.log('Installing nats-server for the tests (apt-get install nats-server).')
  const installed = () => apt('install', '-y', '--no-install-recommends', 'nats-server')
  if (!installed()) {
    apt('update')
    installed()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (findNatsServer() === undefined && process.argv.includes('--install')) install()
  if (findNatsServer() === undefined) {
    console.error(ADVICE)
    process.exitCode = 1
  }
}
