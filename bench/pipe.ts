// The bare pipe, measured beside the product: what the same libraries do without consensus. With load in the leader's process, or
// from a client that asks it over the bus. For the first form another script can be named, which is used when it is there.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { NatsServer } from '../test/support/nats-server.ts'
import { Child } from './child.ts'
import type { Row } from './protocol.ts'

const lineSchema = z.object({
  clients: z.number(),
  size: z.number(),
  members: z.number().default(3),
  commitsPerSecond: z.number(),
  p50ms: z.number(),
  p99ms: z.number(),
})

export interface PipeOptions {
  readonly directory: string
  readonly clients: number
  readonly size: number
  readonly seconds: number
  /** The one that leads among them. Default: 3. */
  readonly members?: number
}

/** By `script` when it is there, else by our own. */
export function measurePipe(script: string, options: PipeOptions): Promise<Row> {
  return existsSync(script) ? measureScript(script, options) : measureOwn('pipe', options)
}

/** The load comes from a process of its own. */
export function measureRemotePipe(options: PipeOptions): Promise<Row> {
  return measureOwn('remotePipe', options)
}

async function measureOwn(mode: 'pipe' | 'remotePipe', options: PipeOptions): Promise<Row> {
  const { clients, size, seconds, members = 3 } = options
  const followers = Array.from({ length: members - 1 }, (_, at) => `f${at + 1}`)
  const directory = mkdtempSync(join(options.directory, '.bench-pipe-'))
  await using nats = await NatsServer.start()
  const children: Child[] = []
  const start = async (role: string): Promise<Child> => {
    const child = await Child.start('./pipe-process.js', [
      ...[role, nats.url, join(directory, `${role}.db`)],
      followers.join(','),
    ])
    children.push(child)
    return child
  }
  try {
    await Promise.all(followers.map(start))
    const leader = await start('leader')
    const source = mode === 'pipe' ? leader : await start('client')
    const { result } = await source.ask('load', { kind: 'load', clients, size, seconds })
    const commitsPerSecond = Math.round(result.commits / result.seconds)
    const [p50ms, p99ms] = [rounded(result.p50ms), rounded(result.p99ms)]
    return rowOf(mode, { clients, size, members, commitsPerSecond, p50ms, p99ms })
  } finally {
    await Promise.all(children.map((child) => child.kill()))
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measureScript(script: string, options: PipeOptions): Promise<Row> {
  const { directory, clients, size, seconds } = options
  await using nats = await NatsServer.start()
  const args = ['--nats', `127.0.0.1:${nats.port}`, '--clients', String(clients), '--size', String(size)]
  const child = spawn(
    process.execPath,
    [script, ...args, '--seconds', String(seconds), '--dir', directory, '--json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exited = once(child, 'exit')
  let row: Row | null = null
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue
    row = rowOf('pipe', lineSchema.parse(JSON.parse(line)))
  }
  await exited
  if (row === null) throw new Error(`The pipe ${script} ended without a result.`)
  return row
}

function rowOf(mode: 'pipe' | 'remotePipe', measured: z.output<typeof lineSchema>): Row {
  const unmeasured = { loopP99ms: null, cpuSeconds: null, rssMb: null }
  return { mode, ...measured, ...unmeasured, shareOfPipe: 1, p50OfPipe: 1 }
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000
