// The heap of keys that go by themselves: whoever comes and goes in whatever order, the first is the first that is due.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Lease, Leases } from '../../src/machines/kv-leases.ts'

test('the first one is always the first, by time and then by key, and those that are due are counted', () => {
  const step = fc.record({ key: fc.nat(30), dueAtMs: fc.nat(12), removes: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), fc.nat(12), (steps, nowMs) => {
      const leases = new Leases()
      const all = new Map<string, Lease>()
      for (const { key: number, dueAtMs, removes } of steps) {
        const key = `k${number}`
        const old = all.get(key)
        if (old !== undefined) leases.remove(old)
        all.delete(key)
        const next = { key, ttlMs: 1, dueAtMs, at: 0 }
        if (!removes || old === undefined) {
          leases.add(next)
          all.set(key, next)
        }
        const sorted = [...all.values()].sort((a, b) => a.dueAtMs - b.dueAtMs || (a.key < b.key ? -1 : 1))
        expect(leases.first()?.key).toBe(sorted[0]?.key)
        expect(leases.size).toBe(all.size)
        expect(leases.countDue(nowMs)).toBe(sorted.filter((one) => one.dueAtMs <= nowMs).length)
      }
    }),
  )
})
