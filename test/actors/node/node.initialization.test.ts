// Coming up: step by step; scenario ND-01; traps T2, T12, T57, T83, T84.

import { describe, expect, it } from 'vitest'
import { configurationEntry, dataEntries, dataEntry } from '../../log/support/entries.ts'
import { rig } from '../support/node-rig.ts'

describe('a first start', () => {
  it('visits its steps in order and ends as a follower in term 1', () => {
    const node = rig()
    expect(node.state).toBe('uninitialized')
    node.storage.hold('open')
    node.boot()
    expect(node.state).toBe('initializing.openingLog')
    expect(node.rpc.isServed).toBe(false)
    expect(node.started).toEqual([])
    node.storage.release()
    node.settle()
    expect(node.state).toBe('follower.waiting')
    expect(node.handle.status()).toMatchObject({ term: 1, votedFor: null, peers: ['a', 'b', 'c'] })
    expect(node.started).toEqual([null])
    expect(node.heard).toEqual([
      'role uninitialized→initializing 0 START',
      'role initializing→follower 1 START',
      'leader nobody 1',
    ])
  })

  it('writes nothing before there is something to promise', () => {
    const node = rig().boot()
    expect(node.disk.hardState).toBeNull()
  })

  it('owes nobody a waiting time: it campaigns after one election timeout (trap T2)', () => {
    const node = rig().boot().advance(999)
    expect(node.state).toBe('follower.waiting')
    node.advance(1)
    expect(node.state).toBe('follower.preVoting')
  })

  it('applies nothing before a commit index is known, whatever the log holds', () => {
    const node = rig({
      disk: { hardState: { term: 2, votedFor: null }, entries: [configurationEntry(1, 2, ['a', 'b', 'c'])] },
    }).boot()
    expect(node.machine.calls).toEqual([])
    expect(node.handle.status()).toMatchObject({ commitIndex: 0, appliedIndex: 0, lastIndex: 1 })
  })
})

describe('without a configuration', () => {
  it('the node waits passively to be contacted, and never seeks election', () => {
    const node = rig({ peers: [] }).boot().advance(100_000)
    expect(node.state).toBe('follower.passive')
    expect(node.rpc.log).toEqual([])
  })

  it('a log without any is not replaced by the initial one (trap T57)', () => {
    const node = rig({
      disk: { hardState: { term: 2, votedFor: null }, entries: dataEntries(1, 3, 2) },
    }).boot()
    expect(node.state).toBe('follower.passive')
    expect(node.handle.status().peers).toEqual([])
  })

  it('the first one that a leader appends lets the node take part', () => {
    const node = rig({ peers: [] }).boot()
    node.append('b', { term: 2, entries: [configurationEntry(1, 2, ['a', 'b'])] })
    node.settle()
    expect(node.state).toBe('follower.waiting')
    expect(node.handle.status().peers).toEqual(['a', 'b'])
  })
})

describe('starting again', () => {
  const entries = [configurationEntry(1, 2, ['a', 'b']), dataEntry(2, 2)]

  it('takes term, vote, log and configuration from disk; those of the log come before the initial ones', () => {
    const node = rig({ disk: { hardState: { term: 3, votedFor: 'b' }, entries } }).boot()
    expect(node.handle.status()).toMatchObject({
      term: 3,
      votedFor: 'b',
      lastIndex: 2,
      lastTerm: 2,
      durableIndex: 2,
      peers: ['a', 'b'],
    })
  })

  it('keeps the promise of an earlier life: no campaign before timeout plus drift (trap T2)', () => {
    const node = rig({ disk: { hardState: { term: 3, votedFor: null }, entries } }).boot()
    node.advance(1999)
    expect(node.state).toBe('follower.waiting')
    node.advance(1)
    expect(node.state).toBe('follower.preVoting')
  })

  it('with leases on withholds its vote for that time (trap T2, INV-15)', () => {
    const node = rig({
      disk: { hardState: { term: 3, votedFor: null }, entries },
      tuning: { leaderLease: true },
    })
    node.boot().advance(1999)
    const ask = { term: 9, lastLogIndex: 9, lastLogTerm: 9 }
    expect(node.requestVote('b', ask).response).toMatchObject({
      granted: false,
      rejectedByLease: true,
      term: 3,
    })
    node.advance(1)
    const late = node.requestVote('b', ask)
    node.settle()
    expect(late.response).toMatchObject({ granted: true, term: 9 })
  })

  it.each([
    ['is missing', null, 3],
    ['is older than the log', { term: 1, votedFor: 'b' }, 3],
  ])(
    'heals a meta record that %s in a newer term, durably, before it joins its group (trap T12)',
    (_, hardState, term) => {
      const node = rig({ disk: { hardState, entries } })
      node.storage.hold('hardState')
      node.boot()
      expect(node.state).toBe('initializing.loadingMeta')
      expect(node.rpc.isServed).toBe(false)
      expect(node.started).toEqual([])
      node.storage.release()
      node.settle()
      expect(node.state).toBe('follower.waiting')
      expect(node.rpc.isServed).toBe(true)
      expect(node.disk.hardState).toEqual({ term, votedFor: null })
      expect(node.handle.status()).toMatchObject({ term, votedFor: null })
    },
  )
})

