// Two processes that share groups: heartbeats travel together, and idle followers sleep on the word of the other process. The
// members are the test's.

import { describe, expect, it } from 'vitest'
import { decodeBeatsAnswer, encodeBeats } from '../../../src/transport/wire/beats-codec.ts'
import { encodeErrorResponse } from '../../../src/transport/wire/codec.ts'
import { answer, BEAT_MS, follow, GROUPS, type Outcome, pass, sleeping, world } from '../support/sharing.ts'

describe('heartbeats of a turn', () => {
  it('leave in one message, and each has its answer', () => {
    const { clock, sent, beat, reasons } = world()
    const outcomes = GROUPS.map((group) => beat(group))
    clock.settle()
    expect(sent).toEqual(['quorate.g.n2.rpc.n1.beats'])
    const response = { ...answer, withheld: false, conflictTerm: 0, conflictIndex: 0 }
    expect(outcomes).toEqual(GROUPS.map(() => [{ ok: true, response }]))
    expect(reasons()).toEqual([])
  })

  it('go as one of old when there is only one', () => {
    const { clock, sent, beat } = world()
    const outcomes = beat('h')
    clock.settle()
    expect([sent, outcomes[0]?.ok]).toEqual([['quorate.h.n2.rpc.n1.heartbeat'], true])
  })

  it('are not kept waiting by one whose disk is slow, and its answer counts when it comes', () => {
    const { clock, beat, followers, reasons } = world()
    followers.held.set('h', () => {})
    const outcomes = GROUPS.map((group) => beat(group))
    clock.settle()
    expect(outcomes.map((one) => one.length)).toEqual([1, 0, 1])
    followers.held.get('h')?.({ ok: true, response: answer })
    clock.settle()
    expect(outcomes.map((one) => one.length)).toEqual([1, 1, 1])
    expect(reasons()).toEqual([])
  })

  it('end after their time when nobody answers, each once', () => {
    const { world: bus, beat, followers } = world()
    for (const group of GROUPS) followers.held.set(group, () => {})
    const outcomes = GROUPS.map((group) => beat(group))
    pass(bus, 499)
    expect(outcomes.flat()).toEqual([])
    pass(bus, 2)
    for (const group of GROUPS) followers.held.get(group)?.({ ok: true, response: answer })
    bus.clock.settle()
    expect(outcomes.map((one) => one.map((o) => !o.ok && o.failure.code))).toEqual([
      ['TIMEOUT'],
      ['TIMEOUT'],
      ['TIMEOUT'],
    ])
  })

  it('tell of a group that has no member there, and no other suffers', () => {
    const { clock, n1, beat } = world()
    n1.rpc.serve('gone', () => {})
    const outcomes = ['g', 'gone'].map((group) => beat(group))
    clock.settle()
    expect(outcomes).toMatchObject([
      [{ ok: true }],
      [{ ok: false, failure: { code: 'REFUSED', remoteCode: 'ENOENT' } }],
    ])
  })

  it('of a term that nobody should believe get no answer, and are dropped by name', () => {
    const { world: bus, beat, reasons } = world()
    const outcomes = [beat('g'), beat('h', 2 ** 50)]
    bus.clock.settle()
    expect([outcomes.map((one) => one.length), reasons()]).toEqual([[1, 0], ['IMPLAUSIBLE_TERM n1 1']])
  })

  it('go one by one to a member of an earlier version, and nobody there is asked to sleep', () => {
    const { clock, bus, n1, beat, ask } = world()
    n1.rpc.serve('x', () => {})
    const old = bus.connect('n3')
    const heard: string[] = []
    old.subscribe('quorate.*.n3.rpc.>', ({ subject, replyTo }) => {
      const method = subject.split('.').at(-1) ?? ''
      heard.push(method)
      const error = { code: method === 'beats' ? 'ENOMETHOD' : 'ENOENT', message: 'no' } as const
      if (replyTo !== undefined) old.publish(replyTo, encodeErrorResponse('n3', error))
    })
    const outcomes: Outcome[] = []
    const request = { term: 3, prevLogIndex: 7, prevLogTerm: 2, committedIndex: 7, entries: [] }
    const beatAt3 = (): void => {
      for (const group of ['g', 'h'])
        n1.rpc.heartbeat('n3', {
          group,
          request,
          timeoutMs: 500,
          done: (outcome) => void outcomes.push(outcome),
        })
    }
    beatAt3()
    clock.settle()
    beatAt3()
    clock.settle()
    expect(heard).toEqual(['beats', 'heartbeat', 'heartbeat', 'heartbeat', 'heartbeat'])
    expect(outcomes).toHaveLength(4)
    expect([beat('g').length, ask('g').agreed]).toEqual([0, []])
  })

  it('of ever new names take no room beyond a bound: they are told to come one by one', () => {
    const { clock, bus, n1 } = world()
    const answers: string[] = []
    const stranger = bus.connect('stranger')
    stranger.subscribe('answers', ({ payload }) => {
      const decoded = decodeBeatsAnswer(payload)
      if (decoded.ok) answers.push(decoded.value.outcome.ok ? 'taken' : decoded.value.outcome.error.code)
    })
    const said = {
      ...{
        incarnation: 1,
        number: 1,
        version: 0,
        allBefore: 0,
        woken: [],
        heardIncarnation: 0,
        heardVersion: 0,
      },
      ...{ asks: [], beats: [], vouches: false },
    }
    for (let i = 0; i <= 1024; i++)
      stranger.publish(`quorate.g.n1.rpc.s${i}.beats`, encodeBeats(`s${i}`, said), 'answers')
    clock.settle()
    expect([
      answers.filter((one) => one === 'taken').length,
      answers.filter((one) => one === 'ENOMETHOD').length,
    ]).toEqual([1024, 1])
    expect(n1.rpc.sharesProcess).toBe(true)
  })

  it('end with the process', () => {
    const { clock, n1, beat } = world()
    const outcomes = GROUPS.map((group) => beat(group))
    n1.rpc.close()
    clock.settle()
    expect(outcomes.map((one) => one.map((o) => !o.ok && o.failure.code))).toEqual(
      GROUPS.map(() => ['CLOSED']),
    )
  })

  it('are cut into several messages where the bus takes little', () => {
    const many = Array.from({ length: 300 }, (_, at) => `group-${at}`)
    const { clock, sent, beat } = world(many)
    const outcomes = many.map((group) => beat(group))
    clock.settle()
    expect(sent).toHaveLength(2)
    expect(outcomes.every(([one]) => one?.ok)).toBe(true)
  })
})

