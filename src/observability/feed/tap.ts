// What XState tells of a member's actors, and what is made of it. It selects before anything is serialized, costs the same
// for each event however many actors there are, and throws nothing into XState: an exception there locks an actor for good.

import type { AnyActorRef, AnyEventObject, InspectionEvent } from 'xstate'
import type { NodeCore } from '../../actors/node/node.core.ts'
import type { FeedItem } from '../../protocol/feed-protocol.ts'
import type { Clock } from '../../runtime/clock.ts'
import { ActorBook, feedActor, isActive, isSeldomTold, type KnownActor, stateValueOf } from './actor-book.ts'
import { pathOf } from './charts.ts'
import { CommitSampler } from './commit-sampler.ts'
import { voteHeard, voteSaid } from './votes.ts'

export interface TapOptions {
  readonly actor: AnyActorRef
  readonly core: NodeCore
  /** Default: the member's own. A simulated one takes its time for each look, which nobody who only watches may spend. */
  readonly clock?: Pick<Clock, 'nowMs' | 'wallMs'>
  readonly everything: () => boolean
  readonly push: (item: FeedItem) => void
  /** Something could not be told. */
  readonly failed: (thrown: unknown) => void
}

export class Tap {
  readonly book: ActorBook
  readonly commits: CommitSampler
  readonly #options: TapOptions
  /** Requests of other members since the last batch, by member and method. */
  readonly #heard = new Map<string, Map<string, number>>()
  readonly #detach: () => void

  constructor(options: TapOptions) {
    const { actor, core, clock = core.clock } = options
    this.#options = options
    this.book = new ActorBook(core.id)
    this.commits = new CommitSampler(core, clock)
    this.book.addAll(actor)
    const inspection = actor.system.inspect({ next: (event: InspectionEvent) => this.#guarded(event) })
    const emitted = [
      actor.on('role', ({ from, to, term, reason }) =>
        this.#push({ kind: 'role', from, to, term, reason, leader: core.leader, atMs: this.#nowMs() }),
      ),
      actor.on('leader', ({ leader, term }) =>
        this.#push({ kind: 'leader', leader, term, atMs: this.#nowMs() }),
      ),
    ]
    this.#detach = () => {
      for (const each of [inspection, ...emitted]) each.unsubscribe()
    }
  }

  detach(): void {
    this.#detach()
  }

  /** Tells what was gathered, and lets transitions be told anew. */
  flush(): void {
    for (const actor of this.book) {
      const snapshot = actor.ref.getSnapshot()
      if (!isActive(snapshot)) {
        this.#moved(actor, 'xstate.stop', stateValueOf(snapshot))
        this.#end(actor)
      } else if (actor.left > 0 || !isSeldomTold(actor)) this.#tellUntold(actor)
      this.#tellCounts(actor)
    }
    if (this.#heard.size > 0) {
      const heard = [...this.#heard].flatMap(([from, methods]) =>
        [...methods].map(([method, count]) => ({ from, method, count })),
      )
      this.#heard.clear()
      this.#push({ kind: 'messages', heard, atMs: this.#nowMs() })
    }
    this.book.renew()
  }

  #guarded(event: InspectionEvent): void {
    try {
      if (event.type === '@xstate.event') this.#sent(event.actorRef, event.event)
      else if (event.type === '@xstate.snapshot') this.#seen(event.actorRef, event.event, event.snapshot)
    } catch (thrown) {
      this.#options.failed(thrown)
    }
  }

  #sent(ref: InspectionEvent['actorRef'], event: AnyEventObject): void {
    const { type } = event
    if (type.startsWith('xstate.init') || type === 'xstate.stop') return
    const actor = this.book.find(ref)
    if (actor === undefined) return
    actor.events.set(type, (actor.events.get(type) ?? 0) + 1)
    if (this.#options.everything())
      this.#push({ kind: 'event', id: actor.id, event: type, atMs: this.#nowMs() })
    if (actor.parent === null && type.startsWith('rpc.')) this.#count(event.from, type.slice('rpc.'.length))
  }

  #count(from: unknown, method: string): void {
    if (typeof from !== 'string') return
    const methods = this.#heard.get(from) ?? new Map<string, number>()
    this.#heard.set(from, methods.set(method, (methods.get(method) ?? 0) + 1))
  }

  #seen(ref: InspectionEvent['actorRef'], event: AnyEventObject, snapshot: unknown): void {
    const actor = this.book.find(ref)
    if (actor === undefined) {
      if (isActive(snapshot)) this.#begin(ref)
      return
    }
    const value = stateValueOf(snapshot)
    if (value !== actor.value) this.#moved(actor, event.type, value)
    if (actor.parent === null) this.#looked(event)
    if (!isActive(snapshot)) this.#end(actor)
  }

  /** The member itself has dealt with an event. */
  #looked(event: AnyEventObject): void {
    this.commits.look()
    const { core } = this.#options
    const vote = voteHeard(core, event) ?? voteSaid(core, event)
    if (vote !== null) this.#push({ kind: 'vote', ...vote, atMs: this.#nowMs() })
  }

  #begin(ref: InspectionEvent['actorRef']): void {
    const actor = this.book.describe(ref)
    if (actor === null) return
    const before = this.book.namesake(actor)
    if (before !== undefined) this.#end(before)
    this.book.add(actor)
    this.#push({ kind: 'actor', ...feedActor(actor), atMs: this.#nowMs() })
  }

  #end(actor: KnownActor): void {
    this.#tellUntold(actor)
    this.#tellCounts(actor)
    this.book.remove(actor)
    this.#push({ kind: 'gone', id: actor.id, atMs: this.#nowMs() })
  }

  #moved(actor: KnownActor, event: string, value: unknown): void {
    actor.value = value
    const to = pathOf(value)
    const from = actor.state
    if (to === from) return
    actor.state = to
    if (actor.left > 0 || actor.parent === null || this.#options.everything()) {
      actor.left -= 1
      const skipped = actor.untold === null ? 0 : actor.untold.skipped
      const told = { event, from: actor.untold?.from ?? from, to, skipped }
      actor.untold = null
      this.#push({ kind: 'transition', id: actor.id, ...told, atMs: this.#nowMs() })
    } else {
      const { from: first = from, skipped = -1 } = actor.untold ?? {}
      actor.untold = { event, from: first, skipped: skipped + 1 }
    }
  }

  #tellUntold(actor: KnownActor): void {
    const { untold, state } = actor
    if (untold === null) return
    actor.untold = null
    const { event, from, skipped } = untold
    this.#push({ kind: 'transition', id: actor.id, event, from, to: state, skipped, atMs: this.#nowMs() })
  }

  #tellCounts(actor: KnownActor): void {
    if (actor.events.size === 0) return
    this.#push({ kind: 'counts', id: actor.id, events: Object.fromEntries(actor.events) })
    actor.events.clear()
  }

  #push(item: FeedItem): void {
    try {
      this.#options.push(item)
    } catch (thrown) {
      this.#options.failed(thrown)
    }
  }

  #nowMs(): number {
    const { core, clock = core.clock } = this.#options
    return clock.wallMs()
  }
}
