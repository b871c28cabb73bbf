// One simulated machine of the group: its disk outlives its processes, each of which runs the real host and node.

import type { QueuedQuery } from '../actors/apply/apply-queue.events.ts'
import type { Proposal } from '../actors/apply/closures.ts'
import type { ChangeOutcome } from '../actors/membership/change-world.ts'
import type { ResetOutcome } from '../actors/membership/reset.ts'
import type { TransferOutcome } from '../actors/node/handover.ts'
import type { SnapshotOutcome } from '../actors/snapshot/snapshots.ts'
import type { ReadLevel } from '../api.ts'
import { HostCore } from '../host/host-core.ts'
import type { NodeHandle } from '../host/node-handle.ts'
import type { Tuning } from '../options.ts'
import type { ChangeWish } from '../rules/change.ts'
import type { LogIndex, PeerId, Term } from '../rules/types.ts'
import { silentLogger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import type { StateMachine } from '../state-machine.ts'
import type { NodeStatus, Role } from '../status.ts'
import type { SimBus } from './bus/sim-bus.ts'
import type { SimTransport } from './bus/sim-transport.ts'
import type { SimDisk } from './disk/sim-disk.ts'
import { SimStorage } from './disk/sim-storage.ts'
import type { NodeObservation } from './invariants/invariants.ts'
import { GROUP, MemberView } from './member-view.ts'
import { type MachineWatch, ObservedMachine } from './observed-machine.ts'
import { beRude, listenRudely, rudely, withRudeHooks } from './rude-user.ts'
import type { SideGroups } from './side-groups.ts'
import { type DeathCause, SimProcess } from './sim-process.ts'
import { type MachinePace, SlowMachine } from './slow-machine.ts'
import type { Scheduler } from './time/scheduler.ts'
import { SimClock } from './time/sim-clock.ts'
import { type Latency, streamOf } from './time/sim-random.ts'

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
  /** User code throws wherever it is told something. */
  readonly rude: boolean
  /** Null: it takes no time. */
  readonly machinePace: MachinePace | null
  readonly watch: (member: SimMember) => MachineWatch
  readonly onTurn: (member: SimMember) => void
  readonly onRole: (member: SimMember, from: Role, to: Role, term: number, reason: string) => void
  readonly onFailure: (member: SimMember, error: Error) => void
  /** Other groups of this process. */
  readonly sideGroups: SideGroups
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
  /** Of the state, when a snapshot of it was captured last. */
  capturedHash: string | null = null

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
      incarnation: this.#life,
    })
    const { machinePace, rude } = this.#options
    const paced =
      machinePace === null
        ? this.machine
        : new SlowMachine(this.machine, process, streamOf(seed, `${id} machine ${this.#life}`), machinePace)
    const stateMachine = rude ? withRudeHooks(paced) : paced
    // Being inspected costs as much as all else: one member is enough.
    const inspected = rude && id === peers[0] ? { inspect: beRude } : {}
    const spec = { group: GROUP, peers, stateMachine, tuning, ...inspected }
    this.node = this.#host.startNode(spec, () => {})
    if (rude) listenRudely(this.node)
    this.node.on('role', ({ from, to, term, reason }) => this.#options.onRole(this, from, to, term, reason))
    this.node.on('error', (error) => this.#options.onFailure(this, error))
    this.#options.sideGroups.start(id, this.#life, this.#host)
    const parts = { node: this.node, transport, clock: this.#clock, random: streamOf(seed, `${id} services`) }
    this.#stopServing = this.#options.serve?.(this, parts) ?? null
  }

  /** The process vanishes. */
  kill(cause: DeathCause): void {
    if (!this.alive) return
    this.#process?.kill(cause)
    this.#host?.destroy()
    this.#options.sideGroups.ended(this.id)
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
        'snapshots being sent': node.core.hasLog ? node.core.files.installations.length : 0,
        'callers that wait for a snapshot': node.core.snapshots.asked.size,
        'callers that wait for other members': node.core.membership.asked.size,
      }
      this.#process?.kill('exit')
      this.#options.sideGroups.ended(this.id)
      done(left)
    }
    this.#host?.close(exit)
  }

  /** As its application would: within a turn of the process. */
  propose(data: Uint8Array, expectedTerm: Term | undefined, done: Proposal['done']): void {
    this.node?.propose(data, expectedTerm, this.#options.rude ? rudely(done) : done)
  }

  snapshot(done: (outcome: SnapshotOutcome) => void): void {
    this.node?.snapshot(this.#options.rude ? rudely(done) : done)
  }

  transfer(to: PeerId | null, done: (outcome: TransferOutcome) => void): void {
    this.node?.transfer(to, this.#options.rude ? rudely(done) : done)
  }

  change(
    wish: ChangeWish,
    expect: readonly PeerId[] | undefined,
    done: (outcome: ChangeOutcome) => void,
  ): void {
    this.node?.change(wish, expect, this.#options.rude ? rudely(done) : done)
  }

  resetPeers(peers: readonly PeerId[], done: (outcome: ResetOutcome) => void): void {
    this.node?.resetPeers(peers, this.#options.rude ? rudely(done) : done)
  }

  query(query: unknown, level: ReadLevel, done: QueuedQuery['done']): void {
    this.node?.query(query, level, this.#options.rude ? rudely(done) : done)
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

export { GROUP } from './member-view.ts'
