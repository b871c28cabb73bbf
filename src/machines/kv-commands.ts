// What the key-value store is told and asked, what it answers, and the bounds that hold for all members alike.

/**
 * A command, as a tuple because it is smaller and faster to decode than a map. `cas` puts `to` where `from` stands;
 * null means "absent", so it also creates (`from` null) and deletes (`to` null). With `ttlMs` a key goes by itself when so much
 * time of the log has passed; without, `put` and `cas` make it stay. `touch` begins its time anew. `expire` is the leader's own:
 * it takes away what is due by the time of its entry.
 */
export type KvCommand =
  | readonly ['put', key: string, value: string, ttlMs?: number]
  | readonly ['cas', key: string, from: string | null, to: string | null, ttlMs?: number]
  | readonly ['append', key: string, value: string]
  | readonly ['delete', key: string]
  | readonly ['touch', key: string, ttlMs?: number]
  | readonly ['expire']

/**
 * `get` answers the value or null, `size` the number of keys, `ttl` what is known of a key that goes by itself, `list` a page of
 * pairs in the order of their keys, `changes` what has happened since.
 */
export type KvQuery =
  | readonly ['get', key: string]
  | readonly ['size']
  | readonly ['ttl', key: string]
  | readonly ['list', prefix: string, limit?: number, after?: string]
  | readonly ['changes', prefix: string, fromIndex: number, limit?: number]

export interface KvRefused {
  /** A sentence: the command or query was not one, and nothing changed. */
  readonly refused: string
}

export type KvResult =
  | null // put
  | { readonly swapped: boolean } // cas
  | { readonly length: number } // append: of the whole value now
  | { readonly deleted: boolean } // delete: whether there was something
  | { readonly touched: boolean } // touch: whether there was a key with a time to live, or now is
  | { readonly expired: number; readonly more: boolean } // expire: how many have gone, and whether more are due
  | KvRefused

/** When a key goes: once the log has an entry of this time or later. */
export interface KvLease {
  readonly ttlMs: number
  /** In the time of the log, ms since 1970. */
  readonly dueAtMs: number
}

/** A page of pairs. */
export interface KvPage {
  /** The newest entry that it shows: a watch that goes on from `index + 1` misses nothing. */
  readonly index: number
  readonly pairs: readonly (readonly [key: string, value: string])[]
  /** What the next question takes as `after`; null: this was the last page. */
  readonly next: string | null
}

/** One change of one key. `value` is null where the key is gone. */
export interface KvChange {
  /** Of the entry that made it. Keys that expire together share one. */
  readonly index: number
  readonly type: 'put' | 'delete' | 'expire'
  readonly key: string
  readonly value: string | null
}

/** What has happened from an index on. */
export interface KvChanges {
  /** The newest entry that was looked at. */
  readonly index: number
  /** In order; those of one entry are never torn apart. */
  readonly changes: readonly KvChange[]
  /** The `fromIndex` of the next question. */
  readonly next: number
}

/** The changes from that index on are not kept any more: `list`, then ask from the index behind the one that it tells. */
export interface KvCompacted {
  readonly compacted: true
  readonly index: number
  /** From here on they are kept. */
  readonly firstIndex: number
}

export type KvAnswer = string | null | number | KvLease | KvPage | KvChanges | KvCompacted | KvRefused

/** In UTF-16 units, as JavaScript counts. */
export const MAX_KEY_LENGTH = 1024
/** Bounds what `append` may grow to; a single command is bounded before by `maxEntryBytes`. */
export const MAX_VALUE_LENGTH = 4 * 1024 * 1024
/** Ten years. */
export const MAX_TTL_MS = 10 * 365 * 24 * 3_600_000
/** Of pairs or changes in one answer, where nobody says otherwise and at the most. */
const DEFAULT_LIMIT = 1000
const MAX_LIMIT = 10_000

export function isKey(key: unknown): key is string {
  return typeof key === 'string' && key.length > 0 && key.length <= MAX_KEY_LENGTH
}

export function isValue(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

export function isTtl(ttlMs: unknown): ttlMs is number {
  return typeof ttlMs === 'number' && Number.isInteger(ttlMs) && ttlMs >= 1 && ttlMs <= MAX_TTL_MS
}

/** How many are asked for; null: no number that can be. */
export function limitOf(limit: unknown): number | null {
  if (limit === undefined) return DEFAULT_LIMIT
  return typeof limit === 'number' && Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT
    ? limit
    : null
}

/** What the first bytes of a command must be, as it is encoded, if it needs the time of its entry. */
const TIMED_HEADS: readonly Uint8Array[] = [
  head(0x84, 'put'),
  head(0x85, 'cas'),
  head(0x82, 'touch'),
  head(0x83, 'touch'),
  head(0x81, 'expire'),
]

/** Whether it has to do with time. Looks at few bytes: it is asked about each command. */
export function isTimed(encoded: Uint8Array): boolean {
  // Three words, of which the first has three letters: a plain put, which is most of them.
  if (encoded[0] === 0x83 && encoded[1] === 0x63) return false
  return TIMED_HEADS.some((bytes) => bytes.every((byte, at) => encoded[at] === byte))
}

function head(array: number, name: string): Uint8Array {
  return Uint8Array.of(array, 0x60 + name.length, ...Buffer.from(name))
}

export function refused(reason: string): KvRefused {
  return { refused: `Not applied: ${reason}.` }
}

export function malformed(name: string): KvRefused {
  return refused(`${name} has other arguments`)
}

export function tooLong(): KvRefused {
  return refused(`a value has at most ${MAX_VALUE_LENGTH} characters`)
}

export function timeless(): KvRefused {
  return refused('a time to live begins with the time of its entry, and this one has none')
}
