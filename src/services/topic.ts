// One query that clients are subscribed to, and all who wait for another answer to it: asked once for all of them, when it may
// have changed, and no more often than so.

import { createHash } from 'node:crypto'
import { PlacedQuery } from '../commands/command-machine.ts'
import { DIGEST_BYTES } from '../protocol/subscription-protocol.ts'
import type { LogIndex } from '../rules/types.ts'
import type { Clock, TimerHandle } from '../runtime/clock.ts'
import { encodeValue } from '../transport/wire/codec.ts'
import type { FollowedMachine, Member } from './member-port.ts'

/** Somebody who waits. */
export interface Poll {
  readonly after: LogIndex
  readonly digest: Uint8Array | null
  readonly untilMs: number
  readonly replyTo: string
}

/** What the machine has answered, and after which command. */
export interface Look {
  readonly index: LogIndex
  readonly digest: Uint8Array
  /** Null: it returned nothing. */
  readonly bytes: Uint8Array | null
}

export interface TopicOptions {
  readonly query: unknown
  readonly member: Pick<Member, 'query'>
  readonly machine: FollowedMachine
  readonly clock: Clock
  /** Of all topics together. */
  readonly tally: { waiting: number }
  /** There is another answer than the one that it knows. */
  readonly tell: (poll: Poll, look: Look) => void
  readonly fail: (poll: Poll, error: unknown) => void
}

const EVERY_MS = 50
/** Longer answers are asked for again rather than kept. */
const MAX_KEPT_BYTES = 16 * 1024

export class Topic {
  readonly #options: TopicOptions
  readonly #polls = new Set<Poll>()
  readonly #stop: () => void
  /** The newest answer, as long as nothing has happened since. */
  #look: Look | null = null
  #index: LogIndex = 0
  #isAsking = false
  #mayHaveChanged = false
  #askedMs = Number.NEGATIVE_INFINITY
  #timer: TimerHandle | null = null
  /** Since when nobody waits. */
  idleSinceMs: number

  /** @throws what the machine throws when it is told of the query. */
  constructor(options: TopicOptions) {
    this.#options = options
    this.idleSinceMs = options.clock.nowMs()
    this.#stop = options.machine.follow(options.query, () => this.#changed())
  }

  get waiting(): number {
    return this.#polls.size
  }

  add(poll: Poll): void {
    this.#polls.add(poll)
    this.#options.tally.waiting += 1
    if (this.#look === null) this.#askSoon()
    else this.#offer(poll, this.#look)
  }

  /** Lets go of those whose time is up: returns them, and what they may know to have seen. */
  takeLate(nowMs: number): readonly (readonly [Poll, LogIndex])[] {
    const late = [...this.#polls].filter(({ untilMs }) => untilMs <= nowMs)
    for (const poll of late) this.#drop(poll)
    return late.map((poll) => [poll, this.#index])
  }

  takeAll(): readonly Poll[] {
    const all = [...this.#polls]
    for (const poll of all) this.#drop(poll)
    return all
  }

  close(): void {
    this.#stop()
    this.takeAll()
    if (this.#timer !== null) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = null
  }

  #changed(): void {
    this.#look = null
    this.#mayHaveChanged = true
    if (this.#polls.size > 0) this.#askSoon()
  }

  #askSoon(): void {
    const { clock } = this.#options
    if (this.#isAsking || this.#timer !== null) return
    const waitMs = Math.max(0, this.#askedMs + EVERY_MS - clock.nowMs())
    this.#timer = clock.setTimeout(() => {
      this.#timer = null
      if (this.#polls.size > 0) this.#ask()
    }, waitMs)
  }

  #ask(): void {
    const { clock, member, query } = this.#options
    const placed = new PlacedQuery(query)
    this.#isAsking = true
    this.#mayHaveChanged = false
    this.#askedMs = clock.nowMs()
    member.query(placed, 'local', (outcome) => {
      this.#isAsking = false
      if (outcome.ok) this.#answered(placed.index, outcome.answer)
      else this.#failed(outcome.error)
      if (this.#mayHaveChanged && this.#polls.size > 0) this.#askSoon()
    })
  }

  #answered(index: LogIndex, answer: unknown): void {
    let bytes: Uint8Array | null
    try {
      bytes = answer === undefined ? null : encodeValue(answer)
    } catch (error) {
      return this.#failed(error)
    }
    const look = { index, bytes, digest: digestOf(bytes) }
    this.#index = index
    for (const poll of [...this.#polls]) this.#offer(poll, look)
    const isKept = !this.#mayHaveChanged && (bytes?.length ?? 0) <= MAX_KEPT_BYTES
    this.#look = isKept ? look : null
  }

  /** Whoever knows it already, or something newer, waits on. */
  #offer(poll: Poll, look: Look): void {
    if (look.index < poll.after || isSame(poll.digest, look.digest)) return
    this.#drop(poll)
    this.#options.tell(poll, look)
  }

  #failed(error: unknown): void {
    for (const poll of this.takeAll()) this.#options.fail(poll, error)
  }

  #drop(poll: Poll): void {
    if (this.#polls.delete(poll)) this.#options.tally.waiting -= 1
    this.idleSinceMs = this.#options.clock.nowMs()
  }
}

function digestOf(bytes: Uint8Array | null): Uint8Array {
  const hash = createHash('sha256')
  if (bytes !== null) hash.update(bytes)
  return Uint8Array.from(hash.digest().subarray(0, DIGEST_BYTES))
}

function isSame(one: Uint8Array | null, other: Uint8Array): boolean {
  return one !== null && Buffer.compare(one, other) === 0
}
