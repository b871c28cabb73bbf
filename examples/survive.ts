// A machine of yours, unchanged, that survives kill -9: run this on three machines, as n1, n2 and n3.
import { connectNats, openHost } from 'quorate'
import { replicate } from 'quorate/xstate'
import { orderMachine } from './order-machine.ts'

export async function carryOrders(id: string, servers: string, dataDir: string) {
  const transport = await connectNats({ id, servers })
  const host = await openHost({ id, dataDir, transport })
  const stateMachine = replicate(orderMachine, { maxIterations: 1000 })
  const node = await host.startNode({ group: 'orders', peers: ['n1', 'n2', 'n3'], stateMachine })
  return { host, transport, orders: stateMachine.actors(node) }
}

// await orders.actor('4711').send({ type: 'pay' }) // whoever pays may die: another one goes on
