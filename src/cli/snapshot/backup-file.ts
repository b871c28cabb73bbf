// Backups as files: written under another name first, and read with every checksum looked at. A few chunks are in
// memory at a time, however large the state is.

import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf } from '../../runtime/errors.ts'
import { SNAPSHOT_CHUNK_BYTES, type SnapshotFile } from '../../storage/snapshot-store.ts'
import { FileSum, sameBytes } from '../../storage/snapshots/digest.ts'
import { CliError, ExitCode } from '../exit.ts'
import { type Backup, formatHead, MAX_HEAD_BYTES, parseHead } from './backup-head.ts'

/** A snapshot that is copied: from files, or from a running member. */
export interface SnapshotSource extends Backup {
  /** The bytes of one of its files, in pieces of any size. */
  read(file: SnapshotFile): Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

/** Under which name a backup is written until it is whole. */
export function unfinished(path: string): string {
  return `${path}.unfinished`
}

/**
 * Durable, and whole, when it resolves.
 * @param onBytes is told how many bytes have been written since the last time.
 */
export async function writeBackup(
  path: string,
  source: SnapshotSource,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const file = await open(unfinished(path), 'w')
  try {
    await file.writeFile(formatHead(source))
    for (const each of source.record.files) {
      for await (const piece of checked(each, source.read(each))) {
        await file.writeFile(piece)
        onBytes(piece.length)
      }
    }
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(unfinished(path), path)
  await syncDirectory(dirname(path))
}

/** A backup that is being read. */
export interface OpenBackup extends SnapshotSource {
  close(): Promise<void>
}

/** @throws CliError when it cannot be read, or is none. */
export async function openBackup(path: string): Promise<OpenBackup> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new CliError(ExitCode.FAILED, `The backup ${path} cannot be read: ${messageOf(error)}`)
  })
  try {
    const { backup, headBytes } = await readHead(path, file)
    const { size } = await file.stat()
    const missing = headBytes + backup.record.bytes - size
    if (missing > 0) throw unusable(path, `it ends ${missing} bytes too early`)
    if (missing < 0) throw unusable(path, `it goes on for ${-missing} bytes after its end`)
    const offsets = new Map<SnapshotFile, number>()
    let offset = headBytes
    for (const each of backup.record.files) {
      offsets.set(each, offset)
      offset += each.bytes
    }
    return {
      ...backup,
      read: (each) => checked(each, readRange(file, offsets.get(each) ?? 0, each.bytes)),
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function readHead(path: string, file: FileHandle): Promise<{ backup: Backup; headBytes: number }> {
  for (let wanted = SNAPSHOT_CHUNK_BYTES; wanted <= MAX_HEAD_BYTES; wanted *= 4) {
    const start = Buffer.alloc(wanted)
    const { bytesRead } = await file.read(start, 0, wanted, 0)
    const parsed = parseHead(start.subarray(0, bytesRead))
    if (parsed.ok) return parsed
    if (!parsed.more) throw unusable(path, parsed.problem)
    if (bytesRead < wanted) throw unusable(path, 'it ends within its list of files')
  }
  throw unusable(path, 'its list of files has no end')
}

async function* readRange(file: FileHandle, offset: number, bytes: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes; ) {
    const wanted = Math.min(SNAPSHOT_CHUNK_BYTES, bytes - at)
    const { bytesRead, buffer } = await file.read(new Uint8Array(wanted), 0, wanted, offset + at)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    at += bytesRead
  }
}

/** The same pieces; what is wrong with them is known at the latest at the end. */
async function* checked(
  file: SnapshotFile,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const sum = new FileSum()
  for await (const piece of pieces) {
    sum.add(piece)
    yield piece
  }
  if (sum.bytes === file.bytes && sameBytes(sum.digest(), file.digest)) return
  throw new CliError(ExitCode.FAILED, `File ${file.name} of this snapshot fails its checksum: it is damaged.`)
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  await directory.sync().finally(() => directory.close())
}

function unusable(path: string, problem: string): CliError {
  return new CliError(ExitCode.FAILED, `${path} cannot be used: ${problem}.`)
}
