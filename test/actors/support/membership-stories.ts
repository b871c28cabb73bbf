// Members come and go, told to live actors: changes that succeed, fail, are refused, are inherited and end with the office.

import type { InspectionEvent } from 'xstate'
import { configurationEntry } from '../../log/support/entries.ts'
import { type NodeRig, type RigOptions, rig } from './node-rig.ts'

const ABC = ['a', 'b', 'c']

export function membershipStories(
  inspect: (event: InspectionEvent) => void,
): Readonly<Record<string, () => void>> {
  const play = (options: RigOptions = {}): NodeRig => rig({ ...options, inspect })
  const one = (node: NodeRig, peer: string, lastLogIndex: number): void => {
    node.rpc.last('append_entries', peer).answer({ term: 2, success: true, lastLogIndex })
    node.settle()
  }

  return {
    'members come and go': () => {
      const node = play().boot().lead()
      node.changeTo('a')
      node.acknowledge()
      node.changeTo()
      node.changeTo(...ABC)
      node.changeTo('a', 'd', 'e')
      node.changeTo('a', 'b')
      one(node, 'd', 1)
      one(node, 'e', 1)
      node.changeTo('a', 'b')
      one(node, 'b', 2)
      node.changeTo('a', 'b')
      one(node, 'd', 2)
      node.changeTo('a', 'b')
      node.acknowledge('b', 'c', 'd', 'e')
      node.changeTo('a', 'd')
      node.changeTo('a', 'e')
      node.acknowledge('d', 'e')
      node.handle.actor.send({ type: 'change.left', term: 1 })
      node.handle.actor.send({ type: 'followers.due', term: 1 })
      node.changeTo('d')
      node.acknowledge('d')
    },
    'members that are forced, or not': () => {
      const node = play().boot().follow('b', 2)
      node.reset()
      node.reset('a', 'd')
      node.advance(5000)
      node.reset('a')
      const other = play().boot()
      other.shutdown()
      other.handle.core.send({ type: 'reset', peers: ['a'], asked: () => {} })
      other.settle()
    },
    'members that are waited for, and one that never answers': () => {
      const node = play().boot().establish()
      const pulse = (...peers: string[]): void => {
        for (let i = 0; i < 12; i++) {
          node.advance(100)
          for (const call of node.rpc.calls('heartbeat'))
            if (call.isOpen && peers.includes(call.to))
              call.answer({ term: 2, success: true, lastLogIndex: 0 })
          node.settle()
        }
      }
      node.changeTo(...ABC, 'd')
      pulse('b', 'c', 'd')
      pulse('b', 'c')
      pulse('b', 'c')
      // One that is caught up while another change is not allowed to begin yet.
      node.changeTo(...ABC, 'd')
      one(node, 'd', 1)
      node.acknowledge('b', 'c', 'd')
    },
    'the only one that has the entry by which it leaves': () => {
      const entries = [configurationEntry(1, 2, ['a', 'b']), configurationEntry(2, 2, ['b'])]
      const node = play({ peers: ['a', 'b'], disk: { hardState: { term: 2, votedFor: null }, entries } })
      node.boot().lead().acknowledge('b')
    },
    'another wish in the turn in which the leader leaves': () => {
      const node = play().boot().establish()
      const wish = { kind: 'set', members: [{ id: 'b' }, { id: 'c' }] } as const
      const settle = (): void => node.handle.actor.send({ type: 'change', asked: { wish, settle: () => {} } })
      node.handle.actor.send({ type: 'change', asked: { wish, settle } })
      node.acknowledge('b', 'c')
    },
    'a member that is removed': () => {
      const node = play({ id: 'c' }).boot()
      node.append('a', { term: 2, entries: [configurationEntry(1, 2, ['a', 'b'])], committedIndex: 1 })
      node.settle().advance(5000)
    },
    'a change that needs nobody to catch up': () => {
      const node = play().boot().establish()
      node.change({ kind: 'add', member: { id: 'l', role: 'learner' } })
      node.acknowledge('b', 'c')
      node.changeTo('b', 'c')
      node.acknowledge('b', 'c')
    },
    'both halves of a change, one after the other': () => {
      const entries = [configurationEntry(1, 2, ['a', 'b', 'd'], ABC)]
      const node = play({ disk: { hardState: { term: 2, votedFor: null }, entries } })
        .boot()
        .lead()
      node.acknowledge('b')
    },
  }
}
