// Both ends of a remote group: a client that finds the leader, and the services of a member that answer it.

export {
  type ClientOptions,
  type ClientReadOptions,
  connectClient,
  type QuorateClient,
} from './client/client.ts'
export type { GroupStatus } from './client/status.ts'
export { type AttachedServices, type AttachOptions, attachServices } from './services/attach.ts'
