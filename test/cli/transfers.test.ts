// What `quorate status --watch` says about snapshots under way.

import { describe, expect, test } from 'vitest'
import { Transfers } from '../../src/cli/status/transfers.ts'
import { formatDuration, formatProgress, formatSize } from '../../src/cli/units.ts'
import type { GroupStatus } from '../../src/client.ts'
import { FakeNode } from '../client/fake-node.ts'

type Snapshot = GroupStatus['members'][number]['snapshot']

function group(snapshot: Partial<Snapshot>): GroupStatus {
  const status = new FakeNode('n1').status()
  const member = { ...status, instance: 'a', version: null, snapshot: { ...status.snapshot, ...snapshot } }
  return { group: 'demo', members: [member], unreachable: [], leader: null, clocks: [] }
}

const MB = 1_000_000
const downloading = (doneBytes: number) => group({ state: 'downloading', doneBytes, totalBytes: 100 * MB })

describe('a download', () => {
  test('has no rate at the first look, and one from the second on', () => {
    const transfers = new Transfers()
    expect(transfers.describe(downloading(10 * MB), 1000)).toEqual([
      'n1 is downloading a snapshot: 10.0 MB of 100.0 MB.',
    ])
    expect(transfers.describe(downloading(30 * MB), 3000)).toEqual([
      'n1 is downloading a snapshot: 30.0 MB of 100.0 MB, 10.0 MB/s, 7 s left.',
    ])
  })

  test('that begins anew has no rate', () => {
    const transfers = new Transfers()
    transfers.describe(downloading(30 * MB), 1000)
    expect(transfers.describe(downloading(10 * MB), 2000)[0]).toMatch(/100\.0 MB\.$/)
  })

  test('that has ended says nothing, and the next one has no rate of it', () => {
    const transfers = new Transfers()
    transfers.describe(downloading(30 * MB), 1000)
    expect(transfers.describe(group({ state: 'idle' }), 2000)).toEqual([])
    expect(transfers.describe(downloading(40 * MB), 3000)[0]).toMatch(/100\.0 MB\.$/)
  })
})

describe('a save', () => {
  const newest = { index: 5, term: 1, bytes: 100 * MB, files: 1, takenAtMs: 0 }

  test('is expected to become as large as the last one', () => {
    const transfers = new Transfers()
    transfers.describe(group({ state: 'saving', newest, doneBytes: 0 }), 0)
    expect(transfers.describe(group({ state: 'saving', newest, doneBytes: 50 * MB }), 1000)).toEqual([
      'n1 is saving a snapshot: 50.0 MB of 100.0 MB, 50.0 MB/s, 1 s left (by the size of the last one).',
    ])
  })

  test.each([
    ['the first', null],
    ['larger', newest],
  ])('that is %s tells only what is done', (_, last) => {
    const saving = group({ state: 'saving', newest: last, doneBytes: 120 * MB })
    expect(new Transfers().describe(saving, 0)).toEqual(['n1 is saving a snapshot: 120.0 MB so far.'])
  })
})

test('a load tells its size', () => {
  const loading = group({ state: 'loading', doneBytes: 0, totalBytes: 2_500_000 })
  expect(new Transfers().describe(loading, 0)).toEqual(['n1 is loading a snapshot of 2.5 MB.'])
})

describe('words', () => {
  test.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1.0 kB'],
    [1_234_567, '1.2 MB'],
    [1_073_741_824, '1.1 GB'],
  ])('%i bytes', (bytes, words) => expect(formatSize(bytes)).toBe(words))

  test.each([
    [-5000, '0 s'],
    [3400, '3 s'],
    [119_000, '119 s'],
    [240_000, '4 min'],
    [18_000_000, '5 h'],
    [518_400_000, '6 d'],
  ])('%i ms', (ms, words) => expect(formatDuration(ms)).toBe(words))

  test('more than all is never negative time', () => {
    expect(formatProgress(20, 10, 5)).toBe('20 bytes of 10 bytes, 5 bytes/s, 0 s left')
  })
})
