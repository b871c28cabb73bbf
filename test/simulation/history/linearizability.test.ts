import { describe, expect, it } from 'vitest'
import { type Random, randomInt } from '../../../src/runtime/random.ts'
import { type ClientOutcome, History, type Operation } from '../../../src/simulation/history/history.ts'
import { applyKv, type KvCommand, type KvResult } from '../../../src/simulation/history/kv-model.ts'
import { checkLinearizability } from '../../../src/simulation/history/linearizability.ts'
import { chance, pick, streamOf } from '../../../src/simulation/time/sim-random.ts'
import { isLinearizableByForce } from '../support/brute-force.ts'

const put = (value: string, key = 'x'): KvCommand => ({ op: 'put', key, value })
const get = (key = 'x'): KvCommand => ({ op: 'get', key })
const cas = (expect: string | null, value: string): KvCommand => ({ op: 'cas', key: 'x', expect, value })
const append = (value: string): KvCommand => ({ op: 'append', key: 'x', value })

/** One row per operation: invoked at, completed at (null: never), command, outcome and result. */
type Row = readonly [
  from: number,
  to: number | null,
  command: KvCommand,
  result: KvResult | 'failed' | 'unknown',
]

function historyOf(...rows: Row[]): Operation[] {
  return rows.map(([from, to, command, told], id) => {
    const isOutcome = told === 'failed' || told === 'unknown'
    const outcome: ClientOutcome = to === null ? 'unknown' : isOutcome ? told : 'ok'
    return {
      id,
      client: `c${id}`,
      command,
      invokedAt: from,
      completedAt: outcome === 'unknown' || to === null ? Number.POSITIVE_INFINITY : to,
      outcome,
      result: isOutcome ? null : told,
      invokedAtMs: from,
      completedAtMs: to,
    }
  })
}

const verdictOf = (...rows: Row[]): string => checkLinearizability(historyOf(...rows)).verdict

describe('histories that are fine', () => {
  it.each<[string, Row[]]>([
    ['nothing at all', []],
    [
      'one after the other',
      [
        [0, 1, put('1'), true],
        [2, 3, get(), '1'],
      ],
    ],
    [
      'a read during a write sees the old value',
      [
        [0, 10, put('1'), true],
        [1, 2, get(), null],
      ],
    ],
    [
      'a read during a write sees the new value',
      [
        [0, 10, put('1'), true],
        [1, 2, get(), '1'],
      ],
    ],
    [
      'an unknown write shows up late',
      [
        [0, null, put('1'), 'unknown'],
        [5, 6, get(), null],
        [7, 8, get(), '1'],
      ],
    ],
    [
      'an unknown write never shows up',
      [
        [0, null, put('1'), 'unknown'],
        [5, 6, get(), null],
        [7, 8, get(), null],
      ],
    ],
    [
      'a timeout may take effect after it',
      [
        [0, 1, put('1'), 'unknown'],
        [2, 3, get(), null],
        [4, 5, get(), '1'],
      ],
    ],
    [
      'a refused write has no effect',
      [
        [0, 1, put('1'), 'failed'],
        [2, 3, get(), null],
      ],
    ],
    [
      'two swaps, one of them fails',
      [
        [0, 10, cas(null, 'a'), true],
        [0.5, 9, cas(null, 'b'), false],
      ],
    ],
    [
      'appends in either order',
      [
        [0, 9, append('a'), 2],
        [1, 8, append('b'), 1],
      ],
    ],
    [
      'two keys have nothing to do with each other',
      [
        [0, 1, put('1', 'x'), true],
        [2, 3, get('y'), null],
      ],
    ],
  ])('%s', (_name, rows) => {
    expect(verdictOf(...rows)).toBe('linearizable')
  })
})

describe('histories that are not', () => {
  it.each<[string, Row[]]>([
    [
      'a write is lost',
      [
        [0, 1, put('1'), true],
        [2, 3, get(), null],
      ],
    ],
    [
      'a read goes back',
      [
        [0, 20, put('1'), true],
        [1, 2, get(), '1'],
        [3, 4, get(), null],
      ],
    ],
    ['a value from nowhere', [[0, 1, get(), '7']]],
    [
      'two swaps from one value',
      [
        [0, 10, cas(null, 'a'), true],
        [1, 9, cas(null, 'b'), true],
      ],
    ],
    [
      'a refused write takes effect',
      [
        [0, 1, put('1'), 'failed'],
        [2, 3, get(), '1'],
      ],
    ],
    [
      'an unknown write happens twice',
      [
        [0, null, append('a'), 'unknown'],
        [1, 2, get(), 'aa'],
      ],
    ],
    [
      'an unknown write happens before it is asked for',
      [
        [1, 2, get(), '1'],
        [3, null, put('1'), 'unknown'],
      ],
    ],
    [
      'two readers see two writes in different orders',
      [
        [0, 20, put('1'), true],
        [0.5, 21, put('2'), true],
        [1, 2, get(), '1'],
        [3, 4, get(), '2'],
        [5, 6, get(), '1'],
        [7, 8, get(), '2'],
      ],
    ],
  ])('%s', (_name, rows) => {
    expect(verdictOf(...rows)).toBe('violation')
  })

  it('names the operation that nothing explains', () => {
    const verdict = checkLinearizability(historyOf([0, 1, put('1'), true], [2, 3, get(), null]))
    expect(verdict).toMatchObject({ verdict: 'violation', key: 'x' })
    expect(verdict.verdict === 'violation' && verdict.explanation).toContain(
      "explains c1's get(x) = null (#1, 2.000 to 3.000 ms)",
    )
  })
})

