// Planted bugs in what is on disk.

import type { Mutant } from '../mutant.ts'
import { STORAGE_DISK_MUTANTS } from './storage-disk.ts'
import { STORAGE_QUEUE_MUTANTS } from './storage-queue.ts'
import { GROUP_REMOVAL_MUTANTS } from './storage-removal.ts'
import { STORAGE_ROW_MUTANTS } from './storage-rows.ts'
import { SNAPSHOT_STORE_MUTANTS } from './storage-snapshots.ts'
import { SQLITE_SNAPSHOT_MUTANTS } from './storage-snapshots-sqlite.ts'

export const STORAGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'doctor does not look through entries',
    file: 'storage/sqlite/inspect-directory.ts',
    find: 'damage.push(...damagedPages(db), ...damagedEntries(reader, groups, onProgress))',
    replace: 'damage.push(...damagedPages(db))',
    tests: ['test/cli/doctor.test.ts'],
    testName: 'does not fit its checksum',
  },
  {
    name: 'doctor passes over a damaged record',
    file: 'storage/sqlite/inspect-directory.ts',
    find: 'const damage = unreadable.map(({ message }) => message)',
    replace: 'const damage = unreadable.slice(1).map(({ message }) => message)',
    tests: ['test/cli/doctor.test.ts'],
    testName: 'does not fit its checksum',
  },
  {
    name: 'doctor reads a newer format',
    file: 'storage/sqlite/inspect-directory.ts',
    find: 'if (formatVersion > FORMAT_VERSION) {',
    replace: 'if (formatVersion > 1000 * FORMAT_VERSION) {',
    tests: ['test/cli/doctor.test.ts'],
    testName: 'does not fit its checksum',
  },
  {
    name: 'a read hands over entries whose removal was asked for',
    file: 'storage/log-window.ts',
    find: '    for (const claim of this.#claims) claim.to = Math.min(claim.to, last)',
    replace: '',
    tests: ['test/storage/claimed-read.test.ts'],
  },
  {
    name: 'rows that were truncated taken for damage',
    file: 'storage/claimed-read.ts',
    find: 'else if (failure !== null && failure.index <= to)',
    replace: 'else if (failure !== null)',
    tests: ['test/storage/claimed-read.test.ts'],
  },
  {
    name: 'compacted entries read as none',
    file: 'storage/claimed-read.ts',
    find: "    if (from < firstIndex) this.#end({ kind: 'compacted', firstIndex })",
    replace: "    if (from < 0) this.#end({ kind: 'compacted', firstIndex })",
    tests: ['test/storage/claimed-read.test.ts'],
  },
  {
    name: 'a fetch with nothing to read overtakes others',
    file: 'storage/sqlite/fetch-queue.ts',
    find: '    return !asked || this.#failure !== null',
    replace: '    return this.#failure !== null || (asked && this.#waiting.some((one) => !one.asked))',
    tests: ['test/storage/conformance.test.ts'],
    testName: 'SQLite.*fetch',
  },
  {
    name: 'a fetch answered after the close of its group',
    file: 'storage/sqlite/fetch-queue.ts',
    find: '    if (order !== undefined) end(order, order.refusal(), response)',
    replace: '    if (order !== undefined) end(order, null, response)',
    tests: ['test/storage/conformance.test.ts'],
    testName: 'SQLite.*fetch',
  },
  {
    name: 'sizes of fetched entries one off',
    file: 'storage/sqlite/fetch-messages.ts',
    find: '      const size = sizes[entries.length] ?? 0',
    replace: '      const size = sizes[entries.length - 1] ?? 0',
    tests: ['test/storage/conformance.test.ts'],
    testName: 'SQLite.*fetch',
  },
  {
    name: 'fetched entries of another type in one run',
    file: 'storage/sqlite/fetch-messages.ts',
    find: 'run.term === term && run.type === type',
    replace: 'run.term === term',
    tests: ['test/storage/conformance.test.ts', 'test/storage/sqlite-damage.test.ts'],
    testName: 'fetch',
  },
  {
    name: 'fetched entries numbered from the first',
    file: 'storage/sqlite/fetch-messages.ts',
    find: 'index: from + entries.length,',
    replace: 'index: 1 + entries.length,',
    tests: ['test/storage/conformance.test.ts', 'test/storage/sqlite-damage.test.ts'],
    testName: 'fetch',
  },
  {
    name: 'the newest fetch gets the answer to the oldest',
    file: 'storage/sqlite/fetch-queue.ts',
    find: '    const order = this.#waiting.shift()\n    if (order',
    replace: '    const order = this.#waiting.pop()\n    if (order',
    tests: ['test/storage/conformance.test.ts', 'test/storage/sqlite-damage.test.ts'],
    testName: 'fetch',
  },
  {
    name: 'a fetch reads four times what it may',
    file: 'storage/sqlite/fetch-thread.ts',
    find: 'reader.readRows(group, from, to, maxBytes)',
    replace: 'reader.readRows(group, from, to, 4 * maxBytes)',
    tests: ['test/storage/sqlite-runs.test.ts'],
  },
  {
    name: 'a fetch leaves out the last entry',
    file: 'storage/sqlite/fetch-thread.ts',
    find: 'reader.readRows(group, from, to, maxBytes)',
    replace: 'reader.readRows(group, from, to - 1, maxBytes)',
    tests: ['test/storage/sqlite-runs.test.ts'],
  },
  {
    name: 'a fetch names where it ends for where it begins',
    file: 'storage/sqlite/fetch-thread.ts',
    find: 'packRows(from, reader',
    replace: 'packRows(to, reader',
    tests: ['test/storage/sqlite-runs.test.ts'],
  },
  ...GROUP_REMOVAL_MUTANTS,
  ...STORAGE_DISK_MUTANTS,
  ...STORAGE_ROW_MUTANTS,
  ...SNAPSHOT_STORE_MUTANTS,
  ...SQLITE_SNAPSHOT_MUTANTS,
  ...STORAGE_QUEUE_MUTANTS,
]
