// A snapshot has been published or loaded: log, configurations and commit index follow (braft LogManager::set_snapshot).

import { configurationFrom } from '../../log/configuration-codec.ts'
import { firstKeptIndex, reconcileLog } from '../../rules/compaction.ts'
import { InvariantError } from '../../rules/invariants.ts'
import { isDue, snapshotDelayMs } from '../../rules/snapshot.ts'
import { configurationOf, type LogId, type LogIndex, type SnapshotMeta } from '../../rules/types.ts'
import { snapshotsOf } from '../snapshot/machine-snapshots.ts'
import { refreshConfiguration, tellNews } from './node.configuration.ts'
import type { NodeCore } from './node.core.ts'
import type { EventOf } from './node.events.ts'
import { refuseAcksAfter, settleAcks, vouchFor } from './node.follower.ts'
import { keepsNoData, noteFiles } from './node.witness.ts'

/**
 * Takes a snapshot that is durable, and whose state has been loaded or saved. One that is not newer than the last one
 * changes nothing. A crash before the log has followed is repaired at the next start, by the same rules.
 */
export function adoptSnapshot(core: NodeCore, meta: SnapshotMeta): void {
  const { log } = core
  const id = { index: meta.lastIncludedIndex, term: meta.lastIncludedTerm }
  const previousIndex = log.configurations.snapshot?.id.index ?? 0
  if (id.index <= previousIndex) return
  const known = log.configurations.newest()
  log.configurations.setSnapshot({ ...configurationOf(meta), id })
  const isOther = reconcileLog(log, id) === 'reset'
  if (isOther) resetLog(core, id)
  else compact(core, id.index, previousIndex)
  if (log.configurations.newest() !== known) refreshConfiguration(core, isOther)
  noteFiles(core)
  vouchFor(core, id.index)
  core.commitTo(Math.max(core.commitIndex, id.index))
  settleAcks(core)
  tellNews(core, 'snapshot')
}

/** The log up to the newest snapshot is not wanted any more, except by followers that are being sent it (trap T70). */
export function trimLog(core: NodeCore): void {
  const { snapshot } = core.log.configurations
  if (snapshot !== null) compact(core, snapshot.id.index, snapshot.id.index)
}

/** A leader offers a snapshot: it is answered at once, and offered again until it is installed. */
export function acceptOffer(core: NodeCore, { from, message, reply }: EventOf<'rpc.install_snapshot'>): void {
  const { lastIncludedIndex, lastIncludedTerm, bytes, takenAtMs, withheld } = message
  const place = { lastIncludedIndex, lastIncludedTerm, ...configurationFrom(message) }
  const meta: SnapshotMeta = withheld ? { ...place, withheld } : place
  const files = withheld ? 0 : message.files
  const id = { index: lastIncludedIndex, term: lastIncludedTerm }
  const offer = { from, id, meta, bytes, files, takenAtMs }
  core.toSnapshots({ type: 'offer', offer, heardMs: core.clock.nowMs(), reply })
}

/** A snapshot that nobody has asked for: if it cannot be taken now, another time will do. */
export function saveByItself(core: NodeCore): void {
  if (core.snapshots.activity === 'idle') core.toSnapshots({ type: 'save', asked: null })
}

/** Asked after every step of the apply queue. */
export function saveWhenDue(core: NodeCore): void {
  const { snapshots, tuning, clock, appliedIndex } = core
  const due = isDue({
    entries: appliedIndex - snapshots.newestIndex,
    logBytes: snapshots.appliedBytes - snapshots.appliedBytesAtNewest,
    snapshotBytes: snapshots.newest?.bytes ?? 0,
    everyEntries: tuning.snapshotEveryEntries,
    everyBytes: tuning.snapshotEveryBytes,
  })
  // Asked once a turn: who takes none is not refused, with a sentence, once a turn.
  if (due && clock.nowMs() >= snapshots.notBeforeMs && takesSnapshots(core)) saveByItself(core)
}

function takesSnapshots(core: NodeCore): boolean {
  return snapshotsOf(core.stateMachine) !== null || keepsNoData(core)
}

/** Null: never. */
export function snapshotTimerMs(core: NodeCore): number | null {
  const { snapshotIntervalMs } = core.tuning
  if (snapshotIntervalMs === 0 || !takesSnapshots(core)) return null
  const isFirst = !core.snapshots.ticked
  core.snapshots.ticked = true
  return snapshotDelayMs(snapshotIntervalMs, isFirst, isFirst ? core.drawn() : 0)
}

/** The log is not the one that the snapshot was made of: nothing in it counts, and nothing of it is acknowledged. */
function resetLog(core: NodeCore, { index, term }: LogId): void {
  const { group, log, logger } = core
  if (index <= core.commitIndex) {
    const evidence = `a snapshot has term ${term} at index ${index}, which is committed here with term ${log.termAt(index)}`
    throw new InvariantError('leader completeness', evidence)
  }
  logger.info({ group, index, term, lastIndex: log.lastIndex }, 'The log begins anew after a snapshot.')
  refuseAcksAfter(core, index)
  core.life.logActor?.send({ type: 'reset', nextIndex: index + 1, termBefore: term })
}

/** The disk forgets at once and clears away later, in pieces: whoever commits meanwhile is not held up. */
function compact(core: NodeCore, snapshotIndex: LogIndex, previousIndex: LogIndex): void {
  const firstKept = firstKeptIndex({
    snapshotIndex,
    previousIndex,
    marginEntries: core.tuning.logMarginEntries,
    installations: core.files.installations,
    maxRetainedBytes: core.tuning.maxRetainedLogBytes,
  })
  core.life.logActor?.send({ type: 'truncatePrefix', firstKept })
}
