// This process and one in which it has followers: heartbeats of all groups in one message, and the followers that sleep on
// the word of that process. What is decided is in rules/quiescence.ts and rules/wake-ledger.ts.

import { SILENT_BEATS, VOUCH_BEATS } from '../../rules/quiescence.ts'
import type { Agreement } from '../../rules/wake-ledger.ts'
import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import { type BeatsAnswer, type BeatsRequest, beatRow, heartbeatAnswerOf } from '../wire/messages/beats.ts'
import { PairLedger } from './pair-ledger.ts'
import type { HeartbeatCall, RpcFailure, SleepWish } from './peer-rpc.ts'

export interface Exchange {
  readonly answered: (answer: BeatsAnswer) => void
  readonly failed: (failure: RpcFailure) => void
  /** Every heartbeat of it is answered: nothing more is to come. */
  readonly isOver: () => boolean
}

/** What a pair needs of the endpoint. */
export interface LeadingWorld {
  readonly clock: Clock
  readonly incarnation: number
  /** Most groups of one message, as the bus is now. */
  readonly mostGroups: () => number
  readonly send: (message: BeatsRequest, timeoutMs: number, exchange: Exchange) => void
  /** As a message of its own, as members of earlier versions know it. */
  readonly sendAlone: (call: HeartbeatCall) => void
  /** Runs what is a stranger's. */
  readonly shelter: (run: () => void) => void
}

interface Sleeping {
  readonly wish: SleepWish
  /** Null: it was asked, and may or may not sleep. */
  agreed: Agreement | null
}

/** A member of an earlier version is asked again after so long whether it is one still. */
const OLD_FOR_MS = 10_000
const NEWS_MS = 1000
/** In intervals: so long whoever speaks when the other does waits for it to speak again. */
const JOINS_FOR = 1.25

export class LeadingPair {
  readonly #world: LeadingWorld
  readonly #sleeping = new Map<string, Sleeping>()
  #calls: HeartbeatCall[] = []
  #asks: SleepWish[] = []
  readonly #ledger: PairLedger
  readonly #vouched = { atMs: Number.NEGATIVE_INFINITY }
  #heardMs = 0
  /** The shortest interval of whoever has slept since somebody did. */
  #leastMs = Number.POSITIVE_INFINITY
  #sentMs = Number.NEGATIVE_INFINITY
  #oldUntilMs = 0
  /** When the other process was asked last to vouch for those who sleep. */
  #vouchedMs = Number.NEGATIVE_INFINITY
  #pulse: TimerHandle | null = null
  #flushes = false

  constructor(world: LeadingWorld) {
    this.#world = world
    this.#ledger = new PairLedger(world.incarnation)
  }

  heartbeat(call: HeartbeatCall): void {
    this.#calls.push(call)
    this.#flushSoon()
  }

  askToSleep(wish: SleepWish): void {
    this.#asks.push(wish)
    this.#flushSoon()
  }

  /** The other process has just spoken: what is soon to be said to it is said now, so that both are woken once for two words. */
  joinIn(): void {
    const intervalMs = VOUCH_BEATS * this.#intervalMs
    const { clock } = this.#world
    if (this.#pulse === null || clock.nowMs() - this.#sentMs < intervalMs / 2) return
    clock.clearTimeout(this.#pulse)
    this.#pulse = null
    this.#beat(intervalMs)
    this.#arm(JOINS_FOR * intervalMs)
  }

  close(failure: RpcFailure): void {
    if (this.#pulse !== null) this.#world.clock.clearTimeout(this.#pulse)
    this.#pulse = null
    this.#sleeping.clear()
    const calls = this.#calls.splice(0)
    this.#asks.length = 0
    this.#world.clock.defer(() => {
      for (const call of calls) this.#end(call, { ok: false, failure })
    })
  }

  /** What comes in one turn leaves in one message. */
  #flushSoon(): void {
    if (this.#flushes) return
    this.#flushes = true
    this.#world.clock.defer(() => this.#flush())
  }

  #flush(): void {
    this.#flushes = false
    const { clock, sendAlone, mostGroups } = this.#world
    const calls = this.#calls.splice(0)
    const asks = this.#asks.splice(0)
    const saysMore = asks.length + this.#sleeping.size > 0 || this.#ledger.hasNews
    const [first] = calls
    if (clock.nowMs() < this.#oldUntilMs || (calls.length === 1 && !saysMore)) {
      this.#refuse(asks)
      for (const call of calls) sendAlone(call)
    } else if (first !== undefined || saysMore) {
      const most = mostGroups()
      do this.#send(calls.splice(0, most), asks.splice(0, most), most)
      while (calls.length + asks.length > 0)
    }
  }

