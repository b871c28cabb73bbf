// One connected client for the length of a command, closed whatever happens.

import { connectClient, type QuorateClient } from '../client.ts'
import { openBus } from './bus.ts'
import type { ClientFlags } from './common-options.ts'

export async function withClient<T>(
  flags: ClientFlags,
  run: (client: QuorateClient) => Promise<T>,
): Promise<T> {
  const { group, prefix, timeout: timeoutMs, as: id } = flags
  const transport = await openBus({ flags, id, timeoutMs })
  const client = connectClient({ transport, group, prefix, timeoutMs, name: id })
  try {
    return await run(client)
  } finally {
    client.close()
    await transport.close()
  }
}
