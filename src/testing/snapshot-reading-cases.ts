// What reading, opening and closing must do, as cases.

import assert from 'node:assert/strict'
import { MAX_SNAPSHOT_CALL_BYTES, SNAPSHOT_CHUNK_BYTES } from '../storage/snapshot-store.ts'
import {
  answered,
  contents,
  metaAt,
  openSnapshots,
  publish,
  read,
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

export const reading: readonly StorageCase[] = [
  {
    name: 'a snapshot can be read to its end although newer ones are published',
    async run(make) {
      const { storage, reopen } = await make()
      const store = await openSnapshots(storage)
      const old = { a: someBytes(2 * CHUNK + 7), b: someBytes(3, 2) }
      await publish(store, 1, old)
      const [reader, another] = [await startReader(store), await startReader(store)]
      assert.equal((await read(reader, 'a', 0, 10)).length, 10)
      await publish(store, 2, { a: someBytes(CHUNK, 3) })
      await publish(store, 3, { c: someBytes(9, 4) })
      another.close()
      another.close()
      for (const [name, data] of Object.entries(old)) {
        assert.ok(Buffer.from(data).equals(await readFile(reader, name)), name)
      }
      assert.equal(reader.record.meta.lastIncludedIndex, 1)
      reader.close()
      await refusedWith('CLOSED', read(reader, 'a', 0, 10))
      sameFiles(await contents(store), { c: someBytes(9, 4) })
      // One that is still read when the process ends.
      await startReader(store)
      await publish(store, 4, { d: someBytes(9, 5) })
      sameFiles(await contents(await openSnapshots(await reopen())), { d: someBytes(9, 5) })
    },
  },
  {
    name: 'any range of a file can be read: as much as asked for, less at its end, nothing behind it',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const data = someBytes(3 * CHUNK + 100)
      await publish(store, 1, { a: data, empty: new Uint8Array(0) })
      const reader = await startReader(store)
      const ranges = [
        [0, 1],
        [CHUNK - 1, 2],
        [CHUNK, CHUNK],
        [5, 3 * CHUNK],
        [3 * CHUNK, CHUNK],
        [3 * CHUNK + 99, 7],
        [3 * CHUNK + 100, 1],
        [2 ** 50, 1000],
      ] as const
      for (const [from, count] of ranges) {
        const found = await read(reader, 'a', from, count)
        assert.ok(Buffer.from(found).equals(data.subarray(from, from + count)), `${count} from ${from}`)
        found.fill(0)
      }
      assert.equal((await read(reader, 'empty', 0, 10)).length, 0)
      assert.ok(Buffer.from(await readFile(reader, 'a', 100_000)).equals(data))
    },
  },
  {
    name: 'numbers and names that make no sense are refused',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      await publish(store, 1, { a: someBytes(100) })
      const reader = await startReader(store)
      for (const offset of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
        await refusedWith('INVALID', read(reader, 'a', offset, 10))
      for (const count of [-1, 0, 0.5, Number.NaN, Number.POSITIVE_INFINITY, MAX_SNAPSHOT_CALL_BYTES + 1])
        await refusedWith('INVALID', read(reader, 'a', 0, count))
      for (const name of ['b', '', '../a', '__proto__', 'A'])
        await refusedWith('INVALID', read(reader, name, 0, 10))
      assert.equal((await read(reader, 'a', 0, 10)).length, 10)
    },
  },
  {
    name: 'reading and writing go on side by side',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      const old = someBytes(6 * CHUNK + 1)
      await publish(store, 1, { a: old })
      const reader = await startReader(store)
      const [found] = await Promise.all([
        readFile(reader, 'a', 50_000),
        publish(store, 2, { a: someBytes(8 * CHUNK, 2) }),
      ])
      assert.ok(Buffer.from(found).equals(old))
      sameFiles(await contents(store), { a: someBytes(8 * CHUNK, 2) })
    },
  },
]

export const opening: readonly StorageCase[] = [
  {
    name: 'groups have their own snapshots, and each is open once',
    async run(make) {
      const { storage, reopen } = await make()
      const [a, b] = await Promise.all([openSnapshots(storage, 'a'), openSnapshots(storage, 'b')])
      await Promise.all([
        publish(a, 1, { f: someBytes(CHUNK + 1) }),
        publish(b, 2, { f: someBytes(CHUNK + 1, 2) }),
      ])
      await refusedWith('INVALID', openSnapshots(storage, 'a'))
      sameFiles(await contents(a), { f: someBytes(CHUNK + 1) })
      await written((done) => a.close(done))
      const again = await openSnapshots(storage, 'a')
      sameFiles(await contents(again), { f: someBytes(CHUNK + 1) })
      const next = await reopen()
      sameFiles(await contents(await openSnapshots(next, 'b')), { f: someBytes(CHUNK + 1, 2) })
      assert.equal((await openSnapshots(next, 'c')).newest, null)
    },
  },
  {
    name: 'closing ends what was asked for before, and what comes later with CLOSED',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      await publish(store, 1, { a: someBytes(CHUNK + 1) })
      const record = await recordOf(make, 9, { b: someBytes(CHUNK, 2) })
      const [reader, copy] = [await startReader(store), await startCopy(store, record)]
      const save = store.create(metaAt(2), 0)
      const before = [
        read(reader, 'a', 0, 10),
        written((done) => copy.write('b', 0, someBytes(CHUNK, 2), done)),
        writeFile(save, 'x', someBytes(5)),
      ]
      await Promise.all(before)
      const asked = read(reader, 'a', 10, 10)
      const closed = written((done) => store.close(done))
      const after = [
        read(reader, 'a', 0, 10),
        written((done) => copy.write('b', 0, someBytes(CHUNK, 2), done)),
        answered((done) => copy.publish(done)),
        written((done) => copy.pause(done)),
        written((done) => save.write('y', someBytes(5), done)),
        answered((done) => save.endFile('y', null, done)),
        answered((done) => save.publish(done)),
        written((done) => save.discard(done)),
        startReader(store),
        startCopy(store, record),
      ].map((work) => refusedWith('CLOSED', work))
      reader.close()
      assert.equal((await asked).length, 10)
      await closed
      await Promise.all(after)
      await written((done) => store.close(done))
      const again = await openSnapshots(storage)
      sameFiles(await contents(again), { a: someBytes(CHUNK + 1) })
      assert.deepEqual((await startCopy(again, record)).missing, [])
    },
  },
  {
    name: 'a storage that is closed opens no snapshots',
    async run(make) {
      const { storage } = await make()
      const store = await openSnapshots(storage)
      await publish(store, 1, { a: someBytes(10) })
      await written((done) => storage.close(done))
      await refusedWith('CLOSED', openSnapshots(storage, 'h'))
      await refusedWith('CLOSED', startReader(store))
      await refusedWith('CLOSED', publish(store, 2, { a: someBytes(10) }))
    },
  },
  {
    name: 'a callback that throws costs nobody else theirs',
    async run(make) {
      const { storage } = await make()
      const [store, other] = await Promise.all([openSnapshots(storage, 'a'), openSnapshots(storage, 'b')])
      const save = store.create(metaAt(1), 0)
      save.write('a', someBytes(10), () => {
        throw new Error('as planned')
      })
      await publish(other, 1, { b: someBytes(10) })
      await refusedWith('FAULT', writeFile(save, 'a', someBytes(10)))
      sameFiles(await contents(other), { b: someBytes(10) })
    },
  },
]
