// Linearizable reads: thesis section 6.4, INV-16.

import { describe, expect, it } from 'vitest'
import { configurationEntry } from '../../log/support/entries.ts'
import { type NodeRig, rig } from '../support/node-rig.ts'

/** Answers the newest heartbeat to each of these members. */
function confirm(node: NodeRig, peers: readonly string[], term = 2): void {
  for (const peer of peers) {
    const call = node.rpc.last('heartbeat', peer)
    if (call.isOpen) call.answer({ term, success: true, lastLogIndex: 0 })
  }
  node.settle()
}

describe('a read by readIndex on the leader', () => {
  it('is answered after one round of heartbeats that a quorum has answered', () => {
    const node = rig({ peers: ['a', 'b', 'c', 'd', 'e'] })
      .boot()
      .establish()
    node.rpc.forget()
    const read = node.query('q')
    node.settle()
    expect(node.rpc.log).toEqual(['heartbeat>b', 'heartbeat>c', 'heartbeat>d', 'heartbeat>e'])
    confirm(node, ['b'])
    expect(read.outcome).toBeNull()
    confirm(node, ['c'])
    expect(read.outcome).toEqual({ ok: true, answer: { query: 'q', applied: 0 } })
  })

  it('shares its round with all reads that came in the same turn', () => {
    const node = rig().boot().establish()
    node.rpc.forget()
    const reads = [1, 2, 3].map((n) => node.query(n))
    node.settle()
    expect(node.rpc.log).toEqual(['heartbeat>b', 'heartbeat>c'])
    confirm(node, ['b'])
    expect(reads.map(({ outcome }) => outcome?.ok)).toEqual([true, true, true])
  })

  it('that comes while a round is running waits for the next one, which begins when the first ends', () => {
    const node = rig().boot().establish()
    const first = node.query(1)
    node.settle()
    const second = node.query(2)
    node.settle()
    const lateAnswer = node.rpc.last('heartbeat', 'c')
    confirm(node, ['b'])
    expect([first.outcome?.ok, second.outcome]).toEqual([true, null])
    // The answer of c belongs to the first round: its request may have left before the second read came.
    lateAnswer.answer({ term: 2, success: true, lastLogIndex: 0 })
    node.settle()
    expect(second.outcome).toBeNull()
    confirm(node, ['b'])
    expect(second.outcome).toMatchObject({ ok: true })
  })

  it('is not confirmed by the regular heartbeats, which may have left before it came', () => {
    const node = rig().boot().establish().advance(100)
    const regular = node.rpc.last('heartbeat', 'b')
    const read = node.query('q')
    node.settle()
    regular.answer({ term: 2, success: true, lastLogIndex: 0 })
    expect(node.settle().state).toBe('leader.serving')
    expect(read.outcome).toBeNull()
  })

  it('waits for the first entry of the term to be applied (thesis 6.4, step 1)', () => {
    const node = rig().boot().lead()
    const read = node.query('q')
    node.settle()
    expect(node.rpc.calls('heartbeat')).toEqual([])
    node.acknowledge('b')
    expect(node.state).toBe('leader.serving')
    confirm(node, ['b'])
    expect(read.outcome).toMatchObject({ ok: true })
  })

  it('sees everything that was committed when it came (INV-16)', () => {
    const node = rig().boot().establish()
    node.propose({ put: 1 })
    node.settle().acknowledge()
    const read = node.query('q')
    node.settle()
    confirm(node, ['b'])
    expect(read.outcome).toEqual({ ok: true, answer: { query: 'q', applied: 1 } })
  })

  it('waits until what it must see has been applied', async () => {
    const node = rig().boot().establish()
    node.propose({ later: 'slow' })
    node.settle().acknowledge()
    const read = node.query('q')
    node.settle()
    confirm(node, ['b'])
    expect(read.outcome).toBeNull()
    await node.machine.finish('slow')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: true })
  })

  it('is asked again under a new number when nobody confirmed, and confirmed by that', () => {
    const node = rig().boot().establish()
    const read = node.query('q')
    node.settle()
    for (const peer of ['b', 'c']) node.rpc.last('heartbeat', peer).fail('TIMEOUT')
    node.settle().rpc.forget()
    node.advance(100)
    expect(node.rpc.calls('heartbeat').length).toBeGreaterThanOrEqual(2)
    for (const call of node.rpc.calls('heartbeat')) call.answer({ term: 2, success: true, lastLogIndex: 0 })
    node.settle()
    expect(read.outcome).toMatchObject({ ok: true })
  })

  it('is refused when leadership is lost before it was confirmed, and may be tried again', () => {
    const node = rig().boot().establish()
    const running = node.query(1)
    node.settle()
    const next = node.query(2)
    node.settle()
    node.heartbeat('b', { term: 5 })
    node.settle()
    expect([running.outcome, next.outcome]).toMatchObject([
      { ok: false, error: { code: 'NOT_LEADER', outcome: 'not-applied', retryable: true } },
      { ok: false, error: { code: 'NOT_LEADER', retryable: true } },
    ])
  })

  it('deposes the leader when a round is answered with a higher term', () => {
    const node = rig().boot().establish()
    const read = node.query('q')
    node.settle()
    node.rpc.last('heartbeat', 'b').answer({ term: 9, success: false, lastLogIndex: 0 })
    node.settle()
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 9 })
    expect(read.outcome).toMatchObject({ ok: false })
  })

  it('of an earlier office is not answered by rounds of a later one', () => {
    const node = rig().boot().establish()
    node.query('lost')
    node.settle()
    const old = node.rpc.last('heartbeat', 'b')
    node.advance(2000).establish()
    const read = node.query('new')
    node.settle()
    if (old.isOpen) old.answer({ term: 3, success: true, lastLogIndex: 0 })
    node.settle()
    expect(read.outcome).toBeNull()
  })

  it('needs nobody in a group of one', () => {
    const node = rig({ peers: ['a'] }).boot()
    const read = node.query('q')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: true })
    expect(node.rpc.log).toEqual([])
  })

  it('while joint needs both majorities', () => {
    const node = rig().boot().establish()
    node.changeTo('a', 'd', 'e')
    for (const peer of ['d', 'e'])
      node.rpc.last('append_entries', peer).answer({ term: 2, success: true, lastLogIndex: 1 })
    node.settle()
    const read = node.query('q')
    node.settle()
    confirm(node, ['b', 'c'])
    expect(read.outcome).toBeNull()
    confirm(node, ['d'])
    expect(read.outcome).toMatchObject({ ok: true })
  })
})

