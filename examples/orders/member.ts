// One member of the example, a process of its own. Arguments: name, NATS server, directory, all names. It asks the bank through the
// process that has started it.
import { connectNats, openHost } from 'quorate'
import { attachServices } from 'quorate/client'
import { replicate } from 'quorate/xstate'
import type { PaymentReceipt } from './bank.ts'
import { orderPaidBy } from './order.ts'

const [id = '', servers = '', directory = '', peers = ''] = process.argv.slice(2)
const waiting = new Map<string, (receipt: string) => void>()
process.on('message', ({ key, receipt }: PaymentReceipt) => waiting.get(key)?.(receipt))
process.on('disconnect', () => process.exit(0))

const order = orderPaidBy(
  (key, amount) =>
    new Promise((paid) => {
      waiting.set(key, paid)
      process.send?.({ key, amount })
    }),
)
const transport = await connectNats({ id, servers })
const host = await openHost({ id, transport, dataDir: `${directory}/${id}` })
const node = await host.startNode({
  group: 'orders',
  peers: peers.split(','),
  stateMachine: replicate(order, { maxIterations: 100 }),
  electionTimeoutMs: 500,
})
attachServices({ transport, node })
