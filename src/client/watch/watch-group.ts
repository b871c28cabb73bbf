// Watching a group over the bus: finds its members as they come and go, keeps leases at all of them, and puts what they
// tell into one model. It heals what is lost by itself: gaps, restarts, the bus gone and back.

import { QuorateError } from '../../errors.ts'
import {
  FEED_KIND,
  type FeedBatch,
  type FeedInstance,
  type FeedPicture,
  MAX_LEASE_MS,
  parseBatch,
} from '../../protocol/feed-protocol.ts'
import { membersSubject } from '../../protocol/subjects.ts'
import { type Clock, systemClock, type TimerHandle } from '../../runtime/clock.ts'
import { type Random, systemRandom } from '../../runtime/random.ts'
import { DEFAULT_PREFIX, eventsSubject } from '../../transport/subjects.ts'
import type { InboundMessage, Transport, TransportStatus } from '../../transport/transport.ts'
import { AdminAsker } from '../admin-asker.ts'
import { askStatus, type GroupStatus, type StatusOptions } from '../status.ts'
import { GroupModel } from './group-model.ts'
import { findInstances } from './instance-book.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import type { MemberModel } from './member-model.ts'

export interface WatchOptions {
  /** Used, and not closed with this. Its user has to be an operator, where the bus has permissions. */
  readonly transport: Transport
  readonly group: string
  /** Default `quorate`. */
  readonly prefix?: string
  /** How long members go on telling after this viewer is gone. Default 5000, at most 60000. */
  readonly leaseMs?: number
  /** Each event one by one. Default false: events are counted. */
  readonly everything?: boolean
  readonly clock?: Clock
  readonly random?: Random
}

export interface GroupWatch {
  readonly model: GroupModel
  /**
   * Resolves when a member has said all there is now.
   * @throws QuorateError UNREACHABLE when nobody answers for the group at first; the watch goes on looking for it.
   */
  ready(): Promise<void>
  /** Instances of its replicated machine whose keys begin like this, 20 at most. Empty: none, or nobody answers. */
  find(text: string): Promise<readonly FeedInstance[]>
  /** Takes leave of all members. Repeating it is harmless. */
  close(): void
}

const DEFAULT_LEASE_MS = 5000
const FIND_MS = 2000
/** Of the first search, which an absent group has to be told from a slow one by. */
const FIRST_FIND_MS = 1000
/** Of later ones, which hear those as well who wait to be added. */
const FIND_WAIT_MS = 500
const RENEW_MS = 1000
/** A member that says nothing, and does not answer, is taken for gone. */
const SILENT_MS = 3500
/** So long a silent member that nobody names is still shown. */
const FORGET_MS = 10_000

/**
 * @example
 * const { model, ready, close } = watchGroup({ transport, group: 'demo' })
 * model.on((change) => {
 *   if (change.type === 'item' && change.item.kind === 'role') console.log(change.member.id, change.item.to)
 * })
 * await ready()
 *
 * @throws QuorateError INVALID for names that can't be part of a subject, or a lease that is none.
 */
export function watchGroup(options: WatchOptions): GroupWatch {
  const { leaseMs = DEFAULT_LEASE_MS } = options
  if (!Number.isInteger(leaseMs) || leaseMs < 2 * RENEW_MS || leaseMs > MAX_LEASE_MS)
    throw new QuorateError('INVALID', `Option leaseMs: from ${2 * RENEW_MS} to ${MAX_LEASE_MS} milliseconds.`)
  const watch = new BusWatch(options, leaseMs)
  const { model, find } = watch
  return { model, find, ready: () => watch.ready(), close: () => watch.close() }
}

interface Watched {
  readonly member: MemberModel
  readonly keeper: LeaseKeeper
  heardMs: number
  namedMs: number
  /** The whole picture is wanted, not only the lease. */
  wanting: boolean
  /** What the answer before said the next item is: by now it should have been heard. */
  due: number
}

interface Waiting {
  resolve(): void
  reject(error: Error): void
}

class BusWatch {
  readonly model: GroupModel
  readonly #options: Required<Omit<WatchOptions, 'transport' | 'group' | 'random'>> & WatchOptions
  readonly #asker: AdminAsker
  readonly #viewer: string
  readonly #watched = new Map<string, Watched>()
  readonly #stops: (() => void)[]
  #timer: TimerHandle | null = null
  #finding = false
  #closed = false
  /** Whoever waits for the first picture. */
  #waiting: Waiting[] = []
  /** What they were told; undefined: nothing yet. */
  #first: QuorateError | null | undefined

