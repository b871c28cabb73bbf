// The order of ../order-machine.ts, paid by a bank, and forgotten when nobody pays for a while: as XState has it, the machine is provided
// with other code.
import { fromPromise } from 'xstate'
import { orderMachine } from '../order-machine.ts'

/** Moves money. Told the same key again, a bank answers as it did, and moves nothing. */
export type Pay = (key: string, amount: number) => Promise<string>

/** Short, for something to be seen. */
const PATIENCE_MS = 1500

export const orderPaidBy = (pay: Pay) =>
  orderMachine.provide({
    // `self.id` is the same when another member starts the payment over: it is the key that the bank knows it by.
    actors: { payment: fromPromise(({ input, self }) => pay(self.id, input.amount)) },
    delays: { patience: PATIENCE_MS },
  })
