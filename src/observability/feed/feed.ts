// What one member tells those who watch it. It listens to the member's actors only while somebody holds a lease: nobody
// asks, nothing is selected, nothing serialized. Whoever is slow, gone or in great number costs the others nothing.

import type { AnyActorRef } from 'xstate'
import type { NodeCore } from '../../actors/node/node.core.ts'
import {
  FEED_VERSION,
  type FeedBatch,
  type FeedPicture,
  type FeedStatus,
} from '../../protocol/feed-protocol.ts'
import type { TimerHandle } from '../../runtime/clock.ts'
import { messageOf, sheltered } from '../../runtime/errors.ts'
import { feedActor } from './actor-book.ts'
import { chartsWith, chartsWithin } from './charts.ts'
import { FeedQueue, type Taken } from './feed-queue.ts'
import { type CoreStatus, feedStatus } from './feed-status.ts'
import type { InstanceSource } from './instance-source.ts'
import { InstanceTap } from './instance-tap.ts'
import { Leases } from './leases.ts'
import { Tap } from './tap.ts'

export interface FeedOptions {
  readonly core: NodeCore
  readonly actor: AnyActorRef
  readonly numbers: () => CoreStatus
  /** Of the state machine; null: it has none. */
  readonly instances: InstanceSource | null
}

/** Takes a batch, as an object and as the JSON that it is. False: it has not left. */
export type FeedSink = (batch: FeedBatch, json: string) => boolean

export interface FeedRequest {
  readonly viewer: string
  /** 0: this viewer has seen enough. */
  readonly leaseMs: number
  /** Each event, one by one. */
  readonly everything?: boolean | undefined
  /** Instances whose keys begin like this are wanted, too. */
  readonly find?: string | undefined
}

/** Where batches go, and on whose behalf. */
export interface FeedOutlet {
  /** Renews the lease of a viewer and says all there is now. `maxBytes` is the room for charts. */
  watch(request: FeedRequest, charts: readonly string[] | undefined, maxBytes: number): FeedPicture
  /** Nobody watches here any more. */
  close(): void
}

interface Place {
  readonly sink: FeedSink
  readonly maxBytes: () => number
  readonly leases: Leases
}

const FLUSH_MS = 100
const STATUS_MS = 200
const INSTANCES_MS = 200
const BOUNDS = { maxItems: 4096, maxBytes: 1024 * 1024 } as const
/** Of a batch, around its items. */
const HEAD_BYTES = 512
/** A batch says at most this much, however much the bus takes. */
const MAX_ITEM_BYTES = 64 * 1024

export class Feed {
  readonly #options: FeedOptions
  readonly #boot: string
  readonly #queue = new FeedQueue(BOUNDS)
  readonly #places = new Set<Place>()
  #tap: Tap | null = null
  #instances: InstanceTap | null = null
  #timer: TimerHandle | null = null
  #toldStatus = ''
  #statusDueMs = 0
  #instancesDueMs = 0
  #ended = false
  /** Somebody wants to see each event. */
  #everything = false

  constructor(options: FeedOptions) {
    this.#options = options
    // Drawn when somebody watches for the first time: a member that nobody watches draws nothing.
    this.#boot = Math.floor(options.core.input.random.next() * 2 ** 52).toString(36)
  }

  /** @param maxBytes what one batch may have at most, asked each time. */
  outlet(sink: FeedSink, maxBytes: () => number = () => MAX_ITEM_BYTES): FeedOutlet {
    const place: Place = { sink, maxBytes, leases: new Leases() }
    this.#places.add(place)
    return {
      watch: (request, charts, roomBytes) => this.#watch(place, request, charts, roomBytes),
      close: () => {
        place.leases.clear()
        this.#places.delete(place)
        this.#restIfUnwatched()
      },
    }
  }

  get isWatched(): boolean {
    return this.#tap !== null
  }

