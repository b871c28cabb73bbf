// What users of a remote group import.

export {
  type ClientOptions,
  type ClientReadOptions,
  connectClient,
  type QuorateClient,
} from './client/client.ts'
export type { GroupStatus } from './client/status.ts'
