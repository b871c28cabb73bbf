// A place where a machine can be asked for its next state without anything happening: no timer is set, no child is
// started, no action runs. What it would have done is collected instead.

import {
  type ActorLogic,
  type AnyActorRef,
  type AnyActorScope,
  type AnyEventObject,
  createActor,
  type ExecutableActionObject,
  type Snapshot,
} from 'xstate'

/** What is in the place of an invoked actor in the state: only that it is there, and what it is made of, counts. */
type InertSnapshot = Snapshot<undefined>
const INERT: InertSnapshot = { status: 'active', output: undefined, error: undefined }

/** Does nothing, on every member; the real one runs at the leader. */
export const inertLogic: ActorLogic<InertSnapshot, AnyEventObject> = {
  transition: (snapshot) => snapshot,
  getInitialSnapshot: () => INERT,
  getPersistedSnapshot: () => INERT,
  restoreSnapshot: () => INERT,
}

export class Collector {
  readonly scope: AnyActorScope
  /** Whoever a machine calls `self`. */
  readonly self: AnyActorRef
  #actions: ExecutableActionObject[] = []

  constructor() {
    const self = createActor(inertLogic)
    const nothing = (): void => {}
    this.self = self
    this.scope = {
      self,
      id: 'replicated',
      sessionId: 'replicated',
      system: self.system,
      logger: nothing,
      defer: nothing,
      stopChild: nothing,
      emit: nothing,
      actionExecutor: (action) => {
        this.#actions.push(action)
      },
    }
  }

  begin(): void {
    this.#actions = []
  }

  /** What the machine has asked for since the last time. */
  take(): readonly ExecutableActionObject[] {
    const actions = this.#actions
    this.#actions = []
    return actions
  }

  get isEmpty(): boolean {
    return this.#actions.length === 0
  }
}
