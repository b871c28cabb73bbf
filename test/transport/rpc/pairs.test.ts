// Two processes that share groups: heartbeats travel together, and idle followers sleep on the word of the other process. The
// members are the test's.

import { describe, expect, it } from 'vitest'
import type { PeerRpc, Reply, RpcOutcome, Sleep, SleepWish } from '../../../src/transport/rpc/peer-rpc.ts'
import { decodeBeatsAnswer, encodeBeats } from '../../../src/transport/wire/beats-codec.ts'
import { encodeErrorResponse } from '../../../src/transport/wire/codec.ts'
import type { AppendEntriesResponse } from '../../../src/transport/wire/messages/registry.ts'
import { bench } from '../support/endpoints.ts'

const BEAT_MS = 100
const GROUPS = ['g', 'h', 'i']
type World = ReturnType<typeof bench>
type Outcome = RpcOutcome<AppendEntriesResponse>

/** Millisecond by millisecond, so that timers which others have armed come as well. */
function pass({ clock }: World, ms: number): void {
  for (let i = 0; i < ms; i++) clock.advance(1)
}

const answer = { term: 3, success: true, lastLogIndex: 7, identity: 5, readonly: true }

/** Members that follow at `rpc`: each answers at once, and sleeps when it is asked; `stirs` makes one wake by itself. */
function follow(rpc: PeerRpc, groups: readonly string[] = GROUPS) {
  const asleep = new Map<string, { sleep: Sleep; stirs: boolean; heard: number[] }>()
  const held = new Map<string, Reply>()
  const woken: string[] = []
  const stir = (group: string): void => {
    const one = asleep.get(group)
    if (one !== undefined) one.stirs = true
  }
  const members = { asleep, held, woken, stir, onAsk: () => {} }
  for (const group of groups)
    rpc.serve(
      group,
      (_, reply) => {
        if (held.has(group)) held.set(group, reply)
        else reply({ ok: true, response: answer })
      },
      {
        ownTerm: () => 3,
        fallAsleep: (ask) => {
          const heard: number[] = []
          const sleep: Sleep = {
            heartbeatMs: () => BEAT_MS,
            sleepsOn: () => asleep.get(group)?.stirs === false,
            heard: (atMs) => void heard.push(atMs),
            roused: () => {
              asleep.delete(group)
              woken.push(group)
            },
          }
          members.onAsk()
          asleep.set(group, { sleep, stirs: false, heard })
          ask.agree(sleep)
        },
      },
    )
  return members
}

interface Leader {
  lead: boolean
  readonly contacts: number[]
  readonly agreed: boolean[]
  roused: number
  pulses: number
}

/** A leader of each group at n1. */
function world(groups: readonly string[] = GROUPS) {
  const bus = bench()
  const sent: string[] = []
  bus.bus.connect('spy').subscribe('quorate.*.*.rpc.>', ({ subject }) => void sent.push(subject))
  for (const group of groups) bus.n1.rpc.serve(group, () => {}, { ownTerm: () => 3 })
  const followers = follow(bus.n2.rpc, groups)
  const beat = (group: string, term = 3): Outcome[] => {
    const outcomes: Outcome[] = []
    const request = { term, prevLogIndex: 7, prevLogTerm: 2, committedIndex: 7, entries: [] }
    bus.n1.rpc.heartbeat('n2', {
      group,
      request,
      timeoutMs: 500,
      done: (outcome) => void outcomes.push(outcome),
    })
    return outcomes
  }
  const leaders = new Map<string, Leader>()
  const ask = (group: string) => {
    const leader: Leader = { lead: true, contacts: [], agreed: [], roused: 0, pulses: 0 }
    leaders.set(group, leader)
    const wish: SleepWish = {
      ...{ group, term: 3, lastIndex: 7, heartbeatMs: () => BEAT_MS, sleepsOn: () => leader.lead },
      pulse: () => {
        leader.pulses++
      },
      contact: (sentMs) => void leader.contacts.push(sentMs),
      roused: () => {
        leader.roused++
      },
      done: (agreed) => void leader.agreed.push(agreed),
    }
    bus.n1.rpc.askToSleep('n2', wish)
    return leader
  }
  return { ...bus, world: bus, sent, followers, beat, ask }
}

