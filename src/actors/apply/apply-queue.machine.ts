// The apply queue: one serial queue in front of the user's state machine (braft FSMCaller). The chart says whether it
// is at work, waits for user code, or has failed for good; the work itself is in apply-worker.ts.

import { setup } from 'xstate'
import { quick } from '../quick.ts'
import type { ApplyQueueEvent } from './apply-queue.events.ts'
import { ApplyWorker } from './apply-worker.ts'
import type { ApplyWorld } from './apply-world.ts'

export interface ApplyQueueInput {
  readonly world: ApplyWorld
}

const applyQueue = setup({
  types: {
    context: {} as { readonly worker: ApplyWorker },
    events: {} as ApplyQueueEvent,
    input: {} as ApplyQueueInput,
  },
  guards: {
    isBusy: ({ context }) => !context.worker.isIdle,
    hasNothingToDo: ({ context }) => context.worker.isIdle,
    hasFailed: ({ context }) => context.worker.hasFailed,
    hasStopped: ({ context }) => context.worker.isStopped,
  },
  actions: {
    enqueue: ({ context, event }) => context.worker.enqueue(event),
    work: ({ context }) => context.worker.work(),
    reportFailure: ({ context }) => context.worker.reportFailure(),
  },
})

export const applyQueueMachine = applyQueue.createMachine({
  id: 'applyQueue',
  context: ({ input: { world }, self }) => {
    const resume = (): void => {
      if (self.getSnapshot().status === 'active') self.send({ type: 'resumed' })
    }
    return { worker: new ApplyWorker({ world, resume }) }
  },
  initial: 'idle',
  states: {
    // Synchronous user code is done before the event is: only what has to be waited for changes the state.
    idle: {
      on: { '*': { actions: ['enqueue', 'work'] } },
      always: [
        { guard: 'hasFailed', target: 'failed' },
        { guard: 'hasStopped', target: 'stopped' },
        { guard: 'isBusy', target: 'applying' },
      ],
    },
    applying: {
      on: {
        resumed: { actions: 'work' },
        '*': { actions: 'enqueue' },
      },
      always: [
        { guard: 'hasFailed', target: 'failed' },
        { guard: 'hasStopped', target: 'stopped' },
        { guard: 'hasNothingToDo', target: 'idle' },
      ],
    },
    // Nothing is applied any more; notices, refusals and the stop still go through.
    failed: {
      entry: ['reportFailure', 'work'],
      always: { guard: 'hasStopped', target: 'stopped' },
      on: { '*': { actions: ['enqueue', 'work'] } },
    },
    stopped: {
      on: { '*': { actions: ['enqueue', 'work'] } },
    },
  },
})

quick(applyQueueMachine)
