// One member of a recorded run: what its feed would tell whoever watches, without being one. It arms no timer, draws
// nothing and looks at no clock of the member's within a turn, so that the run is the same with and without it.

import type { NodeHandle } from '../../host/node-handle.ts'
import { coreStatus } from '../../host/node-status.ts'
import { feedActor } from '../../observability/feed/actor-book.ts'
import { feedStatus } from '../../observability/feed/feed-status.ts'
import { Tap } from '../../observability/feed/tap.ts'
import type { PageMessage } from '../../page/page-protocol.ts'
import { FEED_VERSION, type FeedItem, type FeedStatus } from '../../protocol/feed-protocol.ts'
import { GROUP, type SimMember } from '../sim-member.ts'

export interface MemberRecorderOptions {
  readonly member: SimMember
  /** True time. */
  readonly nowMs: () => number
  readonly tell: (message: PageMessage) => void
  /** A line of the story. */
  readonly note: (text: string, tone: 'step' | 'fault') => void
}

/** One life that is recorded. */
interface Life {
  readonly number: number
  readonly node: NodeHandle
  readonly tap: Tap
}

/** Numbers that say only that time has passed are told this seldom. */
const PASSING_MS = 200

export class MemberRecorder {
  readonly #options: MemberRecorderOptions
  #life: Life | null = null
  /** The newest life that was recorded. */
  #seen = 0
  #items: FeedItem[] = []
  #next = 1
  /** Something that a viewer wants to see at its very moment. */
  #isUrgent = false
  #told = ''
  #toldAtMs = 0
  #hasFailed = false

  constructor(options: MemberRecorderOptions) {
    this.#options = options
  }

  /** Returns whether the member has begun or ended a life. */
  stepEnded(): boolean {
    const { member } = this.#options
    const isAnother = member.life !== this.#seen
    const hasEnded = this.#life !== null && (isAnother || !member.alive)
    if (hasEnded) this.#end()
    if (isAnother) this.#begin()
    if (this.#isUrgent) this.flush()
    return hasEnded || isAnother
  }

  /** Tells what was gathered, and how it is now when that has changed. */
  flush(): void {
    const life = this.#life
    if (life === null) return
    life.tap.flush()
    const status = this.#newStatus(life)
    if (status !== null) this.#items.push({ kind: 'status', status, atMs: this.#options.nowMs() })
    this.#tellItems(life)
  }

  #begin(): void {
    const { member, nowMs, tell, note } = this.#options
    const { id, life: number, node } = member
    this.#seen = number
    this.#hasFailed = false
    // It began and died between two looks.
    if (node === null || !member.alive) return
    const clock = { nowMs, wallMs: nowMs }
    const tap = new Tap({
      ...{ core: node.core, actor: node.actor, clock },
      everything: () => false,
      push: (item) => this.#push(item),
      // A defect of the recording must be seen, and must not be taken for one of the member's.
      failed: (thrown) => note(`The recording of ${id} misses something: ${String(thrown)}`, 'fault'),
    })
    const life: Life = { number, node, tap }
    this.#life = life
    this.#told = ''
    const status = this.#newStatus(life) ?? this.#statusOf(life)
    const picture = {
      ...{ ok: true as const, v: FEED_VERSION, group: GROUP, node: id, boot: bootOf(life) },
      ...{ seq: this.#next, atMs: nowMs(), leaseMs: 0, charts: {}, more: [] },
      ...{ actors: [...tap.book].map(feedActor), status },
    }
    tell({ kind: 'picture', picture, restarts: number - 1 })
    tell({ kind: 'member', id, state: 'live', problem: null })
    if (number > 1) note(`${id} starts again.`, 'step')
  }

  #end(): void {
    const life = this.#life
    if (life === null) return
    const { member, tell, note } = this.#options
    this.#life = null
    life.tap.detach()
    // Its actors are taken down with it: nobody would hear of that from a process that is killed.
    this.#items = this.#items.filter(({ kind }) => kind !== 'gone')
    this.#tellItems(life)
    const isDone = life.node.core.role === 'shutdown'
    const problem = isDone ? `${member.id} has ended in order.` : `${member.id} has died.`
    tell({ kind: 'member', id: member.id, state: 'ended', problem })
    note(problem, isDone ? 'step' : 'fault')
  }

  #push(item: FeedItem): void {
    this.#items.push(item)
    const { member } = this.#options
    if (item.kind === 'role' || item.kind === 'leader' || item.kind === 'vote') this.#isUrgent = true
    if (item.kind === 'transition' && item.id === member.id) this.#isUrgent = true
  }

  #tellItems(life: Life): void {
    this.#isUrgent = false
    const items = this.#items
    if (items.length === 0) return
    this.#items = []
    const { member, nowMs, tell } = this.#options
    const seq = this.#next
    this.#next += items.length
    const head = { v: FEED_VERSION, group: GROUP, node: member.id, boot: bootOf(life) }
    tell({ kind: 'batch', batch: { ...head, seq, atMs: nowMs(), dropped: 0, items } })
  }

  /** Null: it would say nothing new. */
  #newStatus(life: Life): FeedStatus | null {
    const status = this.#statusOf(life)
    const nowMs = this.#options.nowMs()
    const lasting = JSON.stringify(status, withoutTimes)
    if (lasting === this.#told && nowMs - this.#toldAtMs < PASSING_MS) return null
    this.#told = lasting
    this.#toldAtMs = nowMs
    if (status.role === 'error' && !this.#hasFailed) {
      this.#hasFailed = true
      this.#options.note(`${this.#options.member.id} has stopped itself: ${status.error ?? ''}`, 'fault')
    }
    return { ...status, commitLatency: life.tap.commits.take() }
  }

  #statusOf({ node, tap }: Life): FeedStatus {
    const numbers = coreStatus(node.core, node.actor.getSnapshot().value)
    const wallMs = this.#options.nowMs()
    return feedStatus({ core: node.core, numbers, book: tap.book, commitLatency: null, wallMs })
  }
}

const bootOf = ({ number }: Life): string => `life${number}`

const PASSING: ReadonlySet<string> = new Set(['leaderAliveUntilMs', 'timers', 'lastContactAtMs'])

function withoutTimes(key: string, value: unknown): unknown {
  return PASSING.has(key) ? undefined : value
}
