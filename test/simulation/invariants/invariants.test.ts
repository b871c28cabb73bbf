import { describe, expect, it } from 'vitest'
import { type Configuration, EntryType } from '../../../src/rules/types.ts'
import { breaks, entry, Scene, settled } from '../support/scene.ts'

describe('an ordinary life', () => {
  it('of elections, replication, commits, restarts and overwritten tails breaks nothing', () => {
    const scene = settled()
    // A goes on alone, loses its office, and B leads on without A's tail.
    scene.append('A', entry(4, 1), entry(5, 1)).sync('A')
    scene.elect('B', 2, ['C'])
    const own = entry(4, 2, 'conf', EntryType.NO_OP)
    scene.append('B', own).sync('B').replicate('C', 'B', [own], 3).sync('C')
    scene.send({ kind: 'appendAck', from: 'C', to: 'B', term: 2, success: true, acknowledgedIndex: 4 })
    scene.see('B', { commitIndex: 4, appliedIndex: 3 })
    scene.stepDown('A', 2)
    const a = scene.member('A')
    scene.checker.durableWrite('A', { kind: 'truncateSuffix', lastKept: 3 }, a.durable)
    a.log.length = 3
    scene.replicate('A', 'B', [own], 4)
    scene.checker.durableWrite('A', { kind: 'append', entries: [own] }, a.durable)
    scene.sync('A').see('A', { commitIndex: 4 })
    for (const id of ['A', 'B', 'C']) scene.restart(id)
    scene.elect('C', 3, ['A'])
    scene.checker.finish()
    expect(scene.checker.committedIndex).toBe(4)
    expect(scene.checker.elections).toBe(3)
  })
})

describe('INV-1', () => {
  it('two leaders of one term', () => {
    const scene = new Scene().elect('A', 1, ['B'])
    const c = scene.member('C')
    c.hardState = { term: 1, votedFor: 'C' }
    scene.see('C', { term: 1, votedFor: 'C' })
    breaks('INV-1', () => scene.see('C', { role: 'leader' }), 'A and C both led term 1')
  })

  it('the same leader after the other stepped down, too', () => {
    const scene = new Scene().elect('A', 1, ['B'])
    scene.stepDown('A', 2)
    scene.vote('C', 1, 'C')
    breaks('INV-1', () => scene.see('C', { role: 'leader' }), 'both led term 1')
  })

  it('a leader whom no majority has promised its votes', () => {
    const sceneOf = (): Scene => new Scene(undefined, { seesEveryMessage: true })
    expect(() => sceneOf().elect('A', 1, ['B'])).not.toThrow()
    breaks('INV-1', () => sceneOf().elect('A', 1), 'A leads term 1 with the votes of A only')
    const other = sceneOf()
      .vote('B', 1, 'C')
      .send({ kind: 'voteAck', from: 'B', to: 'C', term: 1, granted: true })
    breaks('INV-1', () => other.elect('A', 1), 'with the votes of A only')
  })
})

