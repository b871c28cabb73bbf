// One member as a viewer sees it: its actors and their states, its numbers, and what it has not been heard to say.

import type { FeedActor, FeedBatch, FeedItem, FeedPicture, FeedStatus } from '../../protocol/feed-protocol.ts'
import { InstanceBook } from './instance-book.ts'

/**
 * `expected`: others name it, and it has said nothing yet. `live`: it is heard. `silent`: it is not heard any more.
 * `ended`: it has said that it stops.
 */
export type MemberState = 'expected' | 'live' | 'silent' | 'ended'

export interface WatchedActor extends FeedActor {
  /** By type, since it was first seen. */
  readonly events: ReadonlyMap<string, number>
  /** The event that led to its state, and when; null: it was in that state when it was first seen. */
  readonly last: { readonly event: string; readonly from: string; readonly atMs: number } | null
}

/** What a batch was good for. `gap`: something before it is missing. `stranger`: it is of a life that is not known. */
export type BatchVerdict =
  | { readonly kind: 'fresh' | 'gap'; readonly items: readonly FeedItem[]; readonly missing: number }
  | { readonly kind: 'stranger' }

/** Actors that one member may have. */
const MAX_ACTORS = 8192

interface Actor extends WatchedActor {
  state: string
  readonly events: Map<string, number>
  last: WatchedActor['last']
}

export class MemberModel {
  readonly id: string
  state: MemberState = 'expected'
  /** Why it is not heard, as a sentence; null: it is. */
  problem: string | null = null
  /** Of its present life; null: it has not been heard. */
  boot: string | null = null
  /** How often it was seen to begin another life. */
  restarts = 0
  status: FeedStatus | null = null
  statusAtMs = 0
  /** Of its replicated machine; null: it has none, or is of before they were told. */
  instances: InstanceBook | null = null
  /** Items that it told and that were not heard here. */
  missed = 0
  /** Requests it has heard, by sender and method. */
  readonly heard = new Map<string, Map<string, number>>()
  #actors = new Map<string, Actor>()
  /** The number of the next item. */
  #next = 0

  constructor(id: string) {
    this.id = id
  }

  get actors(): ReadonlyMap<string, WatchedActor> {
    return this.#actors
  }

  get next(): number {
    return this.#next
  }

  /** Takes how it is now. Returns whether it is another life than the one before. */
  show(picture: FeedPicture): boolean {
    const restarted = this.boot !== null && this.boot !== picture.boot
    if (restarted) this.restarts += 1
    const before = restarted ? new Map<string, Actor>() : this.#actors
    this.boot = picture.boot
    this.#next = picture.seq
    this.#actors = new Map(
      picture.actors.slice(0, MAX_ACTORS).map((actor) => {
        const known = before.get(actor.id)
        const last = known?.state === actor.state ? known.last : null
        return [actor.id, { ...actor, events: known?.events ?? new Map(), last }]
      }),
    )
    this.status = picture.status
    this.statusAtMs = picture.atMs
    this.instances = picture.instances === undefined ? null : new InstanceBook(picture.instances)
    return restarted
  }

  /** Takes what has happened, each item once. */
  hear({ boot, seq, items }: FeedBatch): BatchVerdict {
    if (boot !== this.boot) return { kind: 'stranger' }
    const missing = Math.max(0, seq - this.#next)
    const fresh = items.slice(Math.max(0, this.#next - seq))
    this.#next = Math.max(this.#next, seq + items.length)
    this.missed += missing
    for (const item of fresh) this.#take(item)
    return { kind: missing > 0 ? 'gap' : 'fresh', items: fresh, missing }
  }

  #take(item: FeedItem): void {
    switch (item.kind) {
      case 'actor': {
        const { id, parent, chart, state } = item
        if (this.#actors.size >= MAX_ACTORS && !this.#actors.has(id)) return
        this.#actors.set(id, { id, parent, chart, state, events: new Map(), last: null })
        return
      }
      case 'gone':
        this.#actors.delete(item.id)
        return
      case 'transition': {
        const actor = this.#actors.get(item.id)
        if (actor === undefined) return
        actor.state = item.to
        actor.last = { event: item.event, from: item.from, atMs: item.atMs }
        return
      }
      case 'counts': {
        const { events } = this.#actors.get(item.id) ?? {}
        for (const [type, count] of Object.entries(item.events)) add(events, type, count)
        return
      }
      case 'status':
        this.status = item.status
        this.statusAtMs = item.atMs
        return
      case 'instances':
        if (this.instances === null) this.instances = new InstanceBook(item)
        else this.instances.hear(item, item.whole)
        return
      case 'messages':
        for (const { from, method, count } of item.heard) {
          if (!this.heard.has(from) && this.heard.size >= MAX_TYPES) continue
          const methods = this.heard.get(from) ?? new Map<string, number>()
          this.heard.set(from, methods)
          add(methods, method, count)
        }
    }
  }
}

/** Kinds of events, or senders, that are counted. */
const MAX_TYPES = 1024

function add(counts: Map<string, number> | undefined, key: string, count: number): void {
  if (counts === undefined || (counts.size >= MAX_TYPES && !counts.has(key))) return
  counts.set(key, (counts.get(key) ?? 0) + count)
}
