// A node held by a machine: what it is told, what it may ask, and that nothing of the node is left when it lets go.

import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { assign, createActor, sendTo, setup, waitFor } from 'xstate'
import type { Host, RaftNode } from '../../src/index.ts'
import {
  type CallId,
  type RaftAnswered,
  type RaftApplied,
  type RaftCall,
  type RaftNews,
  type RaftNodeEvent,
  type RaftNodeInput,
  type RaftNodeSnapshot,
  type RaftRefused,
  type RaftSaved,
  type RaftTransferred,
  raftNode,
} from '../../src/xstate.ts'
import { GROUP, QUICK, until, Words, World } from '../host/support/world.ts'

type Answer = RaftApplied | RaftAnswered | RaftSaved | RaftTransferred | RaftRefused
type Events = RaftNews | Answer | { type: 'open' } | { type: 'close' } | { type: 'call'; call: RaftCall }

/** Holds a node while it is `open`, and remembers all that it was told. */
const holder = setup({
  types: {
    input: {} as RaftNodeInput,
    context: {} as { input: RaftNodeInput; heard: Events[]; failed: unknown },
    events: {} as Events,
  },
  actors: { raftNode },
}).createMachine({
  context: ({ input }) => ({ input, heard: [], failed: null }),
  initial: 'open',
  on: {
    '*': { actions: assign({ heard: ({ context, event }) => [...context.heard, event] }) },
  },
  states: {
    open: {
      invoke: {
        ...{ id: 'raft', src: 'raftNode', input: ({ context }) => context.input },
        onDone: 'done',
        onError: { target: 'failed', actions: assign({ failed: ({ event }) => event.error }) },
      },
      on: {
        close: 'closed',
        call: { actions: sendTo('raft', ({ event, self }) => ({ ...event.call, reply: self })) },
      },
    },
    closed: { on: { open: 'open' } },
    done: {},
    failed: {},
  },
})

async function world(...ids: string[]): Promise<World> {
  const made = new World(...ids)
  onTestFinished(() => made[Symbol.asyncDispose]())
  return made
}

function hold(host: Host, peers: readonly string[], more: Partial<RaftNodeInput> = {}) {
  const stateMachine = new Words()
  const input: RaftNodeInput = { host, group: GROUP, peers, stateMachine, ...QUICK, ...more }
  const actor = createActor(holder, { input }).start()
  onTestFinished(() => void actor.stop())
  const heard = (type: Events['type']) => actor.getSnapshot().context.heard.filter((it) => it.type === type)
  const answered = (id: CallId) =>
    waitFor(actor, ({ context }) => context.heard.some((it) => 'id' in it && it.id === id)).then(
      ({ context }) => context.heard.find((it) => 'id' in it && it.id === id),
    )
  return { actor, stateMachine, heard, answered }
}

/** A host whose nodes are long in telling that they have started. */
function slowToStart(host: Host): { slow: Host; started: Promise<RaftNode>; goOn(): void } {
  let goOn = (): void => {}
  const gate = new Promise<void>((resolve) => {
    goOn = resolve
  })
  let begun = (_: RaftNode): void => {}
  const started = new Promise<RaftNode>((resolve) => {
    begun = resolve
  })
  const slow: Host = {
    id: host.id,
    async startNode(options) {
      const node = await host.startNode(options)
      begun(node)
      await gate
      return node
    },
    node: (group) => host.node(group),
    nodes: () => host.nodes(),
    limitSnapshots: (limits) => host.limitSnapshots(limits),
    figures: () => host.figures(),
    close: () => host.close(),
    destroy: () => host.destroy(),
    [Symbol.asyncDispose]: () => host.close(),
  }
  return { slow, started, goOn: () => goOn() }
}

