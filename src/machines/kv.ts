// The key-value store that Quorate brings along: strings by name, with compare-and-set, append, keys that go by themselves, pages
// by prefix and a history to follow. What `quorate serve` replicates unless it is given another machine.

import { QuorateError } from '../errors.ts'
import type {
  AppliedPosition,
  SnapshotReader,
  SnapshotWriter,
  StateMachine,
  StateMachinePort,
} from '../state-machine.ts'
import {
  isKey,
  isTimed,
  isTtl,
  isValue,
  type KvAnswer,
  type KvChange,
  type KvResult,
  limitOf,
  MAX_KEY_LENGTH,
  MAX_VALUE_LENGTH,
  malformed,
  refused,
  timeless,
  tooLong,
} from './kv-commands.ts'
import { Expiry } from './kv-expiry.ts'
import { History } from './kv-history.ts'
import { changesOf, pageOf } from './kv-pages.ts'
import { Pairs } from './kv-pairs.ts'
import { load, save } from './kv-snapshot.ts'

export interface KeyValueStoreOptions {
  /** So many of the newest changes are kept in memory, for watches that begin in the past. Default 10,000. */
  readonly historyChanges?: number
  /** So many characters may all their keys and values have. Default 8,388,608. */
  readonly historyLength?: number
}

export interface KvWatchOptions {
  /** The first index whose changes are wanted. Default: the one behind the newest that this member has applied. */
  readonly fromIndex?: number
  /** Ends the watch: the loop over it is left. */
  readonly signal?: AbortSignal
}

const DEFAULT_HISTORY_CHANGES = 10_000
const DEFAULT_HISTORY_LENGTH = 8 * 1024 * 1024
/** So many go at one entry, so that none holds up the others for long. */
const MAX_EXPIRED = 256

/**
 * A malformed command is in the log for good and must not stop the group: it gets the same `refused` result on every
 * member and changes nothing.
 *
 * @example
 * const store = new KeyValueStore()
 * const node = await host.startNode({ group: 'settings', peers, stateMachine: store })
 * await node.apply(['put', 'color', 'blue'] satisfies KvCommand)
 * for await (const { type, key, value } of store.watch('col')) console.log(type, key, value)
 */
export class KeyValueStore implements StateMachine<unknown, KvResult, unknown, KvAnswer> {
  #pairs: Pairs
  readonly #history: History
  /** Of the newest entry that was applied. */
  #index = 0
  #port: StateMachinePort | null = null
  #expiry: Expiry | null = null

