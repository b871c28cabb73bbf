// A group in the directory of a member that is not running: where it stands, and the door through which its next
// configuration is written.

import { encodeConfiguration } from '../../log/configuration-codec.ts'
import { RaftLog } from '../../log/raft-log.ts'
import { reconcileLog } from '../../rules/compaction.ts'
import { recoveryTerm } from '../../rules/disaster.ts'
import { findInconsistency, recoverConfiguration, recoverHardState } from '../../rules/recovery.ts'
import {
  type Configuration,
  configurationOf,
  EMPTY_CONFIGURATION,
  EntryType,
  type Identity,
  type LogId,
  type LogIndex,
  type PeerId,
  type SnapshotMeta,
  type Term,
} from '../../rules/types.ts'
import { ended, openedGroup } from '../../storage/awaited.ts'
import { inspectDirectory } from '../../storage/sqlite/inspect-directory.ts'
import { openSqliteStorage } from '../../storage/sqlite/sqlite-storage.ts'
import { type GroupStore, StorageError, type StoredGroup } from '../../storage/storage.ts'
import { CliError, ExitCode } from '../exit.ts'
import { withStopped } from '../snapshot/stopped.ts'

export interface StoppedGroup {
  /** Whose files these are. */
  readonly id: PeerId
  readonly identity: Identity
  readonly configuration: Configuration
  readonly term: Term
  readonly lastIndex: LogIndex
  /** These are the files of a witness. */
  readonly lacksPayload: boolean
  /**
   * Appends the configuration, durably, in a term that is far from every one that others can have reached. Returns where it
   * stands.
   */
  write(configuration: Configuration): Promise<LogId>
}

/**
 * Nobody else can have the directory meanwhile.
 * @throws CliError REFUSED when a member runs on it, or what is there has to be seen to first.
 */
export async function withStoppedGroup<T>(
  dataDir: string,
  group: string,
  run: (stopped: StoppedGroup) => Promise<T>,
): Promise<T> {
  const id = checkedOwner(dataDir, group)
  const snapshot = await newestSnapshot(dataDir, group)
  const storage = await openSqliteStorage({ dataDir, hostId: id }).catch((error: unknown) => {
    throw error instanceof StorageError && error.code === 'LOCKED' ? isRunning(dataDir) : error
  })
  try {
    const { store, stored } = await openedGroup(storage, group)
    return await run(standing(dataDir, id, store, stored, snapshot))
  } finally {
    await ended((done) => storage.close(done))
  }
}

/** Looks through everything: what is damaged would be found when the group has begun to rely on it. */
function checkedOwner(dataDir: string, group: string): PeerId {
  const { hostId, groups, inUse, damage } = inspectDirectory(dataDir)
  if (inUse) throw isRunning(dataDir)
  if (!groups.some(({ name }) => name === group)) {
    const there = groups.map(({ name }) => name).join(', ') || 'none'
    throw new CliError(ExitCode.USAGE, `${dataDir} holds no group ${group}; it holds ${there}.`)
  }
  if (damage.length === 0) return hostId
  const text = `${dataDir} is damaged: ${damage[0]} Use the files of another member, or a backup.`
  throw new CliError(ExitCode.REFUSED, text)
}

function isRunning(dataDir: string): CliError {
  const text = `A member is running on ${dataDir}: stop it first, and see that nothing starts it meanwhile.`
  return new CliError(ExitCode.REFUSED, text)
}

function newestSnapshot(dataDir: string, group: string): Promise<SnapshotMeta | null> {
  return withStopped(dataDir, (snapshots) => {
    const damage = snapshots.damageOf(group)
    if (damage === null) return snapshots.newest(group)?.record.meta ?? null
    throw new CliError(ExitCode.REFUSED, `${dataDir} is damaged: ${damage} Use another member, or a backup.`)
  })
}

function standing(
  dataDir: string,
  id: PeerId,
  store: GroupStore,
  stored: StoredGroup,
  meta: SnapshotMeta | null,
): StoppedGroup {
  const log = new RaftLog(store, stored, 0)
  const { firstIndex, lastIndex, lastLogId } = log
  const end: LogId = { index: meta?.lastIncludedIndex ?? 0, term: meta?.lastIncludedTerm ?? 0 }
  const snapshot = meta === null ? null : { id: end, configuration: configurationOf(meta) }
  const recovered = { firstIndex, lastLogId, configuration: log.configurations.newest() }
  // A member that was killed between the two; at its start it would throw away what is written here.
  if (snapshot !== null && reconcileLog(log, snapshot.id) === 'reset') {
    const text = `The log in ${dataDir} has not followed its snapshot yet: start the member once, stop it, and ask again.`
    throw new CliError(ExitCode.REFUSED, text)
  }
  const inconsistency = findInconsistency(recovered, snapshot)
  if (inconsistency !== null)
    throw new StorageError('CORRUPT', `${dataDir} cannot be used: ${inconsistency}.`)
  const { term } = recoverHardState(stored.hardState, lastLogId.term).state
  return {
    ...{ id, identity: stored.identity ?? 0, term, lastIndex },
    lacksPayload: !log.withheld.isEmpty || meta?.withheld === true,
    configuration: recoverConfiguration(recovered, snapshot, EMPTY_CONFIGURATION),
    async write(configuration) {
      const at = { index: lastIndex + 1, term: recoveryTerm(term) }
      const data = encodeConfiguration(configuration)
      // As one that was elected in this term would have done it: its vote is given, to nobody else.
      await ended((done) => store.saveHardState({ term: at.term, votedFor: id }, done))
      await ended((done) => store.append([{ ...at, type: EntryType.CONFIGURATION, data }], done))
      return at
    },
  }
}
