// The session of one run of the command line: begun with its first write, so that who only reads writes nothing.

import type { Applied } from '../../api.ts'
import type { QuorateClient } from '../../client.ts'
import { isQuorateError } from '../../errors.ts'

type Writer = (command: unknown) => Promise<Applied>

/** Reads, and writes that are carried out once though an answer is lost. */
export interface KvClient extends Pick<QuorateClient, 'read'> {
  readonly apply: Writer
}

/** The group forgets it by itself: telling it would be one more write for every run. */
const IDLE_MS = 60_000

export function kvClient(client: QuorateClient): KvClient {
  let writer: Promise<Writer> | null = null
  const begin = async (): Promise<Writer> => {
    try {
      const session = await client.session({ idleMs: IDLE_MS })
      return (command) => session.apply(command)
    } catch (error) {
      // Members of another making: then a lost answer leaves an outcome that is unknown, and that is said.
      if (isQuorateError(error) && error.code === 'UNSUPPORTED') return (command) => client.apply(command)
      // The next write asks again.
      writer = null
      throw error
    }
  }
  return {
    read: (query, options) => client.read(query, options),
    apply: async (command) => {
      writer ??= begin()
      return (await writer)(command)
    },
  }
}