describe('INV-2', () => {
  it('a vote that is not on disk', () => {
    const scene = new Scene()
    scene.vote('B', 1, null)
    breaks(
      'INV-2',
      () => scene.send({ kind: 'voteAck', from: 'B', to: 'A', term: 1, granted: true }),
      'B promised its vote of term 1 to A in a voteAck while its disk says (term 1, vote none)',
    )
  })

  it('a candidacy that is not on disk', () => {
    const scene = new Scene()
    breaks('INV-2', () => scene.send({ kind: 'vote', from: 'A', to: 'B', term: 1 }), 'no term was durable')
  })

  it('a message of a term that is not on disk; pre-votes are exempt', () => {
    const scene = new Scene().vote('A', 1, null)
    scene.send({ kind: 'prevote', from: 'A', to: 'B', term: 2 })
    scene.send({ kind: 'prevoteAck', from: 'A', to: 'B', term: 9, granted: true })
    breaks(
      'INV-2',
      () => scene.send({ kind: 'heartbeatAck', from: 'A', to: 'B', term: 2 }),
      'only term 1 was durable',
    )
  })

  it('a vote of a term that the disk has left behind, unless it was there', () => {
    const scene = new Scene().vote('B', 3, null)
    const late = { kind: 'voteAck', from: 'B', to: 'A', term: 2, granted: true } as const
    breaks('INV-2', () => scene.send(late), 'B promised its vote of term 2 to A')
    const { durable } = scene.member('B')
    scene.checker.durableWrite('B', { kind: 'hardState', state: { term: 2, votedFor: 'A' } }, durable)
    expect(() => scene.send(late)).not.toThrow()
  })

  it('a second vote in a term, also in another life', () => {
    const scene = new Scene().vote('B', 1, 'A')
    scene.send({ kind: 'voteAck', from: 'B', to: 'A', term: 1, granted: true })
    scene.send({ kind: 'voteAck', from: 'B', to: 'A', term: 1, granted: true })
    scene.restart('B')
    const b = scene.member('B')
    b.hardState = { term: 1, votedFor: 'C' }
    breaks(
      'INV-2',
      () => scene.send({ kind: 'voteAck', from: 'B', to: 'C', term: 1, granted: true }),
      'B voted for A in term 1, and then for C',
    )
  })

  it('a vote forgotten within the term, in memory and on disk', () => {
    const scene = new Scene().vote('B', 1, 'A')
    breaks(
      'INV-2',
      () => scene.see('B', { votedFor: null }),
      'voted for A in term 1 and now remembers no vote',
    )
    const other = new Scene().vote('B', 1, 'A').restart('B')
    other.member('B').hardState = { term: 1, votedFor: null }
    breaks('INV-2', () => other.see('B'), 'durable vote of B in term 1 changed from A to none')
  })

  it('a leader without its own vote on disk', () => {
    const scene = new Scene(['A'])
    scene.see('A', { term: 1, votedFor: 'A' })
    breaks('INV-2', () => scene.see('A', { role: 'leader' }), 'A leads term 1 while its disk says')
  })
})

describe('INV-3', () => {
  it('a term that goes back, in memory and on disk', () => {
    const scene = new Scene().vote('A', 3, null)
    breaks('INV-3', () => scene.see('A', { term: 2 }), 'went back from term 3 to 2')
    scene.member('A').hardState = { term: 2, votedFor: null }
    breaks('INV-3', () => scene.see('A'), 'durable term of A went back from 3 to 2')
  })

  it('a restart below what was sent, except after a fault that nobody survives', () => {
    const scene = new Scene().vote('A', 3, 'A')
    scene.send({ kind: 'vote', from: 'A', to: 'B', term: 3 })
    const wipe = (): Scene => {
      scene.member('A').hardState = null
      return scene.restart('A')
    }
    breaks('INV-3', wipe, 'durable term of A went back from 3 to nothing')
    scene.checker.waive('A')
    expect(wipe).not.toThrow()
  })
})

it('INV-3: a member that does not remember after its restart what is on its disk', () => {
  const scene = new Scene().vote('A', 3, 'A')
  scene.send({ kind: 'vote', from: 'A', to: 'B', term: 3 })
  scene.see('A', { role: 'shutdown' })
  breaks(
    'INV-3',
    () => scene.see('A', { life: 2, role: 'follower', term: 2, votedFor: null }),
    'A started again with term 2, but a message of its term 3 had left it',
  )
})

describe('INV-4', () => {
  it('a leader that gives up an entry of its own log', () => {
    const scene = new Scene().elect('A', 1, ['B']).append('A', entry(1, 1), entry(2, 1))
    scene.member('A').log.pop()
    breaks('INV-4', () => scene.see('A'), 'A, leader of term 1, gave up its own entry (index 2, term 1)')
  })
})

describe('INV-5', () => {
  it('one position, two values', () => {
    const scene = new Scene().elect('A', 1, ['B']).append('A', entry(1, 1, 'this'))
    breaks(
      'INV-5',
      () => scene.append('B', entry(1, 1, 'that')),
      'Entry 1 of term 1 is one thing on A and another on B',
    )
  })

  it('equal entries after different ones', () => {
    const scene = new Scene().elect('A', 2, ['B']).append('A', entry(1, 1), entry(2, 2))
    breaks(
      'INV-5',
      () => scene.append('B', entry(1, 2), entry(2, 2)),
      'B has term 2 before entry 2 of term 2',
    )
  })

  it('a change in the middle shows when whole logs are compared', () => {
    const scene = settled()
    scene.member('B').log[1] = entry(2, 1, 'other')
    scene.see('B')
    breaks('INV-5', () => scene.checker.checkAll(), 'Entry 2 of B changed in the middle')
  })
})