  #send(calls: readonly HeartbeatCall[], asks: readonly SleepWish[], most: number): void {
    const { send, clock } = this.#world
    if (this.#sleeping.size === 0) this.#leastMs = Number.POSITIVE_INFINITY
    for (const wish of asks) this.#leastMs = Math.min(this.#leastMs, wish.intervalMs())
    for (const wish of asks)
      this.#sleeping.set(wish.group, { wish, agreed: this.#sleeping.get(wish.group)?.agreed ?? null })
    this.#sentMs = clock.nowMs()
    // Among groups that are awake many messages come: not each needs a look at all who sleep.
    const vouches = this.#sleeping.size > 0 && this.#sentMs - this.#vouchedMs >= this.#leastMs
    if (vouches) this.#vouchedMs = this.#sentMs
    const message = {
      vouches,
      ...this.#ledger.items(most),
      asks: asks.map(({ group, term, lastIndex }) => [group, term, lastIndex] as const),
      beats: calls.map(({ group, request }) => beatRow(group, request)),
    }
    const timeoutMs = Math.min(...calls.map((call) => call.timeoutMs), SILENT_BEATS * this.#intervalMs)
    send(message, timeoutMs, this.#exchange(calls, asks, vouches ? this.#sentMs : null))
    this.#arm()
  }

  /** @param vouchedMs when it was sent, if it asks the other process to vouch for those who sleep */
  #exchange(calls: readonly HeartbeatCall[], asks: readonly SleepWish[], vouchedMs: number | null): Exchange {
    const open = new Map(calls.entries())
    let asksOpen = true
    const take = (at: number): HeartbeatCall | undefined => {
      const call = open.get(at)
      open.delete(at)
      return call
    }
    return {
      isOver: () => open.size === 0 && !asksOpen,
      answered: (answer) => {
        const isNews = this.#readNews(answer, vouchedMs)
        if (answer.settlesAsks && asksOpen) {
          asksOpen = false
          this.#settleAsks(asks, answer, isNews)
        }
        for (const row of answer.answers)
          this.#end(take(row[0] ?? -1), { ok: true, response: heartbeatAnswerOf(row) })
        for (const [at, code, message] of answer.refused) {
          const failure = {
            code: 'REFUSED',
            remoteCode: code === 'ENOENT' ? code : 'EINTERNAL',
            message,
          } as const
          this.#end(take(at), { ok: false, failure })
        }
      },
      failed: (failure) => {
        const calls = [...open.values()]
        open.clear()
        if (failure.remoteCode === 'ENOMETHOD') this.#oldUntilMs = this.#world.clock.nowMs() + OLD_FOR_MS
        if (asksOpen) this.#refuse(asks)
        asksOpen = false
        for (const call of calls)
          if (failure.remoteCode === 'ENOMETHOD') this.#world.sendAlone(call)
          else this.#end(call, { ok: false, failure })
      },
    }
  }

  #end(call: HeartbeatCall | undefined, outcome: Parameters<HeartbeatCall['done']>[0]): void {
    if (call !== undefined) this.#world.shelter(() => call.done(outcome))
  }

  /** Who was asked in a message that was lost may sleep nevertheless: it stays on the list, until it is found to be awake. */
  #refuse(asks: readonly SleepWish[]): void {
    for (const wish of asks) this.#world.shelter(() => wish.done(null))
  }

  /** False: it is old. */
  #readNews(answer: BeatsAnswer, vouchedMs: number | null): boolean {
    this.#heardMs = this.#world.clock.nowMs()
    const news = this.#ledger.read(answer)
    if (news === 'old') return false
    if (news !== 'calm')
      for (const [group, { agreed }] of this.#sleeping)
        if (agreed !== null && news(group, agreed)) this.#rouse(group)
    if (vouchedMs !== null) this.#vouched.atMs = Math.max(this.#vouched.atMs, vouchedMs)
    return true
  }

  /** What the answer says was true when it was given; one that is overtaken settles nothing. */
  #settleAsks(asks: readonly SleepWish[], answer: BeatsAnswer, isNews: boolean): void {
    const said = new Set(answer.agreed)
    for (const [at, wish] of asks.entries()) {
      const sleeping = this.#sleeping.get(wish.group)
      const agreed = said.has(at) && isNews && sleeping?.wish === wish && wish.sleepsOn(this.#heardMs)
      if (agreed && sleeping !== undefined) {
        sleeping.agreed = { incarnation: answer.incarnation, version: answer.version }
      } else if (sleeping?.wish === wish) this.#rouse(wish.group)
      this.#world.shelter(() => wish.done(agreed ? this.#vouched : null))
    }
    this.#arm()
  }

  /** Whoever sleeps is told, and the other process with the next message. */
  #rouse(group: string): void {
    const sleeping = this.#sleeping.get(group)
    if (sleeping === undefined) return
    this.#sleeping.delete(group)
    this.#ledger.woke(group)
    if (sleeping.agreed !== null) this.#world.shelter(() => sleeping.wish.roused())
  }

  /** Of whoever sleeps; when nobody does, news of that can wait for an answer as long. */
  get #intervalMs(): number {
    return this.#sleeping.size === 0 ? NEWS_MS : this.#leastMs
  }

  /** One timer for all who sleep, with the beat of those who do not. */
  #arm(afterMs?: number): void {
    if (this.#pulse !== null || this.#sleeping.size === 0) return
    const { clock } = this.#world
    const intervalMs = VOUCH_BEATS * this.#intervalMs
    const fire = (): void => {
      // Between its timer and its turn the mail is read: what it was to say may have been said by then.
      if (this.#pulse !== pulse) return
      this.#pulse = null
      this.#beat(intervalMs)
      this.#arm()
    }
    // The mail of the turn is read first: this process may have slept itself.
    const delayMs = afterMs ?? intervalMs - (clock.nowMs() % intervalMs)
    const pulse = clock.setTimeout(() => clock.defer(fire), Math.max(1, Math.ceil(delayMs)))
    this.#pulse = pulse
  }

  #beat(intervalMs: number): void {
    const nowMs = this.#world.clock.nowMs()
    if (nowMs - this.#heardMs > SILENT_BEATS * this.#intervalMs)
      for (const group of [...this.#sleeping.keys()]) this.#rouse(group)
    for (const [group, { wish, agreed }] of this.#sleeping) {
      if (!wish.sleepsOn(nowMs)) this.#rouse(group)
      else if (agreed !== null) wish.pulse()
    }
    // The heartbeats of those who are awake have said it already.
    if (nowMs - this.#sentMs > intervalMs / 2) this.#flushSoon()
  }
}
