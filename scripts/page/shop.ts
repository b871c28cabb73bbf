// A shop for the page to show: three members in this process, with orders of a replicated machine, some of which are paid.

import { fromPromise } from 'xstate'
import { orderMachine } from '../../examples/order-machine.ts'
import { openHost } from '../../src/index.ts'
import { LocalWatch } from '../../src/inspect/local-watch.ts'
import type { PageSource } from '../../src/page/server/source.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { type InstanceRef, replicate } from '../../src/xstate.ts'

const GROUP = 'orders'

export interface Shop extends AsyncDisposable {
  readonly source: PageSource
  /** At the member that leads. */
  order(key: string): InstanceRef<typeof orderMachine>
  /** Ends the payment that has waited for longest. */
  pay(): void
}

export async function openShop(): Promise<Shop> {
  const bus = new MemoryBus()
  const peers = ['n1', 'n2', 'n3']
  const payments: ((receipt: string) => void)[] = []
  const payment = fromPromise<string, { readonly amount: number }>(
    () => new Promise((resolve) => payments.push(resolve)),
  )
  const members = await Promise.all(
    peers.map(async (id) => {
      const host = await openHost({ id, storage: new MemoryStorage(), transport: bus.connect(id) })
      const stateMachine = replicate(orderMachine.provide({ actors: { payment } }), { maxIterations: 1000 })
      const node = await host.startNode({ group: GROUP, peers, stateMachine, electionTimeoutMs: 300 })
      return { host, node, actors: stateMachine.actors(node) }
    }),
  )
  const leader = await new Promise<(typeof members)[number]>((resolve) => {
    for (const member of members) {
      if (member.node.status().role === 'leader') resolve(member)
      member.node.on('role', ({ to }) => to === 'leader' && resolve(member))
    }
  })
  const nodes = () => members.map(({ node }) => node)
  return {
    source: {
      ...{ kind: 'bus', group: GROUP, keeps: true },
      watch: (group) => {
        const watch = new LocalWatch({ nodes, everything: false, clock: systemClock, found: () => {} })
        const find = async (text: string) => watch.find(group, text)
        return { model: watch.modelOf(group), find, close: () => watch.close() }
      },
    },
    order: (key) => leader.actors.actor(key),
    pay: () => payments.shift()?.('paid'),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(members.map(({ host }) => host.close()))
    },
  }
}