describe('INV-6', () => {
  it('a leader without a committed entry', () => {
    const scene = settled()
    const c = scene.member('C')
    // By magic: whoever removes a committed entry is caught for that before.
    scene.checker.waive('C')
    c.durableLog = c.durableLog.slice(0, 1)
    scene.restart('C')
    breaks('INV-6', () => scene.elect('C', 2, ['B']), 'C leads term 2 without entry 2 of term 1')
  })

  it('a majority of disks behind what is committed', () => {
    const scene = settled()
    for (const id of ['B', 'C']) scene.member(id).durableLog.length = 1
    breaks(
      'INV-6',
      () => scene.vote('A', 2, 'A').see('A', { role: 'leader' }),
      'a majority of disks was behind the committed entry 3',
    )
  })
})

describe('INV-7', () => {
  it('two values committed at one position', () => {
    const scene = settled({}, ['A', 'B', 'C', 'D']).vote('D', 2, null)
    const { log } = scene.member('A')
    scene.append('D', ...log.slice(0, 2), entry(3, 2))
    scene.checker.received('D', {
      term: 2,
      prevLogIndex: 3,
      prevLogTerm: 2,
      entryCount: 0,
      committedIndex: 3,
    })
    breaks(
      'INV-7',
      () => scene.see('D', { commitIndex: 3 }),
      'D takes (index 3, term 2) for committed, but (index 3, term 1) was committed there before',
    )
  })

  const applied = (scene: Scene, ...entries: [index: number, term: number, text?: string][]): Scene => {
    for (const [index, term, text] of entries) {
      const data = text === undefined ? {} : { data: new TextEncoder().encode(text) }
      scene.checker.applied('B', { index, term, ...data })
    }
    return scene.see('B', { appliedIndex: 3 })
  }

  it('applying in order, without what is no user data, is fine', () => {
    expect(() => applied(settled(), [2, 1, '2.1'], [3, 1])).not.toThrow()
  })

  it.each<[string, [number, number, string?][], string]>([
    [
      'twice',
      [
        [2, 1],
        [2, 1],
      ],
      'entry 2 after 2',
    ],
    ['with a gap', [[3, 1]], 'left out entry 2'],
    [
      'what is not committed',
      [
        [2, 1],
        [3, 1],
        [4, 1],
      ],
      'while only 3 was committed',
    ],
    ['of another term', [[2, 2]], 'of term 2, but term 1 was committed'],
    ['other bytes', [[2, 1, 'forged']], 'with other bytes'],
    ['a no-op as user data', [[1, 1]], 'as user data'],
  ])('applying %s', (_name, entries, sentence) => {
    breaks('INV-7', () => applied(settled(), ...entries), sentence)
  })

  it('states that differ after the same entry, at the index where it happens', () => {
    const scene = settled()
    scene.see('A', { appliedIndex: 2, stateHash: 'x' }).see('B', { appliedIndex: 2, stateHash: 'x' })
    scene.see('A', { appliedIndex: 3, stateHash: 'y' })
    breaks(
      'INV-7',
      () => scene.see('B', { appliedIndex: 3, stateHash: 'z' }),
      'The state of B after entry 3 differs from that of A',
    )
    const reference = settled({ stateHashAt: (index) => `h${index}` }).see('A', {
      appliedIndex: 2,
      stateHash: 'h2',
    })
    breaks('INV-7', () => reference.see('A', { appliedIndex: 3, stateHash: 'h9' }), 'the reference machine')
  })
})

describe('INV-8', () => {
  it('a commit that is durable only on a minority, whoever acknowledged it', () => {
    const scene = new Scene().elect('A', 1, ['B']).append('A', entry(1, 1)).append('B', entry(1, 1)).sync('A')
    breaks(
      'INV-8',
      () => scene.see('A', { commitIndex: 1 }),
      'committed entry 1 of term 1, which is durable only on {A} of {A,B,C}',
    )
  })

  it('a leader that counts itself before its own disk', () => {
    const scene = new Scene().elect('A', 1, ['B']).append('A', entry(1, 1)).append('B', entry(1, 1)).sync('B')
    breaks('INV-8', () => scene.see('A', { commitIndex: 1 }), 'durable only on {B}')
    const single = new Scene(['A']).elect('A', 1).append('A', entry(1, 1))
    breaks('INV-8', () => single.see('A', { commitIndex: 1 }), 'durable only on {}')
  })

  it('counting replicas of an older term', () => {
    const scene = new Scene()
      .elect('A', 1, ['B'])
      .append('A', entry(1, 1))
      .append('B', entry(1, 1))
      .sync('A', 'B')
    scene.elect('A', 2, ['B'])
    breaks('INV-8', () => scene.see('A', { commitIndex: 1 }), 'entry 1 of term 1 by counting')
  })

  it('half of a joint configuration', () => {
    const configuration: Configuration = { peers: ['A', 'B', 'C'], oldPeers: ['A', 'D', 'E'] }
    const scene = new Scene(['A', 'B', 'C', 'D', 'E'])
    scene.see('A', { configuration }).elect('A', 1, ['B'])
    for (const id of ['A', 'B', 'C']) scene.append(id, entry(1, 1)).sync(id)
    breaks('INV-8', () => scene.see('A', { commitIndex: 1 }), 'of {A,B,C} and {A,D,E}')
    scene.append('D', entry(1, 1)).sync('D')
    expect(() => scene.see('A', { commitIndex: 1 })).not.toThrow()
  })
})

