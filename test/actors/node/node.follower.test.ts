// Following: what a follower takes, when it answers, what it commits.
// Traps T16, T25, T26, T32, T43, T44, INV-10 to INV-13.

import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../../../src/rules/types.ts'
import { encodeValue } from '../../../src/transport/wire/codec.ts'
import { configurationEntry, dataEntries, dataEntry } from '../../log/support/entries.ts'
import { rig } from '../support/node-rig.ts'

const ABC = ['a', 'b', 'c']
const FIRST = configurationEntry(1, 2, ABC)
const put = (index: number, term: number): LogEntry => ({
  ...dataEntry(index, term),
  data: encodeValue({ put: index }),
})

/** A member that follows b in term 2 and has its first entry. */
function follower() {
  const node = rig().boot()
  node.append('b', { term: 2, entries: [FIRST] })
  return node.settle()
}

describe('a leader that is heard', () => {
  it('is followed by a follower that knew none, which tells the user', () => {
    const node = follower()
    expect(node.state).toBe('follower.waiting')
    expect(node.handle.status()).toMatchObject({ term: 2, leader: 'b', votedFor: null })
    expect(node.heard.at(-1)).toBe('leader b 2')
    expect(node.machine.calls).toEqual(['startFollowing b 2 NEW_LEADER'])
  })

  it('of an earlier term is refused, and told the newer one', () => {
    const node = follower()
    const [append, beat] = [node.append('c', { term: 1 }), node.heartbeat('c', { term: 1 })]
    expect([append.response, beat.response]).toEqual([
      { term: 2, success: false, lastLogIndex: 1 },
      { term: 2, success: false, lastLogIndex: 1 },
    ])
    expect(node.handle.status().leader).toBe('b')
  })

  it('hears in every answer, refusals too, whether this member is read-only (trap T32)', () => {
    const node = follower()
    const answers = () => {
      const prev = { term: 2, prevLogIndex: 9, prevLogTerm: 2 }
      const all = [node.heartbeat('b', { term: 2 }), node.append('b', prev), node.append('c', { term: 1 })]
      node.settle()
      return all.map(({ response }) => ({ readonly: false, ...response }))
    }
    node.handle.setReadonly(true)
    expect(answers()).toMatchObject([
      { success: true, readonly: true },
      { success: false, readonly: true },
      { success: false, readonly: true },
    ])
    node.handle.setReadonly(false)
    expect(answers().map(({ readonly }) => readonly)).toEqual([false, false, false])
  })

  it('of a newer term takes the place of the older one', () => {
    const node = follower()
    node.heartbeat('c', { term: 5 })
    node.settle()
    expect(node.handle.status()).toMatchObject({ term: 5, leader: 'c' })
    expect(node.disk.hardState).toEqual({ term: 5, votedFor: null })
    expect(node.machine.calls.slice(1)).toEqual([
      'stopFollowing b 2 NEW_LEADER',
      'startFollowing c 5 NEW_LEADER',
    ])
    expect(node.heard.at(-1)).toBe('leader c 5')
  })

  it.each(['append', 'heartbeat'] as const)(
    'beside another one of its term brings both down: the next term is nobody’s (trap T16), %s',
    (kind) => {
      const node = follower()
      const answer = node[kind]('c', { term: 2 })
      node.settle()
      expect(node.handle.status()).toMatchObject({ role: 'follower', term: 3, leader: null, votedFor: null })
      expect(answer.response).toMatchObject({ success: false, term: 3 })
      expect(node.machine.calls.at(-1)).toBe('stopFollowing b 2 LEADER_CONFLICT')
      // The first leader falls as soon as it speaks again.
      expect(node.heartbeat('b', { term: 2 }).response).toMatchObject({ success: false, term: 3 })
    },
  )

  it.each(['append', 'heartbeat'] as const)('deposes a leader of the same term (trap T16), %s', (kind) => {
    const node = rig().boot().lead()
    const answer = node[kind]('b', { term: 2 })
    node.settle()
    expect(node.handle.status()).toMatchObject({ role: 'follower', term: 2, leader: 'b' })
    expect(answer.response).toMatchObject({ success: true })
    expect(node.heard.slice(-2)).toEqual(['role leader→follower 2 NEW_LEADER', 'leader b 2'])
  })

  it('ends a pre-vote', () => {
    const node = rig().boot().seekElection()
    node.heartbeat('b', { term: 1 })
    expect(node.settle().state).toBe('follower.waiting')
  })
})

