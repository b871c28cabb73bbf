// Finds the first command at or after an index among what is applied (braft read_committed_user_log). What has left memory
// is fetched from disk, and each turn looks at so many entries and no more.

import type { LogReadOutcome } from '../actors/node/intake.ts'
import type { NodeCore } from '../actors/node/node.core.ts'
import { QuorateError } from '../errors.ts'
import { judgeLogRead, type LogReadVerdict } from '../rules/read.ts'
import { EntryType, type LogEntry, type LogIndex } from '../rules/types.ts'
import type { StorageError } from '../storage/storage.ts'

/** Looked at in one turn, or fetched at once. */
const MAX_ENTRIES = 64
/** Of payload in one fetch; one entry is handed out, so more would be read for nothing. */
const MAX_BYTES = 64 * 1024

/** `done` is called once, in this turn or in a later one. */
export function readUserLog(core: NodeCore, index: LogIndex, done: (outcome: LogReadOutcome) => void): void {
  const verdict = judgeLogRead(index, { firstIndex: core.log.firstIndex, appliedIndex: core.appliedIndex })
  if (verdict !== 'read') return done({ ok: false, error: refusal(core, index, verdict) })
  const inMemory: LogEntry[] = []
  for (let at = index; inMemory.length < MAX_ENTRIES; at++) {
    const entry = core.log.peek(at)
    if (entry === null) break
    inMemory.push(entry)
  }
  if (inMemory.length > 0) return look(core, inMemory, done)
  core.log.fetch(index, MAX_ENTRIES, MAX_BYTES, (result) => {
    if (core.life.gone) return
    if (result.kind === 'failed') return done({ ok: false, error: unreadable(core, index, result.error) })
    // Gone meanwhile, or reset by a snapshot: the next look says which.
    if (result.kind === 'compacted' || result.entries.length === 0) return goOn(core, index, done)
    look(core, result.entries, done)
  })
}

/** One of these, or what comes after them. */
function look(core: NodeCore, entries: readonly LogEntry[], done: (outcome: LogReadOutcome) => void): void {
  const found = entries.find(({ type }) => type === EntryType.DATA)
  if (found !== undefined && found.index <= core.appliedIndex) return done({ ok: true, entry: found })
  goOn(core, found?.index ?? (entries.at(-1)?.index ?? 0) + 1, done)
}

/** Others come first. */
function goOn(core: NodeCore, index: LogIndex, done: (outcome: LogReadOutcome) => void): void {
  core.clock.defer(() => {
    if (!core.life.gone) readUserLog(core, index, done)
  })
}

function refusal(core: NodeCore, index: LogIndex, verdict: Exclude<LogReadVerdict, 'read'>): QuorateError {
  const { id, group, appliedIndex } = core
  const { firstIndex } = core.log
  switch (verdict) {
    case 'INVALID':
      return new QuorateError('INVALID', `${index} is no index of a log: they are whole numbers from 1 on.`)
    case 'NO_MORE_LOG':
      return new QuorateError(
        'NO_MORE_LOG',
        `Member ${id} of ${group} has applied its log up to ${appliedIndex}, and no command from index ${index} on.`,
      )
    case 'LOG_DELETED':
      return new QuorateError(
        'LOG_DELETED',
        `The log of ${group} on ${id} begins at ${firstIndex}: entry ${index} is part of the snapshot now.`,
        { firstIndex },
      )
  }
}

function unreadable({ id, group }: NodeCore, index: LogIndex, cause: StorageError): QuorateError {
  if (cause.code === 'CLOSED') return new QuorateError('SHUTDOWN', `Member ${id} of ${group} is closed.`)
  const message = `The log of ${group} on ${id} cannot be read at ${index}: ${cause.message}`
  return new QuorateError('STORAGE', message, { cause })
}
