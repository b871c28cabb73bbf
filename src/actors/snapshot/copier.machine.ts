// Fetches another member's snapshot (braft LocalSnapshotCopier): the list of its files, then what is missing of them. What
// goes wrong at the other side is tried again for a while; canceled or failed, what has come is kept for the next
// attempt.

import { type AnyActorRef, setup } from 'xstate'
import { type CopyEvent, type CopyInput, Copying } from './copier.actions.ts'

export interface CopyContext {
  readonly copying: Copying
}

interface Args {
  readonly context: CopyContext
  readonly event: CopyEvent
  readonly self: AnyActorRef
}

const carryOut =
  (run: (copying: Copying, event: CopyEvent, self: AnyActorRef) => void) =>
  ({ context, event, self }: Args): void =>
    run(context.copying, event, self)

const copier = setup({
  types: { context: {} as CopyContext, events: {} as CopyEvent, input: {} as CopyInput },
  guards: {
    hasFailed: ({ context: { copying } }) => copying.failure !== null,
    hasList: ({ context: { copying } }) => copying.hasList,
    isPausing: ({ context: { copying } }) => copying.pauseMs > 0,
    isComplete: ({ context: { copying } }) => copying.isComplete,
    isPublished: ({ context: { copying } }) => copying.published !== null,
  },
  actions: {
    askForPage: carryOut((copying, _, self) => copying.askForPage(self)),
    takePage: carryOut((copying, event) => copying.takePage(event)),
    openCopy: carryOut((copying, _, self) => copying.open(self)),
    takeCopy: carryOut((copying, event) => copying.takeCopy(event)),
    askForPieces: carryOut((copying, _, self) => copying.askForPieces(self)),
    takePiece: carryOut((copying, event, self) => copying.takePiece(event, self)),
    noteWritten: carryOut((copying, event) => copying.noteWritten(event)),
    publish: carryOut((copying, _, self) => copying.publish(self)),
    takePublished: carryOut((copying, event) => copying.takePublished(event)),
    keepWhatCame: carryOut((copying, _, self) => copying.pause(self)),
    report: carryOut((copying) => copying.report()),
    endPause: carryOut((copying) => {
      copying.pauseMs = 0
    }),
  },
  delays: { pause: ({ context: { copying } }) => copying.pauseMs },
})

export const copierMachine = copier.createMachine({
  id: 'copier',
  context: ({ input }) => ({ copying: new Copying(input) }),
  initial: 'listing',
  on: { cancel: { target: '.canceled' } },
  states: {
    listing: {
      initial: 'asking',
      always: { guard: 'hasFailed', target: 'failed' },
      states: {
        asking: {
          always: { guard: 'hasList', target: '#copier.opening' },
          entry: 'askForPage',
          on: { 'page.answered': { target: 'judging', actions: 'takePage' } },
        },
        judging: {
          always: [
            { guard: 'hasFailed', target: '#copier.failed' },
            { guard: 'isPausing', target: 'pausing' },
            { target: 'asking' },
          ],
        },
        pausing: { after: { pause: { target: 'asking' } }, exit: 'endPause' },
      },
    },
    opening: {
      entry: 'openCopy',
      always: { guard: 'hasFailed', target: 'failed' },
      on: {
        'copy.opened': { target: 'fetching', actions: 'takeCopy' },
      },
    },
    fetching: {
      initial: 'asking',
      always: [
        { guard: 'hasFailed', target: 'failed' },
        { guard: 'isComplete', target: 'publishing' },
      ],
      on: {
        'piece.answered': { actions: ['takePiece', 'askForPieces'] },
        'chunk.written': { actions: ['noteWritten', 'askForPieces'] },
      },
      states: {
        asking: { entry: 'askForPieces', always: { guard: 'isPausing', target: 'pausing' } },
        pausing: { after: { pause: { target: 'asking' } }, exit: 'endPause' },
      },
    },
    publishing: {
      entry: 'publish',
      on: { 'copy.published': { target: 'judging', actions: 'takePublished' } },
    },
    judging: {
      always: [{ guard: 'isPublished', target: 'finished' }, { target: 'failed' }],
    },
    finished: { type: 'final', entry: 'report' },
    /** The disk keeps what has come, then whoever waits is told. */
    failed: {
      entry: 'keepWhatCame',
      on: { 'copy.paused': { target: 'ended', actions: 'report' } },
    },
    canceled: {
      entry: 'keepWhatCame',
      on: { cancel: {}, 'copy.paused': { target: 'ended' } },
    },
    ended: { type: 'final' },
  },
})
