// How a lane learns where its messages go, and tells how they fare there.

import type { Standing } from '../protocol/client-protocol.ts'
import type { PeerId } from '../rules/types.ts'

export type ClientMethod = 'propose' | 'read'

/** One place that requests go to. */
export class Destination {
  /** Null: not one member, but whoever listens there. */
  readonly leader: PeerId | null
  readonly subjects: Readonly<Record<ClientMethod, string>>
  /** Requests on their way. */
  waiting = 0
  /** An answer has come since somebody looked. */
  heard = false
  /** It has let requests wait for too long. */
  silent = false

  constructor(leader: PeerId | null, subjects: Readonly<Record<ClientMethod, string>>) {
    this.leader = leader
    this.subjects = subjects
  }
}

/** For every `sent` comes exactly one of `answered`, `nobodyListens` and `gaveUp`. */
export interface Route {
  /** Null: there is nobody to send to just now. */
  choose(): Destination | null
  sent(to: Destination): void
  /** `by`: who says to have answered, null when it could not be understood. */
  answered(to: Destination, by: Standing | null): void
  nobodyListens(to: Destination): void
  /** No answer came, and none is waited for any longer. */
  gaveUp(to: Destination): void
}

/** Always the same way, whoever answers. */
export function fixedRoute(subjects: Readonly<Record<ClientMethod, string>>): Route {
  const destination = new Destination(null, subjects)
  const nothing = (): void => {}
  return {
    choose: () => destination,
    ...{ sent: nothing, answered: nothing, nobodyListens: nothing, gaveUp: nothing },
  }
}
