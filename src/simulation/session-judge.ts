// Says of each committed command whether it has to be carried out (INV-27): fed with the log in order, and written from what
// sessions promise, not from how the package keeps them. It forgets nothing but what has expired.

import { EntryType, type LogIndex } from '../rules/types.ts'
import { isEnvelope, openEnvelope } from '../transport/wire/envelope.ts'
import type { EntryRecord } from './invariants/invariants.ts'

interface Session {
  readonly idleMs: number
  lastUsedMs: number
  acknowledged: number
  readonly done: Set<number>
}

export class SessionJudge {
  readonly #sessions = new Map<number, Session>()
  readonly #passedOver = new Set<LogIndex>()
  #timeMs = 0

  /** The next committed entry, in the order of the log. */
  add({ index, type, data }: EntryRecord): void {
    const envelope = type === EntryType.DATA && isEnvelope(data) ? openEnvelope(data) : null
    if (envelope === null) return
    this.#timeMs = Math.max(this.#timeMs, envelope.timeMs)
    const mark = envelope.session
    if (mark === null) return
    if (mark.session === 0) {
      this.#passedOver.add(index)
      const session = {
        idleMs: mark.sequence,
        lastUsedMs: this.#timeMs,
        acknowledged: 0,
        done: new Set<number>(),
      }
      this.#sessions.set(index, session)
    } else if (mark.sequence === 0) {
      this.#passedOver.add(index)
      this.#sessions.delete(mark.session)
    } else if (!this.#isFirst(mark.session, mark.sequence, mark.acknowledged)) this.#passedOver.add(index)
  }

  /** Is this committed command one that a state machine must get to see? */
  carriesOut(index: LogIndex): boolean {
    return !this.#passedOver.has(index)
  }

  #isFirst(id: number, sequence: number, acknowledged: number): boolean {
    const session = this.#sessions.get(id)
    if (session === undefined) return false
    if (this.#timeMs - session.lastUsedMs > session.idleMs) {
      this.#sessions.delete(id)
      return false
    }
    session.lastUsedMs = this.#timeMs
    const isNew = sequence > session.acknowledged && !session.done.has(sequence)
    session.acknowledged = Math.max(session.acknowledged, Math.min(acknowledged, sequence - 1))
    session.done.add(sequence)
    return isNew
  }
}
