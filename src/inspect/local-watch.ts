// Watching members of this process: their feeds go into models without a bus between them.

import type { RaftNode } from '../api.ts'
import { GroupModel } from '../client/watch/group-model.ts'
import type { FeedOutlet } from '../observability/feed/feed.ts'
import {
  type FeedBatch,
  type FeedInstance,
  type FeedPicture,
  MAX_LEASE_MS,
} from '../protocol/feed-protocol.ts'
import type { Clock, TimerHandle } from '../runtime/clock.ts'
import { feedOf } from '../services/member-port.ts'

export interface LocalWatchOptions {
  /** All that are there at the moment. */
  readonly nodes: () => readonly RaftNode[]
  readonly everything: boolean
  readonly clock: Clock
  /** A group that was not there before. */
  readonly found: (model: GroupModel) => void
}

/** How often it looks for nodes that have come or gone: a group elects, loses and elects again in a quarter of a second. */
const LOOK_MS = 50
const RENEW_MS = 500
/** One process holds all charts: they always have room. */
const ROOM_BYTES = 16 * 1024 * 1024

export class LocalWatch {
  readonly models = new Map<string, GroupModel>()
  readonly #options: LocalWatchOptions
  readonly #watched = new Map<RaftNode, FeedOutlet>()
  #timer: TimerHandle | null = null
  #renewDueMs = 0

  constructor(options: LocalWatchOptions) {
    this.#options = options
    this.#look()
  }

  close(): void {
    if (this.#timer !== null) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = null
    for (const outlet of this.#watched.values()) outlet.close()
    this.#watched.clear()
  }

  #look(): void {
    const { nodes, clock } = this.#options
    const present = new Set(nodes())
    for (const [node, outlet] of this.#watched) if (!present.has(node)) this.#leave(node, outlet)
    const renews = clock.nowMs() >= this.#renewDueMs
    if (renews) this.#renewDueMs = clock.nowMs() + RENEW_MS
    for (const node of present) if (renews || !this.#watched.has(node)) this.#renew(node)
    this.#timer = clock.setTimeout(() => this.#look(), LOOK_MS)
  }

  #renew(node: RaftNode): void {
    const known = this.#watched.get(node)
    if (known !== undefined) {
      const { leaseMs, charts } = this.#ask(known)
      if (leaseMs === 0) this.#leave(node, known)
      // Another version of a replicated machine has another chart.
      else this.modelOf(node.group).learn(charts)
      return
    }
    const feed = feedOf(node)
    if (feed === null) return
    const model = this.modelOf(node.group)
    const outlet = feed.outlet((batch) => {
      this.#heard(model, outlet, batch)
      return true
    })
    const picture = this.#ask(outlet)
    // It has ended already, and will not be another one.
    if (picture.leaseMs === 0) return outlet.close()
    this.#watched.set(node, outlet)
    this.#show(model, picture)
  }

  #ask(outlet: FeedOutlet): FeedPicture {
    const { everything } = this.#options
    return outlet.watch({ viewer: 'in-process', leaseMs: MAX_LEASE_MS, everything }, undefined, ROOM_BYTES)
  }

  #heard(model: GroupModel, outlet: FeedOutlet, batch: FeedBatch): void {
    const verdict = model.hear(batch)
    if (verdict !== undefined && verdict.kind !== 'fresh') this.#show(model, this.#ask(outlet))
  }

  #show(model: GroupModel, picture: FeedPicture): void {
    model.show(picture)
    const member = model.members.get(picture.node)
    if (member !== undefined) model.setState(member, 'live', null)
  }

  #leave(node: RaftNode, outlet: FeedOutlet): void {
    outlet.close()
    this.#watched.delete(node)
    const model = this.models.get(node.group)
    const member = model?.members.get(node.id)
    // Another life of it may have begun meanwhile.
    const lives = [...this.#watched.keys()].some(
      (other) => other.group === node.group && other.id === node.id,
    )
    if (model !== undefined && member !== undefined && !lives)
      model.setState(member, 'ended', `Member ${node.id} has ended.`)
  }

  /** Instances whose keys begin like this, by whoever leads. */
  find(group: string, text: string): readonly FeedInstance[] {
    const nodes = [...this.#watched.keys()].filter((node) => node.group === group)
    const leader = this.models.get(group)?.leader
    const node = nodes.find(({ id }) => id === leader) ?? nodes[0]
    const outlet = node === undefined ? undefined : this.#watched.get(node)
    const request = { viewer: 'in-process-f', leaseMs: 0, find: text }
    return outlet?.watch(request, [], 0).found ?? []
  }

  /** The model of a group, also before any member of it is here. */
  modelOf(group: string): GroupModel {
    const known = this.models.get(group)
    if (known !== undefined) return known
    const { clock, found } = this.#options
    const model = new GroupModel(group, () => clock.wallMs())
    this.models.set(group, model)
    found(model)
    return model
  }
}
