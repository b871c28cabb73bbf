// How a node ends, by an error or in order: scenarios ND-01 and ND-03,
// traps T84 and T89, INV-17, INV-22, INV-23.

import { describe, expect, it } from 'vitest'
import { StorageError } from '../../../src/storage/storage.ts'
import { configurationEntry } from '../../log/support/entries.ts'
import { type NodeRig, rig } from '../support/node-rig.ts'

const failure = (code: string, outcome = 'not-applied') => ({ ok: false, error: { code, outcome } })

describe('an error', () => {
  it.each([
    ['append', (node: NodeRig) => node.propose({ put: 1 })],
    ['hardState', (node: NodeRig) => node.requestVote('b', { term: 9, lastLogIndex: 9, lastLogTerm: 9 })],
  ] as const)('of the disk (%s) stops the node, once, with the reason in its status', (kind, cause) => {
    const node = rig().boot().establish()
    node.storage.fail(kind)
    cause(node)
    node.settle()
    expect(node.state).toBe('error')
    expect(node.handle.status()).toMatchObject({ role: 'error', error: 'no space left on device' })
    expect(node.heard.filter((one) => one.startsWith('error'))).toEqual(['error no space left on device'])
    expect(node.machine.calls.filter((call) => call === 'error')).toHaveLength(1)
  })

  it('of the disk that nobody asked about stops the node as well', () => {
    const node = rig().boot().establish()
    node.storage.breakDown(new StorageError('GONE', 'the files are gone'))
    node.settle()
    expect(node.state).toBe('error')
    expect(node.handle.status()).toMatchObject({ role: 'error', error: 'the files are gone' })
  })

  it('of a leader makes a follower campaign at once, and tells the user that the office has ended', () => {
    const node = rig().boot().establish()
    const asked = node.propose({ put: 1 })
    node.storage.fail('append')
    node.settle()
    expect(node.rpc.calls('timeout_now').map(({ to, request }) => ({ to, ...request }))).toEqual([
      { to: 'b', term: 2, oldLeaderSteppedDown: true },
    ])
    expect(asked.outcome).toMatchObject(failure('LEADERSHIP_LOST', 'unknown'))
    expect(node.machine.calls.slice(-2)).toEqual(['leaderStop NODE_FAILED', 'error'])
    expect(node.heard.slice(-3)).toEqual([
      'role leader→error 2 NODE_FAILED',
      'leader nobody 2',
      'error no space left on device',
    ])
  })

  it('ends all talk: every request is refused, every proposal and read too (INV-22)', () => {
    const node = rig().boot().follow('b', 2)
    node.storage.fail('append')
    node.append('b', { term: 2, entries: [configurationEntry(1, 2, ['a', 'b', 'c'])] })
    node.settle()
    const answers = [
      node.preVote('b', { term: 5 }),
      node.requestVote('b', { term: 5 }),
      node.append('b', { term: 5 }),
      node.heartbeat('b', { term: 5 }),
      node.timeoutNow('b', 5),
      node.readIndex('b', 5),
    ]
    expect(answers.map(({ errorCode }) => errorCode)).toEqual(answers.map(() => 'EINVAL'))
    const asked = [node.propose({ put: 1 }), node.query('q')]
    node.settle()
    expect(asked.map(({ outcome }) => outcome)).toMatchObject([
      failure('NODE_FAILED'),
      failure('NODE_FAILED'),
    ])
    expect(node.handle.status().term).toBe(2)
  })

  it('keeps back what waits for a record that never became durable', () => {
    const node = rig().boot()
    node.storage.hold('hardState', 'append')
    const vote = node.requestVote('b', { term: 2 })
    node.storage.fail('hardState')
    node.storage.release()
    node.settle().advance(10_000)
    expect(vote.outcome).toBeNull()
  })

  it('is reported once, whatever fails after it (trap T89)', () => {
    const node = rig().boot().establish()
    node.storage.hold('append')
    node.propose({ put: 1 })
    node.settle()
    node.propose({ put: 2 })
    node.settle()
    node.storage.fail('append')
    node.storage.release()
    node.settle()
    expect(node.heard.filter((one) => one.startsWith('error'))).toHaveLength(1)
    expect(node.machine.errors).toHaveLength(1)
  })

  it('is terminal: nothing elects, beats or replicates any more (trap T89)', () => {
    const node = rig().boot().establish()
    node.storage.fail('append')
    node.propose({ put: 1 })
    node.settle().rpc.forget()
    node.advance(60_000)
    expect([node.rpc.log, node.state, node.clock.pendingTimers]).toEqual([[], 'error', 0])
  })

  it('leaves shutting down possible', () => {
    const node = rig().boot().establish()
    node.storage.fail('append')
    node.propose({ put: 1 })
    node.settle().shutdown().advance(1000)
    expect([node.ended, node.state]).toEqual([true, 'shutdown'])
    expect(node.machine.calls.at(-1)).toBe('shutdown')
  })
})

