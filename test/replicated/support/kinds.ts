// The machines of the drawn swarms: three kinds, each with what makes it hard, and the events that a load sends it. Each notes
// in its context what has happened to it, so that a judge can hold that against the log.

import { type AnyStateMachine, and, assign, emit, fromPromise, raise, setup } from 'xstate'

/** What a test hears of jobs and durable actions: by which name each was begun. */
export interface Doings {
  readonly begun: string[]
}

export interface Kind {
  readonly name: string
  machine(doings: Doings, version?: string): AnyStateMachine
  readonly durable: readonly string[]
  readonly jobTimeoutMs: number
  /** The types of events, one after the other. */
  readonly events: readonly string[]
  /** By the beginning of its id: how long a timer is to wait. */
  readonly delays: Readonly<Record<string, number>>
}

interface Heard {
  /** The number of each event that was heard. */
  readonly heard: readonly number[]
}

const hears = <C extends Heard, E extends { n: number }>() => ({
  heard: ({ context, event }: { context: C; event: E }) => [...context.heard, event.n],
})

/** Orders that are paid by a job and are given up after a while. */
const order: Kind = {
  name: 'order',
  durable: [],
  jobTimeoutMs: 0,
  events: ['add', 'pay', 'add', 'wait'],
  delays: { 'xstate.after.700': 700 },
  machine: ({ begun }, version = '1') =>
    setup({
      types: {
        context: {} as Heard & { late: number; results: number },
        events: {} as { type: 'add' | 'pay' | 'wait'; n: number },
      },
      actors: {
        payment: fromPromise<number, { items: number }>(async ({ input, self }) => {
          begun.push(self.id)
          await Promise.resolve()
          if (input.items % 3 === 2) throw new Error('no money')
          return input.items
        }),
      },
      actions: { hear: assign(hears()), result: assign({ results: ({ context }) => context.results + 1 }) },
    }).createMachine({
      ...{ id: 'order', version, initial: 'open', context: { heard: [], late: 0, results: 0 } },
      states: {
        open: {
          on: {
            add: { actions: 'hear' },
            pay: { target: 'paying', actions: 'hear' },
            wait: { target: 'waiting', actions: 'hear' },
          },
        },
        paying: {
          invoke: {
            ...{ id: 'payment', src: 'payment', input: ({ context }) => ({ items: context.heard.length }) },
            onDone: { target: 'open', actions: 'result' },
            onError: { target: 'open', actions: 'result' },
          },
        },
        waiting: {
          after: {
            700: { target: 'open', actions: assign({ late: ({ context }) => context.late + 1 }) },
          },
        },
      },
    }),
}

/** A house with lights and an alarm at the same time: nested states, history, delayed events that are canceled and armed anew. */
const house: Kind = {
  name: 'house',
  durable: [],
  jobTimeoutMs: 0,
  events: ['push', 'arm', 'push', 'move', 'pause', 'move', 'resume'],
  delays: { 'xstate.after.300': 300, 'xstate.after.450': 450, 'xstate.after.900': 900, siren: 200 },
  machine: (_, version = '1') =>
    setup({
      types: {
        context: {} as Heard & { late: number; sirens: number },
        events: {} as
          | { type: 'push' | 'arm' | 'move' | 'pause' | 'resume'; n: number }
          | { type: 'siren' | 'blink' },
        emitted: {} as { type: 'light' },
      },
      actions: {
        hear: assign(({ context, event }) => ('n' in event ? { heard: [...context.heard, event.n] } : {})),
        late: assign({ late: ({ context }) => context.late + 1 }),
      },
      guards: {
        odd: ({ context }) => context.heard.length % 2 === 1,
        few: ({ context }) => context.heard.length < 500,
      },
    }).createMachine({
      ...{ id: 'house', version, type: 'parallel', context: { heard: [], late: 0, sirens: 0 } },
      on: { '*': {} },
      states: {
        light: {
          initial: 'off',
          states: {
            off: { on: { push: { target: 'on', actions: ['hear', emit({ type: 'light' })] } } },
            on: {
              initial: 'bright',
              on: { push: { target: 'off', actions: 'hear' } },
              after: { 900: { target: 'off', actions: 'late' } },
              states: {
                bright: { after: { 300: { target: 'dim', actions: 'late' } } },
                dim: { always: { guard: and(['odd', 'few']), target: 'blinking' } },
                blinking: { entry: raise({ type: 'blink' }), on: { blink: 'still' } },
                still: {},
              },
            },
          },
        },
        alarm: {
          initial: 'ready',
          states: {
            ready: {
              initial: 'idle',
              on: { pause: { target: 'paused', actions: 'hear' } },
              states: {
                idle: { on: { arm: { target: 'armed', actions: 'hear' } } },
                armed: {
                  on: {
                    // What is pending under this name begins anew.
                    move: { actions: ['hear', raise({ type: 'siren' }, { id: 'siren', delay: 200 })] },
                    siren: {
                      target: 'idle',
                      actions: ['late', assign({ sirens: ({ context }) => context.sirens + 1 })],
                    },
                  },
                },
                last: { type: 'history' },
              },
            },
            paused: {
              on: { resume: { target: 'ready.last', actions: 'hear' } },
              after: { 450: { target: 'ready.last', actions: 'late' } },
            },
          },
        },
      },
    }),
}

/** Errands: jobs that end, fail or never come back, receipts that have to be sent, and an end. */
const errand: Kind = {
  name: 'errand',
  durable: ['sendReceipt', 'sendFarewell'],
  jobTimeoutMs: 400,
  events: ['run', 'note', 'run', 'run', 'note', 'run', 'run', 'note', 'run', 'finish'],
  delays: {},
  machine: ({ begun }, version = '1') =>
    setup({
      types: {
        context: {} as Heard & { late: number; results: number },
        events: {} as { type: 'run' | 'note' | 'finish'; n: number },
      },
      actors: {
        errand: fromPromise<string, number>(({ input, self }) => {
          begun.push(self.id)
          if (input % 4 === 1) return Promise.reject(new Error('not at home'))
          return input % 4 === 2 ? new Promise(() => {}) : Promise.resolve(`done ${input}`)
        }),
      },
      actions: {
        hear: assign(hears()),
        result: assign({ results: ({ context }) => context.results + 1 }),
        sendReceipt: ({ self }, params: { n: number }) => {
          begun.push(self.id)
          if (params.n % 3 === 0 && begun.filter((name) => name === self.id).length < 2)
            throw new Error('the post is closed')
        },
        sendFarewell: ({ self }) => void begun.push(self.id),
      },
      guards: { enough: ({ context }) => context.heard.length > 12 },
    }).createMachine({
      ...{ id: 'errand', version, initial: 'idle', context: { heard: [], late: 0, results: 0 } },
      states: {
        idle: {
          on: {
            run: { target: 'running', actions: 'hear' },
            note: { actions: ['hear', { type: 'sendReceipt', params: ({ event }) => ({ n: event.n }) }] },
            finish: { guard: 'enough', target: 'finished', actions: 'hear' },
          },
        },
        running: {
          invoke: {
            ...{ id: 'errand', src: 'errand', input: ({ context }) => context.heard.length },
            onDone: { target: 'idle', actions: 'result' },
            onError: { target: 'idle', actions: 'result' },
          },
        },
        finished: { type: 'final', entry: 'sendFarewell' },
      },
    }),
}

export const KINDS: readonly Kind[] = [order, house, errand]
