// One simulated machine of the group: its disk outlives its processes, each of which runs the real host and node.

import { leaseIsValid } from '../actors/node/node.reads.ts'
import { HostCore } from '../host/host-core.ts'
import type { NodeHandle } from '../host/node-handle.ts'
import type { Tuning } from '../options.ts'
import type { Configuration, LogEntry, LogIndex, PeerId } from '../rules/types.ts'
import { EMPTY_CONFIGURATION } from '../rules/types.ts'
import { silentLogger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import type { StateMachine } from '../state-machine.ts'
import type { NodeStatus, Role } from '../status.ts'
import type { SimBus } from './bus/sim-bus.ts'
import type { SimTransport } from './bus/sim-transport.ts'
import type { SimDisk } from './disk/sim-disk.ts'
import { SimStorage } from './disk/sim-storage.ts'
import type { NodeObservation } from './invariants/invariants.ts'
import { type MachineWatch, ObservedMachine } from './observed-machine.ts'
import { type DeathCause, SimProcess } from './sim-process.ts'
import { type MachinePace, SlowMachine } from './slow-machine.ts'
import type { Scheduler } from './time/scheduler.ts'
import { SimClock } from './time/sim-clock.ts'
import { type Latency, streamOf } from './time/sim-random.ts'

export const GROUP = 'sim'

export interface SimMemberOptions {
  readonly id: PeerId
  readonly peers: readonly PeerId[]
  readonly seed: number
  readonly scheduler: Scheduler
  readonly bus: SimBus
  readonly disk: SimDisk
  readonly tuning: Tuning
  readonly createMachine: () => StateMachine
  /** The machine's state is told after every entry. */
  readonly comparesEntries: boolean
  readonly clockRate: number
  readonly timerLag: Latency | undefined
  readonly deferLag: Latency | undefined
  readonly lookMs: number
  readonly scribbles: boolean
  /** Null: it takes no time. */
  readonly machinePace: MachinePace | null
  readonly watch: (member: SimMember) => MachineWatch
  readonly onTurn: (member: SimMember) => void
  readonly onRole: (member: SimMember, from: Role, to: Role, term: number, reason: string) => void
  readonly onFailure: (member: SimMember, error: Error) => void
  /** Puts a member that has started on the bus for clients; what it returns takes it off again. */
  readonly serve?: ((member: SimMember, parts: MemberParts) => () => void) | undefined
}

/** What a member's services stand on. */
export interface MemberParts {
  readonly node: NodeHandle
  readonly transport: SimTransport
  readonly clock: SimClock
  readonly random: Random
}

export class SimMember {
  readonly id: PeerId
  readonly disk: SimDisk
  readonly #options: SimMemberOptions
  #life = 0
  #process: SimProcess | null = null
  #host: HostCore | null = null
  #stopServing: (() => void) | null = null
  #clock: SimClock | null = null
  #wallOffsetMs = 0
  #rate: number
  #timerLag: Latency | undefined
  node: NodeHandle | null = null
  machine: ObservedMachine | null = null
  /** Index of the newest command that the state machine of this life carried out. */
  lastApplied: LogIndex = 0

  constructor(options: SimMemberOptions) {
    this.id = options.id
    this.disk = options.disk
    this.#options = options
    this.#rate = options.clockRate
    this.#timerLag = options.timerLag
  }

  get alive(): boolean {
    return this.#process?.alive === true
  }

  get paused(): boolean {
    return this.#process?.paused === true
  }

  get life(): number {
    return this.#life
  }

  get transport(): SimTransport | undefined {
    return this.#options.bus.transportOf(this.id)
  }

  /** A new process on the same disk. */
  start(): void {
    if (this.alive) return
    const { id, seed, scheduler, bus, disk, tuning, peers, deferLag, lookMs } = this.#options
    this.#life++
    this.lastApplied = 0
    const process = new SimProcess({
      scheduler,
      random: streamOf(seed, `${id} life ${this.#life}`),
      id,
      life: this.#life,
      onTurn: () => this.#options.onTurn(this),
    })
    this.#process = process
    this.#clock = new SimClock({
      process,
      rate: this.#rate,
      wallOffsetMs: this.#wallOffsetMs,
      lookMs,
      ...(this.#timerLag === undefined ? {} : { timerLag: this.#timerLag }),
      ...(deferLag === undefined ? {} : { deferLag }),
    })
    this.machine = new ObservedMachine(this.#options.createMachine(), this.#options.watch(this), {
      tellsStates: this.#options.comparesEntries,
      scribbles: this.#options.scribbles,
    })
    const transport = bus.connect(process)
    this.#host = new HostCore({
      id,
      prefix: 'quorate',
      transport,
      storage: new SimStorage(disk, process),
      clock: this.#clock,
      random: streamOf(seed, `${id} choices ${this.#life}`),
      logger: silentLogger,
    })
    const { machinePace } = this.#options
    const stateMachine =
      machinePace === null
        ? this.machine
        : new SlowMachine(this.machine, process, streamOf(seed, `${id} machine ${this.#life}`), machinePace)
    const spec = { group: GROUP, peers, stateMachine, tuning }
    this.node = this.#host.startNode(spec, () => {})
    this.node.on('role', ({ from, to, term, reason }) => this.#options.onRole(this, from, to, term, reason))
    this.node.on('error', (error) => this.#options.onFailure(this, error))
    const parts = { node: this.node, transport, clock: this.#clock, random: streamOf(seed, `${id} services`) }
    this.#stopServing = this.#options.serve?.(this, parts) ?? null
  }

  /** The process vanishes. */
  kill(cause: DeathCause): void {
    if (!this.alive) return
    this.#process?.kill(cause)
    this.#host?.destroy()
  }

  /** Closes in order, as an operator would. `done` gets what should have been let go of, counted before the exit. */
  close(done: (left: Readonly<Record<string, number>>) => void): void {
    if (!this.alive || this.node === null || this.#host === null) return done({})
    const { node } = this
    node.drain(() => this.#leave(node, done))
  }

  #leave(node: NodeHandle, done: (left: Readonly<Record<string, number>>) => void): void {
    const exit = (): void => {
      // What was deferred before, an answer to a caller among it, still comes.
      if (this.#clock !== null && this.#clock.pendingDeferred > 0) return this.#clock.defer(exit)
      this.#stopServing?.()
      const left = {
        timers: this.#clock?.pendingTimers ?? 0,
        subscriptions: this.transport?.subscriptions ?? 0,
        proposals: node.pendingProposals,
        queries: node.pendingQueries,
      }
      this.#process?.kill('exit')
      done(left)
    }
    this.#host?.close(exit)
  }

  /** Runs `run` as a turn of the process: not while it is paused, never once it is dead. */
  enter(run: () => void): void {
    this.#process?.turn(null, run)
  }

  pause(): void {
    this.#process?.pause()
  }

  resume(): void {
    this.#process?.resume()
  }

  /** Null: back to the rate it began with. */
  setClockRate(rate: number | null): void {
    this.#rate = rate ?? this.#options.clockRate
    if (this.alive) this.#clock?.setRate(this.#rate)
  }

  jumpWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs
    this.#clock?.jumpWall(byMs)
  }

  setTimerLag(lag: Latency | null): void {
    this.#timerLag = lag ?? this.#options.timerLag
    this.#clock?.setTimerLag(this.#timerLag ?? { shape: 'constant', ms: 0 })
  }

  status(): NodeStatus {
    if (this.node === null) throw new Error(`Member ${this.id} was never started.`)
    return this.node.status()
  }

  /** A live view for the checker: always as the node is now. */
  observation(): NodeObservation {
    return new MemberView(this)
  }
}

class MemberView implements NodeObservation {
  readonly id: PeerId
  readonly life: number
  readonly snapshot = null
  readonly #member: SimMember

  constructor(member: SimMember) {
    this.#member = member
    this.id = member.id
    this.life = member.life
  }

  get #core() {
    return this.#member.node?.core
  }

  get #log() {
    const core = this.#core
    return core?.hasLog === true ? core.log : null
  }

  get alive(): boolean {
    return this.#member.alive && this.#member.life === this.life
  }

  get role(): Role {
    return this.#core?.role ?? 'uninitialized'
  }

  get term(): number {
    return this.#core?.term ?? 0
  }

  get votedFor(): PeerId | null {
    return this.#core?.votedFor ?? null
  }

  get leader(): PeerId | null {
    return this.#core?.leader ?? null
  }

  get firstIndex(): LogIndex {
    return this.#log?.firstIndex ?? 1
  }

  get lastIndex(): LogIndex {
    return this.#log?.lastIndex ?? 0
  }

  get durableIndex(): LogIndex {
    return this.#log?.durableIndex ?? 0
  }

  get commitIndex(): LogIndex {
    return this.#core?.commitIndex ?? 0
  }

  get appliedIndex(): LogIndex {
    return this.#core?.appliedIndex ?? 0
  }

  get leaseValid(): boolean {
    const core = this.#core
    return core !== undefined && leaseIsValid(core)
  }

  get configuration(): Configuration {
    return this.#core?.configuration ?? EMPTY_CONFIGURATION
  }

  get stateHash(): string | null {
    return this.#member.machine?.comparableHash ?? null
  }

  entryAt(index: LogIndex): LogEntry | null {
    const log = this.#log
    if (log === null || index < log.firstIndex || index > log.lastIndex) return null
    // Not by the node's own read, which would use up a planned fault.
    return log.peek(index) ?? this.#member.disk.visible(GROUP).entryAt(index)
  }
}
