// One running node, by callbacks: what the promise-based facade and the simulator are both made of.

import { type Actor, createActor, type InspectionEvent } from 'xstate'
import type { QueryOutcome } from '../actors/apply/apply-queue.events.ts'
import type { ProposalOutcome } from '../actors/apply/closures.ts'
import type { StateHashOutcome } from '../actors/apply/state-probes.ts'
import type { ChangeOutcome } from '../actors/membership/change-world.ts'
import type { ResetOutcome } from '../actors/membership/reset.ts'
import type { TransferOutcome } from '../actors/node/handover.ts'
import type { LogReadOutcome } from '../actors/node/intake.ts'
import type { NodeCore } from '../actors/node/node.core.ts'
import type { NodeInput } from '../actors/node/node.input.ts'
import { nodeMachine } from '../actors/node/node.machine.ts'
import { clearTenure, leadershipDoor, tenureLost } from '../actors/node/node.tenure.ts'
import type { LeadershipDoor } from '../actors/node/tenure.ts'
import { type Ending, settleEverybody } from '../actors/node/waiting.ts'
import type { SnapshotOutcome } from '../actors/snapshot/snapshots.ts'
import type { ConfigurationInfo, ElectionTimeoutOptions, NodeEvents, ReadLevel } from '../api.ts'
import { CommandMachine } from '../commands/command-machine.ts'
import type { QuorateError } from '../errors.ts'
import { Feed } from '../observability/feed/feed.ts'
import { instancesOf } from '../observability/feed/instance-source.ts'
import type { ChangeWish } from '../rules/change.ts'
import type { LogIndex, PeerId, Term } from '../rules/types.ts'
import { messageOf, sheltered, toError } from '../runtime/errors.ts'
import type { LentSnapshot, StateHashRequest } from '../services/member-port.ts'
import type { StateMachinePort } from '../state-machine.ts'
import type { NodeStatus } from '../status.ts'
import { encodeValue } from '../transport/wire/codec.ts'
import { MortalClock } from './mortal-clock.ts'
import { NodeIntake } from './node-intake.ts'
import { coreStatus, membersOf, newsOf, openNewest, statusOf } from './node-status.ts'

export interface NodeHandleOptions extends Omit<NodeInput, 'stamp' | 'hear'> {
  readonly inspect?: ((event: InspectionEvent) => void) | undefined
}

/** How often a node that is to close looks whether its proposals are settled. */
const DRAIN_POLL_MS = 5

export class NodeHandle {
  readonly actor: Actor<typeof nodeMachine>
  readonly core: NodeCore
  readonly #clock: MortalClock
  readonly machine: CommandMachine
  readonly #intake: NodeIntake
  #onEnd: (() => void)[] = []
  #ended = false
  #feed: Feed | null = null

