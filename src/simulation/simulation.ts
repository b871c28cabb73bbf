// A whole group in one deterministic simulation: the real nodes over a simulated world, driven by hand or by a plan,
// checked after every step.

import { KeyValueStore } from '../machines/kv.ts'
import { parseTuning, type Tuning } from '../options.ts'
import type { PeerId } from '../rules/types.ts'
import type { StateMachine } from '../state-machine.ts'
import { BusWatch } from './bus/bus-watch.ts'
import { SimBus } from './bus/sim-bus.ts'
import { DirectCalls } from './direct-calls.ts'
import { CrashPoints } from './disk/crash-points.ts'
import { callOf, createGroupChecker } from './group-checker.ts'
import { GroupWatch } from './group-watch.ts'
import { History } from './history/history.ts'
import { checkLinearizability } from './history/linearizability.ts'
import { type EntryRecord, type InvariantChecker, InvariantViolation } from './invariants/invariants.ts'
import { createDisk, durableStateOf, memberSettings } from './member-parts.ts'
import { ReferenceMachine } from './reference-machine.ts'
import { BusClient, type BusClientOptions } from './services/bus-client.ts'
import { serveMember } from './services/served-node.ts'
import { SessionJudge } from './session-judge.ts'
import { SideGroups } from './side-groups.ts'
import { type ClientWorld, SimClient } from './sim-client.ts'
import { GROUP, SimMember } from './sim-member.ts'
import { SimulationCalls } from './simulation-calls.ts'
import type { DurableState, SimulatedNode, SimulationOptions } from './simulation-options.ts'
import { Scheduler } from './time/scheduler.ts'
import { streamOf } from './time/sim-random.ts'
import { TimeDriver } from './time/time-driver.ts'
import { Trace } from './trace.ts'

/**
 * A group of real nodes in a world of its own: virtual time, a simulated bus, simulated disks. All members are started
 * (but those in `stopped`); nothing has happened yet. The same options give the same run, byte for byte.
 *
 * @example
 * const sim = await createSimulation({ seed: 1, nodes: ['A', 'B', 'C'] })
 * await sim.until(() => sim.leader() !== null)
 * sim.isolate('A')
 * const { outcome } = await sim.client().put('color', 'blue')
 * sim.heal()
 * await sim.run(5000)
 * sim.check()
 * await sim.close()
 */
export async function createSimulation(options: SimulationOptions): Promise<Simulation> {
  return new Simulation(options)
}

/**
 * Made by `createSimulation`. Whatever lets time pass (`run`, `until`, `settled`, `close`) rejects with an
 * `InvariantViolation` at the step that breaks an invariant, and keeps doing so.
 */
export class Simulation extends SimulationCalls {
  readonly seed: number
  readonly nodes: readonly PeerId[]
  readonly tuning: Tuning
  readonly scheduler: Scheduler
  readonly bus: SimBus
  readonly history: History
  readonly checker: InvariantChecker | null
  readonly members: ReadonlyMap<PeerId, SimMember>
  readonly sideGroups: SideGroups
  /** Called after every step, when it has been checked. */
  afterStep: (() => void) | null = null
  protected readonly crashPoints = new CrashPoints()
  readonly #trace: Trace
  readonly #watch: GroupWatch
  readonly #isKeyValue: boolean
  /** For the built-in machine: what every member's must look like. */
  readonly #reference: ReferenceMachine | null
  readonly #sessions = new SessionJudge()
  protected readonly direct: DirectCalls
  protected readonly time: TimeDriver
  readonly #goingOn = new Set<SimMember>()
  #calls = 0
  #clients = 0
  #gaveUp = false

