// What this process says to others, and others to it, about all groups that they share: one pair for each that has followers
// here or leaders, and one message for all groups of a turn.

import type { PeerId } from '../../rules/types.ts'
import type { Clock } from '../../runtime/clock.ts'
import { sheltered } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { decodeBeats, decodeBeatsAnswer, encodeBeats, encodeBeatsAnswer } from '../wire/beats-codec.ts'
import {
  BEATS,
  type BeatsRequest,
  heartbeatAnswerOf,
  heartbeatOf,
  MAX_GROUPS_PER_MESSAGE,
} from '../wire/messages/beats.ts'
import { encodeErrorResponse } from '../wire/response-codec.ts'
import type { Drops } from './drops.ts'
import { FollowingPair } from './following-pair.ts'
import { type Exchange, LeadingPair } from './leading-pair.ts'
import type { HeartbeatCall, RpcFailure, SleepWish } from './peer-rpc.ts'
import type { PendingCalls } from './pending-calls.ts'
import type { ServedMembers } from './served-members.ts'

export interface PairsOptions {
  readonly id: PeerId
  readonly incarnation: number
  readonly clock: Clock
  readonly logger: Logger
  readonly drops: Drops
}

/** What the endpoint does for the pairs. None of it throws. */
export interface PairsPort {
  maxFrameBytes(): number
  /** False: it did not leave. `group` is any that both share. */
  send(group: string, to: PeerId, body: Uint8Array, token: string): boolean
  answer(replyTo: string, body: Uint8Array): void
  sendAlone(to: PeerId, call: HeartbeatCall): void
  heard(peer: PeerId): void
  /** The bus says that nobody listens there. */
  missed(peer: PeerId): void
  readonly members: ServedMembers
}

/** At most what a group can add to a message: its name and a row of numbers. */
const BYTES_PER_GROUP = 256
/** Most processes whose members are followed here. */
const MAX_PAIRS = 1024

export class Pairs {
  readonly #options: PairsOptions
  readonly #pending: PendingCalls
  readonly #port: PairsPort
  readonly #leading = new Map<PeerId, LeadingPair>()
  readonly #following = new Map<PeerId, FollowingPair>()

  constructor(options: PairsOptions, pending: PendingCalls, port: PairsPort) {
    this.#options = options
    this.#pending = pending
    this.#port = port
  }

  heartbeat(to: PeerId, call: HeartbeatCall): void {
    this.#leadingTo(to).heartbeat(call)
  }

  askToSleep(to: PeerId, wish: SleepWish): void {
    this.#leadingTo(to).askToSleep(wish)
  }

  /** What another process says about the groups that it leads. */
  receive(from: PeerId, payload: Uint8Array, replyTo: string | undefined): void {
    const { drops, id } = this.#options
    const decoded = decodeBeats(payload)
    if (!decoded.ok) return drops.record(decoded.reason, from, `${BEATS}: ${decoded.detail}`)
    const { from: sender, message } = decoded.value
    if (sender !== from) return drops.record('FORGED_SENDER', from, `${BEATS} says it is from ${sender}`)
    const pair = this.#followingFrom(from)
    if (pair === null) return this.#refuse(replyTo)
    const send = (answer: Parameters<typeof encodeBeatsAnswer>[1]): void => {
      if (replyTo !== undefined) this.#port.answer(replyTo, encodeBeatsAnswer(id, answer))
    }
    pair.receive(this.#believable(from, message), send)
    if (message.vouches) this.#leading.get(from)?.joinIn()
  }

  /** Whoever is told so sends heartbeats one by one. */
  #refuse(replyTo: string | undefined): void {
    const { id } = this.#options
    const message = `${id} shares groups with ${MAX_PAIRS} processes already.`
    if (replyTo !== undefined)
      this.#port.answer(replyTo, encodeErrorResponse(id, { code: 'ENOMETHOD', message }))
  }

