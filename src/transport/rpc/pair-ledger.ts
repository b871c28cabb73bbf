// One side's part in what two processes tell each other about groups that have woken (rules/wake-ledger.ts): its own ledger, and
// how far it has read the other's.

import {
  type Agreement,
  afterNews,
  isOld,
  isOver,
  type LedgerNews,
  type LedgerView,
  NO_WAKES,
  NOTHING_SEEN,
  named,
  seenUpTo,
  type WakeLedger,
  wakesIn,
  woke,
} from '../../rules/wake-ledger.ts'
import type { BeatsRequest } from '../wire/messages/beats.ts'

/** What every message between the two says of ledgers. */
type LedgerItems = Pick<
  BeatsRequest,
  'incarnation' | 'number' | 'version' | 'woken' | 'allBefore' | 'heardIncarnation' | 'heardVersion'
>

/** Is a sleep over that was agreed upon so? */
export type IsOver = (group: string, agreed: Agreement) => boolean

export class PairLedger {
  readonly #incarnation: number
  #ledger: WakeLedger = NO_WAKES
  #view: LedgerView = NOTHING_SEEN
  #number = 0

  constructor(incarnation: number) {
    this.#incarnation = incarnation
  }

  /** The other process has something to read. */
  get hasNews(): boolean {
    return this.#ledger.woken.length > 0 || this.#ledger.allBefore > 0
  }

  woke(group: string): void {
    this.#ledger = woke(this.#ledger, group)
  }

  /** For the next message, with at most so many names. */
  items(most: number): LedgerItems {
    const { version, woken, allBefore } = named(this.#ledger, most)
    this.#number += 1
    return {
      incarnation: this.#incarnation,
      number: this.#number,
      version,
      allBefore,
      woken: woken.map((one) => [one.group, one.version] as const),
      heardIncarnation: this.#view.incarnation,
      heardVersion: this.#view.seen,
    }
  }

  /**
   * Reads what a message says. `old`: it was read before, or is overtaken. `calm`: it ends no sleep. Otherwise the question
   * whether it ends this one.
   */
  read(said: LedgerItems): 'old' | 'calm' | IsOver {
    const { incarnation, number, version, allBefore } = said
    const woken = said.woken.map(([group, at = 0]) => ({ group, version: at }))
    const news: LedgerNews = { incarnation, number, version, allBefore, woken }
    if (isOld(this.#view, news)) return 'old'
    const isSameLife = incarnation === this.#view.incarnation
    this.#view = afterNews(news)
    if (said.heardIncarnation === this.#incarnation) this.#ledger = seenUpTo(this.#ledger, said.heardVersion)
    if (isSameLife && woken.length === 0 && allBefore === 0) return 'calm'
    const wakes = wakesIn(news)
    return (group, agreed) => isOver(agreed, news, wakes.get(group))
  }
}
