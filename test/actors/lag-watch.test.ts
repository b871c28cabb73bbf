// When a follower lags, by what its leader knows of it, and when it has caught up.

import { describe, expect, it } from 'vitest'
import { LagWatch, lagReason } from '../../src/actors/replication/lag-watch.ts'
import { PeerProgress } from '../../src/actors/replication/peer-progress.ts'
import type { LogFields } from '../../src/runtime/logger.ts'
import { silentLogger } from '../../src/runtime/logger.ts'

const none = { entries: 0, silentMs: 0, behindMs: 0 }

describe('a follower', () => {
  it.each([
    [none, false, 1000, null],
    [{ ...none, silentMs: 9999 }, false, 1000, null],
    [{ ...none, silentMs: 10_000 }, false, 1000, 'SILENT'],
    [{ ...none, silentMs: 10_000 }, false, 6000, null],
    [{ ...none, silentMs: 12_000 }, false, 6000, 'SILENT'],
    [{ ...none, entries: 9999 }, false, 1000, null],
    [{ ...none, entries: 10_000 }, false, 1000, 'ENTRIES'],
    [{ ...none, behindMs: 10_000 }, false, 1000, 'TIME'],
    [{ ...none, entries: 2500 }, true, 1000, 'ENTRIES'],
    [{ ...none, behindMs: 2500 }, true, 1000, 'TIME'],
    [{ entries: 2499, silentMs: 2499, behindMs: 2499 }, true, 1000, null],
  ] as const)('%o, lagging before: %s, election timeout %d ms: %s', (lag, hasLagged, timeoutMs, reason) => {
    expect(lagReason(lag, hasLagged, timeoutMs)).toBe(reason)
  })
})

/** A leader of one follower, which has answered just now whenever it is looked at. */
class Leader {
  readonly said: [string, LogFields][] = []
  readonly progress = new PeerProgress('b', 1, 0)
  readonly #watch = new LagWatch()
  #nowMs = 0

  look(afterMs: number, commitIndex: number, matchIndex: number): string[] {
    this.#nowMs += afterMs
    this.progress.matchIndex = matchIndex
    this.progress.contact(this.#nowMs)
    const take = (fields: LogFields, message: string) => void this.said.push([message, fields])
    const world = {
      ...{ group: 'g', term: 1, commitIndex, log: { lastIndex: commitIndex } },
      ...{ clock: { nowMs: () => this.#nowMs }, tuning: { electionTimeoutMs: 1000 } },
      logger: { ...silentLogger, info: take, warn: take },
    }
    this.#watch.look(world, new Map([['b', { progress: this.progress }]]))
    return this.said.splice(0).map(([message]) => message)
  }
}

describe('a leader', () => {
  it('says that entries are missing once, and once that they are there', () => {
    const leader = new Leader()
    expect(leader.look(1000, 10_000, 0)).toEqual(['Follower b of g lags: it lacks 10000 entries.'])
    expect(leader.look(1000, 20_000, 5000)).toEqual([])
    expect(leader.look(1000, 20_000, 19_000)).toEqual(['Follower b of g has caught up.'])
    expect(leader.look(1000, 20_000, 20_000)).toEqual([])
  })

  it('does not repeat it for one that goes up and down: once in ten seconds', () => {
    const leader = new Leader()
    expect(leader.look(1000, 10_000, 0)).toHaveLength(1)
    expect(leader.look(1000, 10_000, 10_000)).toHaveLength(1)
    for (let second = 3; second <= 10; second++) {
      expect(leader.look(1000, 10_000 * second, second % 2 === 0 ? 0 : 10_000 * second)).toEqual([])
    }
    expect(leader.look(1000, 200_000, 0)).toHaveLength(1)
  })

  it('says that what was committed long ago is missing, however little it is', () => {
    const leader = new Leader()
    for (let second = 1; second <= 10; second++) expect(leader.look(1000, 5 + second, 5)).toEqual([])
    expect(leader.look(1000, 20, 5)).toEqual([
      'Follower b of g lags: it lacks what was committed 10.0 s ago.',
    ])
    expect(leader.look(1000, 20, 20)).toEqual(['Follower b of g has caught up.'])
  })

  it('finds nothing in one that has all but the newest, each time', () => {
    const leader = new Leader()
    for (let second = 1; second <= 60; second++) {
      expect(leader.look(1000, 1000 * second, 1000 * second - 900)).toEqual([])
    }
  })

  it('expects nothing of one that is read-only', () => {
    const leader = new Leader()
    leader.progress.readonlyIndex = 5
    for (let second = 1; second <= 30; second++) expect(leader.look(1000, 20_000, 4)).toEqual([])
  })
})
