// The executor of snapshots (braft SnapshotExecutor): one thing at a time. It alone saves, copies and loads; what it does
// is in the files beside this one, and what it decides in rules/snapshot.ts.

import { setup } from 'xstate'
import type { SnapshotActivity } from '../../rules/snapshot.ts'
import { copierMachine } from './copier.machine.ts'
import * as downloading from './downloading.ts'
import * as loading from './loading.ts'
import * as saving from './saving.ts'
import { contextOf, type ExecutorContext, type SnapshotEvent } from './snapshot.events.ts'
import type { SnapshotWorld } from './snapshot-world.ts'

const executor = setup({
  types: {
    context: {} as ExecutorContext,
    events: {} as SnapshotEvent,
    input: {} as { readonly world: SnapshotWorld },
  },
  actors: { copier: copierMachine },
  guards: {
    isBroken: ({ event }) => 'result' in event && !event.result.ok,
    hasSnapshot: ({ event }) =>
      event.type === 'store.opened' && event.result.ok && event.result.value.newest !== null,
    isUnsupported: ({ context, event }) => saving.verdictOnSave(context, event) === 'unsupported',
    hasNothingNew: ({ context, event }) => saving.verdictOnSave(context, event) === 'nothingNew',
    isDiskFailure: ({ context, event }) => saving.isDiskFailure(context, event),
    startsDownload: ({ context, event }) => downloading.verdictOnOffer(context, event) === 'start',
    isOfAnotherCopy: ({ context, event }) => !downloading.isOfThisCopy(context, event),
    isPublishing: ({ context }) => downloading.isPublishing(context.job),
    isLocalFailure: ({ event }) => downloading.isLocalFailure(event),
    hasFailed: ({ event }) => event.type === 'load.done' && event.error !== null,
  },
  actions: {
    openStore: ({ context, self }) => loading.openStore(context, self),
    takeStore: ({ context, event }) => loading.takeStore(context, event),
    letGo: ({ event }) => loading.letGo(event),
    tellNothing: ({ context }) => context.world.send({ type: 'snapshot.loaded', meta: null }),
    tellFailure: ({ context, event }) => loading.tellFailure(context, event),

    capture: ({ context, event, self }) => saving.capture(context, event, self),
    write: ({ context, self }) => saving.write(context, self),
    publish: ({ context, self }) => saving.publish(context, self),
    discard: ({ context, self }) => saving.discard(context, self),
    noteSaved: ({ context, event }) => saving.noteSaved(context, event),
    noteSaveFailure: ({ context, event }) => saving.noteSaveFailure(context, event),
    answerNothingNew: ({ context, event }) => saving.answerNothingNew(context, event),
    refuseBusy: ({ context, event }) => saving.refuseBusy(context, event),
    refuseUnsupported: ({ context, event }) => saving.refuseUnsupported(context, event),
    refuseStopped: ({ context, event }) => saving.refuseStopped(context, event),
    abortSave: ({ context }) => saving.abortSave(context),
    giveUpSave: ({ context, event }) => saving.giveUpSave(context, event),

    // One of so many that the process may have at a time.
    begin: ({ context }) => context.world.input.throttle.begin(),
    end: ({ context }) => context.world.input.throttle.end(),
    answerOffer: ({ context, event }) => downloading.answerOffer(context, event),
    endDownload: ({ context }) => downloading.endDownload(context),
    noteCopyFailure: ({ context, event }) => downloading.noteCopyFailure(context, event),
    tellCopyFailure: ({ context, event }) => downloading.tellCopyFailure(context, event),

    openNewest: ({ context, self }) => loading.openNewest(context, self),
    load: ({ context, event, self }) => loading.load(context, event, self),
    noteLoaded: ({ context }) => loading.noteLoaded(context),
    endLoad: ({ context }) => loading.endLoad(context),
    show: ({ context }, params: { activity: SnapshotActivity }) => {
      context.world.snapshots.activity = params.activity
    },
  },
})

const startCopier = executor.assign(({ context, event, spawn, self }) => {
  downloading.beginDownload(context, event, (offer, version) => {
    const { world } = context
    const { progress } = world.snapshots
    const input = { world, offer, from: offer.from, version, parent: self, progress }
    return spawn('copier', { id: `copier:${version}`, input })
  })
  return {}
})

const snapshotSetup = executor.extend({ actions: { startCopier } })

