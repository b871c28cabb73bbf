// Instances of a replicated machine as a feed tells them: those that changed last, the latest state of each, so much at a time
// and no more, however many there are.

import {
  type FeedInstance,
  type FeedInstances,
  type FeedItemOf,
  MAX_INSTANCE_BYTES,
  MAX_INSTANCES,
} from '../../protocol/feed-protocol.ts'
import type { InstanceMove, InstanceSource } from './instance-source.ts'

/** Changes that wait to be told; of more the oldest are passed over. */
const MAX_WAITING = 256
/** Keys that one question finds. */
const MAX_FOUND = 20
/** A chart with more text than this is not told. */
const MAX_CHART_BYTES = 48 * 1024

export class InstanceTap {
  readonly #source: InstanceSource
  /** As told last. */
  readonly #told = new Map<string, FeedInstance>()
  readonly #waiting = new Map<string, InstanceMove>()
  readonly #stop: () => void
  #isAnew = false

  /** @param follows false: for one look only. */
  constructor(source: InstanceSource, follows: boolean) {
    this.#source = source
    this.#begin()
    this.#stop = follows ? source.follow((move) => this.#moved(move)) : () => {}
  }

  detach(): void {
    this.#stop()
  }

  /** What there is, as far as it has been told. */
  picture(): FeedInstances {
    return { ...this.#head(), instances: within(this.#newest()) }
  }

  find(text: string): readonly FeedInstance[] {
    const found = this.#source.find(text, MAX_FOUND)
    return within(found.flatMap((key) => this.#look(key, undefined) ?? []))
  }

  /** What has changed since the last time, as far as there is room; null: nothing. */
  take(atMs: number): FeedItemOf<'instances'> | null {
    const whole = this.#isAnew
    if (whole) this.#begin()
    const newest = [...this.#waiting].reverse().slice(0, MAX_INSTANCES)
    const looked = newest.flatMap(([key, move]) => this.#look(key, move) ?? [])
    const instances = whole ? this.#newest() : within(looked)
    if (instances.length === 0 && !whole) return null
    for (const each of instances) {
      this.#waiting.delete(each.key)
      this.#told.set(each.key, each)
    }
    // What had to wait is told later than what moved after it: the order is that of the log.
    for (const { key } of this.#newest().slice(MAX_INSTANCES)) this.#told.delete(key)
    return { kind: 'instances', ...this.#head(), instances, whole, atMs }
  }

  #head(): Omit<FeedInstances, 'instances'> {
    const { machine, version, total } = this.#source
    return { machine, version, total, chart: this.chart?.name ?? null }
  }

  /** Null: it is too large. */
  get chart(): { readonly name: string; readonly json: string } | null {
    const { machine, version, chart } = this.#source
    const name = `machine:${machine}@${version}`.slice(0, 160)
    return chart.length > MAX_CHART_BYTES ? null : { name, json: chart }
  }

  #begin(): void {
    this.#isAnew = false
    this.#waiting.clear()
    this.#told.clear()
    const lately = this.#source.lately(MAX_INSTANCES)
    const looked = within(lately.flatMap((key) => this.#look(key, undefined) ?? []))
    for (const each of looked) this.#told.set(each.key, each)
  }

  #moved(move: InstanceMove): void {
    const { key } = move
    if (key === null) {
      this.#isAnew = true
      return
    }
    this.#waiting.delete(key)
    this.#waiting.set(key, move)
    if (this.#waiting.size <= MAX_WAITING) return
    for (const oldest of this.#waiting.keys()) {
      this.#waiting.delete(oldest)
      return
    }
  }

  #look(key: string, move: InstanceMove | undefined): FeedInstance | undefined {
    const view = this.#source.view(key)
    if (view === undefined) return undefined
    const before = this.#told.get(key)
    if (move === undefined) return { ...view, last: before?.last ?? null }
    const { event, index, atMs } = move
    return { ...view, last: { event: event.slice(0, 160), from: before?.states ?? [], index, atMs } }
  }

  #newest(): readonly FeedInstance[] {
    return [...this.#told.values()].sort((a, b) => (b.last?.index ?? 0) - (a.last?.index ?? 0))
  }
}

/** As many as there is room for, from the first on. */
function within(instances: readonly FeedInstance[]): readonly FeedInstance[] {
  let bytes = 0
  const excess = instances.findIndex((each) => {
    bytes += Buffer.byteLength(JSON.stringify(each))
    return bytes > MAX_INSTANCE_BYTES
  })
  return excess < 0 ? instances : instances.slice(0, Math.max(1, excess))
}
