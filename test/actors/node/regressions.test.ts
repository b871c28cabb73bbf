// What the node once did wrong, each put right after a test like this had shown it.

import { describe, expect, it } from 'vitest'
import { encodeValue } from '../../../src/transport/wire/codec.ts'
import { configurationEntry, dataEntries, dataEntry } from '../../log/support/entries.ts'
import { says } from '../support/fake-rpc.ts'
import { rig } from '../support/node-rig.ts'

const ABC = ['a', 'b', 'c']
const commands = (from: number, count: number, command: unknown) =>
  dataEntries(from, count, 2).map((entry) => ({ ...entry, data: encodeValue(command) }))

describe('starting', () => {
  it('ND-03: proposals of a group of one, made as soon as the start is told, are all taken', () => {
    const node = rig({ peers: ['a'] })
    node.storage.hold('hardState')
    node.boot()
    if (node.started.length === 0) node.storage.release()
    const asked = Array.from({ length: 10 }, (_, put) => node.propose({ put }))
    node.settle().storage.release()
    node.settle()
    expect(asked.map(({ outcome }) => outcome?.ok)).toEqual(asked.map(() => true))
  })

  it('a join that fails is told as such, and never as a success before', () => {
    const node = rig()
    node.rpc.joinError = new Error('the group is served already')
    node.boot()
    expect(node.started.map((error) => error?.message)).toEqual([
      'joiningGroup failed: the group is served already',
    ])
  })

  it('a log that cannot be understood is closed again, so that the group can be opened once more', () => {
    const broken = { ...configurationEntry(1, 2, ABC), data: Uint8Array.of(1) }
    const node = rig({ disk: { entries: [broken] } })
      .boot()
      .shutdown()
      .settle()
    expect([node.state, node.storage.isOpen('g')]).toEqual(['shutdown', false])
  })

  it('a log that opens after the node was closed is closed again', () => {
    const node = rig()
    node.storage.hold('open')
    node.boot().shutdown().settle().storage.release()
    node.settle()
    expect([node.state, node.storage.isOpen('g')]).toEqual(['shutdown', false])
  })
})

describe('each caller is told once (INV-17)', () => {
  it('a read that its leader confirms after this follower was closed', () => {
    const node = rig().boot().follow('b', 2)
    const read = node.query('q')
    node.settle().shutdown().settle()
    node.rpc.last('read_index', 'b').answer({ term: 2, index: 0 })
    expect(node.settle().ended).toBe(true)
    expect(read.outcome).toMatchObject({ ok: false })
  })

  it('proposals and reads that wait when the actor itself fails', () => {
    const node = rig().boot().establish()
    const asked = [node.propose({ put: 1 }), node.query('q')]
    node
      .settle()
      .handle.core.life.self?.send({ type: 'xstate.error.actor.log', error: new Error('a defect of ours') })
    expect(node.settle().handle.status().role).toBe('error')
    expect(asked.map(({ outcome }) => outcome?.ok)).toEqual([false, false])
  })
})

describe('listeners are told whenever the leader that is known changes', () => {
  it('after two leaders of one term', () => {
    const node = rig().boot().follow('b', 2)
    node.heartbeat('c', { term: 2 })
    expect(node.settle().heard.at(-1)).toBe('leader nobody 3')
  })

  it('after a TimeoutNow of a higher term', () => {
    const node = rig().boot().follow('b', 2)
    node.timeoutNow('c', 7)
    expect(node.settle().heard.at(-1)).toBe('leader nobody 7')
  })

  it('after a pre-vote that was answered with a higher term', () => {
    const node = rig().boot().seekElection()
    node.rpc.last('pre_vote', 'b').answer(says.no(8))
    expect(node.settle().heard.at(-1)).toBe('leader nobody 8')
  })
})

describe('elections', () => {
  it('a candidate that ran out of time asks at once whether it could win the next term', () => {
    const node = rig().boot().stand().advance(2000)
    expect(node.state).toBe('follower.preVoting')
  })

  it('a voter that learns that its leader is deposed owes it nothing any more', () => {
    const node = rig({ tuning: { leaderLease: true } })
      .boot()
      .follow('b', 2)
    node.requestVote('c', { term: 3, disruptedLeader: { peer: 'b', term: 2 } })
    node.settle()
    // The candidate that was helped does not get through; the next one must not wait for the old lease.
    const answer = node.requestVote('d', { term: 4 })
    node.settle()
    expect(answer.response).toMatchObject({ rejectedByLease: false })
  })

  it('there is no election timer while the configuration is empty', () => {
    expect(rig({ peers: [] }).boot().clock.pendingTimers).toBe(0)
  })
})

