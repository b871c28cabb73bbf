// Leases and check-quorum: thesis sections 6.2 and 6.4.1, traps T1, T2, T21, T23, INV-15.

import { describe, expect, it } from 'vitest'
import {
  type FollowerLease,
  heardRecently,
  judgeQuorum,
  type LeaseTerms,
  leaderLeaseUntilMs,
  leaderLeaseValid,
  leaderPresumedAliveMs,
  NO_FOLLOWER_LEASE,
  owesVoteForMs,
  type QuorumContact,
  quorumContactMs,
  quorumIsAlive,
} from '../../src/rules/lease.ts'
import type { Configuration, PeerId } from '../../src/rules/types.ts'
import { listsOf, range } from './support/small-scopes.ts'

const TERMS: LeaseTerms = { electionTimeoutMs: 100, maxClockDriftMs: 50, leasesOn: true }
const OFF: LeaseTerms = { ...TERMS, leasesOn: false }
const heardAt = (lastContactMs: number | null): FollowerLease => ({ lastLeader: 'l', lastContactMs })

function contact(
  configuration: Configuration,
  times: Readonly<Record<PeerId, number>>,
  self = 'a',
): QuorumContact {
  return { configuration, self, contactMs: (peer) => times[peer] ?? Number.NEGATIVE_INFINITY }
}
const ABC: Configuration = { peers: ['a', 'b', 'c'], oldPeers: [] }

describe('a follower regards its leader as alive', () => {
  it.each([
    ['for timeout plus drift after it was heard', heardAt(1000), 1000, 150],
    ['for what is left of it', heardAt(1000), 1149, 1],
    ['no longer when exactly that has passed', heardAt(1000), 1150, 0],
    ['no longer long after', heardAt(1000), 9000, 0],
    ['not at all when it never heard anybody', NO_FOLLOWER_LEASE, 5, 0],
    ['not at all once the lease is void, though it knows whose it was', heardAt(null), 5, 0],
  ])('%s', (_, lease, nowMs, expected) => {
    expect(leaderPresumedAliveMs(lease, TERMS, nowMs)).toBe(expected)
  })

  it('whether leases are on or off (trap T1)', () => {
    expect(leaderPresumedAliveMs(heardAt(1000), OFF, 1000)).toBe(150)
  })
})

describe('a leader was heard recently (thesis section 4.2.3)', () => {
  it.each([
    ['within one election timeout', heardAt(1000), 1099, true],
    ['not when exactly that has passed', heardAt(1000), 1100, false],
    ['not when the lease is void', heardAt(null), 1000, false],
    ['not when nobody was ever heard', NO_FOLLOWER_LEASE, 0, false],
  ])('%s', (_, lease, nowMs, expected) => {
    expect(heardRecently(lease, 100, nowMs)).toBe(expected)
  })
})

describe('a vote is promised to a leader', () => {
  it('as long as the leader counts as alive, with leases on', () => {
    expect(owesVoteForMs(heardAt(1000), TERMS, 1040)).toBe(110)
  })

  it('never with leases off (braft votable_time)', () => {
    expect(owesVoteForMs(heardAt(1000), OFF, 1000)).toBe(0)
  })
})

describe('a quorum has been in touch', () => {
  it('since the newest request that completed it, the leader counting as now', () => {
    expect(quorumContactMs(contact(ABC, { b: 40, c: 70 }), 100)).toBe(70)
  })

  it('of five, since the second newest answer', () => {
    const five = { peers: ['a', 'b', 'c', 'd', 'e'], oldPeers: [] }
    expect(quorumContactMs(contact(five, { b: 10, c: 20, d: 30, e: 40 }), 100)).toBe(30)
  })

  it('while joint, since the older of both halves', () => {
    const joint = { peers: ['a', 'b', 'c'], oldPeers: ['a', 'd', 'e'] }
    expect(quorumContactMs(contact(joint, { b: 90, c: 80, d: 30, e: 20 }), 100)).toBe(30)
  })

  it('not counting a leader that is no member (trap T21)', () => {
    expect(quorumContactMs(contact(ABC, { b: 40 }, 'x'), 100)).toBe(Number.NEGATIVE_INFINITY)
    expect(quorumContactMs(contact({ peers: ['b', 'c'], oldPeers: [] }, { b: 40, c: 70 }, 'x'), 100)).toBe(40)
  })

  it('always, in a group of one', () => {
    expect(quorumContactMs(contact({ peers: ['a'], oldPeers: [] }, {}), 100)).toBe(100)
  })
})

