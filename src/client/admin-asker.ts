// One question of an operator to one member, and its one answer.

import type { QuorateError } from '../errors.ts'
import { isQuorateError } from '../errors.ts'
import { MAX_STATUS_BYTES, type MemberStatus, parseMemberStatus } from '../protocol/admin-protocol.ts'
import {
  type AdminAnswer,
  type AdminRequest,
  type AdminVerb,
  encodeAdminRequest,
  parseAdminAnswer,
} from '../protocol/admin-verbs.ts'
import { decodeJson } from '../protocol/json.ts'
import { askedSubject } from '../protocol/subjects.ts'
import type { PeerId } from '../rules/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { adminSubject } from '../transport/subjects.ts'
import type { Transport } from '../transport/transport.ts'
import { Requester } from './requester.ts'

/** `nobody`: the member is not there, or nothing could be sent. `silent`: nobody waits any longer. */
export type Reply<V extends AdminVerb> =
  | { readonly kind: 'answer'; readonly answer: AdminAnswer<V> }
  | { readonly kind: 'refused'; readonly error: QuorateError }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'silent' }

export interface Asked<V extends AdminVerb> {
  readonly reply: Promise<Reply<V>>
  /** Ends the waiting: the reply is `silent`, unless it came before. */
  giveUp(): void
}

export interface AdminAskerOptions {
  readonly transport: Transport
  readonly prefix: string
  readonly group: string
  readonly clock: Clock
}

export class AdminAsker {
  readonly requester: Requester
  readonly #options: AdminAskerOptions

  constructor(options: AdminAskerOptions) {
    this.#options = options
    this.requester = new Requester(options.transport)
  }

  /** `verb` is that of the request. */
  ask<V extends AdminVerb>(member: PeerId, verb: V, request: AdminRequest): Asked<V> {
    const { prefix, group, transport } = this.#options
    const subject = askedSubject({ prefix, group, member }, verb, transport.inbox)
    let giveUp = (): void => {}
    const reply = new Promise<Reply<V>>((resolve) => {
      const asked = this.requester.send(subject, encodeAdminRequest(request), ({ payload, noResponders }) => {
        asked?.close()
        if (noResponders) return resolve({ kind: 'nobody' })
        const answer = parseAdminAnswer(verb, payload)
        // What is no answer says no more than silence does.
        if (answer === undefined) return resolve({ kind: 'silent' })
        resolve(isQuorateError(answer) ? { kind: 'refused', error: answer } : { kind: 'answer', answer })
      })
      if (asked === null) return resolve({ kind: 'nobody' })
      giveUp = () => {
        asked.close()
        resolve({ kind: 'silent' })
      }
    })
    return { reply, giveUp: () => giveUp() }
  }

  /** How a member is; null when it has not said so in time. */
  statusOf(member: PeerId, timeoutMs: number): Promise<MemberStatus | null> {
    const { prefix, group, clock } = this.#options
    return new Promise((resolve) => {
      const end = (status: MemberStatus | null): void => {
        clock.clearTimeout(timer)
        asked?.close()
        resolve(status)
      }
      const timer = clock.setTimeout(() => end(null), timeoutMs)
      const subject = adminSubject(prefix, group, member, 'status')
      const asked = this.requester.send(subject, new Uint8Array(0), ({ payload, noResponders }) =>
        end(noResponders ? null : (parseMemberStatus(decodeJson(payload, MAX_STATUS_BYTES)) ?? null)),
      )
      if (asked === null) end(null)
    })
  }

  close(): void {
    this.requester.close()
  }
}
