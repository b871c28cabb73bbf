// Finds etcd, which the benchmark can be compared with, and with --install gets it from the system's own packages when it is
// missing. Plain JavaScript without dependencies, as its siblings.

import { fileURLToPath } from 'node:url'
import { findProgram, installPackages } from './system-packages.mjs'

const MORE_PLACES = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']

export const etcdAdvice =
  'etcd was not found: install it (Debian: apt-get install etcd-server; macOS: brew install etcd).'

/** Path of etcd: PATH, then the usual places. Undefined when there is none. */
export function findEtcd(env = process.env) {
  return findProgram([process.platform === 'win32' ? 'etcd.exe' : 'etcd'], undefined, env.PATH, MORE_PLACES)
}

export function installEtcd() {
  installPackages('etcd-server')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (findEtcd() === undefined && process.argv.includes('--install')) installEtcd()
  if (findEtcd() === undefined) {
    console.error(etcdAdvice)
    process.exitCode = 1
  }
}
