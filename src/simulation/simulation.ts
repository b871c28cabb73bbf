// A whole group in one deterministic simulation: the real nodes over a simulated world, driven by hand or by a plan,
// checked after every step.

import { decodeConfiguration } from '../log/configuration-codec.ts'
import { KeyValueMachine } from '../machines/kv.ts'
import { parseTuning, type Tuning, type TuningInput } from '../options.ts'
import { InvariantError } from '../rules/invariants.ts'
import { EntryType, type LogEntry, type PeerId } from '../rules/types.ts'
import type { StateMachine } from '../state-machine.ts'
import type { NodeStatus } from '../status.ts'
import { decodeValue } from '../transport/codec.ts'
import { BusWatch } from './bus-watch.ts'
import { type CrashPoint, CrashPoints } from './crash-points.ts'
import { History } from './history.ts'
import { type EntryRecord, InvariantChecker, InvariantViolation } from './invariants.ts'
import { checkLinearizability } from './linearizability.ts'
import type { LinkSettings } from './link.ts'
import { isNumbered, type MachineWatch } from './observed-machine.ts'
import { Scheduler } from './scheduler.ts'
import { SimBus } from './sim-bus.ts'
import { SimClient } from './sim-client.ts'
import { type DiskLatency, type DiskObserver, SimDisk } from './sim-disk.ts'
import { GROUP, SimMember } from './sim-member.ts'
import { type Latency, streamOf } from './sim-random.ts'
import { SimulationFaults } from './simulation-faults.ts'
import { Trace } from './trace.ts'

export interface SimulationOptions {
  readonly seed: number
  readonly nodes: readonly PeerId[]
  /** Options of every node, as for `startNode`. */
  readonly options?: TuningInput
  /** Makes one state machine per life of a member. Default: the built-in key-value machine, which `client` uses. */
  readonly stateMachine?: () => StateMachine
  readonly link?: Partial<LinkSettings>
  readonly disk?: DiskLatency
  readonly timerLag?: Latency
  readonly deferLag?: Latency
  readonly clockRates?: Readonly<Record<PeerId, number>>
  /** False: no invariants, for tests that break them on purpose. */
  readonly check?: boolean
  /** Lines of trace kept in memory. Default 2000. */
  readonly maxTraceLines?: number
  readonly writeNdjson?: (line: string) => void
}

/** What would survive power loss now. */
export interface DurableState {
  readonly term: number
  readonly votedFor: PeerId | null
  readonly entries: readonly LogEntry[]
  readonly snapshot: null
}

