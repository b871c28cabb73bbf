// Actor logic without a chart, for what has no phases: one mutable state, a fiftieth of the cost of a transition.

import type { ActorLogic, ActorScope, EventObject, Snapshot } from 'xstate'

export type HotSnapshot<S> = Snapshot<undefined> & {
  readonly hidden: { readonly state: S; toJSON(): undefined }
}

/** Logic made by `hot`, under a name of its own so that declarations can speak of it. */
export interface HotLogic<S, E extends EventObject, I> extends ActorLogic<HotSnapshot<S>, E, I> {}

/**
 * Wraps `on` as actor logic. The snapshot never changes and hides its state from inspectors.
 * An exception in `on` fails the actor and reaches its parent.
 */
export function hot<S, E extends EventObject, I>(definition: {
  readonly init: (input: I) => S
  readonly on: (state: S, event: E, scope: ActorScope<HotSnapshot<S>, E>) => void
}): HotLogic<S, E, I> {
  return {
    getInitialSnapshot: (_scope, input) => ({
      status: 'active',
      output: undefined,
      error: undefined,
      hidden: { state: definition.init(input), toJSON: () => undefined },
    }),
    transition: (snapshot, event, scope) => {
      if (event.type === 'xstate.stop')
        return { ...snapshot, status: 'stopped', output: undefined, error: undefined }
      if (!event.type.startsWith('xstate.')) definition.on(snapshot.hidden.state, event, scope)
      return snapshot
    },
    getPersistedSnapshot: (snapshot) => snapshot,
  }
}
