// Two processes that share groups, and whose members are the test's.

import { expect } from 'vitest'
import type {
  PeerRpc,
  Reply,
  RpcOutcome,
  Sleep,
  SleepWish,
  Vouched,
} from '../../../src/transport/rpc/peer-rpc.ts'
import type { AppendEntriesResponse } from '../../../src/transport/wire/messages/registry.ts'
import { bench } from './endpoints.ts'

export const BEAT_MS = 100
export const GROUPS = ['g', 'h', 'i']
type World = ReturnType<typeof bench>
export type Outcome = RpcOutcome<AppendEntriesResponse>

/** Millisecond by millisecond, so that timers which others have armed come as well. */
export function pass({ clock }: World, ms: number): void {
  for (let i = 0; i < ms; i++) clock.advance(1)
}

export const answer = { term: 3, success: true, lastLogIndex: 7, identity: 5, readonly: true }

/** Members that follow at `rpc`: each answers at once, and sleeps when it is asked; `stirs` makes one wake by itself. */
export function follow(rpc: PeerRpc, groups: readonly string[] = GROUPS) {
  const asleep = new Map<string, { sleep: Sleep; stirs: boolean; vouched: Vouched }>()
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
          const sleep: Sleep = {
            intervalMs: () => BEAT_MS,
            sleepsOn: () => asleep.get(group)?.stirs === false,
            roused: () => {
              asleep.delete(group)
              woken.push(group)
            },
          }
          members.onAsk()
          asleep.set(group, { sleep, stirs: false, vouched: ask.vouched })
          ask.agree(sleep)
        },
      },
    )
  return members
}

interface Leader {
  lead: boolean
  vouched: Vouched | null
  readonly agreed: boolean[]
  roused: number
  pulses: number
}

/** A leader of each group at n1. */
export function world(groups: readonly string[] = GROUPS) {
  const bus = bench()
  const sent: string[] = []
  const spy = bus.bus.connect('spy')
  spy.subscribe('quorate.*.*.rpc.>', ({ subject }) => void sent.push(subject))
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
    const leader: Leader = { lead: true, vouched: null, agreed: [], roused: 0, pulses: 0 }
    leaders.set(group, leader)
    const wish: SleepWish = {
      ...{ group, term: 3, lastIndex: 7, intervalMs: () => BEAT_MS, sleepsOn: () => leader.lead },
      pulse: () => {
        leader.pulses++
      },
      roused: () => {
        leader.roused++
      },
      done: (vouched) => {
        leader.vouched = vouched
        leader.agreed.push(vouched !== null)
      },
    }
    bus.n1.rpc.askToSleep('n2', wish)
    return leader
  }
  return { ...bus, world: bus, spy, sent, followers, beat, ask }
}

/** Everybody sleeps. */
export function sleeping(groups: readonly string[] = GROUPS) {
  const all = world(groups)
  const leaders = groups.map((group) => all.ask(group))
  all.clock.settle()
  expect(leaders.map(({ agreed }) => agreed)).toEqual(groups.map(() => [true]))
  all.sent.length = 0
  return { ...all, leaders }
}
