// What the page is told by whoever serves it: a stream of messages, of which the browser makes the same model that
// `watchGroup` makes. Nothing here needs Node.js, and types of the feed are used as they are.

import type { MemberState } from '../client/watch/member-model.ts'
import type { TimelineEntry } from '../client/watch/timeline.ts'
import type { FeedBatch, FeedPicture } from '../protocol/feed-protocol.ts'

/** What the stage of a demo or simulation can do to a member. */
export const STAGE_ACTIONS = ['crash', 'start', 'pause', 'resume', 'cut', 'heal'] as const
export type StageAction = (typeof STAGE_ACTIONS)[number]

/** How it is with a member that the stage has at hand. */
export interface StagedMember {
  readonly id: string
  readonly state: 'running' | 'crashed' | 'paused'
  /** Nothing reaches it, and nothing that it says gets anywhere. */
  readonly isCut: boolean
}

/** A member at one moment, for what lies back: at most one each second. */
export interface Sample {
  readonly member: string
  readonly atMs: number
  readonly role: string
  readonly term: number
  readonly leader: string | null
  readonly lastIndex: number
  readonly durableIndex: number
  readonly commitIndex: number
  readonly appliedIndex: number
}

/** A group in the list of all. */
export interface GroupSummary {
  readonly group: string
  readonly members: number
  readonly leader: string | null
  readonly term: number
  readonly commitIndex: number
  /** Of the member that is furthest behind, in entries; null: nobody says. */
  readonly lag: number | null
}

export type PageMessage =
  | {
      readonly kind: 'hello'
      /** `bus`: a running group; `demo`: with a stage; `replay`: from a file, see `/replay`. */
      readonly source: 'bus' | 'demo' | 'replay'
      /** That is shown; empty: none is chosen yet, and the list of all is shown. */
      readonly group: string
      /** Where `source` is `replay`: what was recorded, as a sentence. Else empty. */
      readonly title: string
      /** Where `source` is `demo`: what may be done. */
      readonly actions: readonly StageAction[]
      /** Of this process: time of the day. */
      readonly nowMs: number
    }
  /** All groups that can be shown; not told where there is only one. */
  | { readonly kind: 'groups'; readonly groups: readonly GroupSummary[] }
  /** What has been, before this viewer came. */
  | {
      readonly kind: 'past'
      readonly timeline: readonly TimelineEntry[]
      readonly samples: readonly Sample[]
    }
  | { readonly kind: 'charts'; readonly charts: Readonly<Record<string, string>> }
  /** All there is of a member now; its charts come before. */
  | { readonly kind: 'picture'; readonly picture: FeedPicture; readonly restarts: number }
  | { readonly kind: 'batch'; readonly batch: FeedBatch }
  | {
      readonly kind: 'member'
      readonly id: string
      readonly state: MemberState
      readonly problem: string | null
    }
  | { readonly kind: 'left'; readonly id: string }
  /** Why nothing new is seen; null: all is well. */
  | { readonly kind: 'problem'; readonly problem: string | null }
  /** The stage of the demo or of the simulation. */
  | { readonly kind: 'stage'; readonly members: readonly StagedMember[] }
  /** One line of the story: what the demo does, a fault that the simulation injects, a rule that was found broken. */
  | {
      readonly kind: 'note'
      readonly text: string
      readonly tone: 'step' | 'fault' | 'broken'
      readonly atMs: number
    }

/** One line of `/replay`: what was to be seen at this moment of the simulation. */
export interface ReplayFrame {
  readonly atMs: number
  readonly message: PageMessage
}

/** What a browser posts to `/control`. */
export interface StageCommand {
  readonly action: StageAction
  readonly member: string
}
