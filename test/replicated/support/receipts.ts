// A machine of the tests whose actions have to be performed: it sends receipts and parcels, and ends when all is sold.

import { setup } from 'xstate'

export interface Sent {
  readonly by: string
  readonly name: string
  readonly event: unknown
  readonly params: unknown
}

/** Whoever sends: each call is noted, and ends as `answer` does. */
export class Mail {
  readonly sent: Sent[] = []
  answer: (sent: Sent) => unknown = () => undefined

  take(sent: Sent): unknown {
    this.sent.push(sent)
    return this.answer(sent)
  }
}

export function shopMachine(mail: Mail, version = '1') {
  return setup({
    types: {
      context: {} as { sold: number },
      events: {} as { type: 'sell'; to: string; memo?: unknown } | { type: 'close' },
    },
    actions: {
      sendReceipt: ({ event, self }, params: { to: string }): unknown =>
        mail.take({ name: 'sendReceipt', by: self.id, event, params }),
      sendFarewell: ({ event, self }): unknown =>
        mail.take({ name: 'sendFarewell', by: self.id, event, params: undefined }),
      ring: ({ context }) => void mail.take({ name: 'ring', by: '', event: context.sold, params: undefined }),
    },
  }).createMachine({
    ...{ id: 'shop', version, initial: 'open', context: { sold: 0 } },
    states: {
      open: {
        on: {
          sell: {
            actions: [{ type: 'sendReceipt', params: ({ event }) => ({ to: event.to }) }, 'ring'],
          },
          close: 'closed',
        },
      },
      closed: { type: 'final', entry: ['sendFarewell', 'sendFarewell'] },
    },
  })
}
