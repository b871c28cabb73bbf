// A member that was down while it was removed: it asks for votes, is told, and stays quiet until it is taken in again.

import { describe, expect, it } from 'vitest'
import { configurationEntry, dataEntries } from '../../log/support/entries.ts'
import { says } from '../support/fake-rpc.ts'
import { type NodeRig, rig } from '../support/node-rig.ts'

const ABC = ['a', 'b', 'c']

/** Its log ends before the entry by which it was removed. */
const away = (entries = [configurationEntry(1, 2, ABC)]): NodeRig =>
  rig({ id: 'c', peers: ABC, disk: { entries, hardState: { term: 2, votedFor: null } } }).boot()

function told(node: NodeRig, index: number, term: number): NodeRig {
  node.seekElection()
  const [first] = node.rpc.calls('pre_vote')
  first?.answer(says.removedBy(2, index, term))
  return node.settle()
}

const quietFor = (node: NodeRig, ms: number): boolean => {
  node.rpc.forget()
  node.advance(ms)
  return node.rpc.calls('pre_vote').length + node.rpc.calls('request_vote').length === 0
}

describe('a member that was removed while it was down', () => {
  it('learns it from whom it asks for a vote, and asks nobody any more', () => {
    const node = told(away(), 2, 2)
    expect(node.status).toMatchObject({ role: 'follower', membership: 'removed', term: 2 })
    expect(node.state).toBe('follower.waiting')
    expect(quietFor(node, 60_000)).toBe(true)
  })

  it('also when its own log went on without the others', () => {
    const own = [configurationEntry(1, 2, ABC), configurationEntry(2, 2, ['c', 'd'])]
    expect(told(away(own), 2, 3).status.membership).toBe('removed')
  })

  it('still gives its vote, to whom it may', () => {
    const node = told(away(), 2, 2)
    const answer = node.requestVote('a', { term: 3, lastLogIndex: 9, lastLogTerm: 2 })
    node.advance(5000)
    expect(answer.response).toMatchObject({ granted: true, term: 3 })
  })

  it('asks again after a start: it remembers nothing of it', () => {
    const node = told(away(), 2, 2)
    node.shutdown()
    node.settle()
    const again = rig({ id: 'c', peers: ABC, after: node }).boot().seekElection()
    expect(again.status.membership).toBe('voter')
  })

  it('is a member again as soon as it is sent a later configuration that names it', () => {
    const node = told(away(), 2, 2)
    const entries = [configurationEntry(2, 2, ['a', 'b']), configurationEntry(3, 2, ABC)]
    node.append('a', { term: 2, prevLogIndex: 1, prevLogTerm: 2, entries, committedIndex: 3 })
    node.settle()
    expect(node.status.membership).toBe('voter')
    expect(quietFor(node, 60_000)).toBe(false)
  })
})

describe('what is no news', () => {
  it.each([
    ['that it is a member', 0, 0],
    ['by the configuration that it has itself', 1, 2],
    ['by one of an earlier leader', 9, 1],
  ])('%s', (_, index, term) => {
    const node = told(away(), index, term)
    expect(node.status.membership).toBe('voter')
    expect(quietFor(node, 60_000)).toBe(false)
  })

  it('to one that was forced since', () => {
    const node = away()
    node.handle.resetPeers(['a', 'c'], () => {})
    node.settle()
    expect(told(node, 9, 9).status).toMatchObject({ peers: ['a', 'c'], membership: 'voter' })
    expect(quietFor(node, 60_000)).toBe(false)
  })
})

describe('who is asked', () => {
  const asked = (node: NodeRig, from: string) =>
    node.preVote(from, { term: node.status.term + 1, lastLogIndex: 1, lastLogTerm: 2 }).response

  it('says by which committed configuration the other is no member', () => {
    const node = rig({ disk: { entries: [configurationEntry(1, 2, ABC)] } }).boot()
    node.append('b', {
      ...{ term: 4, prevLogIndex: 1, prevLogTerm: 2, committedIndex: 1 },
      entries: [configurationEntry(2, 4, ['a', 'b'])],
    })
    node.settle()
    expect(asked(node, 'c')).toMatchObject({ removedIndex: 0, removedTerm: 0 })
    node.heartbeat('b', { term: 4, prevLogIndex: 2, prevLogTerm: 4, committedIndex: 2 })
    node.settle()
    expect(asked(node, 'c')).toMatchObject({ granted: false, removedIndex: 2, removedTerm: 4 })
    expect(asked(node, 'b')).toMatchObject({ removedIndex: 0, removedTerm: 0 })
  })

  it('says nothing to whom it is adding', () => {
    const node = rig({ peers: ['a', 'b'] })
      .boot()
      .establish()
    expect(asked(node, 'd')).toMatchObject({ removedIndex: 1 })
    node.changeTo('a', 'b', 'd')
    expect(node.status.change).toMatchObject({ stage: 'catchingUp' })
    expect(asked(node, 'd')).toMatchObject({ removedIndex: 0, removedTerm: 0 })
  })
})

it('entries of data between do not matter', () => {
  const entries = [configurationEntry(1, 2, ABC), ...dataEntries(2, 3, 2)]
  expect(told(away(entries), 2, 3).status.membership).toBe('removed')
})
