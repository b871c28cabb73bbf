// Where a log holds entries without their payload, for disks that have it all in memory.

import { EntryType, type IndexRange, type LogEntry } from '../rules/types.ts'

/** From the first to the last WITHHELD entry; null: there is none. */
export function withheldRange(entries: readonly LogEntry[]): IndexRange | null {
  const isWithheld = ({ type }: LogEntry): boolean => type === EntryType.WITHHELD
  const [first, last] = [entries.find(isWithheld), entries.findLast(isWithheld)]
  return first === undefined || last === undefined ? null : { first: first.index, last: last.index }
}
