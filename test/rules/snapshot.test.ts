// When a snapshot is taken, and what is made of one that is offered: tables.

import { describe, expect, it } from 'vitest'
import {
  type Growth,
  isDue,
  judgeOffer,
  judgeSave,
  mayLoad,
  type OfferSituation,
  SAVE_YIELDS_AFTER_MS,
  type SnapshotActivity,
  saveRetryMs,
  snapshotDelayMs,
} from '../../src/rules/snapshot.ts'

describe('asking for a snapshot', () => {
  const asked = (
    activity: SnapshotActivity,
    appliedIndex: number,
    snapshotIndex: number,
    minGapEntries = 1,
  ) => judgeSave({ activity, appliedIndex, snapshotIndex, minGapEntries })

  it.each([
    { activity: 'idle', applied: 10, snapshot: 0, gap: 1, verdict: 'save' },
    { activity: 'idle', applied: 10, snapshot: 9, gap: 1, verdict: 'save' },
    { activity: 'idle', applied: 10, snapshot: 10, gap: 1, verdict: 'nothingNew' },
    { activity: 'idle', applied: 0, snapshot: 0, gap: 1, verdict: 'nothingNew' },
    { activity: 'idle', applied: 10, snapshot: 10, gap: 0, verdict: 'nothingNew' },
    { activity: 'idle', applied: 14, snapshot: 10, gap: 5, verdict: 'nothingNew' },
    { activity: 'idle', applied: 15, snapshot: 10, gap: 5, verdict: 'save' },
  ] as const)(
    '$activity, applied $applied, last one $snapshot, gap $gap: $verdict',
    ({ activity, applied, snapshot, gap, verdict }) => {
      expect(asked(activity, applied, snapshot, gap)).toBe(verdict)
    },
  )

  it('while one is taken, fetched or loaded: they exclude each other both ways (trap T58)', () => {
    for (const activity of ['saving', 'downloading', 'loading'] as const) {
      expect(asked(activity, 10, 0)).toBe('busy')
      expect(asked(activity, 10, 10)).toBe('busy')
    }
    const running = { from: 'b', id: { index: 20, term: 2 }, takenAtMs: 1 }
    const offer = { ...running, id: { index: 30, term: 2 } }
    expect(judgeOffer({ activity: 'saving', running: null, putOffMs: 0, settledIndex: 5 }, offer)).toBe(
      'busy',
    )
  })
})

describe('growth of the log', () => {
  const none: Growth = { entries: 0, logBytes: 0, snapshotBytes: 0, everyEntries: 100, everyBytes: 1000 }

  it.each([
    ['nothing yet', {}, false],
    ['almost enough entries', { entries: 99 }, false],
    ['enough entries', { entries: 100 }, true],
    ['almost enough bytes', { logBytes: 999 }, false],
    ['enough bytes', { logBytes: 1000 }, true],
    ['entries do not count', { entries: 1e9, everyEntries: 0 }, false],
    ['bytes do not count', { logBytes: 1e12, everyBytes: 0 }, false],
    [
      'a large snapshot, and less than a quarter of it',
      { entries: 1e6, logBytes: 2499, snapshotBytes: 10_000 },
      false,
    ],
    ['a large snapshot, and a quarter of it', { entries: 1e6, logBytes: 2500, snapshotBytes: 10_000 }, true],
    ['a quarter of the snapshot alone', { entries: 9, logBytes: 500, snapshotBytes: 2000 }, false],
  ] as const)('%s', (_, over, due) => {
    expect(isDue({ ...none, ...over })).toBe(due)
  })
})

describe('the snapshot timer', () => {
  it('comes for the first time anywhere within the interval (trap T69)', () => {
    expect([0, 0.25, 0.999].map((drawn) => snapshotDelayMs(1000, true, drawn))).toEqual([0, 250, 999])
    expect(snapshotDelayMs(1000, false, 0.25)).toBe(1000)
  })

  it('never comes when it is off', () => {
    expect(snapshotDelayMs(0, true, 0.5)).toBeNull()
  })

  it('waits longer the more attempts have failed, and no longer than ten minutes', () => {
    expect([1, 2, 3, 7, 50].map(saveRetryMs)).toEqual([5000, 10_000, 20_000, 320_000, 600_000])
  })
})

describe('a snapshot that is offered', () => {
  const running = { from: 'b', id: { index: 20, term: 2 }, takenAtMs: 7 }
  const offer = (over: Partial<typeof running> = {}) => ({ ...running, ...over })
  const at = (activity: SnapshotActivity, over: Partial<OfferSituation> = {}): OfferSituation => ({
    activity,
    running: activity === 'downloading' || activity === 'loading' ? running : null,
    putOffMs: 0,
    settledIndex: 5,
    ...over,
  })
  const older = { id: { index: 19, term: 2 } }
  const newer = { id: { index: 21, term: 2 } }

  it.each([
    ['is here, or something newer is', 'idle', { settledIndex: 20 }, {}, 'installed'],
    ['is here while another one is fetched', 'downloading', { settledIndex: 20 }, {}, 'installed'],
    ['is not here', 'idle', {}, {}, 'start'],
    ['comes in the middle of a save', 'saving', {}, {}, 'busy'],
    ['has waited a while for a save', 'saving', { putOffMs: SAVE_YIELDS_AFTER_MS - 1 }, {}, 'busy'],
    ['has waited long enough for a save', 'saving', { putOffMs: SAVE_YIELDS_AFTER_MS }, {}, 'start'],
    [
      'has waited for a save, and is here',
      'saving',
      { putOffMs: SAVE_YIELDS_AFTER_MS, settledIndex: 20 },
      {},
      'installed',
    ],
    ['waits for the own one to be loaded', 'loading', { running: null, putOffMs: 60_000 }, {}, 'busy'],
    ['is being fetched', 'downloading', {}, {}, 'accepted'],
    ['is newer than what is fetched', 'downloading', {}, newer, 'start'],
    ['is of a newer term than what is fetched', 'downloading', {}, { id: { index: 20, term: 3 } }, 'start'],
    ['is older than what is fetched', 'downloading', {}, older, 'busy'],
    ['is the same from somebody else', 'downloading', {}, { from: 'c' }, 'start'],
    ['is the same, taken anew', 'downloading', {}, { takenAtMs: 8 }, 'start'],
    ['is being loaded', 'loading', {}, {}, 'loading'],
    ['is being loaded, and comes from somebody else', 'loading', {}, { from: 'c' }, 'loading'],
    ['is older than what is loaded', 'loading', {}, older, 'loading'],
    ['comes while the own one is loaded', 'loading', { running: null }, {}, 'busy'],
  ] as const)('%s', (_, activity, over, offered, verdict) => {
    expect(judgeOffer(at(activity, over), offer(offered))).toBe(verdict)
  })

  it('waits when another one is loaded: that is loaded to its end, whatever comes (trap T60)', () => {
    expect(judgeOffer(at('loading'), offer(newer))).toBe('busy')
  })
})

it('a state that has come as far as a snapshot, or further, does not go back to it', () => {
  expect([mayLoad(9, 10), mayLoad(10, 10), mayLoad(11, 10)]).toEqual([true, false, false])
})
