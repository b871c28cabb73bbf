// What a user asks of a running node: proposals, queries and snapshots, their bounds, and a completion for each, exactly
// once.

import type { QueryOutcome } from '../actors/apply/apply-queue.events.ts'
import type { Proposal, ProposalOutcome } from '../actors/apply/closures.ts'
import type { StateHashOutcome } from '../actors/apply/state-probes.ts'
import type { ChangeOutcome } from '../actors/membership/change-world.ts'
import type { ResetOutcome } from '../actors/membership/reset.ts'
import type { TransferOutcome } from '../actors/node/handover.ts'
import type { Full, LogReadOutcome } from '../actors/node/intake.ts'
import type { NodeCore } from '../actors/node/node.core.ts'
import type { ReadOutcome } from '../actors/node/node.events.ts'
import { refusal } from '../actors/node/node.refusals.ts'
import { clearTenure } from '../actors/node/node.tenure.ts'
import { transferStarts } from '../actors/node/node.transfer.ts'
import { refusalToShow } from '../actors/node/node.witness.ts'
import type { SnapshotOutcome } from '../actors/snapshot/snapshots.ts'
import type { ElectionTimeoutOptions, ReadLevel } from '../api.ts'
import { QuorateError } from '../errors.ts'
import { parseTuning } from '../options.ts'
import type { ChangeWish } from '../rules/change.ts'
import { type Retiming, retimed } from '../rules/timing.ts'
import type { LogIndex, PeerId, Term } from '../rules/types.ts'
import type { StateHashRequest } from '../services/member-port.ts'
import { Refused } from '../state-machine.ts'
import { askStateHash } from './state-hash.ts'
import { readUserLog } from './user-log.ts'

export class NodeIntake {
  readonly #core: NodeCore
  readonly #hasEnded: () => boolean

  constructor(core: NodeCore, hasEnded: () => boolean) {
    this.#core = core
    this.#hasEnded = hasEnded
  }

  /** Proposes an encoded command. `done` comes exactly once, never before this returns. */
  propose(data: Uint8Array, expectedTerm: Term | undefined, done: (outcome: ProposalOutcome) => void): void {
    const core = this.#core
    const refused = this.#refusal(data)
    if (refused !== null) {
      core.counters.failed(refused)
      return this.#later(() => done({ ok: false, error: refused }))
    }
    core.intake.pendingProposals++
    core.intake.pendingBytes += data.length
    this.#wake(core.intake.addProposal(new PendingProposal(core, data, expectedTerm, done)))
  }

  /** Queries the state machine at the level asked for. `done` comes exactly once, never before this returns. */
  query(query: unknown, level: ReadLevel, done: (outcome: QueryOutcome) => void): void {
    const core = this.#core
    const { intake } = core
    const isFull = intake.queries.size >= core.tuning.maxPendingReads
    const full = isFull ? busy('Too many reads wait', 'maxPendingReads') : null
    const refused = this.#cannotServe() ?? refusalToShow(core, restOf(level)) ?? full
    if (refused !== null) return this.#later(() => done({ ok: false, error: refused }))
    const settle = (outcome: QueryOutcome): void => {
      if (intake.queries.delete(settle)) done(shown(core, restOf(level), outcome))
    }
    intake.queries.add(settle)
    const at = (outcome: ReadOutcome): void => {
      if (!outcome.ok) return settle({ ok: false, error: outcome.error })
      core.toApplyQueue({ type: 'query', query: { index: outcome.index, query, done: settle } })
    }
    if (level === 'local') core.clock.defer(() => at({ ok: true, index: 0 }))
    else this.#wake(intake.addRead({ level, done: at }))
  }

  /** Looks for the first command at or after `index`. `done` comes exactly once, never before this returns. */
  readLog(index: LogIndex, done: (outcome: LogReadOutcome) => void): void {
    const core = this.#core
    const { logReads } = core.intake
    const isFull = logReads.size >= core.tuning.maxPendingReads
    const full = isFull ? busy('Too many reads wait', 'maxPendingReads') : null
    const refused = this.#cannotServe() ?? refusalToShow(core, 'onItself') ?? full
    if (refused !== null) return this.#later(() => done({ ok: false, error: refused }))
    const settle = (outcome: LogReadOutcome): void => {
      if (logReads.delete(settle)) core.shelter(() => done(shown(core, 'onItself', outcome)))
    }
    logReads.add(settle)
    core.clock.defer(() => {
      if (logReads.has(settle)) readUserLog(core, index, settle)
    })
  }