describe('a commit in the step in which a leadership ends or begins', () => {
  it('is judged by what allowed it', () => {
    const scene = settled().append('A', entry(4, 1)).sync('A')
    scene.elect('B', 2, ['C'])
    const own = [entry(4, 2), entry(5, 2)]
    for (const id of ['B', 'C']) scene.append(id, ...own).sync(id)
    scene.see('B', { commitIndex: 5 })
    // A, leader of term 1 until now, takes an append of term 2 with its commit index in one step.
    const a = scene.member('A')
    a.hardState = { term: 2, votedFor: null }
    a.log = [...a.log.slice(0, 3), ...own]
    const append = { term: 2, prevLogIndex: 3, prevLogTerm: 1, entryCount: 2, committedIndex: 4 }
    scene.checker.received('A', append)
    const changes = { role: 'follower', term: 2, votedFor: null, leader: 'B' } as const
    breaks(
      'INV-8',
      () => scene.see('A', { ...changes, commitIndex: 5 }),
      'leader of term 1, committed entry 5 of term 2',
    )
    expect(() => scene.see('A', { ...changes, commitIndex: 4 })).not.toThrow()
  })
})

describe('INV-9', () => {
  it.each<[string, Parameters<Scene['see']>[1], string]>([
    ['a commit index that goes back', { commitIndex: 2 }, 'commit index of B went back from 3 to 2'],
    ['an applied index that goes back', { appliedIndex: 0 }, 'applied index of B went back from 1 to 0'],
    ['more applied than committed', { appliedIndex: 4 }, 'B applied up to 4, but only 3 is committed'],
    ['more committed than there is', { commitIndex: 9 }, 'is beyond its last entry 3'],
    ['a snapshot of what is not applied', { snapshot: { index: 2, term: 1 } }, 'a snapshot up to 2'],
  ])('%s', (_name, changes, sentence) => {
    const scene = settled().see('B', { appliedIndex: 1 })
    breaks('INV-9', () => scene.see('B', changes), sentence)
  })
})

describe('INV-10', () => {
  const tail = [entry(4, 1), entry(5, 1)]

  it('a follower that commits its own tail on a heartbeat', () => {
    const scene = settled()
      .append('A', ...tail)
      .sync('A')
    scene.append('B', ...tail)
    scene.checker.received('B', {
      term: 1,
      prevLogIndex: 3,
      prevLogTerm: 1,
      entryCount: 0,
      committedIndex: 5,
    })
    breaks(
      'INV-10',
      () => scene.see('B', { commitIndex: 5 }),
      'from 3 to 5, but the appends it got allow only 3',
    )
  })

  it('one that commits although the previous entry did not match', () => {
    const scene = settled()
    scene.append('B', entry(4, 1))
    scene.checker.received('B', {
      term: 2,
      prevLogIndex: 4,
      prevLogTerm: 2,
      entryCount: 0,
      committedIndex: 4,
    })
    breaks('INV-10', () => scene.see('B', { commitIndex: 4 }), 'allow only 3')
  })

  it('one that believes an old leader', () => {
    const scene = settled().append('B', ...tail)
    scene.vote('B', 2, null)
    scene.checker.received('B', {
      term: 1,
      prevLogIndex: 5,
      prevLogTerm: 1,
      entryCount: 0,
      committedIndex: 5,
    })
    breaks('INV-10', () => scene.see('B', { commitIndex: 5 }), 'allow only 3')
  })
})