/** While one thing goes on, no other is begun. */
const busy = { save: { actions: 'refuseBusy' }, offer: { actions: 'answerOffer' } } as const
/** User code may never come back: an offer that has waited long enough ends it. */
const yields = {
  offer: { guard: 'startsDownload', target: '#snapshot.downloading', actions: 'giveUpSave' },
} as const
const show = (activity: SnapshotActivity) => ({ type: 'show', params: { activity } }) as const

export const snapshotMachine = snapshotSetup.createMachine({
  id: 'snapshot',
  context: ({ input }) => contextOf(input.world),
  initial: 'closed',
  on: { save: { actions: 'refuseStopped' } },
  states: {
    closed: { on: { open: { target: 'opening' }, stop: { target: 'stopped' } } },
    opening: {
      entry: 'openStore',
      on: {
        'store.opened': [
          { guard: 'isBroken', target: 'stopped', actions: 'tellFailure' },
          { guard: 'hasSnapshot', target: 'loading', actions: 'takeStore' },
          { target: 'idle', actions: ['takeStore', 'tellNothing'] },
        ],
        stop: { target: 'stopped' },
      },
    },
    idle: {
      entry: show('idle'),
      on: {
        save: [
          { guard: 'isUnsupported', actions: 'refuseUnsupported' },
          { guard: 'hasNothingNew', actions: 'answerNothingNew' },
          { target: 'saving' },
        ],
        offer: [{ guard: 'startsDownload', target: 'downloading' }, { actions: 'answerOffer' }],
        stop: { target: 'stopped' },
      },
    },

    saving: {
      initial: 'capturing',
      entry: [show('saving'), 'capture'],
      on: {
        ...busy,
        'save.failed': [
          { guard: 'isDiskFailure', target: 'stopped', actions: ['noteSaveFailure', 'tellFailure'] },
          { target: '.discarding', actions: 'noteSaveFailure' },
        ],
        stop: { target: 'stopped', actions: 'abortSave' },
      },
      states: {
        // Commands wait.
        capturing: { on: { ...yields, 'save.captured': { target: 'writing' } } },
        // They go on.
        writing: { entry: 'write', on: { ...yields, 'save.written': { target: 'publishing' } } },
        publishing: {
          entry: 'publish',
          on: {
            'save.published': [
              {
                guard: 'isDiskFailure',
                target: '#snapshot.stopped',
                actions: ['noteSaveFailure', 'tellFailure'],
              },
              { guard: 'isBroken', target: 'discarding', actions: 'noteSaveFailure' },
              { target: '#snapshot.idle', actions: 'noteSaved' },
            ],
          },
        },
        discarding: { entry: 'discard', on: { 'save.discarded': { target: '#snapshot.idle' } } },
      },
    },

    /** Ends with the term, with a newer offer, and with the node, but not while it is made the newest; what is here by then stays. */
    downloading: {
      entry: ['begin', show('downloading'), 'startCopier', 'answerOffer'],
      exit: 'end',
      on: {
        ...busy,
        offer: [
          { guard: 'startsDownload', target: 'downloading', reenter: true },
          { actions: 'answerOffer' },
        ],
        'copy.finished': [{ guard: 'isOfAnotherCopy' }, { target: 'loading' }],
        'copy.failed': [
          { guard: 'isOfAnotherCopy' },
          { guard: 'isLocalFailure', target: 'stopped', actions: 'tellCopyFailure' },
          { target: 'idle', actions: 'noteCopyFailure' },
        ],
        cancel: [{ guard: 'isPublishing' }, { target: 'idle', actions: 'endDownload' }],
        stop: { target: 'stopped', actions: 'endDownload' },
      },
    },

    /** Not to be cancelled: half a state is none (trap T60). */
    loading: {
      initial: 'opening',
      entry: [show('loading'), 'openNewest'],
      on: { ...busy, stop: { target: 'stopped' } },
      states: {
        opening: {
          on: {
            'load.opened': [
              { guard: 'isBroken', target: '#snapshot.stopped', actions: 'tellFailure' },
              { target: 'replacing', actions: 'load' },
            ],
          },
        },
        replacing: {
          on: {
            'load.done': [
              { guard: 'hasFailed', target: '#snapshot.stopped', actions: 'tellFailure' },
              { target: '#snapshot.idle', actions: 'noteLoaded' },
            ],
          },
        },
      },
    },

    /** The node has ended, or is about to: what still comes is let go. */
    stopped: {
      entry: show('idle'),
      on: {
        'store.opened': { actions: 'letGo' },
        'load.opened': { actions: 'letGo' },
        'load.done': { actions: 'endLoad' },
      },
    },
  },
})
