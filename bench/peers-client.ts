// The load on what the benchmark compares with: a client process, as `remote` has one.
// Arguments: etcd or jetstream, address of the leader, for etcd the file of its client package.

import { createRequire } from 'node:module'
import { connect } from 'nats'
import { runLoad } from './load.ts'
import { STREAM_SUBJECT } from './peers/jetstream.ts'
import type { MemberAnswer, MemberRequest } from './protocol.ts'

/** As much of the etcd3 package as is used here. */
interface EtcdPackage {
  readonly Etcd3: new (options: {
    hosts: string
  }) => {
    put(key: string): { value(value: Buffer): PromiseLike<unknown> }
  }
}

type Apply = (command: Uint8Array) => Promise<unknown>

/** Keys that values are put under, in turn. */
const KEYS = 10_000
const [kind = '', address = '', client = ''] = process.argv.slice(2)
const say = (answer: MemberAnswer): void => void process.send?.(answer)

const apply = kind === 'etcd' ? putting() : await publishing()
process.on('message', (request: MemberRequest) => void load(request))
process.on('disconnect', () => process.exit(0))
say({ kind: 'ready' })

async function load({ clients = 1, size = 100, seconds = 1 }: MemberRequest): Promise<void> {
  try {
    say({ kind: 'load', result: await runLoad({ clients, size, seconds, apply }) })
  } catch (error) {
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
}

function putting(): Apply {
  const loaded: EtcdPackage = createRequire(import.meta.url)(client)
  const etcd = new loaded.Etcd3({ hosts: address })
  let count = 0
  return async (command) => etcd.put(`key-${count++ % KEYS}`).value(Buffer.from(command))
}

async function publishing(): Promise<Apply> {
  const connection = await connect({ servers: address })
  const stream = connection.jetstream()
  return (command) => stream.publish(STREAM_SUBJECT, command)
}
