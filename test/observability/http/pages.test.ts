// Addresses, readiness and braft's page, on figures made up for it.

import { describe, expect, it } from 'vitest'
import type { HostFigures, NodeFigures } from '../../../src/observability/figures.ts'
import { isLocalHostHeader, parseHttpAddress } from '../../../src/observability/http/address.ts'
import { raftStat } from '../../../src/observability/http/raft-stat.ts'
import { readinessOf } from '../../../src/observability/http/readiness.ts'
import { ENTRIES, Histogram } from '../../../src/runtime/histogram.ts'
import type { NodeStatus, ReplicatorStatus } from '../../../src/status.ts'
import { FakeNode } from '../../client/fake-node.ts'

function nodeFigures(status: Partial<NodeStatus>, other: Partial<NodeFigures> = {}): NodeFigures {
  const none = new Histogram(ENTRIES).figures()
  return {
    status: { ...new FakeNode('n1', { peers: ['n1', 'n2', 'n3'] }).status(), ...status },
    ...{ configurationIndex: 7, changeStage: 'none', leaderContactMs: 12 },
    ...{ electionTimeoutMs: 1000, snapshotIntervalMs: 0, committedEntries: 0, appliedProposals: 0 },
    ...{ failedProposals: [], roles: [], readRounds: 0, readsInRounds: 0 },
    ...{ commitSeconds: none, applySeconds: none, appendEntries: none },
    ...other,
  }
}

const host = (...nodes: NodeFigures[]): HostFigures => ({
  ...{ id: 'n1', nodes, drops: [], busConnected: true, busReconnects: 0, storage: null },
})

describe('ready', () => {
  const follows = { role: 'follower', leader: 'n2', commitIndex: 9, appliedIndex: 9 } as const
  const why = (status: Partial<NodeStatus>) =>
    readinessOf(host(nodeFigures({ ...follows, ...status })), 10).why

  it('is whoever knows a leader and has applied nearly everything', () => {
    expect(why({})).toBe('ready')
    expect(why({ commitIndex: 19 })).toBe('ready')
    expect(why({ commitIndex: 20 })).toBe('Group demo has 11 committed entries to apply (at most 10).')
    expect(why({ leader: null })).toBe('Group demo knows no leader here.')
  })

  it('is nobody who has failed, starts, ends or is no member', () => {
    expect(why({ role: 'error', error: 'disk\nfull' })).toBe('Group demo has failed here: disk full')
    expect(why({ role: 'initializing' })).toBe('Group demo is initializing here.')
    expect(why({ role: 'shuttingDown' })).toBe('Group demo is shuttingDown here.')
    expect(why({ membership: 'waiting' })).toBe('Group demo has not added this member yet.')
    expect(why({ membership: 'removed' })).toBe('Group demo has removed this member.')
    expect(readinessOf(host(), 10).ready).toBe(false)
  })

  it('is nobody without a bus, unless it is alone; and one bad group is enough', () => {
    const lost = { ...host(nodeFigures(follows)), busConnected: false }
    expect(readinessOf(lost, 10)).toEqual({ ready: false, why: 'The bus is not connected.' })
    const alone = nodeFigures({ role: 'leader', leader: 'n1', peers: ['n1'] })
    expect(readinessOf({ ...host(alone), busConnected: false }, 10).ready).toBe(true)
    expect(readinessOf(host(nodeFigures(follows), nodeFigures({ group: 'b', leader: null })), 10).why).toBe(
      'Group b knows no leader here.',
    )
  })
})

describe('/raft_stat', () => {
  it("says of a follower what braft says, in braft's order", () => {
    const status = {
      role: 'follower',
      leader: 'n2',
      term: 3,
      firstIndex: 4,
      lastIndex: 9,
      lastTerm: 2,
    } as const
    const text = raftStat(host(nodeFigures({ ...status, durableIndex: 8, commitIndex: 8, appliedIndex: 7 })))
    expect(text).toBe(
      `[demo]
peer_id: n1
state: FOLLOWER
readonly: 0
term: 3
conf_index: 7
peers: n1 n2 n3
leader: n2
last_msg_to_now: 12
election_timer: timeout(1000ms) SCHEDULING
vote_timer: timeout(1000ms) STOPPED
stepdown_timer: timeout(1000ms) STOPPED
snapshot_timer: timeout(0ms) STOPPED
storage: [4, 9]
disk_index: 8
known_applied_index: 7
last_log_id: (index=9,term=2)
state_machine: Applying log_index=8
last_committed_index: 8
last_snapshot_index: 0
last_snapshot_term: 0
snapshot_status: IDLE
`,
    )
  })

  it('says of a leader who changes, what waits, and how each of the others is followed', () => {
    const replicator: ReplicatorStatus = {
      ...{ peer: 'n2', state: 'replicating', nextIndex: 12, matchIndex: 9, identity: 0, counts: true },
      ...{
        inFlightEntries: 2,
        inFlightFrames: 1,
        consecutiveErrors: 3,
        readonly: false,
        lastContactMs: 5,
        installing: null,
      },
    }
    const installing = { snapshotIndex: 5, doneBytes: 1, totalBytes: 2 }
    const replicators: ReplicatorStatus[] = [
      replicator,
      { ...replicator, peer: 'n3', state: 'installingSnapshot', installing, consecutiveErrors: 0 },
    ]
    const leader = {
      role: 'leader',
      state: 'active.leader.transferring',
      lastIndex: 11,
      commitIndex: 9,
    } as const
    const text = raftStat(
      host(nodeFigures({ ...leader, replicators, oldPeers: ['n1'] }, { changeStage: 'joint' })),
      'demo',
    )
    expect(text).toContain('state: TRANSFERRING\nreadonly: 0\n')
    expect(raftStat(host(nodeFigures({ refusesCommands: true })))).toContain('readonly: 1\n')
    expect(text).toContain('changing_conf: YES stage: STAGE_JOINT\nnew_peers: n1 n2 n3\nold_peers: n1\n')
    expect(text).toContain('pending_index: 10\npending_queue_size: 2\n')
    expect(text).toContain(
      'replicator_n1@n2: next_index=12 flying_append_entries_size=2 appending [10, 11] consecutive_error_times=3\n',
    )
    expect(text).toContain('flying_append_entries_size=2 installing snapshot {5}\n')
  })

  it('is nothing of a group that is not here', () => {
    expect(raftStat(host(nodeFigures({})), 'other')).toBeUndefined()
    expect(raftStat(host())).toBe('')
  })
})

describe('an address', () => {
  it.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['9464', { host: '127.0.0.1', port: 9464 }],
    ['[::1]:1', { host: '::1', port: 1 }],
    ['0.0.0.0:0', { host: '0.0.0.0', port: 0 }],
    ['my-host.example:80', { host: 'my-host.example', port: 80 }],
  ])('%s is understood', (text, address) => expect(parseHttpAddress(text)).toEqual(address))

  it.each(['', 'x', ':80', '127.0.0.1', '127.0.0.1:65536', 'a b:1', 'http://x:1', '::1:80', '1:2:3'])(
    '%j is refused',
    (text) => expect(() => parseHttpAddress(text)).toThrow(/is no address to listen on: give HOST:PORT/),
  )

  it.each([
    ['localhost:9464', true],
    ['127.0.0.1', true],
    ['[::1]:9', true],
    [undefined, true],
    ['localhost.evil.example', false],
    ['127.0.0.1.evil.example', false],
    ['10.0.0.1:9464', false],
  ])('%s as Host is local: %s', (header, local) => expect(isLocalHostHeader(header)).toBe(local))
})
