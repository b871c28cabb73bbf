// A new group's directory from a backup: the snapshot as it was, under a new configuration, and a log that begins behind
// it. What the old members were known by (rules/identity.ts) is no part of a snapshot, so it stays behind.

import { mkdir, mkdtemp, open, readdir, rename } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { PeerId, SnapshotMeta } from '../../rules/types.ts'
import { ended, openedGroup, promised } from '../../storage/awaited.ts'
import type { SnapshotSave, SnapshotStore } from '../../storage/snapshot-store.ts'
import { openSqliteStorage } from '../../storage/sqlite/sqlite-storage.ts'
import type { Storage } from '../../storage/storage.ts'
import { CliError, ExitCode } from '../exit.ts'
import { claimDirectory } from '../serve/claim.ts'
import type { OpenBackup } from './backup-file.ts'

export interface NewMember {
  readonly dataDir: string
  readonly id: PeerId
  readonly group: string
  readonly peers: readonly PeerId[]
}

/** An import under way lies in a directory beside the one that it becomes. */
export interface Import {
  readonly unfinished: string
  /** @param onBytes is told how many bytes have been read since the last time. */
  run(backup: OpenBackup, onBytes: (bytes: number) => void): Promise<void>
}

/** @throws CliError REFUSED when there is something in the place already. */
export async function prepareImport(member: NewMember): Promise<Import> {
  const target = resolve(member.dataDir)
  const there = await readdir(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new CliError(
      ExitCode.REFUSED,
      `${member.dataDir} is no directory that could be used: ${error.message}`,
    )
  })
  if (there.length > 0) {
    throw new CliError(
      ExitCode.REFUSED,
      `${member.dataDir} is not empty, and nothing is overwritten: choose another --data, or move it away.`,
    )
  }
  await mkdir(dirname(target), { recursive: true })
  const unfinished = await mkdtemp(join(dirname(target), `${basename(target)}.import-`))
  return {
    unfinished,
    run: async (backup, onBytes) => {
      await fill(unfinished, member, backup, onBytes)
      await claimDirectory(unfinished, member.group)
      await rename(unfinished, target)
      const parent = await open(dirname(target), 'r')
      await parent.sync().finally(() => parent.close())
    },
  }
}

async function fill(
  dataDir: string,
  { id, group, peers }: NewMember,
  backup: OpenBackup,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const storage: Storage = await openSqliteStorage({ dataDir, hostId: id })
  try {
    const { lastIncludedIndex, lastIncludedTerm } = backup.record.meta
    const meta: SnapshotMeta = { lastIncludedIndex, lastIncludedTerm, peers, oldPeers: [] }
    const snapshots = await promised<SnapshotStore>((done) => storage.openSnapshots(group, done))
    await copyFiles(backup, snapshots.create(meta, backup.record.takenAtMs), onBytes)
    await ended((done) => snapshots.close(done))
    await beginLogBehind(storage, group, meta)
  } finally {
    await ended((done) => storage.close(done))
  }
}

/** Until `publish` is done nothing is there; a file that fails its checksum ends it before. */
async function copyFiles(
  backup: OpenBackup,
  save: SnapshotSave,
  onBytes: (bytes: number) => void,
): Promise<void> {
  for (const file of backup.record.files) {
    for await (const piece of backup.read(file)) {
      const { length } = piece
      await ended((done) => save.write(file.name, piece, done))
      onBytes(length)
    }
    await promised((done) => save.endFile(file.name, file.userMeta, done))
  }
  await promised((done) => save.publish(done))
}

async function beginLogBehind(storage: Storage, group: string, meta: SnapshotMeta): Promise<void> {
  const { store } = await openedGroup(storage, group)
  await ended((done) => store.reset(meta.lastIncludedIndex + 1, meta.lastIncludedTerm, done))
  await ended((done) => store.close(done))
}
