// A counter kept by three members, here in one process. Each has files of its own and may die at any moment.
import { openHost, type RaftNode, type StateMachine } from 'quorate'

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

/** Adds to the counter below `directory`, and answers its total as a member knows it that does not lead. */
export async function count(directory: string, add: number): Promise<number | undefined> {
  const peers = ['n1', 'n2', 'n3']
  const hosts = await Promise.all(peers.map((id) => openHost({ id, dataDir: `${directory}/${id}` })))
  const nodes = await Promise.all(
    hosts.map((host) => host.startNode({ group: 'counter', peers, stateMachine: new Counter() })),
  )
  const leader = await new Promise<RaftNode>((resolve) => {
    for (const node of nodes) node.on('role', ({ to }) => to === 'leader' && resolve(node))
  })
  await leader.apply({ add }) // a majority has it on disk, and the leader has applied it
  const follower = nodes.find((node) => node !== leader)
  const total = await follower?.read<number>('total') // linearizable on every member
  await Promise.all(hosts.map((host) => host.close()))
  return total
}
