// Who has woken: two processes tell each other over a bus that loses, repeats and reorders. Played through all small cases.

import { describe, expect, it } from 'vitest'
import {
  type Agreement,
  afterNews,
  isOld,
  isOver,
  type LedgerNews,
  type LedgerView,
  MOST_NAMED,
  NO_WAKES,
  NOTHING_SEEN,
  named,
  seenUpTo,
  type WakeLedger,
  wakesIn,
  woke,
} from '../../src/rules/wake-ledger.ts'

const news = (ledger: WakeLedger, number: number, incarnation = 1): LedgerNews => ({
  ...ledger,
  number,
  incarnation,
})
const over = (agreed: Agreement, said: LedgerNews, group: string) =>
  isOver(agreed, said, wakesIn(said).get(group))

describe('a ledger', () => {
  it('names who woke until that is known to have been seen', () => {
    const two = woke(woke(NO_WAKES, 'a'), 'b')
    expect(two).toEqual({
      version: 2,
      allBefore: 0,
      woken: [
        { group: 'a', version: 1 },
        { group: 'b', version: 2 },
      ],
    })
    expect(seenUpTo(two, 0)).toBe(two)
    expect(seenUpTo(two, 1).woken).toEqual([{ group: 'b', version: 2 }])
    expect(seenUpTo(two, 2)).toEqual({ version: 2, woken: [], allBefore: 0 })
  })

  it('wakes everybody when there are too many to name, until that has been seen', () => {
    let ledger = NO_WAKES
    for (let i = 0; i <= MOST_NAMED; i++) ledger = woke(ledger, `g${i}`)
    expect(ledger).toEqual({ version: MOST_NAMED + 1, woken: [], allBefore: MOST_NAMED + 1 })
    expect(over({ incarnation: 1, version: MOST_NAMED }, news(ledger, 1), 'other')).toBe(true)
    expect(over({ incarnation: 1, version: MOST_NAMED + 1 }, news(ledger, 1), 'other')).toBe(false)
    expect(seenUpTo(ledger, MOST_NAMED)).toBe(ledger)
    const later = woke(ledger, 'last')
    expect(later.allBefore).toBe(MOST_NAMED + 1)
    expect(seenUpTo(later, MOST_NAMED + 1)).toEqual({
      version: MOST_NAMED + 2,
      allBefore: 0,
      woken: later.woken,
    })
  })

  it('names fewer where a message has little room: then all wake', () => {
    const two = woke(woke(NO_WAKES, 'a'), 'b')
    expect(named(two, 2)).toBe(two)
    expect(named(two, 1)).toEqual({ version: 2, woken: [], allBefore: 2 })
  })

  it('ends a sleep that was agreed upon before, not one that was agreed upon since', () => {
    const said = news(woke(NO_WAKES, 'a'), 1)
    expect(over({ incarnation: 1, version: 0 }, said, 'a')).toBe(true)
    expect(over({ incarnation: 1, version: 1 }, said, 'a')).toBe(false)
    expect(over({ incarnation: 1, version: 0 }, said, 'b')).toBe(false)
    expect(over({ incarnation: 2, version: 1 }, said, 'b')).toBe(true)
  })

  it('is read in order: what is repeated or overtaken is old, and another life is never', () => {
    const view = afterNews(news(NO_WAKES, 5))
    expect([4, 5, 6].map((number) => isOld(view, news(NO_WAKES, number)))).toEqual([true, true, false])
    expect(isOld(view, news(NO_WAKES, 1, 2))).toBe(false)
    expect(isOld(NOTHING_SEEN, news(NO_WAKES, 1))).toBe(false)
  })
})

/** All orders in which some of these messages arrive, some of them twice. */
function* deliveries<T>(messages: readonly T[], most: number): Generator<readonly T[]> {
  yield []
  if (most === 0) return
  for (const rest of deliveries(messages, most - 1)) for (const message of messages) yield [...rest, message]
}

describe('whatever the bus does', () => {
  it('nobody sleeps on a word that was taken back, once a later message has been read', () => {
    // The group sleeps at version 0, wakes, is agreed upon anew, and wakes once more; a message leaves after each step.
    const woken1 = woke(NO_WAKES, 'g')
    const woken2 = woke(woken1, 'g')
    const sent = [
      { said: news(NO_WAKES, 1), agrees: true },
      { said: news(woken1, 2), agrees: false },
      { said: news(woken1, 3), agrees: true },
      { said: news(woken2, 4), agrees: false },
    ]
    let cases = 0
    for (const order of deliveries(sent, 5)) {
      cases++
      let view: LedgerView = NOTHING_SEEN
      let asleep: Agreement | null = null
      for (const { said, agrees } of order) {
        if (isOld(view, said)) continue
        view = afterNews(said)
        if (asleep !== null && over(asleep, said, 'g')) asleep = null
        if (agrees) asleep = { incarnation: 1, version: said.version }
      }
      const newest = Math.max(0, ...order.map(({ said }) => said.number))
      expect(asleep !== null, JSON.stringify(order.map(({ said }) => said.number))).toBe(
        newest === 1 || newest === 3,
      )
    }
    expect(cases).toBe(1 + 4 + 16 + 64 + 256 + 1024)
  })

  it('no wake is forgotten before it was seen', () => {
    // A message with each prefix of three wakes; confirmations of any version come at any time.
    for (let first = 0; first <= 3; first++)
      for (let second = 0; second <= 3; second++) {
        let ledger = NO_WAKES
        const confirmed: number[] = []
        for (const [at, group] of ['a', 'b', 'c'].entries()) {
          ledger = woke(ledger, group)
          for (const version of [first, second])
            if (version <= at + 1) {
              ledger = seenUpTo(ledger, version)
              confirmed.push(version)
            }
          const seen = Math.max(...confirmed, 0)
          const missing = ['a', 'b', 'c'].slice(0, at + 1).filter((_, i) => i + 1 > seen)
          expect(ledger.woken.map((one) => one.group)).toEqual(missing)
        }
      }
  })
})
