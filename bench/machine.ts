// On what a run was measured: it stands beside the figures.

import { spawnSync } from 'node:child_process'
import os from 'node:os'
import { findNatsServer } from '../scripts/find-nats-server.mjs'
import { packageVersion } from '../src/cli/version.ts'

export function machineNow() {
  return {
    cpu: os.cpus()[0]?.model,
    cores: os.cpus().length,
    node: process.version,
    version: packageVersion(),
    natsServer: natsServerVersion(),
    at: new Date().toISOString(),
  }
}

function natsServerVersion(): string | undefined {
  const binary = findNatsServer()
  if (binary === undefined) return undefined
  const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' })
  return /v?(\d[\w.-]*)/.exec(stdout)?.[1]
}
