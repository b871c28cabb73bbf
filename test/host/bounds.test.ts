// What a member takes before it says BUSY: every bound at its limit, one below and one above; and whatever the caller
// does, each completion comes once.

import { describe, expect, it } from 'vitest'
import type { TuningInput } from '../../src/options.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'
import { type NodeRig, rig } from '../actors/support/node-rig.ts'

const busy = (option: string) => ({
  ok: false,
  error: { code: 'BUSY', outcome: 'not-applied', retryable: true, message: expect.stringContaining(option) },
})

/** A leader whose disk does not answer: nothing gets its result. */
function stalled(tuning: TuningInput): NodeRig {
  const node = rig({ peers: ['a'], tuning }).boot()
  node.storage.hold('append')
  return node
}

const bytes = (length: number) => new Uint8Array(length).fill(0xf6)

describe('maxPendingProposals', () => {
  it.each([
    [2, 'taken'],
    [3, 'taken'],
    [4, 'refused'],
  ])('with a bound of 3, proposal %i is %s', (count, verdict) => {
    const node = stalled({ maxPendingProposals: 3 })
    const asked = Array.from({ length: count }, () => node.proposeBytes(bytes(1)))
    node.settle()
    const last = asked.at(-1)?.outcome ?? null
    if (verdict === 'taken') expect(last).toBeNull()
    else expect(last).toMatchObject(busy('maxPendingProposals'))
    expect(node.handle.status().pendingProposals).toBe(Math.min(3, count))
  })
})

describe('maxPendingBytes', () => {
  it.each([
    [39, 'taken'],
    [40, 'taken'],
    [41, 'refused'],
  ])('with a bound of 100 and 60 waiting, %i more are %s', (length, verdict) => {
    const node = stalled({ maxPendingBytes: 100 })
    node.proposeBytes(bytes(60))
    const asked = node.proposeBytes(bytes(length))
    node.settle()
    if (verdict === 'taken') expect(asked.outcome).toBeNull()
    else expect(asked.outcome).toMatchObject(busy('maxPendingBytes'))
    expect(node.handle.status().pendingBytes).toBe(verdict === 'taken' ? 60 + length : 60)
  })

  it('always takes one command, however large', () => {
    const node = stalled({ maxPendingBytes: 10 })
    const asked = node.proposeBytes(bytes(1000))
    node.settle()
    expect(asked.outcome).toBeNull()
  })

  it('is given back when the result comes', () => {
    const node = rig({ peers: ['a'], tuning: { maxPendingBytes: 100 } }).boot()
    for (let i = 0; i < 10; i++) {
      const asked = node.propose({ put: 'x'.repeat(60) })
      node.settle()
      expect(asked.outcome).toMatchObject({ ok: true })
    }
    expect(node.handle.status()).toMatchObject({ pendingBytes: 0, pendingProposals: 0, undurableBytes: 0 })
  })
})

describe('maxUndurableBytes', () => {
  it.each([
    [49, 'taken'],
    [50, 'taken'],
    [51, 'refused'],
  ])('with a bound of 50 and %i on the way to disk, the next one is %s', (length, verdict) => {
    const node = stalled({ maxUndurableBytes: 50 })
    node.proposeBytes(bytes(length))
    node.settle()
    expect(node.handle.status().undurableBytes).toBe(length)
    const asked = node.proposeBytes(bytes(1))
    node.settle()
    if (verdict === 'taken') expect(asked.outcome).toBeNull()
    else expect(asked.outcome).toMatchObject(busy('maxUndurableBytes'))
  })

  it('takes again when the disk has caught up', () => {
    const node = stalled({ maxUndurableBytes: 50 })
    node.propose({ put: 'x'.repeat(100) })
    node.settle()
    node.storage.release()
    node.settle()
    const asked = node.propose({ put: 1 })
    node.settle()
    expect(asked.outcome).toMatchObject({ ok: true })
  })
})

describe('maxEntryBytes', () => {
  it.each([
    [9, null],
    [10, null],
    [11, { ok: false, error: { code: 'TOO_LARGE', outcome: 'not-applied' } }],
  ])('with a bound of 10, %i bytes: %o', (length, outcome) => {
    const node = stalled({ maxEntryBytes: 10 })
    const asked = node.proposeBytes(bytes(length))
    node.settle()
    if (outcome === null) expect(asked.outcome).toBeNull()
    else expect(asked.outcome).toMatchObject(outcome)
  })
})

