// When the bus's word that nobody listens is enough to ask for votes early.

import { describe, expect, it } from 'vitest'
import {
  heard,
  isAbsent,
  isKnownToBeGone,
  leaderIsAlive,
  mayProbeEarly,
  nextProbeMs,
  type Presence,
  type ProbeVerdict,
  settled,
  successionDelayMs,
  UNKNOWN_PRESENCE,
} from '../../src/rules/presence.ts'

const BEAT = 100
const AWAKE = { heartbeatMs: BEAT, wordMs: BEAT }
const ONE = { group: 'g', groupsLost: 1, asksAgain: false }
const HEARD = heard(UNKNOWN_PRESENCE, 1000)

/** Asks every 50 ms from 1,120 on. */
const told = (...verdicts: ProbeVerdict[]): Presence =>
  verdicts.reduce((presence, verdict, i) => settled(presence, verdict, 1120 + 50 * i, 1121 + 50 * i), HEARD)

describe('absence', () => {
  it.each<[string, ProbeVerdict[], boolean]>([
    ['is not known from silence', [], false],
    ['is not known from one answer: a connection may blink', ['nobody'], false],
    ['is known from two in a row', ['nobody', 'nobody'], true],
    ['stays known', ['nobody', 'nobody', 'nobody'], true],
    ['is not known when somebody answered between', ['nobody', 'there', 'nobody'], false],
    ['is not known when the bus did not answer between', ['nobody', 'unsure', 'nobody'], false],
    ['ends when somebody answers', ['nobody', 'nobody', 'there'], false],
    ['ends when the bus does not answer any more', ['nobody', 'nobody', 'unsure'], false],
  ])('%s', (_, verdicts, absent) => {
    expect(isAbsent(told(...verdicts))).toBe(absent)
  })

  it('ends with anything that is heard', () => {
    expect(isAbsent(heard(told('nobody', 'nobody'), 1200))).toBe(false)
  })

  it('is not known from a question that is older than what was heard since', () => {
    const spoke = heard(told('nobody'), 1175)
    expect(isAbsent(settled(settled(spoke, 'nobody', 1170, 1180), 'nobody', 1180, 1190))).toBe(false)
  })

  it('is not judged by somebody who has not heard it over the connection in use', () => {
    const back = settled(settled(UNKNOWN_PRESENCE, 'nobody', 1, 2), 'nobody', 3, 4)
    expect(isAbsent(back)).toBe(false)
    expect(nextProbeMs(back, AWAKE)).toBeNull()
  })
})

describe('the next question', () => {
  it.each<[string, Presence, number]>([
    ['comes when a heartbeat is late', HEARD, 1120],
    ['comes half a heartbeat after the first miss', told('nobody'), 1171],
    ['comes once per heartbeat when absence is known', told('nobody', 'nobody'), 1271],
    ['comes a late heartbeat after an answer', told('there'), 1241],
    ['comes no sooner where the bus does not answer', told('unsure'), 1241],
  ])('%s', (_, presence, atMs) => {
    expect(nextProbeMs(presence, AWAKE)).toBe(atMs)
  })

  it.each<[string, Presence, number]>([
    ['comes when a word is late', HEARD, 1420],
    ['comes no later after a miss than while it was awake', told('nobody'), 1171],
  ])('%s, of a process whose groups sleep', (_, presence, atMs) => {
    expect(nextProbeMs(presence, { heartbeatMs: BEAT, wordMs: 4 * BEAT })).toBe(atMs)
  })

  it.each([
    ['not before half a heartbeat of silence', HEARD, 1049, false],
    ['then', HEARD, 1050, true],
    ['not again at once', told('there'), 1130, false],
    ['not while misses are counted at their own pace', told('nobody'), 5000, false],
    ['not of somebody who was never heard', UNKNOWN_PRESENCE, 5000, false],
  ])('may come early for somebody who misses it: %s', (_, presence, nowMs, may) => {
    expect(mayProbeEarly(presence, BEAT, nowMs)).toBe(may)
  })
})

