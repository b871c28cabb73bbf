// A follower that comes back is paced by what its backlog costs others now, and by nothing from before it went away.

import { expect, test } from 'vitest'
import { Pacer } from '../../../src/actors/replication/pacer.ts'

const MAX_WINDOW = 4 * 1024 * 1024

/** An entry is written at `atMs` and committed after `tookMs`, beside a burst of old ones. Returns the pause afterwards. */
function burst(pacer: Pacer, index: number, atMs: number, tookMs: number): number {
  const old = { call: 1, prevLogIndex: 0, count: 10, bytes: 1000, sentMs: atMs, committedIndex: 0 }
  pacer.sent(1000, index - 1)
  pacer.look(index, index - 1, atMs)
  pacer.look(index, index, atMs + tookMs)
  pacer.answered(old, atMs + tookMs, 0, index, MAX_WINDOW)
  return pacer.pauseMs
}

test('the time for which a member was away is not taken for the time that an entry takes', () => {
  const pacer = new Pacer()
  pacer.look(1, 0, 0)
  // It is gone: nobody looks until it is back, and then the entry has long been committed.
  pacer.reset()
  pacer.look(1, 1, 20_000)
  pacer.look(2, 1, 20_000)
  pacer.look(2, 2, 20_002)
  // Three times as long as without old entries: others get the whole share, a quarter.
  expect(burst(pacer, 3, 20_010, 6)).toBe(6 / 4)
})
