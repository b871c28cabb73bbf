// The bare pipe, measured beside the product: what the same libraries do without consensus. The script belongs to the
// project's workshop, not to the package; without it the benchmark prints no shares.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { NatsServer } from '../test/support/nats-server.ts'
import type { Row } from './protocol.ts'

const lineSchema = z.object({
  clients: z.number(),
  size: z.number(),
  commitsPerSecond: z.number(),
  p50ms: z.number(),
  p99ms: z.number(),
})

export interface PipeOptions {
  readonly script: string
  readonly directory: string
  readonly clients: number
  readonly size: number
  readonly seconds: number
}

export async function measurePipe(options: PipeOptions): Promise<Row | null> {
  const { script, directory, clients, size, seconds } = options
  if (!existsSync(script)) return null
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
    const measured = lineSchema.parse(JSON.parse(line))
    row = {
      mode: 'pipe',
      ...measured,
      loopP99ms: null,
      cpuSeconds: null,
      rssMb: null,
      shareOfPipe: 1,
      p50OfPipe: 1,
    }
  }
  await exited
  return row
}