  constructor(options: NodeHandleOptions) {
    const { inspect, ...given } = options
    const clock = new MortalClock(given.clock)
    this.#clock = clock
    const replayedTo = (): LogIndex => this.core.stored?.lastIndex ?? 0
    const stateMachine = new CommandMachine(given.stateMachine, { clock, replayedTo })
    this.machine = stateMachine
    const stamp = (data: Uint8Array): void => stateMachine.stamp(data)
    const hear = (data: Uint8Array): void => stateMachine.hear(data)
    const input = { stamp, hear, ...given, stateMachine }
    this.actor = createActor(nodeMachine, {
      input: { ...input, clock },
      clock: this.#clock,
      id: `${input.group}:${input.id}`,
      ...(inspect === undefined ? {} : { inspect: harmless(inspect, input) }),
    })
    this.core = this.actor.getSnapshot().context.core
    this.#intake = new NodeIntake(this.core, () => this.#ended)
    const ended = (): void => this.#end()
    this.actor.subscribe({ complete: ended, error: (error) => this.#crashed(error) })
  }

  start(): void {
    const { group, id, logger } = this.core
    const propose: StateMachinePort['propose'] = (command, done) =>
      this.propose(encodeValue(command), undefined, done)
    this.core.shelter(() => this.machine.onStart({ group, id, logger, clock: this.#clock, propose }))
    this.actor.start()
    this.actor.send({ type: 'init' })
  }

  /** Proposes an encoded command. `done` comes exactly once, never before this returns. */
  propose(data: Uint8Array, expectedTerm: Term | undefined, done: (outcome: ProposalOutcome) => void): void {
    this.#intake.propose(this.machine.prepare(data), expectedTerm, done)
  }

  /** Queries the state machine at the level asked for. `done` comes exactly once, never before this returns. */
  query(query: unknown, level: ReadLevel, done: (outcome: QueryOutcome) => void): void {
    this.#intake.query(query, level, done)
  }

  /** Looks for the first command at or after `index`. `done` comes exactly once, never before this returns. */
  readLog(index: LogIndex, done: (outcome: LogReadOutcome) => void): void {
    this.#intake.readLog(index, done)
  }

  /** Takes the hash of the state at one index. `done` comes exactly once, never before this returns. */
  stateHash(request: StateHashRequest, done: (outcome: StateHashOutcome) => void): void {
    this.#intake.stateHash(request, done)
  }

  /** Takes a snapshot. `done` comes exactly once, never before this returns. */
  snapshot(done: (outcome: SnapshotOutcome) => void): void {
    this.#intake.snapshot(done)
  }

  /** Changes the members. `done` comes exactly once, never before this returns. */
  change(
    wish: ChangeWish,
    expect: readonly PeerId[] | undefined,
    done: (outcome: ChangeOutcome) => void,
  ): void {
    this.#intake.change(wish, expect, done)
  }

  /** Forces who the members are. `done` comes exactly once, never before this returns. */
  resetPeers(peers: readonly PeerId[], done: (outcome: ResetOutcome) => void): void {
    this.#intake.resetPeers(peers, done)
  }

  members(): ConfigurationInfo {
    return membersOf(this.core)
  }

  /** Moves leadership to `to`, or to the best; `done` comes exactly once, never before this returns. */
  transfer(to: PeerId | null, done: (outcome: TransferOutcome) => void): void {
    this.#intake.transfer(to, done)
  }

  /** Sets timeouts anew. @throws QuorateError INVALID */
  retime(options: ElectionTimeoutOptions): void {
    this.#intake.retime(options)
  }

  /** From the next heartbeat on its leader knows. @throws QuorateError once the node has ended */
  setReadonly(on: boolean): void {
    this.#intake.setReadonly(on)
  }

  /** Asks this member to stand for election; `done` comes exactly once, never before this returns. */
  vote(electionTimeoutMs: number | undefined, done: (error: QuorateError | null) => void): void {
    this.#intake.vote(electionTimeoutMs, done)
  }

  /** Opens the newest snapshot, for somebody outside of the group. `done` comes exactly once. */
  openSnapshot(done: (opened: LentSnapshot) => void): void {
    openNewest(this.core, done)
  }

  /** As far as it knows. */
  isMember(): boolean {
    const { membership, configuration, id } = this.core
    return !['waiting', 'removed'].includes(membership.in(configuration, id))
  }

  /** Part of what snapshots may take from the disk, for all groups of the host together. */
  takeReadingBudget(bytes: number): number {
    return this.core.input.throttle.reading.take(bytes)
  }

  status(): NodeStatus {
    return statusOf(this.core, this.actor.getSnapshot().value)
  }

  /** What is told to those who watch; made when somebody does. */
  get feed(): Feed {
    this.#feed ??= new Feed({
      ...{ core: this.core, actor: this.actor, instances: instancesOf(this.machine.inner) },
      numbers: () => coreStatus(this.core, this.actor.getSnapshot().value),
    })
    return this.#feed
  }

  /** A handler that throws is logged, and the next one is told all the same. */
  on<E extends keyof NodeEvents>(event: E, handler: (payload: NodeEvents[E]) => void): () => void {
    if (event === 'membership' || event === 'snapshot')
      return this.core.life.bulletin.on(event, () => handler(newsOf(this.core, event) as NodeEvents[E]))
    const type = event === 'error' ? 'failed' : event
    const subscription = this.actor.on(type as 'role' | 'leader' | 'failed', (emitted) => {
      const payload = emitted.type === 'failed' ? emitted.error : emitted
      this.core.shelter(() => handler(payload as NodeEvents[E]))
    })
    return () => subscription.unsubscribe()
  }

  /** Lets end what relies on leadership, then takes nothing new and waits, for `drainTimeoutMs` at most, until what is pending has its result. */
  drain(done: () => void): void {
    clearTenure(this.core, () => this.#drain(done))
  }

  #drain(done: () => void): void {
    const { core } = this
    const giveUpAtMs = core.clock.nowMs() + core.tuning.drainTimeoutMs
    core.intake.closing = true
    const look = (): void => {
      const drained = this.pendingProposals === 0 || this.#ended || core.role === 'error'
      if (drained || core.clock.nowMs() >= giveUpAtMs) done()
      else core.clock.setTimeout(look, DRAIN_POLL_MS)
    }
    look()
  }

  /** Stops in order; `done` comes once everything has ended. Repeating it is harmless. */
  shutdown(done: () => void): void {
    if (this.#ended) return this.core.clock.defer(done)
    this.#onEnd.push(done)
    this.core.intake.closing = true
    this.actor.send({ type: 'shutdown' })
  }

  /** For those who do something for as long as this member leads. */
  get leadership(): LeadershipDoor {
    return leadershipDoor(this.core)
  }

  get pendingProposals(): number {
    return this.core.intake.pendingProposals
  }

  get pendingQueries(): number {
    return this.core.intake.queries.size
  }

  get hasEnded(): boolean {
    return this.#ended
  }

  /** Gone at once and without farewell; nothing calls back any more. */
  destroy(): void {
    this.#vanish()
    this.actor.stop()
    this.#end()
  }

  /** After `destroy`: tells everybody who waits that the outcome is unknown. A process that is killed tells nobody. */
  abandon(): void {
    const { id, group } = this.core
    this.#settle({ code: 'SHUTDOWN', why: `Member ${id} of ${group} was stopped at once` })
  }

  /** Takes part in nothing any more: no request, answer, timer or disk reaches the node, and nothing leaves it. */
  #vanish(): void {
    const { core } = this
    this.#feed?.drop()
    core.intake.closing = true
    core.life.gone = true
    tenureLost(core)
    core.outbox.discard()
    core.snapshots.abort()
    core.life.leaveGroup()
    this.#clock.end()
  }

  #settle(ending: Ending): void {
    settleEverybody(this.core, ending)
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#feed?.end()
    this.#clock.end()
    const waiting = this.#onEnd
    this.#onEnd = []
    for (const done of waiting) this.core.shelter(done)
  }

  /**
   * The chart itself has failed: a defect of ours. The root actor is dead while its children live on, and a leader's
   * heartbeats would keep the others loyal for ever: so everything ends as when it is destroyed, and the disk is let go.
   */
  #crashed(error: unknown): void {
    const { core } = this
    const failure = toError(error)
    core.logger.error({ group: core.group, error: failure.message }, 'The node actor has failed.')
    core.life.failure ??= failure
    core.role = 'error'
    this.#vanish()
    core.office = null
    core.store?.close(() => {})
    core.snapshots.store?.close(() => {})
    core.life.tellStarted(failure)
    const why = `Member ${core.id} of ${core.group} has failed: ${failure.message.replace(/\.$/, '')}`
    this.#settle({ code: 'NODE_FAILED', why, cause: failure })
    this.#end()
  }
}

/** An exception in an inspection callback would lock an actor for good. */
function harmless(
  inspect: (event: InspectionEvent) => void,
  { logger, group }: Pick<NodeInput, 'logger' | 'group'>,
) {
  return (event: InspectionEvent): void =>
    sheltered(
      () => inspect(event),
      (thrown) => logger.warn({ group, error: messageOf(thrown) }, 'An inspection callback threw.'),
    )
}
