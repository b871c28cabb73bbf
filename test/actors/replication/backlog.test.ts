// A follower that missed much: what it gets is read off the loop, a little ahead, and sent at a pace.

import { describe, expect, it } from 'vitest'
import { dataEntries } from '../../log/support/entries.ts'
import { replicatorRig } from '../support/replication-world.ts'

const STORED = dataEntries(1, 40, 2, 10)

/** A replicator whose follower lacks everything, in frames of two entries. */
function returning(tuning: object = {}) {
  const rig = replicatorRig({ stored: STORED, tuning: { maxEntriesPerFrame: 2, ...tuning } })
  rig.refuse(0)
  rig.acknowledge()
  return rig
}

describe('old entries', () => {
  it('are waited for in a state that says so, and never read on the loop', () => {
    const rig = returning({ maxFramesInFlight: 3 })
    expect(rig.state).toEqual({ replicating: 'readingBacklog' })
    expect(rig.flying).toEqual([])
    expect(rig.disk.fetches).toMatchObject([{ from: 1, limits: { maxEntries: 8 } }])
    rig.disk.answerFetches()
    expect(rig.state).toEqual({ replicating: 'streaming' })
    expect(rig.flying).toEqual([
      [0, 2],
      [2, 2],
      [4, 2],
    ])
    expect(rig.disk.reads).toBe(1)
  })

  it('are read one step ahead of what is sent, and never further', () => {
    const rig = returning({ maxFramesInFlight: 1 })
    rig.disk.answerFetches()
    expect(rig.disk.fetches.map(({ from }) => from)).toEqual([9])
    rig.disk.answerFetches()
    expect(rig.disk.fetches).toEqual([])
    for (const prev of [2, 4]) {
      rig.acknowledge()
      rig.clock.advance(100)
      expect(rig.flying).toEqual([[prev, 2]])
      expect(rig.disk.fetches).toEqual([])
    }
    rig.acknowledge()
    rig.clock.advance(100)
    expect(rig.flying).toEqual([[6, 2]])
    expect(rig.disk.fetches.map(({ from }) => from)).toEqual([17])
  })

  it('all arrive, in order and once, and then the new ones from memory', () => {
    const rig = returning()
    rig.log.append(dataEntries(41, 3, 7))
    const sent: number[] = []
    for (let round = 0; round < 200 && rig.state !== 'waiting'; round++) {
      for (const call of rig.open()) {
        sent.push(...call.request.entries.map(({ index }) => index))
        rig.acknowledge()
      }
      rig.disk.answerFetches()
      rig.clock.advance(100)
    }
    expect(sent).toEqual(Array.from({ length: 43 }, (_, i) => i + 1))
    expect(rig.progress.matchIndex).toBe(43)
  })

  it('stop the node when they cannot be read (INV-22)', () => {
    const rig = returning()
    rig.disk.entries = []
    rig.disk.answerFetches()
    expect(rig.state).toBe('blocked')
    expect(rig.reports.at(-1)).toMatchObject({ type: 'fatal', error: { code: 'CORRUPT' } })
  })

  it('that were read for a stretch of the log that is left are forgotten, and so is the read under way', () => {
    const rig = returning({ maxFramesInFlight: 1 })
    rig.disk.answerFetches()
    rig.acknowledge()
    rig.acknowledge()
    const [underWay] = rig.disk.fetches
    rig.open()[0]?.fail('TIMEOUT')
    expect(rig.state).toBe('blocked')
    expect(rig.disk.fetches).toEqual([])
    rig.clock.advance(100)
    expect(rig.flying).toEqual([[4, 0]])
    rig.refuse(2)
    rig.acknowledge()
    underWay?.done({ kind: 'entries', entries: STORED.slice(8, 16) })
    expect(rig.flying).toEqual([])
    rig.disk.answerFetches()
    expect(rig.flying).toEqual([[2, 2]])
  })

  it('are not asked for any more once the office has ended, and an answer finds nobody', () => {
    const rig = returning()
    rig.actor.stop()
    rig.disk.answerFetches()
    expect(rig.flying).toEqual([])
  })
})

