// Leading: the first entry, proposals, commitment, check-quorum, leaving office.
// Traps T18, T27, T38, T39, T40, T47, T48; INV-8, INV-17, INV-18.

import { describe, expect, it } from 'vitest'
import { decodeConfiguration } from '../../../src/log/configuration-codec.ts'
import { EntryType } from '../../../src/rules/types.ts'
import { configurationEntry, dataEntry } from '../../log/support/entries.ts'
import { rig } from '../support/node-rig.ts'

const ABC = ['a', 'b', 'c']

describe('taking office', () => {
  it('appends the configuration in force as the first entry of the term', () => {
    const node = rig().boot().lead()
    expect(node.state).toBe('leader.establishing')
    const [first] = node.disk.entries
    expect(first).toMatchObject({ index: 1, term: 2, type: EntryType.CONFIGURATION })
    if (first !== undefined) expect(decodeConfiguration(first)).toMatchObject({ peers: ABC, oldPeers: [] })
  })

  it('keeps a joint configuration joint (INV-13 f)', () => {
    const node = rig({
      disk: { hardState: { term: 2, votedFor: null }, entries: [configurationEntry(1, 2, ABC, ['a', 'b'])] },
    })
    node.boot().lead()
    expect(node.handle.status()).toMatchObject({ role: 'leader', peers: ABC, oldPeers: ['a', 'b'] })
    const first = node.disk.entries[1]
    if (first === undefined) throw new Error('nothing was appended')
    expect(decodeConfiguration(first)).toMatchObject({ peers: ABC, oldPeers: ['a', 'b'] })
  })

  it('probes everybody at the end of the log before that entry', () => {
    const node = rig().boot().lead()
    expect(node.rpc.calls('append_entries').map(({ to, request }) => ({ to, ...request }))).toEqual(
      ['b', 'c'].map((to) => ({
        to,
        term: 2,
        prevLogIndex: 0,
        prevLogTerm: 0,
        committedIndex: 0,
        entries: [],
      })),
    )
  })

  it('begins for the user once all earlier entries and the first of the term are applied', () => {
    const put = { ...dataEntry(2, 2), data: new Uint8Array([0xa1, 0x63, 0x70, 0x75, 0x74, 1]) }
    const node = rig({
      disk: { hardState: { term: 2, votedFor: null }, entries: [configurationEntry(1, 2, ABC), put] },
    })
    node.boot().lead()
    expect(node.machine.calls).toEqual([])
    node.acknowledge('b')
    expect(node.state).toBe('leader.serving')
    expect(node.machine.calls).toEqual([
      'configuration a,b,c @1',
      'apply 2',
      'configuration a,b,c @3',
      'leaderStart 3',
    ])
  })
})

describe('commitment', () => {
  it('needs a majority that has the entry durably (INV-8)', () => {
    const node = rig({ peers: ['a', 'b', 'c', 'd', 'e'] })
      .boot()
      .lead()
      .acknowledge('b')
    expect(node.handle.status().commitIndex).toBe(0)
    node.acknowledge('c')
    expect(node.handle.status().commitIndex).toBe(1)
  })

  it('counts the leader only once its own disk has confirmed', () => {
    const node = rig().boot().establish()
    node.storage.hold('append')
    const asked = node.propose({ put: 1 })
    node.settle().acknowledge('b')
    expect([node.handle.status().commitIndex, asked.outcome]).toEqual([1, null])
    node.storage.release()
    node.settle()
    expect(asked.outcome).toMatchObject({ ok: true, index: 2, term: 2 })
  })

  it('does not need the disk of the leader when all others have the entry (trap T39)', () => {
    const node = rig().boot().establish()
    node.storage.hold('append')
    const asked = node.propose({ put: 1 })
    node.settle().acknowledge('b', 'c')
    expect(asked.outcome).toMatchObject({ ok: true, index: 2 })
    expect(node.handle.status()).toMatchObject({ commitIndex: 2, durableIndex: 1 })
  })

  it('of entries of earlier terms comes only with the first one of this term (figure 8)', () => {
    const node = rig({
      disk: { hardState: { term: 2, votedFor: null }, entries: [configurationEntry(1, 2, ABC)] },
    })
    node.boot().storage.hold('append')
    node.lead()
    // Both have the old entry; that alone commits nothing.
    for (const peer of ['b', 'c'])
      node.rpc.last('append_entries', peer).answer({ term: 3, success: true, lastLogIndex: 1 })
    node.settle()
    expect(node.handle.status().commitIndex).toBe(0)
    node.acknowledge('b', 'c')
    expect(node.handle.status().commitIndex).toBe(2)
  })

  it('is told to the followers with the next heartbeat', () => {
    const node = rig().boot().establish().advance(100)
    expect(node.rpc.last('heartbeat', 'b').request).toMatchObject({
      prevLogIndex: 1,
      prevLogTerm: 2,
      committedIndex: 1,
    })
  })
})