describe('INV-11', () => {
  const acknowledge = (scene: Scene, index: number, term = 1): Scene =>
    scene.send({ kind: 'appendAck', from: 'B', to: 'A', term, success: true, acknowledgedIndex: index })

  it('an acknowledgement of what is not durable', () => {
    const scene = settled().append('A', entry(4, 1)).append('B', entry(4, 1))
    breaks(
      'INV-11',
      () => acknowledge(scene, 4),
      'B acknowledged entry 4 to A in term 1 while only 3 was durable',
    )
    scene.sync('B')
    expect(() => acknowledge(scene, 4)).not.toThrow()
  })

  it('one of entries that are not the leader’s', () => {
    const scene = new Scene().elect('A', 2, ['B']).append('A', entry(1, 2))
    scene.append('B', entry(1, 1)).sync('B')
    breaks(
      'INV-11',
      () => acknowledge(scene, 1, 2),
      'its disk has (index 1, term 1) there and leader A (index 1, term 2)',
    )
  })

  it('one of an older term than its own', () => {
    const scene = settled().vote('B', 2, null)
    breaks('INV-11', () => acknowledge(scene, 3), 'being in term 2 itself')
    const inMemory = settled().see('B', { term: 2 })
    breaks('INV-11', () => acknowledge(inMemory, 3), 'being in term 2 itself')
  })

  it('a truncation of what was acknowledged in the same term', () => {
    const scene = settled().append('A', entry(4, 1)).append('B', entry(4, 1)).sync('B')
    acknowledge(scene, 4)
    scene.member('B').log.pop()
    breaks('INV-11', () => scene.see('B'), 'B removed entry 4 in term 1, having acknowledged up to 4')
  })
})

describe('INV-12', () => {
  it('removing a committed entry, in memory or on disk', () => {
    const scene = settled().vote('B', 2, null)
    scene.member('B').log.pop()
    breaks('INV-12', () => scene.see('B'), 'B removed entry (index 3, term 1), which is committed')
    const { durable } = settled().member('B')
    breaks(
      'INV-12',
      () => scene.checker.durableWrite('B', { kind: 'truncateSuffix', lastKept: 1 }, durable),
      'entry (index 2, term 1)',
    )
    breaks(
      'INV-12',
      () => scene.checker.durableWrite('B', { kind: 'reset', nextIndex: 2, termBeforeFirst: 1 }, durable),
      'entry (index 2, term 1)',
    )
  })

  it('truncating where nothing differs', () => {
    const scene = settled().append('B', entry(4, 1)).sync('B')
    const { durable } = scene.member('B')
    scene.checker.durableWrite('B', { kind: 'truncateSuffix', lastKept: 3 }, durable)
    breaks(
      'INV-12',
      () => scene.checker.durableWrite('B', { kind: 'append', entries: [entry(4, 1)] }, durable),
      'appended the same entry again',
    )
  })
})

describe('INV-13', () => {
  const decodeConfiguration = (data: Uint8Array): Configuration => {
    const [peers = '', oldPeers = ''] = new TextDecoder().decode(data).split('/')
    return { peers: peers.split(',').filter(Boolean), oldPeers: oldPeers.split(',').filter(Boolean) }
  }
  const configurationEntry = (index: number, text: string) => entry(index, 1, text, EntryType.CONFIGURATION)
  const sceneWith = (): Scene => new Scene(['A', 'B', 'C'], { decodeConfiguration }).elect('A', 1, ['B'])

  it('a configuration in the log that is not in effect', () => {
    const scene = sceneWith().append('B', configurationEntry(1, 'A,B,C'))
    const joint = { peers: ['A', 'B'], oldPeers: ['A', 'B', 'C'] }
    scene.member('B').log.push(configurationEntry(2, 'A,B/A,B,C'))
    breaks(
      'INV-13',
      () => scene.see('B'),
      'B uses configuration {A,B,C}, but entry 2 of its log says {A,B,C} to {A,B}',
    )
    expect(() => scene.see('B', { configuration: joint })).not.toThrow()
  })

  it('going back to the one before when its entry is truncated', () => {
    const scene = sceneWith().append('B', configurationEntry(1, 'A,B,C'))
    scene.member('B').log.push(configurationEntry(2, 'A,B'))
    scene.see('B', { configuration: { peers: ['A', 'B'], oldPeers: [] } })
    scene.vote('B', 2, null)
    scene.member('B').log.pop()
    breaks('INV-13', () => scene.see('B'), 'but entry 1 of its log says {A,B,C}')
  })

  it('a configuration of a leader whose one before is not committed', () => {
    const scene = sceneWith().append('A', configurationEntry(1, 'A,B,C'))
    scene.member('A').log.push(configurationEntry(2, 'A,B'))
    const next = { configuration: { peers: ['A', 'B'], oldPeers: [] } }
    breaks(
      'INV-13',
      () => scene.see('A', next),
      'wrote the configuration of entry 2 when only 0 was committed, and the one before stands at 1',
    )
  })

  it('a step over which majorities need not meet', () => {
    const scene = sceneWith().append('B', configurationEntry(1, 'A,B,C'))
    scene.member('B').log.push(configurationEntry(2, 'A,D,E'))
    breaks(
      'INV-13',
      () => scene.see('B', { configuration: { peers: ['A', 'D', 'E'], oldPeers: [] } }),
      'their majorities need not meet',
    )
  })

  it('and the same when an operator has forced other members than these', () => {
    const scene = sceneWith().append('B', configurationEntry(1, 'A,B,C'))
    scene.checker.forced(['B', 'C'])
    const alone = { configuration: { peers: ['B'], oldPeers: [] } }
    expect(() => scene.see('B', { ...alone, forced: true })).not.toThrow()
    scene.member('B').log.push(configurationEntry(2, 'B'))
    breaks('INV-13', () => scene.see('B', alone), 'their majorities need not meet')
  })

  it('but not what the forced members are written down with', () => {
    const scene = sceneWith().append('B', configurationEntry(1, 'A,B,C'))
    scene.checker.forced(['B'])
    scene.member('B').log.push(configurationEntry(2, 'B'))
    expect(() => scene.see('B', { configuration: { peers: ['B'], oldPeers: [] } })).not.toThrow()
  })
})