describe('maxPendingReads', () => {
  it.each([
    [2, 'taken'],
    [3, 'taken'],
    [4, 'refused'],
  ])('with a bound of 3, read %i is %s', (count, verdict) => {
    const node = rig({ tuning: { maxPendingReads: 3 } })
      .boot()
      .establish()
    const asked = Array.from({ length: count }, () => node.query('q'))
    node.settle()
    const last = asked.at(-1)?.outcome ?? null
    if (verdict === 'taken') expect(last).toBeNull()
    else expect(last).toMatchObject(busy('maxPendingReads'))
    expect(node.handle.pendingQueries).toBe(Math.min(3, count))
  })

  it('bounds what followers ask of a leader as well', () => {
    const node = rig({ tuning: { maxPendingReads: 2 } })
      .boot()
      .establish()
    const answers = [node.readIndex('b', 2), node.readIndex('c', 2), node.readIndex('b', 2)]
    node.settle()
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([null, null, 'EBUSY'])
  })
})

describe('completions', () => {
  it('come after the call, also when they say no', () => {
    const node = rig().boot()
    const order: string[] = []
    node.handle.propose(bytes(1), undefined, () => order.push('told'))
    node.handle.query('q', 'readIndex', () => order.push('told'))
    order.push('returned')
    node.shutdown()
    node.handle.propose(bytes(1), undefined, () => order.push('told'))
    node.handle.query('q', 'local', () => order.push('told'))
    order.push('returned')
    node.settle().advance(30_000)
    expect(order).toEqual(['returned', 'returned', 'told', 'told', 'told', 'told'])
  })

  it('that throw cost nobody else anything', () => {
    const node = rig({ peers: ['a'] }).boot()
    const throws = (): never => {
      throw new Error('not my day')
    }
    node.handle.propose(encodeValue({ put: 0 }), undefined, throws)
    node.handle.query('q', 'local', throws)
    node.handle.query('q', 'readIndex', throws)
    node.handle.on('role', throws)
    const later = node.propose({ put: 1 })
    const read = node.query('q')
    node.settle()
    expect([later.outcome, read.outcome]).toMatchObject([{ ok: true }, { ok: true }])
    node.handle.propose(encodeValue({ put: 0 }), undefined, throws)
    const waits = node.propose({ put: 2 })
    node.shutdown().settle().advance(30_000)
    expect(node.ended).toBe(true)
    expect(waits.outcome).not.toBeNull()
  })

  it('come to everybody when a member ends whose disk has failed, whatever was asked in the same turn', () => {
    for (const kind of ['append', 'hardState', 'close'] as const) {
      for (const seat of ['leader', 'follower', 'alone'] as const) {
        const node = rig(seat === 'alone' ? { peers: ['a'] } : {}).boot()
        if (seat === 'leader') node.establish()
        if (seat === 'follower') node.follow('b', 2)
        node.storage.fail(kind)
        const asked = [node.propose({ put: 1 }), node.query('q'), node.query('q', 'local')]
        node.shutdown()
        node.settle().advance(60_000)
        expect([kind, seat, node.ended, ...asked.map(({ outcome }) => outcome === null)]).toEqual([
          kind,
          seat,
          true,
          false,
          false,
          false,
        ])
      }
    }
  })

  it('come when the disk never answers again: the node ends without it', () => {
    const node = rig({ peers: ['a'] }).boot()
    node.storage.hold('append', 'close')
    const asked = node.propose({ put: 1 })
    node.settle().shutdown().settle()
    expect(node.ended).toBe(false)
    node.advance(30_000)
    expect(node.ended).toBe(true)
    expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'LEADERSHIP_LOST', outcome: 'unknown' } })
  })

  it('of tasks on the whole state come at every ending', () => {
    for (const ending of ['shutdown', 'destroy'] as const) {
      const node = rig({ peers: ['a'] }).boot()
      const told: unknown[] = []
      node.handle.core.toApplyQueue({
        type: 'snapshotSave',
        task: { run: () => new Promise(() => {}), done: (error) => told.push(error) },
      })
      node.settle()
      if (ending === 'shutdown') node.shutdown().settle().advance(60_000)
      else {
        node.handle.destroy()
        node.handle.abandon()
      }
      expect(told).toMatchObject([{ code: 'SHUTDOWN' }])
    }
  })
})
