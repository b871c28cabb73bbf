// Orders of three members, each a process of its own: the one that pays is killed in mid-payment, and the order is paid once all
// the same; an order that nobody pays is forgotten. Needs a NATS server. Run it with
// `npm run build && node dist/examples/orders/run.js nats://127.0.0.1:4222`.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectNats } from 'quorate'
import { connectClient } from 'quorate/client'
import { replicate } from 'quorate/xstate'
import { Bank, type PaymentRequest } from './bank.ts'
import { orderPaidBy } from './order.ts'

const PEERS = ['n1', 'n2', 'n3']
/** The compiled one, which lies beside this file. */
const MEMBER = fileURLToPath(new URL('member.js', import.meta.url))
const PATIENCE_MS = 30_000

const [servers = 'nats://127.0.0.1:4222', ...more] = process.argv.slice(2)
if (more.length > 0) throw new Error('There is one argument, the address of a NATS server.')
const directory = await mkdtemp(join(tmpdir(), 'quorate-orders-'))
const bank = new Bank()
const members = new Map<string, ChildProcess>(
  PEERS.map((id) => [id, fork(MEMBER, [id, servers, directory, PEERS.join(',')])]),
)
for (const [id, member] of members) member.on('message', (request: PaymentRequest) => asked(id, request))

/** The first time the money moves, and whoever asked dies before anybody hears of it. */
function asked(id: string, request: PaymentRequest): void {
  const answer = bank.pay(request)
  console.log(`${id} asks the bank to pay ${request.amount}`)
  if (bank.asked > 1) return void members.get(id)?.send(answer)
  console.log(`${id} is killed: the money has moved, and nobody knows`)
  members.get(id)?.kill('SIGKILL')
}

const transport = await connectNats({ id: 'shop', servers })
const client = connectClient({ transport, group: 'orders', timeoutMs: PATIENCE_MS })
// The same machine gives the handles their types. Nothing of it runs here.
const orders = replicate(
  orderPaidBy(() => Promise.reject(new Error('members pay'))),
  { maxIterations: 100 },
)

// In a session an event is sent again when its answer is lost with its leader, and counts once.
const session = await client.session()
const handles = orders.actors({
  apply: (command) => session.apply(command),
  read: (query) => client.read(query),
})

/** Asks until the order has ended. */
async function ended(key: string) {
  const order = handles.actor(key)
  for (;;) {
    const state = await order.read()
    if (state.status !== 'active') return state
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

try {
  const cart = handles.actor('cart-1')
  await cart.send({ type: 'add', amount: 40 })
  await cart.send({ type: 'pay' })
  const paid = await ended('cart-1')
  console.log(`cart-1 is ${paid.value}: ${paid.context.receipt}`)
  console.log(`the bank has moved ${bank.moved}, asked ${bank.asked} times under ${bank.keys} key`)
  await handles.actor('cart-2').send({ type: 'add', amount: 7 })
  console.log(`cart-2 is ${(await ended('cart-2')).value}`)
} finally {
  client.close()
  await transport.close()
  for (const member of members.values()) member.kill('SIGKILL')
  await rm(directory, { recursive: true })
}
