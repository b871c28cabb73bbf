// A service as one XState machine: its node begins with it, its states follow the group, and it closes everything on its way out.
import { type Host, openHost, type StateMachine } from 'quorate'
import { type RaftApplied, type RaftNews, type RaftRefused, raftNode } from 'quorate/xstate'
import { assign, createActor, sendTo, setup, waitFor } from 'xstate'

class Counter implements StateMachine<{ add: number }, number> {
  #total = 0
  apply({ add }: { add: number }): number {
    this.#total += add
    return this.#total
  }
}

type Events = RaftNews | RaftApplied | RaftRefused | { type: 'add'; by: number } | { type: 'leave' }

const service = setup({
  types: {
    input: {} as { host: Host; peers: string[] },
    context: {} as { host: Host; peers: string[]; total: number; leader: string | null },
    events: {} as Events,
  },
  actors: { raftNode },
}).createMachine({
  context: ({ input }) => ({ ...input, total: 0, leader: null }),
  initial: 'in',
  states: {
    in: {
      invoke: {
        id: 'raft',
        src: 'raftNode',
        input: ({ context: { host, peers } }) => ({
          host,
          peers,
          group: 'total',
          stateMachine: new Counter(),
        }),
        onError: 'out', // it could not be started
      },
      on: {
        'raft.leader': { actions: assign({ leader: ({ event }) => event.leader }) },
        'raft.applied': { actions: assign({ total: ({ event }) => Number(event.result) }) },
        'raft.error': 'out',
        add: {
          actions: sendTo('raft', ({ event, self }) => ({
            ...{ type: 'apply' as const, command: { add: event.by }, reply: self },
          })),
        },
        leave: 'out', // stops the node: it hands over, and closes in order
      },
    },
    out: { type: 'final' },
  },
})

/** Adds twice in a group of one, and leaves. */
export async function serve(directory: string): Promise<{ total: number; leader: string | null }> {
  const host = await openHost({ id: 'n1', dataDir: directory })
  const actor = createActor(service, { input: { host, peers: ['n1'] } }).start()
  actor.send({ type: 'add', by: 40 }) // waits until the node has started
  actor.send({ type: 'add', by: 2 })
  const { context } = await waitFor(actor, (state) => state.context.total === 42)
  actor.send({ type: 'leave' })
  await host.close() // waits for the node, too
  return { total: context.total, leader: context.leader }
}
