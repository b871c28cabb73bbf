// One direction between two endpoints of the simulated bus: what gets lost, how long the rest takes, in which order.

import type { Random } from '../../runtime/random.ts'
import { chance, drawLatencyMs, type Latency, streamOf } from '../time/sim-random.ts'
import type { MessageKind } from './message-kind.ts'

export interface LinkSettings {
  readonly latency: Latency
  /** Probability that a message is lost (N1). */
  readonly dropRate: number
  /** Probability that a message comes twice, the second time within `replayMaxMs` (N3). */
  readonly duplicateRate: number
  /** How late a second copy may be. It may outlive the receiver's process and meet its successor. */
  readonly replayMaxMs: number
  /** Probability that a message leaves the order of its lane, by up to `reorderWindowMs` (N4). */
  readonly reorderRate: number
  readonly reorderWindowMs: number
  /** Probability that a damaged copy (cut off, emptied) arrives besides the message (N9). */
  readonly damageRate: number
  /** Null: no limit (N7). */
  readonly bandwidthBytesPerMs: number | null
  /** Kinds that don't pass (N8). */
  readonly filter: readonly MessageKind[]
  /** What a stopped link keeps, and what goes when that is full (N7). */
  readonly maxQueuedMessages: number
  readonly overflow: 'oldest' | 'newest' | 'random'
}

/** A local network without faults. */
export const DEFAULT_LINK: LinkSettings = {
  latency: { shape: 'exponential', minMs: 0.1, meanMs: 0.2, maxMs: 5 },
  dropRate: 0,
  duplicateRate: 0,
  replayMaxMs: 1000,
  reorderRate: 0,
  reorderWindowMs: 20,
  damageRate: 0,
  bandwidthBytesPerMs: null,
  filter: [],
  maxQueuedMessages: 10_000,
  overflow: 'oldest',
}

/** Why a message did not arrive. */
export type LossReason = 'blocked' | 'filtered' | 'dropped' | 'overflow' | 'disconnected' | 'nobody'

export class Link<Message> {
  readonly random: Random
  settings: LinkSettings
  /** Cuts in force. A count, because partitions may overlap and each ends by itself. */
  blocks = 0
  /** Clogged: messages wait here until it is opened. */
  stopped = false
  readonly #queue: Message[] = []
  #freeAtMs = 0

  constructor(settings: LinkSettings, random: Random) {
    this.settings = settings
    this.random = random
  }

  /** Null: it passes, as far as this link's rules go. */
  lossOf(kind: MessageKind): LossReason | null {
    if (this.blocks > 0) return 'blocked'
    if (this.settings.filter.length > 0 && this.settings.filter.includes(kind)) return 'filtered'
    return chance(this.random, this.settings.dropRate) ? 'dropped' : null
  }

  /** When a message sent now is through. */
  arrivalMs(nowMs: number, bytes: number): number {
    const latencyMs = drawLatencyMs(this.random, this.settings.latency)
    const { bandwidthBytesPerMs } = this.settings
    if (bandwidthBytesPerMs === null) return nowMs + latencyMs
    this.#freeAtMs = Math.max(nowMs, this.#freeAtMs) + bytes / bandwidthBytesPerMs
    return this.#freeAtMs + latencyMs
  }

  /** Keeps a message of a stopped link; returns the one that had to go instead, if any. */
  park(message: Message): Message | null {
    this.#queue.push(message)
    if (this.#queue.length <= this.settings.maxQueuedMessages) return null
    const { overflow } = this.settings
    const last = this.#queue.length - 1
    const victim =
      overflow === 'oldest' ? 0 : overflow === 'newest' ? last : Math.floor(this.random.next() * (last + 1))
    return this.#queue.splice(victim, 1)[0] ?? null
  }

  /** Everything that waited, in order. */
  unpark(): Message[] {
    return this.#queue.splice(0)
  }

  get parked(): number {
    return this.#queue.length
  }
}

/** Every direction between any two endpoints, made when first asked for. */
export class LinkTable<Message> {
  readonly #seed: number
  readonly #base: LinkSettings
  readonly #links = new Map<string, Map<string, Link<Message>>>()

  constructor(seed: number, base: LinkSettings) {
    this.#seed = seed
    this.#base = base
  }

  get(from: string, to: string): Link<Message> {
    let links = this.#links.get(from)
    if (links === undefined) {
      links = new Map()
      this.#links.set(from, links)
    }
    let link = links.get(to)
    if (link === undefined) {
      link = new Link(this.#base, streamOf(this.#seed, `link ${from}>${to}`))
      links.set(to, link)
    }
    return link
  }

  /** Whether nothing passes. Makes no link: the order in which they are made is that of what `heal` returns. */
  isBlocked(from: string, to: string): boolean {
    return (this.#links.get(from)?.get(to)?.blocks ?? 0) > 0
  }

  /** Changes settings; `null` puts them back to how they were at the start. */
  set(from: string, to: string, changes: Partial<LinkSettings> | null): void {
    const link = this.get(from, to)
    link.settings = changes === null ? this.#base : { ...link.settings, ...changes }
  }

  /** Ends every cut, stop and setting; returns what had been kept. */
  heal(): Message[] {
    const kept: Message[] = []
    for (const links of this.#links.values()) {
      for (const link of links.values()) {
        link.blocks = 0
        link.settings = this.#base
        link.stopped = false
        kept.push(...link.unpark())
      }
    }
    return kept
  }
}