describe('a node in a machine', () => {
  it('says how it gets on, and does what it is asked, also what was asked before it had started', async () => {
    const { host } = await (await world('n1')).host('n1')
    const { actor, answered, heard } = hold(host, ['n1'])
    actor.send({ type: 'call', call: { type: 'apply', command: 'a', id: 'early' } })
    expect(await answered('early')).toMatchObject({ type: 'raft.applied', result: 1 })
    actor.send({ type: 'call', call: { type: 'read', query: null, id: 7 } })
    expect(await answered(7)).toEqual({ type: 'raft.answered', id: 7, answer: ['a'] })
    actor.send({ type: 'call', call: { type: 'transfer', id: 't' } })
    expect(await answered('t')).toMatchObject({ type: 'raft.refused', error: { outcome: 'not-applied' } })
    actor.send({ type: 'call', call: { type: 'snapshot', id: 's' } })
    expect(await answered('s')).toMatchObject({ type: 'raft.refused', error: { code: 'UNSUPPORTED' } })
    expect(heard('raft.ready')).toHaveLength(1)
    expect(heard('raft.role')[0]).toMatchObject({ from: 'uninitialized', to: 'leader', reason: 'START' })
    expect(heard('raft.leader')[0]).toMatchObject({ leader: 'n1' })
    const snapshot = actor.getSnapshot().children.raft?.getSnapshot()
    expect(snapshot).toMatchObject({ role: 'leader', leader: 'n1', id: 'n1', group: GROUP, failure: null })
    expect(structuredClone(snapshot)).toEqual(snapshot)
    expect(snapshot?.appliedIndex).toBeGreaterThanOrEqual(2)
    expect(snapshot?.appliedIndex).toBe(host.node(GROUP)?.status().appliedIndex)
  })

  it('tells its machine of other members, and of snapshots', async () => {
    const made = await world('n1')
    const { host } = await made.host('n1')
    const [words, saved] = [['a'], { snapshot: () => words, restore: () => {} }]
    const stateMachine = Object.assign(new Words(), saved)
    const { actor, heard, answered } = hold(host, ['n1'], { stateMachine })
    actor.send({ type: 'call', call: { type: 'apply', command: 'a', id: 1 } })
    await answered(1)
    actor.send({ type: 'call', call: { type: 'snapshot', id: 2 } })
    expect(await answered(2)).toMatchObject({ type: 'raft.saved', snapshot: { lastIncludedIndex: 2 } })
    await waitFor(actor, () => heard('raft.snapshot').length > 0)
    expect(heard('raft.snapshot')[0]).toMatchObject({ lastIncludedIndex: 2, peers: ['n1'] })
    const next = await made.host('n2')
    await next.host.startNode({ group: GROUP, stateMachine: new Words(), ...QUICK })
    await host.node(GROUP)?.addPeer({ id: 'n2', role: 'learner' })
    await waitFor(actor, () => heard('raft.membership').length > 0)
    expect(heard('raft.membership').at(-1)).toMatchObject({ peers: ['n1'], learners: ['n2'] })
  })

  it('is closed in order when the state is left, and the next one of its group waits for that', async () => {
    const { host } = await (await world('n1')).host('n1')
    const { actor, stateMachine, answered } = hold(host, ['n1'])
    actor.send({ type: 'call', call: { type: 'apply', command: 'a', id: 1 } })
    await answered(1)
    const node = host.node(GROUP)
    actor.send({ type: 'close' })
    actor.send({ type: 'open' })
    actor.send({ type: 'call', call: { type: 'read', query: null, id: 2 } })
    expect(await answered(2)).toMatchObject({ type: 'raft.answered' })
    expect(node?.status().role).toBe('shutdown')
    expect(stateMachine.hooks.filter((hook) => hook.startsWith('stop'))).toEqual(['stop SHUTDOWN'])
    expect(host.node(GROUP)).not.toBe(node)
  })

  it('is closed when the machine stops, also while it is only starting', async () => {
    const { host } = await (await world('n1')).host('n1')
    const { actor, answered } = hold(host, ['n1'])
    actor.send({ type: 'call', call: { type: 'apply', command: 'a', id: 1 } })
    await answered(1)
    const node = host.node(GROUP)
    actor.stop()
    await until(() => host.node(GROUP) === undefined, 'the node to be gone')
    expect(node?.status().role).toBe('shutdown')
    const { slow, started, goOn } = slowToStart(host)
    const early = hold(slow, ['n1'])
    const begun = await started
    early.actor.stop()
    goOn()
    await until(() => host.node(GROUP) === undefined, 'the second node to be gone')
    expect(begun.status().role).toBe('shutdown')
    expect(early.heard('raft.ready')).toEqual([])
  })

  it('fails its actor when it cannot be started, and whoever asked early is told', async () => {
    const { host } = await (await world('n1')).host('n1')
    const { actor, answered } = hold(host, ['n1'], { electionTimeoutMs: 1 })
    actor.send({ type: 'call', call: { type: 'apply', command: 'a', id: 1 } })
    await waitFor(actor, (state) => state.matches('failed'))
    expect(actor.getSnapshot().context.failed).toMatchObject({ code: 'INVALID' })
    expect(await answered(1)).toMatchObject({ type: 'raft.refused', error: { code: 'INVALID' } })
  })

  it('is done when others close it', async () => {
    const { host } = await (await world('n1')).host('n1')
    const { actor, heard } = hold(host, ['n1'])
    await waitFor(actor, () => heard('raft.ready').length > 0)
    await host.node(GROUP)?.close()
    await waitFor(actor, (state) => state.matches('done'))
    expect(heard('raft.role').at(-1)).toMatchObject({ to: 'shutdown' })
  })

  it('says that it has stopped, and why', async () => {
    const { host } = await (await world('n1')).host('n1')
    const stateMachine = new (class extends Words {
      override apply(): number {
        throw new Error('full of words')
      }
    })()
    const { actor, answered, heard } = hold(host, ['n1'], { stateMachine })
    actor.send({ type: 'call', call: { type: 'apply', command: 'a', id: 1 } })
    expect(await answered(1)).toMatchObject({ type: 'raft.refused', error: { code: 'STATE_MACHINE' } })
    await waitFor(actor, () => heard('raft.error').length > 0)
    expect(actor.getSnapshot().children.raft?.getSnapshot()).toMatchObject({
      role: 'error',
      failure: expect.stringContaining('full of words'),
    })
  })

  it('tells the parent of a refusal that nobody else is told of', async () => {
    const { host } = await (await world('n1')).host('n1')
    const { actor, heard } = hold(host, ['n1'])
    actor.getSnapshot().children.raft?.send({ type: 'apply', command: undefined })
    await waitFor(actor, () => heard('raft.refused').length > 0)
    expect(heard('raft.refused')[0]).toMatchObject({ error: { code: 'INVALID' } })
  })

  it('is not restored from the snapshot of a machine', async () => {
    const { host } = await (await world('n1')).host('n1')
    const input = { host, group: GROUP, stateMachine: new Words() }
    const first = createActor(raftNode, { input })
    const snapshot = first.getPersistedSnapshot()
    const restored = createActor(raftNode, { input, snapshot })
    const error = new Promise((resolve) => restored.subscribe({ error: resolve }))
    restored.start()
    expect(await error).toMatchObject({ code: 'INVALID' })
    expect(host.nodes()).toEqual([])
  })
})

it('the types of a node in a machine are known', () => {
  const actor = createActor(raftNode, { input: {} as RaftNodeInput })
  expectTypeOf(actor.getSnapshot()).toEqualTypeOf<RaftNodeSnapshot>()
  expectTypeOf(actor.send).parameter(0).toEqualTypeOf<RaftNodeEvent>()
  actor.on('raft.role', (event) => expectTypeOf(event.term).toEqualTypeOf<number>())
  // @ts-expect-error there is no such news
  actor.on('raft.rolle', () => {})
  // @ts-expect-error a node needs a host
  createActor(raftNode, { input: { group: GROUP, stateMachine: new Words() } })
  // @ts-expect-error a call has its payload
  const call: RaftCall = { type: 'apply' }
  expect(call).toBeDefined()
})
