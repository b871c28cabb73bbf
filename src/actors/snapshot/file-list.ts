// The list of files of a snapshot on its way to another member: in pages, each a CBOR array of as many files as fit.

import { z } from 'zod'
import type { SnapshotFile } from '../../storage/snapshot-store.ts'
import { decodeGated, wireCodec } from '../../transport/wire/cbor.ts'

/** Beside name and user meta: digest, heads, and the size. */
const FILE_OVERHEAD_BYTES = 64
/** Files on one page; what is decoded at once must not hold up the loop. */
const MAX_PAGE_FILES = 1024
const PAGE_GATE = { maxDepth: 3, maxItems: 5 * MAX_PAGE_FILES + 64 }
const DIGEST_BYTES = 32

const pageSchema = z
  .array(
    z.tuple([
      z.string().min(1),
      z.int().min(0),
      z.instanceof(Uint8Array).refine((digest) => digest.length === DIGEST_BYTES, 'must be a digest'),
      z.instanceof(Uint8Array).nullable(),
    ]),
  )
  .min(1)
  .max(MAX_PAGE_FILES)

/** As many files, from `offset` on, as fit into `maxBytes`: at least one, unless the list ends before. */
export function encodePage(files: readonly SnapshotFile[], offset: number, maxBytes: number): Uint8Array {
  const page: unknown[] = []
  let bytes = 0
  for (let at = offset; at < files.length && page.length < MAX_PAGE_FILES; at++) {
    const file = files[at]
    if (file === undefined) break
    bytes += FILE_OVERHEAD_BYTES + Buffer.byteLength(file.name) + (file.userMeta?.length ?? 0)
    if (page.length > 0 && bytes > maxBytes) break
    page.push([file.name, file.bytes, file.digest, file.userMeta])
  }
  return page.length === 0 ? new Uint8Array(0) : wireCodec.encode(page)
}

/** Null when it is no page. What is returned is the caller's own. */
export function decodePage(bytes: Uint8Array): readonly SnapshotFile[] | null {
  const decoded = decodeGated(wireCodec, bytes, PAGE_GATE)
  if (!decoded.ok) return null
  const parsed = pageSchema.safeParse(decoded.value)
  if (!parsed.success) return null
  return parsed.data.map(([name, size, digest, userMeta]) => ({
    name,
    bytes: size,
    digest: new Uint8Array(digest),
    userMeta: userMeta === null ? null : new Uint8Array(userMeta),
  }))
}