describe('shutting down', () => {
  it('a follower ends in order, tells the user last, and closes its store', () => {
    const node = rig().boot().follow('b', 2)
    node.shutdown().settle()
    expect([node.state, node.ended, node.storage.isOpen('g'), node.rpc.isServed]).toEqual([
      'shutdown',
      true,
      false,
      false,
    ])
    expect(node.machine.calls).toEqual([
      'startFollowing b 2 NEW_LEADER',
      'stopFollowing b 2 SHUTDOWN',
      'shutdown',
    ])
    expect(node.heard.slice(-3)).toEqual([
      'role follower→shuttingDown 2 SHUTDOWN',
      'leader nobody 2',
      'role shuttingDown→shutdown 2 SHUTDOWN',
    ])
  })

  it('a leader hands over to the follower with the longest log, and waits for its answer', () => {
    const node = rig().boot().establish()
    node.propose({ put: 1 })
    node.settle().acknowledge('c')
    node.shutdown().settle()
    expect(node.state).toBe('shuttingDown.sayingFarewell')
    const call = node.rpc.last('timeout_now', 'c')
    expect(call.request).toEqual({ term: 2, oldLeaderSteppedDown: true })
    call.answer({ term: 3, success: true })
    node.settle()
    expect([node.state, node.ended]).toEqual(['shutdown', true])
  })

  it('a leader does not wait for that answer longer than one election timeout', () => {
    const node = rig().boot().establish()
    node.shutdown().advance(999)
    expect(node.state).toBe('shuttingDown.sayingFarewell')
    node.advance(1)
    expect(node.state).toBe('shutdown')
  })

  it('a leader whose followers do not answer has nobody to hand over to', () => {
    const node = rig().boot().lead()
    node.rpc.forget()
    node.shutdown().settle()
    expect([node.rpc.log, node.state]).toEqual([[], 'shutdown'])
  })

  it('tells callers whose entries are not committed that their outcome is unknown', () => {
    const node = rig().boot().establish()
    const asked = node.propose({ put: 1 })
    node.settle().shutdown().settle()
    expect(asked.outcome).toMatchObject(failure('LEADERSHIP_LOST', 'unknown'))
  })

  it('applies what is committed before the last hook of the user', async () => {
    const node = rig({ peers: ['a'] }).boot()
    node.propose({ later: 'slow' })
    const asked = node.propose({ put: 1 })
    node.settle().shutdown().settle()
    expect(node.state).toBe('shuttingDown.draining')
    await node.machine.finish('slow')
    node.settle()
    expect(asked.outcome).toMatchObject({ ok: true, index: 3 })
    expect(node.machine.calls.slice(-2)).toEqual(['leaderStop SHUTDOWN', 'shutdown'])
    expect(node.state).toBe('shutdown')
  })

  it('does not wait for user code longer than it was told to', () => {
    const node = rig({ peers: ['a'], tuning: { drainTimeoutMs: 700 } }).boot()
    const slow = node.propose({ later: 'for ever' })
    const asked = node.propose({ put: 1 })
    node.settle().shutdown().advance(699)
    expect(node.state).toBe('shuttingDown.draining')
    node.advance(1)
    expect([node.state, node.ended]).toEqual(['shutdown', true])
    expect([slow.outcome, asked.outcome]).toMatchObject([
      failure('SHUTDOWN', 'unknown'),
      failure('SHUTDOWN', 'unknown'),
    ])
  })

  it('can be asked for again and again; everybody is told', () => {
    const node = rig().boot()
    const told: number[] = []
    node.handle.shutdown(() => told.push(1))
    node.handle.shutdown(() => told.push(2))
    node.settle()
    node.handle.shutdown(() => told.push(3))
    node.settle()
    expect(told).toEqual([1, 2, 3])
  })

  it('leaves no timer behind', () => {
    for (const role of ['follower', 'leader'] as const) {
      const node = rig().boot()
      if (role === 'leader') node.establish()
      node.shutdown().advance(2000)
      expect([role, node.clock.pendingTimers]).toEqual([role, 0])
    }
  })

  it('is deaf to everything that comes later', () => {
    const node = rig().boot().establish()
    node.propose({ put: 1 })
    node.settle()
    const frame = node.rpc.last('append_entries', 'b')
    node.shutdown().advance(1000)
    frame.answer({ term: 99, success: false, lastLogIndex: 0 })
    node.settle()
    expect([node.state, node.handle.status().term]).toEqual(['shutdown', 2])
  })

  it('refuses requests of others from its beginning on', () => {
    const node = rig().boot().establish()
    node.shutdown().settle()
    expect(node.requestVote('b', { term: 3, lastLogIndex: 9, lastLogTerm: 9 }).errorCode).toBe('EINVAL')
  })
})

