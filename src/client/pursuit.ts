// Gets done what only a leader does: finds it, follows it when it changes, tells how far it has got, and asks again when an
// answer was lost, which begins nothing twice.

import type { ConfigurationInfo } from '../api.ts'
import { QuorateError } from '../errors.ts'
import type { AdminAnswer, AdminRequest, AdminVerb } from '../protocol/admin-verbs.ts'
import { membersSubject } from '../protocol/subjects.ts'
import type { PeerId } from '../rules/types.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ChangeStatus } from '../status.ts'
import type { AdminAsker, Reply } from './admin-asker.ts'
import { askStatus } from './status.ts'

export interface PursuitOptions {
  /** Ends the waiting; what was begun goes on in the group. */
  readonly signal?: AbortSignal | undefined
  /** Told again and again while it is under way; null: the leader says of no change (yet). */
  readonly onProgress?: ((progress: ChangeStatus | null) => void) | undefined
}

export interface PursuitContext {
  readonly asker: AdminAsker
  readonly clock: Clock
  readonly prefix: string
  readonly group: string
  /** How long no leader may take it. What a leader has begun may take longer. */
  readonly timeoutMs: number
}

/** How often a leader that has not answered yet is looked at. */
const LOOK_MS = 250
/** So many looks in a row that find no sign of what was asked mean that the answer, or the question, is lost. */
const PATIENCE_LOOKS = 4
const PAUSE_MS = 50

/** How an answer that was lost is made up for: from what the leader, or who leads now, says. Null: ask again. */
export type Settled<V extends AdminVerb> = (seen: {
  readonly leader: PeerId
  readonly term: number
  readonly now: ConfigurationInfo
}) => AdminAnswer<V> | null

/** One wish, until it is fulfilled or refused. */
export class Pursuit<V extends AdminVerb> {
  readonly #context: PursuitContext
  readonly #verb: V
  readonly #request: AdminRequest
  readonly #options: PursuitOptions
  readonly #settled: Settled<V>
  #leader: PeerId | null = null
  /** A leader may have begun it. */
  #maybeBegun = false
  #deadlineMs: number

  constructor(
    context: PursuitContext,
    verb: V,
    request: AdminRequest,
    options: PursuitOptions,
    settled: Settled<V>,
  ) {
    this.#context = context
    this.#verb = verb
    this.#request = request
    this.#options = options
    this.#settled = settled
    this.#deadlineMs = context.clock.nowMs() + context.timeoutMs
  }

  /** @throws QuorateError what the leader says, NO_LEADER or BUSY when time is up, ABORTED. */
  async run(): Promise<AdminAnswer<V>> {
    const { clock, group, timeoutMs } = this.#context
    const nobody = (): QuorateError =>
      new QuorateError('NO_LEADER', `Nobody led group ${group} for ${timeoutMs} ms.`, this.#uncertain())
    for (let last: QuorateError | null = null; ; await this.#pause(PAUSE_MS)) {
      this.#checkAborted()
      this.#leader ??= await this.#findLeader()
      if (this.#leader !== null) {
        const settled = this.#maybeBegun ? await this.#look(this.#leader) : null
        if (settled !== null) return settled
        const reply = await this.#askLeader(this.#leader)
        if (reply.kind === 'answer') return reply.answer
        last = reply.kind === 'refused' ? this.#judge(reply.error) : null
        if (reply.kind === 'silent') this.#begun()
        if (reply.kind !== 'refused') this.#leader = null
      }
      if (clock.nowMs() >= this.#deadlineMs) throw last ?? nobody()
    }
  }

  /** Throws what no other attempt can change. */
  #judge(error: QuorateError): QuorateError {
    const isUnknown = error.outcome === 'unknown'
    if (isUnknown || (this.#maybeBegun && error.code === 'BUSY')) this.#begun()
    else if (!error.retryable && error.code !== 'NOT_LEADER') throw error
    const next = error.code === 'NOT_LEADER' ? error.leader : this.#leader
    this.#leader = isUnknown || (error.code === 'NOT_LEADER' && next === this.#leader) ? null : next
    return error
  }

  #begun(): void {
    const { clock, timeoutMs } = this.#context
    this.#maybeBegun = true
    this.#deadlineMs = clock.nowMs() + timeoutMs
  }

  async #askLeader(leader: PeerId): Promise<Reply<V>> {
    const { asker } = this.#context
    const { signal, onProgress } = this.#options
    const asked = asker.ask(leader, this.#verb, this.#request)
    const giveUp = (): void => asked.giveUp()
    signal?.addEventListener('abort', giveUp, { once: true })
    try {
      for (let missed = 0; missed < PATIENCE_LOOKS; ) {
        const reply = await Promise.race([asked.reply, this.#pause(LOOK_MS)])
        if (reply !== undefined) return reply
        const status = await asker.statusOf(leader, LOOK_MS)
        const leads = status?.role === 'leader'
        const isAtWork = leads && (status.change !== null || status.state.includes('transferring'))
        missed = isAtWork ? 0 : missed + 1
        if (leads) onProgress?.(status.change)
      }
      return { kind: 'silent' }
    } finally {
      signal?.removeEventListener('abort', giveUp)
      giveUp()
    }
  }

  async #look(leader: PeerId): Promise<AdminAnswer<V> | null> {
    const asked = this.#context.asker.ask(leader, 'list_peers', { verb: 'list_peers' })
    const reply = await Promise.race([asked.reply, this.#pause(LOOK_MS)])
    asked.giveUp()
    if (reply === undefined || reply.kind !== 'answer') return null
    const { ok: _, member, term, ...now } = reply.answer
    return now.leader === member ? this.#settled({ leader: member, term, now }) : null
  }

  async #findLeader(): Promise<PeerId | null> {
    const { asker, clock, group, prefix } = this.#context
    const subject = membersSubject(prefix, group, 'status')
    const { requester } = asker
    return (await askStatus({ requester, clock, group, subject, timeoutMs: 2 * LOOK_MS })).leader
  }

  #checkAborted(): void {
    if (this.#options.signal?.aborted !== true) return
    const text = this.#maybeBegun
      ? 'Nobody waits for the end any longer; it goes on in the group.'
      : 'It was given up before a leader took it.'
    throw new QuorateError('ABORTED', text, this.#uncertain())
  }

  #uncertain() {
    return this.#maybeBegun ? ({ outcome: 'unknown', retryable: true } as const) : { retryable: true }
  }

  #pause(ms: number): Promise<undefined> {
    return new Promise((resolve) => this.#context.clock.setTimeout(() => resolve(undefined), ms))
  }
}
