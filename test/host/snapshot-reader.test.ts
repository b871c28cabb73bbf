// What a state machine finds when it loads: the files as they were saved, and a clear word about those that are not there.

import { expect, it } from 'vitest'
import type { SnapshotReader } from '../../src/index.ts'
import { SNAPSHOT_CHUNK_BYTES as CHUNK } from '../../src/storage/snapshot-store.ts'
import { reloaded } from './support/snapshot-member.ts'

const numbered = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251)

it.each([0, 1, CHUNK, CHUNK + 1, 9 * CHUNK + 5])(
  'a file of %i bytes, at once and in pieces',
  async (length) => {
    const whole: Uint8Array[] = []
    const pieces: Uint8Array[] = []
    await reloaded(
      (writer) => writer.addFile('state', numbered(length)),
      async (reader) => {
        whole.push(await reader.readAll('state'))
        for await (const piece of reader.open('state')) pieces.push(piece)
      },
    )
    const expected = Buffer.from(numbered(length))
    expect(expected.equals(whole[0] ?? numbered(1))).toBe(true)
    expect(expected.equals(Buffer.concat(pieces))).toBe(true)
    expect(pieces.every((piece) => piece.length > 0)).toBe(true)
  },
)

it('files are told by name, size, checksum and what was said of them, and the snapshot by its position', async () => {
  let found: unknown = null
  await reloaded(
    async (writer) => {
      await writer.addFile('b', numbered(3), { rows: 3 })
      await writer.addFile('a', numbered(0))
    },
    (reader) => {
      found = { files: reader.files(), meta: reader.meta }
    },
  )
  expect(found).toMatchObject({
    files: [
      { name: 'a', bytes: 0, userMeta: null },
      { name: 'b', bytes: 3, userMeta: { rows: 3 }, checksum: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ],
    meta: { lastIncludedIndex: 2, peers: ['a'], oldPeers: [] },
  })
})

it('a file that is not there is named', async () => {
  const errors: unknown[] = []
  await reloaded(
    (writer) => writer.addFile('state', numbered(3)),
    async (reader) => {
      errors.push(await reader.readAll('other').catch((error: unknown) => error))
      try {
        reader.open('other')
      } catch (error) {
        errors.push(error)
      }
    },
  )
  const missing = { code: 'INVALID', message: 'Snapshot: there is no file "other".' }
  expect(errors).toMatchObject([missing, missing])
})

it('whoever stops in the middle of a file reads the next one all the same', async () => {
  let second: Uint8Array | null = null
  await reloaded(
    async (writer) => {
      await writer.addFile('a', numbered(9 * CHUNK))
      await writer.addFile('b', numbered(3))
    },
    async (reader) => {
      for await (const piece of reader.open('a')) if (piece.length > 0) break
      second = await reader.readAll('b')
    },
  )
  expect(second).toEqual(numbered(3))
})

it('a reader that is kept is of no use when the load is over', async () => {
  const kept: SnapshotReader[] = []
  const node = await reloaded(
    (writer) => writer.addFile('state', numbered(3)),
    (reader) => {
      kept.push(reader)
    },
  )
  await expect(kept[0]?.readAll('state')).rejects.toMatchObject({ code: 'STORAGE' })
  await expect(node.apply('goes on')).resolves.toMatchObject({ result: 'goes on' })
})