describe('a read by lease', () => {
  const leases = { leaderLease: true } as const

  it('needs no round while the lease is valid, and is refused when it has run out', () => {
    const node = rig({ tuning: leases }).boot().establish()
    node.rpc.forget()
    const read = node.query('q', 'lease')
    node.settle()
    expect([read.outcome?.ok, node.rpc.log]).toEqual([true, []])
    node.advance(999)
    const late = node.query('q', 'lease')
    node.settle()
    expect(late.outcome).toMatchObject({ ok: true })
    node.advance(1)
    const tooLate = node.query('q', 'lease')
    node.settle()
    expect(tooLate.outcome).toMatchObject({ ok: false, error: { code: 'LEASE_EXPIRED', retryable: true } })
    expect(node.handle.status()).toMatchObject({ role: 'leader', leaseValid: false })
  })

  it('is renewed by the time at which an answered heartbeat was sent, not at which its answer came (trap T23)', () => {
    const node = rig({ tuning: leases }).boot().establish().advance(100)
    const beat = node.rpc.last('heartbeat', 'b')
    node.advance(400)
    beat.answer({ term: 2, success: true, lastLogIndex: 0 })
    node.settle().advance(599)
    expect(node.handle.status().leaseValid).toBe(true)
    node.advance(1)
    expect(node.handle.status().leaseValid).toBe(false)
  })

  it('is refused before the first entry of the term is applied', () => {
    const node = rig({ tuning: leases }).boot().lead()
    const read = node.query('q', 'lease')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: false, error: { code: 'LEASE_EXPIRED', retryable: true } })
  })

  it('is refused for good where leases are off', () => {
    const node = rig().boot().establish()
    const read = node.query('q', 'lease')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: false, error: { code: 'LEASE_EXPIRED', retryable: false } })
  })

  it('is refused by a follower, which knows nothing of the lease', () => {
    const node = rig({ tuning: leases }).boot().follow('b', 2)
    const read = node.query('q', 'lease')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: false, error: { code: 'NOT_LEADER', leader: 'b' } })
  })
})

describe('a local read', () => {
  it('is answered from what is applied here, by whatever role', () => {
    const node = rig().boot()
    const read = node.query('q', 'local')
    expect(read.outcome).toBeNull()
    node.settle()
    expect(read.outcome).toEqual({ ok: true, answer: { query: 'q', applied: 0 } })
  })
})

