// What a save must do, as cases.

import assert from 'node:assert/strict'
import {
  MAX_FILE_USER_META_BYTES,
  MAX_SNAPSHOT_BYTES_UNDER_WAY,
  MAX_SNAPSHOT_CALL_BYTES,
  SNAPSHOT_CHUNK_BYTES,
  type SnapshotFile,
  type SnapshotRecord,
} from '../storage/snapshot-store.ts'
import {
  answered,
  badNames,
  contents,
  goodNames,
  metaAt,
  openSnapshots,
  plain,
  publish,
  refusedWith,
  sameFiles,
  someBytes,
  startCopy,
  startReader,
  writeFile,
} from './snapshot-support.ts'
import { type StorageCase, written } from './storage-conformance.ts'

const CHUNK = SNAPSHOT_CHUNK_BYTES

export const saving: readonly StorageCase[] = [
  {
    name: 'a group that never had a snapshot has none, and nothing to be read',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      assert.equal(store.newest, null)
      await refusedWith('INVALID', startReader(store))
    },
  },
  {
    name: 'what was published is read back with meta, files and user data, before and after reopening',
    async run(make) {
      const { storage, reopen } = await make()
      const store = await openSnapshots(storage)
      const save = store.create(metaAt(7), 123.5)
      const userMeta = Uint8Array.of(1, 2, 3)
      const file = await writeFile(save, 'b/state', someBytes(1000), userMeta)
      assert.deepEqual([file.name, file.bytes, file.digest.length], ['b/state', 1000, 32])
      await writeFile(save, 'a', someBytes(10, 2))
      const record = await answered<SnapshotRecord>((done) => save.publish(done))
      assert.deepEqual(record.meta, metaAt(7))
      assert.deepEqual(
        record.files.map(({ name }) => name),
        ['a', 'b/state'],
      )
      assert.deepEqual([record.bytes, record.takenAtMs], [1010, 123.5])
      assert.deepEqual(store.newest, record)
      const again = await openSnapshots(await reopen())
      assert.deepEqual(plain(again.newest), plain(record))
      assert.deepEqual(plain((await startReader(again)).record), plain(record))
      sameFiles(await contents(again), { a: someBytes(10, 2), 'b/state': someBytes(1000) })
    },
  },
  {
    name: 'files of no byte, one, a chunk, a chunk and one, and of many pieces are what they were',
    async run(make) {
      const { storage, reopen } = await make()
      const store = await openSnapshots(storage)
      const sizes = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]
      const files = Object.fromEntries(sizes.map((size, seed) => [`f${size}`, someBytes(size, seed + 1)]))
      const save = store.create(metaAt(1), 0)
      for (const [name, data] of Object.entries(files)) await writeFile(save, name, data, null, 100_003)
      const record = await answered<SnapshotRecord>((done) => save.publish(done))
      assert.equal(
        record.bytes,
        sizes.reduce((sum, size) => sum + size, 0),
      )
      sameFiles(await contents(store), files)
      sameFiles(await contents(await openSnapshots(await reopen())), files)
    },
  },
  {
    name: 'equal files have equal digests however they were written, different ones do not',
    async run(make) {
      const { storage } = await make()
      const save = (await openSnapshots(storage)).create(metaAt(1), 0)
      const one = await writeFile(save, 'one', someBytes(2 * CHUNK + 5), null, 77_777)
      const two = await writeFile(save, 'two', someBytes(2 * CHUNK + 5), Uint8Array.of(1), CHUNK)
      const other = await writeFile(save, 'other', someBytes(2 * CHUNK + 5, 2))
      assert.deepEqual(one.digest, two.digest)
      assert.notDeepEqual(one.digest, other.digest)
    },
  },
  {
    name: 'nobody sees a snapshot before it is published, nor after it was thrown away',
    async run(make) {
      const { storage, reopen } = await make()
      const store = await openSnapshots(storage)
      await publish(store, 1, { a: someBytes(5) })
      const save = store.create(metaAt(2), 0)
      await writeFile(save, 'a', someBytes(CHUNK + 9, 2))
      assert.equal(store.newest?.meta.lastIncludedIndex, 1)
      sameFiles(await contents(store), { a: someBytes(5) })
      await written((done) => save.discard(done))
      assert.equal(store.newest?.meta.lastIncludedIndex, 1)
      await refusedWith('INVALID', writeFile(save, 'b', someBytes(5)))
      await refusedWith(
        'INVALID',
        answered((done) => save.publish(done)),
      )
      const unfinished = store.create(metaAt(3), 0)
      await writeFile(unfinished, 'a', someBytes(2 * CHUNK, 3))
      const again = await openSnapshots(await reopen())
      assert.equal(again.newest?.meta.lastIncludedIndex, 1)
      sameFiles(await contents(again), { a: someBytes(5) })
    },
  },
  {
    name: 'a new save throws away the unfinished one',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const first = store.create(metaAt(1), 0)
      await writeFile(first, 'a', someBytes(5))
      const second = store.create(metaAt(2), 0)
      await writeFile(second, 'b', someBytes(6))
      await refusedWith(
        'INVALID',
        answered((done) => first.publish(done)),
      )
      await answered((done) => second.publish(done))
      sameFiles(await contents(store), { b: someBytes(6) })
    },
  },
  {
    name: 'a file that was removed is not there, complete or not, and its name is free again',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const save = store.create(metaAt(1), 0)
      await writeFile(save, 'gone', someBytes(CHUNK + 1))
      await written((done) => save.write('begun', someBytes(CHUNK + 2), done))
      await writeFile(save, 'again', someBytes(10))
      for (const name of ['gone', 'begun', 'again', 'never'])
        await written((done) => save.removeFile(name, done))
      await writeFile(save, 'again', someBytes(20, 2))
      await answered((done) => save.publish(done))
      sameFiles(await contents(store), { again: someBytes(20, 2) })
    },
  },
  {
    name: 'a complete file takes nothing more, and an incomplete one is not published',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const save = store.create(metaAt(1), 0)
      await writeFile(save, 'a', someBytes(5))
      await refusedWith(
        'INVALID',
        answered((done) => save.endFile('a', null, done)),
      )
      await refusedWith(
        'INVALID',
        written((done) => save.write('a', someBytes(5), done)),
      )
      for (const bytes of [1, CHUNK, CHUNK + 1]) {
        await written((done) => save.write('begun', someBytes(bytes), done))
        await refusedWith(
          'INVALID',
          answered((done) => save.publish(done)),
        )
        assert.equal(store.newest, null)
        await written((done) => save.removeFile('begun', done))
      }
      await answered((done) => save.publish(done))
      sameFiles(await contents(store), { a: someBytes(5) })
    },
  },
  {
    name: 'a snapshot without files is one, and what was published is written no more',
    async run(make) {
      const { storage, reopen } = await make()
      const store = await openSnapshots(storage)
      const save = store.create(metaAt(9), 0)
      const record = await answered<SnapshotRecord>((done) => save.publish(done))
      assert.deepEqual([record.files, record.bytes], [[], 0])
      await refusedWith('INVALID', writeFile(save, 'late', someBytes(1)))
      await written((done) => save.discard(done))
      assert.deepEqual(plain((await openSnapshots(await reopen())).newest), plain(record))
    },
  },
  {
    name: 'names that would leave their place, or are none, are refused',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const save = store.create(metaAt(1), 0)
      for (const name of badNames) {
        await refusedWith(
          'INVALID',
          written((done) => save.write(name, someBytes(1), done)),
        )
        await refusedWith(
          'INVALID',
          answered((done) => save.endFile(name, null, done)),
        )
        await refusedWith(
          'INVALID',
          written((done) => save.removeFile(name, done)),
        )
      }
      for (const name of goodNames) await writeFile(save, name, someBytes(1))
      const record = await answered<SnapshotRecord>((done) => save.publish(done))
      assert.deepEqual(new Set(record.files.map(({ name }) => name)), new Set(goodNames))
      for (const name of badNames) {
        const files = [{ name, bytes: 1, digest: new Uint8Array(32), userMeta: null }]
        await refusedWith('INVALID', startCopy(store, { ...record, files, bytes: 1 }))
      }
    },
  },
  {
    name: 'what makes no sense is refused and costs the snapshot nothing',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const save = store.create(metaAt(1), 0)
      await writeFile(save, 'a', someBytes(5))
      const large = new Uint8Array(MAX_FILE_USER_META_BYTES + 1)
      await refusedWith(
        'INVALID',
        answered((done) => save.endFile('b', large, done)),
      )
      const tooMuch = new Uint8Array(MAX_SNAPSHOT_CALL_BYTES + 1)
      await refusedWith(
        'INVALID',
        written((done) => save.write('b', tooMuch, done)),
      )
      await answered((done) => save.publish(done))
      for (const index of [-1, 0, 1.5, Number.NaN, 2 ** 53]) {
        const senseless = store.create({ ...metaAt(1), lastIncludedIndex: index }, 0)
        await refusedWith(
          'INVALID',
          answered((done) => senseless.publish(done)),
        )
      }
      sameFiles(await contents(store), { a: someBytes(5) })
    },
  },
  {
    name: 'more bytes at once than may be under way are refused, and taken later',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const save = store.create(metaAt(1), 0)
      const calls = MAX_SNAPSHOT_BYTES_UNDER_WAY / MAX_SNAPSHOT_CALL_BYTES
      const write = (): Promise<void> =>
        written((done) => save.write('a', new Uint8Array(MAX_SNAPSHOT_CALL_BYTES), done))
      const taken = Array.from({ length: calls }, write)
      await refusedWith('INVALID', write())
      await Promise.all(taken)
      await write()
      const file = await answered<SnapshotFile>((done) => save.endFile('a', null, done))
      assert.equal(file.bytes, (calls + 1) * MAX_SNAPSHOT_CALL_BYTES)
      await written((done) => save.discard(done))
    },
  },
  {
    name: 'calls of one save end in the order of asking, later, and several files may be written side by side',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const save = store.create(metaAt(1), 0)
      const order: string[] = []
      const say = (word: string) => (): void => void order.push(word)
      save.write('a', someBytes(CHUNK - 1), say('a1'))
      save.write('b', someBytes(CHUNK, 2), say('b1'))
      save.write('a', someBytes(10, 3), say('a2'))
      save.write('', someBytes(1), say('bad'))
      save.endFile('b', null, say('b end'))
      save.endFile('a', null, say('a end'))
      assert.deepEqual(order, [])
      await answered((done) => save.publish(done))
      assert.deepEqual(order, ['a1', 'b1', 'a2', 'bad', 'b end', 'a end'])
      const a = new Uint8Array(Buffer.concat([someBytes(CHUNK - 1), someBytes(10, 3)]))
      sameFiles(await contents(store), { a, b: someBytes(CHUNK, 2) })
    },
  },
]
