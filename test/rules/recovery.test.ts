// Making sense of what is on disk: traps T2, T12, T57, INV-21.

import { describe, expect, it } from 'vitest'
import {
  findInconsistency,
  type RecoveredLog,
  type RecoveredSnapshot,
  recoverConfiguration,
  recoverHardState,
} from '../../src/rules/recovery.ts'
import type { HardState } from '../../src/rules/types.ts'
import { range } from './support/small-scopes.ts'

const INITIAL = { peers: ['i'], oldPeers: [] }
const LOGGED = { peers: ['l'], oldPeers: ['o'], id: { index: 3, term: 2 } }

const log = (firstIndex: number, lastIndex: number, over: Partial<RecoveredLog> = {}): RecoveredLog => ({
  firstIndex,
  lastLogId: { index: lastIndex, term: lastIndex === 0 ? 0 : 2 },
  configuration: null,
  ...over,
})
const snapshot = (index: number): RecoveredSnapshot => ({
  id: { index, term: 2 },
  configuration: { peers: ['s'], oldPeers: [] },
})

describe('log and snapshot fit', () => {
  it.each([
    ['an empty log', log(1, 0), null],
    ['a whole log', log(1, 10), null],
    ['a snapshot within the log', log(1, 10), snapshot(4)],
    ['a snapshot that ends just before the log', log(5, 10), snapshot(4)],
    ['a snapshot that ends with the log', log(5, 10), snapshot(10)],
    ['a snapshot and nothing after it', log(11, 10), snapshot(10)],
  ])('%s', (_, ours, theirs) => {
    expect(findInconsistency(ours, theirs)).toBeNull()
  })

  it('not when the log begins late and nothing covers what is before it (INV-21)', () => {
    expect(findInconsistency(log(5, 10), null)).toBe(
      'the log begins at index 5 and no snapshot covers what is before it',
    )
  })

  it('not with a gap between snapshot and log (INV-21)', () => {
    expect(findInconsistency(log(6, 10), snapshot(4))).toMatch(/begins at index 6, the snapshot ends at 4/)
  })

  it('not when the snapshot reaches beyond the log', () => {
    expect(findInconsistency(log(1, 10), snapshot(11))).toMatch(/beyond the log's last index 10/)
  })

  it('exactly when first - 1 <= snapshot <= last, for all small logs (braft check_consistency)', () => {
    for (const first of range(1, 5)) {
      for (const last of range(first - 1, 6)) {
        for (const at of range(1, 7)) {
          const fits = first - 1 <= at && at <= last
          expect(findInconsistency(log(first, last), snapshot(at)) === null).toBe(fits)
        }
      }
    }
  })
})

describe('the configuration comes from', () => {
  it('the newest entry of the log, committed or not, before anything else', () => {
    expect(recoverConfiguration(log(1, 5, { configuration: LOGGED }), snapshot(1), INITIAL)).toEqual(LOGGED)
  })

  it('the snapshot, when the log has none', () => {
    expect(recoverConfiguration(log(5, 9), snapshot(4), INITIAL)).toEqual({
      peers: ['s'],
      oldPeers: [],
      id: { index: 4, term: 2 },
    })
  })

  it('the initial one on a first start', () => {
    expect(recoverConfiguration(log(1, 0), null, INITIAL)).toEqual({ ...INITIAL, id: { index: 0, term: 0 } })
  })

  it('nowhere when the log exists but holds none: the initial one is for a first start only (trap T57)', () => {
    expect(recoverConfiguration(log(1, 3), null, INITIAL)).toEqual({
      peers: [],
      oldPeers: [],
      id: { index: 0, term: 0 },
    })
  })
})

describe('term and vote', () => {
  it('of a first start are 1 and nobody, and no leader is owed anything (trap T2)', () => {
    expect(recoverHardState(null, 0)).toEqual({
      state: { term: 1, votedFor: null },
      repaired: false,
      firstStart: true,
    })
  })

  it('are what was stored', () => {
    const state = { term: 7, votedFor: 'b' }
    expect(recoverHardState(state, 7)).toEqual({ state, repaired: false, firstStart: false })
    expect(recoverHardState(state, 0)).toEqual({ state, repaired: false, firstStart: false })
  })

  it('that are older than the log were lost: a newer term begins, for this member may have voted (trap T12)', () => {
    expect(recoverHardState({ term: 3, votedFor: 'b' }, 7)).toEqual({
      state: { term: 8, votedFor: null },
      repaired: true,
      firstStart: false,
    })
  })

  it('that are missing beside a log were lost, even in term 1', () => {
    expect(recoverHardState(null, 1)).toEqual({
      state: { term: 2, votedFor: null },
      repaired: true,
      firstStart: false,
    })
  })

  it('never come back in a term that may have been voted in, for all small records and logs', () => {
    const records: (HardState | null)[] = [null]
    for (const term of range(1, 4)) for (const votedFor of [null, 'b']) records.push({ term, votedFor })
    for (const stored of records) {
      for (const lastLogTerm of range(0, 5)) {
        const { state, repaired, firstStart } = recoverHardState(stored, lastLogTerm)
        expect(state.term).toBeGreaterThanOrEqual(Math.max(stored?.term ?? 1, lastLogTerm))
        // A term that some leader used may only be re-entered with the vote that was given in it.
        if (state.term === lastLogTerm) expect(state).toEqual(stored)
        if (repaired) expect(state.votedFor).toBeNull()
        if (firstStart)
          expect({ stored: stored ?? state, lastLogTerm }).toMatchObject({ stored: { term: 1 } })
        expect(repaired && firstStart).toBe(false)
      }
    }
  })
})