describe('proposals', () => {
  it('of one turn become one frame, in order, and one write', () => {
    const node = rig().boot().establish()
    node.storage.hold('append')
    for (const put of [1, 2, 3]) node.propose({ put })
    node.settle()
    expect(node.storage.waiting).toEqual(['append'])
    expect(node.rpc.last('append_entries', 'b').request.entries.map(({ index }) => index)).toEqual([2, 3, 4])
  })

  it('are settled with what the state machine returned, in the order of the log', () => {
    const node = rig().boot().establish()
    const asked = [1, 2, 3].map((put) => node.propose({ put }))
    node.settle().acknowledge()
    expect(asked.map(({ outcome }) => outcome)).toEqual(
      [1, 2, 3].map((n) => ({ ok: true, index: n + 1, term: 2, result: `did ${n}` })),
    )
    expect(node.handle.status().pendingProposals).toBe(0)
  })

  it('are taken before leadership is established, behind the first entry (trap T47)', () => {
    const node = rig().boot().lead()
    const asked = node.propose({ put: 1 })
    node.settle().acknowledge()
    expect(asked.outcome).toMatchObject({ ok: true, index: 2 })
    expect(node.machine.calls).toEqual(['configuration a,b,c @1', 'leaderStart 2', 'apply 2'])
  })

  it('that expect another term are refused alone (trap T40)', () => {
    const node = rig().boot().establish()
    const asked = [
      node.propose({ put: 1 }, 2),
      node.propose({ put: 2 }, 1),
      node.propose({ put: 3 }, 3),
      node.propose({ put: 4 }),
    ]
    node.settle().acknowledge()
    expect(asked.map(({ outcome }) => outcome)).toMatchObject([
      { ok: true, index: 2 },
      { ok: false, error: { code: 'TERM_MISMATCH', outcome: 'not-applied' } },
      { ok: false, error: { code: 'TERM_MISMATCH', outcome: 'not-applied' } },
      { ok: true, index: 3 },
    ])
    expect(node.handle.status().role).toBe('leader')
  })

  it('that are all refused append nothing (trap T40)', () => {
    const node = rig().boot().establish()
    node.propose({ put: 1 }, 9)
    node.settle()
    expect(node.handle.status()).toMatchObject({ role: 'leader', lastIndex: 1 })
  })

  it('that are too large are refused with the sizes', () => {
    const node = rig({ tuning: { maxEntryBytes: 20 } })
      .boot()
      .establish()
    const asked = node.proposeBytes(new Uint8Array(21))
    node.settle()
    expect(asked.outcome).toMatchObject({
      ok: false,
      error: { code: 'TOO_LARGE', message: 'The command has 21 bytes, at most 20 fit (maxEntryBytes).' },
    })
  })

  it('beyond the limit are refused as BUSY until others are settled', () => {
    const node = rig({ tuning: { maxPendingProposals: 2 } })
      .boot()
      .establish()
    const asked = [1, 2, 3].map((put) => node.propose({ put }))
    node.settle()
    expect(asked[2]?.outcome).toMatchObject({ ok: false, error: { code: 'BUSY', retryable: true } })
    node.acknowledge()
    const later = node.propose({ put: 4 })
    node.settle().acknowledge()
    expect(later.outcome).toMatchObject({ ok: true })
  })

  it('are never settled inside the call that proposes them (INV-17)', () => {
    const node = rig().boot()
    expect(node.propose({ put: 1 }).outcome).toBeNull()
    node.shutdown()
    expect(node.propose({ put: 1 }).outcome).toBeNull()
  })
})

describe('check-quorum', () => {
  it('ends an office that no quorum answers within one election timeout', () => {
    const node = rig().boot().establish()
    const asked = node.propose({ put: 1 })
    node.advance(1999)
    expect(node.handle.status().role).toBe('leader')
    node.advance(1)
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 2, leader: null })
    expect(node.heard.slice(-2)).toEqual(['role leader→follower 2 QUORUM_LOST', 'leader nobody 2'])
    expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'LEADERSHIP_LOST', outcome: 'unknown' } })
  })

  it('leaves an office alone that a quorum answers, be it by heartbeats alone', () => {
    const node = rig().boot().establish()
    for (let i = 0; i < 100; i++) {
      node.advance(100)
      for (const call of node.rpc.calls('heartbeat')) {
        if (call.isOpen && call.to === 'b') call.answer({ term: 2, success: false, lastLogIndex: 0 })
      }
    }
    expect(node.settle().state).toBe('leader.serving')
  })

  it('never ends the office of a group of one', () => {
    const node = rig({ peers: ['a'] })
      .boot()
      .advance(60_000)
    expect(node.handle.status()).toMatchObject({ role: 'leader', term: 2 })
  })
})