describe('errors', () => {
  it('the failure of a disk is not blamed on the state machine', () => {
    const node = rig().boot().follow('b', 2)
    node.storage.fail('append')
    node.append('b', { term: 2, entries: [configurationEntry(1, 2, ABC)] })
    node.settle()
    const read = node.query('q', 'local')
    node.settle()
    expect(read.outcome).toMatchObject({ ok: false, error: { code: 'NODE_FAILED' } })
  })

  it('the user hears of the error before what is queued, after what is being applied', async () => {
    const node = rig().boot()
    const entries = [
      configurationEntry(1, 2, ABC),
      ...commands(2, 1, { later: 'slow' }),
      ...commands(3, 1, { put: 1 }),
    ]
    node.append('b', { term: 2, entries })
    node.settle().heartbeat('b', { term: 2, prevLogIndex: 3, prevLogTerm: 2, committedIndex: 3 })
    node.settle().storage.fail('append')
    node.append('b', { term: 2, prevLogIndex: 3, prevLogTerm: 2, entries: [dataEntry(4, 2)] })
    node.settle()
    await node.machine.finish('slow')
    node.settle()
    expect(node.machine.calls.slice(2, 4)).toEqual(['apply 2', 'error'])
  })

  it('closing a failed leader does not wait for a farewell that was said long ago', () => {
    const node = rig().boot().establish()
    node.storage.fail('append')
    node.propose({ put: 1 })
    node.settle().rpc.last('timeout_now', 'b').answer({ term: 3, success: true })
    node.settle().shutdown().settle()
    expect(node.state).toBe('shutdown')
  })

  it('a state hash that throws does not take the status with it', () => {
    const stateMachine = {
      apply: () => null,
      stateHash: () => {
        throw new Error('no hash today')
      },
    }
    expect(rig({ stateMachine }).boot().handle.status().stateHash).toBeNull()
  })
})

describe('leading and following', () => {
  it('reads that followers ask for are bounded like one’s own (INV-24)', () => {
    const node = rig({ tuning: { maxPendingReads: 2 } })
      .boot()
      .establish()
    const answers = [1, 2, 3, 4].map(() => node.readIndex('b', 2))
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([null, null, 'EBUSY', 'EBUSY'])
  })

  it('a success of another term is no success (trap T34)', () => {
    const node = rig({ peers: ['a', 'b'] })
      .boot()
      .lead()
    node.rpc.last('append_entries', 'b').answer({ term: 1, success: true, lastLogIndex: 0 })
    expect(node.settle().handle.status().replicators[0]?.state).toBe('blocked')
  })

  it('a leader that yields to a newer one commits what that one vouches for at once', () => {
    const disk = { hardState: { term: 2, votedFor: null }, entries: [configurationEntry(1, 2, ABC)] }
    const node = rig({ disk }).boot().lead()
    node.heartbeat('b', { term: 4, prevLogIndex: 1, prevLogTerm: 2, committedIndex: 1 })
    expect(node.settle().handle.status().commitIndex).toBe(1)
  })

  it('a node that was closed leaves no timer of an unconfirmed read behind (INV-24)', () => {
    const node = rig().boot().establish()
    node.query('q')
    node.settle()
    for (const peer of ['b', 'c']) node.rpc.last('heartbeat', peer).fail('TIMEOUT')
    node.settle().shutdown().settle()
    node.rpc.last('timeout_now', 'b').answer({ term: 3, success: true })
    expect([node.settle().state, node.clock.pendingTimers]).toEqual(['shutdown', 0])
  })
})

it('an asynchronous state machine reads each entry from disk about once when it starts again', async () => {
  const count = 100
  const entries = [configurationEntry(1, 2, ABC), ...commands(2, count, { put: 1 })]
  const stateMachine = { apply: () => Promise.resolve(null) }
  const node = rig({ stateMachine, disk: { hardState: { term: 2, votedFor: null }, entries } }).boot()
  const last = count + 1
  node.heartbeat('b', { term: 2, prevLogIndex: last, prevLogTerm: 2, committedIndex: last })
  for (let i = 0; i < 10 * count && node.handle.status().appliedIndex < last; i++) {
    await Promise.resolve()
    node.settle()
  }
  expect(node.handle.status().appliedIndex).toBe(last)
  expect(node.storage.entriesRead).toBeLessThan(3 * count)
})
