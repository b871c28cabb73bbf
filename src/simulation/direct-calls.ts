// Proposals and queries on one member, as its embedding application makes them: no retries, no looking for the leader.

import type { ReadLevel } from '../api.ts'
import type { QuorateError } from '../errors.ts'
import type { ChangeWish } from '../rules/change.ts'
import type { Configuration, LogIndex, PeerId, Term } from '../rules/types.ts'
import { copyValue } from '../transport/wire/codec.ts'
import type { ClientOutcome, History } from './history/history.ts'
import { fromCommand, toResult } from './history/kv-commands.ts'
import type { KvCommand, KvResult } from './history/kv-model.ts'
import type { InvariantChecker } from './invariants/invariants.ts'
import { encodeNumbered } from './observed-machine.ts'
import type { SimMember } from './sim-member.ts'
import { EventKind, type Scheduler } from './time/scheduler.ts'

/** `error` is null where nobody said anything: the member died, or time ran out. */
export type ProposalAnswer =
  | { readonly outcome: 'ok'; readonly index: LogIndex; readonly term: Term; readonly result: unknown }
  | { readonly outcome: 'failed' | 'unknown'; readonly error: QuorateError | null }

export type QueryAnswer =
  | { readonly outcome: 'ok'; readonly answer: unknown }
  | { readonly outcome: 'failed'; readonly error: QuorateError | null }

export interface DirectCallsOptions {
  readonly scheduler: Scheduler
  readonly checker: () => InvariantChecker | null
  /** With the built-in machine: what is asked here is part of the history like what clients ask. */
  readonly history: History | null
  nextCall(): number
  /** Keeps a violation thrown inside of a node's turn until the step is over. */
  guard(run: () => void): void
  completion(member: SimMember): void
}

export type SnapshotAnswer =
  | { readonly outcome: 'ok'; readonly index: LogIndex; readonly term: Term }
  | { readonly outcome: 'failed'; readonly error: QuorateError | null }

export type TransferAnswer =
  | { readonly outcome: 'ok'; readonly leader: PeerId; readonly term: Term }
  | { readonly outcome: 'failed'; readonly error: QuorateError | null }

/** What somebody wishes, and the members that he has seen. */
export interface WishedMembers {
  readonly wish: ChangeWish
  readonly expect: readonly PeerId[] | undefined
}

export type ChangeAnswer =
  | { readonly outcome: 'ok'; readonly configuration: Configuration }
  | { readonly outcome: 'failed' | 'unknown'; readonly error: QuorateError | null }

/** A call that was made and not answered yet. */
interface OpenCall {
  readonly id: PeerId
  readonly giveUp: () => void
}

export class DirectCalls {
  readonly #options: DirectCallsOptions
  readonly #open = new Set<OpenCall>()

  constructor(options: DirectCallsOptions) {
    this.#options = options
  }

  propose(
    member: SimMember,
    command: unknown,
    timeoutMs: number,
    done: (answer: ProposalAnswer) => void,
  ): void {
    if (!member.alive) return done({ outcome: 'failed', error: null })
    const call = this.#options.nextCall()
    const remember = this.#remember(`${member.id} itself`, call, fromCommand(command))
    const answer = this.#begin(member, timeoutMs, () => done({ outcome: 'unknown', error: null }))
    member.enter(() => {
      this.#told((checker) => checker.invoked(call, { kind: 'proposal', node: member.id, key: String(call) }))
      member.propose(encodeNumbered(call, command), undefined, (outcome) => {
        if (outcome.ok) {
          const { index, term, result } = outcome
          this.#told((checker) => checker.completed(call, { outcome: 'ok', index, term }))
          this.#options.completion(member)
          return answer(() => {
            remember('ok', () => toResult(result))
            done({ outcome: 'ok', index, term, result: copyValue(result) })
          })
        }
        const { error } = outcome
        const known = error.outcome === 'not-applied' ? 'failed' : 'unknown'
        this.#told((checker) => checker.completed(call, { outcome: known }))
        this.#options.completion(member)
        answer(() => {
          remember(known)
          done({ outcome: known, error })
        })
      })
      this.#told((checker) => checker.returned(call))
    })
  }

  query(
    member: SimMember,
    query: unknown,
    level: ReadLevel,
    timeoutMs: number,
    done: (answer: QueryAnswer) => void,
  ): void {
    const failed = (error: QuorateError | null) => done({ outcome: 'failed', error })
    if (!member.alive) return failed(null)
    const call = this.#options.nextCall()
    // A stale read is no part of the history: nobody promises what it answers.
    const mayBeStale = isStaleRead(level, this.#options.checker())
    const remember = this.#remember(`${member.id} itself`, call, mayBeStale ? null : toGet(query))
    const answer = this.#begin(member, timeoutMs, () => failed(null))
    member.enter(() => {
      const kind = level === 'local' ? 'staleRead' : 'read'
      this.#told((checker) => checker.invoked(call, { kind, node: member.id, byLease: level === 'lease' }))
      // A copy, as at the public door: machines may write on what they get.
      member.query(copyValue(query), level, (outcome) => {
        const { lastApplied: index } = member
        this.#told((checker) =>
          checker.completed(call, outcome.ok ? { outcome: 'ok', index } : { outcome: 'failed' }),
        )
        this.#options.completion(member)
        answer(() => {
          if (!outcome.ok) return failed(outcome.error)
          remember('ok', () => outcome.answer as KvResult, index)
          done({ outcome: 'ok', answer: copyValue(outcome.answer) })
        })
      })
      this.#told((checker) => checker.returned(call))
    })
  }

