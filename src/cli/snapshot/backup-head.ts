// What a backup says about itself, in its first lines. A backup is one file:
//
//   quorate-backup 1
//   {"group":…,"lastIncludedIndex":…,"files":[{"name":…,"bytes":…,"checksum":…},…]}
//   <SHA-256 of the line above, hexadecimal>
//   <the bytes of all files, one after the other, in the order of the list>
//
// so `head -2` shows what it is, and each byte is covered by a checksum: a file's is the one that the snapshot had.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { nameSchema } from '../../options.ts'
import type { SnapshotRecord } from '../../storage/snapshot-store.ts'
import { refuseRecord } from '../../storage/snapshots/record-check.ts'

const FIRST_LINE = 'quorate-backup 1'
/** A list of files may be long (MAX_SNAPSHOT_TABLE_BYTES), and JSON is longer. */
export const MAX_HEAD_BYTES = 256 * 1024 * 1024

/** What is in a backup, and where it is from. */
export interface Backup {
  readonly group: string
  readonly member: string
  readonly record: SnapshotRecord
}

const count = z.int().min(0)
const headSchema = z.object({
  group: nameSchema,
  member: nameSchema,
  lastIncludedIndex: count,
  lastIncludedTerm: count,
  peers: z.array(nameSchema),
  oldPeers: z.array(nameSchema),
  takenAtMs: z.number(),
  files: z.array(
    z.object({
      name: z.string(),
      bytes: count,
      checksum: z.hex().length(64),
      userMeta: z.base64().nullable(),
    }),
  ),
})

export function formatHead({ group, member, record }: Backup): Buffer {
  const { meta, files, takenAtMs } = record
  const line = JSON.stringify({
    ...{ group, member },
    ...{ lastIncludedIndex: meta.lastIncludedIndex, lastIncludedTerm: meta.lastIncludedTerm },
    ...{ peers: meta.peers, oldPeers: meta.oldPeers, takenAtMs },
    files: files.map(({ name, bytes, digest, userMeta }) => ({
      ...{ name, bytes, checksum: Buffer.from(digest).toString('hex') },
      userMeta: userMeta === null ? null : Buffer.from(userMeta).toString('base64'),
    })),
  })
  return Buffer.from(`${FIRST_LINE}\n${line}\n${sumOf(Buffer.from(line))}\n`)
}

export type ParsedHead =
  | { readonly ok: true; readonly backup: Backup; readonly headBytes: number }
  /** It goes on beyond what is there. */
  | { readonly ok: false; readonly more: true }
  | { readonly ok: false; readonly more: false; readonly problem: string }

/** @param start the first bytes of a file, as many as have been read so far */
export function parseHead(start: Buffer): ParsedHead {
  const opening = Buffer.from(`${FIRST_LINE}\n`)
  const begins = start.subarray(0, opening.length)
  if (!opening.subarray(0, begins.length).equals(begins)) return problem(nameOpening(begins))
  const lineEnd = start.indexOf('\n', opening.length)
  const sumEnd = lineEnd < 0 ? -1 : start.indexOf('\n', lineEnd + 1)
  if (sumEnd < 0) return { ok: false, more: true }
  const line = start.subarray(opening.length, lineEnd)
  if (start.subarray(lineEnd + 1, sumEnd).toString() !== sumOf(line))
    return problem('its list of files fails its checksum')
  const head = headSchema.safeParse(JSON.parse(line.toString()))
  if (!head.success) return problem('its list of files is not understood')
  const { group, member, takenAtMs, files, ...meta } = head.data
  const record: SnapshotRecord = {
    ...{ meta, takenAtMs },
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    files: files.map(({ name, bytes, checksum, userMeta }) => ({
      ...{ name, bytes, digest: Buffer.from(checksum, 'hex') },
      userMeta: userMeta === null ? null : Buffer.from(userMeta, 'base64'),
    })),
  }
  const senseless = refuseRecord(record)
  if (senseless !== null) return problem(senseless)
  return { ok: true, backup: { group, member, record }, headBytes: sumEnd + 1 }
}

function nameOpening(begins: Buffer): string {
  return begins.toString('latin1').startsWith('quorate-backup ')
    ? 'it is of a newer format: use the newer Quorate that wrote it'
    : 'it is no backup of Quorate'
}

function sumOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function problem(text: string): ParsedHead {
  return { ok: false, more: false, problem: text }
}
