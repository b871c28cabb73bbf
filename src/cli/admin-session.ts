// An operator's connection for the length of a command, closed whatever happens.

import { connectAdmin, type QuorateAdmin } from '../client.ts'
import { openBus } from './bus.ts'
import type { ClientFlags } from './common-options.ts'

export async function withAdmin<T>(flags: ClientFlags, run: (admin: QuorateAdmin) => Promise<T>): Promise<T> {
  const { group, prefix, timeout: timeoutMs, as: id } = flags
  const transport = await openBus({ flags, id, timeoutMs })
  const admin = connectAdmin({ transport, group, prefix, timeoutMs })
  try {
    return await run(admin)
  } finally {
    admin.close()
    await transport.close()
  }
}
