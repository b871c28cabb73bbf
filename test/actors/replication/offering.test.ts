// A follower that needs what is compacted: it is offered a snapshot until it has it (braft Replicator::_install_snapshot,
// traps T61, T64).

import { describe, expect, it } from 'vitest'
import { dataEntries } from '../../log/support/entries.ts'
import { replicatorRig, TERM } from '../support/replication-world.ts'

type Rig = ReturnType<typeof replicatorRig>

/** The leader's log begins at 11; the follower's ends at 5. */
function installing(): Rig {
  const rig = replicatorRig({ stored: dataEntries(11, 20, 2), termBeforeFirst: 2 })
  rig.refuse(5)
  return rig
}

/** It has been offered the snapshot at 15. */
function offered(): Rig {
  const rig = installing()
  rig.files.open(15, 2)
  return rig
}

function answer(
  rig: Rig,
  state: 'installed' | 'accepted' | 'loading' | 'busy',
  doneBytes = 0,
  totalBytes = 0,
) {
  rig.offered?.answer({ term: TERM, state, doneBytes, totalBytes })
}

describe('a follower that needs what is compacted', () => {
  it('is offered the newest snapshot, in words that it can judge', () => {
    const rig = offered()
    expect(rig.offered).toMatchObject({
      to: 'b',
      timeoutMs: 2000,
      request: {
        term: TERM,
        lastIncludedIndex: 15,
        lastIncludedTerm: 2,
        peers: ['a', 'b'],
        oldPeers: [],
        bytes: 1000,
        files: 2,
        takenAtMs: 12,
      },
    })
    expect(rig.flying).toEqual([])
  })

  it('gets the same offer again every heartbeat interval, until it has it', () => {
    const rig = offered()
    for (const state of ['busy', 'accepted', 'loading'] as const) {
      answer(rig, state)
      expect(rig.state).toEqual({ installingSnapshot: 'resting' })
      rig.clock.advance(99)
      expect(rig.offered).toBeUndefined()
      rig.clock.advance(1)
      expect(rig.offered?.request.lastIncludedIndex).toBe(15)
    }
    expect(rig.files.asked).toEqual([])
  })

  it('goes on with the log behind the snapshot when it has it, and the node counts it (trap T64)', () => {
    const rig = offered()
    answer(rig, 'installed')
    expect(rig.progress).toMatchObject({ state: 'probing', matchIndex: 15, nextIndex: 16, installing: null })
    expect(rig.reports).toEqual([{ type: 'replica.matched', term: TERM }])
    expect(rig.files.released).toEqual(['b'])
    expect(rig.open()[0]?.request).toMatchObject({ prevLogIndex: 15, prevLogTerm: 2, entries: [] })
  })

  it('shows how far it has got', () => {
    const rig = offered()
    expect(rig.progress.installing).toEqual({ snapshotIndex: 15, doneBytes: 0, totalBytes: 1000 })
    answer(rig, 'accepted', 300, 900)
    expect(rig.progress.installing).toEqual({ snapshotIndex: 15, doneBytes: 300, totalBytes: 900 })
    expect(rig.progress.contacted).toBe(true)
  })

  it('is left alone for a while when it cannot be reached, and offered it again', () => {
    const rig = offered()
    rig.offered?.fail('TIMEOUT')
    expect(rig.progress).toMatchObject({ state: 'blocked', consecutiveErrors: 1, installing: null })
    rig.clock.advance(100)
    expect(rig.state).toEqual({ installingSnapshot: 'opening' })
    rig.files.open(15, 2)
    expect(rig.offered).toBeDefined()
  })

  it('is left alone for a while when there is nothing to offer, and somebody is told', () => {
    const rig = installing()
    rig.files.fail()
    expect(rig.progress.state).toBe('blocked')
    expect(rig.errors).toEqual(['Member b of g needs a snapshot, which cannot be opened: there is none'])
    rig.clock.advance(999)
    expect(rig.progress.state).toBe('blocked')
    rig.clock.advance(1)
    expect(rig.state).toEqual({ installingSnapshot: 'opening' })
  })

  it('of a newer term ends the office', () => {
    const rig = offered()
    rig.offered?.answer({ term: TERM + 1, state: 'busy', doneBytes: 0, totalBytes: 0 })
    expect(rig.reports).toEqual([{ type: 'term.higher', term: TERM + 1 }])
    expect(rig.progress.matchIndex).toBe(0)
  })

  it('that speaks of an older term has said nothing (trap T34)', () => {
    const rig = offered()
    rig.offered?.answer({ term: TERM - 1, state: 'installed', doneBytes: 0, totalBytes: 0 })
    expect(rig.progress).toMatchObject({ state: 'blocked', matchIndex: 0 })
  })

  it('that says it has it, and whose log does not go on from there, is not asked again and again at once', () => {
    const rig = offered()
    answer(rig, 'installed')
    rig.refuse(5)
    rig.files.open(15, 2)
    answer(rig, 'installed')
    expect(rig.progress.state).toBe('blocked')
    rig.clock.advance(1000)
    rig.files.open(15, 2)
    answer(rig, 'accepted')
    expect(rig.state).toEqual({ installingSnapshot: 'resting' })
  })

  it('hears nothing of an offer that is over', () => {
    const rig = offered()
    const late = rig.offered
    rig.actor.stop()
    late?.answer({ term: TERM, state: 'installed', doneBytes: 0, totalBytes: 0 })
    expect([rig.progress.matchIndex, rig.reports]).toEqual([0, []])
  })
})

describe('a log that is compacted while a follower is given it', () => {
  it('is given up for a snapshot', () => {
    const tuning = { maxEntriesPerFrame: 1, maxFramesInFlight: 1 }
    const rig = replicatorRig({ stored: dataEntries(1, 20, 2, 1000), tuning })
    rig.refuse(3)
    rig.acknowledge()
    rig.disk.answerFetches()
    expect(rig.flying).toEqual([[3, 1]])
    rig.log.truncatePrefix(15)
    rig.acknowledge()
    expect(rig.state).toEqual({ installingSnapshot: 'opening' })
    expect(rig.progress.matchIndex).toBe(4)
  })
})
