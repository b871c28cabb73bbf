// This process and one whose members lead groups here: their heartbeats come in one message, and go to the members one by one;
// followers sleep for as long as that process is heard and says nothing else (rules/quiescence.ts, rules/wake-ledger.ts).

import { SILENT_BEATS } from '../../rules/quiescence.ts'
import type { PeerId } from '../../rules/types.ts'
import type { Agreement } from '../../rules/wake-ledger.ts'
import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import type { AppendEntriesRequest } from '../wire/messages/append-entries.ts'
import { answerRow, type BeatsAnswer, type BeatsRequest, heartbeatOf } from '../wire/messages/beats.ts'
import { PairLedger } from './pair-ledger.ts'
import type { Reply, Sleep, SleepAsk } from './peer-rpc.ts'

/** What a pair needs of the endpoint. Nothing of it throws. */
export interface FollowingWorld {
  readonly clock: Clock
  readonly incarnation: number
  readonly mostGroups: () => number
  /** Hands a heartbeat to the member of this group; `reply` may be called later, or never. */
  readonly deliver: (group: string, heartbeat: AppendEntriesRequest, reply: Reply) => void
  readonly askToSleep: (group: string, ask: SleepAsk) => void
  readonly shelter: (run: () => void) => void
}

/** Sends one more answer to the message that is being answered. */
export type SendAnswer = (answer: BeatsAnswer) => void

interface Sleeping {
  readonly sleep: Sleep
  readonly agreed: Agreement
}

export class FollowingPair {
  readonly #from: PeerId
  readonly #world: FollowingWorld
  readonly #sleeping = new Map<string, Sleeping>()
  readonly #ledger: PairLedger
  readonly #vouched = { atMs: 0 }
  #heardMs = 0
  /** The shortest interval of whoever has slept since somebody did. */
  #leastMs = Number.POSITIVE_INFINITY
  #watchdog: TimerHandle | null = null

  constructor(from: PeerId, world: FollowingWorld) {
    this.#from = from
    this.#world = world
    this.#ledger = new PairLedger(world.incarnation)
  }

  close(): void {
    if (this.#watchdog !== null) this.#world.clock.clearTimeout(this.#watchdog)
    this.#watchdog = null
    this.#sleeping.clear()
  }

  receive(message: BeatsRequest, send: SendAnswer): void {
    const isNews = this.#readNews(message)
    const agreed = isNews ? this.#takeAsks(message) : []
    const answers: BeatsAnswer['answers'][number][] = []
    const refused: BeatsAnswer['refused'][number][] = []
    let isFirst = true
    let isDue = false
    const flush = (): void => {
      isDue = false
      const said = { answers: answers.splice(0), refused: refused.splice(0) }
      send({
        settlesAsks: isFirst,
        ...this.#ledger.items(this.#world.mostGroups()),
        agreed: isFirst ? agreed : [],
        ...said,
      })
      isFirst = false
    }
    // What a member says later, because its disk is slow, keeps nobody else's answer waiting.
    const flushSoon = (): void => {
      if (isDue) return
      isDue = true
      this.#world.clock.defer(flush)
    }
    flushSoon()
    for (const [at, row] of message.beats.entries()) {
      const heartbeat = heartbeatOf(row)
      if (heartbeat === null) continue
      this.#world.deliver(row[0], heartbeat, (outcome) => {
        if (outcome.ok) {
          if ('success' in outcome.response && 'lastLogIndex' in outcome.response)
            answers.push(answerRow(at, outcome.response))
        } else refused.push([at, outcome.error.code, outcome.error.message])
        flushSoon()
      })
    }
  }

  /** False: it is old. Who is vouched for is looked at with each message that asks for it, for the answer says the same of all. */
  #readNews(message: BeatsRequest): boolean {
    const news = this.#ledger.read(message)
    if (news === 'old') return false
    const nowMs = this.#world.clock.nowMs()
    this.#heardMs = nowMs
    if (news === 'calm' && !message.vouches) return true
    for (const [group, { sleep, agreed }] of this.#sleeping)
      if ((news !== 'calm' && news(group, agreed)) || !sleep.sleepsOn()) this.#rouse(group)
    this.#vouched.atMs = nowMs
    return true
  }

  /** Positions of those who sleep from now on. */
  #takeAsks({ asks, incarnation, version }: BeatsRequest): number[] {
    const taken: number[] = []
    const vouched = this.#vouched
    for (const [at, [group, term = 0, lastIndex = 0]] of asks.entries()) {
      const agree = (sleep: Sleep): void => {
        if (this.#sleeping.size === 0) this.#leastMs = Number.POSITIVE_INFINITY
        this.#leastMs = Math.min(this.#leastMs, sleep.intervalMs())
        this.#sleeping.set(group, { sleep, agreed: { incarnation, version } })
        taken.push(at)
      }
      this.#world.askToSleep(group, { from: this.#from, term, lastIndex, vouched, agree })
    }
    this.#watch()
    return taken
  }

  #rouse(group: string): void {
    const sleeping = this.#sleeping.get(group)
    if (sleeping === undefined) return
    this.#sleeping.delete(group)
    this.#ledger.woke(group)
    this.#world.shelter(() => sleeping.sleep.roused())
  }

  /** One timer for all who sleep: a process that is silent for this long vouches for nobody. */
  #watch(): void {
    if (this.#watchdog !== null || this.#sleeping.size === 0) return
    const { clock } = this.#world
    const patienceMs = SILENT_BEATS * this.#leastMs
    const look = (): void => {
      this.#watchdog = null
      if (clock.nowMs() - this.#heardMs >= patienceMs)
        for (const group of [...this.#sleeping.keys()]) this.#rouse(group)
      this.#watch()
    }
    const leftMs = this.#heardMs + patienceMs - clock.nowMs()
    // The mail of the turn is read first: this process may have slept itself.
    this.#watchdog = clock.setTimeout(() => clock.defer(look), Math.max(1, Math.ceil(leftMs)))
  }
}
