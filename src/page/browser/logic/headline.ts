// What goes on, in a sentence for somebody who has never seen Raft.

import type { Condition, MemberView } from './member-view.ts'

export interface Headline {
  readonly text: string
  readonly tone: 'good' | 'waiting' | 'bad'
}

/** What is remembered from one look to the next. */
export interface LeaderStory {
  readonly leader: string | null
  /** Since when nobody leads; null: somebody does, or nobody ever has. */
  readonly lostAtMs: number | null
  readonly lost: string | null
  /** The newest change of leader. */
  readonly tookOver: {
    readonly from: string
    readonly to: string
    readonly tookMs: number
    readonly atMs: number
  } | null
}

export const NO_STORY: LeaderStory = { leader: null, lostAtMs: null, lost: null, tookOver: null }

const FRESH_MS = 20_000
const GONE: ReadonlySet<Condition> = new Set(['dead', 'silent', 'paused', 'failed', 'unknown'])

/** Who leads: of those who say so and are heard, the one with the newest term. */
export function leaderOf(views: readonly MemberView[]): string | null {
  const leading = views.filter(({ condition }) => condition === 'leader')
  return [...leading].sort((a, b) => b.term - a.term)[0]?.id ?? null
}

export function nextStory(story: LeaderStory, leader: string | null, nowMs: number): LeaderStory {
  if (leader === story.leader) return story
  if (leader === null) return { ...story, leader, lost: story.leader, lostAtMs: nowMs }
  const from = story.leader ?? story.lost
  const isOther = from !== null && from !== leader
  const tookMs = story.lostAtMs === null ? 0 : nowMs - story.lostAtMs
  const tookOver = isOther ? { from, to: leader, tookMs, atMs: nowMs } : story.tookOver
  return { leader, lost: null, lostAtMs: null, tookOver }
}

export function headlineOf(views: readonly MemberView[], story: LeaderStory, nowMs: number): Headline {
  if (views.length === 0) return { text: 'Looking for members …', tone: 'waiting' }
  if (views.every(({ condition }) => condition === 'dead'))
    return { text: 'All members have stopped.', tone: 'waiting' }
  const leader = leaderOf(views)
  return leader === null ? withoutLeader(views, story) : withLeader(views, leader, story, nowMs)
}

function withLeader(
  views: readonly MemberView[],
  leader: string,
  { tookOver }: LeaderStory,
  nowMs: number,
): Headline {
  const isFresh = tookOver !== null && tookOver.to === leader && nowMs - tookOver.atMs < FRESH_MS
  const after = isFresh && tookOver.tookMs > 0 ? ` after ${seconds(tookOver.tookMs)}` : ''
  const start = isFresh ? `${leader} took over from ${tookOver.from}${after}.` : `${leader} leads.`
  const commit = views.find(({ id }) => id === leader)?.indexes?.commit ?? 0
  const here = views.filter(({ condition }) => !GONE.has(condition))
  const behind = here.filter(({ indexes }) => (indexes?.commit ?? 0) < commit - BEHIND)
  const missing = views.filter(({ condition }) => GONE.has(condition)).map(({ id }) => id)
  const agree =
    missing.length === 0 && behind.length === 0
      ? `All ${views.length} members agree up to entry ${number(commit)}.`
      : `${here.length - behind.length} of ${views.length} members agree up to entry ${number(commit)}.`
  const gone =
    missing.length === 0 ? '' : ` ${list(missing)} ${missing.length === 1 ? 'is' : 'are'} not there.`
  const late =
    behind.length === 0
      ? ''
      : ` ${list(behind.map(({ id }) => id))} ${behind.length === 1 ? 'is' : 'are'} catching up.`
  return { text: `${start} ${agree}${gone}${late}`, tone: 'good' }
}

/** Fewer entries than this are on their way all the time. */
const BEHIND = 500

function withoutLeader(views: readonly MemberView[], { lost }: LeaderStory): Headline {
  const voters = votersOf(views)
  const here = voters.filter((id) => views.some((view) => view.id === id && !GONE.has(view.condition)))
  const needed = Math.floor(voters.length / 2) + 1
  const isGone = views.some(({ id, condition }) => id === lost && GONE.has(condition))
  const start =
    lost === null ? 'Nobody leads.' : isGone ? `${lost}, the leader, is gone.` : `${lost} leads no more.`
  if (voters.length > 0 && here.length < needed) {
    const text = `${start} Only ${here.length} of ${voters.length} voters are there and ${needed} are needed, so nobody can lead, and writes wait. Nothing is lost.`
    return { text, tone: 'bad' }
  }
  const candidates = views.filter(({ condition }) => condition === 'candidate').map(({ id }) => id)
  const voting =
    candidates.length > 0
      ? `${list(candidates)} ${candidates.length === 1 ? 'asks' : 'ask'} the others for their votes.`
      : 'The others wait a moment for its heartbeat, then one of them asks for votes.'
  return {
    text: `${start} ${lost === null && candidates.length === 0 ? 'The first member whose time is up asks for votes.' : voting}`,
    tone: 'waiting',
  }
}

function votersOf(views: readonly MemberView[]): readonly string[] {
  const told = views.flatMap(({ status }) => (status === null ? [] : [status]))
  const newest = [...told].sort((a, b) => b.term - a.term || b.commitIndex - a.commitIndex)[0]
  return newest?.peers ?? []
}

export function seconds(ms: number): string {
  return ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

export function number(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

function list(ids: readonly string[]): string {
  if (ids.length > 4) return `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more`
  return ids.length < 2 ? (ids[0] ?? '') : `${ids.slice(0, -1).join(', ')} and ${ids.at(-1)}`
}
