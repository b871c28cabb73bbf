// The way from a command to the bus: says on stderr when no server is there, and goes on trying.

import { isQuorateError, QuorateError } from '../errors.ts'
import { type Logger, silentLogger } from '../runtime/logger.ts'
import { connectNats } from '../transport/nats/connect-nats.ts'
import type { Transport } from '../transport/transport.ts'
import { type AccessFlags, credentialsOf } from './bus-access.ts'
import { say } from './output.ts'

export interface BusOptions {
  readonly flags: AccessFlags & { readonly nats: string }
  readonly id: string
  readonly logger?: Logger
  /** Gives up after this long; undefined: never. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Retry messages for people: the transport's warnings, without its fields. */
export const spokenWarnings: Logger = { ...silentLogger, warn: (_, message) => say(message) }

/** @throws QuorateError TRANSPORT when time is up or the server refuses, INVALID for a file that is not what its flag asks for. */
export async function openBus(options: BusOptions): Promise<Transport> {
  const { flags, id, logger = spokenWarnings, timeoutMs } = options
  const { nats } = flags
  const credentials = await credentialsOf(flags, id)
  const limits = [options.signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)]
  const signal = AbortSignal.any(limits.filter((limit) => limit !== undefined))
  try {
    return await connectNats({ servers: nats, id, logger, signal, ...credentials })
  } catch (error) {
    if (!isQuorateError(error) || error.code !== 'ABORTED' || options.signal?.aborted === true) throw error
    const text = `No NATS server answered at ${nats} within ${timeoutMs} ms.`
    throw new QuorateError('TRANSPORT', text, { retryable: true, cause: error })
  }
}
