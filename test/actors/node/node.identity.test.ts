// Members that have come back with other files: what they say counts nowhere until they have been taken in again.

import { describe, expect, it } from 'vitest'
import { decodeConfiguration, encodeConfiguration } from '../../../src/log/configuration-codec.ts'
import { type Configuration, EntryType, type LogEntry } from '../../../src/rules/types.ts'
import { MemoryLogger } from '../../transport/support/memory-logger.ts'
import { says } from '../support/fake-rpc.ts'
import { ELECTION_MS, type NodeRig, type RigOptions, rig } from '../support/node-rig.ts'

const RECORD = { a: 1, b: 7, c: 3 }

/** A log whose first entry records these files. */
function recorded(over: Partial<Configuration> = {}): LogEntry[] {
  const configuration = { peers: ['a', 'b', 'c'], oldPeers: [], identities: RECORD, ...over }
  const data = encodeConfiguration(configuration)
  return [{ index: 1, term: 2, type: EntryType.CONFIGURATION, data }]
}

function member(options: RigOptions = {}, over: Partial<Configuration> = {}): NodeRig {
  const disk = { hardState: { term: 2, votedFor: null }, entries: recorded(over), identity: 1 }
  return rig({ disk, ...options })
}

/** Leads in term 3, elected by c, with its first entry at 2. */
function leader(options: RigOptions = {}, over: Partial<Configuration> = {}): NodeRig {
  const node = member(options, over).boot().seekElection()
  node.rpc.last('pre_vote', 'c').answer({ ...says.yes(2), identity: 3 })
  node.settle()
  node.rpc.last('request_vote', 'c').answer({ ...says.yes(3), identity: 3 })
  return node.settle()
}

/** This member acknowledges whatever is open, speaking of these files. */
function acknowledge(node: NodeRig, peer: string, identity: number): NodeRig {
  for (let round = 0; round < 20; round++) {
    const open = node.rpc.calls('append_entries').filter((call) => call.isOpen && call.to === peer)
    for (const call of open) {
      const { prevLogIndex, entries, term } = call.request
      call.answer({ term, success: true, lastLogIndex: prevLogIndex + entries.length, identity })
    }
    node.settle()
  }
  return node
}

function configurations(node: NodeRig): (Configuration | null)[] {
  return node.disk.entries.filter(({ type }) => type === EntryType.CONFIGURATION).map(decodeConfiguration)
}

describe('the vote of other files', () => {
  it('elects nobody, and a pre-vote of them starts no election', () => {
    const node = member().boot().seekElection()
    node.rpc.last('pre_vote', 'b').answer({ ...says.yes(2), identity: 8 })
    node.settle()
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 2 })
    node.rpc.last('pre_vote', 'c').answer({ ...says.yes(2), identity: 3 })
    node.settle()
    expect(node.handle.status().role).toBe('candidate')
    node.rpc.last('request_vote', 'b').answer({ ...says.yes(3), identity: 8 })
    node.settle()
    expect(node.handle.status().role).toBe('candidate')
    node.rpc.last('request_vote', 'c').answer({ ...says.yes(3), identity: 3 })
    node.settle()
    expect(node.handle.status().role).toBe('leader')
  })

  it('is warned of once for each of them, however often they answer', () => {
    const logger = new MemoryLogger()
    const node = member({ logger }).boot()
    const warnings = () => logger.lines.filter(({ message }) => message.includes('does not count'))
    for (const [identity, expected] of [
      [8, 1],
      [8, 1],
      [9, 2],
    ] as const) {
      while (node.rpc.calls('pre_vote').every(({ isOpen, to }) => !isOpen || to !== 'b')) node.advance(100)
      node.rpc.last('pre_vote', 'b').answer({ ...says.yes(2), identity })
      node.settle()
      expect(warnings()).toHaveLength(expected)
    }
  })

  it('counts when they are announced as little as before, and when they are recorded', () => {
    for (const [over, role] of [
      [{ newcomers: { b: 8 } }, 'candidate'],
      [{ identities: { ...RECORD, b: 8 } }, 'leader'],
    ] as const) {
      const node = member({}, over).boot().stand()
      node.rpc.last('request_vote', 'b').answer({ ...says.yes(3), identity: 8 })
      node.settle()
      expect(node.handle.status().role).toBe(role)
    }
  })

  it('counts when an operator vouches for them', () => {
    const node = member({ trusted: ['b'] })
      .boot()
      .stand()
    node.rpc.last('request_vote', 'b').answer({ ...says.yes(3), identity: 8 })
    node.settle()
    expect(node.handle.status().role).toBe('leader')
  })

  it('counts when it comes from a member of an earlier version', () => {
    const node = member().boot().stand().lead()
    expect(node.handle.status().role).toBe('leader')
  })
})