describe('INV-15', () => {
  const heartbeatOf = (from: string) =>
    ({ from, term: 1, prevLogIndex: 3, prevLogTerm: 1, entryCount: 0, committedIndex: 3 }) as const

  it('two valid leases at one time', () => {
    const scene = settled().see('A', { leaseValid: true })
    scene.elect('B', 2, ['C'])
    breaks(
      'INV-15',
      () => scene.see('B', { leaseValid: true }),
      'A (term 1) and B (term 2) hold a lease at the same time',
    )
    scene.checker.setClocksTrusted(false)
    expect(() => scene.see('B')).not.toThrow()
  })

  it('a commit in a later term under somebody’s lease', () => {
    const scene = settled().see('A', { leaseValid: true })
    scene.elect('B', 2, ['C'])
    for (const id of ['B', 'C']) scene.append(id, entry(4, 2)).sync(id)
    breaks(
      'INV-15',
      () => scene.see('B', { commitIndex: 4 }),
      'B committed in term 2 while A still held its lease of term 1',
    )
  })

  it('a lease that rests on answers to offers of snapshots is as good as any', () => {
    let nowMs = 0
    const scene = settled({ nowMs: () => nowMs, voteHeldMs: 100, leaseLimitMs: 100 })
    for (const id of ['A', 'B', 'C']) scene.checker.received(id, heartbeatOf('A'))
    for (const from of ['B', 'C']) scene.send({ kind: 'heartbeatAck', from, to: 'A', term: 1, success: true })
    nowMs = 150
    const claims = (): Scene => scene.see('A', { leaseValid: true })
    scene.checker.heard('B', 'A', 1)
    breaks('INV-15', claims, 'no quorum has heard and answered it')
    scene.send({ kind: 'installSnapshotAck', from: 'B', to: 'A', term: 1 })
    claims()
  })

  it('a lease of a dead member counts for nothing', () => {
    const scene = settled().see('A', { leaseValid: true }).see('A', { alive: false })
    scene.elect('B', 2, ['C'])
    expect(() => scene.see('B', { leaseValid: true })).not.toThrow()
  })
})

