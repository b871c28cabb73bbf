// The change of membership that a leader carries out (braft ConfigurationCtx): those who come are caught up, then both sets
// decide, then the new one alone. What it does is in the file beside this one, and what it decides in rules/change.ts.

import { setup } from 'xstate'
import { isMember, isStable } from '../../rules/quorum.ts'
import type { ChangeContext, ChangeEvent } from './configuration-change.actions.ts'
import * as changing from './configuration-change.actions.ts'

const configurationChange = setup({
  types: {
    context: {} as ChangeContext,
    events: {} as ChangeEvent,
    input: {} as ChangeContext,
  },
  guards: {
    isHalfDone: ({ context }) => !isStable(context.world.configuration),
    isLeaving: ({ context: { world } }) => !isMember(world.configuration, world.id),
    isRefused: ({ context, event }) => changing.isRefused(context, event),
    isUnchanged: ({ context, event }) => changing.isUnchanged(context, event),
    keepsVoters: ({ context }) => changing.keepsVoters(context),
    isReadyForJoint: ({ context }) => changing.isReadyForJoint(context),
    isReady: ({ context }) => changing.isReady(context),
    isWaitedForInVain: ({ context }) => context.change.inVain !== null,
    hasLeft: ({ context }) =>
      changing.isCommitted(context) && !isMember(context.world.configuration, context.world.id),
    isCommitted: ({ context }) => changing.isCommitted(context),
  },
  actions: {
    refuse: ({ context, event }) => changing.refuse(context, event),
    refuseBusy: ({ context, event }) => changing.refuseBusy(context, event),
    confirm: ({ context, event }) => changing.confirm(context, event),
    begin: ({ context, event }) => changing.begin(context, event),
    look: ({ context }) => changing.look(context),
    giveUp: ({ context }) => changing.giveUp(context),
    proposeJoint: ({ context }) => changing.proposeJoint(context),
    proposeStable: ({ context }) => changing.proposeStable(context),
    conclude: ({ context }) => changing.conclude(context),
    show: ({ context }, params: { stage: ChangeContext['change']['stage'] }) => {
      context.change.stage = params.stage
    },
  },
  delays: { beat: ({ context }) => context.world.heartbeatMs },
})

const show = (stage: ChangeContext['change']['stage']) => ({ type: 'show', params: { stage } }) as const
const busy = { ask: { actions: 'refuseBusy' } } as const
const ready = [
  { guard: 'isReadyForJoint', target: 'joint' },
  { guard: 'isReady', target: 'stable' },
] as const

export const configurationChangeMachine = configurationChange.createMachine({
  id: 'configurationChange',
  context: ({ input }) => input,
  initial: 'none',
  states: {
    none: {
      entry: show('none'),
      // What an earlier leader has begun is finished first.
      always: [
        { guard: 'isHalfDone', target: 'joint' },
        { guard: 'isLeaving', target: 'stable' },
      ],
      on: {
        ask: [
          { guard: 'isRefused', actions: 'refuse' },
          { guard: 'isUnchanged', actions: 'confirm' },
          { target: 'catchingUp', actions: 'begin' },
        ],
      },
    },
    catchingUp: {
      entry: show('catchingUp'),
      always: [{ guard: 'keepsVoters', target: 'stable' }, ...ready],
      on: { ...busy, moved: [...ready] },
      initial: 'waiting',
      states: {
        waiting: { after: { beat: { target: 'looking' } } },
        looking: {
          entry: 'look',
          always: [
            { guard: 'isWaitedForInVain', target: '#configurationChange.none', actions: 'giveUp' },
            { target: 'waiting' },
          ],
        },
      },
    },
    joint: {
      entry: [show('joint'), 'proposeJoint'],
      on: { ...busy, moved: { guard: 'isCommitted', target: 'stable' } },
    },
    stable: {
      entry: [show('stable'), 'proposeStable'],
      on: {
        ...busy,
        moved: [
          { guard: 'hasLeft', target: 'gone', actions: 'conclude' },
          { guard: 'isCommitted', target: 'none', actions: 'conclude' },
        ],
      },
    },
    // The office is about to end.
    gone: { on: busy },
  },
})
