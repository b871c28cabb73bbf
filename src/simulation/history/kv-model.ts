// The reference: a key-value store as a plain function, and its states after each entry of the canonical log.

/** What clients of the simulated store ask for. Values are strings; `append` adds at the end. */
export type KvCommand =
  | { readonly op: 'put'; readonly key: string; readonly value: string }
  | { readonly op: 'get'; readonly key: string }
  | { readonly op: 'cas'; readonly key: string; readonly expect: string | null; readonly value: string }
  | { readonly op: 'append'; readonly key: string; readonly value: string }
  | { readonly op: 'delete'; readonly key: string }

/** `get`: the value, null when there is none. `cas` and `delete`: whether it did something. `append`: the new length. */
export type KvResult = string | number | boolean | null

export interface KvStep {
  readonly value: string | null
  readonly result: KvResult
}

/** What a command does to the value of its key. The only definition of the store's behavior. */
export function applyKv(value: string | null, command: KvCommand): KvStep {
  switch (command.op) {
    case 'get':
      return { value, result: value }
    case 'put':
      return { value: command.value, result: true }
    case 'cas':
      return value === command.expect ? { value: command.value, result: true } : { value, result: false }
    case 'append': {
      const appended = (value ?? '') + command.value
      return { value: appended, result: appended.length }
    }
    case 'delete':
      return { value: null, result: value !== null }
  }
}

interface Version {
  readonly index: number
  readonly value: string | null
}

/** The store after each prefix of the canonical log: feed it the entries once, in order. */
export class KvModel {
  readonly #versions = new Map<string, Version[]>()
  /** `#hashes[i]` belongs to `#hashedIndexes[i]` and to every index up to the next one. */
  readonly #hashedIndexes: number[] = []
  readonly #hashes: number[] = []
  #hash = 0
  #lastIndex = 0

  get lastIndex(): number {
    return this.#lastIndex
  }

  /** Applies the command at `index`. Indexes grow; those left out changed nothing. */
  apply(index: number, command: KvCommand): KvResult {
    if (index <= this.#lastIndex) throw new RangeError(`Index ${index} applied after ${this.#lastIndex}.`)
    this.#lastIndex = index
    const versions = this.#versions.get(command.key) ?? []
    const before = versions.at(-1)?.value ?? null
    const { value, result } = applyKv(before, command)
    if (value !== before) {
      versions.push({ index, value })
      this.#versions.set(command.key, versions)
      this.#hash = kvHashStep(kvHashStep(this.#hash, command.key, before), command.key, value)
      this.#hashedIndexes.push(index)
      this.#hashes.push(this.#hash)
    }
    return result
  }

  /** The value that the key had once everything up to `index` was applied. */
  valueAt(key: string, index: number): string | null {
    const versions = this.#versions.get(key) ?? []
    return versions[lastAtOrBefore(versions, index, (version) => version.index)]?.value ?? null
  }

  /** The digest of the whole store at that point. */
  hashAt(index: number): string {
    const at = lastAtOrBefore(this.#hashedIndexes, index, (hashed) => hashed)
    return kvHashText(this.#hashes[at] ?? 0)
  }
}

/**
 * A digest of a store that needs no walk over it: the exclusive or of a hash per pair of key and value. The same call
 * takes a pair out that puts it in. Begin with 0.
 */
export function kvHashStep(hash: number, key: string, value: string | null): number {
  if (value === null) return hash
  let a = 0x811c9dc5
  for (const text of [key, '\0', value]) {
    for (let i = 0; i < text.length; i++) a = Math.imul(a ^ text.charCodeAt(i), 0x01000193)
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b)
  a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  return (hash ^ a ^ (a >>> 16)) >>> 0
}

export const kvHashText = (hash: number): string => hash.toString(16).padStart(8, '0')

/** The last position whose index is at most `index`; -1 when there is none. */
function lastAtOrBefore<T>(items: readonly T[], index: number, indexOf: (item: T) => number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    const item = items[middle]
    if (item !== undefined && indexOf(item) <= index) low = middle + 1
    else high = middle
  }
  return low - 1
}
