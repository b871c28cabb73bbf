// When a group goes to sleep, and when a heartbeat need not be sent.

import { describe, expect, it } from 'vitest'
import {
  CALM_BEATS,
  type DueHeartbeat,
  isCalm,
  isSettled,
  isToBeTold,
  judgeHeartbeat,
  keepsUp,
  type Leadership,
  mayFallAsleep,
  SILENT_BEATS,
  type Sleeper,
  sleepIntervalMs,
  sleepsOn,
} from '../../src/rules/quiescence.ts'
import type { Configuration } from '../../src/rules/types.ts'

/** Everybody has everything and knows it, for long enough. */
const idle: DueHeartbeat = {
  ...{ sharesProcess: true, leasesOn: false, isSettled: true, isQuiet: true },
  ...{ lastIndex: 9, commitIndex: 9, matchIndex: 9, toldIndex: 9 },
  ...{ calmBeats: CALM_BEATS, silentMs: 100, heartbeatMs: 100, framesSince: 0 },
}

describe('a heartbeat that is due', () => {
  it('is the last one before an idle group sleeps', () => {
    expect(judgeHeartbeat(idle)).toBe('sleep')
  })

  it.each<[string, Partial<DueHeartbeat>]>([
    ['nobody shares the process', { sharesProcess: false }],
    ['leases rest on what each member promises', { leasesOn: true }],
    ['something is under way that is not in the log', { isSettled: false }],
    ['a frame is not answered', { isQuiet: false }],
    ['the follower lacks an entry', { matchIndex: 8 }],
    ['an entry is not committed', { commitIndex: 8, toldIndex: 8 }],
    ['the follower has not heard what is committed', { toldIndex: 8 }],
    ['it has been idle for a moment only', { calmBeats: CALM_BEATS - 1 }],
  ])('is sent when %s', (_, over) => {
    expect(judgeHeartbeat({ ...idle, ...over })).toBe('beat')
  })

  it.each<[string, 'beat' | 'skip', Partial<DueHeartbeat>]>([
    [
      'frames follow each other, and the next one tells',
      'skip',
      { framesSince: 2, silentMs: 5, toldIndex: 3 },
    ],
    ['one frame came, and all is told', 'skip', { framesSince: 1, silentMs: 5 }],
    ['one frame came, and what it led to is not told', 'beat', { framesSince: 1, silentMs: 5, toldIndex: 8 }],
    [
      'frames are not answered: a full window is not to look like a dead leader',
      'beat',
      { framesSince: 9, silentMs: 100 },
    ],
    ['nothing was sent', 'beat', { framesSince: 0, silentMs: 5 }],
    [
      'nobody shares the process, so that nothing is gained',
      'beat',
      { framesSince: 9, silentMs: 5, sharesProcess: false },
    ],
  ])('when %s: %s', (_, verdict, over) => {
    expect(judgeHeartbeat({ ...idle, calmBeats: 0, ...over })).toBe(verdict)
  })

  it('finds calm only where nothing at all is left to say', () => {
    for (const index of ['commitIndex', 'matchIndex', 'toldIndex'] as const)
      expect(isCalm({ ...idle, [index]: 8 })).toBe(false)
    expect([
      isCalm(idle),
      isCalm({ ...idle, isSettled: false }),
      isCalm({ ...idle, isQuiet: false }),
    ]).toEqual([true, false, false])
  })
})

/** Three members of equal right, whose files are on record. */
const settled: Leadership = {
  configuration: { peers: ['a', 'b', 'c'], oldPeers: [], identities: { a: 1, b: 2, c: 3 } },
  ...{ self: 'a', isTransferring: false, waitingReads: 0, isChanging: false },
  followers: [
    { peer: 'b', identity: 2 },
    { peer: 'c', identity: 0 },
  ],
}
const among = (over: Partial<Configuration>): Partial<Leadership> => ({
  configuration: { ...settled.configuration, ...over },
})