describe('an acknowledgement', () => {
  it('leaves when the entries are durable, not before (paper section 5.3, INV-11)', () => {
    const node = follower()
    node.storage.hold('append')
    const answer = node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, entries: [put(2, 2)] })
    node.settle()
    expect(answer.outcome).toBeNull()
    expect(node.handle.status()).toMatchObject({ lastIndex: 2, durableIndex: 1 })
    node.storage.release()
    node.settle()
    expect(answer.response).toEqual({ term: 2, success: true, lastLogIndex: 2 })
    expect(node.disk.entries).toHaveLength(2)
  })

  it('of a repeated frame waits for the first one to be durable (trap T44)', () => {
    const node = follower()
    node.storage.hold('append')
    const frame = { term: 2, prevLogIndex: 1, prevLogTerm: 2, entries: [put(2, 2)] }
    const [first, again] = [node.append('b', frame), node.append('b', frame)]
    node.settle()
    expect([first.outcome, again.outcome]).toEqual([null, null])
    node.storage.release()
    node.settle()
    expect([first.response, again.response]).toMatchObject([{ success: true }, { success: true }])
    expect(node.disk.entries).toHaveLength(2)
  })

  it('of what has long been durable leaves at once, whatever is on its way (trap T43)', () => {
    const node = follower()
    node.storage.hold('append')
    node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, entries: [put(2, 2)] })
    const late = node.append('b', { term: 2, entries: [FIRST] })
    expect(late.response).toMatchObject({ success: true })
  })

  it('becomes negative when the term has changed while the disk was at work (trap T25)', () => {
    const node = follower()
    node.storage.hold('append')
    const answer = node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, entries: [put(2, 2)] })
    node.heartbeat('c', { term: 3 })
    node.settle()
    node.storage.release()
    node.settle()
    expect(answer.response).toMatchObject({ success: false, term: 3 })
  })

  it('never comes when the write fails: the node stops instead (INV-22)', () => {
    const node = follower()
    node.storage.fail('append')
    const answer = node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, entries: [put(2, 2)] })
    node.settle()
    expect(answer.outcome).toBeNull()
    expect(node.state).toBe('error')
    expect(node.handle.status().error).toBe('no space left on device')
  })
})

describe('the consistency check', () => {
  it('refuses a frame after a gap, naming the own last index and what is known of its term', () => {
    const node = follower()
    const answer = node.append('b', { term: 2, prevLogIndex: 7, prevLogTerm: 2, entries: [put(8, 2)] })
    const conflict = { conflictTerm: 2, conflictIndex: 1 }
    expect(answer.response).toEqual({ term: 2, success: false, lastLogIndex: 1, ...conflict })
    expect(node.handle.status().lastIndex).toBe(1)
  })

  it('refuses a frame after an entry of another term, naming that term and where it begins', () => {
    const node = follower()
    const mine = [2, 3, 4].map((index) => put(index, 2))
    node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, entries: mine })
    node.append('b', {
      term: 3,
      prevLogIndex: 4,
      prevLogTerm: 2,
      entries: [5, 6, 7].map((index) => put(index, 3)),
    })
    node.settle()
    const answer = node.append('c', { term: 5, prevLogIndex: 7, prevLogTerm: 4 })
    node.settle()
    const conflict = { conflictTerm: 3, conflictIndex: 5 }
    expect(answer.response).toEqual({ term: 5, success: false, lastLogIndex: 7, ...conflict })
  })

  it('replaces what conflicts, in memory at once and on disk in order', () => {
    const node = follower()
    node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, entries: [put(2, 2), put(3, 2)] })
    node.settle()
    const entries = [put(2, 3)]
    const answer = node.append('c', { term: 3, prevLogIndex: 1, prevLogTerm: 2, entries })
    expect(node.handle.status()).toMatchObject({ lastIndex: 2, lastTerm: 3, durableIndex: 1 })
    node.settle()
    expect(answer.response).toEqual({ term: 3, success: true, lastLogIndex: 2 })
    expect(node.disk.entries).toEqual([FIRST, ...entries])
  })

  it('stops the node when a committed entry is contradicted, and nothing is removed (INV-12)', () => {
    const node = follower()
    node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, committedIndex: 2, entries: [put(2, 2)] })
    node.settle()
    const answer = node.append('c', { term: 3, prevLogIndex: 1, prevLogTerm: 2, entries: [put(2, 3)] })
    node.settle()
    expect(node.state).toBe('error')
    expect(node.handle.status().error).toMatch(/"leader completeness".*term 3 at index 2, which is committed/)
    expect(answer.outcome).toBeNull()
    expect(node.disk.entries).toEqual([FIRST, put(2, 2)])
  })

  it('treats what a leader vouched for as settled even while it is not durable here', () => {
    const node = follower()
    node.storage.hold('append')
    node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, committedIndex: 2, entries: [put(2, 2)] })
    node.append('c', { term: 3, prevLogIndex: 1, prevLogTerm: 2, entries: [put(2, 3)] })
    node.settle()
    expect(node.state).toBe('error')
  })
})

