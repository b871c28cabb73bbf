// Members that an operator forces on one member, at the node: in force at once, in a later term, and not forgotten silently
// (braft reset_peers, which forgets them in a crash).

import { describe, expect, it } from 'vitest'
import { decodeConfiguration, encodeConfiguration } from '../../../src/log/configuration-codec.ts'
import { type Configuration, EntryType, type LogEntry } from '../../../src/rules/types.ts'
import { encodeValue } from '../../../src/transport/wire/codec.ts'
import { configurationEntry } from '../../log/support/entries.ts'
import { MemoryLogger } from '../../transport/support/memory-logger.ts'
import { says } from '../support/fake-rpc.ts'
import { type Asked, type NodeRig, type RigOptions, rig } from '../support/node-rig.ts'
import { Saver } from '../support/saver.ts'

type Told = { ok: true } | { ok: false; error: { code: string } }

const commandEntry = (index: number, term: number): LogEntry => ({
  ...{ index, term, type: EntryType.DATA, data: encodeValue({ put: index }) },
})

const codeOf = ({ outcome }: Asked<Told>): string | null =>
  outcome === null ? null : outcome.ok ? 'ok' : outcome.error.code

/** A follower of b in term 2, with the first entry of that term and a command, none of it committed. */
function follower(options: RigOptions = {}): NodeRig {
  const node = rig(options).boot().follow('b', 2)
  const entries = [configurationEntry(1, 2, ['a', 'b', 'c']), commandEntry(2, 2)]
  node.append('b', { term: 2, entries })
  return node.settle()
}

const configurations = (node: NodeRig) =>
  node.disk.entries.filter(({ type }) => type === EntryType.CONFIGURATION).map(decodeConfiguration)
const peersOnDisk = (node: NodeRig) => configurations(node).at(-1)?.peers

describe('a member alone', () => {
  it('leads at once when it owes nobody a vote any more, and has committed what it had', () => {
    const node = follower().advance(5000)
    const asked = node.reset('a')
    expect(asked.outcome).toMatchObject({ ok: true, configuration: { peers: ['a'], oldPeers: [] } })
    expect(node.status).toMatchObject({ role: 'leader', peers: ['a'], commitIndex: 3, resetPending: false })
    expect(peersOnDisk(node)).toEqual(['a'])
  })

  it('keeps the promise that it gave to its leader, and says meanwhile that a crash would forget it', () => {
    const node = follower({ tuning: { leaderLease: true } })
    const asked = node.reset('a')
    expect(node.status).toMatchObject({
      term: 4,
      peers: ['a'],
      oldPeers: [],
      leader: null,
      resetPending: true,
    })
    expect([node.state, asked.outcome, peersOnDisk(node)]).toEqual([
      'candidate.requestingVotes',
      null,
      ['a', 'b', 'c'],
    ])
    expect(node.heard).toContain('leader nobody 3')
    node.advance(2100)
    expect([node.status.role, codeOf(asked), node.status.resetPending]).toEqual(['leader', 'ok', false])
  })

  it('is in force and answers when the entry is on disk, not before', () => {
    const node = follower().advance(5000)
    node.storage.hold('append')
    const asked = node.reset('a')
    expect([node.status.role, node.status.peers, node.status.resetPending]).toEqual(['leader', ['a'], true])
    expect(asked.outcome).toBe(null)
    node.storage.release()
    node.settle()
    expect([codeOf(asked), node.status.resetPending]).toEqual(['ok', false])
  })

  it('is what a restart finds', () => {
    const node = follower().advance(5000)
    expect(codeOf(node.reset('a'))).toBe('ok')
    node.shutdown().settle().advance(10_000)
    const again = rig({ after: node }).boot().advance(5000)
    expect(again.status).toMatchObject({ role: 'leader', peers: ['a'], commitIndex: 4 })
  })

  it('ends a joint configuration that nobody could finish', () => {
    const node = follower()
    const joint = configurationEntry(3, 2, ['a', 'd', 'e'], ['a', 'b', 'c'])
    node.append('b', { term: 2, prevLogIndex: 2, prevLogTerm: 2, entries: [joint] })
    node.settle().advance(5000)
    expect(node.status.oldPeers).toEqual(['a', 'b', 'c'])
    expect(codeOf(node.reset('a'))).toBe('ok')
    expect(node.status).toMatchObject({ role: 'leader', peers: ['a'], oldPeers: [], commitIndex: 4 })
  })

  it('leads with the files that it has, whatever the group knew it by, and though it never led', () => {
    const record = { peers: ['a', 'b', 'c'], oldPeers: [], identities: { a: 1, b: 2 }, priorities: { a: 0 } }
    const disk = { hardState: { term: 2, votedFor: null }, identity: 7 }
    const node = rig({ disk, configuration: record }).boot().advance(5000)
    expect(node.status.role).toBe('follower')
    expect(codeOf(node.reset('a'))).toBe('ok')
    expect(configurations(node).at(-1)).toMatchObject({ peers: ['a'], identities: { a: 7 } })
    expect(configurations(node).at(-1)?.priorities).toBe(undefined)
  })

  it('leaves its office for it, without naming an heir', () => {
    const node = rig().boot().establish()
    const lost = node.propose({ put: 1 })
    node.settle()
    const asked = node.reset('a')
    expect(node.heard.filter((line) => line.startsWith('role leader'))).toEqual([
      'role leader→follower 3 RESET_PEERS',
    ])
    expect([codeOf(lost), node.rpc.calls('timeout_now')]).toEqual(['LEADERSHIP_LOST', []])
    expect([codeOf(asked), node.status.term, node.status.peers]).toEqual(['ok', 4, ['a']])
  })

  it('is a matter for errors in the log, with those who were and those who are', () => {
    const logger = new MemoryLogger()
    const node = follower({ logger }).advance(5000)
    node.reset('a')
    expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({
        fields: expect.objectContaining({ before: ['a', 'b', 'c'], after: ['a'] }),
        message: expect.stringMatching(/forced the members of g on a: a, before a, b, c\./),
      }),
    ])
  })
})

