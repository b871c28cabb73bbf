// Somebody who is to be added, answers, and never gets there: the others wait for a bounded time, which begins anew with every
// step ahead.

import { expect, it } from 'vitest'
import { pulse, written } from '../support/changing.ts'
import { type NodeRig, rig } from '../support/node-rig.ts'

const STALL_MS = 5000

function leader(): NodeRig {
  const node = rig({ tuning: { maxCatchUpStallMs: STALL_MS, catchUpMarginEntries: 0 } })
    .boot()
    .establish()
  for (let i = 0; i < 20; i++) node.propose({ put: `${i}` })
  node.settle()
  node.acknowledge('b', 'c')
  return node
}

/** Everybody answers heartbeats, and d takes no entries. */
function passes(node: NodeRig, ms: number): void {
  for (let passed = 0; passed < ms; passed += 100) {
    node.advance(100)
    pulse(node, 'b', 'c', 'd')
    for (const call of node.rpc.calls('append_entries'))
      if (call.isOpen && call.to === 'd') call.fail('TIMEOUT')
  }
}

it('ends the change, says why, and another one may begin', () => {
  const node = leader()
  const asked = node.changeTo('a', 'b', 'c', 'd')
  passes(node, STALL_MS - 200)
  expect(asked.outcome).toBeNull()
  expect(node.changeTo('a', 'b').outcome).toMatchObject({ ok: false, error: { code: 'BUSY' } })
  passes(node, 500)
  expect(asked.outcome).toMatchObject({
    ok: false,
    error: {
      code: 'CATCH_UP',
      outcome: 'not-applied',
      message: expect.stringContaining('d answered, but got no further for 5000 ms (maxCatchUpStallMs)'),
    },
  })
  expect(written(node)).toEqual([])
  const next = node.changeTo('a', 'b')
  node.acknowledge('b')
  expect(next.outcome).toMatchObject({ ok: true })
})

it('waits on while it gets further', () => {
  const node = leader()
  const asked = node.changeTo('a', 'b', 'c', 'd')
  for (let match = 1; match <= 5; match++) {
    passes(node, STALL_MS - 500)
    const progress = node.handle.core.office?.followers.get('d')?.progress
    if (progress !== undefined) progress.matchIndex = match
  }
  expect(asked.outcome).toBeNull()
  passes(node, STALL_MS + 500)
  expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'CATCH_UP' } })
})

it('does not take a fall and a recovery for a step ahead', () => {
  const node = leader()
  const asked = node.changeTo('a', 'b', 'c', 'd')
  for (let round = 0; round < 10; round++) {
    passes(node, 500)
    const progress = node.handle.core.office?.followers.get('d')?.progress
    if (progress !== undefined) progress.matchIndex = round % 2
  }
  passes(node, 1500)
  expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'CATCH_UP' } })
})

it('takes bytes of a snapshot for steps ahead, and a snapshot that is there and not loaded for none', () => {
  const node = leader()
  const asked = node.changeTo('a', 'b', 'c', 'd')
  for (let doneBytes = 1; doneBytes <= 5; doneBytes++) {
    passes(node, STALL_MS - 500)
    const progress = node.handle.core.office?.followers.get('d')?.progress
    if (progress !== undefined) progress.installing = { snapshotIndex: 7, doneBytes, totalBytes: 5 }
  }
  expect(asked.outcome).toBeNull()
  passes(node, STALL_MS + 500)
  expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'CATCH_UP' } })
})