describe('the commit index of a follower', () => {
  it('is bound by what the frame verified (trap T26, INV-10)', () => {
    const node = follower()
    node.append('b', {
      term: 2,
      prevLogIndex: 1,
      prevLogTerm: 2,
      entries: dataEntries(2, 4, 2).map((e) => put(e.index, 2)),
    })
    node.settle()
    node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, committedIndex: 9, entries: [put(2, 2)] })
    expect(node.settle().handle.status().commitIndex).toBe(2)
    node.heartbeat('b', { term: 2, prevLogIndex: 4, prevLogTerm: 2, committedIndex: 9 })
    expect(node.settle().handle.status().commitIndex).toBe(4)
    expect(node.machine.calls.slice(-3)).toEqual(['apply 2', 'apply 3', 'apply 4'])
  })

  it('does not believe a heartbeat whose position is not in the own log', () => {
    const node = follower()
    const beat = node.heartbeat('b', { term: 2, prevLogIndex: 5, prevLogTerm: 2, committedIndex: 9 })
    expect(beat.response).toEqual({ term: 2, success: false, lastLogIndex: 1 })
    expect(node.settle().handle.status().commitIndex).toBe(0)
  })

  it('waits for the own disk, and follows when it has confirmed', () => {
    const node = follower()
    node.storage.hold('append')
    node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, committedIndex: 2, entries: [put(2, 2)] })
    node.settle()
    expect(node.handle.status().commitIndex).toBe(1)
    node.storage.release()
    node.settle()
    expect(node.handle.status()).toMatchObject({ commitIndex: 2, appliedIndex: 2 })
  })

  it('never goes back', () => {
    const node = follower()
    node.heartbeat('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, committedIndex: 1 })
    node.heartbeat('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, committedIndex: 0 })
    expect(node.settle().handle.status().commitIndex).toBe(1)
  })
})

describe('a configuration (INV-13)', () => {
  it('is in force from the moment it is appended, before it is durable', () => {
    const node = follower()
    node.storage.hold('append')
    const entries = [configurationEntry(2, 2, ['a', 'b'])]
    node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, entries })
    expect(node.handle.status().peers).toEqual(['a', 'b'])
  })

  it('gives way to the one before when its entry is replaced', () => {
    const node = follower()
    node.append('b', {
      term: 2,
      prevLogIndex: 1,
      prevLogTerm: 2,
      entries: [configurationEntry(2, 2, ['a', 'b'])],
    })
    node.settle()
    node.append('c', { term: 3, prevLogIndex: 1, prevLogTerm: 2, entries: [put(2, 3)] })
    expect(node.handle.status().peers).toEqual(ABC)
  })

  it('gives way to the initial one when the whole log is replaced', () => {
    const node = rig({ peers: ['a', 'b'] }).boot()
    node.append('b', { term: 2, entries: [FIRST] })
    node.settle()
    node.append('b', { term: 3, entries: [put(1, 3)] })
    expect(node.handle.status().peers).toEqual(['a', 'b'])
  })

  it('that cannot be read is refused with its frame, and the log stays as it is', () => {
    const node = follower()
    const broken = { ...configurationEntry(2, 2, ABC), data: Uint8Array.of(7) }
    const answer = node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, entries: [broken] })
    expect(answer.errorCode).toBe('EINVAL')
    expect(node.handle.status()).toMatchObject({ role: 'follower', lastIndex: 1, leader: 'b' })
  })

  it('is told to the user when it is committed, if it is stable', () => {
    const node = follower()
    const entries = [configurationEntry(2, 2, ABC, ['a', 'b']), configurationEntry(3, 2, ['a', 'b'])]
    node.append('b', { term: 2, prevLogIndex: 1, prevLogTerm: 2, committedIndex: 3, entries })
    node.settle()
    expect(node.machine.calls.slice(1)).toEqual(['configuration a,b,c @1', 'configuration a,b @3'])
  })
})

describe('proposals on a follower', () => {
  it('are refused with the name of the leader, and are not applied', () => {
    const node = follower()
    const asked = node.propose({ put: 1 })
    node.settle()
    expect(asked.outcome).toMatchObject({
      ok: false,
      error: { code: 'NOT_LEADER', leader: 'b', outcome: 'not-applied', retryable: true },
    })
    expect(node.state).toBe('follower.waiting')
  })

  it('ND-04: without a leader all ten are refused, and the member stays in its place', () => {
    const node = rig().boot()
    const asked = Array.from({ length: 10 }, (_, put) => node.propose({ put }))
    node.settle()
    expect(asked.map(({ outcome }) => outcome)).toMatchObject(
      asked.map(() => ({ ok: false, error: { code: 'NO_LEADER', outcome: 'not-applied', retryable: true } })),
    )
    expect(node.state).toBe('follower.waiting')
  })

  it('of a candidate are refused as well', () => {
    const node = rig().boot().stand()
    const asked = node.propose({ put: 1 })
    expect(node.settle().state).toBe('candidate.requestingVotes')
    expect(asked.outcome).toMatchObject({ ok: false, error: { code: 'NO_LEADER' } })
  })
})
