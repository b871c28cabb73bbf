// What is there to be compared with. Nothing of it belongs to the package: it is looked for, and installed when one asks for it.

import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { etcdAdvice, findEtcd, installEtcd } from '../../scripts/find-etcd.mjs'

/** Beside the data directories, and not under version control. */
const OWN_DIRECTORY = '.bench-peers'
const ETCD_CLIENT = 'etcd3'
const CLIENT_ADVICE = `The npm package ${ETCD_CLIENT}, which etcd is asked with, was not found: add --install, or run \`npm install --prefix ${OWN_DIRECTORY} ${ETCD_CLIENT}\`.`

export interface EtcdFound {
  readonly binary: string
  /** The file of the client package. */
  readonly client: string
}

/** Or one sentence that says what to install. */
export function lookForEtcd(directory: string): EtcdFound | string {
  const [binary, client] = [findEtcd(), findClient(directory)]
  if (binary === undefined) return etcdAdvice
  return client === undefined ? CLIENT_ADVICE : { binary, client }
}

/** Gets what is missing: etcd from the system's packages, its client into a directory of its own. */
export function installPeers(directory: string): void {
  if (findEtcd() === undefined) installEtcd()
  if (findClient(directory) !== undefined) return
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel', 'error']
  const place = join(directory, OWN_DIRECTORY)
  spawnSync('npm', ['install', '--prefix', place, ...quiet, ETCD_CLIENT], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
}

function findClient(directory: string): string | undefined {
  for (const from of [import.meta.url, join(directory, OWN_DIRECTORY, 'from-here.js')]) {
    try {
      return createRequire(from).resolve(ETCD_CLIENT)
    } catch {
      // Not there.
    }
  }
  return undefined
}