  constructor(options: SimulationOptions) {
    super()
    const { seed, joiners = [], stopped = [] } = options
    const nodes = [...options.nodes, ...joiners]
    this.seed = seed
    this.nodes = nodes
    // Not by chance: a run takes snapshots when it is told to.
    this.tuning = parseTuning({ snapshotIntervalMs: 0, ...options.options })
    this.#isKeyValue = options.stateMachine === undefined
    this.#reference = this.#isKeyValue ? new ReferenceMachine(new KeyValueStore()) : null
    const createMachine = options.stateMachine ?? (() => new KeyValueStore())
    this.scheduler = new Scheduler({ random: streamOf(seed, 'order') })
    this.time = new TimeDriver({
      scheduler: this.scheduler,
      raise: () => this.#watch.raise(),
      wentOn: () => this.#wentOn(),
    })
    this.#trace = new Trace({
      nowMs: () => this.scheduler.nowMs,
      ...(options.maxTraceLines === undefined ? {} : { maxLines: options.maxTraceLines }),
      ...(options.writeNdjson === undefined ? {} : { writeNdjson: options.writeNdjson }),
    })
    this.#watch = new GroupWatch({
      trace: this.#trace,
      crashPoints: this.crashPoints,
      checker: () => this.checker,
      machineErrors: options.machineErrors ?? 'throw',
      later: (member, promise) => this.time.later(member, promise),
    })
    this.history = new History(() => this.scheduler.nowMs)
    this.checker =
      options.check === false
        ? null
        : createGroupChecker({
            tuning: this.tuning,
            durable: (id) => this.member(id).disk.durableView(GROUP),
            nowMs: () => this.scheduler.nowMs,
            stateHashAt: (index) => this.#reference?.hashAt(index) ?? null,
            onCanonical: (entry) => this.#committed(entry),
            carriesOut: (index) => this.#sessions.carriesOut(index),
          })
    const watch = new BusWatch({
      checker: this.#watch.guardedChecker(),
      crashPoints: this.crashPoints,
      trace: this.#trace,
    })
    this.bus = new SimBus({
      scheduler: this.scheduler,
      seed,
      observer: watch,
      ...(options.link === undefined ? {} : { link: options.link }),
    })
    this.sideGroups = new SideGroups({
      ...{ names: options.sideGroups ?? [], peers: options.nodes, tuning: this.tuning },
      guard: (run) => this.#watch.guard(run),
      later: (promise) => promise,
      failed: (id, error) => this.#watch.failed(this.member(id), error),
    })
    this.members = new Map(nodes.map((id) => [id, this.#createMember(id, options, createMachine)]))
    this.direct = new DirectCalls({
      scheduler: this.scheduler,
      checker: () => this.checker,
      history: this.#isKeyValue ? this.history : null,
      nextCall: () => ++this.#calls,
      guard: (run) => this.#watch.guard(run),
      completion: (member) => this.crashPoints.hit(member.id, 'completion'),
    })
    this.scheduler.onStep = () => {
      this.#watch.stepEnded()
      this.afterStep?.()
    }
    for (const member of this.members.values()) {
      if (stopped.includes(member.id)) continue
      member.start()
      this.lifeBegan(member)
    }
  }

  get nowMs(): number {
    return this.scheduler.nowMs
  }

  /** Lets `ms` of virtual time pass; resolves when it has. @throws InvariantViolation at the step that breaks an invariant. */
  run(ms: number): Promise<void> {
    return this.time.run(ms)
  }

  /** Lets time pass until `predicate` holds, at most `maxMs`. Resolves with whether it does. */
  until(predicate: () => boolean, maxMs = 60_000): Promise<boolean> {
    return this.time.until(predicate, maxMs)
  }

  /**
   * Lets time pass until `promise` has settled, and settles like it. Answers to clients, and to `propose` and `query`, may
   * just be awaited; this is for several at once, and for a bound.
   * @throws Error when `maxMs` of virtual time were not enough.
   */
  settled<T>(promise: Promise<T>, maxMs = 60_000): Promise<T> {
    return this.time.settled(promise, maxMs)
  }

  /** The member that leads and serves in the highest term; null when none does. */
  leader(): PeerId | null {
    const leaders = [...this.members.values()].filter(
      (m) => m.alive && m.status().state.endsWith('leader.serving'),
    )
    return leaders.sort((a, b) => b.status().term - a.status().term)[0]?.id ?? null
  }

  /** A member as it is now; of a dead one, as it was when it died. */
  node(id: PeerId): SimulatedNode {
    const member = this.member(id)
    return {
      alive: member.alive,
      paused: member.paused,
      status: () => {
        const status = member.status()
        return { ...status, configuration: { peers: status.peers, oldPeers: status.oldPeers } }
      },
    }
  }

  /** What would survive power loss of member `id` now. */
  durable(id: PeerId): DurableState {
    const { disk } = this.member(id)
    return durableStateOf(disk.durable(GROUP), disk.snapshots.newest(GROUP))
  }

  /**
   * A client of the built-in key-value machine, which looks for the leader and tries again what certainly was not done.
   * Its operations are in `history`, and `check` asks whether they are linearizable.
   * @throws Error with a machine of your own: use `propose`.
   */
  client(name = `client${this.#clients + 1}`, timeoutMs = 5000): SimClient {
    if (!this.#isKeyValue)
      throw new Error('Simulated clients speak to the built-in key-value machine: use propose().')
    this.#clients++
    const world: ClientWorld = {
      scheduler: this.scheduler,
      random: streamOf(this.seed, name),
      history: this.history,
      members: [...this.members.values()],
      checker: this.checker,
      nextCall: () => ++this.#calls,
      valueAt: (key: string, index: number) => this.#reference?.valueAt(key, index) ?? null,
      guard: (run: () => void) => this.#watch.guard(run),
      completion: (member: SimMember) => this.crashPoints.hit(member.id, 'completion'),
      awaited: (start) => this.time.awaited(start),
    }
    return new SimClient(name, world, timeoutMs)
  }

  /** A client of the package over the simulated bus, in a process of its own. Needs `services`. */
  busClient(name: string, options: BusClientOptions): BusClient {
    const { scheduler, bus, seed, nodes, history, checker } = this
    const world = { scheduler, bus, seed, nodes, history, checker, mayGoOn: () => this.time.mayGoOn() }
    return new BusClient(name, world, options)
  }

  /** The last lines of what happened, oldest first; all that are kept without a count. */
  trace(count?: number): readonly string[] {
    return this.#trace.lines(count)
  }

  /** Equal for equal runs (INV-25). */
  get traceHash(): string {
    return this.#trace.hash
  }

  get traceLines(): number {
    return this.#trace.count
  }

  /** Notes something in the trace. */
  note(node: string, what: string, details: Record<string, string | number | boolean | null> = {}): void {
    this.#trace.record(node, what, details)
  }

  /** In the last `check`, the search for an order of what clients saw took too long: nothing is known of it. */
  get gaveUp(): boolean {
    return this.#gaveUp
  }

  /** Compares whole logs and the clients' history. @throws InvariantViolation naming the invariant. */
  check(): void {
    this.#watch.raise()
    this.checker?.checkAll()
    const verdict = checkLinearizability(this.history.operations, { positions: this.history.positions })
    this.#gaveUp = verdict.verdict === 'gaveUp'
    if (verdict.verdict !== 'violation') return
    throw new InvariantViolation('INV-14', `${verdict.key}: ${verdict.explanation}`, {
      stuckAt: verdict.stuckAt,
    })
  }

  /**
   * Ends member `id` in order, as `node.close` and `host.close` do: it hands over, drains, answers everybody, and lets
   * go of everything (INV-17, INV-24). Resolves when its process has exited.
   * @throws Error when it does not end within 10 virtual minutes, for example because its disk is held.
   */
  async shutdown(id: PeerId): Promise<void> {
    await this.#end([this.member(id)])
  }

  /** Ends every living member in order. */
  async close(): Promise<void> {
    await this.#end([...this.members.values()])
  }

  async #end(members: readonly SimMember[]): Promise<void> {
    const open = new Set(members.filter((member) => member.alive))
    for (const member of open) {
      this.note(member.id, 'shutdown')
      member.resume()
      member.enter(() => member.close((left) => this.#watch.guard(() => this.#ended(member, left, open))))
    }
    await this.until(() => [...open].every((member) => !member.alive), 600_000)
    this.#watch.raise()
    const stuck = [...open].filter((member) => member.alive).map((member) => member.id)
    if (stuck.length > 0)
      throw new Error(`${stuck.join(', ')} did not end within 10 minutes of virtual time.`)
  }

  #ended(member: SimMember, left: Readonly<Record<string, number>>, open: Set<SimMember>): void {
    open.delete(member)
    this.direct.lifeEnded(member.id)
    this.checker?.checkReleased(member.id, left)
    this.checker?.finish(member.id)
    this.checker?.lifeEnded(member.id)
  }

  protected member(id: PeerId): SimMember {
    const member = this.members.get(id)
    if (member === undefined) throw new RangeError(`There is no member ${id}: ${this.nodes.join(', ')}.`)
    return member
  }

  protected lifeEnded(member: SimMember, what: string): void {
    this.#trace.record(member.id, what)
    this.direct.lifeEnded(member.id)
    this.#watch.guard(() => this.checker?.lifeEnded(member.id))
    this.#watch.touched(member)
  }

  /** Saving and loading work with promises: what they do comes before the next step, and is a part of this one. */
  #hadTurn(member: SimMember): void {
    this.#watch.touched(member)
    const activity = member.node?.core.snapshots.activity
    const isBusy = activity === 'saving' || activity === 'loading'
    if (!isBusy && !this.sideGroups.isSavingOrLoading(member.id)) return
    this.#goingOn.add(member)
    this.time.mayGoOn()
  }

  #wentOn(): void {
    if (this.#goingOn.size === 0) return
    for (const member of this.#goingOn) this.#watch.touched(member)
    this.#goingOn.clear()
    this.#watch.stepEnded()
  }

  /** The checker must know of a life before anything of it is heard. */
  protected lifeBegan(member: SimMember): void {
    this.#watch.guard(() => this.checker?.observe(member.observation()))
  }

  #createMember(id: PeerId, options: SimulationOptions, createMachine: () => StateMachine): SimMember {
    const watch = this.#watch
    const world = {
      history: this.history,
      checker: () => this.checker,
      nextCall: () => ++this.#calls,
      guard: (run: () => void) => watch.guard(run),
      completion: (member: SimMember) => this.crashPoints.hit(member.id, 'completion'),
    }
    const member: SimMember = new SimMember({
      ...memberSettings(id, options),
      scheduler: this.scheduler,
      bus: this.bus,
      disk: createDisk(
        id,
        options,
        this.scheduler,
        watch.disks(() => member),
      ),
      tuning: this.tuning,
      sideGroups: this.sideGroups,
      createMachine,
      watch: (member) => watch.machineOf(member),
      onTurn: (member) => this.#hadTurn(member),
      onRole: (member, from, to, term, reason) =>
        this.#trace.record(member.id, 'role', { from, to, term, reason }),
      onFailure: (member, error) => watch.failed(member, error),
      ...(options.services === true ? { serve: (member, parts) => serveMember(world, member, parts) } : {}),
    })
    return member
  }

  #committed(entry: EntryRecord): void {
    this.#sessions.add(entry)
    const carriesOut = this.#sessions.carriesOut(entry.index)
    this.#reference?.apply(entry, carriesOut)
    const call = carriesOut ? callOf(entry) : null
    if (call !== null) this.history.committed(Number(call), entry.index)
  }
}
