// Throughput line by line: each mode beside the bare pipe of its form, measured just before.

import { measurePipe, measureRemotePipe } from './pipe.ts'
import type { Row } from './protocol.ts'
import { comparedWith, medianOf } from './rounds.ts'
import { measureThroughput } from './throughput.ts'

export type Mode = 'embedded' | 'remote' | 'kv'

export interface LinesOptions {
  readonly modes: readonly Mode[]
  readonly clients: number
  readonly size: number
  readonly seconds: number
  readonly rounds: number
  readonly directory: string
  /** A pipe to be used instead of our own, when it is there. */
  readonly pipe: string
  readonly tuning: Readonly<Record<string, unknown>>
  readonly execArgv: readonly string[]
  readonly progress: (line: string) => void
}

/** The pipes and the modes for one number of clients, medians of all rounds. */
export async function measureLines(options: LinesOptions): Promise<readonly Row[]> {
  const rows = new Map<Row['mode'], Row[]>()
  for (let round = 1; round <= options.rounds; round++) {
    const embedded = options.modes.filter((mode) => mode === 'embedded')
    const remote = options.modes.filter((mode) => mode !== 'embedded')
    const measured = [
      ...(await besidePipe(options, embedded, round, (shape) => measurePipe(options.pipe, shape))),
      ...(await besidePipe(options, remote, round, measureRemotePipe)),
    ]
    for (const row of measured) rows.set(row.mode, [...(rows.get(row.mode) ?? []), row])
  }
  return [...rows.values()].map(medianOf)
}

async function besidePipe(
  options: LinesOptions,
  modes: readonly Mode[],
  round: number,
  measure: typeof measureRemotePipe,
): Promise<readonly Row[]> {
  if (modes.length === 0) return []
  const { rounds, progress, ...shape } = options
  const say = (what: string): void =>
    progress(`${shape.clients} clients, round ${round} of ${rounds}: ${what} …`)
  say('the bare pipe')
  const pipe = await measure(shape)
  const rows = [pipe]
  for (const mode of modes) {
    say(mode)
    rows.push(comparedWith(pipe, await measureThroughput({ ...shape, mode })))
  }
  return rows
}
