// What user code is handed, on a disk that is slow, or fails where nobody looks.

import { expect, it } from 'vitest'
import { UserReader } from '../../../src/actors/snapshot/user-reader.ts'
import {
  MAX_SNAPSHOT_CALL_BYTES,
  SNAPSHOT_CHUNK_BYTES,
  type SnapshotReader,
} from '../../../src/storage/snapshot-store.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { recordOf } from '../support/fake-snapshots.ts'
import { rig } from '../support/node-rig.ts'
import { Saver } from '../support/saver.ts'

it('contents are asked for no faster than the disk takes them', async () => {
  const machine = new Saver()
  let asked = 0
  function* pieces(): Generator<Uint8Array> {
    for (; asked < 100; asked++) yield new Uint8Array(SNAPSHOT_CHUNK_BYTES)
  }
  machine.save = (writer) => void writer.addFile('f', pieces())
  const node = rig({ peers: ['a'], stateMachine: machine, tuning: { snapshotIntervalMs: 0 } }).boot()
  node.propose({ put: 1 })
  await node.flush()
  node.storage.hold('snapshot')
  const taken = node.snapshot()
  await node.flush()
  expect(asked).toBeGreaterThan(0)
  expect(asked).toBeLessThanOrEqual(5)
  node.storage.release()
  for (let round = 0; round < 20 && taken.outcome === null; round++) await node.flush()
  expect(taken.outcome).toMatchObject({ ok: true, record: { bytes: 100 * SNAPSHOT_CHUNK_BYTES } })
})

it('a read ahead that fails concerns nobody who has stopped reading', async () => {
  const unhandled: unknown[] = []
  const note = (error: unknown): void => {
    unhandled.push(error)
  }
  process.on('unhandledRejection', note)
  const content = new Uint8Array(2 * MAX_SNAPSHOT_CALL_BYTES)
  const stored: SnapshotReader = {
    record: recordOf(1, 1, [{ name: 'f', content }]),
    read: (_, offset, maxBytes, done) => {
      if (offset === 0) done({ ok: true, value: content.slice(0, maxBytes) })
      else done({ ok: false, error: new StorageError('IO', 'input/output error') })
    },
    close: () => {},
  }
  const reader = new UserReader(stored)
  for await (const piece of reader.open('f')) if (piece.length > 0) break
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
  await expect(reader.readAll('f')).rejects.toMatchObject({ code: 'STORAGE', message: 'input/output error' })
})
