// The load generator of the remote mode: a process of its own that reaches the group over the bus.
// Arguments: bus address.

import { connectClient } from '../src/client.ts'
import { connectNats } from '../src/index.ts'
import { runLoad } from './load.ts'
import type { MemberAnswer, MemberRequest } from './protocol.ts'

const [servers = ''] = process.argv.slice(2)
const transport = await connectNats({ id: 'bench-client', servers })
const client = connectClient({ transport, group: 'bench' })
const say = (answer: MemberAnswer): void => void process.send?.(answer)

process.on('message', (request: MemberRequest) => void load(request))
process.on('disconnect', () => process.exit(0))
say({ kind: 'ready' })

async function load({ clients = 1, size = 100, seconds = 1 }: MemberRequest): Promise<void> {
  try {
    const apply = (command: Uint8Array): Promise<unknown> => client.apply(command)
    say({ kind: 'load', result: await runLoad({ clients, size, seconds, apply }) })
  } catch (error) {
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
}