describe('leaving office', () => {
  it.each([
    ['a heartbeat answered with a higher term', 'heartbeat', 'HIGHER_TERM_RESPONSE'],
    ['a frame answered with a higher term', 'append_entries', 'HIGHER_TERM_RESPONSE'],
  ] as const)('after %s', (_, method, reason) => {
    const node = rig().boot().establish()
    node.propose({ put: 1 })
    node.settle().advance(100)
    node.rpc.last(method, 'b').answer({ term: 7, success: false, lastLogIndex: 0 })
    node.settle()
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 7, votedFor: null, replicators: [] })
    expect(node.heard.at(-2)).toBe(`role leader→follower 7 ${reason}`)
    expect(node.disk.hardState).toEqual({ term: 7, votedFor: null })
  })

  it('tells every caller whose entry is not committed that its outcome is unknown, each once', () => {
    const node = rig().boot().establish()
    const asked = [1, 2, 3].map((put) => node.propose({ put }))
    node.settle()
    node.heartbeat('b', { term: 3 })
    node.settle()
    expect(asked.map(({ outcome }) => outcome)).toMatchObject(
      asked.map(() => ({
        ok: false,
        error: { code: 'LEADERSHIP_LOST', outcome: 'unknown', retryable: false, retryableIfIdempotent: true },
      })),
    )
    expect(node.handle.status().pendingProposals).toBe(0)
  })

  it('tells the user after everything that was committed before, and before it follows anybody', () => {
    const node = rig().boot().establish()
    node.propose({ put: 1 })
    node.settle().acknowledge()
    node.heartbeat('b', { term: 3 })
    node.settle()
    expect(node.machine.calls.slice(-3)).toEqual([
      'apply 2',
      'leaderStop NEW_LEADER',
      'startFollowing b 3 NEW_LEADER',
    ])
  })

  it('tells the user even if the office had not begun for it yet (trap T48)', () => {
    const node = rig().boot().lead()
    node.heartbeat('b', { term: 3 })
    node.settle()
    expect(node.machine.calls).toEqual(['leaderStop NEW_LEADER', 'startFollowing b 3 NEW_LEADER'])
  })

  it('ends replication and heartbeats of that office', () => {
    const node = rig().boot().establish()
    node.propose({ put: 1 })
    node.settle()
    const open = node.rpc.last('append_entries', 'b')
    node.heartbeat('b', { term: 3 })
    node.settle().rpc.forget()
    open.answer({ term: 2, success: true, lastLogIndex: 2 })
    node.advance(1500)
    expect(node.rpc.log).toEqual([])
    expect(node.handle.status().commitIndex).toBe(1)
  })

  it('lets acknowledgements of the old office count for nothing in a new one', () => {
    const node = rig({ peers: ['a', 'b', 'c', 'd', 'e'] })
      .boot()
      .establish()
    node.propose({ put: 1 })
    node.settle()
    const old = ['b', 'c'].map((peer) => node.rpc.last('append_entries', peer))
    node.heartbeat('b', { term: 3 })
    node.settle().advance(2000).lead()
    expect(node.handle.status()).toMatchObject({ role: 'leader', term: 4, commitIndex: 1 })
    for (const call of old) call.answer({ term: 4, success: true, lastLogIndex: 2 })
    expect(node.settle().handle.status().commitIndex).toBe(1)
  })

  it('owes nobody a vote: the ex-leader campaigns at its next timer (trap T18)', () => {
    const node = rig().boot().establish().advance(2000)
    expect(node.state).toBe('follower.waiting')
    node.advance(1000)
    expect(node.state).toBe('follower.preVoting')
  })

  it('and winning again settles new callers only', () => {
    const node = rig().boot().establish()
    const lost = node.propose({ put: 'lost' })
    node.settle().advance(2000)
    expect(lost.outcome).toMatchObject({ ok: false })
    node.establish()
    const won = node.propose({ put: 'won' })
    node.settle().acknowledge()
    expect(won.outcome).toMatchObject({ ok: true, term: 3, result: 'did "won"' })
    // The entry whose outcome was unknown has been applied after all.
    expect(node.machine.applied.map(({ command }) => command)).toEqual([{ put: 'lost' }, { put: 'won' }])
  })
})

it('status tells what a leader knows of its followers', () => {
  const node = rig().boot().establish()
  node.propose({ put: 1 })
  node.settle().advance(40)
  expect(node.handle.status()).toMatchObject({
    role: 'leader',
    state: 'active.leader.serving',
    leader: 'a',
    lastIndex: 2,
    pendingProposals: 1,
    replicators: [
      {
        peer: 'b',
        state: 'replicating',
        nextIndex: 3,
        matchIndex: 1,
        inFlightEntries: 1,
        inFlightFrames: 1,
        lastContactMs: 40,
      },
      { peer: 'c', state: 'replicating', matchIndex: 1, consecutiveErrors: 0 },
    ],
  })
})

describe('memory', () => {
  it('keeps what a follower has not acknowledged, and little more when all have', () => {
    const node = rig({ tuning: { maxCachedLogBytes: 256 * 640 } })
      .boot()
      .establish()
    const write = (count: number) => {
      for (let at = 0; at < count; at++) node.propose({ put: at })
      node.settle().acknowledge('b')
    }
    write(200)
    expect(node.status).toMatchObject({ commitIndex: 201, appliedIndex: 201 })
    write(200)
    expect(node.handle.core.log.firstCachedIndex).toBe(2)
    node.acknowledge()
    write(1)
    expect(node.handle.core.log.firstCachedIndex).toBe(402 - 80 + 1)
  })
})
