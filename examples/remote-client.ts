// A counter on one bus: members that answer clients, and a client that knows no member, only the group's name.
// Here the bus is in this process; between processes each side has its own `await connectNats({ servers, id })`.
import { MemoryBus, MemoryStorage, openHost, type StateMachine } from 'quorate'
import { attachServices, connectClient } from 'quorate/client'

class Counter implements StateMachine<{ add: number }, number, 'total', number> {
  #total = 0
  apply({ add }: { add: number }): number {
    this.#total += add
    return this.#total
  }
  read(): number {
    return this.#total
  }
}

/** Adds to a new counter of three members, one command after the other, and answers what a client reads. */
export async function countRemotely(additions: readonly number[]): Promise<number> {
  const bus = new MemoryBus()
  const peers = ['n1', 'n2', 'n3']
  const hosts = await Promise.all(
    peers.map(async (id) => {
      const transport = bus.connect(id)
      // Without a disk: a member that ends has forgotten everything. Real members have a `dataDir`.
      const host = await openHost({ id, transport, storage: new MemoryStorage() })
      const node = await host.startNode({ group: 'counter', peers, stateMachine: new Counter() })
      attachServices({ transport, node })
      return host
    }),
  )
  const client = connectClient({ transport: bus.connect('app'), group: 'counter' })
  for (const add of additions) await client.apply({ add }) // finds the leader, follows it, tries again what was not done
  const total = await client.read<number>('total')
  client.close()
  await Promise.all(hosts.map((host) => host.close()))
  return total
}