/** All members are started; nothing has happened yet. */
export async function createSimulation(options: SimulationOptions): Promise<Simulation> {
  return new Simulation(options)
}

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
  /** The reference machine's digest after each canonical entry. */
  readonly #reference: StateMachine
  readonly #referenceHashes: (string | null)[] = [null]
  #calls = 0
  #clients = 0
  #violation: unknown = null
  #waiting = 0

  constructor(options: SimulationOptions) {
    super()
    const { seed, nodes } = options
    this.seed = seed
    this.nodes = nodes
    this.tuning = parseTuning(options.options ?? {})
    this.#isKeyValue = options.stateMachine === undefined
    const createMachine = options.stateMachine ?? (() => new KeyValueMachine())
    this.#reference = createMachine()
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
    this.scheduler.onStep = () => this.#afterStep()
    for (const member of this.members.values()) {
      member.start()
      this.lifeBegan(member)
    }
  }

  get nowMs(): number {
    return this.scheduler.nowMs
  }

  /** Lets `ms` of virtual time pass. @throws InvariantViolation at the step that breaks an invariant. */
  async run(ms: number): Promise<void> {
    const endMs = this.nowMs + ms
    for (;;) {
      if (this.#waiting > 0) await letUserCodeAnswer()
      const nextMs = this.scheduler.nextAtMs()
      if (nextMs === null || nextMs > endMs) break
      this.scheduler.step()
      // Whoever awaits a client's answer goes on between two steps, in the order of the answers.
      if (this.#clients > 0) await Promise.resolve()
    }
    this.scheduler.runUntil(endMs)
  }

  /** The same without yielding: for machines that answer at once, and callers that await nothing. */
  runNow(ms: number): void {
    this.scheduler.runUntil(this.nowMs + ms)
  }

  /** Lets time pass until `predicate` holds, at most `maxMs`. Resolves with whether it does. */
  async until(predicate: () => boolean, maxMs = 60_000): Promise<boolean> {
    const endMs = this.nowMs + maxMs
    while (!predicate()) {
      if (this.#waiting > 0) await letUserCodeAnswer()
      const nextMs = this.scheduler.nextAtMs()
      if (nextMs === null || nextMs > endMs) return false
      this.scheduler.step()
      if (this.#clients > 0) await Promise.resolve()
    }
    return true
  }

  /** The member that leads and serves in the highest term; null when none does. */
  leader(): PeerId | null {
    const leaders = [...this.members.values()].filter(
      (m) => m.alive && m.status().state.endsWith('leader.serving'),
    )
    return leaders.sort((a, b) => b.status().term - a.status().term)[0]?.id ?? null
  }

  node(id: PeerId): { readonly status: () => NodeStatus; readonly alive: boolean } {
    const member = this.member(id)
    return { status: () => member.status(), alive: member.alive }
  }

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

  /** A client of the key-value machine. */
  client(name = `client${this.#clients + 1}`, timeoutMs = 5000): SimClient {
    if (!this.#isKeyValue)
      throw new Error('Simulated clients speak to the built-in key-value machine: use propose().')
    this.#clients++
    const world = {
      scheduler: this.scheduler,
      random: streamOf(this.seed, name),
      history: this.history,
      members: [...this.members.values()],
      checker: this.checker,
      nextCall: () => ++this.#calls,
      guard: (run: () => void) => this.#guard(run),
      completion: (member: SimMember) => this.crashPoints.hit(member.id, 'completion'),
    }
    return new SimClient(name, world, timeoutMs)
  }

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

  /** Compares whole logs and the clients' history. @throws InvariantViolation naming the invariant. */
  check(): void {
    this.#raise()
    this.checker?.checkAll()
    const verdict = checkLinearizability(this.history.operations)
    if (verdict.verdict !== 'violation') return
    throw new InvariantViolation('INV-14', `${verdict.key}: ${verdict.explanation}`, {
      stuckAt: verdict.stuckAt,
    })
  }

  /** Closes every living member in order. */
  async close(): Promise<void> {
    let open = 0
    for (const member of this.members.values()) {
      if (!member.alive) continue
      open++
      member.resume()
      member.enter(() => member.close(() => open--))
    }
    await this.until(() => open === 0, 600_000)
    if (open > 0) throw new Error(`${open} members did not end.`)
  }

  protected member(id: PeerId): SimMember {
    const member = this.members.get(id)
    if (member === undefined) throw new RangeError(`There is no member ${id}: ${this.nodes.join(', ')}.`)
    return member
  }

  protected lifeEnded(member: SimMember, what: string): void {
    this.#trace.record(member.id, what)
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
    return new SimMember({
      id,
      peers: this.nodes,
      seed,
      scheduler: this.scheduler,
      bus: this.bus,
      disk,
      tuning: this.tuning,
      createMachine,
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
      waits: (promise) => {
        this.#waiting++
        const answered = (): void => {
          this.#waiting--
        }
        promise.then(answered, answered)
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
      stateHashAt: (index) => this.#referenceHashes[index] ?? null,
      onCanonical: (entry) => this.#applyReference(entry),
    })
  }

  #applyReference({ index, term, type, data }: EntryRecord): void {
    if (type === EntryType.DATA) {
      const decoded = decodeValue(data)
      const command =
        decoded.ok && isNumbered(decoded.value) ? decoded.value.command : decoded.ok ? decoded.value : null
      const result: unknown = this.#reference.apply(command, { index, term })
      // A machine that answers later has no digest to compare at once.
      if (result instanceof Promise) result.catch(() => {})
    }
    this.#referenceHashes[index] = this.#reference.stateHash?.() ?? ''
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
    } else if (cause.name !== 'StorageError' && this.#isKeyValue) {
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
function letUserCodeAnswer(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
