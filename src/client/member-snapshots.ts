// One member's snapshots, asked for over the bus: to have one taken, to know what it is made of, to read it.

import { decodePage } from '../actors/snapshot/file-list.ts'
import { QuorateError } from '../errors.ts'
import { decodeJson } from '../protocol/json.ts'
import {
  MAX_READ_BYTES,
  parseReadAnswer,
  parseTakeAnswer,
  type ReadAnswer,
  readTuple,
  SNAPSHOT_MESSAGE_LIMITS,
  type SnapshotRead,
  type SnapshotRefusal,
  type SnapshotSummary,
} from '../protocol/snapshot-protocol.ts'
import { askedSubject } from '../protocol/subjects.ts'
import type { PeerId } from '../rules/types.ts'
import type { Clock } from '../runtime/clock.ts'
import type { SnapshotFile, SnapshotRecord } from '../storage/snapshot-store.ts'
import type { Transport } from '../transport/transport.ts'
import { decodeMessage, encodeMessage } from '../transport/wire/codec.ts'
import { Requester } from './requester.ts'

const MAX_JSON_BYTES = 1024 * 1024
/** Requests for bytes that are on their way at a time. */
const WINDOW = 4
const BUSY_PAUSE_MS = 50
/** A read that is lost is asked for again; after so many in a row the member is gone. */
const READ_ATTEMPTS = 4

export interface MemberSnapshotsOptions {
  readonly transport: Transport
  readonly prefix: string
  readonly group: string
  readonly member: PeerId
  /** Who asks. */
  readonly name: string
  readonly timeoutMs: number
  readonly clock: Clock
}

export class MemberSnapshots {
  readonly #options: MemberSnapshotsOptions
  readonly #requester: Requester

  constructor(options: MemberSnapshotsOptions) {
    this.#options = options
    this.#requester = new Requester(options.transport)
  }

  /**
   * Has a snapshot taken, and resolves when it is durable.
   * @throws QuorateError as `node.snapshot()` does; TIMEOUT with outcome `unknown` when it was asked for and no answer came.
   */
  async take(): Promise<SnapshotSummary> {
    const answer = parseTakeAnswer(
      await this.#ask('snapshot', new Uint8Array(0), (payload) => decodeJson(payload, MAX_JSON_BYTES)),
    )
    if (answer === undefined) throw this.#notUnderstood()
    if (!answer.ok) throw toError(answer.error)
    return answer.snapshot
  }

  /** The newest snapshot with all its files. @throws QuorateError INVALID when there is none. */
  async newest(): Promise<SnapshotRecord> {
    const first = await this.#read({ index: 0, term: 0, name: '', offset: 0, count: MAX_READ_BYTES })
    const { files: total, bytes, takenAtMs, ...meta } = first.snapshot
    const files: SnapshotFile[] = []
    const at = { index: meta.lastIncludedIndex, term: meta.lastIncludedTerm, name: '', count: MAX_READ_BYTES }
    for (let { data } = first; files.length < total; ) {
      const page = decodePage(data)
      if (page === null || page.length === 0) throw this.#notUnderstood()
      files.push(...page)
      if (files.length < total) ({ data } = await this.#read({ ...at, offset: files.length }))
    }
    return { meta, files, bytes, takenAtMs }
  }

  /** The bytes of a file, in order. What comes may be damaged on its way: its digest tells. */
  async *read({ meta }: SnapshotRecord, { name, bytes }: SnapshotFile): AsyncIterable<Uint8Array> {
    const { lastIncludedIndex: index, lastIncludedTerm: term } = meta
    const ask = (offset: number): Promise<Piece> => {
      const asked = Math.min(MAX_READ_BYTES, bytes - offset)
      const piece = this.#read({ index, term, name, offset, count: asked }).then(({ data }) => ({
        offset,
        asked,
        data,
      }))
      piece.catch(() => {}) // whoever awaits it hears of it
      return piece
    }
    const coming: Promise<Piece>[] = []
    let next = 0
    while (next < bytes || coming.length > 0) {
      for (; next < bytes && coming.length < WINDOW; next += MAX_READ_BYTES) coming.push(ask(next))
      const piece = await coming.shift()
      if (piece === undefined) return
      // The bus, or the throttle of the member, may allow for less than was asked for.
      for (let { offset, data, asked } = piece; ; ) {
        if (data.length === 0 || data.length > asked) throw this.#notUnderstood()
        yield data
        offset += data.length
        asked -= data.length
        if (asked === 0) break
        ;({ data } = await this.#read({ index, term, name, offset, count: asked }))
      }
    }
  }

  close(): void {
    this.#requester.close()
  }

  /** Tried again while the member is busy, and when an answer does not come. */
  async #read(request: SnapshotRead): Promise<ReadAnswer & { readonly ok: true }> {
    const payload = encodeMessage(readTuple(this.#options.name, request))
    for (let lost = 0; ; ) {
      const answer = await this.#ask('snapshot-read', payload, decodeRead).catch((error: QuorateError) => {
        lost += 1
        if (error.code !== 'TIMEOUT' || lost >= READ_ATTEMPTS) throw error
        return null
      })
      if (answer === null) continue
      if (answer === undefined) throw this.#notUnderstood()
      if (answer.ok) return answer
      if (!answer.error.retryable) throw toError(answer.error)
      await this.#pause()
    }
  }

  #ask<T>(method: string, payload: Uint8Array, parse: (payload: Uint8Array) => T): Promise<T> {
    const { transport, group, member, timeoutMs, clock } = this.#options
    const subject = askedSubject(this.#options, method, transport.inbox)
    return new Promise((resolve, reject) => {
      const late = (): void => {
        request?.close()
        const text = `Member ${member} has not answered within ${timeoutMs} ms.`
        reject(new QuorateError('TIMEOUT', text, { outcome: 'unknown', retryable: true }))
      }
      const timer = clock.setTimeout(late, timeoutMs)
      const request = this.#requester.send(subject, payload, (reply) => {
        clock.clearTimeout(timer)
        request?.close()
        if (reply.noResponders) {
          const text = `No member ${member} of group ${group} answers: it is not running, or it is of an older version.`
          return reject(new QuorateError('TRANSPORT', text, { retryable: true }))
        }
        resolve(parse(reply.payload))
      })
      if (request !== null) return
      clock.clearTimeout(timer)
      reject(new QuorateError('TRANSPORT', 'The request could not be sent.', { retryable: true }))
    })
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimeout(resolve, BUSY_PAUSE_MS))
  }

  #notUnderstood(): QuorateError {
    return new QuorateError('TRANSPORT', `An answer of member ${this.#options.member} is not understood.`)
  }
}

interface Piece {
  readonly offset: number
  readonly asked: number
  readonly data: Uint8Array
}

function decodeRead(payload: Uint8Array): ReadAnswer | undefined {
  const decoded = decodeMessage(payload, SNAPSHOT_MESSAGE_LIMITS)
  return decoded.ok ? parseReadAnswer(decoded.value) : undefined
}

function toError({ code, message, retryable }: SnapshotRefusal): QuorateError {
  return new QuorateError(code, message, { retryable })
}
