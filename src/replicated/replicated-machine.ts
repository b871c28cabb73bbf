// A machine of XState as a state machine of a group: what Quorate calls, and whom it tells.

import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate'
import { QuorateError } from '../errors.ts'
import { INSTANCE_SOURCE, type InstanceSource } from '../observability/feed/instance-source.ts'
import { messageOf } from '../runtime/errors.ts'
import { type Logger, silentLogger } from '../runtime/logger.ts'
import {
  type AppliedPosition,
  Refused,
  type SnapshotReader,
  type SnapshotWriter,
  type StateMachine,
  type StateMachinePort,
} from '../state-machine.ts'
import { Checkpoints } from './checkpoints.ts'
import { type Declaration, parseQuery } from './commands.ts'
import { nameOf } from './definition.ts'
import { isSame } from './generations.ts'
import type { InstanceRules } from './instance.ts'
import { recallPending } from './instance-codec.ts'
import { InstanceFeed } from './instance-feed.ts'
import { bytesOf, type Instances } from './instances.ts'
import { KeyFollowers } from './key-followers.ts'
import { LeaderWork } from './leader-work.ts'
import { Lineage, type LineageSettings } from './lineage.ts'
import { Listeners } from './listeners.ts'
import type { Outcome, Verdict } from './replica.ts'
import type { At } from './shapes.ts'
import { loadInstances, SNAPSHOT_FILE, saveInstances } from './snapshot-content.ts'

export interface ReplicatedSettings extends LineageSettings {
  readonly jobTimeoutMs: number
  readonly compareEvery: number
  readonly onDivergence: 'report' | 'stop'
}