  constructor(options: WatchOptions, leaseMs: number) {
    const { transport, group, prefix = DEFAULT_PREFIX, clock = systemClock, random = systemRandom } = options
    const subject = eventsSubject(prefix, group, '*', FEED_KIND)
    this.#options = { everything: false, ...options, leaseMs, prefix, clock }
    this.#viewer = `v${Math.floor(random.next() * 2 ** 52).toString(36)}`
    this.model = new GroupModel(group, () => clock.wallMs())
    this.#asker = new AdminAsker({ transport, prefix, group, clock })
    const subscription = transport.subscribe(subject, (message) => this.#receive(message))
    const stopStatus = transport.onStatus((status) => this.#busChanged(status))
    this.#stops = [() => subscription.unsubscribe(), stopStatus]
    this.#busChanged(transport.status())
    this.#find({ timeoutMs: FIRST_FIND_MS, everybody: false })
  }

  readonly find = (text: string): Promise<readonly FeedInstance[]> =>
    findInstances({ ...this.#options, model: this.model, asker: this.#asker, viewer: this.#viewer }, text)

  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (this.#first !== undefined) this.#settle(this.#first)
    })
  }

  /** Null: a member has said all there is. What was said first is said to all, unless it was bad and is good now. */
  #settle(first: QuorateError | null): void {
    this.#first = first
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (first === null) resolve()
      else reject(first)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const stop of this.#stops) stop()
    for (const { keeper } of this.#watched.values()) keeper.close()
    if (this.#timer !== null) this.#options.clock.clearTimeout(this.#timer)
    this.#asker.close()
    this.#settle(new QuorateError('ABORTED', 'Nobody watches any more.'))
  }

  // ---- who is there

  #find(options: StatusOptions): void {
    if (this.#finding || this.#closed) return
    this.#finding = true
    const { clock, group, prefix } = this.#options
    const subject = membersSubject(prefix, group, 'status')
    const question = { requester: this.#asker.requester, clock, group, subject, ...options }
    const next = (status: GroupStatus | null): void => {
      this.#finding = false
      if (this.#closed) return
      if (status !== null) this.#found(status)
      this.#timer = clock.setTimeout(() => this.#look(), FIND_MS)
    }
    askStatus(question).then(next, () => next(null))
  }

  #found({ members, unreachable }: GroupStatus): void {
    const { clock, group, transport } = this.#options
    const nowMs = clock.nowMs()
    for (const { id } of members) this.#keep(id, nowMs)
    for (const id of unreachable) this.#keep(id, nowMs)
    const { connected, detail } = transport.status()
    if (!connected) return this.model.setProblem(`The bus is gone: ${detail}`)
    if (members.length > 0) return this.model.setProblem(null)
    const sentence = `No member of group ${group} answers on this bus: is the group called so, does it run, and may this user ask it?`
    this.model.setProblem(sentence)
    this.#settle(new QuorateError('UNREACHABLE', sentence, { retryable: true }))
  }

  #keep(id: string, nowMs: number): void {
    const known = this.#watched.get(id)
    if (known !== undefined) {
      known.namedMs = nowMs
      return
    }
    const member = this.model.expect(id)
    if (member === undefined) return
    const { clock, leaseMs, everything } = this.#options
    const keeper = new LeaseKeeper({
      asker: this.#asker,
      ...{ clock, member: id, viewer: this.#viewer, leaseMs, everything, renewMs: RENEW_MS },
      missingCharts: () => (this.model.charts.size === 0 ? null : this.model.missingCharts),
      answered: (picture) => this.#answered(id, picture),
      failed: (problem) => this.#failed(id, problem),
    })
    this.#watched.set(id, { member, keeper, heardMs: nowMs, namedMs: nowMs, wanting: true, due: 0 })
    keeper.ask()
  }

  /** Who has fallen silent, and who has not been named for long. */
  #look(): void {
    const nowMs = this.#options.clock.nowMs()
    for (const [id, { member, keeper, heardMs, namedMs }] of this.#watched) {
      if (nowMs - heardMs < SILENT_MS) continue
      if (member.state === 'live')
        this.model.setState(
          member,
          'silent',
          `Member ${id} has not been heard for ${Math.round(nowMs - heardMs)} ms.`,
        )
      if (nowMs - namedMs < FORGET_MS || !this.#options.transport.status().connected) continue
      keeper.close()
      this.#watched.delete(id)
      this.model.forget(member)
    }
    this.#find({ timeoutMs: FIND_WAIT_MS, everybody: true })
  }

  #busChanged({ connected, detail }: TransportStatus): void {
    if (!connected) return this.model.setProblem(`The bus is gone: ${detail}`)
    if (this.model.problem?.startsWith('The bus is gone') === true) this.model.setProblem(null)
    for (const watched of this.#watched.values()) {
      watched.wanting = true
      watched.keeper.ask()
    }
  }

  // ---- what they say

  #answered(id: string, picture: FeedPicture): void {
    const watched = this.#watched.get(id)
    if (watched === undefined || picture.node !== id || picture.group !== this.model.group) {
      this.model.garbage += 1
      return
    }
    const { member } = watched
    watched.heardMs = this.#options.clock.nowMs()
    // What was due by the answer before has not come: nothing of it will.
    const missed = picture.boot === member.boot && member.next < watched.due
    watched.due = picture.seq
    if (watched.wanting || missed || picture.boot !== member.boot) {
      watched.wanting = false
      this.model.show(picture)
    } else this.model.learn(picture.charts)
    // It is there, and goes on with nothing.
    if (picture.leaseMs === 0) this.model.setState(member, 'ended', `Member ${id} has stopped.`)
    else this.model.setState(member, 'live', null)
    this.#settle(null)
  }

  #failed(id: string, problem: string): void {
    const watched = this.#watched.get(id)
    if (watched === undefined) return
    watched.wanting = true
    const { member } = watched
    if (member.state === 'ended') return
    this.model.setState(member, member.state === 'expected' ? 'expected' : 'silent', problem)
  }

  #receive({ subject, payload }: InboundMessage): void {
    const batch = parseBatch(payload)
    const says = subject.split('.').at(-2)
    if (batch === undefined || batch.node !== says || batch.group !== this.model.group) {
      this.model.garbage += 1
      return
    }
    this.#heard(batch)
  }

  #heard(batch: FeedBatch): void {
    const watched = this.#watched.get(batch.node)
    const verdict = watched === undefined ? undefined : this.model.hear(batch)
    if (watched === undefined || verdict === undefined) {
      // Somebody new, whom others will name in a moment; or nobody at all.
      this.model.garbage += 1
      return
    }
    watched.heardMs = this.#options.clock.nowMs()
    if (verdict.kind === 'fresh') return
    watched.wanting = true
    watched.keeper.ask()
  }
}
