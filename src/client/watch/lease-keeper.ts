// Keeps the lease of one viewer at one member: asks again before it ends, and for a whole picture when something is missing.

import type { QuorateError } from '../../errors.ts'
import type { FeedPicture } from '../../protocol/feed-protocol.ts'
import type { Clock, TimerHandle } from '../../runtime/clock.ts'
import type { AdminAsker, Reply } from '../admin-asker.ts'

export interface KeeperOptions {
  readonly asker: AdminAsker
  readonly clock: Clock
  readonly member: string
  readonly viewer: string
  readonly leaseMs: number
  readonly renewMs: number
  readonly everything: boolean
  /** Charts that are known already need not be sent again. Null: all are wanted. */
  readonly missingCharts: () => readonly string[] | null
  readonly answered: (picture: FeedPicture) => void
  /** Why it has not answered, as a sentence. */
  readonly failed: (problem: string) => void
}

const ANSWER_MS = 1500
/** However often something is missing, a picture is asked for no sooner than this after the one before. */
const LEAST_PAUSE_MS = 200

export class LeaseKeeper {
  readonly #options: KeeperOptions
  #timer: TimerHandle | null = null
  #askedMs = Number.NEGATIVE_INFINITY
  /** Ends the waiting for the question that is open; null: none is. */
  #giveUp: (() => void) | null = null
  #again = false
  #more: readonly string[] = []
  #closed = false

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  /** Asks as soon as may be. */
  ask(): void {
    if (this.#closed) return
    if (this.#giveUp !== null) {
      this.#again = true
      return
    }
    const { clock } = this.#options
    this.#arm(Math.max(0, this.#askedMs + LEAST_PAUSE_MS - clock.nowMs()))
  }

  /** Takes leave of the member, unless it is known to be gone. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const { clock, asker, member, viewer } = this.#options
    if (this.#timer !== null) clock.clearTimeout(this.#timer)
    this.#giveUp?.()
    const leave = asker.ask(member, 'inspect', { verb: 'inspect', viewer, leaseMs: 0, charts: [] })
    leave.giveUp()
  }

  #arm(delayMs: number): void {
    const { clock } = this.#options
    if (this.#timer !== null) clock.clearTimeout(this.#timer)
    this.#timer = clock.setTimeout(() => {
      this.#timer = null
      this.#ask()
    }, delayMs)
  }

  #ask(): void {
    const { asker, clock, member, viewer, leaseMs, everything, missingCharts } = this.#options
    this.#askedMs = clock.nowMs()
    const charts = this.#more.length > 0 ? this.#more : missingCharts()
    this.#more = []
    const asked = asker.ask(member, 'inspect', {
      verb: 'inspect',
      ...{ viewer, leaseMs, everything },
      ...(charts === null ? {} : { charts: [...charts] }),
    })
    const timer = clock.setTimeout(() => asked.giveUp(), ANSWER_MS)
    this.#giveUp = () => asked.giveUp()
    const next = (reply: Reply<'inspect'>): void => {
      clock.clearTimeout(timer)
      this.#giveUp = null
      if (!this.#closed) this.#heard(reply)
    }
    asked.reply.then(next, () => next({ kind: 'silent' }))
  }

  #heard(reply: Reply<'inspect'>): void {
    const { answered, failed, member, renewMs } = this.#options
    const again = this.#again
    this.#again = false
    if (reply.kind === 'answer') {
      this.#more = reply.answer.more.slice(0, 64)
      // A picture that has charts only is none of how things are: those that came with the first answer count.
      answered(reply.answer)
    } else failed(problemOf(member, reply))
    this.#arm(again || this.#more.length > 0 ? LEAST_PAUSE_MS : renewMs)
  }
}

function problemOf(member: string, reply: Exclude<Reply<'inspect'>, { kind: 'answer' }>): string {
  if (reply.kind === 'refused')
    return `Member ${member} does not let itself be watched: ${sentence(reply.error)}`
  if (reply.kind === 'nobody') return `Nobody answers as member ${member}: it is down, or cannot be watched.`
  return `Member ${member} has not answered within ${ANSWER_MS} ms.`
}

function sentence({ message }: QuorateError): string {
  return message.endsWith('.') ? message : `${message}.`
}