  /** Takes the hash of the state at one index. `done` comes exactly once, never before this returns. */
  stateHash(request: StateHashRequest, done: (outcome: StateHashOutcome) => void): void {
    const refused = this.#cannotServe()
    if (refused !== null) return this.#later(() => done({ ok: false, error: refused }))
    askStateHash(this.#core, request, done)
  }

  /** Asks for a snapshot of the state. `done` comes exactly once, never before this returns. */
  snapshot(done: (outcome: SnapshotOutcome) => void): void {
    const core = this.#core
    const refused = this.#cannotServe()
    if (refused !== null) return this.#later(() => done({ ok: false, error: refused }))
    const { asked } = core.snapshots
    const settle = (outcome: SnapshotOutcome): void => {
      if (asked.delete(settle)) done(outcome)
    }
    asked.add(settle)
    core.clock.defer(() => core.send({ type: 'snapshot', asked: settle }))
  }

  /** Asks for other members. `done` comes exactly once, never before this returns. */
  change(
    wish: ChangeWish,
    expect: readonly PeerId[] | undefined,
    done: (outcome: ChangeOutcome) => void,
  ): void {
    const core = this.#core
    const refused = this.#cannotServe()
    if (refused !== null) return this.#later(() => done({ ok: false, error: refused }))
    const { asked } = core.membership
    const settle = (outcome: ChangeOutcome): void => {
      if (asked.delete(settle)) done(outcome)
    }
    asked.add(settle)
    core.clock.defer(() => core.send({ type: 'change', asked: { wish, expect, settle } }))
  }

  /** Forces who the members are. `done` comes exactly once, never before this returns. */
  resetPeers(peers: readonly PeerId[], done: (outcome: ResetOutcome) => void): void {
    const core = this.#core
    const refused = this.#cannotServe()
    if (refused !== null) return this.#later(() => done({ ok: false, error: refused }))
    const { asked } = core.membership.reset
    const settle = (outcome: ResetOutcome): void => {
      if (asked.delete(settle)) done(outcome)
    }
    asked.add(settle)
    core.clock.defer(() => core.send({ type: 'reset', peers, asked: settle }))
  }

  /** Asks for leadership to move. `done` comes exactly once, never before this returns. */
  transfer(to: PeerId | null, done: (outcome: TransferOutcome) => void): void {
    const core = this.#core
    const refused = this.#cannotServe()
    if (refused !== null) return this.#later(() => done({ ok: false, error: refused }))
    const settle = (outcome: TransferOutcome): void => {
      if (core.handover.asked.delete(settle)) done(outcome)
    }
    core.handover.asked.add(settle)
    core.clock.defer(() => {
      const wish = { type: 'transfer', to, asked: settle } as const
      const begin = (): void => core.send({ atMs: core.clock.nowMs(), ...wish })
      const isHeld = core.office !== null && core.life.holders.size > 0
      if (isHeld && transferStarts(core, { atMs: core.clock.nowMs(), ...wish })) clearTenure(core, begin)
      else begin()
    })
  }

  /** Sets timeouts anew, at once. @throws QuorateError INVALID, and then nothing has changed. */
  retime(options: ElectionTimeoutOptions): void {
    this.#core.retime(this.#retiming(options))
  }

  /** @throws QuorateError SHUTDOWN or NODE_FAILED */
  setReadonly(on: boolean): void {
    const core = this.#core
    const refused = this.#cannotServe()
    if (refused !== null) throw refused
    if (core.membership.isReadonly === on) return
    core.membership.isReadonly = on
    core.logger.warn(
      { group: core.group, readonly: on },
      on ? 'This member is read-only from now on.' : 'This member is not read-only any more.',
    )
  }

  /** Asks this member to stand for election. `done` comes exactly once, never before this returns. */
  vote(electionTimeoutMs: number | undefined, done: (error: QuorateError | null) => void): void {
    const core = this.#core
    const refused = this.#cannotServe()
    if (refused !== null) return this.#later(() => done(refused))
    const timing = electionTimeoutMs === undefined ? null : this.#retiming({ electionTimeoutMs })
    const settle = (error: QuorateError | null): void => {
      if (core.handover.votes.delete(settle)) done(error)
    }
    core.handover.votes.add(settle)
    core.clock.defer(() => core.send({ type: 'vote', timing, asked: settle }))
  }

  #retiming({ electionTimeoutMs, maxClockDriftMs }: ElectionTimeoutOptions): Retiming {
    const { tuning } = this.#core
    if (maxClockDriftMs !== undefined) {
      const forced = { electionTimeoutMs, maxClockDriftMs }
      parseTuning({ ...tuning, ...forced })
      return forced
    }
    const timing = retimed(tuning, electionTimeoutMs)
    if (timing !== null) return timing
    const sumMs = tuning.electionTimeoutMs + tuning.maxClockDriftMs
    const message = `electionTimeoutMs must be a whole number from 10 to ${sumMs} (electionTimeoutMs + maxClockDriftMs), not ${electionTimeoutMs}.`
    throw new QuorateError('INVALID', message)
  }

