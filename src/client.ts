// Both ends of a remote group: a client that finds the leader, and the services of a member that answer it.

export {
  type AdminChangeOptions,
  type AdminOptions,
  connectAdmin,
  type QuorateAdmin,
} from './client/admin.ts'
export { connectClient } from './client/client.ts'
export type { GroupRoute } from './client/route-table.ts'
export type { ClientApplyOptions, ClientSession, SessionOptions } from './client/session.ts'
export type { ClientOptions, ClientReadOptions, QuorateClient } from './client/shapes.ts'
export type { GroupStatus, MemberClock, StatusOptions } from './client/status.ts'
export type { Heard, SubscribeOptions } from './client/subscription.ts'
export type { GroupModel, WatchChange, WatchListener } from './client/watch/group-model.ts'
export type { WatchedInstances } from './client/watch/instance-book.ts'
export type { MemberModel, MemberState, WatchedActor } from './client/watch/member-model.ts'
export type { TimelineEntry } from './client/watch/timeline.ts'
export { type GroupWatch, type WatchOptions, watchGroup } from './client/watch/watch-group.ts'
export type { FeedInstance, FeedItem, FeedStatus } from './protocol/feed-protocol.ts'
export { type AttachedServices, type AttachOptions, attachServices } from './services/attach.ts'