describe('a member among others', () => {
  const withD = (options: RigOptions = {}) => follower(options).advance(5000)

  it('asks them, and nobody else, and waits for them; what is written then is what was forced', () => {
    const node = withD()
    const before = node.rpc.calls('pre_vote').length
    const asked = node.reset('a', 'd')
    expect([node.status.role, node.status.resetPending, node.status.peers]).toEqual([
      'follower',
      true,
      ['a', 'd'],
    ])
    node.seekElection()
    expect(
      node.rpc
        .calls('pre_vote')
        .slice(before)
        .map(({ to }) => to),
    ).toEqual(['d'])
    node.rpc.last('pre_vote', 'd').answer(says.yes(0))
    node.settle()
    expect([node.status.role, asked.outcome]).toEqual(['candidate', null])
    node.rpc.last('request_vote', 'd').answer(says.yes(node.status.term))
    node.settle()
    expect([node.status.role, codeOf(asked), peersOnDisk(node)]).toEqual(['leader', 'ok', ['a', 'd']])
  })

  it.each<[string, Partial<Configuration>]>([
    ['it was a learner', { peers: ['b', 'c'], learners: ['a'] }],
    ['it had been removed', { peers: ['b', 'c'] }],
    ['it had come back with other files', { peers: ['a', 'b', 'c'], identities: { a: 1, b: 2 } }],
  ])('stands for election with them, though %s', (_, over) => {
    const data = encodeConfiguration({ peers: [], oldPeers: [], ...over })
    const entries = [{ index: 1, term: 2, type: EntryType.CONFIGURATION, data }]
    const disk = { hardState: { term: 2, votedFor: null }, entries, identity: 7 }
    const node = rig({ disk }).boot().advance(5000)
    expect([node.state, node.rpc.calls('pre_vote')]).toEqual(['follower.waiting', []])
    node.reset('a', 'd')
    expect(
      node
        .seekElection()
        .rpc.calls('pre_vote')
        .map(({ to }) => to),
    ).toEqual(['d'])
  })

  it('says after a while that it is in memory only; whoever asks again waits again', () => {
    const node = withD()
    const { term } = node.status
    const first = node.reset('a', 'd')
    node.advance(4000)
    expect(first.outcome).toMatchObject({
      ok: false,
      error: { code: 'TIMEOUT', outcome: 'unknown', retryableIfIdempotent: true },
    })
    expect(first.outcome).toMatchObject({
      error: { message: expect.stringMatching(/in memory only: .* before it or d leads forgets it/) },
    })
    expect(node.status).toMatchObject({ resetPending: true, peers: ['a', 'd'], term: term + 1 })
    const again = node.reset('d', 'a')
    expect([again.outcome, node.status.term]).toEqual([null, term + 1])
    const third = node.reset('a')
    expect([codeOf(again), codeOf(third)]).toEqual(['CONFLICT', 'ok'])
  })

  it('learns from the one of them that leads, which may have changed them since', () => {
    const node = withD()
    const asked = node.reset('a', 'd')
    const { term } = node.status
    const entries = [
      configurationEntry(3, term + 1, ['a', 'd']),
      configurationEntry(4, term + 1, ['a', 'd', 'e']),
    ]
    node.storage.hold('append')
    node.append('d', { term: term + 1, prevLogIndex: 2, prevLogTerm: 2, entries })
    node.settle()
    expect([asked.outcome, node.status.resetPending, node.status.peers]).toEqual([
      null,
      true,
      ['a', 'd', 'e'],
    ])
    node.storage.release()
    node.settle()
    expect([codeOf(asked), node.status.resetPending]).toEqual(['ok', false])
  })

  it('stands by what was forced while an older log is put right', () => {
    const node = withD()
    const asked = node.reset('a', 'd')
    const { term } = node.status
    node.append('d', { term: term + 1, prevLogIndex: 1, prevLogTerm: 2, entries: [commandEntry(2, 3)] })
    node.settle()
    expect([node.status.peers, node.status.resetPending, asked.outcome]).toEqual([['a', 'd'], true, null])
    const entries = [configurationEntry(3, term + 1, ['a', 'd'])]
    node.append('d', { term: term + 1, prevLogIndex: 2, prevLogTerm: 3, entries })
    node.settle()
    expect([codeOf(asked), node.status.resetPending]).toEqual(['ok', false])
  })

  it('stands by it when its own snapshot takes the place of the log', async () => {
    const node = withD({ stateMachine: new Saver() })
    const { term: before } = node.status
    node.heartbeat('b', { term: before, prevLogIndex: 2, prevLogTerm: 2, committedIndex: 2 })
    await node.flush()
    node.snapshot()
    await node.flush()
    const more = { prevLogIndex: 2, prevLogTerm: 2, committedIndex: 3, entries: [commandEntry(3, 2)] }
    node.append('b', { term: before, ...more })
    await node.flush()
    const asked = node.reset('a', 'd')
    node.snapshot()
    await node.flush()
    expect(node.status).toMatchObject({ firstIndex: 3, peers: ['a', 'd'], resetPending: true })
    const { term } = node.status
    const entries = [configurationEntry(4, term + 1, ['a', 'd'])]
    node.append('d', { term: term + 1, prevLogIndex: 3, prevLogTerm: 2, entries })
    node.settle()
    expect(codeOf(asked)).toBe('ok')
  })

  it('is overruled by a leader of other members, and says so', () => {
    const logger = new MemoryLogger()
    const node = withD({ logger })
    const asked = node.reset('a', 'd')
    const { term } = node.status
    const entries = [configurationEntry(3, term + 1, ['a', 'b', 'c'])]
    node.append('b', { term: term + 1, prevLogIndex: 2, prevLogTerm: 2, entries })
    node.settle()
    expect([codeOf(asked), node.status.resetPending, node.status.peers]).toEqual([
      'CONFLICT',
      false,
      ['a', 'b', 'c'],
    ])
    expect(logger.lines.some(({ level, message }) => level === 'error' && message.includes('lives'))).toBe(
      true,
    )
  })
})

