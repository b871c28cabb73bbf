// One follower as its leader sees it: traps T27, T28, T30, T35, T36.

import { describe, expect, it } from 'vitest'
import type { TuningInput } from '../../../src/options.ts'
import { encodeValue } from '../../../src/transport/wire/codec.ts'
import { configurationEntry, dataEntries } from '../../log/support/entries.ts'
import { type NodeRig, rig } from '../support/node-rig.ts'

/** A leader of term 3 over a log of `length` entries of term 2, with one follower. */
function leaderOf(length: number, tuning: TuningInput = {}): NodeRig {
  const commands = dataEntries(2, length - 1, 2).map((entry) => ({ ...entry, data: encodeValue({ put: 1 }) }))
  const entries = [configurationEntry(1, 2, ['a', 'b']), ...commands]
  const node = rig({ peers: ['a', 'b'], tuning, disk: { hardState: { term: 2, votedFor: null }, entries } })
  return node.boot().lead()
}
const view = (node: NodeRig) => node.handle.status().replicators[0]
const frames = (node: NodeRig) =>
  node.rpc.calls('append_entries').map(({ request }) => [request.prevLogIndex, request.entries.length])
const success = { term: 3, success: true, lastLogIndex: 0 }
const mismatch = (lastLogIndex: number) => ({ term: 3, success: false, lastLogIndex })

describe('probing', () => {
  it('begins with an empty frame at the end of the log, under a time-out (trap T35)', () => {
    const node = leaderOf(10)
    expect(view(node)).toMatchObject({ state: 'probing', nextIndex: 11, matchIndex: 0, lastContactMs: null })
    const [probe] = node.rpc.calls('append_entries')
    expect(probe).toMatchObject({
      timeoutMs: 2000,
      request: { prevLogIndex: 10, prevLogTerm: 2, entries: [], term: 3 },
    })
  })

  it('goes on to replicating when the logs agree', () => {
    const node = leaderOf(10)
    node.rpc.last('append_entries', 'b').answer(success)
    node.settle()
    expect(view(node)).toMatchObject({ state: 'replicating', matchIndex: 10, nextIndex: 12 })
    expect(frames(node)).toEqual([
      [10, 0],
      [10, 1],
    ])
  })

  it('looks where the follower’s log ends when it is shorter', () => {
    const node = leaderOf(10)
    node.rpc.last('append_entries', 'b').answer(mismatch(4))
    node.settle()
    expect(frames(node).at(-1)).toEqual([4, 0])
    node.rpc.last('append_entries', 'b').answer(success)
    node.settle()
    // What comes from disk ends where memory begins.
    expect(frames(node).slice(2)).toEqual([
      [4, 6],
      [10, 1],
    ])
  })

  it('goes back one by one through entries that differ, and never below the first', () => {
    const node = leaderOf(4)
    for (let i = 0; i < 4; i++) {
      node.rpc.last('append_entries', 'b').answer(mismatch(9))
      node.settle()
    }
    expect(frames(node).map(([prev]) => prev)).toEqual([4, 3, 2, 1, 0])
    expect(view(node)?.state).toBe('probing')
  })

  it('sends nothing else meanwhile, however the log grows', () => {
    const node = leaderOf(3)
    node.propose({ put: 1 })
    node.settle()
    expect(frames(node)).toEqual([[3, 0]])
  })
})

