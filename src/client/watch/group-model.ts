// A group as a viewer sees it: all members in one, their charts, and what has happened lately. Whoever shows it listens for
// changes; whoever feeds it (over the bus, or in the same process) hands in pictures and batches.

import type { FeedBatch, FeedItem, FeedPicture } from '../../protocol/feed-protocol.ts'
import { sheltered } from '../../runtime/errors.ts'
import { mergedInstances, type WatchedInstances } from './instance-book.ts'
import { type BatchVerdict, MemberModel, type MemberState } from './member-model.ts'
import { Timeline, type TimelineEntry } from './timeline.ts'

export type WatchChange =
  /** All that is known of a member is new. */
  | { readonly type: 'picture'; readonly member: MemberModel; readonly restarted: boolean }
  /** One thing has happened there; the model has it already. */
  | { readonly type: 'item'; readonly member: MemberModel; readonly item: FeedItem }
  | { readonly type: 'member'; readonly member: MemberModel; readonly state: MemberState }
  /** Nobody names it any more, and it is not heard. */
  | { readonly type: 'left'; readonly member: MemberModel }
  | { readonly type: 'charts'; readonly names: readonly string[] }
  | { readonly type: 'timeline'; readonly entry: TimelineEntry }
  /** Bus or group: `model.problem` is another one now. */
  | { readonly type: 'problem' }

export type WatchListener = (change: WatchChange) => void

/** Members that are kept; what more of them say is not heard. */
const MAX_MEMBERS = 256
const MAX_CHARTS = 64
/** Instances of a replicated machine that are shown at a time. */
const MAX_SHOWN = 64

export class GroupModel {
  readonly group: string
  readonly timeline = new Timeline()
  /** Messages that were no batch of a member, or of no member that is known. */
  garbage = 0
  readonly #wallMs: () => number
  readonly #members = new Map<string, MemberModel>()
  readonly #charts = new Map<string, string>()
  readonly #listeners = new Set<WatchListener>()
  readonly #report: (thrown: unknown) => void
  #problem: string | null = null

  /** @param report hears what a listener throws; the others are told all the same. */
  constructor(group: string, wallMs: () => number, report: (thrown: unknown) => void = () => {}) {
    this.group = group
    this.#wallMs = wallMs
    this.#report = report
  }

  /** By name. */
  get members(): ReadonlyMap<string, MemberModel> {
    return this.#members
  }

  /** The configuration of each machine as JSON, by the name that actors give in `chart`. */
  get charts(): ReadonlyMap<string, string> {
    return this.#charts
  }

  /** Why nothing, or nothing new, is seen, as a sentence; null: all is well. */
  get problem(): string | null {
    return this.#problem
  }

  /** Who leads, by the newest term that somebody who is heard knows of. */
  get leader(): string | null {
    const told = [...this.#members.values()].flatMap(({ state, status }) =>
      state === 'live' && status !== null ? [status] : [],
    )
    const leaders = told.filter(({ leader }) => leader !== null).sort((a, b) => b.term - a.term)
    const newest = Math.max(0, ...told.map(({ term }) => term))
    return leaders[0]?.term === newest ? leaders[0].leader : null
  }

  /** Instances of its replicated machine, as far as those tell that are heard; null: nobody tells of any. */
  get instances(): WatchedInstances | null {
    const books = [...this.#members.values()].flatMap(({ state, instances }) =>
      state === 'live' && instances !== null ? [instances] : [],
    )
    return mergedInstances(books, MAX_SHOWN)
  }

  /** Charts of instances that were named, and not told. */
  get missingCharts(): readonly string[] {
    const named = [...this.#members.values()].flatMap(({ instances }) => instances?.chart ?? [])
    return [...new Set(named)].filter((name) => !this.#charts.has(name))
  }

  /** Returns the function that ends it. */
  on(listener: WatchListener): () => void {
    const own: WatchListener = (change) => listener(change)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  // ---- for whoever feeds it

  setProblem(problem: string | null): void {
    if (problem === this.#problem) return
    this.#problem = problem
    this.#tell({ type: 'problem' })
  }

  /** The member of this name, known from here on; undefined: there are too many. */
  expect(id: string): MemberModel | undefined {
    const known = this.#members.get(id)
    if (known !== undefined || this.#members.size >= MAX_MEMBERS) return known
    const member = new MemberModel(id)
    this.#members.set(id, member)
    this.#tell({ type: 'member', member, state: member.state })
    return member
  }

  show(picture: FeedPicture): void {
    const member = this.expect(picture.node)
    if (member === undefined) return
    this.learn(picture.charts)
    const restarted = member.show(picture)
    if (restarted) this.#note({ kind: 'member', member: member.id, state: 'restarted', atMs: this.#wallMs() })
    this.#tell({ type: 'picture', member, restarted })
  }

  /** Charts that were not known. */
  learn(charts: FeedPicture['charts']): void {
    const isNew = Object.entries(charts).filter(([name]) => !this.#charts.has(name))
    for (const [name, json] of isNew) if (this.#charts.size < MAX_CHARTS) this.#charts.set(name, json)
    if (isNew.length > 0) this.#tell({ type: 'charts', names: isNew.map(([name]) => name) })
  }

  /** Undefined: nobody of that name is known. */
  hear(batch: FeedBatch): BatchVerdict | undefined {
    const member = this.#members.get(batch.node)
    if (member === undefined) return undefined
    const verdict = member.hear(batch)
    if (verdict.kind === 'stranger') return verdict
    const { items, missing } = verdict
    if (missing > 0) this.#note({ kind: 'gap', member: member.id, items: missing, atMs: this.#wallMs() })
    for (const item of items) {
      if (item.kind === 'role' || item.kind === 'leader' || item.kind === 'vote')
        this.#note({ member: member.id, ...item })
      this.#tell({ type: 'item', member, item })
      if (item.kind === 'gone' && item.id === member.id) this.setState(member, 'ended', 'It has stopped.')
    }
    return verdict
  }

  setState(member: MemberModel, state: MemberState, problem: string | null): void {
    member.problem = problem
    if (member.state === state) return
    member.state = state
    this.#note({ kind: 'member', member: member.id, state, atMs: this.#wallMs() })
    this.#tell({ type: 'member', member, state })
  }

  forget(member: MemberModel): void {
    if (this.#members.delete(member.id)) this.#tell({ type: 'left', member })
  }

  #note(entry: TimelineEntry): void {
    this.timeline.add(entry, this.#wallMs())
    this.#tell({ type: 'timeline', entry })
  }

  #tell(change: WatchChange): void {
    for (const listener of [...this.#listeners]) sheltered(() => listener(change), this.#report)
  }
}
