import { describe, expect, it } from 'vitest'
import { History } from '../../../src/simulation/history/history.ts'
import { isExplainedBy } from '../../../src/simulation/history/known-order.ts'
import type { KvResult } from '../../../src/simulation/history/kv-model.ts'

const put = (value: string) => ({ op: 'put', key: 'k', value }) as const
const get = { op: 'get', key: 'k' } as const

/** One client's completed calls, in order; `at` is the place in the log. */
function historyOf(
  ...rows: { command: ReturnType<typeof put> | typeof get; at?: number; result: KvResult }[]
) {
  const history = new History(() => 0)
  rows.forEach(({ command, at, result }, call) => {
    const id = history.invoke('c', command)
    history.proposed(id, call)
    if (at !== undefined) history.committed(call, at)
    history.complete(id, 'ok', result)
  })
  return history
}
const isExplained = ({ operations, positions }: History): boolean => isExplainedBy(operations, positions)

describe('the order of the log', () => {
  it('explains writes at their entries and reads behind what was applied', () => {
    const rows = [
      { command: put('1'), at: 3, result: true },
      { command: get, at: 3, result: '1' },
      { command: put('2'), at: 5, result: true },
      { command: get, at: 9, result: '2' },
    ]
    expect(isExplained(historyOf(...rows))).toBe(true)
  })

  it('explains no read of an older value', () => {
    const rows = [
      { command: put('1'), at: 3, result: true },
      { command: put('2'), at: 4, result: true },
      { command: get, at: 4, result: '1' },
    ]
    expect(isExplained(historyOf(...rows))).toBe(false)
  })

  it('explains nothing that comes before what had ended when it began', () => {
    const rows = [
      { command: put('1'), at: 3, result: true },
      { command: put('2'), at: 4, result: true },
      { command: get, at: 3, result: '1' },
    ]
    expect(isExplained(historyOf(...rows))).toBe(false)
  })

  it('explains no success that is not in the log', () => {
    expect(isExplained(historyOf({ command: put('1'), result: true }))).toBe(false)
  })

  it('takes an unknown outcome for what the log says of it', () => {
    for (const [isInLog, seen] of [
      [true, '1'],
      [false, null],
    ] as const) {
      const history = new History(() => 0)
      history.proposed(history.invoke('c', put('1')), 1)
      if (isInLog) history.committed(1, 2)
      const read = history.invoke('d', get)
      history.answered(read, 2)
      history.complete(read, 'ok', seen)
      expect(isExplained(history)).toBe(true)
    }
  })
})
