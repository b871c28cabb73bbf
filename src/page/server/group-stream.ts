// One group as messages for the page: what a viewer needs that comes now, and what follows. Items are gathered for a moment
// and numbered anew, so that one line is made of them for all viewers together.

import type { GroupModel, WatchChange } from '../../client/watch/group-model.ts'
import type { InstanceBook } from '../../client/watch/instance-book.ts'
import type { MemberModel } from '../../client/watch/member-model.ts'
import {
  FEED_VERSION,
  type FeedInstances,
  type FeedItem,
  type FeedPicture,
  type FeedStatus,
  MAX_INSTANCES,
} from '../../protocol/feed-protocol.ts'
import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import { sheltered } from '../../runtime/errors.ts'
import type { PageMessage } from '../page-protocol.ts'
import { Samples } from '../samples.ts'

/** @param json the same, made once for all who listen */
type PageListener = (message: PageMessage, json: string) => void

const GATHER_MS = 50
/** More than this is not gathered any longer. */
const MAX_GATHERED = 1000

interface Told {
  /** Number of the next item that the viewers are told. */
  next: number
  gathered: FeedItem[]
}

export class GroupStream {
  readonly model: GroupModel
  readonly #clock: Clock
  readonly #samples = new Samples()
  readonly #told = new Map<string, Told>()
  readonly #listeners = new Set<PageListener>()
  readonly #stop: () => void
  #timer: TimerHandle | null = null

  constructor(model: GroupModel, clock: Clock) {
    this.model = model
    this.#clock = clock
    for (const { id, status, statusAtMs } of model.members.values()) this.#sample(id, status, statusAtMs)
    this.#stop = model.on((change) => this.#changed(change))
  }

  close(): void {
    this.#stop()
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer)
    this.#timer = null
    this.#listeners.clear()
  }

  /** All there is now, in an order that can be taken as it comes. */
  opening(): readonly PageMessage[] {
    this.#flushAll()
    const { model } = this
    const members = [...model.members.values()]
    return [
      { kind: 'past', timeline: model.timeline.entries, samples: this.#samples.all },
      { kind: 'charts', charts: Object.fromEntries(model.charts) },
      ...members.flatMap((member): PageMessage[] => [...this.#pictureOf(member), stateOf(member)]),
      { kind: 'problem', problem: model.problem },
    ]
  }

  /** Returns the function that ends it. */
  listen(listener: PageListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #changed(change: WatchChange): void {
    switch (change.type) {
      case 'item':
        return this.#gather(change.member, change.item)
      case 'picture':
        this.#sample(change.member.id, change.member.status, change.member.statusAtMs)
        this.#flush(change.member)
        return this.#tellAll(this.#pictureOf(change.member))
      case 'member':
        this.#flush(change.member)
        return this.#tellAll([stateOf(change.member)])
      case 'left':
        this.#told.delete(change.member.id)
        this.#samples.forget(change.member.id)
        return this.#tellAll([{ kind: 'left', id: change.member.id }])
      case 'charts':
        return this.#tellAll([{ kind: 'charts', charts: this.#chartsOf(change.names) }])
      case 'timeline':
        // The page finds what was not heard by the numbers, as everybody does: they are left out here, too.
        if (change.entry.kind === 'gap') this.#skip(change.entry.member, change.entry.items)
        return
      case 'problem':
        return this.#tellAll([{ kind: 'problem', problem: this.model.problem }])
    }
  }

  #gather(member: MemberModel, item: FeedItem): void {
    if (item.kind === 'status') this.#sample(member.id, item.status, item.atMs)
    const told = this.#toldOf(member.id)
    told.gathered.push(item)
    if (told.gathered.length >= MAX_GATHERED) this.#flush(member)
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = null
      this.#flushAll()
    }, GATHER_MS)
  }

  #skip(id: string, items: number): void {
    const member = this.model.members.get(id)
    if (member !== undefined) this.#flush(member)
    this.#toldOf(id).next += items
  }

  #flushAll(): void {
    for (const member of this.model.members.values()) this.#flush(member)
  }

  #flush({ id, boot }: MemberModel): void {
    const told = this.#told.get(id)
    if (told === undefined || told.gathered.length === 0) return
    const { next: seq, gathered: items } = told
    told.next += items.length
    told.gathered = []
    if (boot === null) return
    const atMs = this.#clock.wallMs()
    const head = { v: FEED_VERSION, group: this.model.group, node: id, boot, seq, atMs, dropped: 0 }
    this.#tellAll([{ kind: 'batch', batch: { ...head, items } }])
  }

  #pictureOf(member: MemberModel): PageMessage[] {
    const { id, boot, status, statusAtMs, restarts } = member
    if (boot === null || status === null) return []
    const actors = [...member.actors.values()].map(({ id, parent, chart, state }) => ({
      id,
      parent,
      chart,
      state,
    }))
    const instances = member.instances === null ? {} : { instances: toldOf(member.instances) }
    const picture: FeedPicture = {
      ...{ ok: true, v: FEED_VERSION, group: this.model.group, node: id, boot },
      ...{ seq: this.#toldOf(id).next, atMs: statusAtMs, leaseMs: 0, actors, charts: {}, more: [], status },
      ...instances,
    }
    return [{ kind: 'picture', picture, restarts }]
  }

  #chartsOf(names: readonly string[]): Record<string, string> {
    const { charts } = this.model
    return Object.fromEntries(names.flatMap((name) => [[name, charts.get(name) ?? '{}']]))
  }

  #toldOf(id: string): Told {
    const known = this.#told.get(id)
    if (known !== undefined) return known
    const told = { next: 0, gathered: [] }
    this.#told.set(id, told)
    return told
  }

  #sample(id: string, status: FeedStatus | null, atMs: number): void {
    if (status !== null) this.#samples.add(id, status, atMs)
  }

  #tellAll(messages: readonly PageMessage[]): void {
    if (this.#listeners.size === 0) return
    for (const message of messages) {
      const json = JSON.stringify(message)
      // Who throws is told nothing more.
      for (const listener of [...this.#listeners])
        sheltered(
          () => listener(message, json),
          () => this.#listeners.delete(listener),
        )
    }
  }
}

/** As many as a member would tell. */
function toldOf({ told }: InstanceBook): FeedInstances {
  return { ...told, instances: told.instances.slice(0, MAX_INSTANCES) }
}

function stateOf({ id, state, problem }: MemberModel): PageMessage {
  return { kind: 'member', id, state, problem }
}