describe('what other files acknowledge', () => {
  it('commits nothing', () => {
    const node = leader()
    acknowledge(node, 'b', 8)
    expect(node.handle.status()).toMatchObject({ commitIndex: 0, lastIndex: 2 })
    expect(node.handle.status().replicators).toMatchObject([
      { peer: 'b', matchIndex: 2, counts: false },
      { peer: 'c', counts: true },
    ])
    acknowledge(node, 'c', 3)
    expect(node.handle.status().commitIndex).toBe(2)
  })

  it('is not added to what the files before had acknowledged', () => {
    const node = acknowledge(acknowledge(leader(), 'b', 7), 'c', 3)
    expect(node.handle.status().replicators).toMatchObject([{ peer: 'b', matchIndex: 2 }, { peer: 'c' }])
    node.advance(ELECTION_MS / 10)
    node.rpc.last('heartbeat', 'b').answer({ term: 3, success: false, lastLogIndex: 0, identity: 8 })
    node.settle()
    expect(node.handle.status().replicators[0]).toMatchObject({ matchIndex: 0, counts: false })
  })

  it('keeps no leader in office, and confirms no read', () => {
    const node = acknowledge(leader(), 'c', 3)
    const asked = node.query('x')
    node.settle()
    node.rpc.last('heartbeat', 'b').answer({ term: 3, success: true, lastLogIndex: 2, identity: 8 })
    node.settle()
    expect(asked.outcome).toBeNull()
    for (let ms = 0; ms < 3 * ELECTION_MS; ms += 50) {
      for (const call of node.rpc.calls('heartbeat').filter(({ to, isOpen }) => to === 'b' && isOpen))
        call.answer({ term: 3, success: true, lastLogIndex: 2, identity: 8 })
      node.advance(50)
    }
    expect(node.handle.status().role).not.toBe('leader')
  })

  it('makes them nobody’s successor', () => {
    const node = acknowledge(acknowledge(leader(), 'c', 3), 'b', 8)
    node.rpc.last('append_entries', 'c')
    node.shutdown().settle()
    expect(node.rpc.calls('timeout_now').map(({ to }) => to)).toEqual(['c'])
  })
})

describe('taking other files in', () => {
  /** Check-quorum comes round while c is in touch. */
  function check(node: NodeRig): NodeRig {
    for (let ms = 0; ms < ELECTION_MS; ms += 50) {
      for (const call of node.rpc.calls('heartbeat').filter(({ to, isOpen }) => to === 'c' && isOpen))
        call.answer({ term: 3, success: true, lastLogIndex: call.request.prevLogIndex, identity: 3 })
      node.advance(50)
    }
    return node
  }

  it('takes an entry that the others commit, and another one', () => {
    const node = acknowledge(acknowledge(leader(), 'c', 3), 'b', 8)
    check(node)
    expect(configurations(node).at(-1)).toMatchObject({ identities: RECORD, newcomers: { b: 8 } })
    acknowledge(node, 'b', 8)
    expect(node.handle.status()).toMatchObject({ lastIndex: 3, commitIndex: 2 })
    check(node)
    expect(node.handle.status().lastIndex).toBe(3)
    acknowledge(node, 'c', 3)
    expect(node.handle.status()).toMatchObject({ commitIndex: 3 })
    check(node)
    expect(configurations(node).at(-1)).toMatchObject({ identities: { ...RECORD, b: 8 } })
    expect(configurations(node).at(-1)).not.toHaveProperty('newcomers')
    acknowledge(node, 'b', 8)
    expect(node.handle.status()).toMatchObject({ lastIndex: 4, commitIndex: 4 })
    expect(node.handle.status().replicators[0]).toMatchObject({ counts: true })
    check(node)
    expect(node.handle.status().lastIndex).toBe(4)
  })

  it('waits until they hold everything committed', () => {
    const node = acknowledge(leader(), 'c', 3)
    node.rpc.last('append_entries', 'b').answer({ term: 3, success: false, lastLogIndex: 0, identity: 8 })
    check(check(node.settle()))
    expect(node.handle.status().lastIndex).toBe(2)
  })
})

describe('the record', () => {
  it('names in the first entry the files that are known by then, and the rest some time later', () => {
    const node = rig({ disk: { identity: 1 } })
      .boot()
      .seekElection()
    node.rpc.last('pre_vote', 'b').answer({ ...says.yes(1), identity: 7 })
    node.settle()
    node.rpc.last('request_vote', 'b').answer({ ...says.yes(2), identity: 7 })
    node.settle()
    expect(configurations(node)).toMatchObject([{ identities: { a: 1, b: 7 } }])
    for (let ms = 0; ms < 3 * ELECTION_MS; ms += 50) {
      acknowledge(acknowledge(node, 'b', 7), 'c', 3)
      for (const call of node.rpc.calls('heartbeat').filter(({ isOpen }) => isOpen))
        call.answer({ term: 2, success: true, lastLogIndex: 1, identity: call.to === 'b' ? 7 : 3 })
      node.advance(50)
    }
    expect(configurations(node)).toHaveLength(2)
    expect(configurations(node)[1]).toMatchObject({ identities: RECORD })
  })
})

describe('a member that is known by other files than its own', () => {
  it('does not stand for election, not even when it is asked to', () => {
    const node = rig({ disk: { hardState: { term: 2, votedFor: null }, entries: recorded(), identity: 9 } })
    node.boot().follow('c', 2)
    node.advance(20 * ELECTION_MS)
    expect(node.rpc.calls('pre_vote')).toEqual([])
    expect(node.timeoutNow('c', 2).response).toMatchObject({ success: false })
  })

  it('elects itself when there is nobody else', () => {
    const entries = recorded({ peers: ['a'], identities: { a: 7 } })
    const node = rig({ peers: ['a'], disk: { hardState: { term: 2, votedFor: null }, entries, identity: 9 } })
    node.boot().advance(5 * ELECTION_MS)
    expect(node.handle.status().role).toBe('leader')
    expect(configurations(node).at(-1)).toMatchObject({ identities: { a: 9 } })
  })
})

describe('every answer', () => {
  it('says whose files it speaks of', () => {
    const node = member().boot()
    expect(node.requestVote('b', { term: 3, lastLogIndex: 1, lastLogTerm: 2 }).outcome).toBeNull()
    node.settle()
    expect(node.preVote('b', { term: 4 }).response).toMatchObject({ identity: 1 })
    expect(node.heartbeat('b', { term: 3 }).response).toMatchObject({ identity: 1 })
    expect(node.append('b', { term: 3 }).response).toMatchObject({ identity: 1 })
  })
})
