// The key-value store against a naive model under random commands and times, with a snapshot anywhere in between.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { KeyValueStore, KvChange, KvCommand } from '../../src/machines.ts'
import { changes, filesOf, get, Log, listAll, loadFiles, START_MS } from './support.ts'

describe('against a naive model', () => {
  interface Held {
    readonly value: string
    readonly ttlMs: number | null
    readonly dueAtMs: number
  }

  class Model {
    readonly pairs = new Map<string, Held>()
    nowMs = 0

    apply(command: KvCommand, nowMs: number | undefined): unknown {
      if (nowMs !== undefined) this.nowMs = Math.max(this.nowMs, nowMs)
      for (const [key, { dueAtMs }] of this.pairs) if (dueAtMs <= this.nowMs) this.pairs.delete(key)
      if (command[0] === 'expire') return expect.objectContaining({ expired: expect.any(Number) })
      const held = this.pairs.get(command[1])
      if (command[0] === 'put') return this.put(command[1], command[2], command[3])
      if (command[0] === 'delete') return { deleted: this.pairs.delete(command[1]) }
      if (command[0] === 'append') {
        const value = (held?.value ?? '') + command[2]
        this.pairs.set(command[1], { ...(held ?? { ttlMs: null, dueAtMs: Infinity }), value })
        return { length: value.length }
      }
      if (command[0] === 'touch') {
        const ttlMs = command[2] ?? held?.ttlMs ?? null
        if (held === undefined || ttlMs === null) return { touched: false }
        this.put(command[1], held.value, ttlMs)
        return { touched: true }
      }
      const [, key, from, to, ttlMs] = command
      if ((held?.value ?? null) !== from) return { swapped: false }
      if (to === null) this.pairs.delete(key)
      else this.put(key, to, ttlMs)
      return { swapped: true }
    }

    put(key: string, value: string, ttlMs: number | undefined): null {
      this.pairs.set(key, { value, ttlMs: ttlMs ?? null, dueAtMs: this.nowMs + (ttlMs ?? Infinity) })
      return null
    }
  }

  const key = fc.constantFrom('a', 'a/1', 'a/2', 'b', 'é', '__proto__')
  const value = fc.constantFrom('', '1', '2')
  const ttl = fc.constantFrom(1, 5, 50)
  const command: fc.Arbitrary<KvCommand> = fc.oneof(
    fc.tuple(fc.constant('put' as const), key, value),
    fc.tuple(fc.constant('put' as const), key, value, ttl),
    fc.tuple(fc.constant('append' as const), key, value),
    fc.tuple(fc.constant('cas' as const), key, fc.option(value), fc.option(value)),
    fc.tuple(fc.constant('cas' as const), key, fc.option(value), value, ttl),
    fc.tuple(fc.constant('delete' as const), key),
    fc.tuple(fc.constant('touch' as const), key),
    fc.tuple(fc.constant('touch' as const), key, ttl),
    fc.constant(['expire'] as const),
  )
  const TIMED = new Set(['touch', 'expire'])
  /** Entries that need none may come without a time. */
  const step = fc.record({ command, afterMs: fc.nat(20), bare: fc.boolean() })

  function show(store: KeyValueStore) {
    const keys = ['a', 'a/1', 'a/2', 'b', 'é', '__proto__']
    return {
      pairs: listAll(store, '', 2),
      below: listAll(store, 'a/', 1),
      size: store.read(['size']),
      got: keys.map((one) => get(store, one)),
      ttls: keys.map((one) => store.read(['ttl', one])),
      hash: store.stateHash(),
    }
  }

  test('results, pages, times and changes, with a snapshot anywhere in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(40), async (steps, savedAt) => {
        const [log, other] = [new Log(), new Log()]
        const model = new Model()
        let nowMs = 0
        for (const [at, { command: next, afterMs, bare }] of steps.entries()) {
          nowMs += afterMs
          const isTimed = TIMED.has(next[0]) || typeof next.at(next[0] === 'put' ? 3 : 4) === 'number'
          const atMs = bare && !isTimed ? undefined : nowMs
          const result = log.apply(next, atMs)
          expect(result).toEqual(model.apply(next, atMs === undefined ? undefined : START_MS + atMs))
          // A member that fetches a snapshot half-way, and one that has applied everything.
          if (at === savedAt) {
            await loadFiles(other.store, await filesOf(log.store), { index: log.index, size: 7 })
            other.index = log.index
            expect(show(other.store)).toEqual(show(log.store))
          } else if (at > savedAt) expect(other.apply(next, atMs)).toEqual(result)
        }
        const held = [...model.pairs].map(([one, { value: its }]) => [one, its])
        const sorted = held.sort(([one = ''], [two = '']) => (one < two ? -1 : 1))
        const shown = show(log.store)
        expect(shown.pairs).toEqual(sorted)
        expect(shown.below).toEqual(sorted.filter(([one]) => one?.startsWith('a/')))
        expect(shown.size).toBe(model.pairs.size)
        if (savedAt >= steps.length) return
        expect(show(other.store)).toEqual(shown)
        const since = savedAt + 2
        expect(changes(other.store, '', since)).toEqual(changes(log.store, '', since))
        expect(replayed(changes(log.store, '', 1).changes, log.store)).toEqual(sorted)
      }),
    )
  })

  /** What is left when changes are carried out one after the other, less what is due and not taken away yet. */
  function replayed(all: readonly KvChange[], store: KeyValueStore) {
    const pairs = new Map<string, string>()
    for (const { type, key: changed, value: to } of all) {
      if (type === 'put' && to !== null) pairs.set(changed, to)
      else expect(pairs.delete(changed)).toBe(true)
    }
    const left = [...pairs].filter(([one]) => get(store, one) !== null)
    return left.sort(([one], [two]) => (one < two ? -1 : 1))
  }
})
