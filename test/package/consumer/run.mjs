// A life of one member and one client, from the installed package.

import { MemoryBus, MemoryStorage, openHost } from 'quorate'
import { attachServices, connectClient } from 'quorate/client'
import { createSimulation } from 'quorate/testing'

const bus = new MemoryBus()
const transport = bus.connect('n1')
let total = 0
const stateMachine = { apply: ({ add }) => (total += add), read: () => total }
for (const disk of [{ storage: new MemoryStorage() }, { dataDir: process.argv[2] }]) {
  total = 0
  const host = await openHost({ id: 'n1', transport, ...disk })
  const node = await host.startNode({ group: 'g', peers: ['n1'], stateMachine, electionTimeoutMs: 50 })
  const services = attachServices({ transport, node })
  const client = connectClient({ transport: bus.connect('app'), group: 'g' })
  const { result } = await client.apply({ add: 40 })
  console.log(result, await node.read('total'))
  client.close()
  services.detach()
  await host.close()
}
await transport.close()
const sim = await createSimulation({
  seed: 1,
  nodes: ['A', 'B', 'C'],
  stateMachine: () => ({ apply: () => null }),
})
await sim.run(10_000)
console.log(sim.leader() === undefined || sim.leader() === null ? 'no leader' : 'simulated')
await sim.close()