it('gives up with a clear word instead of searching for ever', () => {
  const rows: Row[] = Array.from({ length: 24 }, (_, i) => [i / 100, 100 + i, append(String(i)), 999])
  expect(checkLinearizability(historyOf(...rows), { maxSteps: 50 }).verdict).toBe('violation')
  const puts: Row[] = Array.from({ length: 24 }, (_, i) => [i / 100, 100 + i, put(String(i)), true])
  const verdict = checkLinearizability(historyOf(...puts, [1, 99, get(), 'nowhere']), { maxSteps: 1000 })
  expect(verdict).toMatchObject({ verdict: 'gaveUp', key: 'x' })
})

/** A real object, used by `clients` at overlapping times: linearizable by construction. */
function realHistory(random: Random, count: number, clients: number, unknownRate: number): Operation[] {
  const history = new History(() => 0)
  const busy = new Map<number, { id: number; command: KvCommand; result: KvResult | undefined }>()
  let value: string | null = null
  let started = 0
  const values = ['a', 'b', 'c']
  while (started < count || busy.size > 0) {
    const client = randomInt(random, 0, clients - 1)
    const current = busy.get(client)
    if (current === undefined) {
      if (started >= count) continue
      started++
      const command = pick(random, [
        get(),
        put(pick(random, values)),
        cas(pick(random, [null, ...values]), pick(random, values)),
        append(pick(random, values)),
        { op: 'delete', key: 'x' } as const,
      ])
      busy.set(client, { id: history.invoke(`c${client}`, command), command, result: undefined })
    } else if (current.result === undefined) {
      if (chance(random, unknownRate / 2)) {
        history.complete(current.id, chance(random, 0.5) ? 'unknown' : 'failed')
        busy.delete(client)
        continue
      }
      const step = applyKv(value, current.command)
      value = step.value
      current.result = step.result
    } else {
      const outcome = chance(random, unknownRate / 2) ? 'unknown' : 'ok'
      history.complete(current.id, outcome, outcome === 'ok' ? current.result : null)
      busy.delete(client)
    }
  }
  return [...history.operations]
}

describe('histories of a real object', () => {
  it('are accepted, whatever overlaps', () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = streamOf(seed, 'history')
      const operations = realHistory(random, 60, randomInt(random, 1, 6), pick(random, [0, 0.1, 0.3]))
      expect(checkLinearizability(operations).verdict, `seed ${seed}`).toBe('linearizable')
    }
  })

  it('are mostly refused once one result is changed', () => {
    let refused = 0
    for (let seed = 0; seed < 200; seed++) {
      const random = streamOf(seed, 'mutated')
      const operations = realHistory(random, 60, 3, 0)
      const victim = pick(random, operations)
      const result =
        typeof victim.result === 'boolean'
          ? !victim.result
          : typeof victim.result === 'number'
            ? victim.result + 1
            : 'zz'
      operations[victim.id] = { ...victim, result }
      if (checkLinearizability(operations).verdict === 'violation') refused++
    }
    expect(refused).toBeGreaterThan(120)
  })

  it('get the same verdict as from trying every order', () => {
    const verdicts = { linearizable: 0, violation: 0 }
    for (let seed = 0; seed < 1500; seed++) {
      const random = streamOf(seed, 'small')
      const operations = realHistory(random, randomInt(random, 1, 6), 3, 0.4)
      const victim = pick(random, operations)
      if (chance(random, 0.6) && victim.outcome === 'ok') {
        const result =
          typeof victim.result === 'boolean' ? !victim.result : pick(random, [null, 'a', 'b', 'ab', 1, 2])
        operations[victim.id] = { ...victim, result }
      }
      const expected = isLinearizableByForce(operations) ? 'linearizable' : 'violation'
      expect(checkLinearizability(operations).verdict, `seed ${seed}`).toBe(expected)
      verdicts[expected]++
    }
    expect(Math.min(verdicts.linearizable, verdicts.violation)).toBeGreaterThan(300)
  })

  it('of two thousand operations take seconds, not minutes', () => {
    const operations = realHistory(streamOf(1, 'long'), 2000, 8, 0.02)
    const startedAt = performance.now()
    expect(checkLinearizability(operations).verdict).toBe('linearizable')
    expect(performance.now() - startedAt).toBeLessThan(5000)
  })
})
