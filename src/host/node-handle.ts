// One running node, by callbacks: what the promise-based facade and the simulator are both made of.

import { type Actor, createActor, type InspectionEvent } from 'xstate'
import type { QueryOutcome } from '../actors/apply/apply-queue.events.ts'
import type { Proposal, ProposalOutcome } from '../actors/apply/closures.ts'
import type { NodeCore, NodeInput } from '../actors/node/node.core.ts'
import type { ReadOutcome } from '../actors/node/node.events.ts'
import { refusal } from '../actors/node/node.leader.ts'
import { nodeMachine } from '../actors/node/node.machine.ts'
import { leaseIsValid } from '../actors/node/node.reads.ts'
import type { NodeEvents, ReadLevel } from '../api.ts'
import { QuorateError } from '../errors.ts'
import type { Term } from '../rules/types.ts'
import { toError } from '../runtime/errors.ts'
import type { NodeStatus } from '../status.ts'

export interface NodeHandleOptions extends NodeInput {
  readonly inspect?: ((event: InspectionEvent) => void) | undefined
}

export class NodeHandle {
  readonly actor: Actor<typeof nodeMachine>
  readonly core: NodeCore
  #onEnd: (() => void)[] = []
  #ended = false

  constructor(options: NodeHandleOptions) {
    const { inspect, ...input } = options
    this.actor = createActor(nodeMachine, {
      input,
      clock: input.clock,
      id: `${input.group}:${input.id}`,
      ...(inspect === undefined ? {} : { inspect: harmless(inspect, input) }),
    })
    this.core = this.actor.getSnapshot().context.core
    const ended = (): void => this.#end()
    this.actor.subscribe({ complete: ended, error: (error) => this.#crashed(error) })
  }

  start(): void {
    this.actor.start()
    this.actor.send({ type: 'init' })
  }

  /** Proposes an encoded command. `done` comes exactly once, never before this returns. */
  propose(data: Uint8Array, expectedTerm: Term | undefined, done: (outcome: ProposalOutcome) => void): void {
    const refused = this.#refusal(data)
    if (refused !== null) return this.core.clock.defer(() => done({ ok: false, error: refused }))
    this.core.pendingProposals++
    this.#wakeQueue()
    this.core.gathered.proposals.push(new PendingProposal(this.core, data, expectedTerm, done))
  }

  /** Queries the state machine at the level asked for. `done` comes exactly once, never before this returns. */
  query(query: unknown, level: ReadLevel, done: (outcome: QueryOutcome) => void): void {
    const { core } = this
    const refused =
      this.#cannotServe() ?? (core.queries.size >= core.tuning.maxPendingReads ? this.#busy('reads') : null)
    if (refused !== null) return core.clock.defer(() => done({ ok: false, error: refused }))
    const settle = (outcome: QueryOutcome): void => {
      if (core.queries.delete(settle)) done(outcome)
    }
    core.queries.add(settle)
    const at = (outcome: ReadOutcome): void => {
      if (!outcome.ok) return settle({ ok: false, error: outcome.error })
      core.toApplyQueue({ type: 'query', query: { index: outcome.index, query, done: settle } })
    }
    if (level === 'local') core.clock.defer(() => at({ ok: true, index: 0 }))
    else {
      this.#wakeQueue()
      core.gathered.reads.push({ level, done: at })
    }
  }

  status(): NodeStatus {
    const { core } = this
    const log = core.hasLog ? core.log : null
    return {
      group: core.group,
      id: core.id,
      role: core.role,
      state: pathOf(this.actor.getSnapshot().value),
      term: core.term,
      votedFor: core.votedFor,
      leader: core.leader,
      peers: core.configuration.peers,
      oldPeers: core.configuration.oldPeers,
      firstIndex: log?.firstIndex ?? 1,
      lastIndex: log?.lastIndex ?? 0,
      lastTerm: log?.lastLogId.term ?? 0,
      durableIndex: log?.durableIndex ?? 0,
      commitIndex: core.commitIndex,
      appliedIndex: core.appliedIndex,
      pendingProposals: this.core.pendingProposals,
      leaseValid: leaseIsValid(core),
      stateHash: this.#stateHash(),
      replicators: this.#replicators(),
      disk: core.input.storage.diskStatus?.() ?? null,
      error: core.failure?.message ?? null,
    }
  }

  on<E extends keyof NodeEvents>(event: E, handler: (payload: NodeEvents[E]) => void): () => void {
    const type = event === 'error' ? 'failed' : event
    const subscription = this.actor.on(type as 'role' | 'leader' | 'failed', (emitted) => {
      const payload = emitted.type === 'failed' ? emitted.error : emitted
      handler(payload as NodeEvents[E])
    })
    return () => subscription.unsubscribe()
  }

  /** Stops in order; `done` comes once everything has ended. Repeating it is harmless. */
  shutdown(done: () => void): void {
    if (this.#ended) return this.core.clock.defer(done)
    this.#onEnd.push(done)
    this.core.closing = true
    this.actor.send({ type: 'shutdown' })
  }

  /** Refuses new work from now on, without leaving the group. */
  refuseNewWork(): void {
    this.core.closing = true
  }

  get pendingProposals(): number {
    return this.core.pendingProposals
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /** Gone at once and without farewell; nothing calls back any more. */
  destroy(): void {
    this.core.closing = true
    this.core.gone = true
    this.core.route?.stop()
    this.actor.stop()
    this.#end()
  }

  /** After `destroy`: tells everybody who waits that the outcome is unknown. A process that is killed tells nobody. */
  abandon(): void {
    const { id, group } = this.core
    this.#tellAll(
      new QuorateError('SHUTDOWN', `Member ${id} of ${group} was stopped at once.`, { outcome: 'unknown' }),
    )
  }

  #tellAll(error: QuorateError): void {
    const { core } = this
    for (const closure of [...core.closures.takeAfter(0), ...core.gathered.proposals]) {
      if (closure.kind === 'proposal') closure.done({ ok: false, error })
    }
    core.gathered.proposals = []
    for (const settle of core.queries) settle({ ok: false, error })
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    const waiting = this.#onEnd
    this.#onEnd = []
    for (const done of waiting) done()
  }

  /** The chart itself has failed: a defect of ours. The node is out of service, its data are as they were. */
  #crashed(error: unknown): void {
    const failure = toError(error)
    this.core.input.logger.error(
      { group: this.core.group, error: failure.message },
      'The node actor has failed.',
    )
    this.core.failure ??= failure
    this.core.role = 'error'
    this.core.route?.stop()
    this.core.tellStarted(failure)
    this.#tellAll(new QuorateError('NODE_FAILED', failure.message, { outcome: 'unknown', cause: failure }))
    this.#end()
  }

  /** One event for all that comes in this turn: commands are many. */
  #wakeQueue(): void {
    const { gathered, proposalQueue } = this.core
    if (gathered.proposals.length + gathered.reads.length === 0) proposalQueue?.send({ type: 'gathered' })
  }

