// What may happen to the snapshots of a member: told to live actors, together with the stories of nodes.

import { expect } from 'vitest'
import type { InspectionEvent } from 'xstate'
import { StorageError } from '../../../src/storage/storage.ts'
import { configurationEntry, dataEntry } from '../../log/support/entries.ts'
import { type NodeRig, type RigOptions, rig } from './node-rig.ts'
import { gate, Saver } from './saver.ts'

const ABC = ['a', 'b', 'c']
type Play = (options?: RigOptions) => NodeRig

export function snapshotStories(
  inspect: (event: InspectionEvent) => void,
): Readonly<Record<string, () => Promise<void>>> {
  const play: Play = (options = {}) => rig({ ...options, inspect })
  return {
    'a snapshot is taken, twice, and again on the timer': async () => {
      const machine = new Saver()
      const node = await alone(play, machine, { snapshotIntervalMs: 5000 })
      const first = node.snapshot()
      const beside = node.snapshot()
      await node.flush()
      expect([first.outcome?.ok, beside.outcome?.ok]).toEqual([true, false])
      node.snapshot()
      node.offer('b', { term: 1, lastIncludedIndex: 1 })
      await node.flush()
      node.propose({ put: 1 })
      node.advance(10_000)
      await node.flush()
      expect(node.status.snapshot).toMatchObject({ saves: 2, state: 'idle' })
      node.shutdown()
      await node.flush()
      node.snapshot()
      node.handle.core.toSnapshots({ type: 'save', asked: null })
      await node.flush()
    },
    'a machine that takes no snapshots': async () => {
      const node = play({ peers: ['a'] })
      node.storage.hold('open')
      node.boot().snapshot()
      node.settle().storage.release()
      node.settle().snapshot()
      node.settle().handle.actor.send({ type: 'fatal', error: new Error('odd') })
      node.handle.core.toSnapshots({ type: 'save', asked: null })
      node.shutdown().settle()
    },
    'saves that fail': async () => {
      for (const when of ['capture', 'write'] as const) {
        const machine = new Saver()
        machine.save = () => {
          if (when === 'capture') throw new Error('no')
          return () => Promise.reject(new Error('no'))
        }
        const node = await alone(play, machine)
        node.snapshot()
        await node.flush()
        expect(node.status.snapshot).toMatchObject({ failures: 1, state: 'idle' })
      }
      for (const code of ['FULL', 'IO'] as const) {
        for (const when of ['write', 'publish'] as const) {
          const machine = new Saver()
          const way = gate()
          machine.save = () => () => way.passed
          const node = await alone(play, machine)
          node.snapshot()
          await node.flush()
          if (when === 'publish') node.storage.fail('snapshot', 'broken', code)
          else machine.save = () => undefined
          if (when === 'write') way.fail(new StorageError(code, 'broken'))
          else way.open()
          await node.flush()
          expect(node.status.role).toBe(code === 'IO' ? 'error' : 'leader')
        }
      }
    },
    'a save that never ends': async () => {
      const machine = new Saver()
      machine.save = () => () => gate().passed
      const node = await alone(play, machine)
      node.snapshot()
      await node.flush()
      node.snapshot()
      node.offer('b', { term: 3, lastIncludedIndex: 50 })
      await node.flush()
      node.shutdown().advance(10_000)
      expect(node.ended).toBe(true)
    },
    'a save that yields to an offer': async () => {
      for (const when of ['captured', 'written'] as const) {
        const machine = new Saver()
        machine.save = () => (when === 'captured' ? gate().passed : () => gate().passed)
        const node = follower(play, machine)
        await node.flush()
        node.snapshot()
        await node.flush()
        node.offer('b', { term: 2, lastIncludedIndex: 50 })
        node.settle().advance(10_000)
        node.offer('b', { term: 2, lastIncludedIndex: 50 })
        await node.flush()
        expect(node.status.snapshot.state).toBe('downloading')
        node.shutdown()
        await node.flush()
      }
    },
    'a start with a snapshot': async () => {
      const before = await withSnapshot(play)
      const again = play({ stateMachine: new Saver(), peers: ['a'], after: before }).boot()
      await again.flush()
      expect(again.status.snapshot.newest?.index).toBe(before.status.snapshot.newest?.index)
    },
    'starts that fail over a snapshot': async () => {
      for (const why of ['store', 'load', 'read'] as const) {
        const before = await withSnapshot(play)
        const machine = new Saver()
        if (why === 'load') machine.load = () => Promise.reject(new Error('no'))
        if (why === 'store') before.storage.fail('snapshot', 'broken', 'CORRUPT')
        if (why === 'read') before.storage.hold('snapshot')
        const again = play({ stateMachine: machine, peers: ['a'], after: before }).boot()
        if (why === 'read') {
          before.storage.releaseOne()
          before.storage.fail('snapshot', 'broken', 'IO')
          before.storage.release()
        }
        await again.flush()
        expect(again.status.role).toBe('error')
        again.shutdown()
        await again.flush()
      }
    },
    'closed while it opens, or loads': async () => {
      const closed = play({ stateMachine: new Saver() })
      closed.storage.hold('open')
      closed.boot().shutdown().settle()
      for (const steps of [0, 1]) {
        const before = await withSnapshot(play)
        before.storage.hold('snapshot')
        const node = play({ stateMachine: new Saver(), peers: ['a'], after: before }).boot()
        for (let step = 0; step < steps; step++) before.storage.releaseOne()
        before.settle()
        node.settle().shutdown()
        before.storage.release()
        await node.flush()
      }
      const before = await withSnapshot(play)
      const machine = new Saver()
      const way = gate()
      machine.load = () => way.passed
      const node = play({ stateMachine: machine, peers: ['a'], after: before }).boot()
      await node.flush()
      node.handle.core.toSnapshots({ type: 'save', asked: null })
      node.handle.core.toSnapshots({ type: 'offer', offer: offerOf(9), heardMs: 0, reply: () => {} })
      node.shutdown()
      await node.flush()
      way.open()
      await node.flush()
    },
    'a snapshot of another member': async () => {
      const node = follower(play)
      await node.flush()
      node.offer('c', { term: 1, lastIncludedIndex: 50 })
      node.offer('b', { term: 2, lastIncludedIndex: 1 })
      node.offer('b', { term: 2, lastIncludedIndex: 50 })
      node.offer('b', { term: 2, lastIncludedIndex: 50 })
      node.snapshot()
      node.settle().offer('b', { term: 2, lastIncludedIndex: 60 })
      node.copied('failed', { version: -1 })
      node.copied('finished', { version: -1 })
      node.copied('failed')
      node.offer('b', { term: 2, lastIncludedIndex: 60 })
      node.offer('c', { term: 2, lastIncludedIndex: 60 })
      node.settle().offer('c', { term: 5, lastIncludedIndex: 60 })
      node.offer('c', { term: 5, lastIncludedIndex: 60 })
      node.handle.actor.send({ type: 'term.higher', term: 9 })
      await node.flush()
      node.offer('b', { term: 9, lastIncludedIndex: 60 })
      node.copied('failed', { kind: 'local' })
      await node.flush()
      expect(node.status.role).toBe('error')
      for (const role of ['candidate', 'leader'] as const) {
        const busy = play({ stateMachine: new Saver() }).boot()
        if (role === 'candidate') busy.stand()
        else busy.establish()
        busy.offer('b', { term: 1, lastIncludedIndex: 60 })
        busy.offer('b', { term: 9, lastIncludedIndex: 60 })
        busy.shutdown().settle()
      }
    },
    'a snapshot of another member, fetched': async () => {
      const node = follower(play)
      await node.flush()
      node.offer('b', { term: 2, lastIncludedIndex: 50, lastIncludedTerm: 2 })
      await node.publishCopy(50, 2)
      node.copied('finished')
      node.offer('b', { term: 2, lastIncludedIndex: 50, lastIncludedTerm: 2 })
      await node.flush()
      expect(node.status).toMatchObject({ firstIndex: 51, commitIndex: 50, appliedIndex: 50 })
    },
    // Given up now, it would be on the disk and nobody would know: an older one could take its place.
    'a term that ends while what was fetched is made the newest': async () => {
      const machine = new Saver()
      machine.load = () => undefined
      const node = follower(play, machine)
      await node.flush()
      node.storage.hold('snapshot')
      node.offer('b', { term: 2, lastIncludedIndex: 50, files: 0, bytes: 0 })
      node.settle().storage.releaseOne()
      node.settle().handle.actor.send({ type: 'term.higher', term: 9 })
      await node.flush()
      const older = node.offer('c', { term: 9, lastIncludedIndex: 40 })
      node.settle().storage.release()
      await node.flush()
      expect(older.response).toMatchObject({ state: 'busy' })
      expect(node.status).toMatchObject({ firstIndex: 51, commitIndex: 50, appliedIndex: 50, term: 9 })
    },
    'user code that fails a starting node': async () => {
      const before = await withSnapshot(play)
      const node = play({ stateMachine: new Saver(), peers: ['a'], after: before })
      node.storage.hold('snapshot')
      node.boot().handle.actor.send({ type: 'apply.failed', error: new Error('odd') })
      node.storage.release()
      await node.flush()
    },
  }
}

function offerOf(index: number) {
  const meta = { lastIncludedIndex: index, lastIncludedTerm: 2, peers: ABC, oldPeers: [] }
  return { from: 'b', id: { index, term: 2 }, meta, bytes: 1, files: 1, takenAtMs: 1 }
}

async function alone(play: Play, stateMachine: Saver, tuning = {}): Promise<NodeRig> {
  const node = play({ peers: ['a'], stateMachine, tuning: { snapshotIntervalMs: 0, ...tuning } }).boot()
  node.propose({ put: 0 })
  await node.flush()
  return node
}

/** A member that has taken a snapshot and was closed; its disk is there. */
async function withSnapshot(play: Play): Promise<NodeRig> {
  const node = await alone(play, new Saver())
  node.snapshot()
  await node.flush()
  node.shutdown()
  await node.flush()
  return node
}

function follower(play: Play, stateMachine = new Saver()): NodeRig {
  const node = play({ stateMachine, tuning: { snapshotIntervalMs: 0 } }).boot()
  node.append('b', { term: 2, entries: [configurationEntry(1, 2, ABC), dataEntry(2, 2)], committedIndex: 1 })
  return node.settle()
}