describe('replicating', () => {
  it('keeps a window of frames in flight, and sends on with each answer (pipelining)', () => {
    const node = leaderOf(10, { maxEntriesPerFrame: 2, maxFramesInFlight: 3 })
    node.rpc.last('append_entries', 'b').answer(mismatch(0))
    node.settle()
    node.rpc.last('append_entries', 'b').answer(success)
    node.settle()
    expect(frames(node).slice(2)).toEqual([
      [0, 2],
      [2, 2],
      [4, 2],
    ])
    expect(view(node)).toMatchObject({ inFlightFrames: 3, inFlightEntries: 6 })
    node.rpc.calls('append_entries')[2]?.answer(success)
    node.settle()
    expect(frames(node).at(-1)).toEqual([6, 2])
    expect(view(node)).toMatchObject({ matchIndex: 2, inFlightFrames: 3 })
  })

  it('bounds what is in flight by bytes as well, but never below one frame', () => {
    const node = leaderOf(10, { maxEntriesPerFrame: 1, maxBytesInFlight: 1 })
    node.rpc.last('append_entries', 'b').answer(mismatch(0))
    node.settle()
    node.rpc.last('append_entries', 'b').answer(success)
    node.settle()
    expect(view(node)?.inFlightFrames).toBe(1)
  })

  it('credits a late frame for all before it, and ignores their answers (trap T27)', () => {
    const node = leaderOf(10, { maxEntriesPerFrame: 3 })
    node.rpc.last('append_entries', 'b').answer(mismatch(0))
    node.settle()
    node.rpc.last('append_entries', 'b').answer(success)
    node.settle()
    const [, , first, second] = node.rpc.calls('append_entries')
    second?.answer(success)
    node.settle()
    expect(view(node)?.matchIndex).toBe(6)
    first?.answer(mismatch(0))
    node.settle()
    expect(view(node)).toMatchObject({ state: 'replicating', matchIndex: 6 })
  })

  it('goes back to probing when a frame is refused, and forgets what is in flight (trap T28)', () => {
    const node = leaderOf(10, { maxEntriesPerFrame: 3 })
    node.rpc.last('append_entries', 'b').answer(mismatch(0))
    node.settle()
    node.rpc.last('append_entries', 'b').answer(success)
    node.settle()
    const [, , first, second, third] = node.rpc.calls('append_entries')
    second?.answer(mismatch(0))
    node.settle()
    expect(view(node)).toMatchObject({ state: 'probing', inFlightFrames: 1, inFlightEntries: 0 })
    expect(frames(node).at(-1)).toEqual([0, 0])
    third?.answer(success)
    first?.answer(success)
    node.settle()
    expect(view(node)).toMatchObject({ state: 'probing', matchIndex: 0 })
  })

  it('rests when all is acknowledged, and goes on when the log grows', () => {
    const node = leaderOf(2).acknowledge()
    expect(view(node)).toMatchObject({ state: 'waiting', matchIndex: 3, inFlightFrames: 0 })
    node.propose({ put: 1 })
    node.settle()
    expect(view(node)).toMatchObject({ state: 'replicating', inFlightEntries: 1 })
  })

  it('reads entries that have left memory from disk', () => {
    const node = leaderOf(50, { maxCachedLogBytes: 0 })
    node.rpc.last('append_entries', 'b').answer(mismatch(0))
    node.settle()
    node.acknowledge()
    expect(view(node)).toMatchObject({ state: 'waiting', matchIndex: 51 })
  })

  it('keeps a frame within what the bus takes', () => {
    const node = leaderOf(10)
    node.rpc.maxFrameBytes = 100
    node.rpc.last('append_entries', 'b').answer(mismatch(0))
    node.settle()
    node.rpc.last('append_entries', 'b').answer(success)
    node.settle()
    const sent = node.rpc.calls('append_entries').map(({ request }) => request.entries)
    const bytes = sent.map((entries) => entries.reduce((sum, { data }) => sum + data.length, 0))
    expect(Math.max(...bytes)).toBeLessThanOrEqual(100)
    expect(sent.flat()).toHaveLength(11)
  })

  it('stops the node when the log cannot be read (INV-22)', () => {
    const node = leaderOf(10)
    node.disk.entries.splice(0)
    node.rpc.last('append_entries', 'b').answer(mismatch(0))
    node.settle()
    node.rpc.last('append_entries', 'b').answer(success)
    node.settle()
    expect(node.state).toBe('error')
    expect(node.handle.status().error).toMatch(/should hold index 1 .* not on disk/)
  })
})

describe('a call that fails', () => {
  it('blocks for one heartbeat interval, then the logs are compared anew (trap T30)', () => {
    const node = leaderOf(10).acknowledge()
    node.propose({ put: 1 })
    node.propose({ put: 2 })
    node.settle()
    node.rpc.last('append_entries', 'b').fail('NO_RESPONDERS')
    node.settle()
    expect(view(node)).toMatchObject({
      state: 'blocked',
      consecutiveErrors: 1,
      inFlightFrames: 0,
      nextIndex: 12,
    })
    node.rpc.forget()
    node.propose({ put: 3 })
    node.settle()
    expect(node.rpc.calls('append_entries')).toEqual([])
    node.advance(99)
    expect(node.rpc.calls('append_entries')).toEqual([])
    node.advance(1)
    expect(frames(node)).toEqual([[11, 0]])
    expect(view(node)?.state).toBe('probing')
  })

  it('of a busy follower blocks for longer (trap T36)', () => {
    const node = leaderOf(10)
    node.rpc.last('append_entries', 'b').fail('REFUSED', 'EBUSY')
    node.settle().rpc.forget()
    node.advance(999)
    expect(node.rpc.calls('append_entries')).toEqual([])
    node.advance(1)
    expect(node.rpc.calls('append_entries')).toHaveLength(1)
  })

  it('counts until an answer comes', () => {
    const node = leaderOf(10)
    for (let i = 1; i <= 3; i++) {
      node.rpc.last('append_entries', 'b').fail('TIMEOUT')
      node.settle()
      expect(view(node)?.consecutiveErrors).toBe(i)
      node.advance(100)
    }
    node.rpc.last('append_entries', 'b').answer(success)
    node.settle()
    expect(view(node)?.consecutiveErrors).toBe(0)
  })
})

describe('an answer with a higher term', () => {
  it.each(['probing', 'replicating'] as const)('deposes the leader while %s', (state) => {
    const node = leaderOf(10)
    if (state === 'replicating') {
      node.rpc.last('append_entries', 'b').answer(success)
      node.settle()
    }
    node.rpc.last('append_entries', 'b').answer({ term: 8, success: false, lastLogIndex: 0 })
    node.settle()
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 8 })
  })
})