  close(): void {
    const failure: RpcFailure = {
      code: 'CLOSED',
      message: `${this.#options.id} closed while waiting for an answer.`,
    }
    for (const pair of this.#leading.values()) pair.close(failure)
    for (const pair of this.#following.values()) pair.close()
    this.#leading.clear()
    this.#following.clear()
  }

  /** A row that names a term which its member should not believe gets no answer, as if it had been lost. */
  #believable(from: PeerId, message: BeatsRequest): BeatsRequest {
    const { drops } = this.#options
    const beats = message.beats.map((row) => {
      const doubt = this.#port.members.doubts(row[0], heartbeatOf(row)?.term ?? 0)
      if (doubt === undefined) return row
      drops.record('IMPLAUSIBLE_TERM', from, `heartbeat in ${BEATS}: ${doubt}`)
      return [row[0]] as const
    })
    return { ...message, beats }
  }

  #leadingTo(to: PeerId): LeadingPair {
    const known = this.#leading.get(to)
    if (known !== undefined) return known
    const { clock, incarnation } = this.#options
    const pair = new LeadingPair({
      clock,
      ...{ incarnation, mostGroups: this.#mostGroups, shelter: this.#shelter },
      send: (message, timeoutMs, exchange) => this.#send(to, message, timeoutMs, exchange),
      sendAlone: (call) => this.#port.sendAlone(to, call),
    })
    this.#leading.set(to, pair)
    return pair
  }

  /** Null: there are too many, and names cost nothing on a bus without permissions. */
  #followingFrom(from: PeerId): FollowingPair | null {
    const known = this.#following.get(from)
    if (known !== undefined) return known
    if (this.#following.size >= MAX_PAIRS) return null
    const { clock, incarnation } = this.#options
    const pair = new FollowingPair(from, {
      clock,
      ...{ incarnation, mostGroups: this.#mostGroups, shelter: this.#shelter },
      deliver: (group, message, reply) =>
        this.#port.members.deliver(group, { method: 'heartbeat', from, message }, reply),
      askToSleep: (group, ask) => this.#shelter(() => this.#port.members.fallAsleep(group, ask)),
    })
    this.#following.set(from, pair)
    return pair
  }

  #send(to: PeerId, message: BeatsRequest, timeoutMs: number, exchange: Exchange): void {
    const { id, drops, clock } = this.#options
    const answered = (token: string, payload: Uint8Array): void => {
      const decoded = decodeBeatsAnswer(payload)
      if (!decoded.ok) return drops.record(decoded.reason, to, `answer to ${BEATS}: ${decoded.detail}`)
      const { from, outcome } = decoded.value
      if (from !== to) return drops.record('WRONG_PEER', from, `answer to ${BEATS} that ${to} was asked`)
      this.#port.heard(from)
      if (!outcome.ok) {
        this.#pending.remove(token)
        const { code: remoteCode, message } = outcome.error
        return exchange.failed({ code: 'REFUSED', remoteCode, message })
      }
      const answers = outcome.response.answers.filter((row) => {
        const group = message.beats[row[0] ?? -1]?.[0]
        const doubt =
          group === undefined
            ? 'of no group that was asked'
            : this.#port.members.doubts(group, heartbeatAnswerOf(row).term)
        if (doubt !== undefined)
          drops.record('IMPLAUSIBLE_TERM', from, `answer to heartbeat in ${BEATS}: ${doubt}`)
        return doubt === undefined
      })
      exchange.answered({ ...outcome.response, answers })
      if (exchange.isOver()) this.#pending.remove(token)
    }
    const failed = (failure: RpcFailure): void => {
      if (failure.code === 'NO_RESPONDERS') this.#port.missed(to)
      exchange.failed(failure)
    }
    const token = this.#pending.add({ to, method: BEATS, answered, failed }, timeoutMs)
    const group = message.beats[0]?.[0] ?? message.asks[0]?.[0] ?? message.woken[0]?.[0] ?? BEATS
    if (this.#port.send(group, to, encodeBeats(id, message), token)) return
    this.#pending.remove(token)
    clock.defer(() => exchange.failed({ code: 'BUS_DOWN', message: 'The bus took no message.' }))
  }

  readonly #mostGroups = (): number => {
    const fit = Math.floor(this.#port.maxFrameBytes() / BYTES_PER_GROUP)
    return Math.max(1, Math.min(MAX_GROUPS_PER_MESSAGE, fit))
  }

  readonly #shelter = (run: () => void): void =>
    sheltered(run, (error) =>
      this.#options.logger.error({ error }, 'A member threw when a message about its group came.'),
    )
}