  snapshot(member: SimMember, timeoutMs: number, done: (answer: SnapshotAnswer) => void): void {
    const failed = (error: QuorateError | null) => done({ outcome: 'failed', error })
    if (!member.alive) return failed(null)
    const call = this.#options.nextCall()
    const answer = this.#begin(member, timeoutMs, () => failed(null))
    member.enter(() => {
      this.#told((checker) => checker.invoked(call, { kind: 'snapshot', node: member.id }))
      member.snapshot((outcome) => {
        const { lastIncludedIndex: index = 0, lastIncludedTerm: term = 0 } = outcome.ok
          ? outcome.record.meta
          : {}
        this.#told((checker) =>
          checker.completed(call, outcome.ok ? { outcome: 'ok', index } : { outcome: 'failed' }),
        )
        this.#options.completion(member)
        answer(() => (outcome.ok ? done({ outcome: 'ok', index, term }) : failed(outcome.error)))
      })
      this.#told((checker) => checker.returned(call))
    })
  }

  transfer(
    member: SimMember,
    to: PeerId | null,
    timeoutMs: number,
    done: (answer: TransferAnswer) => void,
  ): void {
    const failed = (error: QuorateError | null) => done({ outcome: 'failed', error })
    if (!member.alive) return failed(null)
    const call = this.#options.nextCall()
    const answer = this.#begin(member, timeoutMs, () => failed(null))
    member.enter(() => {
      this.#told((checker) => checker.invoked(call, { kind: 'transfer', node: member.id }))
      member.transfer(to, (outcome) => {
        this.#told((checker) => checker.completed(call, { outcome: outcome.ok ? 'ok' : 'failed' }))
        this.#options.completion(member)
        answer(() =>
          outcome.ok
            ? done({ outcome: 'ok', leader: outcome.leader, term: outcome.term })
            : failed(outcome.error),
        )
      })
      this.#told((checker) => checker.returned(call))
    })
  }

  change(
    member: SimMember,
    { wish, expect }: WishedMembers,
    timeoutMs: number,
    done: (answer: ChangeAnswer) => void,
  ): void {
    if (!member.alive) return done({ outcome: 'failed', error: null })
    const call = this.#options.nextCall()
    const answer = this.#begin(member, timeoutMs, () => done({ outcome: 'unknown', error: null }))
    member.enter(() => {
      this.#told((checker) => checker.invoked(call, { kind: 'membership', node: member.id }))
      member.change(wish, expect, (outcome) => {
        if (outcome.ok) {
          const { index, term } = outcome.configuration.id
          this.#told((checker) => checker.completed(call, { outcome: 'ok', index, term }))
          this.#options.completion(member)
          return answer(() => done({ outcome: 'ok', configuration: outcome.configuration }))
        }
        const { error } = outcome
        const known = error.outcome === 'not-applied' ? 'failed' : 'unknown'
        this.#told((checker) => checker.completed(call, { outcome: known }))
        this.#options.completion(member)
        answer(() => done({ outcome: known, error }))
      })
      this.#told((checker) => checker.returned(call))
    })
  }

  /** Told to the checker when it is asked: from then on the others bind nobody. */
  resetPeers(
    member: SimMember,
    peers: readonly PeerId[],
    timeoutMs: number,
    done: (answer: ChangeAnswer) => void,
  ): void {
    if (!member.alive) return done({ outcome: 'failed', error: null })
    const answer = this.#begin(member, timeoutMs, () => done({ outcome: 'unknown', error: null }))
    member.enter(() => {
      this.#told((checker) => checker.forced(peers))
      member.resetPeers(peers, (outcome) =>
        answer(() =>
          outcome.ok
            ? done({ outcome: 'ok', configuration: outcome.configuration })
            : done({
                outcome: outcome.error.outcome === 'not-applied' ? 'failed' : 'unknown',
                error: outcome.error,
              }),
        ),
      )
    })
  }

  /** Nobody will answer what was asked of this process. */
  lifeEnded(id: PeerId): void {
    for (const call of [...this.#open]) if (call.id === id) call.giveUp()
  }

  /** What nobody answers stays in the history with an unknown outcome. */
  #remember(
    client: string,
    call: number,
    command: KvCommand | null,
  ): (outcome: ClientOutcome, result?: () => KvResult, answeredAt?: LogIndex) => void {
    const { history } = this.#options
    if (history === null || command === null) return () => {}
    const id = history.invoke(`${client} ${call}`, command)
    history.proposed(id, call)
    return (outcome, result = () => null, answeredAt) => {
      if (answeredAt !== undefined) history.answered(id, answeredAt)
      history.complete(id, outcome, result())
    }
  }

  #begin(member: SimMember, timeoutMs: number, onNothing: () => void): (settle: () => void) => void {
    const settleOnce = (settle: () => void): void => {
      if (this.#open.delete(call)) settle()
    }
    const call: OpenCall = { id: member.id, giveUp: () => settleOnce(onNothing) }
    this.#open.add(call)
    this.#options.scheduler.schedule(timeoutMs, EventKind.OTHER, call.giveUp)
    return settleOnce
  }

  #told(tell: (checker: InvariantChecker) => void): void {
    const checker = this.#options.checker()
    if (checker !== null) this.#options.guard(() => tell(checker))
  }
}

/** Local reads are; reads by lease are where clocks have left their bound. */
export function isStaleRead(level: ReadLevel, checker: InvariantChecker | null): boolean {
  return level === 'local' || (level === 'lease' && checker?.clocksTrusted === false)
}

function toGet(query: unknown): KvCommand | null {
  if (!Array.isArray(query)) return null
  const [name, key]: unknown[] = query
  return name === 'get' && typeof key === 'string' ? { op: 'get', key } : null
}
