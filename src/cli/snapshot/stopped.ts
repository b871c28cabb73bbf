// The files of a stopped member, for the commands about snapshots.

import { StoppedSnapshots } from '../../storage/sqlite/snapshots/stopped-snapshots.ts'
import { StorageError } from '../../storage/storage.ts'
import { CliError, ExitCode } from '../exit.ts'

/** @throws CliError with what to do instead, when a member is running on them. */
export async function withStopped<T>(
  dataDir: string,
  run: (snapshots: StoppedSnapshots) => T | Promise<T>,
): Promise<T> {
  const snapshots = openStopped(dataDir)
  try {
    return await run(snapshots)
  } finally {
    snapshots.close()
  }
}

function openStopped(dataDir: string): StoppedSnapshots {
  try {
    return new StoppedSnapshots(dataDir)
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'LOCKED') throw error
    const text = `A member is running on ${dataDir}: leave --data out and ask it over the bus, or stop it first.`
    throw new CliError(ExitCode.REFUSED, text)
  }
}
