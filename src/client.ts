// Both ends of a remote group: a client that finds the leader, and the services of a member that answer it.

export {
  type AdminChangeOptions,
  type AdminOptions,
  connectAdmin,
  type QuorateAdmin,
} from './client/admin.ts'
export {
  type ClientOptions,
  type ClientReadOptions,
  connectClient,
  type QuorateClient,
} from './client/client.ts'
export type { GroupRoute } from './client/route-table.ts'
export type { GroupStatus, StatusOptions } from './client/status.ts'
export { type AttachedServices, type AttachOptions, attachServices } from './services/attach.ts'
