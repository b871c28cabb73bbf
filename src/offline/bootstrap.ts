// The first files of a group that begins with a state (braft bootstrap): a snapshot of the user's state machine, and behind it
// a log with the configuration. A node that is started on them finds what it would find after any stop.

import { afterwards, finishSave, snapshotsOf } from '../actors/snapshot/machine-snapshots.ts'
import { UserWriter } from '../actors/snapshot/user-writer.ts'
import { QuorateError } from '../errors.ts'
import { asQuorateError, checkMachine, checkName, checkPeers, openDataDirectory } from '../host/open-host.ts'
import { encodeConfiguration } from '../log/configuration-codec.ts'
import { memberNameSchema, nameSchema } from '../options.ts'
import {
  type Configuration,
  EntryType,
  type LogIndex,
  type PeerId,
  type SnapshotMeta,
} from '../rules/types.ts'
import { systemClock } from '../runtime/clock.ts'
import { messageOf } from '../runtime/errors.ts'
import { type Logger, shelteredLogger } from '../runtime/logger.ts'
import type { StateMachine } from '../state-machine.ts'
import { ended, openedGroup, promised } from '../storage/awaited.ts'
import type { SnapshotSave, SnapshotStore } from '../storage/snapshot-store.ts'
import { type GroupStore, type Storage, StorageError, type StoredGroup } from '../storage/storage.ts'

/** What is there from the beginning is of the first term. */
const FIRST_TERM = 1
/** Room for all that is to come. */
const MAX_LAST_INDEX = 2 ** 40

/** With what a group begins, in the files of one of its members. */
export interface BootstrapOptions {
  /** The member whose files they are. */
  readonly id: PeerId
  /** Created when absent. Required unless `storage` is given. */
  readonly dataDir?: string
  /** Handed in storage is used and closed. */
  readonly storage?: Storage
  readonly group: string
  /** All voters of the group, `id` among them. */
  readonly peers: readonly PeerId[]
  /** So many commands count as applied. Default 0: the group begins empty. */
  readonly lastIndex?: LogIndex
  /** What they have led to: it is asked to save. Required unless `lastIndex` is 0. */
  readonly stateMachine?: StateMachine
  readonly logger?: Logger
}

/**
 * Writes the first files of a member whose group begins with a state: `lastIndex` commands count as applied, and what
 * they led to is what `stateMachine` says now. With `lastIndex` 0 the group begins empty, and the files only say who
 * its members are. Start the member on them afterwards; the others with empty files and `peers: []`, never with peers.
 *
 * @throws QuorateError INVALID for bad options; CONFLICT when the group has files there already, or a member runs on
 *   them; UNSUPPORTED when the machine knows nothing of snapshots; STATE_MACHINE, with the cause, when it failed to
 *   save; STORAGE when the disk did. Nothing of the group is there then.
 * @example
 * await bootstrap({ id: 'n1', dataDir: './n1', group: 'stock', peers: ['n1'], lastIndex: 26, stateMachine: imported })
 */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const { id, group, peers, lastIndex = 0 } = options
  const machine = checked(options)
  const logger = shelteredLogger(options.logger)
  const storage = options.storage ?? (await openDataDirectory(id, options.dataDir, logger))
  try {
    const configuration: Configuration = { peers: [...peers], oldPeers: [] }
    const { store, stored } = await openedGroup(storage, group)
    const snapshots = await promised<SnapshotStore>((done) => storage.openSnapshots(group, done))
    refuseIfStarted(group, id, stored, snapshots)
    if (machine !== null) await saveState(snapshots, machine, lastIndex, configuration)
    await beginLog(store, lastIndex, configuration)
    logger.info({ group, lastIndex, peers: peers.join(',') }, 'The first files of a group are written.')
  } catch (error) {
    throw asQuorateError(error)
  } finally {
    await ended((done) => storage.close(done))
  }
}

/** The machine that is to be saved; null: the group begins empty. */
function checked({ id, group, peers, lastIndex = 0, stateMachine }: BootstrapOptions): StateMachine | null {
  checkName('id', id, memberNameSchema)
  checkName('group', group, nameSchema)
  checkPeers('peers', peers)
  if (!peers.includes(id)) throw invalid(`Option peers: ${id}, whose files these are, is not among them.`)
  if (!Number.isSafeInteger(lastIndex) || lastIndex < 0 || lastIndex > MAX_LAST_INDEX)
    throw invalid(`Option lastIndex: must be a whole number from 0 to 2^40, not ${lastIndex}.`)
  if (lastIndex === 0) return null
  if (stateMachine === undefined)
    throw invalid(`Option stateMachine: required, for it holds what ${lastIndex} commands have led to.`)
  checkMachine(stateMachine)
  if (snapshotsOf(stateMachine) !== null) return stateMachine
  throw new QuorateError(
    'UNSUPPORTED',
    'Option stateMachine: it takes no snapshots, so there is no state to begin with.',
  )
}

function refuseIfStarted(group: string, id: string, stored: StoredGroup, snapshots: SnapshotStore): void {
  const { hardState, firstIndex, lastIndex } = stored
  if (hardState === null && firstIndex === 1 && lastIndex === 0 && snapshots.newest === null) return
  throw new QuorateError(
    'CONFLICT',
    `Group ${group} has begun in the files of ${id}: what is there is never overwritten. Use an empty directory.`,
  )
}

/** As a running member saves; until it is published nothing is there. */
async function saveState(
  snapshots: SnapshotStore,
  machine: StateMachine,
  lastIndex: LogIndex,
  configuration: Configuration,
): Promise<void> {
  const meta: SnapshotMeta = { lastIncludedIndex: lastIndex, lastIncludedTerm: FIRST_TERM, ...configuration }
  const save = snapshots.create(meta, systemClock.wallMs())
  try {
    await written(save, meta, machine)
  } catch (error) {
    await ended((done) => save.discard(done)).catch(() => {})
    if (error instanceof StorageError) throw error
    const message = `The state machine failed to save what group begins with: ${messageOf(error)}`
    throw new QuorateError('STATE_MACHINE', message, { cause: error })
  }
  await promised((done) => save.publish(done))
}

async function written(save: SnapshotSave, meta: SnapshotMeta, machine: StateMachine): Promise<void> {
  const { signal } = new AbortController()
  const progress = { doneBytes: 0, totalBytes: 0 }
  const writer = new UserWriter(save, meta, signal, progress, systemClock)
  const background = await afterwards(
    () => snapshotsOf(machine)?.capture(writer, signal),
    (value) => ({ value }),
  )
  await new Promise<void>((resolve, reject) =>
    finishSave(background.value, writer, (error) => (error === null ? resolve() : reject(error))),
  )
}

/** Asked for in one turn, so it is one transaction: the log, its first entry, and the term that it is of. */
async function beginLog(store: GroupStore, lastIndex: LogIndex, configuration: Configuration): Promise<void> {
  const data = encodeConfiguration(configuration)
  const first = { index: lastIndex + 1, term: FIRST_TERM, type: EntryType.CONFIGURATION, data }
  await Promise.all([
    ...(lastIndex === 0 ? [] : [ended((done) => store.reset(first.index, FIRST_TERM, done))]),
    ended((done) => store.saveHardState({ term: FIRST_TERM, votedFor: null }, done)),
    ended((done) => store.append([first], done)),
  ])
}

function invalid(message: string): QuorateError {
  return new QuorateError('INVALID', message)
}