  #refusal(data: Uint8Array): QuorateError | null {
    const { maxEntryBytes, maxPendingProposals } = this.core.tuning
    const unable = this.#cannotServe()
    if (unable !== null) return unable
    if (data.length > maxEntryBytes) {
      const message = `The command has ${data.length} bytes, at most ${maxEntryBytes} fit (maxEntryBytes).`
      return new QuorateError('TOO_LARGE', message)
    }
    return this.core.pendingProposals >= maxPendingProposals ? this.#busy('proposals') : null
  }

  #cannotServe(): QuorateError | null {
    const { core } = this
    return core.closing || core.proposalQueue === null || this.#ended ? refusalOf(core) : null
  }

  #busy(what: string): QuorateError {
    return new QuorateError('BUSY', `Too many ${what} wait for their result; try again shortly.`, {
      retryable: true,
    })
  }

  /** User code must not take the status with it. */
  #stateHash(): string | null {
    try {
      return this.core.input.stateMachine.stateHash?.() ?? null
    } catch {
      return null
    }
  }

  #replicators(): NodeStatus['replicators'] {
    const nowMs = this.core.clock.nowMs()
    return [...this.core.followers.values()].map(({ progress }) => ({
      peer: progress.peer,
      state: progress.state,
      nextIndex: progress.nextIndex,
      matchIndex: progress.matchIndex,
      inFlightEntries: progress.inFlightEntries,
      inFlightFrames: progress.inFlight.length,
      consecutiveErrors: progress.consecutiveErrors,
      lastContactMs: progress.contacted ? Math.round(nowMs - progress.lastContactMs) : null,
    }))
  }
}

/** A command on its way; one object per command, for there are many. */
class PendingProposal implements Proposal {
  readonly kind = 'proposal'
  readonly data: Uint8Array
  readonly expectedTerm: Term | undefined
  readonly #core: NodeCore
  readonly #done: (outcome: ProposalOutcome) => void

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
    this.#core.pendingProposals--
    this.#done(outcome)
  }
}

function refusalOf(core: NodeCore): QuorateError {
  if (core.role === 'error') return refusal(core)
  return new QuorateError('SHUTDOWN', `Member ${core.id} of ${core.group} is closed.`)
}

/** An exception in an inspection callback would lock an actor for good. */
function harmless(inspect: (event: InspectionEvent) => void, { logger, group }: NodeInput) {
  return (event: InspectionEvent): void => {
    try {
      inspect(event)
    } catch (error) {
      logger.warn({ group, error: String(error) }, 'An inspection callback threw.')
    }
  }
}

/** `{ active: { leader: 'serving' } }` as `active.leader.serving`. */
function pathOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([key, inner]) => `${key}.${pathOf(inner)}`)
    .join(' + ')
}
