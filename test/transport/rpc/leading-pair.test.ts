// The side of the leaders in what two processes say to each other of those who sleep: when it speaks, and what an answer is worth.

import { describe, expect, it } from 'vitest'
import { type Exchange, LeadingPair } from '../../../src/transport/rpc/leading-pair.ts'
import type { SleepWish, Vouched } from '../../../src/transport/rpc/peer-rpc.ts'
import type { BeatsAnswer, BeatsRequest } from '../../../src/transport/wire/messages/beats.ts'
import { ManualClock } from '../support/manual-clock.ts'

interface Sent {
  readonly atMs: number
  readonly message: BeatsRequest
  readonly exchange: Exchange
}

/** A pair in whose turns the mail is read by `onMail`, and one group that sleeps. */
function pairing() {
  const clock = new ManualClock()
  const sent: Sent[] = []
  const mail = { read: (): void => {} }
  const pair = new LeadingPair({
    clock: {
      ...{ nowMs: () => clock.nowMs(), wallMs: () => clock.nowMs() },
      setTimeout: (run, delayMs) => clock.setTimeout(run, delayMs),
      clearTimeout: (handle) => clock.clearTimeout(handle),
      defer: (run) =>
        clock.defer(() => {
          mail.read()
          run()
        }),
    },
    incarnation: 1,
    mostGroups: () => 256,
    send: (message, _, exchange) => void sent.push({ atMs: clock.nowMs(), message, exchange }),
    sendAlone: () => {},
    shelter: (run) => run(),
  })
  let number = 0
  const answer = ({ exchange, message }: Sent): void => {
    const ledger = { incarnation: 9, number: ++number, version: 0, woken: [], allBefore: 0 }
    const said: BeatsAnswer = {
      ...{ ...ledger, heardIncarnation: 1, heardVersion: message.version },
      ...{ settlesAsks: true, agreed: message.asks.map((_, at) => at), answers: [], refused: [] },
    }
    exchange.answered(said)
  }
  const told: { vouched: Vouched | null } = { vouched: null }
  const wish: SleepWish = {
    ...{ group: 'g', term: 3, lastIndex: 7, intervalMs: () => 100, sleepsOn: () => true },
    ...{ pulse: () => {}, roused: () => {} },
    done: (vouched) => {
      told.vouched = vouched
    },
  }
  pair.askToSleep(wish)
  clock.settle()
  for (const one of sent.splice(0)) answer(one)
  clock.settle()
  expect(told.vouched).not.toBeNull()
  return { clock, pair, sent, mail, answer, told }
}

describe('leaders whose followers sleep', () => {
  it('count contact from what was sent, not from when it was answered', () => {
    const { clock, sent, answer, told } = pairing()
    clock.advance(400)
    const [word] = sent
    clock.advance(30)
    if (word !== undefined) answer(word)
    expect([word?.atMs, told.vouched?.atMs]).toEqual([400, 400])
  })

  it('say nothing twice when the other process has spoken between their timer and its turn', () => {
    const { clock, pair, sent, mail } = pairing()
    mail.read = () => pair.joinIn()
    clock.advance(400)
    mail.read = () => {}
    expect([sent.length, clock.timers]).toEqual([1, 1])
    pair.close({ code: 'CLOSED', message: '' })
    expect(clock.timers).toBe(0)
  })

  it('wait for the other process to speak again, and speak first when it does not', () => {
    const { clock, pair, sent, answer } = pairing()
    clock.advance(250)
    pair.joinIn()
    clock.settle()
    for (let ms = 250; ms < 2000; ms++) {
      clock.advance(1)
      for (const one of sent.slice(-1)) if (one.atMs === clock.nowMs()) answer(one)
    }
    expect(sent.map(({ atMs }) => atMs)).toEqual([250, 750, 1200, 1600, 2000])
  })
})
