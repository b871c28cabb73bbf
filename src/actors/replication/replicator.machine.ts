// One follower as its leader sees it (braft Replicator): probe for where the logs agree, then stream entries in a
// bounded window, wait when there is nothing to send, pause after a failure. Old entries are read from disk off the
// loop, and sent at a pace that leaves others their way.

import { setup } from 'xstate'
import { quick } from '../quick.ts'
import type { OfferEvent } from './offering.ts'
import type { ReplicatorContext, ReplicatorEvent, ReplicatorInput } from './replicator.actions.ts'
import * as replicate from './replicator.actions.ts'

/** An action for what offers of snapshots bring. */
const offer =
  (run: (context: ReplicatorContext, event: OfferEvent) => void) =>
  ({ context, event }: { context: ReplicatorContext; event: ReplicatorEvent }): void => {
    if (replicate.isOffer(event)) run(context, event)
  }

const replicator = setup({
  types: {
    context: {} as ReplicatorContext,
    events: {} as ReplicatorEvent,
    input: {} as ReplicatorInput,
  },
  guards: {
    isStale: ({ context, event }) => replicate.isStale(context, event),
    hasFailed: ({ context, event }) => replicate.hasFailed(context, event),
    isDeposed: ({ context, event }) => replicate.isDeposed(context, event),
    isRefused: ({ event }) => replicate.isRefused(event),
    isCaughtUp: ({ context }) => replicate.isCaughtUp(context),
    isStarved: ({ context }) => replicate.isStarved(context),
    hasBacklog: ({ context }) => !replicate.isStarved(context),
    isInTheWay: ({ context }) => context.pacer.pauseMs > 0,
    needsSnapshot: ({ context, event }) => replicate.needsSnapshot(context, event),
    hasReadFailed: ({ event }) => replicate.hasReadFailed(event),
    isThereNone: ({ event }) => event.type === 'snapshot.opened' && !event.result.ok,
    isInstalled: ({ context, event }) => replicate.isOffer(event) && context.offering.hasInstalled(event),
    isInstalledAgain: ({ context, event }) =>
      replicate.isOffer(event) && context.offering.hasInstalledAgain(event),
  },
  actions: {
    sendProbe: ({ context, self }) => replicate.sendProbe(context, self),
    fillWindow: ({ context, self }) => replicate.fillWindow(context, self),
    credit: ({ context, event }) => replicate.credit(context, event),
    backOff: ({ context, event }) => replicate.takeBack(context, event),
    noteFailure: ({ context, event }) => replicate.noteFailure(context, event),
    reportTerm: ({ context, event }) => replicate.reportTerm(context, event),
    takeBacklog: ({ context, event }) => replicate.takeBacklog(context, event),
    dropBacklog: ({ context }) => replicate.dropBacklog(context),
    reportReadFailure: ({ context, event }) => replicate.reportReadFailure(context, event),
    openSnapshot: ({ context, self }) => context.offering.open(context, self),
    takeSnapshot: offer((context, event) => context.offering.take(event)),
    reportNone: offer((context, event) => context.offering.reportNone(context, event)),
    sendOffer: ({ context, self }) => context.offering.send(context, self),
    noteInstalling: offer((context, event) => context.offering.note(context, event)),
    creditSnapshot: offer((context, event) => context.offering.credit(context, event)),
    endInstalling: ({ context }) => {
      context.progress.installing = null
    },
    endPause: ({ context }) => context.pacer.pauseEnded(),
    show: ({ context }, params: { state: ReplicatorContext['progress']['state'] }) => {
      context.progress.state = params.state
    },
  },
  delays: {
    pause: ({ context }) => context.pauseMs,
    beat: ({ context }) => context.core.heartbeatMs,
    wayForOthers: ({ context }) => context.pacer.pauseMs,
  },
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
  context: ({ input }) => replicate.contextOf(input),
  initial: 'probing',
  states: {
    probing: {
      entry: [{ type: 'show', params: { state: 'probing' } }, 'sendProbe'],
      always: { guard: 'needsSnapshot', target: 'installingSnapshot' },
      on: {
        'append.answered': [...setbacks, { target: 'replicating', actions: 'credit' }],
      },
    },
    replicating: {
      entry: { type: 'show', params: { state: 'replicating' } },
      exit: 'dropBacklog',
      always: [
        { guard: 'needsSnapshot', target: 'installingSnapshot' },
        { guard: 'isCaughtUp', target: 'waiting' },
      ],
      on: {
        'log.grew': { actions: 'fillWindow' },
        'turn.ended': { actions: 'fillWindow' },
        'append.answered': [...setbacks, { actions: ['credit', 'fillWindow'] }],
        'backlog.read': [
          { guard: 'isStale' },
          { guard: 'hasReadFailed', target: 'blocked', actions: 'reportReadFailure' },
          { guard: 'needsSnapshot', target: 'installingSnapshot' },
          { actions: ['takeBacklog', 'fillWindow'] },
        ],
      },
      initial: 'streaming',
      states: {
        streaming: {
          entry: 'fillWindow',
          always: [
            { guard: 'isInTheWay', target: 'givingWay' },
            { guard: 'isStarved', target: 'readingBacklog' },
          ],
        },
        readingBacklog: {
          always: { guard: 'hasBacklog', target: 'streaming' },
        },
        givingWay: {
          after: { wayForOthers: { target: 'streaming' } },
          exit: 'endPause',
        },
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
    /** What the follower needs is compacted: it is offered a snapshot until it has it. */
    installingSnapshot: {
      entry: [{ type: 'show', params: { state: 'installingSnapshot' } }, 'openSnapshot'],
      exit: 'endInstalling',
      on: {
        'snapshot.opened': [
          { guard: 'isStale' },
          { guard: 'isThereNone', target: 'blocked', actions: ['reportNone', 'noteFailure'] },
          { target: '.offering', actions: 'takeSnapshot' },
        ],
        'offer.answered': [
          { guard: 'isStale' },
          { guard: 'isDeposed', actions: 'reportTerm' },
          { guard: 'hasFailed', target: 'blocked', actions: 'noteFailure' },
          { guard: 'isInstalledAgain', target: 'blocked', actions: 'noteFailure' },
          { guard: 'isInstalled', target: 'probing', actions: 'creditSnapshot' },
          { target: '.resting', actions: 'noteInstalling' },
        ],
      },
      initial: 'opening',
      states: {
        opening: {},
        offering: { entry: 'sendOffer' },
        resting: { after: { beat: { target: 'offering' } } },
      },
    },
  },
})

quick(replicatorMachine, 'rest')
