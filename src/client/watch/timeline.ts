// What has happened in a group while it was watched, as a person would tell it: bounded in time and number.

import type { FeedItemOf } from '../../protocol/feed-protocol.ts'
import type { MemberState } from './member-model.ts'

export type TimelineEntry =
  | ({ readonly member: string } & FeedItemOf<'role'>)
  | ({ readonly member: string } & FeedItemOf<'leader'>)
  | ({ readonly member: string } & FeedItemOf<'vote'>)
  /** A member has begun another life, or has come, gone silent or left. */
  | {
      readonly kind: 'member'
      readonly member: string
      readonly state: MemberState | 'restarted'
      readonly atMs: number
    }
  /** So many items of this member were not heard. */
  | { readonly kind: 'gap'; readonly member: string; readonly items: number; readonly atMs: number }

export const TIMELINE_MS = 10 * 60_000
const MAX_ENTRIES = 10_000

export class Timeline {
  readonly #entries: TimelineEntry[] = []

  /** Oldest first, as they were heard. */
  get entries(): readonly TimelineEntry[] {
    return this.#entries
  }

  /** @param nowMs time of the day, as the viewer has it. */
  add(entry: TimelineEntry, nowMs: number): void {
    this.#entries.push(entry)
    const old = this.#entries.findIndex(({ atMs }) => atMs >= nowMs - TIMELINE_MS)
    const excess = Math.max(old, this.#entries.length - MAX_ENTRIES)
    if (excess > 0) this.#entries.splice(0, excess)
  }
}
