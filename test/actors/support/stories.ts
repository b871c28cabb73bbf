// Lives of nodes, or parts of them: told to live actors they visit every state and take every transition of the charts.

import { expect } from 'vitest'
import type { InspectionEvent } from 'xstate'
import { encodeValue } from '../../../src/transport/wire/codec.ts'
import { configurationEntry, dataEntries, dataEntry } from '../../log/support/entries.ts'
import { says } from './fake-rpc.ts'
import { membershipStories } from './membership-stories.ts'
import { type NodeRig, type RigOptions, rig } from './node-rig.ts'
import { replicatorRig } from './replication-world.ts'
import { shippingStories } from './shipping-stories.ts'
import { sleepingStories } from './sleeping-stories.ts'
import { snapshotStories } from './snapshot-stories.ts'

const ABC = ['a', 'b', 'c']
const LOG_OF_TERM_2 = { hardState: { term: 2, votedFor: null }, entries: [configurationEntry(1, 2, ABC)] }
const LEASES = { leaderLease: true } as const
const fromLeader = (term: number) => ({ term, prevLogIndex: 0, prevLogTerm: 0 })

/** What may happen to a candidate as well as to a leader. */
const disturbances: readonly ((node: NodeRig) => unknown)[] = [
  (node) => node.preVote('b', { term: 9 }),
  (node) => node.requestVote('b', { term: 1 }),
  (node) => node.requestVote('b', { term: 9, lastLogIndex: 9, lastLogTerm: 9 }),
  (node) => node.append('b', fromLeader(1)),
  (node) => node.append('b', fromLeader(9)),
  (node) => node.heartbeat('b', fromLeader(1)),
  (node) => node.heartbeat('b', fromLeader(9)),
  (node) => node.timeoutNow('b', 1),
  (node) => node.timeoutNow('b', 9),
  (node) => node.readIndex('b', 2),
  (node) => node.getFile('b', { term: 2 }),
  (node) => node.handle.actor.send({ type: 'term.higher', term: 1 }),
  (node) => node.handle.actor.send({ type: 'term.higher', term: 9 }),
  (node) => node.handle.actor.send({ type: 'fatal', error: new Error('odd') }),
  (node) => node.propose({ put: 1 }),
  (node) => node.query('q'),
  (node) => node.changeTo('a'),
  (node) => node.advance(100).rpc.calls('heartbeat')[0]?.answer({ term: 2, success: true, lastLogIndex: 0 }),
]