  /** One event for all that comes in this turn: commands are many. */
  #wake(isFirst: boolean): void {
    if (isFirst) this.#core.life.proposalQueue?.send({ type: 'gathered' })
  }

  #later(run: () => void): void {
    this.#core.clock.defer(() => this.#core.shelter(run))
  }

  #refusal(data: Uint8Array): QuorateError | null {
    const core = this.#core
    const { maxEntryBytes } = core.tuning
    const unable = this.#cannotServe()
    if (unable !== null) return unable
    if (data.length > maxEntryBytes) {
      const message = `The command has ${data.length} bytes, at most ${maxEntryBytes} fit (maxEntryBytes).`
      return new QuorateError('TOO_LARGE', message)
    }
    const undurableBytes = core.hasLog ? core.log.undurableBytes : 0
    const full = core.intake.boundFor(data.length, undurableBytes, core.tuning)
    return full === null ? null : busy(FULL[full], full)
  }

  #cannotServe(): QuorateError | null {
    const core = this.#core
    if (!core.intake.closing && core.life.proposalQueue !== null && !this.#hasEnded()) return null
    if (core.role === 'error') return refusal(core)
    return new QuorateError('SHUTDOWN', `Member ${core.id} of ${core.group} is closed.`)
  }
}

type Rests = Parameters<typeof refusalToShow>[1]

const restOf = (level: ReadLevel): Rests => (level === 'local' ? 'onItself' : 'onLeader')

/** It may have become a witness while it waited, or what it would show may have come without payload. */
function shown<T extends QueryOutcome | LogReadOutcome>(core: NodeCore, rests: Rests, outcome: T) {
  const error = outcome.ok ? refusalToShow(core, rests) : null
  return error === null ? outcome : ({ ok: false, error } as const)
}

const FULL: Readonly<Record<Full, string>> = {
  maxPendingProposals: 'Too many proposals wait for their result',
  maxPendingBytes: 'Too many bytes of proposals wait for their result',
  maxUndurableBytes: 'The disk of this member is too far behind',
}

function busy(what: string, option: string): QuorateError {
  return new QuorateError('BUSY', `${what} (${option}); try again shortly.`, { retryable: true })
}

/** A command on its way; one object per command, for there are many. */
class PendingProposal implements Proposal {
  readonly kind = 'proposal'
  readonly data: Uint8Array
  readonly expectedTerm: Term | undefined
  readonly #core: NodeCore
  readonly #done: (outcome: ProposalOutcome) => void
  #isSettled = false

  constructor(
    core: NodeCore,
    data: Uint8Array,
    expectedTerm: Term | undefined,
    done: (outcome: ProposalOutcome) => void,
  ) {
    this.#core = core
    this.data = data
    this.expectedTerm = expectedTerm
    this.#done = done
  }

  done(outcome: ProposalOutcome): void {
    if (this.#isSettled) return
    this.#isSettled = true
    if (!outcome.ok) this.#core.counters.failedAfterTaking(outcome.error)
    this.#core.intake.pendingProposals--
    this.#core.intake.pendingBytes -= this.data.length
    const isRefused = outcome.ok && outcome.result instanceof Refused
    this.#done(isRefused ? { ok: false, error: outcome.result.error } : outcome)
  }
}
