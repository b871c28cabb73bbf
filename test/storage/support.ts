// Makes storages for tests and clears away after them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../src/runtime/clock.ts'
import { MemoryDisk, MemoryStorage } from '../../src/storage/memory/memory-storage.ts'
import {
  openSqliteStorage,
  type SqliteStorage,
  type SqliteStorageOptions,
} from '../../src/storage/sqlite/sqlite-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { type StorageUnderTest, written } from '../../src/testing/storage-conformance.ts'

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-storage-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A SQLite storage that is closed after the test. */
export async function sqliteStorage(options: Partial<SqliteStorageOptions> = {}): Promise<SqliteStorage> {
  const storage = await openSqliteStorage({
    dataDir: options.dataDir ?? temporaryDirectory(),
    hostId: 'n1',
    ...options,
  })
  onTestFinished(() => storage.destroy())
  return storage
}

function restartable(first: Storage, next: () => Promise<Storage>): StorageUnderTest {
  let current = first
  return {
    storage: first,
    async reopen() {
      await written((done) => current.close(done))
      current = await next()
      return current
    },
  }
}

export async function makeSqlite(): Promise<StorageUnderTest> {
  const dataDir = temporaryDirectory()
  return restartable(await sqliteStorage({ dataDir }), () => sqliteStorage({ dataDir }))
}

export async function makeMemory(): Promise<StorageUnderTest> {
  const disk = new MemoryDisk()
  const open = (): Storage => new MemoryStorage({ clock: systemClock, disk })
  return restartable(open(), async () => open())
}

export const makers = [
  { kind: 'memory', make: makeMemory },
  { kind: 'SQLite', make: makeSqlite },
] as const
