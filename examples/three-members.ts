// Three members in one process and a client that finds their leader: what the examples after braft's run on. Nothing is kept on a
// disk, and the bus is in this process; for real members see embed.ts and remote-client.ts.
import { MemoryBus, MemoryStorage, openHost, type RaftNode, type StateMachine } from 'quorate'
import { attachServices, connectClient, type QuorateClient } from 'quorate/client'

const PEERS = ['n1', 'n2', 'n3']

export interface Group {
  readonly client: QuorateClient
  readonly nodes: readonly RaftNode[]
}

export async function withThreeMembers<T>(
  group: string,
  make: (id: string) => StateMachine,
  use: (group: Group) => Promise<T>,
): Promise<T> {
  const bus = new MemoryBus()
  const members = await Promise.all(
    PEERS.map(async (id) => {
      const transport = bus.connect(id)
      const host = await openHost({ id, transport, storage: new MemoryStorage() })
      const node = await host.startNode({
        ...{ group, peers: PEERS, stateMachine: make(id), electionTimeoutMs: 300 },
      })
      attachServices({ transport, node })
      return { host, node }
    }),
  )
  const client = connectClient({ transport: bus.connect('app'), group })
  try {
    return await use({ client, nodes: members.map(({ node }) => node) })
  } finally {
    client.close()
    await Promise.all(members.map(({ host }) => host.close()))
  }
}