describe('a leader is known to be gone', () => {
  const lease = { lastLeader: 'A', lastContactMs: 1000 }
  it.each([
    ['when the bus says so', lease, false, true, true],
    ['not by silence', lease, false, false, false],
    ['never with leases on: it may be alive, and answer reads', lease, true, true, false],
    ['not when nobody was followed in this life', { ...lease, lastLeader: null }, false, true, false],
    ['not when nothing is owed to it any more', { ...lease, lastContactMs: null }, false, true, false],
  ])('%s', (_, owed, leasesOn, absent, gone) => {
    expect(isKnownToBeGone(owed, leasesOn, absent)).toBe(gone)
  })
})

describe('a voter holds a pre-vote back for a leader', () => {
  it.each([
    ['that it hears', { leads: false, heardRecently: true, knownToBeGone: false }, true],
    [
      'that it is itself, whatever the bus said of another',
      { leads: true, heardRecently: false, knownToBeGone: true },
      true,
    ],
    [
      'not when it knows that one to be gone',
      { leads: false, heardRecently: true, knownToBeGone: true },
      false,
    ],
    ['not when it hears nobody', { leads: false, heardRecently: false, knownToBeGone: false }, false],
  ])('%s', (_, voter, isAlive) => {
    expect(leaderIsAlive(voter)).toBe(isAlive)
  })
})

describe('who knows it stands in his turn', () => {
  const group = { peers: ['C', 'A', 'B', 'D'], oldPeers: [] }
  const delay = (self: string, over: object = {}, isReadonly = false, drawn = 0): number =>
    successionDelayMs({ ...group, ...over }, { self, lost: 'A', isReadonly, ...ONE }, BEAT, drawn)

  it('in another order in each group, and with longer turns, when many groups have lost the same process', () => {
    const firsts = new Map<string, number>()
    for (let i = 0; i < 300; i++) {
      const group300 = { lost: 'A', isReadonly: false, group: `g${i}`, groupsLost: 300, asksAgain: false }
      const lost = (self: string) => ({ self, ...group300 })
      const delays = ['B', 'C', 'D'].map((self) => successionDelayMs(group, lost(self), BEAT, 0))
      expect([...delays].sort((a, b) => a - b)).toEqual([20, 1220, 2420])
      const first = ['B', 'C', 'D'][delays.indexOf(20)] ?? ''
      firsts.set(first, (firsts.get(first) ?? 0) + 1)
    }
    expect(Math.min(...['B', 'C', 'D'].map((self) => firsts.get(self) ?? 0))).toBeGreaterThan(70)
  })

  it.each([
    ['as soon when it is alone in having lost its leader', 1, 20],
    ['after so long as the elections of a few take', 12, 48],
    ['after two heartbeats when there are many, for those to answer who were asked', 300, 200],
  ])('asks again %s', (_, groupsLost, afterMs) => {
    const names = ['B', 'C', 'D']
    const again = { lost: 'A', isReadonly: false, group: 'g', groupsLost, asksAgain: true }
    const delays = names.map((self) => successionDelayMs(group, { self, ...again }, BEAT, 0))
    expect(Math.min(...delays)).toBe(afterMs)
  })

  it('by name, a fifth of a heartbeat apart, the lost one left out', () => {
    expect(['B', 'C', 'D'].map((self) => delay(self))).toEqual([20, 40, 60])
  })

  it('never at the time of another, whatever is drawn', () => {
    expect(delay('B', {}, false, 0.999)).toBeLessThan(delay('C'))
  })

  it('by priority first', () => {
    const priorities = { C: 200, D: 150, B: 50 }
    expect(['C', 'D', 'B'].map((self) => delay(self, { priorities }))).toEqual([20, 40, 60])
  })

  it('last when it is read-only, so that the group is not led by somebody who takes no commands', () => {
    expect(delay('B', {}, true)).toBeGreaterThan(delay('D'))
  })

  it.each([
    ['a witness', { witnesses: ['B'] }],
    ['one that never leads', { priorities: { B: 0 } }],
  ])('and nobody waits for %s', (_, over) => {
    expect(delay('C', over)).toBe(20)
  })

  it('those who leave by a change that is under way stand as well', () => {
    expect(delay('E', { peers: ['A', 'B', 'C'], oldPeers: ['A', 'B', 'E'] })).toBe(60)
  })
})
