// A strict project that uses every door of the package: compiled in each way a project can be set up, never run.

import {
  connectNats,
  type Host,
  isQuorateError,
  type Logger,
  MemoryBus,
  MemoryStorage,
  openHost,
  openSqliteStorage,
  type RaftNode,
  type StateMachine,
  type Transport,
} from 'quorate'
import {
  attachServices,
  connectClient,
  type GroupModel,
  type QuorateClient,
  watchGroup,
} from 'quorate/client'
import { type Inspector, openInspector } from 'quorate/inspect'
import { KeyValueStore, type KvChange, type KvCommand } from 'quorate/machines'
import {
  createSimulation,
  type Simulation,
  snapshotConformance,
  storageConformance,
  transportConformance,
} from 'quorate/testing'
import {
  compareTokens,
  type FencingToken,
  type InstanceRef,
  type RaftNews,
  raftNode,
  replicate,
  runAsLeader,
} from 'quorate/xstate'
import { fromPromise, sendTo, setup } from 'xstate'

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

export async function embed(logger: Logger): Promise<number> {
  const transport: Transport = await connectNats({
    ...{ servers: 'nats://127.0.0.1:4222', id: 'n1' },
    tls: { caFile: 'ca.pem' },
  })
  const storage = await openSqliteStorage({ dataDir: './data', hostId: 'n1', logger })
  await using host: Host = await openHost({ id: 'n1', storage, transport, logger })
  const node: RaftNode = await host.startNode({
    group: 'counter',
    peers: ['n1'],
    stateMachine: new Counter(),
    electionTimeoutMs: 500,
    inspect: (event) => logger.debug({ type: event.type }, 'inspected'),
  })
  node.on('role', ({ from, to }) => logger.info({ from, to }, 'role'))
  const { result } = await node.apply<number>({ add: 1 })
  const { role, term } = node.status()
  attachServices({ transport, node, logger }).detach()
  return result + term + role.length
}

type ServiceEvents = RaftNews | { type: 'add'; by: number }

/** A machine that holds a node: its events, its input and its calls are checked. */
export const service = setup({
  types: {
    input: {} as { host: Host },
    context: {} as { host: Host; term: number },
    events: {} as ServiceEvents,
  },
  actors: { raftNode },
}).createMachine({
  context: ({ input }) => ({ host: input.host, term: 0 }),
  invoke: {
    ...{ id: 'raft', src: 'raftNode' },
    input: ({ context: { host } }) => ({
      host,
      group: 'counter',
      peers: ['n1'],
      stateMachine: new Counter(),
    }),
  },
  on: {
    add: {
      actions: sendTo('raft', ({ event }) => ({ type: 'apply' as const, command: { add: event.by }, id: 1 })),
    },
    'raft.role': { guard: ({ event }) => event.to === 'leader' },
  },
})

export async function lead(node: RaftNode): Promise<number> {
  let last: FencingToken = { term: 0, index: 0, run: 0 }
  const job = fromPromise<void, { token: FencingToken }>(async ({ input }) => {
    if (compareTokens(input.token, last) > 0) last = input.token
  })
  await using copy = runAsLeader(node, job, { restart: 'always' })
  return copy.token?.term ?? 0
}

export async function ask(): Promise<number> {
  const client: QuorateClient = connectClient({ transport: new MemoryBus().connect('app'), group: 'counter' })
  try {
    return await client.read<number>('total')
  } catch (error) {
    if (isQuorateError(error) && error.outcome === 'not-applied') return 0
    throw error
  } finally {
    client.close()
  }
}

export async function watch(host: Host): Promise<string | null> {
  const inspector: Inspector = await openInspector({ hosts: [host], port: null })
  const { model, close } = watchGroup({ transport: new MemoryBus().connect('app'), group: 'counter' })
  const models: readonly (GroupModel | undefined)[] = [model, inspector.models.get('counter')]
  close()
  await inspector.close()
  return models[0]?.leader ?? null
}

export async function simulate(): Promise<string | null> {
  const sim: Simulation = await createSimulation({
    seed: 1,
    nodes: ['A', 'B', 'C'],
    stateMachine: () => new Counter(),
  })
  await sim.run(1000)
  for (const { name } of [...storageConformance, ...snapshotConformance, ...transportConformance])
    if (name === '') return null
  return new MemoryStorage() instanceof MemoryStorage ? sim.leader() : null
}

const door = setup({ types: { events: {} as { type: 'open' | 'shut' } } }).createMachine({
  ...{ id: 'door', version: '1', initial: 'shut' },
  states: { shut: { on: { open: 'opened' } }, opened: { on: { shut: 'shut' } } },
})

export async function replicateMachine(host: Host): Promise<boolean> {
  const doors = replicate(door, { maxIterations: 100 })
  const node = await host.startNode({ group: 'doors', peers: ['n1'], stateMachine: doors })
  const front: InstanceRef<typeof door> = doors.actors(node).actor('front')
  const { snapshot, index } = await front.send({ type: 'open' })
  return snapshot.matches('opened') && index > 0 && front.can({ type: 'shut' })
}

export async function keep(host: Host): Promise<KvChange | null> {
  const store = new KeyValueStore({ historyChanges: 100 })
  const node = await host.startNode({ group: 'settings', peers: ['n1'], stateMachine: store })
  const command: KvCommand = ['put', 'color', 'blue', 60_000]
  const { index } = await node.apply(command)
  for await (const change of store.watch('col', { fromIndex: index })) return change
  return null
}
