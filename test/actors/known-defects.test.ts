import { expect, it } from 'vitest'
import { configurationEntry, dataEntry } from '../log/support/entries.ts'
import { encodeValue } from '../../src/transport/codec.ts'
import { says } from './support/fake-rpc.ts'
import { rig } from './support/node-rig.ts'

it('A join', () => {
  const node = rig()
  node.rpc.joinError = new Error('group is served already')
  node.boot()
  expect(node.started.map((e) => e?.message ?? null)).toEqual(['joiningGroup failed: group is served already'])
})
it('B store left open', () => {
  const broken = { ...configurationEntry(1, 2, ['a']), data: Uint8Array.of(1) }
  const node = rig({ disk: { entries: [broken] } }).boot().shutdown().settle()
  expect([node.state, node.storage.isOpen('g')]).toEqual(['shutdown', false])
})
it('C ND-03', () => {
  const node = rig({ peers: ['a'] })
  node.storage.hold('hardState')
  node.boot()
  const told = [...node.started]
  const asked = Array.from({ length: 10 }, (_, put) => node.propose({ put }))
  node.settle()
  node.storage.release()
  node.settle()
  console.log('started', told.length, asked[0]?.outcome)
  if (told.length > 0) expect(asked.map((a) => a.outcome?.ok)).toEqual(asked.map(() => true))
})
it('D1', () => {
  const node = rig().boot().follow('b', 2)
  node.heartbeat('c', { term: 2 })
  expect(node.settle().heard.at(-1)).toBe('leader nobody 3')
})
it('D2', () => {
  const node = rig().boot().follow('b', 2)
  node.timeoutNow('c', 7)
  expect(node.settle().heard.at(-1)).toBe('leader nobody 7')
})
it('D3', () => {
  const node = rig().boot().seekElection()
  node.rpc.last('pre_vote', 'b').answer(says.no(8))
  expect(node.settle().heard.at(-1)).toBe('leader nobody 8')
})
it('D4', () => {
  const node = rig().boot().establish()
  node.propose({ put: 1 })
  node.settle()
  const late = node.rpc.last('append_entries', 'b')
  node.follow('b', 3)
  node.handle.actor.send({ type: 'term.higher', term: 9 })
  void late
  expect(node.settle().heard.at(-1)).toBe('leader nobody 9')
})
it('E', () => {
  const node = rig().boot().establish()
  node.storage.fail('append')
  node.propose({ put: 1 })
  node.settle()
  node.rpc.last('timeout_now', 'b').answer({ term: 3, success: true })
  node.settle().shutdown().settle()
  expect(node.state).toBe('shutdown')
})
it('F', () => {
  const node = rig().boot().stand().advance(2000)
  expect(node.state).toBe('follower.preVoting')
})
it('G', () => {
  const node = rig().boot().follow('b', 2)
  const read = node.query('q')
  node.settle().shutdown().settle()
  expect(node.state).toBe('shutdown')
  node.rpc.last('read_index', 'b').answer({ term: 2, index: 0 })
  node.settle()
  expect(read.outcome).not.toBeNull()
})
it('I', () => {
  const node = rig().boot().follow('b', 2)
  node.storage.fail('append')
  node.append('b', { term: 2, entries: [configurationEntry(1, 2, ['a', 'b', 'c'])] })
  node.settle()
  const read = node.query('q', 'local')
  node.settle()
  expect(read.outcome).toMatchObject({ ok: false, error: { code: 'NODE_FAILED' } })
})
it('J', async () => {
  const node = rig().boot()
  const entries = [configurationEntry(1, 2, ['a', 'b', 'c']), ...[{ later: 'x' }, { put: 1 }].map((c, i) => ({ ...dataEntry(i + 2, 2), data: encodeValue(c) }))]
  node.append('b', { term: 2, entries })
  node.settle()
  node.heartbeat('b', { term: 2, prevLogIndex: 3, prevLogTerm: 2, committedIndex: 3 })
  node.settle()
  node.storage.fail('append')
  node.append('b', { term: 2, prevLogIndex: 3, prevLogTerm: 2, entries: [dataEntry(4, 2)] })
  node.settle()
  await node.machine.finish('x')
  node.settle()
  expect(node.machine.calls).toEqual([])
})
it('K', () => {
  const node = rig({ tuning: { leaderLease: true } }).boot().follow('b', 2)
  node.requestVote('c', { term: 3, disruptedLeader: { peer: 'b', term: 2 } })
  node.settle()
  expect(node.preVote('d', { term: 4 }).response).toMatchObject({ granted: true })
})
it('L', () => {
  const node = rig().boot().lead()
  node.heartbeat('b', { term: 2, prevLogIndex: 0 , committedIndex: 0 })
  node.settle()
  const n2 = rig({ disk: { hardState: { term: 2, votedFor: null }, entries: [configurationEntry(1, 2, ['a', 'b', 'c'])] } }).boot().lead()
  n2.heartbeat('b', { term: 4, prevLogIndex: 1, prevLogTerm: 2, committedIndex: 1 })
  n2.settle()
  expect(n2.handle.status().commitIndex).toBe(1)
})
it('R', () => {
  const node = rig({ peers: ['a', 'b'] }).boot().lead()
  node.rpc.last('append_entries', 'b').answer({ term: 1, success: true, lastLogIndex: 0 })
  node.settle()
  expect(node.handle.status().replicators[0]?.state).not.toBe('replicating')
})
it('V', () => {
  const node = rig({ peers: ['a'] })
  node.handle.on('role', () => { throw new Error('listener') })
  node.boot()
  const p = node.propose({ put: 1 })
  node.settle()
  expect(p.outcome).toMatchObject({ ok: true })
})
it('W', () => {
  const node = rig().boot().establish()
  node.query('q')
  node.settle()
  for (const peer of ['b', 'c']) node.rpc.last('heartbeat', peer).fail('TIMEOUT')
  node.settle().shutdown().settle()
  node.rpc.last('timeout_now','b').answer({term:3,success:true})
  node.settle()
  expect([node.state, node.clock.pendingTimers]).toEqual(['shutdown', 0])
})
it('X', () => {
  const node = rig()
  node.storage.hold('open')
  node.boot().shutdown().settle()
  node.storage.release()
  node.settle()
  expect([node.state, node.storage.isOpen('g')]).toEqual(['shutdown', false])
})
it('Q', () => {
  const node = rig({ peers: [] }).boot()
  expect(node.clock.pendingTimers).toBe(0)
})
it('U', () => {
  const node = rig({ peers: ['a'], stateMachine: { apply: () => 1, stateHash: () => { throw new Error('x') } } }).boot()
  expect(() => node.handle.status()).not.toThrow()
})
it('P', () => {
  const node = rig({ tuning: { maxPendingReads: 2 } }).boot().establish()
  const answers = [1, 2, 3, 4].map(() => node.readIndex('b', 2))
  node.settle()
  expect(answers.some((a) => a.errorCode !== null)).toBe(true)
})
it('O', () => {
  const node = rig().boot().establish()
  const p = node.propose({ put: 1 }); const q = node.query('q')
  node.settle()
  // a defect of ours: the actor itself fails
  node.handle.actor.send({ type: 'xstate.error.actor.log', error: new Error('boom') } as never)
  node.settle()
  expect([node.handle.status().role, p.outcome === null, q.outcome === null]).toEqual(['error', false, false])
})
