// Deletes what a member that was removed has kept of its group (braft gc_raft_data).

import { QuorateError } from '../errors.ts'
import { asQuorateError, checkName } from '../host/open-host.ts'
import { decodeConfiguration } from '../log/configuration-codec.ts'
import { memberNameSchema, nameSchema } from '../options.ts'
import { type MemberRole, roleOf } from '../rules/change.ts'
import type { Configuration, PeerId } from '../rules/types.ts'
import { systemClock } from '../runtime/clock.ts'
import { type Logger, shelteredLogger } from '../runtime/logger.ts'
import { GroupRemoval, type LeftGroup } from '../storage/sqlite/group-removal.ts'
import { StorageError } from '../storage/storage.ts'

/** A group whose files are to go. */
export interface RemoveGroupDataOptions {
  readonly dataDir: string
  /** The member whose files they are. */
  readonly id: PeerId
  readonly group: string
  /** Although the files name it as a member: somebody knows better. */
  readonly force?: boolean
  readonly logger?: Logger
}

export interface RemovedGroupData {
  /** What the directory takes less than before. */
  readonly freedBytes: number
}

/**
 * Deletes the log, term, vote, identity and snapshots of one group from a data directory that no process uses, and gives the
 * space back. Other groups in it stay as they are. Meant for a member that was removed: its files are of no use to the group,
 * and the directory may be needed. What is broken off is finished by asking again.
 *
 * A member whose files are deleted while the group still counts it has forgotten its votes and what it acknowledged. So
 * ask the group first (`admin.members()`); files that name the member themselves are refused without `force`.
 *
 * @throws QuorateError CONFLICT when a process uses the directory, when it is another member's, and when its files say that
 *   it is a member; INVALID when the group is not there; STORAGE when the disk fails, or the record of the group is damaged.
 * @example
 * const { freedBytes } = await removeGroupData({ dataDir: './n3', id: 'n3', group: 'stock' })
 */
export async function removeGroupData(options: RemoveGroupDataOptions): Promise<RemovedGroupData> {
  const { dataDir, id, group, force = false } = options
  checkName('id', id, memberNameSchema)
  checkName('group', group, nameSchema)
  const logger = shelteredLogger(options.logger)
  const removal = opened(dataDir, group)
  try {
    if (removal.hostId !== id) {
      const text = `The files in ${dataDir} are those of ${removal.hostId}, not of ${id}: nothing was deleted.`
      throw new QuorateError('CONFLICT', text)
    }
    if (!force) refuseIfMember(removal, group)
    return await removed(removal, options, logger)
  } catch (error) {
    throw conclusive(error)
  } finally {
    removal.close()
  }
}

function opened(dataDir: string, group: string): GroupRemoval {
  try {
    return new GroupRemoval(dataDir)
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'LOCKED') throw asQuorateError(error)
    const text = `A process is running on ${dataDir}: stop it first. Nothing of group ${group} was deleted.`
    throw new QuorateError('CONFLICT', text, { cause: error })
  }
}

function refuseIfMember(removal: GroupRemoval, group: string): void {
  const role = knownRole(removal.look(group), removal.hostId)
  if (role === null) return
  const text = `By its own files ${removal.hostId} is a ${role} of group ${group}: remove it from the group first, or say that it is to be forced.`
  throw new QuorateError('CONFLICT', text)
}

/** By the newest configuration that the files hold; null: none, or none that can be read. */
function knownRole({ stored, snapshot }: LeftGroup, id: string): MemberRole | null {
  const newest = stored.configurations.at(-1)
  const configuration: Configuration | null = newest === undefined ? snapshot : decodeConfiguration(newest)
  return configuration === null ? null : roleOf(configuration, id)
}

async function removed(
  removal: GroupRemoval,
  { dataDir, id, group, force = false }: RemoveGroupDataOptions,
  logger: Logger,
): Promise<RemovedGroupData> {
  const before = removal.bytes
  logger.warn({ dataDir, group, id, force }, `The files of ${id} for group ${group} are being deleted.`)
  const steps = removal.remove(group)
  // Others of this process have their turn in between.
  while (steps.next().done !== true) await new Promise<void>((resolve) => systemClock.defer(resolve))
  const freedBytes = Math.max(0, before - removal.bytes)
  logger.warn({ dataDir, group, id, freedBytes }, `The files of ${id} for group ${group} are deleted.`)
  return { freedBytes }
}

function conclusive(error: unknown): QuorateError {
  if (error instanceof StorageError && error.code === 'INVALID')
    return new QuorateError('INVALID', error.message, { cause: error })
  return asQuorateError(error)
}
