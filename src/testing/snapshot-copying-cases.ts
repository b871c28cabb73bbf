// What a copy of another member's snapshot must do, as cases.

import assert from 'node:assert/strict'
import {
  MAX_FILE_USER_META_BYTES,
  SNAPSHOT_CHUNK_BYTES,
  type SnapshotRecord,
} from '../storage/snapshot-store.ts'
import {
  answered,
  contents,
  fetchMissing,
  metaAt,
  openSnapshots,
  plain,
  publish,
  readFile,
  recordOf,
  refusedWith,
  sameFiles,
  someBytes,
  startCopy,
  startReader,
  writeFile,
} from './snapshot-support.ts'
import { type StorageCase, written } from './storage-conformance.ts'

const CHUNK = SNAPSHOT_CHUNK_BYTES

export const copying: readonly StorageCase[] = [
  {
    name: 'a copy is what it was copied from, chunks in any order, and invisible before it is published',
    async run(make) {
      const files = { a: someBytes(2 * CHUNK + 9), b: someBytes(1, 2), empty: new Uint8Array(0) }
      const record = await recordOf(make, 5, files)
      const { storage, reopen } = await make()
      const store = await openSnapshots(storage)
      const copy = await startCopy(store, record)
      assert.deepEqual(plain(copy.record), plain(record))
      assert.deepEqual(copy.missing, [
        { name: 'a', from: 0, to: 2 * CHUNK + 9 },
        { name: 'b', from: 0, to: 1 },
      ])
      assert.equal(copy.presentBytes, 0)
      const put = (name: 'a' | 'b', offset: number): Promise<void> =>
        written((done) => copy.write(name, offset, files[name].slice(offset, offset + CHUNK), done))
      await put('a', 2 * CHUNK)
      await put('b', 0)
      await put('a', 0)
      await put('a', 0)
      await refusedWith(
        'INVALID',
        answered((done) => copy.publish(done)),
      )
      assert.equal(store.newest, null)
      await put('a', CHUNK)
      assert.deepEqual(plain(await answered((done) => copy.publish(done))), plain(record))
      assert.deepEqual(plain(store.newest), plain(record))
      await refusedWith('INVALID', put('a', 0))
      sameFiles(await contents(store), files)
      sameFiles(await contents(await openSnapshots(await reopen())), files)
    },
  },
  {
    name: 'a copy that was paused goes on chunk by chunk, in this process and the next one',
    async run(make) {
      const files = { a: someBytes(3 * CHUNK), b: someBytes(2 * CHUNK + 1, 2), c: someBytes(7, 3) }
      const record = await recordOf(make, 5, files)
      const { storage, reopen } = await make()
      const store = await openSnapshots(storage)
      const first = await startCopy(store, record)
      assert.equal(await fetchMissing(first, files, 1), 1)
      await written((done) => first.write('b', CHUNK, files.b.slice(CHUNK, 2 * CHUNK), done))
      await written((done) => first.pause(done))
      await refusedWith('INVALID', fetchMissing(first, files, 1))
      const second = await startCopy(store, record)
      assert.deepEqual(second.missing, [
        { name: 'a', from: CHUNK, to: 3 * CHUNK },
        { name: 'b', from: 0, to: CHUNK },
        { name: 'b', from: 2 * CHUNK, to: 2 * CHUNK + 1 },
        { name: 'c', from: 0, to: 7 },
      ])
      assert.equal(second.presentBytes, 2 * CHUNK)
      await fetchMissing(second, files, 2)
      await written((done) => second.pause(done))
      const again = await openSnapshots(await reopen())
      assert.equal(again.newest, null)
      const third = await startCopy(again, record)
      assert.equal(third.presentBytes, 4 * CHUNK)
      assert.equal(await fetchMissing(third, files), 3)
      await answered((done) => third.publish(done))
      sameFiles(await contents(again), files)
    },
  },
  {
    name: 'a new copy ends the one before it, and takes over what fits',
    async run(make) {
      const same = someBytes(2 * CHUNK)
      const before = { same, changed: someBytes(CHUNK, 2), foreign: someBytes(CHUNK, 3) }
      const after = { same, changed: someBytes(CHUNK, 4), fresh: someBytes(9, 5) }
      const [older, newer] = [await recordOf(make, 5, before), await recordOf(make, 8, after)]
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const first = await startCopy(store, older)
      await fetchMissing(first, before)
      const second = await startCopy(store, newer)
      await refusedWith(
        'INVALID',
        answered((done) => first.publish(done)),
      )
      assert.deepEqual(second.missing, [
        { name: 'changed', from: 0, to: CHUNK },
        { name: 'fresh', from: 0, to: 9 },
      ])
      await fetchMissing(second, after)
      await answered((done) => second.publish(done))
      sameFiles(await contents(store), after)
      assert.equal(store.newest?.meta.lastIncludedIndex, 8)
    },
  },
  {
    name: 'files of the newest snapshot are used again by size and digest, whatever their name',
    async run(make) {
      const kept = someBytes(CHUNK + 3)
      const after = { kept, renamed: kept, changed: someBytes(CHUNK + 3, 2) }
      const record = await recordOf(make, 9, after)
      const { storage, reopen } = await make()
      const store = await openSnapshots(storage)
      await publish(store, 1, { kept, changed: kept.slice(0, CHUNK), gone: someBytes(5, 3) })
      const reader = await startReader(store)
      const copy = await startCopy(store, record)
      assert.deepEqual(copy.missing, [{ name: 'changed', from: 0, to: CHUNK + 3 }])
      assert.equal(copy.presentBytes, 2 * kept.length)
      // What another member sends for what is there changes nothing.
      await written((done) => copy.write('kept', 0, new Uint8Array(CHUNK), done))
      assert.ok(Buffer.from(await readFile(reader, 'kept')).equals(kept))
      await fetchMissing(copy, after)
      await answered((done) => copy.publish(done))
      sameFiles(await contents(store), after)
      assert.ok(Buffer.from(await readFile(reader, 'kept')).equals(kept))
      reader.close()
      sameFiles(await contents(await openSnapshots(await reopen())), after)
    },
  },
  {
    name: 'a copy shares files with a snapshot that is replaced meanwhile',
    async run(make) {
      const kept = someBytes(CHUNK + 3)
      const after = { kept, more: someBytes(10, 2) }
      const record = await recordOf(make, 9, after)
      const { storage, reopen } = await make()
      const store = await openSnapshots(storage)
      await publish(store, 1, { kept })
      const copy = await startCopy(store, record)
      await publish(store, 2, { own: someBytes(10, 3) })
      await fetchMissing(copy, after)
      await answered((done) => copy.publish(done))
      sameFiles(await contents(store), after)
      sameFiles(await contents(await openSnapshots(await reopen())), after)
    },
  },
  {
    name: 'a digest that does not fit is found when the copy is published, and only its file is fetched again',
    async run(make) {
      const files = { a: someBytes(CHUNK + 3), b: someBytes(2 * CHUNK, 2) }
      const record = await recordOf(make, 9, files)
      const { storage, reopen } = await make()
      const store = await openSnapshots(storage)
      const copy = await startCopy(store, record)
      await written((done) => copy.write('b', CHUNK, someBytes(CHUNK, 7), done))
      await fetchMissing(copy, files)
      await refusedWith(
        'CORRUPT',
        answered((done) => copy.publish(done)),
      )
      assert.equal(store.newest, null)
      await refusedWith(
        'INVALID',
        answered((done) => copy.publish(done)),
      )
      const again = await openSnapshots(await reopen())
      assert.equal(again.newest, null)
      const second = await startCopy(again, record)
      assert.deepEqual(second.missing, [{ name: 'b', from: 0, to: 2 * CHUNK }])
      await fetchMissing(second, files)
      await answered((done) => second.publish(done))
      sameFiles(await contents(again), files)
    },
  },
  {
    name: 'an empty file with the digest of another is found, too',
    async run(make) {
      const record = await recordOf(make, 9, { a: new Uint8Array(0) })
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const files = record.files.map((file) => ({ ...file, digest: new Uint8Array(32) }))
      const copy = await startCopy(store, { ...record, files })
      await refusedWith(
        'CORRUPT',
        answered((done) => copy.publish(done)),
      )
    },
  },
  {
    name: 'chunks of the wrong place, size or file are refused',
    async run(make) {
      const files = { a: someBytes(CHUNK + 3) }
      const record = await recordOf(make, 9, files)
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const copy = await startCopy(store, record)
      const put = (name: string, offset: number, bytes: number): Promise<void> =>
        written((done) => copy.write(name, offset, new Uint8Array(bytes), done))
      const senseless = [-CHUNK, 1, 0.5, 2 * CHUNK, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]
      for (const offset of senseless) await refusedWith('INVALID', put('a', offset, CHUNK))
      for (const bytes of [0, 1, CHUNK - 1, CHUNK + 1]) await refusedWith('INVALID', put('a', 0, bytes))
      await refusedWith('INVALID', put('a', CHUNK, 4))
      for (const name of ['b', '', '../a', '__proto__']) await refusedWith('INVALID', put(name, 0, CHUNK))
      await fetchMissing(copy, files)
      await answered((done) => copy.publish(done))
    },
  },
  {
    name: 'records that cannot be are refused',
    async run(make) {
      const record = await recordOf(make, 9, { a: someBytes(3), b: someBytes(3, 2) })
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const [a, b] = record.files
      assert.ok(a !== undefined && b !== undefined)
      const senseless: readonly SnapshotRecord[] = [
        { ...record, bytes: 7 },
        { ...record, files: [b, a] },
        { ...record, files: [a, a] },
        {
          ...record,
          files: [
            { ...a, bytes: -1 },
            { ...b, bytes: 7 },
          ],
        },
        { ...record, files: [{ ...a, bytes: 2 ** 53 }], bytes: 2 ** 53 },
        { ...record, files: [{ ...a, digest: new Uint8Array(31) }, b] },
        { ...record, files: [{ ...a, userMeta: new Uint8Array(MAX_FILE_USER_META_BYTES + 1) }, b] },
        { ...record, meta: { ...record.meta, lastIncludedIndex: 0 } },
        { ...record, meta: { ...record.meta, lastIncludedTerm: -1 } },
        { ...record, meta: { ...record.meta, peers: ['a b'] } },
        { ...record, takenAtMs: Number.NaN },
      ]
      for (const bad of senseless) await refusedWith('INVALID', startCopy(store, bad))
      assert.equal((await startCopy(store, record)).presentBytes, 0)
    },
  },
  {
    name: 'an own snapshot is published while a copy is under way, and the other way round',
    async run(make) {
      const files = { a: someBytes(CHUNK + 3) }
      const record = await recordOf(make, 9, files)
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const copy = await startCopy(store, record)
      const save = store.create(metaAt(10), 0)
      await writeFile(save, 'own', someBytes(50, 2))
      await fetchMissing(copy, files)
      await answered((done) => copy.publish(done))
      sameFiles(await contents(store), files)
      await answered((done) => save.publish(done))
      sameFiles(await contents(store), { own: someBytes(50, 2) })
    },
  },
]