describe('what is compacted', () => {
  const LATE = dataEntries(11, 10, 2)

  it('cannot be sent: a follower that needs it gets a snapshot', () => {
    const rig = replicatorRig({ stored: LATE, termBeforeFirst: 2 })
    rig.refuse(3)
    expect(rig.state).toEqual({ installingSnapshot: 'opening' })
    expect(rig.progress.state).toBe('installingSnapshot')
    expect(rig.flying).toEqual([])
  })

  it('ends at the entry before the first: its term is known, and a follower that has it can go on', () => {
    const rig = replicatorRig({ stored: LATE, termBeforeFirst: 2 })
    rig.refuse(10)
    expect(rig.open()[0]?.request).toMatchObject({ prevLogIndex: 10, prevLogTerm: 2 })
  })

  it('does not include that entry when its term is unknown: 0 is no term', () => {
    const rig = replicatorRig({ stored: LATE, termBeforeFirst: 0 })
    rig.refuse(10)
    expect(rig.state).toEqual({ installingSnapshot: 'opening' })
    expect(rig.flying).toEqual([])
  })

  it('may become so while it is read', () => {
    const rig = returning()
    for (const { done } of rig.disk.fetches.splice(0)) done({ kind: 'compacted', firstIndex: 30 })
    expect(rig.state).toEqual({ installingSnapshot: 'opening' })
  })
})

describe('the way', () => {
  const LARGE = dataEntries(1, 40, 2, 40_000)

  /** In frames of two entries, 80 kB; a burst is two frames at first. */
  function streaming() {
    const rig = replicatorRig({ stored: LARGE, tuning: { maxEntriesPerFrame: 2 } })
    rig.refuse(0)
    rig.acknowledge()
    rig.disk.answerFetches()
    return rig
  }
  /** Both frames are answered, 10 ms after they left. */
  function afterOneBurst(rig = streaming()) {
    rig.clock.advance(10)
    rig.acknowledge()
    rig.acknowledge()
    return rig
  }

  it('is not taken with all at once: old entries go in bursts, each after the answers to the one before', () => {
    const rig = streaming()
    expect(rig.flying).toEqual([
      [0, 2],
      [2, 2],
    ])
    rig.clock.advance(10)
    rig.acknowledge()
    expect(rig.flying).toEqual([[2, 2]])
    rig.acknowledge()
    expect(rig.flying.length).toBeGreaterThanOrEqual(2)
  })

  it('is given to others for a while after a burst when they write', () => {
    const rig = streaming()
    rig.write(dataEntries(41, 1, 7))
    afterOneBurst(rig)
    expect(rig.state).toEqual({ replicating: 'givingWay' })
    expect(rig.flying).toEqual([])
    rig.clock.advance(100)
    expect(rig.state).not.toEqual({ replicating: 'givingWay' })
    expect(rig.flying.length).toBeGreaterThan(0)
  })

  it('is gone on when nobody else writes', () => {
    const rig = afterOneBurst()
    expect(rig.state).not.toEqual({ replicating: 'givingWay' })
    expect(rig.flying.length).toBeGreaterThan(0)
  })

  it('is never barred to entries that somebody waits for', () => {
    const rig = replicatorRig({ stored: LARGE, tuning: { maxEntriesPerFrame: 2 } })
    rig.world.commitIndex = 0
    rig.refuse(0)
    rig.acknowledge()
    rig.disk.answerFetches()
    expect(rig.flying.length).toBe(4)
  })

  it('is left to whatever comes in between: a large burst takes several turns', () => {
    const stored = dataEntries(1, 150, 2, 100_000)
    const rig = replicatorRig({ stored, tuning: { maxEntriesPerFrame: 1 } })
    rig.refuse(0)
    rig.acknowledge()
    const answerAll = (): void => {
      for (let left = rig.open().length; left > 0; left--) rig.acknowledge()
    }
    // Nobody writes, so bursts grow.
    for (let burst = 0; burst < 9; burst++) {
      answerAll()
      for (let reads = 0; reads < 3; reads++) {
        rig.disk.answerFetches()
        rig.clock.settle()
      }
    }
    expect(rig.flying.length).toBeGreaterThan(6)
    answerAll()
    rig.disk.answerFetches()
    expect(rig.flying.length).toBe(3)
    rig.clock.turn()
    expect(rig.flying.length).toBe(6)
  })
})
