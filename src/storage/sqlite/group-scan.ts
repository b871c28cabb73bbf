// Looks through a group's log when it is opened: nothing missing, where terms begin, the configuration entries. Made of
// small steps, so that writes of other groups need not wait until a long log has been read.

import type { LogEntry, LogIndex } from '../../rules/types.ts'
import { StorageError, type StoredGroup } from '../storage.ts'
import type { LogReader } from './log-reader.ts'
import type { MetaRecord } from './meta-table.ts'
import { findTermRuns } from './term-runs.ts'

/** How many keys are counted at once: a row of 1 kB takes 3 µs, one that has to come from the device up to 100. */
const FIRST_COUNT = 256
const MAX_COUNT = 16_384
/** Configuration entries read at once. */
const CONFIGURATIONS_PER_STEP = 64
const SHORT_MS = 1
const LONG_MS = 4

/**
 * Pauses after each step of a few milliseconds. Nobody writes to the group meanwhile: it is not open yet.
 * @throws StorageError CORRUPT
 */
export function* scanGroup(
  group: MetaRecord,
  reader: LogReader,
  nowMs: () => number,
): Generator<void, StoredGroup, void> {
  const { firstIndex, termBeforeFirst, hardState } = group
  const lastIndex = Math.max(reader.lastIndex(group, 0), firstIndex - 1)
  yield* requireAll(group, lastIndex, reader, nowMs)
  const terms = yield* findTermRuns(firstIndex, lastIndex, {
    peek: (index) => reader.term(group, index),
    verified: (index) => reader.entry(group, index).term,
  })
  if (typeof terms === 'number') {
    throw new StorageError(
      'CORRUPT',
      `The log of group ${group.name} is damaged: the term goes back at index ${terms}.`,
    )
  }
  const configurations = yield* readConfigurations(group, lastIndex, reader)
  const withheld = reader.withheld(group, firstIndex, lastIndex)
  return { hardState, firstIndex, lastIndex, termBeforeFirst, terms, configurations, withheld }
}

/** Counts as many keys per step as take a few milliseconds, whatever the size of the rows and the speed of the disk. */
function* requireAll(
  group: MetaRecord,
  lastIndex: LogIndex,
  reader: LogReader,
  nowMs: () => number,
): Generator<void, void, void> {
  let count = FIRST_COUNT
  for (let from = group.firstIndex; from <= lastIndex; ) {
    const to = Math.min(lastIndex, from + count - 1)
    const startMs = nowMs()
    reader.requireAll(group, from, to)
    const tookMs = nowMs() - startMs
    if (tookMs < SHORT_MS) count = Math.min(MAX_COUNT, 2 * count)
    else if (tookMs > LONG_MS) count = Math.max(1, count >> 1)
    from = to + 1
    yield
  }
}

function* readConfigurations(
  group: MetaRecord,
  lastIndex: LogIndex,
  reader: LogReader,
): Generator<void, LogEntry[], void> {
  const found: LogEntry[] = []
  for (let from = group.firstIndex; from <= lastIndex; ) {
    const some = reader.configurations(group, from, lastIndex, CONFIGURATIONS_PER_STEP)
    for (const entry of some) found.push(entry)
    if (some.length < CONFIGURATIONS_PER_STEP) break
    from = (some.at(-1)?.index ?? lastIndex) + 1
    yield
  }
  return found
}
