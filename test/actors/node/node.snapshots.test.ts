// A snapshot that is there: what log, configuration, commit index and acknowledgements make of it (braft
// LogManager::set_snapshot; trap T55, INV-21, HB-07).

import { describe, expect, it } from 'vitest'
import { adoptSnapshot } from '../../../src/actors/node/node.snapshots.ts'
import type { TuningInput } from '../../../src/options.ts'
import { encodeValue } from '../../../src/transport/wire/codec.ts'
import { configurationEntry, dataEntry } from '../../log/support/entries.ts'
import { type NodeRig, rig } from '../support/node-rig.ts'

const ABC = ['a', 'b', 'c']
const put = (index: number, term: number) => ({
  ...dataEntry(index, term),
  data: encodeValue({ put: index }),
})

/** Follows b in term 2, with ten entries, committed up to `committedIndex`. */
function follower(committedIndex = 10, tuning: TuningInput = {}) {
  const node = rig({ tuning }).boot()
  const entries = [configurationEntry(1, 2, ABC), ...Array.from({ length: 9 }, (_, i) => put(i + 2, 2))]
  node.append('b', { term: 2, entries, committedIndex })
  return node.settle()
}

function adopt(node: NodeRig, index: number, term = 2, peers: readonly string[] = ABC) {
  adoptSnapshot(node.handle.core, { lastIncludedIndex: index, lastIncludedTerm: term, peers, oldPeers: [] })
  return node.settle()
}

/** The same, of another member's snapshot, whose state has been loaded. */
function adoptLoaded(node: NodeRig, index: number, term = 2, peers: readonly string[] = ABC) {
  node.handle.core.toApplyQueue({
    type: 'snapshotLoad',
    task: { run: () => ({ index, term }), done: () => {} },
  })
  node.settle()
  return adopt(node, index, term, peers)
}

describe('a snapshot of the own log', () => {
  it('removes nothing when it is the first one, and the log before it when another follows (HB-07)', () => {
    const node = follower()
    adopt(node, 4)
    expect(node.handle.status()).toMatchObject({ firstIndex: 1, lastIndex: 10 })
    adopt(node, 8)
    expect(node.handle.status()).toMatchObject({ firstIndex: 5, lastIndex: 10, commitIndex: 10 })
    expect(node.disk).toMatchObject({ firstIndex: 5, termBeforeFirst: 2 })
    adopt(node, 10)
    expect(node.handle.status().firstIndex).toBe(9)
  })

  it('that is announced twice, or late, changes nothing (LM-11)', () => {
    const node = follower()
    adopt(node, 8)
    adopt(node, 8)
    adopt(node, 4)
    expect(node.handle.status()).toMatchObject({ firstIndex: 1, lastIndex: 10 })
    expect(node.handle.core.log.termAt(9)).toBe(2)
  })

  it('leaves as many entries as were asked for', () => {
    const node = follower(10, { logMarginEntries: 6 })
    adopt(node, 4)
    adopt(node, 8)
    expect(node.handle.status().firstIndex).toBe(3)
  })

  it('leaves the configuration in force, whose entry is gone', () => {
    const node = follower()
    adopt(node, 4)
    adopt(node, 8)
    expect(node.handle.core.configuration.peers).toEqual(ABC)
    expect(node.handle.core.log.configurations.newest()?.id).toEqual({ index: 8, term: 2 })
  })

  it('that contradicts what is committed here stops at once: safety is broken somewhere', () => {
    const node = follower()
    expect(() => adopt(node, 8, 1)).toThrow(
      /leader completeness.*term 1 at index 8.*committed here with term 2/,
    )
  })
})

describe('a snapshot of another member', () => {
  it('beyond the log takes its place, commits, and brings its configuration', () => {
    const node = follower(3)
    adoptLoaded(node, 50, 2, ['a', 'b', 'c', 'd'])
    expect(node.handle.status()).toMatchObject({
      firstIndex: 51,
      lastIndex: 50,
      lastTerm: 2,
      durableIndex: 50,
      commitIndex: 50,
      peers: ['a', 'b', 'c', 'd'],
    })
    expect(node.disk).toMatchObject({ firstIndex: 51, termBeforeFirst: 2, entries: [] })
    const next = node.append('b', { term: 2, prevLogIndex: 50, prevLogTerm: 2, entries: [put(51, 2)] })
    node.settle()
    expect(next.response).toMatchObject({ success: true, lastLogIndex: 51 })
  })

  it('taken while the membership changed is joint here too (trap T71)', () => {
    const node = follower(3)
    node.handle.core.toApplyQueue({
      type: 'snapshotLoad',
      task: { run: () => ({ index: 50, term: 2 }), done: () => {} },
    })
    node.settle()
    const meta = { lastIncludedIndex: 50, lastIncludedTerm: 2, peers: ABC, oldPeers: ['a', 'b'] }
    adoptSnapshot(node.handle.core, meta)
    expect(node.handle.status()).toMatchObject({ peers: ABC, oldPeers: ['a', 'b'] })
  })

  it('whose last entry is another one here takes the place of the whole log (trap T55)', () => {
    const node = follower(3)
    adoptLoaded(node, 6, 3)
    expect(node.handle.status()).toMatchObject({ firstIndex: 7, lastIndex: 6, lastTerm: 3, commitIndex: 6 })
  })

  it('whose last entry is here leaves what follows it, and commits up to it', () => {
    const node = follower(3)
    adoptLoaded(node, 6)
    expect(node.handle.status()).toMatchObject({ firstIndex: 1, lastIndex: 10, commitIndex: 6 })
  })

  it('refuses what was to be acknowledged behind it, and acknowledges what it stands for', () => {
    const node = follower(3)
    node.storage.hold('append')
    const within = node.append('b', { term: 2, prevLogIndex: 10, prevLogTerm: 2, entries: [put(11, 2)] })
    const behind = node.append('b', {
      term: 2,
      prevLogIndex: 11,
      prevLogTerm: 2,
      entries: [put(12, 2), put(13, 2)],
    })
    node.settle()
    expect([within.outcome, behind.outcome]).toEqual([null, null])
    adoptLoaded(node, 12, 3)
    expect(within.response).toMatchObject({ success: true, lastLogIndex: 12 })
    expect(behind.response).toMatchObject({ success: false, lastLogIndex: 12 })
    node.storage.release()
    node.settle()
    expect(node.handle.status()).toMatchObject({ durableIndex: 12, lastIndex: 12 })
  })
})

describe('a heartbeat at a position that is compacted here', () => {
  it('is no sign of a lost log', () => {
    const node = follower()
    adopt(node, 4)
    adopt(node, 8)
    const beat = node.heartbeat('b', { term: 2, prevLogIndex: 2, prevLogTerm: 2, committedIndex: 10 })
    expect(beat.response).toMatchObject({ success: true, lastLogIndex: 10 })
  })
})