describe('idle groups', () => {
  it('are vouched for with one message and one answer in four intervals, however many there are', () => {
    const { world: bus, sent, followers, leaders } = sleeping()
    pass(bus, 4000)
    expect(new Set(sent)).toEqual(new Set([sent[0]]))
    expect(sent.length).toBeGreaterThanOrEqual(9)
    expect(sent.length).toBeLessThanOrEqual(11)
    for (const { vouched, pulses } of leaders) {
      expect(vouched?.atMs).toBeGreaterThan(3500)
      expect(pulses).toBe(10)
    }
    for (const { vouched } of followers.asleep.values()) expect(vouched.atMs).toBeGreaterThan(3500)
    expect([followers.woken, leaders.map(({ roused }) => roused)]).toEqual([[], [0, 0, 0]])
  })

  it('are credited by answers to messages that ask to vouch for them, and by no other', () => {
    const { world: bus, beat, followers, leaders } = sleeping()
    pass(bus, 805)
    const said = () => [leaders[0]?.vouched?.atMs, followers.asleep.get('g')?.vouched.atMs]
    const before = said()
    // Soon after the last one: heartbeats of two groups, and meanwhile the third has woken without a word.
    followers.stir('g')
    const outcomes = [beat('h'), beat('i')]
    bus.clock.settle()
    expect(outcomes.map((one) => one[0]?.ok)).toEqual([true, true])
    expect(said()).toEqual(before)
    pass(bus, 400)
    expect(leaders[0]?.roused).toBe(1)
  })

  it('wake one by one when the leader does, and the others sleep on', () => {
    const { world: bus, followers, leaders } = sleeping()
    const [first] = leaders
    if (first !== undefined) first.lead = false
    pass(bus, 450)
    expect([followers.woken, leaders.map(({ roused }) => roused)]).toEqual([['g'], [1, 0, 0]])
    pass(bus, 2000)
    expect(followers.woken).toEqual(['g'])
  })

  it('wake one by one when the follower does', () => {
    const { world: bus, followers, leaders } = sleeping()
    followers.stir('h')
    pass(bus, 450)
    expect([followers.woken, leaders.map(({ roused }) => roused)]).toEqual([['h'], [0, 1, 0]])
  })

  it.each([
    ['closes', (one: ReturnType<typeof sleeping>) => one.n2.rpc.close()],
    ['is cut off', (one: ReturnType<typeof sleeping>) => one.n2.transport.disconnect()],
  ])('wake at their leaders when the process of the followers %s', (_, happens) => {
    const one = sleeping()
    happens(one)
    pass(one.world, 1300)
    expect(one.leaders.map(({ roused }) => roused)).toEqual([1, 1, 1])
  })

  it('wake at their followers when the process of the leaders is silent for ten intervals', () => {
    const { world: bus, n1, followers } = sleeping()
    pass(bus, 1000)
    n1.rpc.close()
    pass(bus, 790)
    expect(followers.woken).toEqual([])
    pass(bus, 300)
    expect(followers.woken).toEqual(GROUPS)
  })

  it('wake at their followers when the process of the leaders has come back as another', () => {
    const { world: bus, n1, host, followers } = sleeping()
    n1.rpc.close()
    const back = host('n1', 2)
    for (const group of GROUPS) back.rpc.serve(group, () => {})
    const request = { term: 3, prevLogIndex: 7, prevLogTerm: 2, committedIndex: 7, entries: [] }
    for (const group of ['h', 'i'])
      back.rpc.heartbeat('n2', { group, request, timeoutMs: 500, done: () => {} })
    bus.clock.settle()
    expect(followers.woken).toEqual(GROUPS)
  })

  it('wake at their leaders when the process of the followers has come back as another', () => {
    const { world: bus, n2, host, leaders } = sleeping()
    n2.rpc.close()
    follow(host('n2', 2).rpc)
    pass(bus, 450)
    expect(leaders.map(({ roused }) => roused)).toEqual([1, 1, 1])
  })

  it('do not go on sleeping on one side when the answer was lost: the follower wakes when its leader leaves', () => {
    const { world: bus, n1, ask, followers } = world()
    followers.onAsk = () => n1.transport.disconnect()
    const leader = ask('g')
    bus.clock.settle()
    expect([leader.agreed, followers.asleep.has('g')]).toEqual([[false], true])
    followers.onAsk = () => {}
    n1.transport.reconnect()
    pass(bus, 450)
    expect(followers.asleep.has('g')).toBe(true)
    leader.lead = false
    pass(bus, 450)
    expect([followers.woken, leader.roused]).toEqual([['g'], 0])
  })

  it('of which more wake at once than can be named all wake', () => {
    const many = Array.from({ length: 300 }, (_, at) => `group-${at}`)
    const { world: bus, leaders, followers } = sleeping(many)
    for (const leader of leaders.slice(0, 290)) leader.lead = false
    pass(bus, 450)
    expect(followers.woken).toHaveLength(300)
    pass(bus, 450)
    expect(leaders.every(({ roused }) => roused === 1)).toBe(true)
  })

  it('are vouched for in both directions at once, so that each process is woken once for two words', () => {
    const { world: bus, n1, n2, sent } = sleeping(['g'])
    follow(n1.rpc, ['x', 'y'])
    pass(bus, 130)
    for (const group of ['x', 'y']) {
      const wish = { group, term: 3, lastIndex: 7, intervalMs: () => 1.1 * BEAT_MS, sleepsOn: () => true }
      n2.rpc.askToSleep('n1', { ...wish, pulse: () => {}, roused: () => {}, done: () => {} })
    }
    pass(bus, 1000)
    sent.length = 0
    const together: boolean[] = []
    for (let ms = 0; ms < 4000; ms++) {
      const before = sent.length
      bus.clock.advance(1)
      if (sent.length > before) together.push(sent.length - before === 2)
    }
    expect(together.length).toBeGreaterThanOrEqual(9)
    expect(together.length).toBeLessThanOrEqual(11)
    expect(together.every((both) => both)).toBe(true)
  })

  it('go on being vouched for when the other process has stopped to speak first', () => {
    const { world: bus, n1, n2, leaders } = sleeping(['g', 'h'])
    follow(n1.rpc, ['x'])
    let leads = true
    const wish = { group: 'x', term: 3, lastIndex: 7, intervalMs: () => BEAT_MS, sleepsOn: () => leads }
    n2.rpc.askToSleep('n1', { ...wish, pulse: () => {}, roused: () => {}, done: () => {} })
    pass(bus, 2000)
    leads = false
    pass(bus, 6000)
    expect(leaders.map(({ roused }) => roused)).toEqual([0, 0])
    expect(leaders[0]?.vouched?.atMs).toBeGreaterThan(7000)
  })

  it('tell soon that nobody listens at the other process any more', () => {
    const { world: bus, n1, n2, spy } = sleeping()
    // The bus would take it for somebody who listens.
    spy.disconnect()
    const lost: number[] = []
    const absent = (): void => void lost.push(bus.clock.nowMs())
    n1.rpc.watchPresence('n2', { group: 'g', heartbeatMs: () => BEAT_MS, wordMs: () => 3000, absent })
    pass(bus, 500)
    n2.rpc.close()
    pass(bus, 520)
    expect(lost).toHaveLength(1)
  })

  it('cost nothing once their process has closed', () => {
    const { world: bus, n1, n2, clock } = sleeping()
    n1.rpc.close()
    n2.rpc.close()
    pass(bus, 1000)
    expect(clock.timers).toBe(0)
  })
})
