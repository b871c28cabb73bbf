// How the words of the node's chart are carried out: an action or a question of these events, and nothing that throws.

import { toError } from '../../runtime/errors.ts'
import type { NodeCore } from './node.core.ts'
import { type EventOf, type EventType, isOneOf, type NodeEvent } from './node.events.ts'
import { failEvent } from './waiting.ts'

export interface NodeContext {
  readonly core: NodeCore
}

interface Args {
  readonly context: NodeContext
  readonly event: NodeEvent
}

/** An exception inside a transition would kill the actor and leave its children running: it becomes `fatal`. */
export function guarded(core: NodeCore, event: NodeEvent, run: () => void): void {
  try {
    run()
  } catch (thrown) {
    const error = toError(thrown)
    core.send({ type: 'fatal', error })
    failEvent(core, event, error)
  }
}

/** An action for any event. */
export const act =
  (run: (core: NodeCore, event: NodeEvent) => void) =>
  ({ context: { core }, event }: Args): void =>
    guarded(core, event, () => run(core, event))

/** An action for events of these types; for others it does nothing. */
export const on =
  <T extends EventType>(types: readonly T[], run: (core: NodeCore, event: EventOf<T>) => void) =>
  ({ context: { core }, event }: Args): void =>
    guarded(core, event, () => {
      if (isOneOf(event, types)) run(core, event)
    })

/** A question about events of these types; for others the answer is no. */
export const ask =
  <T extends EventType>(types: readonly T[], question: (core: NodeCore, event: EventOf<T>) => boolean) =>
  ({ context: { core }, event }: Args): boolean =>
    isOneOf(event, types) && question(core, event)