describe('a read on a follower', () => {
  it('asks the leader once for all reads of a turn, and waits until that much is applied here', () => {
    const node = rig().boot().follow('b', 2)
    const reads = [node.query(1), node.query(2)]
    node.settle()
    expect(node.rpc.log).toEqual(['read_index>b'])
    expect(node.rpc.last('read_index', 'b').request).toEqual({ term: 2 })
    node.rpc.last('read_index', 'b').answer({ term: 2, index: 1 })
    node.settle()
    expect(reads.map(({ outcome }) => outcome)).toEqual([null, null])
    node.append('b', { term: 2, committedIndex: 1, entries: [configurationEntry(1, 2, ['a', 'b', 'c'])] })
    node.settle()
    expect(reads.map(({ outcome }) => outcome?.ok)).toEqual([true, true])
  })

  it('is refused when the leader cannot confirm, and may be tried again', () => {
    const node = rig().boot().follow('b', 2)
    const read = node.query('q')
    node.settle()
    node.rpc.last('read_index', 'b').fail('REFUSED', 'EPERM')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: false, error: { code: 'NOT_LEADER', retryable: true } })
  })

  it('is refused without a leader', () => {
    const node = rig().boot()
    const read = node.query('q')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: false, error: { code: 'NO_LEADER', retryable: true } })
  })

  it('is refused by a candidate', () => {
    const node = rig().boot().stand()
    const read = node.query('q')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: false, error: { code: 'NO_LEADER' } })
  })
})

describe('a follower that asks the leader for a position', () => {
  it('hears the commit index after a round, and then a heartbeat that carries it', () => {
    const node = rig().boot().establish()
    node.propose({ put: 1 })
    node.settle().acknowledge()
    node.rpc.forget()
    const answer = node.readIndex('b', 2)
    expect([answer.outcome, node.rpc.log]).toEqual([null, ['heartbeat>b', 'heartbeat>c']])
    node.rpc.last('heartbeat', 'c').answer({ term: 2, success: true, lastLogIndex: 0 })
    node.settle()
    expect(answer.response).toEqual({ term: 2, index: 2 })
    expect(node.rpc.calls('heartbeat').filter(({ to }) => to === 'b')).toHaveLength(2)
    expect(node.rpc.last('heartbeat', 'b').request).toMatchObject({ prevLogIndex: 2, committedIndex: 2 })
  })

  it.each(['follower', 'candidate'] as const)('is refused by a %s', (role) => {
    const node = rig().boot()
    if (role === 'candidate') node.stand()
    expect(node.readIndex('b', 2).errorCode).toBe('EPERM')
  })

  it('is refused when the leader falls before the round is confirmed', () => {
    const node = rig().boot().establish()
    const answer = node.readIndex('b', 2)
    node.heartbeat('c', { term: 4 })
    node.settle()
    expect(answer.errorCode).toBe('EPERM')
  })
})

describe('queries', () => {
  it('that throw are told to their caller alone', () => {
    const node = rig().boot()
    const [bad, good] = [node.query('throw', 'local'), node.query('q', 'local')]
    node.settle()
    expect(bad.outcome).toMatchObject({
      ok: false,
      error: { code: 'STATE_MACHINE', message: 'The query failed: no such query' },
    })
    expect(good.outcome).toMatchObject({ ok: true })
    expect(node.state).toBe('follower.waiting')
  })

  it('may be answered asynchronously', async () => {
    const node = rig().boot()
    const read = node.query('later', 'local')
    node.settle()
    await Promise.resolve()
    expect(read.outcome).toEqual({ ok: true, answer: { query: 'later', applied: 0 } })
  })

  it('of a machine that cannot answer any are refused', () => {
    const node = rig({ stateMachine: { apply: () => null } }).boot()
    const read = node.query('q', 'local')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: false, error: { code: 'UNSUPPORTED' } })
  })

  it('beyond the limit are refused as BUSY', () => {
    const node = rig({ tuning: { maxPendingReads: 1 } })
      .boot()
      .establish()
    const [first, second] = [node.query(1), node.query(2)]
    node.settle()
    expect([first.outcome, second.outcome]).toMatchObject([
      null,
      { ok: false, error: { code: 'BUSY', retryable: true } },
    ])
  })
})
