// The built-in key-value machine: strings by name, with compare-and-set and append. What `quorate serve` replicates
// unless it is given another machine.

import type { SnapshotReader, SnapshotWriter, StateMachine } from '../state-machine.ts'
import { combine, type HashLanes, hashKey, hashMore, hashText, NO_PAIRS } from './kv-hash.ts'
import { packTexts, unpackTexts } from './kv-texts.ts'

/**
 * A command, as a tuple because it is smaller and faster to decode than a map. `cas` puts `to` where `from` stands;
 * null means "absent", so it also creates (`from` null) and deletes (`to` null).
 */
export type KvCommand =
  | readonly ['put', key: string, value: string]
  | readonly ['cas', key: string, from: string | null, to: string | null]
  | readonly ['append', key: string, value: string]
  | readonly ['delete', key: string]

/** `get` answers the value or null, `size` the number of keys. */
export type KvQuery = readonly ['get', key: string] | readonly ['size']

export type KvResult =
  | null // put
  | { readonly swapped: boolean } // cas
  | { readonly length: number } // append: of the whole value now
  | { readonly deleted: boolean } // delete: whether there was something
  | { readonly refused: string } // a sentence: the command was not one, and nothing changed

export type KvAnswer = string | null | number | { readonly refused: string }

/** In UTF-16 units, as JavaScript counts. */
export const MAX_KEY_LENGTH = 1024
/** Bounds what `append` may grow to; a single command is bounded before by `maxEntryBytes`. */
export const MAX_VALUE_LENGTH = 4 * 1024 * 1024

/** Keys and values, one after the other. */
const SNAPSHOT_FILE = 'pairs'

/** Never changed, so that whoever has copied the list of them has the state. */
interface Pair {
  readonly key: string
  readonly value: string
  readonly hash: HashLanes
}

/**
 * A malformed command is in the log for good and must not stop the group: it gets the same `refused` result on every
 * member and changes nothing.
 */
export class KeyValueMachine implements StateMachine<unknown, KvResult, unknown, KvAnswer> {
  #pairs = new Map<string, Pair>()
  #total: HashLanes = NO_PAIRS

  apply(command: unknown): KvResult {
    if (!Array.isArray(command)) return refused('a command is an array that begins with its name')
    const words: readonly unknown[] = command
    const [name, key, first, second] = words
    if (typeof key !== 'string' || key.length === 0 || key.length > MAX_KEY_LENGTH)
      return refused(`a key is a string of 1 to ${MAX_KEY_LENGTH} characters`)
    switch (name) {
      case 'put':
        return words.length === 3 && typeof first === 'string' ? this.#put(key, first) : malformed(name)
      case 'append':
        return words.length === 3 && typeof first === 'string' ? this.#append(key, first) : malformed(name)
      case 'cas':
        return words.length === 4 && isValue(first) && isValue(second)
          ? this.#cas(key, first, second)
          : malformed(name)
      case 'delete':
        return words.length === 2 ? { deleted: this.#remove(key) } : malformed(name)
      default:
        return refused('a command is put, cas, append or delete')
    }
  }

  read(query: unknown): KvAnswer {
    if (Array.isArray(query)) {
      const [name, key]: readonly unknown[] = query
      if (name === 'get' && query.length === 2 && typeof key === 'string')
        return this.#pairs.get(key)?.value ?? null
      if (name === 'size' && query.length === 1) return this.#pairs.size
    }
    return refused('a query is ["get", key] or ["size"]')
  }

  /** Equal on members with equal pairs, whatever the way they came to them. */
  stateHash(): string {
    return hashText(this.#total)
  }

  /** What is copied is references; the texts are written while commands go on. */
  onSnapshotSave(writer: SnapshotWriter): () => Promise<void> {
    const pairs = [...this.#pairs.values()]
    return () => writer.addFile(SNAPSHOT_FILE, packTexts(textsOf(pairs)))
  }

  async onSnapshotLoad(reader: SnapshotReader): Promise<void> {
    const loaded = new KeyValueMachine()
    let key: string | null = null
    for await (const text of unpackTexts(reader.open(SNAPSHOT_FILE))) {
      if (key === null) key = text
      else {
        loaded.#set(key, text, hashMore(hashKey(key), text))
        key = null
      }
    }
    if (key !== null) throw new Error('the last key has no value')
    this.#pairs = loaded.#pairs
    this.#total = loaded.#total
  }

  #put(key: string, value: string): KvResult {
    if (value.length > MAX_VALUE_LENGTH) return tooLong()
    this.#set(key, value, hashMore(hashKey(key), value))
    return null
  }

  #append(key: string, value: string): KvResult {
    const old = this.#pairs.get(key)
    const length = (old?.value.length ?? 0) + value.length
    if (length > MAX_VALUE_LENGTH) return tooLong()
    this.#set(key, (old?.value ?? '') + value, hashMore(old?.hash ?? hashKey(key), value))
    return { length }
  }

  #cas(key: string, from: string | null, to: string | null): KvResult {
    if ((this.#pairs.get(key)?.value ?? null) !== from) return { swapped: false }
    if (to === null) this.#remove(key)
    else if (to.length > MAX_VALUE_LENGTH) return tooLong()
    else this.#put(key, to)
    return { swapped: true }
  }

  #set(key: string, value: string, hash: HashLanes): void {
    const before = this.#pairs.get(key)
    if (before !== undefined) this.#total = combine(this.#total, before.hash, -1)
    this.#pairs.set(key, { key, value, hash })
    this.#total = combine(this.#total, hash, 1)
  }

  #remove(key: string): boolean {
    const pair = this.#pairs.get(key)
    if (pair === undefined) return false
    this.#pairs.delete(key)
    this.#total = combine(this.#total, pair.hash, -1)
    return true
  }
}

function* textsOf(pairs: readonly Pair[]): Generator<string, void> {
  for (const { key, value } of pairs) {
    yield key
    yield value
  }
}

function isValue(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function refused(reason: string): { refused: string } {
  return { refused: `Not applied: ${reason}.` }
}

function malformed(name: string): { refused: string } {
  return refused(`${name} has other arguments`)
}

function tooLong(): { refused: string } {
  return refused(`a value has at most ${MAX_VALUE_LENGTH} characters`)
}
