// What a leader knows of one follower: traps T23, T27, T28.

import { describe, expect, it } from 'vitest'
import { PeerProgress } from '../../../src/actors/replication/peer-progress.ts'

function progressWith(counts: readonly number[], nextIndex = 11) {
  const progress = new PeerProgress('b', nextIndex, 500)
  const frames = counts.map((count, i) =>
    progress.sent({
      prevLogIndex: progress.nextIndex - 1,
      count,
      bytes: count * 10,
      sentMs: 1000 + i,
      committedIndex: 0,
    }),
  )
  return { progress, frames }
}

describe('frames in flight', () => {
  it('move the next index on as they are sent (pipelining)', () => {
    const { progress } = progressWith([0, 3, 2])
    expect(progress.nextIndex).toBe(16)
    expect([progress.inFlightEntries, progress.inFlightBytes]).toEqual([5, 50])
  })

  it('are credited with everything sent before them (trap T27)', () => {
    const { progress, frames } = progressWith([3, 2, 4])
    const second = frames[1]
    if (second === undefined) throw new Error('no second frame')
    expect(progress.credit(second)).toBe(true)
    expect([progress.matchIndex, progress.inFlight.length]).toEqual([15, 1])
  })

  it('that were overtaken mean nothing when their answer comes (trap T28)', () => {
    const { progress, frames } = progressWith([3, 2])
    const [first, second] = frames
    if (first === undefined || second === undefined) throw new Error('no frames')
    progress.credit(second)
    expect(progress.find(first.call)).toBeUndefined()
  })

  it('do not move the match index back', () => {
    const { progress, frames } = progressWith([3])
    const [first] = frames
    if (first === undefined) throw new Error('no frame')
    progress.credit(first)
    progress.nextIndex = 9
    const again = progress.sent({ prevLogIndex: 8, count: 1, bytes: 1, sentMs: 2000, committedIndex: 0 })
    expect(progress.credit(again)).toBe(false)
    expect(progress.matchIndex).toBe(13)
  })

  it('are forgotten by a reset, which goes back to where the oldest began (trap T28)', () => {
    const { progress, frames } = progressWith([3, 2])
    progress.reset()
    expect([progress.nextIndex, progress.inFlight.length]).toEqual([11, 0])
    for (const { call } of frames) expect(progress.find(call)).toBeUndefined()
  })

  it('keep numbers of their own after a reset', () => {
    const { progress, frames } = progressWith([3])
    progress.reset()
    const { call } = progress.sent({ prevLogIndex: 10, count: 3, bytes: 1, sentMs: 0, committedIndex: 0 })
    expect(frames.map((frame) => frame.call)).not.toContain(call)
  })

  it('are not missed by a reset when there are none', () => {
    const progress = new PeerProgress('b', 7, 0)
    progress.reset()
    expect(progress.nextIndex).toBe(7)
  })
})

describe('contact', () => {
  it('begins when the leader takes office, though nobody has answered yet', () => {
    const progress = new PeerProgress('b', 1, 500)
    expect([progress.lastContactMs, progress.contacted]).toEqual([500, false])
  })

  it('is the time at which the answered request was sent, and never goes back (trap T23)', () => {
    const progress = new PeerProgress('b', 1, 500)
    progress.contact(900)
    progress.contact(800)
    expect([progress.lastContactMs, progress.contacted]).toEqual([900, true])
  })

  it('ends a row of errors', () => {
    const progress = new PeerProgress('b', 1, 500)
    progress.consecutiveErrors = 4
    progress.contact(900)
    expect(progress.consecutiveErrors).toBe(0)
  })
})
