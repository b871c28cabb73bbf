// One follower as its leader sees it (braft Replicator): probe for where the logs agree, then stream entries in a
// bounded window, wait when there is nothing to send, pause after a failure.

import { setup } from 'xstate'
import type { ReplicatorContext, ReplicatorEvent } from './replicator.actions.ts'
import * as replicate from './replicator.actions.ts'

const replicator = setup({
  types: {
    context: {} as ReplicatorContext,
    events: {} as ReplicatorEvent,
    input: {} as ReplicatorContext,
  },
  guards: {
    isStale: ({ context, event }) => replicate.isStale(context, event),
    hasFailed: ({ context, event }) => replicate.hasFailed(context, event),
    isDeposed: ({ context, event }) => replicate.isDeposed(context, event),
    isRefused: ({ event }) => replicate.isRefused(event),
    isCaughtUp: ({ context }) => replicate.isCaughtUp(context),
  },
  actions: {
    sendProbe: ({ context, self }) => replicate.sendProbe(context, self),
    fillWindow: ({ context, self }) => replicate.fillWindow(context, self),
    credit: ({ context, event }) => replicate.credit(context, event),
    backOff: ({ context, event }) => replicate.takeBack(context, event),
    noteFailure: ({ context, event }) => replicate.noteFailure(context, event),
    reportTerm: ({ context, event }) => replicate.reportTerm(context, event),
    show: ({ context }, params: { state: ReplicatorContext['progress']['state'] }) => {
      context.progress.state = params.state
    },
  },
  delays: { pause: ({ context }) => context.pauseMs },
})

/** What any answer may mean besides success, in the order in which it has to be asked. */
const setbacks = [
  { guard: 'isStale' },
  { guard: 'isDeposed', actions: 'reportTerm' },
  { guard: 'hasFailed', target: '#replicator.blocked', actions: 'noteFailure' },
  { guard: 'isRefused', target: '#replicator.probing', reenter: true, actions: 'backOff' },
] as const

export const replicatorMachine = replicator.createMachine({
  id: 'replicator',
  context: ({ input }) => input,
  initial: 'probing',
  states: {
    probing: {
      entry: [{ type: 'show', params: { state: 'probing' } }, 'sendProbe'],
      on: {
        'append.answered': [...setbacks, { target: 'replicating', actions: 'credit' }],
      },
    },
    replicating: {
      entry: [{ type: 'show', params: { state: 'replicating' } }, 'fillWindow'],
      always: { guard: 'isCaughtUp', target: 'waiting' },
      on: {
        'log.grew': { actions: 'fillWindow' },
        'append.answered': [...setbacks, { actions: ['credit', 'fillWindow'] }],
      },
    },
    waiting: {
      entry: { type: 'show', params: { state: 'waiting' } },
      on: {
        'log.grew': { target: 'replicating' },
        'append.answered': [...setbacks, { actions: 'credit' }],
      },
    },
    blocked: {
      entry: { type: 'show', params: { state: 'blocked' } },
      after: { pause: { target: 'probing' } },
    },
  },
})
