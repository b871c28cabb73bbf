// Planted bugs in the key-value store: times, order, changes. Its snapshots are in user-snapshots.ts.
//
// What could be wrong, file by file:
//   kv-pairs    a key goes early or late, what is due is shown, a touch is forgotten, the hash does not know leases
//   kv-leases   the heap loses its order, or a place in it
//   kv-expiry   nothing is proposed, or too early, or no more after a refusal
//   kv-order    a key is lost where a chunk is torn in two
//   kv-history  a watcher misses changes and does not hear of it, waits for ever, or is told of what is not its own
//   kv-pages    an entry is torn apart, a page says that it is the last

import type { Mutant } from '../mutant.ts'

const STORE = ['test/machines/store.test.ts', 'test/machines/naive-model.test.ts']
const EXPIRY = ['test/machines/expiry.test.ts']

export const MACHINE_MUTANTS: readonly Mutant[] = [
  {
    name: 'a key goes a millisecond late',
    file: 'machines/kv-pairs.ts',
    find: 'lease.dueAtMs <= this.#timeMs',
    replace: 'lease.dueAtMs < this.#timeMs',
    tests: STORE,
  },
  {
    name: 'readers are shown what is due',
    file: 'machines/kv-pairs.ts',
    find: 'return pair === undefined || this.#isDue(pair) ? undefined : pair',
    replace: 'return pair',
    tests: STORE,
  },
  {
    name: 'the time of the store goes back',
    file: 'machines/kv-pairs.ts',
    find: 'if (timeMs > this.#timeMs) this.#timeMs = timeMs',
    replace: 'this.#timeMs = timeMs',
    tests: STORE,
  },
  {
    name: 'leases are left out of the hash',
    file: 'machines/kv-hash.ts',
    find: 'return hashMore({ low: low ^ 0x3c6ef372',
    replace: 'if (ttlMs > 0) return NO_PAIRS\n  return hashMore({ low: low ^ 0x3c6ef372',
    tests: STORE,
  },
  {
    name: 'what took the place of a lease stands where it may not',
    file: 'machines/kv-leases.ts',
    find: '    this.#rise(last.at, last)\n',
    replace: '',
    tests: ['test/machines/leases.test.ts'],
  },
  {
    name: 'all that is due goes at one entry',
    file: 'machines/kv-pairs.ts',
    find: 'if (expired === max) return',
    replace: 'if (expired === 1000 * max) return',
    tests: STORE,
  },
  {
    name: 'a snapshot does not know the time',
    file: 'machines/kv-snapshot.ts',
    find: 'isLeased ? numberOf(await next(texts)) : 0',
    replace: 'isLeased ? 0 * numberOf(await next(texts)) : 0',
    tests: STORE,
  },
  {
    name: 'a new leader waits for somebody to write',
    file: 'machines/kv-expiry.ts',
    find: 'if (input.nextDueMs() !== null) this.#expire()',
    replace: 'if (input.nextDueMs() === 0) this.#expire()',
    tests: EXPIRY,
  },
  {
    name: 'what could not be proposed is forgotten',
    file: 'machines/kv-expiry.ts',
    find: 'if (!ok) return this.#tryAgain()',
    replace: 'if (!ok && this.#hasEnded) return this.#tryAgain()',
    tests: EXPIRY,
  },
  {
    name: 'what is due after the first step waits for the next key',
    file: 'machines/kv-expiry.ts',
    find: 'if (dueMs !== null && dueMs <= this.#input.timeMs()) this.#expire()',
    replace: 'if (dueMs !== null && dueMs < 0) this.#expire()',
    tests: EXPIRY,
  },
  {
    name: 'commands on keys that go by themselves have no time',
    file: 'machines/kv.ts',
    find: 'return this.#pairs.isLeased || isTimed(encoded)',
    replace: 'return this.#pairs.isLeased && isTimed(encoded)',
    tests: EXPIRY,
  },
  {
    name: 'half of a full chunk of keys is lost',
    file: 'machines/kv-order.ts',
    find: 'this.#chunks.splice(where + 1, 0, chunk.splice(MAX_CHUNK / 2))',
    replace: 'chunk.splice(MAX_CHUNK / 2)',
    tests: STORE,
  },
  {
    name: 'a new key does not get into the order',
    file: 'machines/kv-pairs.ts',
    find: 'if (before === undefined) this.#order?.add(pair.key)',
    replace: 'if (before !== undefined) this.#order?.add(pair.key)',
    tests: STORE,
  },
  {
    name: 'a page says that it is the last when it is full',
    file: 'machines/kv-pages.ts',
    find: 'return { index, pairs, next: last[0] }',
    replace: 'return { index, pairs, next: last[0] === prefix ? last[0] : null }',
    tests: STORE,
  },
  {
    name: 'changes of one entry are torn apart',
    file: 'machines/kv-pages.ts',
    find: '      last.index !== change.index &&\n',
    replace: '',
    tests: STORE,
  },
  {
    name: 'a slow watcher goes on with what is left',
    file: 'machines/kv-history.ts',
    find: 'if (place < this.#base + this.#gone) throw lost(prefix, this.#firstIndex)',
    replace: 'place = Math.max(place, this.#base + this.#gone)',
    tests: STORE,
  },
  {
    name: 'a replaced state is no news for watchers',
    file: 'machines/kv-history.ts',
    find: 'this.#base += this.#changes.length + 1',
    replace: 'this.#base += this.#changes.length',
    tests: STORE,
  },
  {
    name: 'a watch hears of other keys',
    file: 'machines/kv-history.ts',
    find: 'if (change.index >= fromIndex && change.key.startsWith(prefix)) yield change',
    replace: 'if (change.index >= fromIndex) yield change',
    tests: STORE,
  },
  {
    name: 'the history grows without end',
    file: 'machines/kv-history.ts',
    find: 'kept > maxChanges || this.#length > maxLength',
    replace: 'kept > maxChanges && this.#length > maxLength',
    tests: STORE,
  },
]
