// What the key-value store answers to questions for many: as many as fit into one answer, and where to go on.

import type { KvChange, KvChanges, KvPage } from './kv-commands.ts'

/** In UTF-8. An answer has at least one pair or entry, whatever it weighs. */
const MAX_ANSWER_BYTES = 256 * 1024
/** What a pair or change weighs besides its texts. */
const OVERHEAD_BYTES = 48

/** @param keys in order, from where the page begins @param valueAt null: the key is gone already */
export function pageOf(
  keys: Iterable<string>,
  valueAt: (key: string) => string | null,
  { prefix, limit, index }: { readonly prefix: string; readonly limit: number; readonly index: number },
): KvPage {
  const pairs: (readonly [string, string])[] = []
  let bytes = 0
  for (const key of keys) {
    if (!key.startsWith(prefix)) break
    const value = valueAt(key)
    if (value === null) continue
    bytes += OVERHEAD_BYTES + Buffer.byteLength(key) + Buffer.byteLength(value)
    const last = pairs.at(-1)
    if (last !== undefined && (pairs.length >= limit || bytes > MAX_ANSWER_BYTES))
      return { index, pairs, next: last[0] }
    pairs.push([key, value])
  }
  return { index, pairs, next: null }
}

/** @param all from `fromIndex` on, in order */
export function changesOf(
  all: Iterable<KvChange>,
  {
    prefix,
    fromIndex,
    limit,
    index,
  }: { readonly prefix: string; readonly fromIndex: number; readonly limit: number; readonly index: number },
): KvChanges {
  const changes: KvChange[] = []
  let bytes = 0
  for (const change of all) {
    if (!change.key.startsWith(prefix)) continue
    bytes += OVERHEAD_BYTES + Buffer.byteLength(change.key) + Buffer.byteLength(change.value ?? '')
    const last = changes.at(-1)
    // What is of one entry stays together: whoever goes on does so behind an entry.
    if (
      last !== undefined &&
      last.index !== change.index &&
      (changes.length >= limit || bytes > MAX_ANSWER_BYTES)
    )
      return { index: last.index, changes, next: last.index + 1 }
    changes.push(change)
  }
  return { index, changes, next: Math.max(fromIndex, index + 1) }
}
