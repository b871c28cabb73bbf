// Where members stand in the ring, and how far each bar of a card reaches.

import type { Indexes, MemberView } from './member-view.ts'

export interface Place {
  readonly x: number
  readonly y: number
}

/** More than this do not fit into a ring that can be read. */
export const RING_MEMBERS = 9

/** Centers as shares of the width and the height, the first at the top, then clockwise. */
export function ringOf(count: number): readonly Place[] {
  // Cards are high: where there are few, the ring is low.
  const height = count <= FEW ? 0.3 : 0.38
  return Array.from({ length: count }, (_, at) => {
    const angle = (2 * Math.PI * at) / count - Math.PI / 2
    return { x: 0.5 + 0.37 * Math.cos(angle), y: 0.5 + height * Math.sin(angle) }
  })
}

const FEW = 5

export interface Scale {
  readonly from: number
  readonly to: number
}

/** The part of the log in which members differ, and a little before it: else no bar would ever be seen to lag. */
export function scaleOf(views: readonly MemberView[]): Scale {
  const known = views.flatMap(({ indexes }) => (indexes === null ? [] : [indexes]))
  if (known.length === 0) return { from: 0, to: 1 }
  const to = Math.max(1, ...known.map(({ last }) => last))
  const least = Math.min(...known.map(({ applied, durable }) => Math.min(applied, durable)))
  const spread = Math.max(to - least, 20)
  return { from: Math.max(0, to - spread * 2), to }
}

/** From 0 to 1. */
export function shareOf(index: number, { from, to }: Scale): number {
  return to <= from ? 0 : Math.min(1, Math.max(0, (index - from) / (to - from)))
}

/**
 * Members are not looked at in the same moment: while writes go on, a little behind is no lag.
 * @param commitsPerSecond null: nobody leads
 */
export function isLag(lag: number, commitsPerSecond: number | null): boolean {
  return lag > Math.max(20, (commitsPerSecond ?? 0) * SKEW_SECONDS)
}

const SKEW_SECONDS = 0.4

/** Entries that are committed somewhere and not applied here. */
export function lagOf({ applied }: Indexes, views: readonly MemberView[]): number {
  return Math.max(0, Math.max(0, ...views.map(({ indexes }) => indexes?.commit ?? 0)) - applied)
}
