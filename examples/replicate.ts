// The order survives the death of its host: three members carry it, here in one process, each with files of its own.
import { openHost } from 'quorate'
import { replicate } from 'quorate/xstate'
import { waitFor } from 'xstate'
import { orderMachine } from './order-machine.ts'

export async function sell(directory: string, key: string, amount: number): Promise<string | null> {
  const peers = ['n1', 'n2', 'n3']
  const members = peers.map(async (id) => {
    const host = await openHost({ id, dataDir: `${directory}/${id}` })
    const orders = replicate(orderMachine, { maxIterations: 1000 }) // each member has one of its own
    const node = await host.startNode({
      group: 'orders',
      peers,
      stateMachine: orders,
      electionTimeoutMs: 300,
    })
    return { host, node, order: orders.actors(node).actor(key) }
  })
  const all = await Promise.all(members)
  const leader = await new Promise<(typeof all)[number]>((resolve) => {
    for (const one of all) one.node.on('role', ({ to }) => to === 'leader' && resolve(one))
  })
  const follower = all.find((member) => member !== leader) ?? leader
  await leader.order.send({ type: 'add', amount })
  await leader.order.send({ type: 'pay' }) // a majority has it on disk; the leader has begun to pay
  const paid = await waitFor(follower.order, ({ status }) => status === 'done')
  await Promise.all(all.map(({ host }) => host.close()))
  return paid.context.receipt
}