/** Everybody sleeps. */
function sleeping(groups: readonly string[] = GROUPS) {
  const all = world(groups)
  const leaders = groups.map((group) => all.ask(group))
  all.clock.settle()
  expect(leaders.map(({ agreed }) => agreed)).toEqual(groups.map(() => [true]))
  all.sent.length = 0
  return { ...all, leaders }
}

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
  it('are vouched for with one message and one answer in two heartbeat intervals, however many there are', () => {
    const { world: bus, sent, followers, leaders } = sleeping()
    pass(bus, 2000)
    expect(new Set(sent)).toEqual(new Set([sent[0]]))
    expect(sent.length).toBeGreaterThanOrEqual(9)
    expect(sent.length).toBeLessThanOrEqual(11)
    for (const { contacts, pulses } of leaders) {
      expect(contacts.at(-1)).toBeGreaterThan(1700)
      expect(pulses).toBe(10)
    }
    for (const { heard } of followers.asleep.values()) expect(heard.at(-1)).toBeGreaterThan(1700)
    expect([followers.woken, leaders.map(({ roused }) => roused)]).toEqual([[], [0, 0, 0]])
  })

  it('are credited by answers to messages that ask to vouch for them, and by no other', () => {
    const { world: bus, beat, followers, leaders } = sleeping()
    pass(bus, 405)
    const contacts = leaders[0]?.contacts.length
    const heard = followers.asleep.get('g')?.heard.length
    // Soon after the last one: heartbeats of two groups, and meanwhile the third has woken without a word.
    followers.stir('g')
    const outcomes = [beat('h'), beat('i')]
    bus.clock.settle()
    expect(outcomes.map((one) => one[0]?.ok)).toEqual([true, true])
    expect([leaders[0]?.contacts.length, followers.asleep.get('g')?.heard.length]).toEqual([contacts, heard])
    pass(bus, 200)
    expect([leaders[0]?.contacts.length, leaders[0]?.roused]).toEqual([contacts, 1])
  })

  it('wake one by one when the leader does, and the others sleep on', () => {
    const { world: bus, followers, leaders } = sleeping()
    const [first] = leaders
    if (first !== undefined) first.lead = false
    pass(bus, 250)
    expect([followers.woken, leaders.map(({ roused }) => roused)]).toEqual([['g'], [1, 0, 0]])
    pass(bus, 2000)
    expect(followers.woken).toEqual(['g'])
  })

  it('wake one by one when the follower does', () => {
    const { world: bus, followers, leaders } = sleeping()
    followers.stir('h')
    pass(bus, 250)
    expect([followers.woken, leaders.map(({ roused }) => roused)]).toEqual([['h'], [0, 1, 0]])
  })

  it.each([
    ['closes', (one: ReturnType<typeof sleeping>) => one.n2.rpc.close()],
    ['is cut off', (one: ReturnType<typeof sleeping>) => one.n2.transport.disconnect()],
  ])('wake at their leaders when the process of the followers %s', (_, happens) => {
    const one = sleeping()
    happens(one)
    pass(one.world, 800)
    expect(one.leaders.map(({ roused }) => roused)).toEqual([1, 1, 1])
  })

  it('wake at their followers when the process of the leaders is silent for five heartbeat intervals', () => {
    const { world: bus, n1, followers } = sleeping()
    pass(bus, 1000)
    n1.rpc.close()
    pass(bus, 290)
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
    pass(bus, 250)
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
    pass(bus, 300)
    expect(followers.asleep.has('g')).toBe(true)
    leader.lead = false
    pass(bus, 300)
    expect([followers.woken, leader.roused]).toEqual([['g'], 0])
  })

  it('of which more wake at once than can be named all wake', () => {
    const many = Array.from({ length: 300 }, (_, at) => `group-${at}`)
    const { world: bus, leaders, followers } = sleeping(many)
    for (const leader of leaders.slice(0, 290)) leader.lead = false
    pass(bus, 300)
    expect(followers.woken).toHaveLength(300)
    pass(bus, 300)
    expect(leaders.every(({ roused }) => roused === 1)).toBe(true)
  })

  it('cost nothing once their process has closed', () => {
    const { world: bus, n1, n2, clock } = sleeping()
    n1.rpc.close()
    n2.rpc.close()
    pass(bus, 1000)
    expect(clock.timers).toBe(0)
  })
})
