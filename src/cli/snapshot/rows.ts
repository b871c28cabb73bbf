// Snapshots and their files as tables for people, and as rows for programs.

import type { SnapshotRecord } from '../../storage/snapshot-store.ts'
import { formatTable } from '../output.ts'
import { formatDuration, formatSize } from '../units.ts'

export interface SnapshotRow {
  readonly group: string
  /** Whose. */
  readonly member: string
  readonly index: number
  readonly term: number
  readonly bytes: number
  readonly files: number
  readonly takenAtMs: number
  readonly state: string
}

/** @param nowMs for ages */
export function formatSnapshots(rows: readonly SnapshotRow[], nowMs: number): string {
  return formatTable<SnapshotRow>(
    [
      { head: 'group', cell: ({ group }) => group },
      { head: 'member', cell: ({ member }) => member },
      { head: 'index', align: 'right', cell: ({ index }) => String(index) },
      { head: 'term', align: 'right', cell: ({ term }) => String(term) },
      { head: 'size', align: 'right', cell: ({ bytes }) => formatSize(bytes) },
      { head: 'files', align: 'right', cell: ({ files }) => String(files) },
      { head: 'age', align: 'right', cell: ({ takenAtMs }) => formatDuration(nowMs - takenAtMs) },
      { head: 'state', cell: ({ state }) => state },
    ],
    rows,
  )
}

export interface FileRow {
  readonly name: string
  readonly bytes: number
  /** Hexadecimal. */
  readonly checksum: string
}

export function fileRows({ files }: SnapshotRecord): readonly FileRow[] {
  return files.map(({ name, bytes, digest }) => ({
    name,
    bytes,
    checksum: Buffer.from(digest).toString('hex'),
  }))
}

export function formatFiles(rows: readonly FileRow[]): string {
  return formatTable<FileRow>(
    [
      { head: 'file', cell: ({ name }) => name },
      { head: 'size', align: 'right', cell: ({ bytes }) => formatSize(bytes) },
      { head: 'checksum', cell: ({ checksum }) => checksum },
    ],
    rows,
  )
}
