import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { sell } from '../../examples/replicate.ts'
import { carryOrders } from '../../examples/survive.ts'
import { NatsServer } from '../support/nats-server.ts'
import { linksOf, read } from './support.ts'

const PAGE = 'docs/replicated-machines.md'

test('the example pays one order after another', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-orders-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  expect(await sell(directory, '4711', 40)).toMatch(/^40 paid by orders\/4711\/payment\/\d+$/)
  expect(await sell(directory, '4712', 2)).toMatch(/^2 paid by orders\/4712\/payment\/\d+$/)
})

test('README shows the ten lines, and three members carry the machine as it stands there', async () => {
  expect(read('README.md')).toContain(`\`\`\`ts\n${read('examples/survive.ts')}\`\`\``)
  const directory = await mkdtemp(join(tmpdir(), 'quorate-survive-'))
  const nats = await NatsServer.start()
  const members = await Promise.all(
    ['n1', 'n2', 'n3'].map((id) => carryOrders(id, nats.url, join(directory, id))),
  )
  onTestFinished(async () => {
    for (const { host } of members) await host.close()
    for (const { transport } of members) await transport.close()
    await nats.stop()
    await rm(directory, { recursive: true, force: true })
  })
  const leads = ({ host }: (typeof members)[number]): boolean =>
    host.node('orders')?.status().state === 'active.leader.serving'
  await expect.poll(() => members.some(leads), { timeout: 15_000 }).toBe(true)
  const leader = members.find(leads)
  const order = leader?.orders.actor('4711')
  await order?.send({ type: 'add', amount: 40 })
  await order?.send({ type: 'pay' })
  const other = members.find((member) => member !== leader)
  const paid = await other?.orders.actor('4711').read()
  expect(paid?.context.amount).toBe(40)
})

test.each(['examples/order-machine.ts', 'examples/replicate.ts'])('the page shows %s as it is', (path) => {
  expect(read(PAGE)).toContain(`\`\`\`ts\n${read(path)}\`\`\``)
})

test('each guarantee names tests that are there', () => {
  const references = linksOf(read(PAGE)).filter(({ text }) => text.includes(' › '))
  expect(references.length).toBeGreaterThan(15)
  for (const { text, target } of references) {
    const [, title = ''] = text.split(' › ')
    expect(read(target.replace('../', '')), title).toContain(title)
  }
})
