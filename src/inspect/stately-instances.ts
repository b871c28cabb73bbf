// Instances of replicated machines as the Stately inspector sees them: each a root of its own with its chart, told by whichever
// member knows most of it. So many are shown: the one that has not moved for longest makes room.

import type { GroupModel } from '../client/watch/group-model.ts'
import { isNewer } from '../client/watch/instance-book.ts'
import type { FeedInstance, FeedInstances } from '../protocol/feed-protocol.ts'
import { commonOf, type StatelyMessage, type StatelySnapshot, valueOfPaths } from './stately-messages.ts'

const MAX_SHOWN = 256
/** No actor of a member is called so. */
const NAME = 'instance:'

export class StatelyInstances {
  /** By key, as told; the one that moved last comes last. */
  readonly #shown = new Map<string, FeedInstance>()
  readonly #model: GroupModel
  #machine: Pick<FeedInstances, 'machine' | 'chart'> = { machine: '', chart: null }
  readonly #sessionOf: (id: string) => string
  readonly #wallMs: () => number

  constructor(model: GroupModel, sessionOf: (id: string) => string, wallMs: () => number) {
    this.#model = model
    this.#sessionOf = (key) => sessionOf(`${NAME}${key}`)
    this.#wallMs = wallMs
  }

  /** All that are shown, for somebody who has just come. */
  get all(): readonly StatelyMessage[] {
    return [...this.#shown.values()].map((each) => this.#registration(each))
  }

  /** What a member has told, the newest first. */
  heard(told: FeedInstances): readonly StatelyMessage[] {
    this.#machine = told
    return [...told.instances].reverse().flatMap((each) => this.#take(each))
  }

  #take(next: FeedInstance): readonly StatelyMessage[] {
    const before = this.#shown.get(next.key)
    if (!isNewer(next, before)) return []
    this.#shown.delete(next.key)
    this.#shown.set(next.key, next)
    if (before === undefined) return [this.#registration(next), ...this.#makeRoom()]
    const { last } = next
    if (last === null || last.index === before.last?.index) return []
    const common = this.#common(next.key, last.atMs)
    const event = { type: last.event }
    return [
      { type: '@xstate.event', ...common, event },
      { type: '@xstate.snapshot', ...common, event, snapshot: snapshotOf(next) },
    ]
  }

  #makeRoom(): readonly StatelyMessage[] {
    const [oldest] = this.#shown.keys()
    if (this.#shown.size <= MAX_SHOWN || oldest === undefined) return []
    this.#shown.delete(oldest)
    const [event, snapshot] = [{ type: 'xstate.stop' }, { status: 'stopped' as const }]
    return [{ type: '@xstate.snapshot', ...this.#common(oldest, this.#wallMs()), event, snapshot }]
  }

  #registration(instance: FeedInstance): StatelyMessage {
    const { machine, chart } = this.#machine
    const definition = chart === null ? undefined : this.#model.charts.get(chart)
    return {
      type: '@xstate.actor',
      ...this.#common(instance.key, instance.last?.atMs ?? this.#wallMs()),
      name: `${machine} ${instance.key}`,
      ...(definition === undefined ? {} : { definition }),
      snapshot: snapshotOf(instance),
    }
  }

  #common(key: string, atMs: number): ReturnType<typeof commonOf> {
    const session = this.#sessionOf(key)
    return commonOf(session, session, atMs)
  }
}

function snapshotOf({ status, states }: FeedInstance): StatelySnapshot {
  return {
    status: status === 'done' || status === 'active' ? status : 'stopped',
    value: valueOfPaths(states),
  }
}
