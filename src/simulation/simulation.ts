// A whole group in one deterministic simulation: the real nodes over a simulated world, driven by hand or by a plan,
// checked after every step.

import type { ReadLevel } from '../api.ts'
import { QuorateError } from '../errors.ts'
import { decodeConfiguration } from '../log/configuration-codec.ts'
import { KeyValueMachine } from '../machines/kv.ts'
import { parseTuning, type Tuning } from '../options.ts'
import { InvariantError } from '../rules/invariants.ts'
import { EntryType, type LogEntry, type PeerId } from '../rules/types.ts'
import type { StateMachine } from '../state-machine.ts'
import { decodeValue } from '../transport/codec.ts'
import { BusWatch } from './bus-watch.ts'
import { type CrashPoint, CrashPoints } from './crash-points.ts'
import { DirectCalls, type ProposalAnswer, type QueryAnswer } from './direct-calls.ts'
import { GroupImage } from './disk-image.ts'
import { History } from './history.ts'
import { type EntryRecord, InvariantChecker, InvariantViolation } from './invariants.ts'
import { checkLinearizability } from './linearizability.ts'
import { isNumbered, type MachineWatch } from './observed-machine.ts'
import { ReferenceMachine } from './reference-machine.ts'
import { Scheduler } from './scheduler.ts'
import { SimBus } from './sim-bus.ts'
import { SimClient } from './sim-client.ts'
import { type DiskObserver, SimDisk } from './sim-disk.ts'
import { GROUP, SimMember } from './sim-member.ts'
import { streamOf } from './sim-random.ts'
import { SimulationFaults } from './simulation-faults.ts'
import type { DurableState, SimulatedNode, SimulationOptions } from './simulation-options.ts'
import { StateDigests } from './state-digests.ts'
import { Trace } from './trace.ts'

