// An order that is paid by a bank, or forgotten when nobody pays for a while. It knows nothing of members, logs or leaders.
import { assign, fromPromise, setup } from 'xstate'

/** Moves money. Told the same key again, a bank answers as it did, and moves nothing. */
export type Pay = (key: string, amount: number) => Promise<string>

/** Short, for something to be seen. */
const PATIENCE_MS = 1500

export const orderPaidBy = (pay: Pay) =>
  setup({
    types: {
      context: {} as { amount: number; receipt: string | null },
      events: {} as { type: 'add'; amount: number } | { type: 'pay' },
    },
    actors: {
      // `self.id` is the same when another member starts the payment over: it is the key that the bank knows it by.
      payment: fromPromise<string, { amount: number }>(({ input, self }) => pay(self.id, input.amount)),
    },
  }).createMachine({
    id: 'order',
    version: '1',
    context: { amount: 0, receipt: null },
    initial: 'open',
    states: {
      open: {
        on: {
          add: { actions: assign({ amount: ({ context, event }) => context.amount + event.amount }) },
          pay: { guard: ({ context }) => context.amount > 0, target: 'paying' },
        },
        after: { [PATIENCE_MS]: 'forgotten' },
      },
      paying: {
        invoke: {
          id: 'payment',
          src: 'payment',
          input: ({ context }) => ({ amount: context.amount }),
          onDone: { target: 'paid', actions: assign({ receipt: ({ event }) => event.output }) },
          onError: 'open',
        },
      },
      paid: { type: 'final' },
      forgotten: { type: 'final' },
    },
  })
