// Groups as the Stately inspector sees them: each member a root with its actors as children, in one stream of messages. What
// a viewer needs that comes late is made from the models as they are then: nothing is stored for it.

import type { GroupModel, WatchChange } from '../client/watch/group-model.ts'
import type { MemberModel, WatchedActor } from '../client/watch/member-model.ts'
import type { FeedItem } from '../protocol/feed-protocol.ts'
import { sheltered } from '../runtime/errors.ts'
import { StatelyInstances } from './stately-instances.ts'
import {
  commonOf,
  contextOf,
  type StatelyEventObject,
  type StatelyMessage,
  type StatelySnapshot,
  valueOfPath,
} from './stately-messages.ts'

type Listener = (message: StatelyMessage) => void

export class StatelyStream {
  readonly #wallMs: () => number
  readonly #models = new Map<GroupModel, () => void>()
  readonly #instances = new WeakMap<GroupModel, StatelyInstances>()
  readonly #listeners = new Set<Listener>()
  /** Term, leader and role that each member was shown with. */
  readonly #shown = new WeakMap<MemberModel, string>()

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
  }

  add(model: GroupModel): void {
    if (this.#models.has(model)) return
    this.#models.set(
      model,
      model.on((change) => this.#changed(model, change)),
    )
    for (const member of model.members.values()) this.#tellMember(model, member)
  }

  close(): void {
    for (const stop of this.#models.values()) stop()
    this.#models.clear()
    this.#listeners.clear()
  }

  /** Tells all that is there now, parents first, and then what happens. Returns the function that ends it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    for (const model of this.#models.keys()) {
      const members = [...model.members.values()].flatMap((member) => this.#registrations(model, member))
      for (const message of [...members, ...this.#instancesOf(model).all]) this.#say(listener, message)
    }
    return () => void this.#listeners.delete(listener)
  }

  #changed(model: GroupModel, change: WatchChange): void {
    if (change.type === 'picture') this.#tellMember(model, change.member)
    else if (change.type === 'item') this.#happened(model, change.member, change.item)
    else if (change.type === 'charts') this.#tellAll(this.#instancesOf(model).all)
    else if (change.type === 'left') this.#gone(model, change.member, change.member.id)
  }

  #tellMember(model: GroupModel, member: MemberModel): void {
    this.#tellAll(this.#registrations(model, member))
    if (member.instances !== null) this.#tellAll(this.#instancesOf(model).heard(member.instances.told))
  }

  #tellAll(messages: readonly StatelyMessage[]): void {
    for (const message of messages) this.#tell(message)
  }

  #instancesOf(model: GroupModel): StatelyInstances {
    const known = this.#instances.get(model)
    if (known !== undefined) return known
    const made = new StatelyInstances(model, (id) => this.#session(model, id), this.#wallMs)
    this.#instances.set(model, made)
    return made
  }

  #registrations(model: GroupModel, member: MemberModel): StatelyMessage[] {
    return [...member.actors.values()].map((actor) => this.#registration(model, member, actor))
  }

  #registration(model: GroupModel, member: MemberModel, actor: WatchedActor): StatelyMessage {
    const { id, parent, chart } = actor
    const definition = chart === null ? undefined : model.charts.get(chart)
    return {
      type: '@xstate.actor',
      ...this.#common(model, member, id, member.statusAtMs),
      name: parent === null ? id : id.slice(parent.length + 1),
      ...(parent === null ? {} : { parentId: this.#session(model, parent) }),
      ...(definition === undefined ? {} : { definition }),
      snapshot: snapshotOf(member, actor),
    }
  }

  #happened(model: GroupModel, member: MemberModel, item: FeedItem): void {
    switch (item.kind) {
      case 'actor': {
        const actor = member.actors.get(item.id)
        if (actor !== undefined) this.#tell(this.#registration(model, member, actor))
        return
      }
      case 'transition': {
        const event = { type: item.event, ...(item.skipped > 0 ? { skipped: item.skipped } : {}) }
        this.#event(model, member, item.id, item.atMs, event)
        const actor = member.actors.get(item.id)
        // Several items of a batch are in the model at once: this one's state is what it says.
        const moved = actor && { ...actor, state: item.to }
        if (moved !== undefined) this.#snapshot(model, member, moved, item.atMs, event)
        return
      }
      case 'gone':
        this.#gone(model, member, item.id, item.atMs)
        return
      case 'event':
        this.#event(model, member, item.id, item.atMs, { type: item.event })
        return
      case 'role': {
        const { from, to, term, reason, atMs } = item
        this.#event(model, member, member.id, atMs, { type: 'role', from, to, term, reason })
        return
      }
      case 'vote': {
        const { candidate, voter, term, pre, granted, reason, atMs } = item
        const type = `${pre ? 'pre-vote' : 'vote'} ${granted ? 'granted' : 'refused'}`
        // The candidate's word is what went from one to the other; the voter's says why.
        if (reason !== null) return
        this.#event(model, member, candidate, atMs, { type, voter, term }, voter)
        return
      }
      case 'status':
        return this.#numbers(model, member, item.atMs)
      case 'instances':
        this.#tellAll(this.#instancesOf(model).heard(item))
    }
  }

  /** Numbers alone are news only when another one leads, or another term has begun. */
  #numbers(model: GroupModel, member: MemberModel, atMs: number): void {
    const { status } = member
    const shown = JSON.stringify([status?.role, status?.term, status?.leader])
    if (this.#shown.get(member) === shown) return
    this.#shown.set(member, shown)
    const root = member.actors.get(member.id)
    if (root !== undefined) this.#snapshot(model, member, root, atMs, { type: 'status' })
  }

  #event(
    model: GroupModel,
    member: MemberModel,
    id: string,
    atMs: number,
    event: StatelyEventObject,
    source?: string,
  ): void {
    const from = source === undefined ? {} : { sourceId: this.#session(model, source) }
    this.#tell({ type: '@xstate.event', ...this.#common(model, member, id, atMs), event, ...from })
  }

  #snapshot(
    model: GroupModel,
    member: MemberModel,
    actor: WatchedActor,
    atMs: number,
    event: StatelyEventObject,
  ): void {
    const snapshot = snapshotOf(member, actor)
    this.#tell({ type: '@xstate.snapshot', ...this.#common(model, member, actor.id, atMs), event, snapshot })
  }

  #gone(model: GroupModel, member: MemberModel, id: string, atMs = this.#wallMs()): void {
    const event = { type: 'xstate.stop' }
    const snapshot = { status: 'stopped' as const }
    this.#tell({ type: '@xstate.snapshot', ...this.#common(model, member, id, atMs), event, snapshot })
  }

  #common(model: GroupModel, member: MemberModel, id: string, atMs: number) {
    return commonOf(this.#session(model, id), this.#session(model, member.id), atMs)
  }

  /** One group needs no name; several have members of the same names. */
  #session({ group }: GroupModel, id: string): string {
    return this.#models.size > 1 ? `${group}:${id}` : id
  }

  #tell(message: StatelyMessage): void {
    for (const listener of this.#listeners) this.#say(listener, message)
  }

  /** Who throws is told nothing more. */
  #say(listener: Listener, message: StatelyMessage): void {
    sheltered(
      () => listener(message),
      () => this.#listeners.delete(listener),
    )
  }
}

function snapshotOf(member: MemberModel, { parent, chart, state }: WatchedActor): StatelySnapshot {
  return {
    status: 'active',
    ...(chart === null ? {} : { value: valueOfPath(state) }),
    ...(parent === null ? { context: contextOf(member.status) } : {}),
  }
}
