// Lets operators watch one member: answers `inspect` with all there is now, and publishes what follows while they ask.

import { QuorateError } from '../errors.ts'
import type { FeedOutlet, FeedRequest } from '../observability/feed/feed.ts'
import { FEED_KIND, type FeedPicture, MAX_BATCH_BYTES } from '../protocol/feed-protocol.ts'
import { eventsSubject } from '../transport/subjects.ts'
import type { Transport } from '../transport/transport.ts'
import type { Member } from './member-port.ts'

export interface FeedDeskOptions {
  readonly member: Member
  readonly transport: Transport
  readonly prefix: string
  readonly group: string
  readonly id: string
}

/** Of an answer, around the picture. */
const ANSWER_RESERVE_BYTES = 1024

export class FeedDesk {
  readonly #options: FeedDeskOptions
  readonly #subject: string
  #outlet: FeedOutlet | null = null
  #closed = false

  constructor(options: FeedDeskOptions) {
    const { prefix, group, id } = options
    this.#options = options
    this.#subject = eventsSubject(prefix, group, id, FEED_KIND)
  }

  /** @returns the picture, or why there is none. */
  answer(
    request: FeedRequest & { readonly charts?: readonly string[] | undefined },
  ): FeedPicture | QuorateError {
    const { id, transport } = this.#options
    if (!this.#closed) this.#outlet ??= this.#open()
    if (this.#outlet === null) return new QuorateError('UNSUPPORTED', `Member ${id} cannot be watched.`)
    const room = transport.status().maxPayloadBytes - ANSWER_RESERVE_BYTES
    return this.#outlet.watch(request, request.charts, room)
  }

  close(): void {
    this.#closed = true
    this.#outlet?.close()
    this.#outlet = null
  }

  #open(): FeedOutlet | null {
    const { member, transport } = this.#options
    const encoder = new TextEncoder()
    const maxBytes = (): number => Math.min(MAX_BATCH_BYTES, transport.status().maxPayloadBytes)
    return (
      member.feed()?.outlet((_, json) => transport.publish(this.#subject, encoder.encode(json)), maxBytes) ??
      null
    )
  }
}