  /** @throws QuorateError INVALID for an option that is none */
  constructor(options: KeyValueStoreOptions = {}) {
    const { historyChanges = DEFAULT_HISTORY_CHANGES, historyLength = DEFAULT_HISTORY_LENGTH } = options
    this.#history = new History({
      maxChanges: counted('historyChanges', historyChanges),
      maxLength: counted('historyLength', historyLength),
    })
    this.#pairs = this.#empty()
  }

  /** Entries have a time while keys are leased, and where that begins: else they are as small as they can be. */
  wantsTime(encoded: Uint8Array): boolean {
    return this.#pairs.isLeased || isTimed(encoded)
  }

  apply(command: unknown, at?: AppliedPosition): KvResult {
    this.#index = at?.index ?? this.#index + 1
    if (at?.timeMs !== undefined) this.#pairs.noteTime(at.timeMs)
    const result = this.#carryOut(command, at?.timeMs !== undefined)
    this.#expiry?.look()
    return result
  }

  read(query: unknown): KvAnswer {
    if (Array.isArray(query)) {
      const [name, about, first, second]: readonly unknown[] = query
      if (name === 'size' && query.length === 1) return this.#pairs.size
      if (typeof about === 'string') {
        if (name === 'get' && query.length === 2) return this.#pairs.seen(about)?.value ?? null
        if (name === 'ttl' && query.length === 2) return this.#ttl(about)
        if (name === 'list' && query.length <= 4) return this.#list(about, first, second)
        if (name === 'changes' && query.length <= 4) return this.#changes(about, first, second)
      }
    }
    return refused('a query is get, ttl, list, changes or size, with what belongs to it')
  }

  /**
   * What changes at keys that begin with `prefix`, in the order of the log, as this member applies it. Whoever reads too slowly,
   * or asks for what is not kept any more, gets LOG_DELETED: then `list`, and watch from the index behind that of the list.
   * Ends with `signal`; SHUTDOWN: the member has ended.
   */
  watch(prefix: string, options: KvWatchOptions = {}): AsyncGenerator<KvChange, void> {
    const { fromIndex = this.#index + 1, signal } = options
    return this.#history.watch(prefix, fromIndex, signal)
  }

  /** Equal on members with equal pairs, whatever the way they came to them. */
  stateHash(): string {
    return this.#pairs.hash()
  }

  onStart(port: StateMachinePort): void {
    this.#port = port
  }

  onLeaderStart(): void {
    this.#expiry?.end()
    this.#expiry =
      this.#port === null
        ? null
        : new Expiry({
            port: this.#port,
            nextDueMs: () => this.#pairs.nextDueMs,
            timeMs: () => this.#pairs.timeMs,
          })
  }

  onLeaderStop(): void {
    this.#expiry?.end()
    this.#expiry = null
  }

  onShutdown(): void {
    this.#expiry?.end()
    this.#history.end()
  }

  /** What is copied is references; the texts are written while commands go on. */
  onSnapshotSave(writer: SnapshotWriter): () => Promise<void> {
    const { isLeased, timeMs } = this.#pairs
    const saved = { pairs: this.#pairs.all(), timeMs: isLeased ? timeMs : null }
    return () => save(saved, writer)
  }

  async onSnapshotLoad(reader: SnapshotReader): Promise<void> {
    const loaded = this.#empty()
    const timeMs = await load(reader, (key, value, lease) => loaded.restore(key, value, lease))
    loaded.noteTime(Math.max(timeMs, this.#pairs.timeMs))
    this.#pairs = loaded
    this.#index = reader.meta.lastIncludedIndex
    this.#history.restart(this.#index + 1)
  }

  #empty(): Pairs {
    return new Pairs((type, key, value) => this.#history.add({ index: this.#index, type, key, value }))
  }

  #carryOut(command: unknown, hasTime: boolean): KvResult {
    if (!Array.isArray(command)) return refused('a command is an array that begins with its name')
    const words: readonly unknown[] = command
    const [name, key, first, second] = words
    if (name === 'expire' && words.length === 1) return this.#pairs.expire(MAX_EXPIRED)
    if (!isKey(key)) return refused(`a key is a string of 1 to ${MAX_KEY_LENGTH} characters`)
    switch (name) {
      case 'put':
        if (typeof first !== 'string' || !fits(words, 3)) return malformed(name)
        return words.length > 3 && !hasTime ? timeless() : this.#put(key, first, ttlOf(words, 3))
      case 'append':
        return words.length === 3 && typeof first === 'string' ? this.#append(key, first) : malformed(name)
      case 'cas':
        if (!isValue(first) || !isValue(second) || !fits(words, 4)) return malformed(name)
        if (words.length > 4 && second === null) return malformed(name)
        return words.length > 4 && !hasTime ? timeless() : this.#cas(key, first, second, ttlOf(words, 4))
      case 'delete':
        return words.length === 2 ? this.#delete(key) : malformed(name)
      case 'touch':
        if (!fits(words, 2)) return malformed(name)
        return hasTime ? this.#touch(key, ttlOf(words, 2)) : timeless()
      default:
        return refused('a command is put, cas, append, delete or touch')
    }
  }

  #put(key: string, value: string, ttlMs: number | null): KvResult {
    if (value.length > MAX_VALUE_LENGTH) return tooLong()
    this.#pairs.put(key, value, ttlMs)
    return null
  }

  #append(key: string, value: string): KvResult {
    const old = this.#pairs.live(key)
    const length = (old?.value.length ?? 0) + value.length
    if (length > MAX_VALUE_LENGTH) return tooLong()
    if (old === undefined) this.#pairs.put(key, value, null)
    else this.#pairs.append(old, value)
    return { length }
  }

  #cas(key: string, from: string | null, to: string | null, ttlMs: number | null): KvResult {
    const old = this.#pairs.live(key)
    if ((old?.value ?? null) !== from) return { swapped: false }
    if (to !== null && to.length > MAX_VALUE_LENGTH) return tooLong()
    if (to !== null) this.#pairs.put(key, to, ttlMs)
    else if (old !== undefined) this.#pairs.remove(old)
    return { swapped: true }
  }

  #delete(key: string): KvResult {
    const old = this.#pairs.live(key)
    if (old !== undefined) this.#pairs.remove(old)
    return { deleted: old !== undefined }
  }

  #touch(key: string, ttlMs: number | null): KvResult {
    const old = this.#pairs.live(key)
    const nextMs = ttlMs ?? old?.lease?.ttlMs
    if (old === undefined || nextMs === undefined) return { touched: false }
    this.#pairs.touch(old, nextMs)
    return { touched: true }
  }

  #ttl(key: string): KvAnswer {
    const lease = this.#pairs.seen(key)?.lease
    return lease === undefined || lease === null ? null : { ttlMs: lease.ttlMs, dueAtMs: lease.dueAtMs }
  }

  #list(prefix: string, limited: unknown, after: unknown): KvAnswer {
    const limit = limitOf(limited)
    if (limit === null) return refused('list takes a limit from 1 to 10,000')
    if (after !== undefined && typeof after !== 'string') return refused('list goes on after a key')
    // The first text behind another one is that with the least unit at its end.
    const keys = this.#pairs.keysFrom(after === undefined || after < prefix ? prefix : `${after}\0`)
    const valueAt = (key: string): string | null => this.#pairs.seen(key)?.value ?? null
    return pageOf(keys, valueAt, { prefix, limit, index: this.#index })
  }

  #changes(prefix: string, fromIndex: unknown, limited: unknown): KvAnswer {
    const limit = limitOf(limited)
    if (limit === null) return refused('changes takes a limit from 1 to 10,000')
    if (typeof fromIndex !== 'number' || !Number.isInteger(fromIndex) || fromIndex < 1)
      return refused('changes are asked for from an index on')
    const { firstIndex } = this.#history
    if (fromIndex < firstIndex) return { compacted: true, index: this.#index, firstIndex }
    return changesOf(this.#history.from(fromIndex), { prefix, fromIndex, limit, index: this.#index })
  }
}

/** So many words, or one more, which is a time to live. */
function fits(words: readonly unknown[], count: number): boolean {
  return words.length === count || (words.length === count + 1 && isTtl(words[count]))
}

function ttlOf(words: readonly unknown[], at: number): number | null {
  const ttlMs = words[at]
  return isTtl(ttlMs) ? ttlMs : null
}

function counted(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0) return value
  throw new QuorateError('INVALID', `Option ${name}: it is a whole number from 0 on.`)
}
