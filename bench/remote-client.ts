// The load generator of the remote modes: a process of its own that reaches the group over the bus.
// Arguments: bus address, mode.

import { connectClient } from '../src/client.ts'
import { connectNats } from '../src/index.ts'
import { runLoad } from './load.ts'
import type { MemberAnswer, MemberRequest } from './protocol.ts'

const [servers = '', mode = 'remote'] = process.argv.slice(2)
/** Keys that values are put under, in turn. */
const KEYS = 10_000
/** Of a put beside its value: the heads, its name and its key. */
const PUT_BYTES = 16
const transport = await connectNats({ id: 'bench-client', servers })
const client = connectClient({ transport, group: 'bench' })
const say = (answer: MemberAnswer): void => void process.send?.(answer)

process.on('message', (request: MemberRequest) => void load(request))
process.on('disconnect', () => process.exit(0))
say({ kind: 'ready' })

async function load({ clients = 1, size = 100, seconds = 1 }: MemberRequest): Promise<void> {
  try {
    const apply = mode === 'kv' ? putting(size) : (command: Uint8Array) => client.apply(command)
    say({ kind: 'load', result: await runLoad({ clients, size, seconds, apply }) })
  } catch (error) {
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
}

/** Commands of about `size` bytes, under many keys. */
function putting(size: number): () => Promise<unknown> {
  const value = 'x'.repeat(Math.max(0, size - PUT_BYTES))
  let count = 0
  return () => {
    count += 1
    return client.apply(['put', `key-${count % KEYS}`, value])
  }
}
