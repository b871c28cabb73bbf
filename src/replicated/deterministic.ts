// What keeps states of members equal, and finds where they are not: states as they are kept, frozen, hashed, compared.

import { combine, type HashLanes, hashKey, NO_PAIRS } from '../machines/kv-hash.ts'

/** The hash of one instance: its key and the bytes of its state. */
export function hashInstance(key: string, bytes: Uint8Array): HashLanes {
  let { low, high } = hashKey(key)
  for (const byte of bytes) {
    low = Math.imul(low ^ byte, 0x01000193)
    high = Math.imul(high ^ byte, 0x5bd1e995)
    high ^= high >>> 15
  }
  return { low, high }
}

/** A sum, so that a change costs only the instance that it touches. */
export function exchange(total: HashLanes, before: HashLanes | null, after: HashLanes): HashLanes {
  return combine(before === null ? total : combine(total, before, -1), after, 1)
}

export { NO_PAIRS as NO_INSTANCES }

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * The same value without properties that are undefined: what is not there in bytes must not be there in memory either, or
 * the order of keys would tell a member that was restored from one that was not. The value itself when there is none.
 * What holds itself is found by the codec: here it is followed so far and no further.
 */
export function withoutUndefined(value: unknown): unknown {
  return hasUndefined(value, 0) ? cleaned(value, 0) : value
}

/** Most have none: looked for without making anything. */
function hasUndefined(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || ArrayBuffer.isView(value))
    return false
  for (const key in value) {
    const part: unknown = Reflect.get(value, key)
    if (part === undefined || (typeof part === 'object' && hasUndefined(part, depth + 1))) return true
  }
  return false
}

function cleaned(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return value
  if (Array.isArray(value)) return mapped(value, depth)
  if (!isPlain(value)) return value
  let changed = false
  const kept: Record<string, unknown> = {}
  for (const [key, part] of Object.entries(value)) {
    const clean = part === undefined ? undefined : cleaned(part, depth + 1)
    if (clean !== undefined) kept[key] = clean
    changed ||= clean !== part || part === undefined
  }
  return changed ? kept : value
}

/** As deep as the codec goes. */
const MAX_DEPTH = 64

function mapped(values: readonly unknown[], depth: number): readonly unknown[] {
  let changed = false
  const kept = values.map((part) => {
    const clean = cleaned(part, depth + 1)
    changed ||= clean !== part
    return clean
  })
  return changed ? kept : values
}

/** So that a guard, an `assign` or an action that changes the context in place throws. What is frozen is passed over. */
export function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  if (ArrayBuffer.isView(value)) return
  Object.freeze(value)
  for (const part of Object.values(value)) freeze(part)
}

/** Where two states differ first, as keys from the outside in; null: nowhere. */
export function differingPath(one: unknown, other: unknown, path = ''): string | null {
  if (Object.is(one, other)) return null
  const parts = partsOf(one)
  const others = partsOf(other)
  if (parts === null || others === null || Array.isArray(one) !== Array.isArray(other)) return path
  for (const key of new Set([...parts.keys(), ...others.keys()])) {
    const found = differingPath(parts.get(key), others.get(key), `${path}.${key}`)
    if (found !== null) return found
  }
  return [...parts.keys()].join() === [...others.keys()].join() ? null : `${path} (the order of its keys)`
}

function partsOf(value: unknown): ReadonlyMap<string, unknown> | null {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : null
}