describe('a group of one', () => {
  it('elects itself at once, asks nobody, and leads when its disk has confirmed', () => {
    const node = rig({ peers: ['a'] })
    node.storage.hold('hardState')
    node.boot()
    expect(node.state).toBe('candidate.persistingVote')
    node.storage.release()
    node.settle()
    expect(node.state).toBe('leader.serving')
    expect(node.rpc.log).toEqual([])
    expect(node.handle.status()).toMatchObject({ term: 2, leader: 'a', commitIndex: 1 })
    expect(node.disk.hardState).toEqual({ term: 2, votedFor: 'a' })
  })

  it('after a restart with leases on waits as candidate until its own promise has ended', () => {
    const node = rig({
      peers: ['a'],
      tuning: { leaderLease: true },
      disk: { hardState: { term: 2, votedFor: 'a' }, entries: [configurationEntry(1, 2, ['a'])] },
    }).boot()
    expect(node.state).toBe('candidate.requestingVotes')
    node.advance(1999)
    expect(node.state).toBe('candidate.requestingVotes')
    node.advance(1)
    expect(node.state).toBe('leader.serving')
  })
})

describe('a step that fails is named, and the node is in error', () => {
  const failed = (node: ReturnType<typeof rig>) => node.started.map((error) => error?.message)

  it('openingLog, when the disk cannot be opened', () => {
    const node = rig()
    node.storage.fail('open', 'the disk is gone')
    node.boot()
    expect(node.state).toBe('error')
    expect(failed(node)).toEqual(['openingLog failed: the disk is gone'])
    expect(node.heard).toContain('error openingLog failed: the disk is gone')
    expect(node.machine.calls).toEqual(['error'])
  })

  it('openingLog, when a configuration entry cannot be read', () => {
    const broken = { ...configurationEntry(1, 2, ['a']), data: Uint8Array.of(1) }
    const node = rig({ disk: { entries: [broken] } }).boot()
    expect(failed(node)).toEqual(['openingLog failed: The configuration entry at index 1 cannot be read.'])
  })

  it('checkingConsistency, when the beginning of the log is missing (INV-21)', () => {
    const node = rig({
      disk: {
        firstIndex: 5,
        termBeforeFirst: 1,
        entries: dataEntries(5, 2, 2),
        hardState: { term: 2, votedFor: null },
      },
    }).boot()
    expect(node.state).toBe('error')
    expect(failed(node)).toEqual([
      'checkingConsistency failed: the log begins at index 5 and no snapshot covers what is before it',
    ])
  })

  it('loadingMeta, when the healed record cannot be written', () => {
    const node = rig({ disk: { entries: dataEntries(1, 2, 2) } })
    node.storage.fail('hardState')
    node.boot()
    expect(node.state).toBe('error')
    expect(failed(node)).toEqual(['loadingMeta failed: no space left on device'])
    expect(node.rpc.isServed).toBe(false)
  })

  it.each(['open', 'hardState'] as const)(
    'and still shuts down in order after a failing %s (trap T84)',
    (kind) => {
      const node = rig({ disk: { entries: dataEntries(1, 2, 2) } })
      node.storage.fail(kind)
      node.boot().shutdown().settle()
      expect(node.ended).toBe(true)
      expect(node.state).toBe('shutdown')
      expect(node.machine.calls).toEqual(['error', 'shutdown'])
      expect(node.storage.isOpen('g')).toBe(false)
    },
  )
})

describe('shutting down early', () => {
  it('before the start ends at once', () => {
    const node = rig()
    node.handle.actor.start()
    node.shutdown()
    expect([node.state, node.ended]).toEqual(['shutdown', true])
  })

  it('while the log is being opened ends in order', () => {
    const node = rig()
    node.storage.hold('open')
    node.boot().shutdown().settle()
    expect([node.state, node.ended]).toEqual(['shutdown', true])
    expect(node.started.map((error) => error?.message)).toEqual(['The node was closed.'])
  })
})

it('before the node is active, proposals and reads are refused and not applied', () => {
  const node = rig()
  node.storage.hold('open')
  node.boot()
  const asked = [node.propose({ put: 1 }), node.query('q')]
  node.settle()
  expect(asked.map(({ outcome }) => outcome)).toMatchObject([
    { ok: false, error: { code: 'NO_LEADER', outcome: 'not-applied', retryable: true } },
    { ok: false, error: { code: 'NO_LEADER', outcome: 'not-applied' } },
  ])
})
