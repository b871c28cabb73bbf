// Terms that elections cannot have led to: dropped at the door, before anybody steps down for them.

import { describe, expect, it } from 'vitest'
import { rpcAnswerHead } from '../../../src/transport/subjects.ts'
import { encodeResponse, RequestEncoder } from '../../../src/transport/wire/codec.ts'
import type { RequestOf, RpcMethod } from '../../../src/transport/wire/messages/registry.ts'
import { GROUP, until, World } from '../../host/support/world.ts'
import { ask, bench } from '../support/endpoints.ts'

const LAST = Number.MAX_SAFE_INTEGER
const STEP = 2 ** 32

const position = { lastLogIndex: LAST, lastLogTerm: LAST, disruptedLeader: null }
const nothing = { prevLogIndex: 0, prevLogTerm: 0, committedIndex: 0, entries: [] }
const snapshot = { lastIncludedIndex: LAST, lastIncludedTerm: LAST }
const nobody = {
  peers: [],
  oldPeers: [],
  identities: [],
  newcomers: [],
  learners: [],
  witnesses: [],
  priorities: [],
  withheld: false,
}
const requestsOf = (term: number): { readonly [M in RpcMethod]: RequestOf<M> } => ({
  pre_vote: { term, ...position },
  request_vote: { term, ...position },
  append_entries: { term, ...nothing },
  heartbeat: { term, ...nothing },
  timeout_now: { term, oldLeaderSteppedDown: true },
  read_index: { term },
  install_snapshot: { term, ...snapshot, ...nobody, bytes: LAST, files: LAST, takenAtMs: LAST },
  get_file: { term, ...snapshot, name: '', offset: LAST, count: 1 },
})

/** What a stranger says in the name of member `from`, of whatever method. */
function frames(from: string, term: number): [RpcMethod, Uint8Array][] {
  const encoder = new RequestEncoder(from)
  const requests = requestsOf(term)
  return [
    ['pre_vote', encoder.encode('pre_vote', requests.pre_vote)],
    ['request_vote', encoder.encode('request_vote', requests.request_vote)],
    ['append_entries', encoder.encode('append_entries', requests.append_entries)],
    ['heartbeat', encoder.encode('heartbeat', requests.heartbeat)],
    ['timeout_now', encoder.encode('timeout_now', requests.timeout_now)],
    ['read_index', encoder.encode('read_index', requests.read_index)],
    ['install_snapshot', encoder.encode('install_snapshot', requests.install_snapshot)],
    ['get_file', encoder.encode('get_file', requests.get_file)],
  ]
}

describe('a request', () => {
  it.each([
    [7 + STEP - 1, true],
    [7 + STEP, true],
    [7 + STEP + 1, false],
    [LAST, false],
  ])('of term %i reaches a member of term 7: %s, by whatever method', (term, reaches) => {
    const { clock, bus, n2, reasons } = bench()
    const seen: string[] = []
    n2.rpc.serve('g', ({ method }) => seen.push(method), { ownTerm: () => 7 })
    const sent = frames('n3', term)
    for (const [method, frame] of sent) bus.connect('n3').publish(`quorate.g.n2.rpc.n3.${method}`, frame)
    clock.settle()
    expect(seen).toEqual(reaches ? sent.map(([method]) => method) : [])
    expect(reasons()).toEqual(reaches ? [] : [`IMPLAUSIBLE_TERM n3 ${sent.length}`])
  })

  it('is compared with the term that the member is in now', () => {
    const { clock, bus, n2, reasons, logger } = bench()
    let term = 7
    let seen = 0
    n2.rpc.serve('g', () => seen++, { ownTerm: () => term })
    const beat = (of: number) => {
      const frame = new RequestEncoder('n3').encode('heartbeat', { term: of, ...nothing })
      bus.connect('n3').publish('quorate.g.n2.rpc.n3.heartbeat', frame)
      clock.settle()
    }
    beat(8 + STEP)
    term = 8
    beat(8 + STEP)
    expect([seen, reasons()]).toEqual([1, ['IMPLAUSIBLE_TERM n3 1']])
    expect(logger.lines).toMatchObject([
      { level: 'warn', fields: { detail: `heartbeat: term ${8 + STEP}, the own one is 7` } },
    ])
  })
})

describe('an answer', () => {
  it('with such a term is none: the call goes on waiting, and the right one still counts', () => {
    const { clock, bus, n1, n2, reasons } = bench()
    n1.rpc.serve('g', () => {}, { ownTerm: () => 7 })
    let answer = (): void => {}
    n2.rpc.serve('g', (_request, reply) => {
      answer = () => reply({ ok: true, response: { term: 7 + STEP, index: 1 } })
    })
    const outcomes = ask(n1.rpc)
    clock.settle()
    const forged = encodeResponse('n2', 'read_index', { term: 8 + STEP, index: 9 })
    bus.connect('n3').publish(`${rpcAnswerHead(n1.transport.inbox, 'n2')}1`, forged)
    clock.settle()
    expect(outcomes).toEqual([])
    answer()
    clock.settle()
    expect(outcomes).toMatchObject([{ ok: true, response: { index: 1 } }])
    expect(reasons()).toEqual(['IMPLAUSIBLE_TERM n2 1'])
  })

  it('is compared with the term of its own group', () => {
    const { clock, n1, n2, reasons } = bench()
    n1.rpc.serve('other', () => {}, { ownTerm: () => 7 })
    n1.rpc.serve('g', () => {}, { ownTerm: () => 7 + STEP })
    n2.rpc.serve('g', (_request, reply) => reply({ ok: true, response: { term: 8 + STEP, index: 1 } }))
    const outcomes = ask(n1.rpc)
    clock.settle()
    expect([outcomes.length, reasons()]).toEqual([1, []])
  })
})

describe('a group', () => {
  it('goes on in its term when a message names the last of all', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader, followers } = await world.elect()
    await leader.node.apply('before')
    const { term } = leader.node.status()
    const stranger = world.bus.connect('stranger')
    for (const to of world.ids) {
      const from = to === 'a' ? 'b' : 'a'
      for (const hostile of [LAST, LAST - 1, LAST - STEP, term + STEP + 1]) {
        for (const [method, frame] of frames(from, hostile)) {
          expect(stranger.publish(`quorate.${GROUP}.${to}.rpc.${from}.${method}`, frame)).toBe(true)
        }
      }
    }
    await leader.node.apply('after')
    await until(() => followers.every(({ machine }) => machine.words.length === 2), 'both words everywhere')
    expect([leader, ...followers].map(({ node }) => node.status().term)).toEqual([term, term, term])
    expect(leader.node.status().role).toBe('leader')
  })

  it('of an old term takes in a member whose disk was wiped', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader, followers } = await world.elect()
    const [lost] = followers
    if (lost === undefined) throw new Error('no follower')
    await world.kill(lost)
    // As many elections as a group of any age may have had.
    const { term } = leader.node.status()
    const far = new RequestEncoder(lost.id).encode('heartbeat', { term: term + STEP, ...nothing })
    for (const { id } of [leader, ...followers.slice(1)]) {
      world.bus.connect('stranger').publish(`quorate.${GROUP}.${id}.rpc.${lost.id}.heartbeat`, far)
    }
    await until(() => leader.node.status().term > STEP, 'a late term')
    const next = await world.leader()
    await next.leader.node.apply('late')
    world.wipe(lost.id)
    const back = await world.member(lost.id)
    await until(() => back.machine.words.includes('late'), 'the wiped member has caught up')
    expect(back.node.status().term).toBeGreaterThan(STEP)
  })
})
