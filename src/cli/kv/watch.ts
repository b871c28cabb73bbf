// What changes at keys with a prefix, from any process: the leader is asked again and again, from where the last answer ended.

import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { QuorateClient } from '../../client.ts'
import { isQuorateError, QuorateError } from '../../errors.ts'
import type { KvChange, KvQuery } from '../../machines/kv-commands.ts'
import { notKeyValue } from './operation.ts'

/** Between two questions: the first after something has come, then longer and longer. */
const FIRST_PAUSE_MS = 20
const LAST_PAUSE_MS = 500
/** An index that no log gets to: whoever asks for changes from there learns where the log stands. */
const FAR = 0xffff_ffff

const answerSchema = z.union([
  z.object({
    next: z.number(),
    index: z.number(),
    changes: z.array(
      z.object({
        ...{ index: z.number(), type: z.enum(['put', 'delete', 'expire']) },
        ...{ key: z.string(), value: z.string().nullable() },
      }),
    ),
  }),
  z.object({ compacted: z.literal(true), firstIndex: z.number() }),
])

export interface Followed {
  readonly prefix: string
  /** The first index that is wanted. Without: what comes from now on. */
  readonly from?: number | undefined
  readonly signal: AbortSignal
  /** Nobody answers; it is tried again. */
  readonly onTrouble: (error: unknown) => void
}

/** Ends with the signal. @throws QuorateError LOG_DELETED when changes are missing, and what the first question is refused for */
export async function* follow(
  client: Pick<QuorateClient, 'read'>,
  { prefix, from, signal, onTrouble }: Followed,
): AsyncGenerator<KvChange, void> {
  const ask = (fromIndex: number, level: 'local' | 'readIndex') => {
    const query: KvQuery = ['changes', prefix, fromIndex]
    // Changes are facts: also a leader that was deposed tells none that are not so.
    return client.read(query, { level, from: 'leader', signal })
  }
  try {
    let next = from ?? changesIn(prefix, await ask(FAR, 'readIndex')).index + 1
    let pauseMs = 0
    let isFirst = true
    while (!signal.aborted) {
      const answer = await ask(next, 'local').catch((error: unknown) => {
        if (isFirst || signal.aborted || !mayPass(error)) throw error
        onTrouble(error)
        return null
      })
      isFirst = false
      const { changes, next: behind } = answer === null ? { changes: [], next } : changesIn(prefix, answer)
      yield* changes
      next = behind
      pauseMs = changes.length > 0 ? 0 : Math.min(LAST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, 2 * pauseMs))
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal })
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function changesIn(prefix: string, answer: unknown): { changes: KvChange[]; next: number; index: number } {
  const parsed = answerSchema.safeParse(answer)
  if (!parsed.success) throw notKeyValue()
  if (!('compacted' in parsed.data)) return parsed.data
  const { firstIndex } = parsed.data
  const message = `Watch of ${JSON.stringify(prefix)}: the leader keeps changes from index ${firstIndex} on, and some before are missing; list, then watch from the index behind that of the list.`
  throw new QuorateError('LOG_DELETED', message, { firstIndex })
}

/** Another leader may answer soon. */
function mayPass(error: unknown): boolean {
  return isQuorateError(error) && (error.retryableIfIdempotent || PASSING.has(error.code))
}

const PASSING: ReadonlySet<string> = new Set(['TIMEOUT', 'NO_LEADER', 'NOT_LEADER', 'TRANSPORT'])
