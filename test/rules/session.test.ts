// Once, however often it gets into the log.

import { describe, expect, test } from 'vitest'
import { hasExpired, judgeSequence, type SessionView } from '../../src/rules/session.ts'

const session = (change: Partial<SessionView> = {}): SessionView => ({
  ...{ lastUsedMs: 1000, idleMs: 100, acknowledged: 4, knows: (sequence) => sequence === 6 },
  ...change,
})

describe('a command of a session', () => {
  test.each([
    ['a session that nobody knows', null, 5, 1000, 'expired'],
    ['new', session(), 5, 1000, 'apply'],
    ['new, after one that came later', session(), 7, 1000, 'apply'],
    ['carried out before', session(), 6, 1000, 'repeat'],
    ['whose result its client has', session(), 4, 1000, 'stale'],
    ['long before that', session(), 1, 1000, 'stale'],
    ['at the last moment', session(), 6, 1100, 'repeat'],
    ['a moment too late', session(), 6, 1101, 'expired'],
    ['of a clock that went back', session(), 5, 1, 'apply'],
  ] as const)('%s: %s', (_, known, sequence, timeMs, verdict) => {
    expect(judgeSequence(known, sequence, timeMs)).toBe(verdict)
  })

  test('expires by the time of the log alone', () => {
    expect(hasExpired({ lastUsedMs: 1000, idleMs: 100 }, 1100)).toBe(false)
    expect(hasExpired({ lastUsedMs: 1000, idleMs: 100 }, 1100.5)).toBe(true)
  })

  test('in every order in which a few commands may come twice, none is applied twice', () => {
    const orders = (left: readonly number[]): number[][] =>
      left.length === 0
        ? [[]]
        : left.flatMap((first, at) =>
            orders(left.filter((_, other) => other !== at)).map((rest) => [first, ...rest]),
          )
    for (const order of orders([1, 1, 2, 2, 3, 3])) {
      const done = new Set<number>()
      for (const sequence of order) {
        const verdict = judgeSequence(
          session({ acknowledged: 0, knows: (known) => done.has(known) }),
          sequence,
          1000,
        )
        expect(verdict).toBe(done.has(sequence) ? 'repeat' : 'apply')
        done.add(sequence)
      }
    }
  })
})