describe('INV-16, INV-17 and INV-18', () => {
  const identify = ({ data }: { data: Uint8Array }): string => new TextDecoder().decode(data)
  const call = (
    scene: Scene,
    id: number,
    kind: 'proposal' | 'read' | 'staleRead' | 'membership' = 'proposal',
    key?: string,
  ): Scene => {
    scene.checker.invoked(id, { kind, node: 'A', ...(key === undefined ? {} : { key }) })
    scene.checker.returned(id)
    return scene
  }

  it('whose state ends with a configuration has carried out the command before it', () => {
    const scene = settled()
    expect([3, 2, 1].map((index) => scene.checker.lastCommandUpTo(index))).toEqual([3, 2, 0])
  })

  it('a read that is older than what was acknowledged or shown before', () => {
    const scene = call(settled(), 1)
    scene.checker.completed(1, { outcome: 'ok', index: 3, term: 1 })
    call(scene, 2, 'read')
    breaks(
      'INV-16',
      () => scene.checker.completed(2, { outcome: 'ok', index: 2 }),
      'saw the state after entry 2, but entry 3',
    )
    call(scene, 3, 'staleRead')
    expect(() => scene.checker.completed(3, { outcome: 'ok', index: 1 })).not.toThrow()
  })

  it('a read may be as old as what was known when it began', () => {
    const scene = call(call(settled(), 1), 2, 'read')
    scene.checker.completed(1, { outcome: 'ok', index: 3, term: 1 })
    expect(() => scene.checker.completed(2, { outcome: 'ok', index: 0 })).not.toThrow()
  })

  it('a completion too many, one too few, one inside of the call, one out of order', () => {
    const scene = call(settled(), 1)
    scene.checker.completed(1, { outcome: 'failed' })
    breaks('INV-17', () => scene.checker.completed(1, { outcome: 'failed' }), 'Call 1 was completed twice')
    scene.checker.invoked(2, { kind: 'read', node: 'A' })
    breaks('INV-17', () => scene.checker.completed(2, { outcome: 'failed' }), 'inside the call that made it')
    breaks('INV-17', () => scene.checker.finish(), 'The read 2 on A was never completed')
    call(call(scene, 3), 4)
    scene.checker.completed(3, { outcome: 'ok', index: 3, term: 1 })
    breaks(
      'INV-17',
      () => scene.checker.completed(4, { outcome: 'ok', index: 2, term: 1 }),
      'at 2 after one at 3',
    )
  })

  it('what a killed process owed its callers is forgotten', () => {
    const scene = call(settled(), 1)
    scene.restart('A')
    expect(() => scene.checker.finish()).not.toThrow()
    expect(() => scene.checker.completed(1, { outcome: 'unknown' })).not.toThrow()
  })

  it('“done” for what is not committed there', () => {
    const scene = call(settled({ identify }), 1, 'proposal', '2.1')
    breaks(
      'INV-18',
      () => {
        scene.checker.completed(1, { outcome: 'ok', index: 7, term: 1 })
        scene.see('A')
      },
      'but nothing is committed there',
    )
    const other = call(settled({ identify }), 2, 'proposal', 'mine')
    breaks(
      'INV-18',
      () => other.checker.completed(2, { outcome: 'ok', index: 3, term: 1 }),
      'reported done at 3, where 3.1 is committed',
    )
  })

  it('a change of the members that is not committed, or not the last of it', () => {
    const joint = { peers: ['A', 'B'], oldPeers: ['A', 'B', 'C'] }
    const early = call(settled(), 1, 'membership')
    breaks(
      'INV-18',
      () => {
        early.checker.completed(1, { outcome: 'ok', index: 7, term: 1 })
        early.see('A')
      },
      'Change 1 on A was reported done at 7 of term 1, but nothing is committed there',
    )
    const half = call(settled({ decodeConfiguration: () => joint }), 2, 'membership')
    breaks(
      'INV-18',
      () => half.checker.completed(2, { outcome: 'ok', index: 3, term: 1 }),
      'Change 2 on A was reported done with entry 3, which is joint',
    )
  })

  it('what was reported in the step that commits it is fine, and in the last step of a life is held against others', () => {
    const commit = (id: string, scene: Scene): Scene => scene.see(id, { commitIndex: 4 })
    const withTail = (): Scene => {
      const scene = call(settled(), 1)
      for (const id of ['A', 'B']) scene.append(id, entry(4, 1)).sync(id)
      scene.checker.completed(1, { outcome: 'ok', index: 4, term: 1 })
      return scene
    }
    expect(() => commit('A', withTail())).not.toThrow()
    const scene = withTail()
    scene.restart('A')
    scene.elect('C', 2, ['A'])
    scene.append('C', entry(4, 2)).sync('C')
    scene.member('A').log.pop()
    scene.see('A').append('A', entry(4, 2)).sync('A')
    breaks(
      'INV-18',
      () => commit('C', scene),
      'Proposal 1 on A was reported done at 4 of term 1, but term 2 is committed there',
    )
  })

  it('“certainly not” for what is committed, before or after', () => {
    const scene = call(settled({ identify }), 1, 'proposal', '3.1')
    breaks('INV-18', () => scene.checker.completed(1, { outcome: 'failed' }), 'is committed as entry 3')
    call(scene, 2, 'proposal', '4.1')
    scene.checker.completed(2, { outcome: 'failed' })
    scene.append('A', entry(4, 1)).sync('A').append('B', entry(4, 1)).sync('B')
    breaks(
      'INV-18',
      () => scene.see('A', { commitIndex: 4 }),
      'reported as certainly not done, but it is committed as entry 4',
    )
  })
})

