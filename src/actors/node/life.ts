// The life of a node as an object in its process: its actors, its place in the group, how it began and how it ends.

import type { AnyActorRef, EventObject } from 'xstate'
import type { PeerId, Term } from '../../rules/types.ts'
import { Bulletin } from './bulletin.ts'
import type { Holder } from './tenure.ts'

/** The step of the start that is going on: named when it fails. */
export type StartStep =
  | 'openingLog'
  | 'loadingSnapshot'
  | 'checkingConsistency'
  | 'loadingMeta'
  | 'joiningGroup'

export class Life {
  step: StartStep = 'openingLog'
  /** The node's own actor and its lasting children; null before the chart's `init`. */
  self: AnyActorRef | null = null
  proposalQueue: AnyActorRef | null = null
  applyQueue: AnyActorRef | null = null
  logActor: AnyActorRef | null = null
  snapshotExecutor: AnyActorRef | null = null
  /** Its entry in the host's routing table. */
  route: { stop(): void } | null = null
  /** What listeners were told last. */
  announced: { readonly leader: PeerId | null; readonly term: Term } = { leader: null, term: 0 }
  /** What else they are told. */
  readonly bulletin = new Bulletin()
  /** Who does something for as long as this member leads. */
  readonly holders = new Set<Holder>()
  /** How many wait for the holders to end before leadership is given away. */
  yielding = 0
  /** What stopped the node; a node reports one error (trap T89). */
  failure: Error | null = null
  /** A successor has been told to campaign, and its answer is awaited. */
  farewell = false
  /** Vanished, as if the process had been killed: whatever still calls back finds nobody. */
  gone = false
  readonly #started: (error: Error | null) => void
  #told = false

  constructor(started: (error: Error | null) => void) {
    this.#started = started
  }

  /** Tells the host, once, that the node takes part in its group, or why it could not be started. */
  tellStarted(error: Error | null): void {
    if (this.#told) return
    this.#told = true
    this.#started(error)
  }

  /** No request of another member reaches the node from here on. */
  leaveGroup(): void {
    this.route?.stop()
    this.route = null
  }
}

/** What comes for an actor that has ended, or is not there yet, is nobody's. */
export function tellIfActive(actor: AnyActorRef | null, event: EventObject): void {
  if (actor?.getSnapshot().status === 'active') actor.send(event)
}