describe('nothing is forced', () => {
  it.each<[string, string[], string]>([
    ['without anybody', [], 'INVALID'],
    ['with one named twice', ['a', 'a'], 'INVALID'],
    ['without the told one', ['b'], 'INVALID'],
    ['when it is so already', ['c', 'b', 'a'], 'ok'],
  ])('%s', (_, peers, code) => {
    const node = follower()
    const { term, lastIndex } = node.status
    expect(codeOf(node.reset(...peers))).toBe(code)
    expect(node.status).toMatchObject({
      term,
      lastIndex,
      peers: ['a', 'b', 'c'],
      leader: 'b',
      resetPending: false,
    })
  })

  it('while this leader changes the members, and it says when', () => {
    const node = rig().boot().establish()
    node.changeTo('a', 'b', 'c', 'd')
    expect(node.reset('a').outcome).toMatchObject({ ok: false, error: { code: 'BUSY', retryable: true } })
    expect([node.status.role, node.status.peers]).toEqual(['leader', ['a', 'b', 'c']])
  })

  it('on a node that takes part in nothing', () => {
    const node = follower()
    node.storage.fail('append')
    node.append('b', { term: 2, prevLogIndex: 2, prevLogTerm: 2, entries: [commandEntry(3, 2)] })
    node.settle()
    expect([node.status.role, codeOf(node.reset('a'))]).toEqual(['error', 'NODE_FAILED'])
    node.shutdown().settle().advance(10_000)
    expect(codeOf(node.reset('a'))).toBe('SHUTDOWN')
  })

  it('and whoever waits hears when the node ends', () => {
    const node = follower().advance(5000)
    const asked = node.reset('a', 'd')
    node.handle.destroy()
    node.handle.abandon()
    expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'SHUTDOWN', outcome: 'unknown' } })
  })
})