export class MachineReplica implements StateMachine<unknown, Verdict | Refused, unknown, unknown> {
  /** Entries carry the leader's time: delays are counted from there. */
  readonly wantsTime = true
  readonly listeners = new Listeners((error) => this.#warn(error))
  /** In what this member's state was found to differ from the leader's; null: it was not. */
  divergence: string | null = null
  readonly #lineage: Lineage
  readonly #settings: ReplicatedSettings
  readonly #checkpoints: Checkpoints
  readonly #watched: InstanceFeed
  readonly #followers = new KeyFollowers()
  #port: StateMachinePort | null = null
  #work: LeaderWork | null = null
  #at: At = { index: 0, timeMs: 0 }

  constructor(machine: AnyStateMachine, settings: ReplicatedSettings) {
    this.#settings = settings
    this.#lineage = new Lineage(machine, settings)
    this.#checkpoints = new Checkpoints(settings.compareEvery)
    this.#watched = new InstanceFeed(this.#lineage, () => this.#at)
  }

  /** For those who watch the member that carries it. */
  get [INSTANCE_SOURCE](): InstanceSource {
    return this.#watched
  }

  /** Null: no member of this process carries it yet. */
  get port(): StateMachinePort | null {
    return this.#port
  }

  get instances(): Pick<Instances, 'get'> {
    return this.#lineage.instances
  }

  /** Of the version that the group runs; in a process without a member, of the newest. */
  get rules(): InstanceRules {
    return (this.#port === null ? this.#lineage.newest : this.#lineage.generation).rules
  }

  /** The version that the group runs; null: its log has not said yet. */
  get version(): string | null {
    return this.#lineage.declared?.version ?? null
  }

  carries(): readonly string[] {
    return this.#lineage.carried.map(nameOf)
  }

  /** The newest, as a status names it. */
  get newestName(): string {
    return nameOf(this.#lineage.newest.declaration)
  }

  /** What a leader is told to bring the newest version; null: it runs. */
  get upgradeCommand(): readonly unknown[] | null {
    const { declared, newest, carried } = this.#lineage
    const to = newest.declaration
    // A process without a member has applied nothing: it takes the group to run the version before.
    const from = declared ?? carried.at(-1) ?? to
    return declared !== null && isSame(declared, to) ? null : ['upgrade', { from, to }]
  }

  /** How an instance looks that is not there yet. @throws what the machine throws without a proper input */
  preview(key: string): AnyMachineSnapshot {
    return this.rules.preview(this.#settings.inputOf(key))
  }

  onStart(port: StateMachinePort): void {
    this.#port = port
  }

  apply(command: unknown, at: AppliedPosition): Verdict | Refused {
    const timeMs = Math.max(at.timeMs ?? 0, this.#at.timeMs)
    this.#at = { index: at.index, timeMs }
    const outcome = this.#changed(this.#lineage.replica.apply(command, this.#at))
    if (outcome.comparison !== undefined) this.#compared(this.#checkpoints.compare(outcome.comparison))
    const { instances } = this.#lineage
    this.#checkpoints.applied(at.index, outcome.key, instances)
    if (outcome.check !== undefined) this.#checkpoints.asked(at.index, outcome.check.key, instances)
    this.#tell(outcome)
    this.#watched.applied(outcome, command)
    return answerOf(outcome.verdict)
  }

  read(query: unknown): unknown {
    const parsed = parseQuery(query)
    if (parsed === null)
      return {
        refused:
          'A query is ["get", key], ["pending", key], ["watch", key], ["keys", from, count] or ["size"].',
      }
    const { instances } = this.#lineage
    if (parsed[0] === 'size') return instances.size
    if (parsed[0] === 'get') return instances.plain(parsed[1])
    if (parsed[0] === 'watch')
      return { state: instances.plain(parsed[1]), emitted: this.#followers.emitted(parsed[1]) }
    if (parsed[0] === 'keys') return instances.keys(parsed[1], parsed[2])
    const resident = instances.resident(parsed[1])
    if (resident === undefined) return null
    const { timers, jobs } = recallPending(bytesOf(resident))
    return { timers: Object.fromEntries(timers), jobs: Object.fromEntries(withoutInputs(jobs)) }
  }

  /** Of one instance. Other queries are asked anew after each command. */
  onSubscribe(query: unknown, changed: () => void): (() => void) | null {
    const parsed = parseQuery(query)
    const follows = parsed?.[0] === 'watch' || parsed?.[0] === 'get'
    return follows ? this.#followers.follow(parsed[1], changed) : null
  }

  stateHash(): string {
    return `${this.#lineage.instances.hash}:${this.version ?? ''}`
  }

  onSnapshotSave(writer: SnapshotWriter): () => Promise<void> {
    const frames = saveInstances(this.#lineage.declared, this.#at.timeMs, this.#lineage.instances)
    return () => writer.addFile(SNAPSHOT_FILE, frames())
  }

  async onSnapshotLoad(reader: SnapshotReader): Promise<void> {
    const begin = (declared: Declaration | null): Instances => this.#lineage.fresh(declared)
    const { declared, timeMs, instances } = await loadInstances(reader.open(SNAPSHOT_FILE), begin)
    this.#at = { index: reader.meta.lastIncludedIndex, timeMs }
    this.#lineage.replaceBy(declared, instances)
    this.#checkpoints.clear()
    this.#watched.replaced()
    this.#followers.allMoved()
    for (const key of this.listeners.watched()) this.#show(key)
  }

  onLeaderStart(): void {
    this.#work?.end()
    this.#work = null
    const port = this.#port
    if (port === null) return
    const { instances, generation, declared } = this.#lineage
    const work = new LeaderWork({
      port,
      instances,
      logicOf: generation.logicOf,
      jobTimeoutMs: this.#settings.jobTimeoutMs,
      at: () => this.#at,
    })
    this.#work = work
    // Always: it brings the time of the log, which stood still while nobody led.
    work.deliver(['declare', declared ?? this.#lineage.newest.declaration], () => true)
    work.begin()
  }

  onLeaderStop(): void {
    this.#work?.end()
    this.#work = null
  }

  onError(): void {
    this.onLeaderStop()
  }

  onShutdown(): void {
    this.onLeaderStop()
  }

  #compared(difference: string | null): void {
    if (difference === null) return
    this.divergence = difference
    if (this.#settings.onDivergence === 'stop') throw new Error(difference.replace(/\.$/, ''))
    this.#logger.error(
      { group: this.#port?.group, difference },
      'The state of this member is not that of the leader: the machine is not deterministic.',
    )
  }

  /** Another version may have come to run: the leader begins again, with what that one can do. */
  #changed(outcome: Outcome): Outcome {
    const { declaration, upgrade } = outcome
    if (declaration === undefined && upgrade === undefined) return outcome
    const before = this.#lineage.generation
    const { index } = this.#at
    const verdict =
      upgrade === undefined
        ? this.#lineage.declare(declaration ?? before.declaration, index)
        : this.#lineage.upgrade(upgrade, index)
    if (this.#lineage.generation !== before) {
      this.#checkpoints.clear()
      this.#watched.replaced()
      this.#followers.allMoved()
      if (this.#work !== null) this.onLeaderStart()
      for (const key of this.listeners.watched()) this.#show(key)
    }
    return { ...outcome, verdict }
  }

  #tell({ key, effects, verdict }: Outcome): void {
    const checkpoint = this.#checkpoints.due
    if (checkpoint !== null) this.#work?.deliver(['compare', checkpoint], () => true)
    this.#work?.applied(key, effects, this.#at)
    if (key === null) return
    for (const effect of effects) {
      if (effect.type !== 'emit') continue
      this.listeners.emit(key, effect.event)
      this.#followers.emit(key, this.#at.index, effect.event)
    }
    if (verdict.ok) this.#show(key)
    this.#followers.moved(key)
  }

  #show(key: string): void {
    if (!this.listeners.watches(key)) return
    const instance = this.#lineage.instances.get(key)
    if (instance !== null) this.listeners.changed(key, instance.snapshot)
  }

  get #logger(): Logger {
    return this.#port?.logger ?? silentLogger
  }

  #warn(error: unknown): void {
    this.#logger.warn({ error: messageOf(error) }, 'A listener of a replicated machine threw.')
  }
}

/** What the leader tries again by itself is no refusal: it is nobody else's. */
function answerOf(verdict: Verdict): Verdict | Refused {
  if (verdict.ok || verdict.code === 'STALE' || verdict.code === 'EARLY') return verdict
  const code = CODES[verdict.code]
  return new Refused(new QuorateError(code, verdict.message))
}

const CODES = { INVALID: 'INVALID', FINISHED: 'INVALID', EXISTS: 'CONFLICT', THREW: 'STATE_MACHINE' } as const

function* withoutInputs(jobs: ReturnType<typeof recallPending>['jobs']): Generator<[string, object]> {
  for (const [id, { armedAt, src, action }] of jobs)
    yield [id, { armedAt, src, ...(action !== null && { action }) }]
}
