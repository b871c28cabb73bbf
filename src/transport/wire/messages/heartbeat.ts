// heartbeat: the leader is here, and this far its log is committed. The fields of append_entries, without entries.

import {
  type AppendEntriesRequest,
  type AppendEntriesResponse,
  appendEntries,
  type SentAppendEntriesResponse,
} from './append-entries.ts'
import type { Message } from './message.ts'

export const heartbeat = {
  ...appendEntries,
  kind: 'heartbeat',
} as const satisfies Message<AppendEntriesRequest, AppendEntriesResponse, SentAppendEntriesResponse>