/**
 * A group of real nodes in a world of its own: virtual time, a simulated bus, simulated disks. All members are started
 * (but those in `stopped`); nothing has happened yet. The same options give the same run, byte for byte.
 *
 * @example
 * const sim = await createSimulation({ seed: 1, nodes: ['A', 'B', 'C'] })
 * await sim.until(() => sim.leader() !== null)
 * sim.isolate('A')
 * const { outcome } = await sim.settled(sim.client().put('color', 'blue'))
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
export class Simulation extends SimulationFaults {
  readonly seed: number
  readonly nodes: readonly PeerId[]
  readonly tuning: Tuning
  readonly scheduler: Scheduler
  readonly bus: SimBus
  readonly history: History
  readonly checker: InvariantChecker | null
  readonly members: ReadonlyMap<PeerId, SimMember>
  protected readonly crashPoints = new CrashPoints()
  readonly #trace: Trace
  readonly #touched = new Set<SimMember>()
  readonly #isKeyValue: boolean
  readonly #machineErrors: 'throw' | 'allow'
  /** For the built-in machine: what every member's must look like. */
  readonly #reference: ReferenceMachine | null
  /** For a user's machine: members are compared with each other, entry by entry. */
  readonly #digests = new StateDigests()
  readonly #direct: DirectCalls
  #calls = 0
  #clients = 0
  /** Somebody may await an answer: let them go on between two steps. */
  #isAwaited = false
  #gaveUp = false
  #violation: unknown = null
  #waiting = 0

  constructor(options: SimulationOptions) {
    super()
    const { seed, nodes, stopped = [] } = options
    this.seed = seed
    this.nodes = nodes
    this.tuning = parseTuning(options.options ?? {})
    this.#isKeyValue = options.stateMachine === undefined
    this.#machineErrors = options.machineErrors ?? 'throw'
    this.#reference = this.#isKeyValue ? new ReferenceMachine(new KeyValueMachine()) : null
    const createMachine = options.stateMachine ?? (() => new KeyValueMachine())
    this.scheduler = new Scheduler({ random: streamOf(seed, 'order') })
    this.#trace = new Trace({
      nowMs: () => this.scheduler.nowMs,
      ...(options.maxTraceLines === undefined ? {} : { maxLines: options.maxTraceLines }),
      ...(options.writeNdjson === undefined ? {} : { writeNdjson: options.writeNdjson }),
    })
    this.history = new History(() => this.scheduler.nowMs)
    this.checker = options.check === false ? null : this.#createChecker()
    const watch = new BusWatch({
      checker: this.#guardedChecker(),
      crashPoints: this.crashPoints,
      trace: this.#trace,
    })
    this.bus = new SimBus({
      scheduler: this.scheduler,
      seed,
      observer: watch,
      ...(options.link === undefined ? {} : { link: options.link }),
    })
    this.members = new Map(nodes.map((id) => [id, this.#createMember(id, options, createMachine)]))
    this.#direct = new DirectCalls({
      scheduler: this.scheduler,
      checker: () => this.checker,
      nextCall: () => ++this.#calls,
      guard: (run) => this.#guard(run),
      completion: (member) => this.crashPoints.hit(member.id, 'completion'),
    })
    this.scheduler.onStep = () => this.#afterStep()
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
  async run(ms: number): Promise<void> {
    const endMs = this.nowMs + ms
    for (;;) {
      if (this.#waiting > 0) await this.#letUserCodeAnswer()
      const nextMs = this.scheduler.nextAtMs()
      if (nextMs === null || nextMs > endMs) break
      this.scheduler.step()
      // Whoever awaits an answer goes on between two steps, in the order of the answers.
      if (this.#isAwaited) await Promise.resolve()
    }
    this.scheduler.runUntil(endMs)
    this.#raise()
  }

  /** The same without yielding: for machines that answer at once, and callers that await nothing. */
  runNow(ms: number): void {
    this.scheduler.runUntil(this.nowMs + ms)
  }

  /** Lets time pass until `predicate` holds, at most `maxMs`. Resolves with whether it does. */
  async until(predicate: () => boolean, maxMs = 60_000): Promise<boolean> {
    const endMs = this.nowMs + maxMs
    while (!predicate()) {
      if (this.#waiting > 0) await this.#letUserCodeAnswer()
      const nextMs = this.scheduler.nextAtMs()
      if (nextMs === null || nextMs > endMs) return false
      this.scheduler.step()
      if (this.#isAwaited) await Promise.resolve()
    }
    return true
  }

  /**
   * Lets time pass until `promise` (an answer to a client, or to `propose`) has settled, and settles like it.
   * @throws Error when `maxMs` of virtual time were not enough.
   */
  async settled<T>(promise: Promise<T>, maxMs = 60_000): Promise<T> {
    let isSettled = false
    const settle = (): void => {
      isSettled = true
    }
    promise.then(settle, settle)
    this.#isAwaited = true
    if (await this.until(() => isSettled, maxMs)) return promise
    await yieldToUserCode()
    if (isSettled) return promise
    throw new Error(`Nothing came of it within ${maxMs} ms of virtual time.`)
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

  /**
   * Proposes `command` on member `id`, as its embedding application would with `node.apply`: no other member is tried.
   * Resolves, in virtual time, with `ok` and what the machine returned; with `failed` when the command certainly never
   * takes effect; with `unknown` when it may (also when the member dies first, or says nothing for `timeoutMs`).
   */
  propose(id: PeerId, command: unknown, timeoutMs = 5000): Promise<ProposalAnswer> {
    this.#isAwaited = true
    return new Promise((resolve) => this.#direct.propose(this.member(id), command, timeoutMs, resolve))
  }

  /** Queries the machine on member `id`, as `node.read` would. Default level: `readIndex`. */
  query(id: PeerId, query: unknown, level: ReadLevel = 'readIndex', timeoutMs = 5000): Promise<QueryAnswer> {
    this.#isAwaited = true
    return new Promise((resolve) => this.#direct.query(this.member(id), query, level, timeoutMs, resolve))
  }

  /** What would survive power loss of member `id` now. */
  durable(id: PeerId): DurableState {
    const image = this.member(id).disk.durable(GROUP)
    if (image === null) return { term: 0, votedFor: null, entries: [], snapshot: null }
    const { hardState, firstIndex, lastIndex } = image
    const entries: LogEntry[] = []
    for (let index = firstIndex; index <= lastIndex; index++) {
      const entry = image.entryAt(index)
      if (entry !== null) entries.push(entry)
    }
    return { term: hardState?.term ?? 0, votedFor: hardState?.votedFor ?? null, entries, snapshot: null }
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
    this.#isAwaited = true
    const world = {
      scheduler: this.scheduler,
      random: streamOf(this.seed, name),
      history: this.history,
      members: [...this.members.values()],
      checker: this.checker,
      nextCall: () => ++this.#calls,
      valueAt: (key: string, index: number) => this.#reference?.valueAt(key, index) ?? null,
      guard: (run: () => void) => this.#guard(run),
      completion: (member: SimMember) => this.crashPoints.hit(member.id, 'completion'),
    }
    return new SimClient(name, world, timeoutMs)
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
    this.#raise()
    this.checker?.checkAll()
    const verdict = checkLinearizability(this.history.operations)
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
      member.enter(() => member.close((left) => this.#guard(() => this.#ended(member, left, open))))
    }
    await this.until(() => [...open].every((member) => !member.alive), 600_000)
    this.#raise()
    const stuck = [...open].filter((member) => member.alive).map((member) => member.id)
    if (stuck.length > 0)
      throw new Error(`${stuck.join(', ')} did not end within 10 minutes of virtual time.`)
  }

  #ended(member: SimMember, left: Readonly<Record<string, number>>, open: Set<SimMember>): void {
    open.delete(member)
    this.#direct.lifeEnded(member.id)
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
    this.#direct.lifeEnded(member.id)
    this.#guard(() => this.checker?.lifeEnded(member.id))
    this.#touched.add(member)
  }

  /** The checker must know of a life before anything of it is heard. */
  protected lifeBegan(member: SimMember): void {
    this.#guard(() => this.checker?.observe(member.observation()))
  }

  #createMember(id: PeerId, options: SimulationOptions, createMachine: () => StateMachine): SimMember {
    const { seed, disk: latency } = options
    const disk = new SimDisk({
      id,
      scheduler: this.scheduler,
      random: streamOf(seed, `${id} disk`),
      observer: this.#diskObserver(),
      ...(latency === undefined ? {} : { latency }),
    })
    if (options.inheritedConfiguration !== undefined) {
      disk.restore(new Map([[GROUP, GroupImage.inherited(GROUP, options.inheritedConfiguration)]]))
    }
    return new SimMember({
      id,
      peers: this.nodes,
      seed,
      scheduler: this.scheduler,
      bus: this.bus,
      disk,
      tuning: this.tuning,
      createMachine,
      comparesEntries: !this.#isKeyValue,
      clockRate: options.clockRates?.[id] ?? 1,
      timerLag: options.timerLag,
      deferLag: options.deferLag,
      watch: (member) => this.#machineWatch(member),
      onTurn: (member) => this.#touched.add(member),
      onRole: (member, from, to, term, reason) =>
        this.#trace.record(member.id, 'role', { from, to, term, reason }),
      onFailure: (member, error) => this.#failed(member, error),
    })
  }

  #machineWatch(member: SimMember): MachineWatch {
    return {
      applied: (entry) => {
        member.lastApplied = entry.index
        this.#trace.record(member.id, 'apply', { index: entry.index, term: entry.term })
        this.#guard(() => this.checker?.applied(member.id, entry))
        this.crashPoints.hit(member.id, 'apply')
      },
      hook: (hook) => {
        this.#trace.record(member.id, hook.name)
        this.#guard(() => this.checker?.hook(member.id, hook))
      },
      state: (at, hash) => {
        this.#guard(() => this.#digests.compare(member.id, member.life, at, hash))
      },
      later: (promise) => {
        this.#waiting++
        // The answer comes as a turn of its process: not while that is paused, never once it is dead.
        return new Promise((resolve, reject) => {
          const answer = (settle: () => void): void => {
            if (!member.alive) this.#waiting--
            member.enter(() => {
              this.#waiting--
              settle()
            })
          }
          promise.then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(error)),
          )
        })
      },
    }
  }

  #diskObserver(): DiskObserver {
    return {
      durable: (disk, _group, op, image) => this.#guard(() => this.checker?.durableWrite(disk.id, op, image)),
      stage: (disk, stage, op) => {
        const store = op.kind === 'hardState' ? 'meta' : 'log'
        this.#trace.record(disk.id, `disk ${stage}`, { store })
        this.crashPoints.hit(disk.id, `${stage}:${store}` as CrashPoint)
      },
      failed: (disk) => {
        this.#trace.record(disk.id, 'disk failed')
        this.#guard(() => this.checker?.storageFailed(disk.id))
      },
    }
  }

  #createChecker(): InvariantChecker {
    return new InvariantChecker({
      durable: (id) => this.member(id).disk.durable(GROUP),
      decodeConfiguration: (data) => {
        const entry: LogEntry = { index: 1, term: 1, type: EntryType.CONFIGURATION, data }
        return decodeConfiguration(entry) ?? { peers: [], oldPeers: [] }
      },
      identify: (entry) => callOf(entry),
      nowMs: () => this.scheduler.nowMs,
      voteHeldMs: this.tuning.leaderLease ? this.tuning.electionTimeoutMs : null,
      stateHashAt: (index) => this.#reference?.hashAt(index) ?? null,
      onCanonical: (entry) => this.#reference?.apply(entry),
    })
  }

  /** The checker for places inside of a node's turn, where an exception would be taken for the node's own. */
  #guardedChecker(): InvariantChecker | null {
    const { checker } = this
    if (checker === null) return null
    const guard = (run: () => void): void => this.#guard(run)
    return new Proxy(checker, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => guard(() => Reflect.apply(value, target, args))
      },
    })
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#violation ??= error
    }
  }

  #failed(member: SimMember, error: Error): void {
    this.#trace.record(member.id, 'failed', { error: error.message })
    const cause = error.cause instanceof Error ? error.cause : error
    if (cause instanceof InvariantError) {
      this.#violation ??= new InvariantViolation('INV-22', `${member.id} stopped itself: ${error.message}`)
    } else if (error instanceof QuorateError && error.code === 'STATE_MACHINE') {
      if (this.#machineErrors === 'throw')
        this.#violation ??= new Error(`${member.id} has stopped. ${error.message}`, { cause: error.cause })
    } else if (cause.name !== 'StorageError') {
      this.#violation ??= new Error(`${member.id} failed without a fault: ${error.stack ?? error.message}`)
    }
  }

  #afterStep(): void {
    for (const member of this.#touched) {
      this.#touched.delete(member)
      if (member.life > 0) this.checker?.observe(member.observation())
    }
    this.#raise()
  }

  async #letUserCodeAnswer(): Promise<void> {
    await yieldToUserCode()
    this.#raise()
  }

  #raise(): void {
    if (this.#violation !== null) throw this.#violation
  }
}

function callOf({ type, data }: EntryRecord): string | null {
  if (type !== EntryType.DATA) return null
  const decoded = decodeValue(data)
  return decoded.ok && isNumbered(decoded.value) ? String(decoded.value.id) : null
}

/** User code that answers later does so in microtasks and timers of the real world: let them pass. */
function yieldToUserCode(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
