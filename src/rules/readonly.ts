// Read-only mode (braft NodeImpl::readonly): a member that must not get more commands says so, and a group of which no
// majority may be written to takes none. Elections, reads and changes of the members go on.

import { hasQuorum } from './quorum.ts'
import { type Configuration, EntryType, type LogEntry, type LogIndex, type PeerId } from './types.ts'

/**
 * Whether a leader may take commands: not while it is read-only itself, nor while either set lacks a majority of members
 * that may be written to (trap T79: braft lets the old set overwrite what it found for the new one).
 */
export function takesCommands(
  configuration: Configuration,
  self: PeerId,
  isReadonly: (peer: PeerId) => boolean,
): boolean {
  return !isReadonly(self) && hasQuorum(configuration, (peer) => !isReadonly(peer))
}

/**
 * Of these entries, as many as a member may be sent that has been read-only since `readonlyIndex`: everything before, and
 * changes of the members behind it. Null: it is not read-only.
 */
export function sendable(entries: readonly LogEntry[], readonlyIndex: LogIndex | null): readonly LogEntry[] {
  if (readonlyIndex === null) return entries
  const end = entries.findIndex(({ index, type }) => index >= readonlyIndex && type === EntryType.DATA)
  return end < 0 ? entries : entries.slice(0, end)
}