/** Each story is a life of a node, or part of one, watched by `inspect`. */
export function storiesFor(
  inspect: (event: InspectionEvent) => void,
): Readonly<Record<string, () => void | Promise<void>>> {
  const play = (options: RigOptions = {}): NodeRig => rig({ ...options, inspect })

  return {
    ...snapshotStories(inspect),
    ...membershipStories(inspect),
    'a life of its own': () => {
      const node = play({ peers: ['a'] }).boot()
      node.propose({ put: 1 })
      node.query('q')
      node.settle().shutdown().settle()
    },
    'a leader that is known to be gone': () => {
      const node = play().boot().follow('b', 2)
      node.rpc.loses('b')
      node.settle().advance(30).shutdown().settle()
    },
    'closed before it was started': () => {
      const node = play()
      node.handle.actor.start()
      node.shutdown()
    },
    'asked before it is ready': () => {
      const node = play()
      node.storage.hold('open')
      node.boot()
      node.propose({ put: 1 })
      node.query('q')
      node.settle()
      node.handle.core.send({
        type: 'rpc.read_index',
        method: 'read_index',
        from: 'b',
        message: { term: 1 },
        reply: () => {},
        receivedMs: 0,
      })
      node.shutdown().settle()
    },
    'a start that fails, four times': () => {
      const broken = play()
      broken.storage.fail('open')
      broken.boot().shutdown().settle()
      play({
        disk: { firstIndex: 5, entries: dataEntries(5, 1, 2), hardState: { term: 2, votedFor: null } },
      }).boot()
      const lost = play({ disk: { entries: dataEntries(1, 1, 2) } })
      lost.storage.fail('hardState')
      lost.boot()
      const odd = play()
      odd.storage.hold('open')
      odd.boot().handle.actor.send({ type: 'fatal', error: new Error('odd') })
    },
    'a healed record': () => {
      play({ disk: { entries: dataEntries(1, 1, 2) } }).boot()
    },
    'no configuration until somebody brings one': () => {
      const node = play({ peers: [] }).boot().advance(3000)
      node.append('b', { term: 2, entries: [configurationEntry(1, 2, ABC)] })
      node.settle()
    },
    'removed while it was down': () => {
      const entries = [configurationEntry(1, 2, ABC)]
      const node = play({ disk: { entries, hardState: { term: 2, votedFor: null } } })
        .boot()
        .seekElection()
      node.rpc.last('pre_vote', 'b').answer(says.removedBy(2, 2, 2))
      node.settle()
    },
    'a follower and its leaders': () => {
      const node = play().boot()
      node.append('b', { ...fromLeader(2), entries: [configurationEntry(1, 2, ABC)] })
      node.settle()
      node.append('b', { ...fromLeader(2), entries: [configurationEntry(1, 2, ABC)] })
      for (const kind of ['append', 'heartbeat'] as const) {
        node[kind]('c', fromLeader(1))
        const { term } = node.handle.status()
        node[kind]('b', fromLeader(term + 1))
        node.settle()[kind]('b', fromLeader(term + 1))
        node[kind]('c', fromLeader(term + 1))
        node.settle()
      }
      node.propose({ put: 1 })
      node.query('q')
      node.preVote('b', { term: 50 })
      node.requestVote('b', { term: 1 })
      node.readIndex('b', 1)
      node.requestVote('b', { term: 60, lastLogIndex: 9, lastLogTerm: 9 })
      node.requestVote('b', { term: 60, lastLogIndex: 9, lastLogTerm: 9 })
      node.settle()
      node.timeoutNow('b', 1)
      node.timeoutNow('b', 61)
      node.settle().handle.actor.send({ type: 'term.higher', term: 1 })
      node.handle.actor.send({ type: 'term.higher', term: 99 })
      node.settle().shutdown().settle()
    },
    'a follower whose user code and disk fail': () => {
      for (const kind of ['append', 'hardState'] as const) {
        const node = play().boot().follow('b', 2)
        node.storage.fail(kind)
        node.append('b', { ...fromLeader(3), entries: [configurationEntry(1, 3, ABC)] })
        node.settle()
        node.propose({ put: 1 })
        node.query('q')
        node.settle().shutdown().settle()
      }
      const thrower = play({ peers: ['a'] }).boot()
      thrower.propose({ throw: 'no' })
      thrower.propose({ put: 1 })
      thrower.settle()
      thrower.query('q', 'local')
      thrower.settle().shutdown().advance(2000)
      const contradicted = play({ disk: LOG_OF_TERM_2 }).boot()
      contradicted.append('b', { ...fromLeader(2), prevLogIndex: 1, prevLogTerm: 2, committedIndex: 1 })
      contradicted.append('b', { ...fromLeader(3), entries: [dataEntry(1, 3)] })
      contradicted.settle()
    },
    'a transfer, and several that come to nothing': () => {
      const follower = play().boot().follow('b', 2)
      follower.transfer('b')
      const node = play({ tuning: LEASES }).boot().lead()
      node.transfer('b')
      node.acknowledge()
      node.transfer('x')
      node.transfer('b')
      node.propose({ put: 1 })
      node.transfer('c')
      node.change({ kind: 'set', members: [{ id: 'a' }] })
      node.rpc.last('timeout_now', 'b').answer({ term: 2, success: false })
      node.transfer('b')
      for (let i = 0; i < 10; i++) {
        node.advance(100)
        for (const call of node.rpc.calls('heartbeat'))
          if (call.isOpen) call.answer({ term: 2, success: true, lastLogIndex: 1 })
      }
      node.transfer('b')
      node.handle.actor.send({ type: 'term.higher', term: 3 })
      node.settle().advance(2000)
      node.shutdown().settle()
    },
    'asked to stand for election': () => {
      const node = play({ tuning: LEASES }).boot().follow('b', 2)
      node.vote()
      node.heartbeat('b', { term: 2 })
      for (let i = 0; i < 60; i++) {
        node.advance(100)
        node.heartbeat('b', { term: 2 })
      }
      node.vote(50)
      node.shutdown().settle()
      play().boot().lead().vote()
      play({ peers: ['b', 'c'] })
        .boot()
        .vote()
    },
    'pre-votes': () => {
      const node = play().boot().seekElection()
      const old = node.rpc.last('pre_vote', 'b')
      node.advance(1000)
      old.answer(says.yes(1))
      node.rpc.last('pre_vote', 'b').answer(says.no(1))
      node.rpc.last('pre_vote', 'c').answer(says.no(7))
      node.settle().seekElection()
      node.timeoutNow('b', 7)
      node.settle()
      const patient = play({ tuning: LEASES, disk: LOG_OF_TERM_2 }).boot().advance(2100)
      patient.advance(1)
    },
    candidates: () => {
      const lost = play().boot().stand().advance(2000)
      lost.stand()
      const old = lost.rpc.calls('request_vote')[0]
      old?.answer(says.yes(3))
      lost.rpc.last('request_vote', 'b').answer(says.no(3))
      lost.rpc.last('request_vote', 'c').answer(says.no(9))
      lost.settle()
      const stubborn = play({ tuning: { stepDownWhenVoteTimedOut: false } })
        .boot()
        .stand()
      stubborn.rpc.last('request_vote', 'b').answer(says.no(2))
      stubborn.advance(2000)
      const leased = play({ tuning: LEASES }).boot().follow('b', 2)
      leased.timeoutNow('b', 2)
      leased.settle().advance(2000)
      for (const disturb of disturbances) {
        const node = play().boot().stand()
        disturb(node)
        node.settle()
      }
      const slow = play().boot().seekElection()
      slow.storage.hold('hardState')
      slow.rpc.last('pre_vote', 'b').answer(says.yes(1))
      slow.advance(2000).storage.release()
      slow.settle()
      // Two records wait for the disk: the first is not the candidacy.
      const twice = play().boot().follow('b', 2)
      twice.storage.hold('hardState')
      twice.heartbeat('b', fromLeader(3))
      twice.timeoutNow('b', 3)
      twice.settle().storage.release()
      twice.settle()
      const silent = play().boot().stand()
      silent.storage.fail('append')
      silent.shutdown().settle()
    },
    leaders: () => {
      for (const disturb of disturbances) {
        const node = play().boot().establish()
        disturb(node)
        node.settle()
      }
      play().boot().establish().advance(2000)
      const slept = play().boot().establish()
      slept.clock.sleep(1300)
      slept.advance(200)
      const stale = play().boot().establish()
      stale.handle.actor.send({ type: 'replica.matched', term: 1 })
      const reading = play().boot().establish()
      reading.query('q')
      reading.settle()
      for (const peer of ['b', 'c']) reading.rpc.last('heartbeat', peer).fail('TIMEOUT')
      reading.advance(100)
      reading.readIndex('b', 2)
      const failing = play().boot().establish()
      failing.storage.fail('append')
      failing.propose({ put: 1 })
      failing.settle().rpc.last('timeout_now', 'b').answer({ term: 3, success: true })
      failing.settle().shutdown().advance(2000)
      const leaving = play().boot().establish().shutdown().settle()
      leaving.propose({ put: 1 })
      leaving.query('q')
      leaving.rpc.last('timeout_now', 'b').answer({ term: 3, success: true })
      leaving.settle()
      play().boot().establish().shutdown().advance(1000)
      const endless = play({ peers: ['a'], tuning: { drainTimeoutMs: 100 } }).boot()
      endless.propose({ later: 'never' })
      endless.settle().shutdown().advance(100)
    },
    'user code that takes its time': async () => {
      for (const ending of ['well', 'badly', 'with a shutdown'] as const) {
        const node = play({ peers: ['a'] }).boot()
        node.propose({ later: 'slow' })
        node.propose({ put: 1 })
        node.settle()
        if (ending === 'with a shutdown') node.shutdown().settle()
        await node.machine.finish('slow', ending === 'badly' ? new Error('no') : undefined)
        node.settle()
        if (ending === 'well') node.shutdown().settle()
        node.handle.core.toApplyQueue({ type: 'leaderStop', reason: 'late' })
      }
      const node = play({ peers: ['a'] }).boot()
      node.storage.hold('close')
      node.shutdown().settle()
      node.handle.core.toApplyQueue({ type: 'leaderStop', reason: 'late' })
      node.advance(60_000)
    },
    'a log that is replaced': () => {
      const node = play().boot()
      node.append('b', { ...fromLeader(2), entries: [configurationEntry(1, 2, ABC), dataEntry(2, 2)] })
      node.append('c', { ...fromLeader(3), entries: [dataEntry(1, 3)] })
      node.settle()
    },
    'a log that gives way to a snapshot': () => {
      const node = play().boot()
      node.append('b', { ...fromLeader(2), entries: [configurationEntry(1, 2, ABC), dataEntry(2, 2)] })
      node.handle.core.life.logActor?.send({ type: 'truncatePrefix', firstKept: 2 })
      node.handle.core.life.logActor?.send({ type: 'reset', nextIndex: 9, termBefore: 2 })
      node.settle()
    },
    'a follower that missed much': () => {
      const stored = dataEntries(1, 20, 2, 40_000)
      const tuning = { maxEntriesPerFrame: 2 }
      const rig = replicatorRig({ stored, tuning, inspect })
      rig.refuse(0)
      rig.acknowledge()
      const [givenUp] = rig.disk.fetches
      rig.disk.answerFetches()
      givenUp?.done({ kind: 'entries', entries: stored.slice(0, 8) })
      rig.write(dataEntries(21, 1, 7))
      // The follower takes its time, and others write: they get the way.
      rig.clock.advance(10)
      rig.acknowledge()
      rig.acknowledge()
      expect(rig.state).toEqual({ replicating: 'givingWay' })
      rig.clock.advance(100)
      rig.clock.settle()
      const unreadable = replicatorRig({ stored, inspect })
      unreadable.refuse(0)
      unreadable.acknowledge()
      unreadable.disk.entries = []
      unreadable.disk.answerFetches()
      for (const when of ['before it was asked for', 'while it was read']) {
        const late = replicatorRig({ stored: dataEntries(11, 20, 2), termBeforeFirst: 2, inspect })
        late.refuse(when === 'while it was read' ? 10 : 5)
        if (when === 'while it was read') late.acknowledge()
        for (const { done } of late.disk.fetches) done({ kind: 'compacted', firstIndex: 15 })
        expect(late.state).toEqual({ installingSnapshot: 'opening' })
      }
    },
    ...sleepingStories(inspect),
    ...shippingStories(inspect),
    'one follower, seen by its leader': () => {
      const commands = dataEntries(2, 9, 2).map((entry) => ({ ...entry, data: encodeValue({ put: 1 }) }))
      const entries = [configurationEntry(1, 2, ['a', 'b']), ...commands]
      const node = play({
        peers: ['a', 'b'],
        tuning: { maxEntriesPerFrame: 3 },
        disk: { hardState: { term: 2, votedFor: null }, entries },
      })
      const open = () => node.rpc.calls('append_entries').filter((call) => call.isOpen)
      const answer = (at: number, success = true) => {
        open().at(at)?.answer({ term: 3, success, lastLogIndex: 4 })
        node.settle()
      }
      node.boot().lead()
      answer(0, false)
      answer(0)
      // Three frames fly; the second is answered before the first.
      answer(1)
      answer(0)
      open().at(0)?.fail('TIMEOUT')
      node.settle().advance(100)
      answer(0)
      node.propose({ put: 1 })
      node.settle()
      answer(1)
      answer(0)
      expect(node.handle.status().replicators[0]?.state).toBe('waiting')
      for (const put of [2, 3, 4, 5]) node.propose({ put })
      node.settle()
      // Refused while another frame flies: that one is answered while the logs are compared anew, which fails.
      answer(0, false)
      answer(0)
      open().at(-1)?.fail('TIMEOUT')
      node.settle()
      for (const beat of node.rpc.calls('heartbeat')) {
        if (beat.isOpen) beat.answer({ term: 3, success: true, lastLogIndex: 0 })
      }
      node.readIndex('b', 3)
      node.rpc.last('heartbeat', 'b').answer({ term: 3, success: true, lastLogIndex: 0 })
      node.settle()
      for (const state of ['probing', 'replicating'] as const) {
        const deposed = play({ peers: ['a', 'b'] })
          .boot()
          .lead()
        if (state === 'replicating') {
          deposed.rpc.last('append_entries', 'b').answer({ term: 2, success: true, lastLogIndex: 0 })
          deposed.settle()
        }
        deposed.rpc.last('append_entries', 'b').answer({ term: 9, success: false, lastLogIndex: 0 })
        deposed.settle()
      }
    },
  }
}
