// The timeline: for each member what it was from when to when, and the elections with who voted what.

import type { TimelineEntry } from '../../../client/watch/timeline.ts'
import type { Sample } from '../../page-protocol.ts'

export interface Span {
  readonly fromMs: number
  readonly toMs: number
  /** A role, or `gone`. */
  readonly what: string
  readonly term: number
  /** What led to it; empty: it was so when it was first seen. */
  readonly reason: string
}

export interface Lane {
  readonly member: string
  readonly spans: readonly Span[]
}

interface Turn {
  readonly atMs: number
  readonly what: string
  readonly term: number
  readonly reason: string
}

/** @param members in the order of the lanes */
export function lanesOf(
  members: readonly string[],
  entries: readonly TimelineEntry[],
  samples: readonly Sample[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): readonly Lane[] {
  return members.map((member) => {
    const turns = turnsOf(member, entries, samples)
    const spans = turns.map((turn, at) => {
      const { what, term, reason } = turn
      const start = Math.max(fromMs, turn.atMs)
      return { fromMs: start, toMs: Math.min(toMs, turns[at + 1]?.atMs ?? toMs), what, term, reason }
    })
    return { member, spans: spans.filter((span) => span.toMs > span.fromMs) }
  })
}

function turnsOf(
  member: string,
  entries: readonly TimelineEntry[],
  samples: readonly Sample[],
): readonly Turn[] {
  const told = entries.flatMap((entry) => (entry.member === member ? turnOf(entry) : []))
  // Samples tell only what nobody has told: the role at the beginning, and after a silence.
  const sampled = samples.flatMap(({ member: of, atMs, role, term }) =>
    of === member ? [{ atMs, what: role, term, reason: '' }] : [],
  )
  const all = [...told, ...sampled].sort((a, b) => a.atMs - b.atMs)
  const turns: Turn[] = []
  for (const turn of all) {
    const last = turns.at(-1)
    // What has come back says so by what it is next.
    if (last === undefined || last.what !== turn.what || (turn.reason !== '' && last.term !== turn.term))
      turns.push(turn)
  }
  return turns
}

function turnOf(entry: TimelineEntry): Turn[] {
  if (entry.kind === 'role') {
    const { to, term, reason, atMs } = entry
    return [{ atMs, what: to, term, reason }]
  }
  if (entry.kind !== 'member' || (entry.state !== 'ended' && entry.state !== 'silent')) return []
  return [
    {
      atMs: entry.atMs,
      what: 'gone',
      term: 0,
      reason: entry.state === 'ended' ? 'it has ended' : 'it is not heard',
    },
  ]
}

export interface Ballot {
  readonly candidate: string
  readonly voter: string
  readonly pre: boolean
  readonly granted: boolean
  readonly reason: string | null
}

export interface Election {
  readonly term: number
  readonly atMs: number
  readonly candidates: readonly string[]
  /** Null: nobody is known to have won. */
  readonly winner: string | null
  readonly ballots: readonly Ballot[]
}

const MAX_ELECTIONS = 200

/** Newest first. */
export function electionsOf(entries: readonly TimelineEntry[]): readonly Election[] {
  const terms = new Map<number, { atMs: number; winner: string | null; ballots: Map<string, Ballot> }>()
  const of = (term: number, atMs: number) => {
    const known = terms.get(term) ?? { atMs, winner: null, ballots: new Map<string, Ballot>() }
    known.atMs = Math.min(known.atMs, atMs)
    terms.set(term, known)
    return known
  }
  for (const entry of entries) {
    if (entry.kind === 'vote') {
      const { candidate, voter, pre, granted, reason } = entry
      const { ballots } = of(entry.term, entry.atMs)
      const key = `${candidate} ${voter} ${pre}`
      // The voter's own word says why.
      const known = ballots.get(key)
      ballots.set(key, { candidate, voter, pre, granted, reason: reason ?? known?.reason ?? null })
    } else if (entry.kind === 'role' && entry.to === 'leader')
      of(entry.term, entry.atMs).winner = entry.member
  }
  const elections = [...terms].map(([term, { atMs, winner, ballots }]): Election => {
    const all = [...ballots.values()]
    return {
      term,
      atMs,
      winner,
      ballots: all,
      candidates: [...new Set(all.map(({ candidate }) => candidate))],
    }
  })
  return elections.sort((a, b) => b.term - a.term).slice(0, MAX_ELECTIONS)
}
