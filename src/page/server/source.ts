// What a page can be made of: a bus with groups, the members of this process, the stage of a demo, or a file.

import type { GroupModel } from '../../client/watch/group-model.ts'
import type { FeedInstance } from '../../protocol/feed-protocol.ts'
import type { GroupSummary, PageMessage, StageAction, StageCommand, StagedMember } from '../page-protocol.ts'

export interface WatchedGroup {
  readonly model: GroupModel
  /** Instances whose keys begin like this. */
  find?(text: string): Promise<readonly FeedInstance[]>
  close(): void
}

/** Members that this process has at hand. */
export interface Stage {
  readonly actions: readonly StageAction[]
  readonly members: readonly StagedMember[]
  /** What has been told so far, oldest first. */
  readonly notes: readonly (PageMessage & { readonly kind: 'note' })[]
  /** Null: it is done. Else why it is not, as a sentence. */
  act(command: StageCommand): Promise<string | null>
  /** Hears changes of members and notes. Returns the function that ends it. */
  on(listener: (message: PageMessage) => void): () => void
}

export interface PageSource {
  readonly kind: 'bus' | 'demo' | 'replay'
  /** What is shown to whoever names no group; null: the only one that there is, or the list. */
  readonly group: string | null
  /** Begins to watch a group; once for all viewers. Undefined: there is no such group here. */
  readonly watch?: (group: string) => WatchedGroup | undefined
  /** All groups that can be seen. */
  readonly groups?: () => Promise<readonly GroupSummary[]>
  readonly stage?: Stage
  /** What was recorded, as a sentence. */
  readonly title?: string
  /** Lines of frames. */
  readonly replay?: () => AsyncIterable<string>
  /** Groups are watched though nobody looks, so that whoever comes sees what has been. */
  readonly keeps: boolean
}