describe('ND-01: a proposal after shutdown', () => {
  it('still gets its answer', () => {
    const node = rig({ peers: [] }).boot().shutdown().settle()
    const asked = [node.propose({ put: 1 }), node.query('q'), node.query('q', 'local')]
    node.settle()
    expect(asked.map(({ outcome }) => outcome)).toMatchObject([
      failure('SHUTDOWN'),
      failure('SHUTDOWN'),
      failure('SHUTDOWN'),
    ])
  })

  it('made in the very turn of the shutdown gets its answer too', () => {
    const node = rig().boot()
    const asked = [node.propose({ put: 1 }), node.query('q'), node.query('q', 'local')]
    node.shutdown().settle()
    expect(asked.every(({ outcome }) => outcome?.ok === false)).toBe(true)
    expect(asked.map(({ outcome }) => outcome)).toMatchObject([failure('SHUTDOWN'), failure('SHUTDOWN'), {}])
  })
})

describe('a node that is destroyed', () => {
  it('acts no more, whatever still comes back from disk and bus', () => {
    const node = rig().boot().establish()
    node.storage.hold('append')
    const asked = node.propose({ put: 1 })
    node.settle()
    const frame = node.rpc.last('append_entries', 'b')
    node.handle.destroy()
    node.storage.release()
    frame.answer({ term: 2, success: true, lastLogIndex: 2 })
    node.settle().advance(10_000)
    expect(asked.outcome).toBeNull()
    expect([node.rpc.isServed, node.clock.pendingTimers, node.machine.calls.includes('shutdown')]).toEqual([
      false,
      0,
      false,
    ])
  })

  it('tells everybody who waits when it is told to, each once', () => {
    const node = rig().boot().establish()
    const appended = node.propose({ put: 1 })
    node.settle()
    const [queued, read] = [node.propose({ put: 2 }), node.query('q')]
    node.handle.destroy()
    node.handle.abandon()
    expect([appended.outcome, queued.outcome, read.outcome]).toMatchObject([
      failure('SHUTDOWN', 'unknown'),
      failure('SHUTDOWN', 'not-applied'),
      failure('SHUTDOWN', 'not-applied'),
    ])
  })
})

describe('user code around the node', () => {
  it('an inspection callback that throws harms nobody', () => {
    const node = rig({
      peers: ['a'],
      inspect: () => {
        throw new Error('looked too closely')
      },
    }).boot()
    const asked = node.propose({ put: 1 })
    node.settle()
    expect(asked.outcome).toMatchObject({ ok: true })
  })

  it('an unsubscribed listener hears nothing more', () => {
    const node = rig().boot()
    const heard: string[] = []
    const stop = node.handle.on('leader', ({ leader }) => heard.push(leader ?? 'nobody'))
    node.follow('b', 2)
    stop()
    node.follow('c', 3)
    expect(heard).toEqual(['b'])
  })
})