  /** The member has ended: what there is left to tell is told. */
  end(): void {
    if (!this.#ended) this.#deliver()
    this.drop()
  }

  /** The member is gone as if its process had been killed: nothing is told any more. */
  drop(): void {
    this.#ended = true
    for (const { leases } of this.#places) leases.clear()
    this.#rest()
  }

  #watch(
    { leases }: Place,
    { viewer, leaseMs, everything = false, find }: FeedRequest,
    charts: readonly string[] | undefined,
    maxBytes: number,
  ): FeedPicture {
    const { core } = this.#options
    const granted = this.#ended ? 0 : leases.renew(viewer, leaseMs, everything, core.clock.nowMs())
    this.#restIfUnwatched()
    if (granted > 0) this.#wake()
    // Whoever only takes leave, or looks once, is told how things are all the same.
    const tap = this.#tap ?? this.#newTap()
    const instances = this.#instances ?? this.#newInstances(false)
    const picture = {
      ...{ ok: true as const, v: FEED_VERSION, group: core.group, node: core.id, boot: this.#boot },
      ...{ seq: this.#queue.next, atMs: core.clock.wallMs(), leaseMs: granted },
      actors: [...tap.book].map(feedActor),
      status: this.#status(tap, null),
      ...(instances !== null && { instances: instances.picture() }),
      ...(instances !== null && find !== undefined && { found: instances.find(find) }),
    } as const
    if (tap !== this.#tap) tap.detach()
    const known = chartsWith(instances?.chart ?? null)
    return { ...picture, ...chartsWithin(known, charts, maxBytes - JSON.stringify(picture).length) }
  }

  #wake(): void {
    if (this.#tap !== null) return
    const { core } = this.#options
    // What happened while nobody watched is told to nobody: whoever has been here before must ask anew.
    this.#queue.skip()
    this.#tap = this.#newTap()
    this.#instances = this.#newInstances(true)
    this.#toldStatus = ''
    core.logger.debug({ group: core.group }, 'Somebody watches this member.')
    this.#arm()
  }

  #newTap(): Tap {
    const { core, actor } = this.#options
    return new Tap({
      ...{ core, actor },
      everything: () => this.#everything,
      push: (item) => this.#queue.push(item),
      failed: (thrown) => this.#failed(thrown),
    })
  }

  #newInstances(follows: boolean): InstanceTap | null {
    const { instances } = this.#options
    return instances === null ? null : new InstanceTap(instances, follows)
  }

  /** Looked at when leases change, not at each event. */
  #weighLeases(): void {
    this.#everything = [...this.#places].some(({ leases }) => leases.everything)
  }

  #arm(): void {
    this.#timer = this.#options.core.clock.setTimeout(() => {
      this.#timer = null
      this.#deliver()
      const nowMs = this.#options.core.clock.nowMs()
      for (const { leases } of this.#places) leases.expire(nowMs)
      this.#restIfUnwatched()
      if (this.#tap !== null) this.#arm()
    }, FLUSH_MS)
  }

  #restIfUnwatched(): void {
    this.#weighLeases()
    for (const { leases } of this.#places) if (!leases.isEmpty) return
    this.#rest()
  }

  #rest(): void {
    if (this.#tap === null) return
    this.#tap.detach()
    this.#tap = null
    this.#instances?.detach()
    this.#instances = null
    this.#queue.skip()
    const { core } = this.#options
    if (this.#timer !== null) core.clock.clearTimeout(this.#timer)
    this.#timer = null
    core.logger.debug({ group: core.group }, 'Nobody watches this member any more.')
  }

  #deliver(): void {
    const tap = this.#tap
    if (tap === null) return
    sheltered(
      () => {
        tap.flush()
        this.#tellStatus(tap)
        this.#tellInstances()
      },
      (thrown) => this.#failed(thrown),
    )
    const watched = [...this.#places].filter(({ leases }) => !leases.isEmpty)
    const roomBytes = Math.min(MAX_ITEM_BYTES, ...watched.map(({ maxBytes }) => maxBytes())) - HEAD_BYTES
    for (let taken = this.#queue.take(roomBytes); taken !== null; taken = this.#queue.take(roomBytes))
      this.#publish(watched, taken)
  }

  #publish(places: readonly Place[], { items, json, ...numbers }: Taken): void {
    const { core } = this.#options
    const head = {
      ...{ v: FEED_VERSION, group: core.group, node: core.id, boot: this.#boot },
      ...{ seq: numbers.seq, atMs: core.clock.wallMs(), dropped: numbers.dropped },
    } as const
    const text = `${JSON.stringify(head).slice(0, -1)},"items":[${json}]}`
    let lost = false
    for (const { sink } of places) {
      sheltered(
        () => {
          if (!sink({ ...head, items }, text)) lost = true
        },
        (thrown) => this.#failed(thrown),
      )
    }
    if (lost) this.#queue.lost(items.length)
  }

  #tellStatus(tap: Tap): void {
    const { clock } = this.#options.core
    if (clock.nowMs() < this.#statusDueMs) return
    const status = this.#status(tap, tap.commits.take())
    const told = JSON.stringify(status)
    if (told === this.#toldStatus) return
    this.#toldStatus = told
    this.#statusDueMs = clock.nowMs() + STATUS_MS
    this.#queue.push({ kind: 'status', status, atMs: clock.wallMs() })
  }

  #tellInstances(): void {
    const { clock } = this.#options.core
    if (this.#instances === null || clock.nowMs() < this.#instancesDueMs) return
    this.#instancesDueMs = clock.nowMs() + INSTANCES_MS
    const item = this.#instances.take(clock.wallMs())
    if (item !== null) this.#queue.push(item)
  }

  #status(tap: Tap, commitLatency: FeedStatus['commitLatency']): FeedStatus {
    const { core, numbers } = this.#options
    return feedStatus({ core, numbers: numbers(), book: tap.book, commitLatency })
  }

  /** A defect of the feed: whoever watches sees a gap, and the member goes on. */
  #failed(thrown: unknown): void {
    const { core } = this.#options
    this.#queue.lost(1)
    core.logger.debug(
      { group: core.group, error: messageOf(thrown) },
      'Something could not be told to those who watch.',
    )
  }
}
