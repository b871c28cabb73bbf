// All that the page knows: the model of the group that is shown, made anew whenever the stream begins anew, and what views
// are drawn from. It tells its listeners at most once a frame that something has changed.

import { GroupModel } from '../../client/watch/group-model.ts'
import type { FeedItem } from '../../protocol/feed-protocol.ts'
import { sheltered } from '../../runtime/errors.ts'
import type { GroupSummary, PageMessage, Sample, StageAction, StagedMember } from '../page-protocol.ts'
import { Samples } from '../samples.ts'
import { type LeaderStory, leaderOf, NO_STORY, nextStory } from './logic/headline.ts'
import { type MemberView, viewOf, viewOfSample } from './logic/member-view.ts'
import { Series } from './logic/series.ts'

export type Note = PageMessage & { readonly kind: 'note' }
export type Hello = PageMessage & { readonly kind: 'hello' }

/** One request on its way, for a moment. */
export interface Pulse {
  readonly key: number
  readonly from: string
  readonly to: string
  readonly isVote: boolean
  readonly bornMs: number
}

const MAX_NOTES = 500
const MAX_PULSES = 24
const PULSE_MS = 600
/** Between the same two: more would be a line. */
const PULSE_EVERY_MS = 350

export class Store {
  model = new GroupModel('', () => this.nowMs)
  hello: Hello | null = null
  groups: readonly GroupSummary[] | null = null
  staged: readonly StagedMember[] = []
  notes: Note[] = []
  samples = new Samples()
  series = new Series()
  story: LeaderStory = NO_STORY
  pulses: readonly Pulse[] = []
  /** A moment that is looked back at; null: it is now. */
  lookAtMs: number | null = null
  /** False: the page's server is not heard. */
  isConnected = false
  #clock: () => number = () => Date.now()
  #listeners = new Set<() => void>()
  #isTelling = false
  #nextPulse = 0

  /** Time of the day, as the group has it. */
  get nowMs(): number {
    return this.#clock()
  }

  setClock(clock: () => number): void {
    this.#clock = clock
  }

  on(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Members by name: as they are now, or as they were at the moment that is looked at. */
  get views(): readonly MemberView[] {
    const at = this.lookAtMs
    return at === null ? this.presentViews : this.#viewsAt(at)
  }

  get presentViews(): readonly MemberView[] {
    const staged = new Map(this.staged.map((member) => [member.id, member]))
    const known = [...this.model.members.values()].map((member) => viewOf(member, staged.get(member.id)))
    return known.sort((a, b) => a.id.localeCompare(b.id, undefined, { numeric: true }))
  }

  get actions(): readonly StageAction[] {
    return this.hello?.actions ?? []
  }

  lookAt(atMs: number | null): void {
    this.lookAtMs = atMs
    this.changed()
  }

  setConnected(isConnected: boolean): void {
    this.isConnected = isConnected
    this.changed()
  }

  /** What was shown is forgotten. */
  reset(group: string): void {
    this.model = new GroupModel(group, () => this.nowMs)
    this.samples = new Samples()
    this.series = new Series()
    this.story = NO_STORY
    this.staged = []
    this.notes = []
    this.pulses = []
    this.lookAtMs = null
  }

  apply(message: PageMessage): void {
    this.#take(message)
    this.changed()
  }

  changed(): void {
    if (this.#isTelling) return
    this.#isTelling = true
    requestAnimationFrame(() => {
      this.#isTelling = false
      this.#look()
      for (const listener of [...this.#listeners]) sheltered(listener, (thrown) => console.error(thrown))
    })
  }

  #take(message: PageMessage): void {
    const { model } = this
    switch (message.kind) {
      case 'hello': {
        const offsetMs = message.nowMs - Date.now()
        if (message.source !== 'replay') this.#clock = () => Date.now() + offsetMs
        this.reset(message.group)
        this.hello = message
        return
      }
      case 'groups':
        this.groups = message.groups
        return
      case 'past':
        for (const entry of message.timeline) model.timeline.add(entry, this.nowMs)
        this.samples.addAll(message.samples)
        return
      case 'charts':
        return model.learn(message.charts)
      case 'picture': {
        const member = model.expect(message.picture.node)
        model.show(message.picture)
        if (member !== undefined) member.restarts = message.restarts
        this.samples.add(message.picture.node, message.picture.status, message.picture.atMs)
        return
      }
      case 'batch':
        model.hear(message.batch)
        for (const item of message.batch.items) this.#see(message.batch.node, item)
        return
      case 'member': {
        const member = model.expect(message.id)
        if (member !== undefined) model.setState(member, message.state, message.problem)
        return
      }
      case 'left': {
        const member = model.members.get(message.id)
        if (member !== undefined) model.forget(member)
        return
      }
      case 'problem':
        return model.setProblem(message.problem)
      case 'stage':
        this.staged = message.members
        return
      case 'note':
        this.notes = [...this.notes.slice(1 - MAX_NOTES), message]
    }
  }

  #see(member: string, item: FeedItem): void {
    if (item.kind === 'status') this.samples.add(member, item.status, item.atMs)
    if (item.kind !== 'messages') return
    for (const { from, method } of item.heard) this.#pulse(from, member, method.includes('vote'))
  }

  #pulse(from: string, to: string, isVote: boolean): void {
    const bornMs = performance.now()
    const young = this.pulses.filter((pulse) => bornMs - pulse.bornMs < PULSE_MS)
    const same = young.find((pulse) => pulse.from === from && pulse.to === to)
    const isTooSoon = same !== undefined && bornMs - same.bornMs < PULSE_EVERY_MS
    if (isTooSoon || young.length >= MAX_PULSES) return
    this.#nextPulse += 1
    this.pulses = [...young, { key: this.#nextPulse, from, to, isVote, bornMs }]
  }

  /** What only shows over time. */
  #look(): void {
    const views = this.presentViews
    this.story = nextStory(this.story, leaderOf(views), this.nowMs)
    this.series.add(views, this.nowMs)
  }

  #viewsAt(atMs: number): readonly MemberView[] {
    const newest = new Map<string, Sample>()
    for (const sample of this.samples.all) {
      const known = newest.get(sample.member)
      if (sample.atMs <= atMs && (known === undefined || known.atMs <= sample.atMs))
        newest.set(sample.member, sample)
    }
    const gone = this.#goneAt(atMs)
    return [...newest.values()]
      .map((sample): MemberView => {
        const view = viewOfSample(sample)
        return (gone.get(sample.member) ?? 0) >= sample.atMs ? { ...view, condition: 'dead' } : view
      })
      .sort((a, b) => a.id.localeCompare(b.id, undefined, { numeric: true }))
  }

  /** When each member was last said to be gone, before this moment. */
  #goneAt(atMs: number): ReadonlyMap<string, number> {
    const entries = this.model.timeline.entries.filter(
      (entry) => entry.kind === 'member' && entry.atMs <= atMs,
    )
    return new Map(
      entries.flatMap((entry) =>
        entry.kind === 'member' && (entry.state === 'ended' || entry.state === 'silent')
          ? [[entry.member, entry.atMs]]
          : [],
      ),
    )
  }
}
