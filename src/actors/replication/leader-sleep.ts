// A leader's wish that one of its followers sleeps (rules/quiescence.ts). It is looked at before every word to the process of the
// follower: one object, so that a thousand are quickly looked at.

import type { AnyActorRef } from 'xstate'
import { isToBeTold, keepsUp, sleepIntervalMs } from '../../rules/quiescence.ts'
import type { LogIndex, Term } from '../../rules/types.ts'
import type { SleepWish, Vouched } from '../../transport/rpc/peer-rpc.ts'
import type { PeerProgress } from './peer-progress.ts'
import type { ReplicationWorld } from './replication-world.ts'

export class LeaderSleep implements SleepWish {
  readonly group: string
  readonly term: Term
  readonly lastIndex: LogIndex
  readonly #core: ReplicationWorld
  readonly #progress: PeerProgress
  readonly #heartbeat: AnyActorRef

  constructor(core: ReplicationWorld, progress: PeerProgress, term: Term, heartbeat: AnyActorRef) {
    this.group = core.group
    this.term = term
    this.lastIndex = core.log.lastIndex
    this.#core = core
    this.#progress = progress
    this.#heartbeat = heartbeat
  }

  intervalMs(): number {
    return sleepIntervalMs(this.#core.heartbeatMs, this.#core.tuning.electionTimeoutMs)
  }

  sleepsOn(nowMs: number): boolean {
    return this.#isActive && keepsUp(this.#progress, this.#core.tuning.electionTimeoutMs, nowMs)
  }

  pulse(): void {
    const { toldIndex, framesSince } = this.#progress
    if (isToBeTold({ toldIndex, framesSince, commitIndex: this.#core.commitIndex }))
      this.#heartbeat.send({ type: 'tell' })
    if (framesSince > 0) this.#progress.framesSince = 0
  }

  roused(): void {
    if (this.#isActive) this.#heartbeat.send({ type: 'roused' })
  }

  done(vouched: Vouched | null): void {
    if (this.#isActive) this.#heartbeat.send({ type: 'sleep.answered', vouched })
  }

  get #isActive(): boolean {
    return this.#heartbeat.getSnapshot().status === 'active'
  }
}
