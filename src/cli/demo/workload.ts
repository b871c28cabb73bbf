// The load of the demo: clients that each write one thing at a time and keep account of what they were told.

import type { ClientSession } from '../../client.ts'
import { isQuorateError } from '../../errors.ts'
import type { KvCommand } from '../../machines/kv-commands.ts'

export interface WorkloadOptions {
  readonly client: Pick<ClientSession, 'apply'>
  readonly clients: number
  readonly writes: number
  /** Sets the keys of this run apart from those of earlier ones in the same files. */
  readonly run: string
  readonly nowMs: () => number
  /** After each acknowledged write, with how many there are. */
  readonly onAcknowledged: (count: number) => void
}

export interface WorkloadResult {
  /** Numbers of writes whose clients know that they are applied. */
  readonly acknowledged: ReadonlySet<number>
  /** Writes of which nobody said what became of them: each may be there once, or not at all. */
  readonly unknown: ReadonlySet<number>
  readonly latenciesMs: readonly number[]
}

/** A client appends the numbers of its writes to a key of its own, so that a write that was applied twice shows. */
export function keyOf(run: string, client: number): string {
  return `${run}/client-${client}`
}

export function textOf(write: number): string {
  return `${write};`
}

/** Refused this long without a break, the run has failed. */
const GIVE_UP_MS = 30_000

/** Resolves when every write is acknowledged or its outcome unknown. Rejects when a write is refused for good. */
export async function runWorkload(options: WorkloadOptions): Promise<WorkloadResult> {
  const { writes, clients, run, nowMs } = options
  const acknowledged = new Set<number>()
  const unknown = new Set<number>()
  const latenciesMs: number[] = []
  let next = 0

  const runClient = async (client: number): Promise<void> => {
    const key = keyOf(run, client)
    while (next < writes) {
      const write = next
      next += 1
      const startedMs = nowMs()
      if (await isAcknowledged(options, ['append', key, textOf(write)], startedMs + GIVE_UP_MS)) {
        acknowledged.add(write)
        latenciesMs.push(nowMs() - startedMs)
        options.onAcknowledged(acknowledged.size)
      } else unknown.add(write)
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => runClient(client)))
  return { acknowledged, unknown, latenciesMs }
}

/** False: unknown. Tries again only what certainly was not applied. */
async function isAcknowledged(
  { client, nowMs }: WorkloadOptions,
  command: KvCommand,
  giveUpMs: number,
): Promise<boolean> {
  for (;;) {
    try {
      await client.apply(command)
      return true
    } catch (error) {
      if (!isQuorateError(error)) throw error
      if (error.outcome === 'unknown') return false
      if (!error.retryable || nowMs() > giveUpMs) throw error
    }
  }
}
