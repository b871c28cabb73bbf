// A block device in a file, after braft's block example: writes and reads at offsets, and a snapshot that shares the file where the
// file system can. Run it with `npm run build && node dist/examples/block.js`.
import {
  closeSync,
  constants,
  copyFileSync,
  createReadStream,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QuorateError, Refused, type SnapshotReader, type SnapshotWriter, type StateMachine } from 'quorate'
import { withThreeMembers } from './three-members.ts'

export type BlockCommand = readonly ['write', offset: number, data: Uint8Array]
export type BlockQuery = readonly ['read', offset: number, length: number]

const BLOCK_BYTES = 16 * 1024 * 1024
const MAX_READ_BYTES = 256 * 1024

export class Block implements StateMachine<BlockCommand, number | Refused, BlockQuery, Uint8Array> {
  readonly #path: string
  #file: number

  /** The file begins empty: what is in it comes from the log, and from a snapshot before that. */
  constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, 'w+')
  }

  /** Answers how many bytes were written. What throws here (a full disk) stops this member, and leaves the others alone. */
  apply([name, offset, data]: BlockCommand): number | Refused {
    const isWrite = name === 'write' && data instanceof Uint8Array && offset >= 0
    if (!isWrite || !Number.isInteger(offset) || offset + data.length > BLOCK_BYTES)
      return new Refused(new QuorateError('INVALID', `A write stays within ${BLOCK_BYTES} bytes.`))
    for (let at = 0; at < data.length; ) at += writeSync(this.#file, data, at, data.length - at, offset + at)
    return data.length
  }

  /** What nobody has written is not there: answers end with the file. */
  read([, offset, length]: BlockQuery): Uint8Array {
    const bytes = new Uint8Array(Math.min(Math.max(length, 0), MAX_READ_BYTES))
    return bytes.subarray(0, readSync(this.#file, bytes, 0, bytes.length, Math.max(offset, 0)))
  }

  /**
   * Commands wait for the copy, which shares its blocks with the file where the file system can (btrfs, XFS, APFS). A hard link would go
   * on changing with the file.
   */
  onSnapshotSave(writer: SnapshotWriter, signal: AbortSignal): () => Promise<void> {
    const copy = `${this.#path}.${writer.meta.lastIncludedIndex}`
    copyFileSync(this.#path, copy, constants.COPYFILE_FICLONE)
    return async () => {
      try {
        await writer.addFile('block', createReadStream(copy, { signal }))
      } finally {
        rmSync(copy, { force: true })
      }
    }
  }

  async onSnapshotLoad(reader: SnapshotReader): Promise<void> {
    const next = `${this.#path}.loading`
    const file = await open(next, 'w')
    for await (const piece of reader.open('block')) await file.writeFile(piece)
    await file.close()
    closeSync(this.#file)
    renameSync(next, this.#path)
    this.#file = openSync(this.#path, 'r+')
  }

  onShutdown(): void {
    closeSync(this.#file)
  }
}

/** Writes twice, one over the other, with a snapshot in between. What to print. */
export async function writeAndRead(directory: string): Promise<string[]> {
  const make = (id: string): Block => new Block(join(directory, `${id}.block`))
  return withThreeMembers('block', make, async ({ client, nodes }) => {
    const write = (offset: number, text: string): Promise<unknown> =>
      client.apply(['write', offset, Buffer.from(text)] satisfies BlockCommand)
    await write(4096, 'written before the snapshot')
    const leader = nodes.find((node) => node.status().role === 'leader')
    const { bytes } = (await leader?.snapshot()) ?? { bytes: 0 }
    await write(4096 + 'written '.length, 'behind')
    const read = await client.read<Uint8Array>(['read', 4096, 1000] satisfies BlockQuery)
    return [`a snapshot of ${bytes} bytes`, `read: ${Buffer.from(read).toString()}`]
  })
}

if (import.meta.filename === process.argv[1]) {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-block-'))
  for (const line of await writeAndRead(directory)) console.log(line)
  await rm(directory, { recursive: true })
}
