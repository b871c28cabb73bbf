// What instances of a replicated machine cost: events per second against bare commands, memory, and how long a snapshot of
// all of them takes. One member in this process, on a disk in memory, so that nothing else is measured.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { assign, setup } from 'xstate'
import { MemoryBus, MemoryDisk, MemoryStorage, openHost, type StateMachine } from '../src/index.ts'
import { replicate } from '../src/xstate.ts'

export interface InstancesResult {
  readonly mode: 'instances'
  readonly instances: number
  readonly armed: number
  readonly bytesPerInstance: number
  readonly commandsPerSecond: number
  readonly eventsPerSecond: number
  readonly share: number
  /** Commands wait for so long. */
  readonly captureMs: number
  readonly snapshotMs: number
  readonly snapshotMb: number
  readonly loadMs: number
}

const GROUP = 'bench'
const IN_FLIGHT = 256
const MEASURED = 40_000

/** Three states, a context, a time-out. */
const machine = setup({
  types: {
    context: {} as { orders: number; note: string },
    events: {} as { type: 'open' } | { type: 'pay' } | { type: 'close' },
  },
}).createMachine({
  ...{ id: 'order', version: '1', initial: 'idle' },
  context: { orders: 0, note: 'the order of somebody, somewhere' },
  states: {
    idle: {
      on: { open: { target: 'opened', actions: assign({ orders: ({ context }) => context.orders + 1 }) } },
    },
    opened: { on: { pay: 'paid' }, after: { 86400000: 'idle' } },
    paid: { on: { close: 'idle' } },
  },
})

const ordersOf = () => replicate(machine, { maxIterations: 100 })

export async function measureInstances(instances: number): Promise<InstancesResult> {
  const bytesPerInstance = memoryPerInstance(instances)
  const disk = new MemoryDisk()
  const orders = ordersOf()
  const member = await open(disk, orders)
  const { node } = member
  await load(instances, (i) => node.apply(creation(i)))
  const startedMs = performance.now()
  let captureMs = 0
  const save = orders.onSnapshotSave?.bind(orders)
  orders.onSnapshotSave = (writer, signal) => {
    const beganMs = performance.now()
    const rest = save?.(writer, signal)
    captureMs = performance.now() - beganMs
    return rest
  }
  const { bytes } = await node.snapshot()
  const snapshotMs = performance.now() - startedMs
  const words = ['open', 'pay', 'close']
  const eventsPerSecond = await load(MEASURED, (i) =>
    node.apply(['event', `orders/${1 + 10 * (Math.floor(i / 3) % 400)}`, { type: words[i % 3] }]),
  )
  // Nothing but a snapshot is there to begin with.
  await node.snapshot()
  await member.host.close()
  const loadedMs = performance.now()
  const again = await open(disk, ordersOf())
  const loadMs = performance.now() - loadedMs
  await again.host.close()
  const commandsPerSecond = await measureCommands()
  return {
    ...{ mode: 'instances', instances, armed: Math.ceil(instances / 10), bytesPerInstance },
    ...{
      commandsPerSecond,
      eventsPerSecond,
      share: Math.round((100 * eventsPerSecond) / commandsPerSecond) / 100,
    },
    ...{ captureMs: Math.round(captureMs), snapshotMs: Math.round(snapshotMs) },
    ...{ snapshotMb: Math.round(bytes / 1e5) / 10, loadMs: Math.round(loadMs) },
  }
}

/** The same bytes, and a machine that does nothing. */
async function measureCommands(): Promise<number> {
  const { host, node } = await open(new MemoryDisk(), { apply: () => null })
  const perSecond = await load(MEASURED, (i) => node.apply(['event', `orders/${i % 4000}`, { type: 'open' }]))
  await host.close()
  return perSecond
}

async function open(disk: MemoryDisk, stateMachine: StateMachine) {
  const storage = new MemoryStorage({ disk })
  const host = await openHost({ id: 'n1', storage, transport: new MemoryBus().connect('n1') })
  const node = await host.startNode({
    ...{ group: GROUP, peers: ['n1'], stateMachine, electionTimeoutMs: 100 },
    // When it is measured, and not before.
    ...{ snapshotEveryEntries: 0, snapshotEveryBytes: 0 },
  })
  while (node.status().state !== 'active.leader.serving')
    await new Promise((resolve) => setTimeout(resolve, 5))
  return { host, node }
}

/** Closed loops. Returns how many a second. */
async function load(count: number, run: (i: number) => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  let next = 0
  const client = async (): Promise<void> => {
    while (next < count) await run(next++)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, client))
  return Math.round((1000 * count) / (performance.now() - startedMs))
}

/** Every tenth waits for a time-out. */
function creation(i: number): unknown {
  return ['event', `orders/${i}`, { type: i % 10 === 0 ? 'open' : 'close' }]
}

/** Of the machine alone, without log and disk. */
function memoryPerInstance(instances: number): number {
  const orders = ordersOf()
  const before = memory()
  for (let i = 0; i < instances; i++) void orders.apply(creation(i), { index: i + 1, term: 1, timeMs: i })
  const bytes = memory() - before
  return orders.read?.(['size']) === instances ? Math.round(bytes / instances) : Number.NaN
}

function memory(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