it('INV-19: what was acknowledged is gone after every power was lost', () => {
  const scene = settled()
  scene.checker.totalPowerLoss()
  for (const id of ['A', 'B', 'C']) {
    scene.member(id).durableLog.length = 2
    scene.restart(id)
  }
  breaks('INV-19', () => scene.elect('B', 2, ['C']), 'B leads term 2 without entry 3 of term 1')
})

it('INV-21: a log with a hole, or one that begins after its snapshot', () => {
  const scene = new Scene()
  scene.member('A').log = [entry(1, 1), entry(3, 1)]
  breaks('INV-21', () => scene.see('A'), 'The log of A has a hole: entry 2 is missing')
  const other = new Scene()
  other.member('B').firstIndex = 4
  breaks('INV-21', () => other.see('B'), 'The log of B begins at 4, but its snapshot ends at 0')
})

describe('INV-22', () => {
  it('a vote, an acknowledgement or an office after the disk failed', () => {
    const scene = settled()
    scene.checker.storageFailed('B')
    breaks(
      'INV-22',
      () =>
        scene.send({ kind: 'appendAck', from: 'B', to: 'A', term: 1, success: true, acknowledgedIndex: 3 }),
      'B sent appendAck of term 1 to A after its storage had failed',
    )
    expect(() => scene.send({ kind: 'appendAck', from: 'B', to: 'A', term: 1, success: false })).not.toThrow()
    breaks('INV-22', () => scene.see('B'), 'failed, and it is still follower')
    expect(() => scene.see('B', { role: 'error' })).not.toThrow()
    breaks(
      'INV-22',
      () => scene.see('B', { leaseValid: true }),
      'is error and still answers with a valid lease',
    )
  })
})

describe('INV-23', () => {
  const hook = (scene: Scene, term: number): void => scene.checker.hook('A', { name: 'leaderStart', term })

  it('a leader that starts twice, or in an old term', () => {
    const scene = settled().see('A', { appliedIndex: 3 })
    hook(scene, 1)
    breaks('INV-23', () => hook(scene, 2), 'without having stopped to lead term 1')
    scene.checker.hook('A', { name: 'leaderStop' })
    // In the same term once more, after a transfer that came to nothing (trap T81); never in an earlier one.
    hook(scene, 1)
    scene.checker.hook('A', { name: 'leaderStop' })
    breaks('INV-23', () => hook(scene, 0), 'started to lead term 0 after term 1')
  })

  it('a leader that starts before earlier terms are applied', () => {
    const scene = settled()
    scene.elect('B', 2, ['C']).append('B', entry(4, 2))
    scene.checker.hook('B', { name: 'leaderStart', term: 2 })
    breaks('INV-23', () => scene.see('B', { appliedIndex: 2 }), 'entry 3 is of an earlier term')
    const other = settled()
    other.elect('B', 2, ['C']).append('B', entry(4, 2))
    other.checker.hook('B', { name: 'leaderStart', term: 2 })
    expect(() => other.see('B', { appliedIndex: 3 })).not.toThrow()
  })

  it('following hooks alternate, errors come once, nothing comes after shutdown', () => {
    const { checker } = new Scene()
    const following = { leader: 'B', term: 1 }
    checker.hook('A', { name: 'startFollowing', ...following })
    breaks(
      'INV-23',
      () => checker.hook('A', { name: 'startFollowing', ...following }),
      'without having stopped to follow B',
    )
    checker.hook('A', { name: 'stopFollowing', ...following })
    breaks(
      'INV-23',
      () => checker.hook('A', { name: 'stopFollowing', ...following }),
      'whom it did not follow',
    )
    checker.hook('A', { name: 'error' })
    breaks('INV-23', () => checker.hook('A', { name: 'error' }), 'error hook 2 times')
    checker.hook('A', { name: 'shutdown' })
    breaks('INV-23', () => checker.hook('A', { name: 'leaderStop' }), 'after its shutdown')
  })
})

it('INV-24: timers left after a shutdown', () => {
  const { checker } = new Scene()
  checker.checkReleased('A', { timers: 0, subscriptions: 0 })
  breaks('INV-24', () => checker.checkReleased('A', { timers: 2 }), 'A is shut down and still has 2 timers')
})