describe('check-quorum (thesis section 6.2)', () => {
  it('holds while a quorum answered something sent within one election timeout', () => {
    expect(quorumIsAlive(contact(ABC, { b: 0 }), 100, 100)).toBe(true)
    expect(quorumIsAlive(contact(ABC, { b: 0 }), 100, 101)).toBe(false)
  })

  it('needs both halves while joint', () => {
    const joint = { peers: ['a', 'b', 'c'], oldPeers: ['a', 'd', 'e'] }
    expect(quorumIsAlive(contact(joint, { b: 100, c: 100 }), 100, 100)).toBe(false)
    expect(quorumIsAlive(contact(joint, { b: 100, d: 100 }), 100, 100)).toBe(true)
  })

  it('says the same as the time since when a quorum was in touch', () => {
    const configurations: Configuration[] = [ABC, { peers: ['a', 'b'], oldPeers: ['b', 'c', 'd'] }]
    for (const configuration of configurations) {
      for (const [b = 0, c = 0, d = 0] of listsOf([0, 60, 120], 3)) {
        for (const nowMs of [120, 160, 165]) {
          const times = contact(configuration, { b, c, d })
          expect(quorumIsAlive(times, 100, nowMs)).toBe(nowMs - quorumContactMs(times, nowMs) <= 100)
        }
      }
    }
  })
})

describe('check-quorum of a leader that was held up', () => {
  const patience = { electionTimeoutMs: 100, roundMs: 10 }

  it.each([
    [1100, 0, 'alive'],
    [1100, 1095, 'alive'],
    [1101, Number.NEGATIVE_INFINITY, 'lost'],
    [1101, 1101, 'late'],
    [1101, 1092, 'late'],
    [1101, 1091, 'lost'],
    [1101, 1090, 'lost'],
  ] as const)('at %i, held up until %d: %s', (nowMs, heldUpUntilMs, verdict) => {
    expect(judgeQuorum(contact(ABC, { b: 1000 }), patience, nowMs, heldUpUntilMs)).toBe(verdict)
  })
})

describe('the leader lease', () => {
  it('is valid for one election timeout after sending what a quorum answered', () => {
    expect(leaderLeaseValid(contact(ABC, { b: 1000 }), TERMS, 1099)).toBe(true)
    expect(leaderLeaseValid(contact(ABC, { b: 1000 }), TERMS, 1100)).toBe(false)
  })

  it('is never valid with leases off', () => {
    expect(leaderLeaseValid(contact({ peers: ['a'], oldPeers: [] }, {}), OFF, 5)).toBe(false)
  })

  it('until a timeout after the newest request that a quorum has answered, and not by contact that was given up', () => {
    expect(leaderLeaseUntilMs(contact(ABC, { b: 1000, c: 1040 }), TERMS, 1050)).toBe(1140)
    expect(leaderLeaseUntilMs(contact(ABC, { b: 1000 }), TERMS, 1050, 1000)).toBe(1100)
    expect(leaderLeaseUntilMs(contact(ABC, { b: 1000 }), TERMS, 1050, 1001)).toBe(Number.NEGATIVE_INFINITY)
  })

  it('is sound: while it is valid, those who answered still owe their votes, whatever the delay (INV-15)', () => {
    for (const sentMs of range(0, 3).map((n) => n * 40)) {
      for (const delayMs of [0, 1, 30, 99]) {
        const receivedMs = sentMs + delayMs
        for (const nowMs of range(0, 40).map((n) => receivedMs + n * 5)) {
          if (!leaderLeaseValid(contact(ABC, { b: sentMs }), TERMS, nowMs)) continue
          expect(owesVoteForMs(heardAt(receivedMs), TERMS, nowMs)).toBeGreaterThan(0)
        }
      }
    }
  })

  it('stays sound while clocks run apart by no more than the drift bound', () => {
    // The follower's clock runs fast: it counts `fast` milliseconds for each of the leader's.
    for (const fast of [1, 1.2, 1.49]) {
      for (const nowMs of range(0, 99)) {
        expect(leaderLeaseValid(contact(ABC, { b: 0 }), TERMS, nowMs)).toBe(true)
        expect(owesVoteForMs(heardAt(0), TERMS, nowMs * fast)).toBeGreaterThan(0)
      }
    }
  })
})