describe('a leadership', () => {
  it('is settled when nothing is under way and nothing is to come', () => {
    expect(isSettled(settled)).toBe(true)
    expect(isSettled({ ...settled, ...among({ priorities: { a: 5, b: 1, c: 1 } }) })).toBe(true)
    expect(isSettled({ ...settled, ...among({ priorities: { a: 1, b: 5, c: 1 }, witnesses: ['b'] }) })).toBe(
      true,
    )
  })

  it.each<[string, Partial<Leadership>]>([
    ['it is being given away', { isTransferring: true }],
    ['reads wait', { waitingReads: 1 }],
    ['members come or go', { isChanging: true }],
    ['another one should lead', among({ priorities: { a: 1, b: 5 } })],
    ['files are not on record', { followers: [{ peer: 'd', identity: 7 }] }],
    ['a member has other files than it had', { followers: [{ peer: 'b', identity: 7 }] }],
    ['other files are announced', among({ newcomers: { b: 7 } })],
  ])('is not when %s', (_, over) => {
    expect(isSettled({ ...settled, ...over })).toBe(false)
  })
})

const terms = { leader: 'a', term: 3, lastIndex: 9 }
const follower: Sleeper = {
  ...{ leader: 'a', term: 3, leasesOn: false, isInstalling: false, isUnderstood: true },
  ...{ lastIndex: 9, durableIndex: 9, commitIndex: 9 },
}

describe('a follower that is asked to sleep', () => {
  it('agrees when it is where its leader is, durably, and knows that all is committed', () => {
    expect(mayFallAsleep(follower, terms)).toBe(true)
  })

  it.each<[string, Partial<Sleeper>]>([
    ['follows somebody else', { leader: 'b' }],
    ['follows nobody', { leader: null }],
    ['is in another term', { term: 4 }],
    ['has promised its vote', { leasesOn: true }],
    ['is being sent a snapshot', { isInstalling: true }],
    ['takes commands again, which it has not said yet', { isUnderstood: false }],
    ['has more', { lastIndex: 10, durableIndex: 10 }],
    ['has less', { lastIndex: 8, durableIndex: 8, commitIndex: 8 }],
    ['waits for its disk', { durableIndex: 8 }],
    ['does not know that all is committed', { commitIndex: 8 }],
  ])('does not when it %s', (_, over) => {
    expect(mayFallAsleep({ ...follower, ...over }, terms)).toBe(false)
  })

  it.each([
    ['as often as there are heartbeats', 100, 1000, 100],
    ['more often where those are seldom, for silence to be noticed in time', 500, 1000, 100],
    ['as often as they come where they are frequent', 20, 1000, 20],
  ])('is looked after %s', (_, heartbeatMs, electionTimeoutMs, intervalMs) => {
    expect(sleepIntervalMs(heartbeatMs, electionTimeoutMs)).toBe(intervalMs)
    expect(SILENT_BEATS * intervalMs).toBeLessThanOrEqual(electionTimeoutMs)
  })

  it('sleeps on until leader or term are others, whatever entries come', () => {
    expect(sleepsOn(follower, terms)).toBe(true)
    expect(sleepsOn({ leader: null, term: 3 }, terms)).toBe(false)
    expect(sleepsOn({ leader: 'b', term: 3 }, terms)).toBe(false)
    expect(sleepsOn({ leader: 'a', term: 4 }, terms)).toBe(false)
  })

  it.each<[string, boolean, number, number, number]>([
    ['everything', false, 9, 9, 0],
    ['less than is committed', true, 8, 9, 0],
    ['less, after one frame', true, 8, 9, 1],
    ['less, and the next frame tells it', false, 8, 9, 2],
  ])('that knows %s is told: %s', (_, tells, toldIndex, commitIndex, framesSince) => {
    expect(isToBeTold({ toldIndex, commitIndex, framesSince })).toBe(tells)
  })

  it.each<[string, boolean, number, number | null]>([
    ['owes nothing', true, 0, null],
    ['has owed an answer for a moment', true, 0, 901],
    ['has owed an answer for an election timeout', false, 0, 900],
    ['did not answer', false, 1, null],
  ])('that %s keeps up: %s', (_, fits, consecutiveErrors, owesSinceMs) => {
    expect(keepsUp({ consecutiveErrors, owesSinceMs }, 100, 1000)).toBe(fits)
  })
})
