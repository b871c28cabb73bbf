// What a state machine may hand over when it saves, and what it is told when that is nothing that can be kept.

import { expect, it } from 'vitest'
import { MemoryDisk, type SnapshotWriter } from '../../src/index.ts'
import { SNAPSHOT_CHUNK_BYTES as CHUNK } from '../../src/storage/snapshot-store.ts'
import { memberOn, saved } from './support/snapshot-member.ts'

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7)

/** A save that hands this over. */
const adding = (write: (writer: SnapshotWriter) => unknown) => async (writer: SnapshotWriter) =>
  void (await write(writer))
/** As a caller does whom no compiler has told what belongs there. */
const addAnything = (writer: SnapshotWriter, ...args: readonly unknown[]): unknown =>
  Reflect.apply(writer.addFile, writer, args)

it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1])('a file of %i bytes, whole or in pieces', async (length) => {
  const pieces = function* () {
    for (let at = 0; at < length; at += 100_000) yield bytes(Math.min(100_000, length - at))
  }
  const { files } = await saved(
    adding(async (writer) => {
      await writer.addFile('whole', bytes(length))
      await writer.addFile('pieces', pieces())
    }),
  )
  expect(files.map((file) => file.bytes)).toEqual([length, length])
  expect(files[0]?.checksum).toBe(files[1]?.checksum)
})

it.each([
  ['', /the name is empty/],
  ['../x', /may be \. or \.\./],
  ['/etc/passwd', /a part of the name is empty/],
  ['a\0b', /control characters/],
  ['a\\b', /divided by \//],
  ['C:x', /begins with no drive/],
  [7, /the name of a file is a string/],
])('a name that cannot be one: %j', async (name, why) => {
  const taken = saved(adding((writer) => addAnything(writer, name, bytes(1))))
  await expect(taken).rejects.toMatchObject({ code: 'STATE_MACHINE', message: expect.stringMatching(why) })
})

it.each([
  ['a text', 'text', /has a string where a Uint8Array belongs.*TextEncoder/],
  ['texts', ['text'], /has a string where a Uint8Array belongs.*TextEncoder/],
  ['numbers', [1, 2], /has a number where a Uint8Array belongs/],
  ['a number', 7, /neither a Uint8Array nor an iterable/],
  ['nothing', null, /neither a Uint8Array nor an iterable/],
])('contents that are no bytes: %s', async (_, content, why) => {
  const taken = saved(adding((writer) => addAnything(writer, 'state', content)))
  await expect(taken).rejects.toMatchObject({ code: 'STATE_MACHINE', message: expect.stringMatching(why) })
})

it('a name that is there already, until its file is removed', async () => {
  const twice = saved(
    adding(async (writer) => {
      await writer.addFile('a', bytes(1))
      await writer.addFile('a', bytes(2))
    }),
  )
  await expect(twice).rejects.toMatchObject({ message: expect.stringContaining('"a" is there already') })
  const { files } = await saved(
    adding(async (writer) => {
      await writer.addFile('a', bytes(1))
      await writer.removeFile('a')
      await writer.addFile('a', bytes(2))
      await writer.addFile('b', bytes(3))
    }),
  )
  expect(files.map(({ name, bytes: size }) => [name, size])).toEqual([
    ['a', 2],
    ['b', 3],
  ])
  const missing = saved(adding((writer) => writer.removeFile('c')))
  await expect(missing).rejects.toMatchObject({ message: expect.stringContaining('no file "c" to remove') })
})

it('what is known of a file is kept with it, as long as it is small and a value', async () => {
  const { files } = await saved(adding((writer) => writer.addFile('a', bytes(1), { rows: 3, of: ['x'] })))
  expect(files).toMatchObject([{ name: 'a', userMeta: { rows: 3, of: ['x'] } }])
  for (const meta of [new Uint8Array(1024 * 1024), () => 1])
    await expect(saved(adding((writer) => writer.addFile('a', bytes(1), meta)))).rejects.toMatchObject({
      code: 'STATE_MACHINE',
      message: expect.stringContaining('the userMeta of file "a" cannot be kept'),
    })
})

it('what fails fails the snapshot, though nobody waits for it; the member goes on, and the next one is taken', async () => {
  let isBad = true
  const node = await memberOn(new MemoryDisk(), (writer) => {
    if (isBad) void writer.addFile('../x', bytes(1)).catch(() => {})
    void writer.addFile('state', bytes(1))
  })
  await expect(node.snapshot()).rejects.toMatchObject({ code: 'STATE_MACHINE' })
  expect(node.status().snapshot).toMatchObject({ newest: null, failures: 1 })
  isBad = false
  await node.apply('two')
  await expect(node.snapshot()).resolves.toMatchObject({ files: [{ name: 'state' }] })
})

it('what is handed over is read no faster than the disk takes it', async () => {
  let ahead = 0
  const node = await memberOn(
    new MemoryDisk(),
    adding((writer) =>
      writer.addFile(
        'large',
        (async function* () {
          for (let i = 0; i < 64; i++) {
            yield bytes(CHUNK)
            ahead = Math.max(ahead, (i + 1) * CHUNK - node.status().snapshot.doneBytes)
          }
        })(),
      ),
    ),
  )
  const { files } = await node.snapshot()
  expect(files).toMatchObject([{ bytes: 64 * CHUNK }])
  expect(ahead).toBeLessThanOrEqual(2 * CHUNK)
})

it('nothing can be added once the save is over', async () => {
  const kept: SnapshotWriter[] = []
  await saved((writer) => {
    kept.push(writer)
    void writer.addFile('state', bytes(1))
  })
  const late = kept[0]?.addFile('late', bytes(1))
  await expect(late).rejects.toMatchObject({ message: expect.stringContaining('it is finished') })
})

it('user code that saves may use the node: commands go on, a second snapshot is busy (scenario S7)', async () => {
  const answers: unknown[] = []
  const disk = new MemoryDisk()
  const node = await memberOn(disk, (writer) => {
    const applied = node.apply('from inside')
    const again = node.snapshot().catch((error: unknown) => error)
    answers.push(node.status().snapshot.state)
    return async () => {
      answers.push((await applied).result, await again)
      await writer.addFile('state', bytes(1))
    }
  })
  await node.snapshot()
  expect(answers).toMatchObject(['saving', 'from inside', { code: 'BUSY', retryable: true }])
})
