// One seed from beginning to end: a safety phase in which everything drawn goes wrong, then a liveness phase in which
// a core of the group gets everything back and has to come to rest.

import type { ReadLevel } from '../../api.ts'
import { DEFAULT_PRIORITY } from '../../rules/types.ts'
import { DEFAULT_PREFIX, leaderSubject } from '../../transport/subjects.ts'
import type { KvCommand } from '../history/kv-model.ts'
import { InvariantViolation } from '../invariants/invariants.ts'
import { Recorder, titleOf } from '../recording/recorder.ts'
import type { BusClient } from '../services/bus-client.ts'
import type { ClientAnswer } from '../sim-client.ts'
import { GROUP, type SimMember } from '../sim-member.ts'
import { Simulation } from '../simulation.ts'
import { EventKind } from '../time/scheduler.ts'
import { drawLatencyMs, exponential, pick, streamOf } from '../time/sim-random.ts'
import { forceMembers, planDisaster } from './disaster.ts'
import type { FaultEpisode, FaultKind } from './faults.ts'
import { LoadDraw } from './load.ts'
import { hasWhoNeverLeads, holdersInSight, MemberOperator, votersInSight } from './member-changes.ts'
import { calmWords, enterLiveness, type LivenessPlan, Nemesis, planLiveness } from './nemesis.ts'
import { Operator } from './operator.ts'
import { areAtRest } from './rest.ts'
import { SideLoad } from './side-load.ts'
import type { SwarmPlan } from './swarm.ts'

export interface SeedFailure {
  readonly invariant: string
  readonly message: string
  /** The end of the trace, oldest line first. */
  readonly trace: readonly string[]
}

export interface SeedResult {
  readonly seed: number
  readonly failure: SeedFailure | null
  readonly nodes: number
  readonly events: number
  readonly messages: number
  readonly elections: number
  readonly committed: number
  readonly operations: number
  /** The linearizability checker took too long: what clients saw is not known to be in order. */
  readonly gaveUp: boolean
  readonly virtualMs: number
  readonly faults: ReadonlyMap<FaultKind, number>
  readonly traceHash: string
  readonly traceLines: number
}

export interface RunOptions {
  /** False: the safety phase only. */
  readonly liveness?: boolean
  readonly episodes?: readonly FaultEpisode[]
  readonly writeNdjson?: (line: string) => void
  /** Gets the run as `quorate watch` plays it, line by line. Must not throw. Nothing in the run depends on it. */
  readonly record?: (line: string) => void
  /** Called after every step: for asking more than is asked anyway. What it throws is the seed's failure. */
  readonly afterStep?: (sim: Simulation) => void
}

const TRACE_LINES = 60
const CALM_TIMEOUTS = 20
/** Who prefers another one, and was disappointed again and again, waits so long before it tries once more. */
const PREFERENCE_TIMEOUTS = 100
/** Longer than anything is deferred. */
const ASKED_MS = 50

/** Runs the plan; never throws for what the simulated group does. */
export async function runPlan(plan: SwarmPlan, options: RunOptions = {}): Promise<SeedResult> {
  const sim = new Simulation({
    seed: plan.seed,
    nodes: plan.nodes,
    options: plan.tuning,
    link: plan.link,
    disk: plan.disk,
    timerLag: plan.timerLag,
    deferLag: plan.deferLag,
    lookMs: plan.lookMs,
    scribbles: plan.scribbles,
    rude: plan.rude,
    ...(plan.machinePace === null ? {} : { machinePace: plan.machinePace }),
    clockRates: plan.clockRates,
    identities: true,
    sideGroups: plan.sideGroups.map(({ name }) => name),
    services: plan.clients.via === 'bus',
    joiners: plan.memberChanges?.joiners ?? [],
    ...(plan.inherited === null ? {} : { inheritedConfiguration: plan.inherited }),
    ...(options.writeNdjson === undefined ? {} : { writeNdjson: options.writeNdjson }),
  })
  const nemesis = new Nemesis({
    scheduler: sim.scheduler,
    target: sim,
    episodes: options.episodes ?? plan.episodes,
    note: (what, episode) => {
      sim.note('nemesis', what, { id: episode.id, kind: episode.fault.kind })
      recorder?.fault(what, episode)
    },
  })
  const { record, afterStep } = options
  const recorder = record === undefined ? null : new Recorder({ sim, title: titleOf(plan), write: record })
  if (afterStep !== undefined || recorder !== null)
    sim.afterStep = () => {
      recorder?.look()
      afterStep?.(sim)
    }
  let failure: SeedFailure | null = null
  try {
    const say = (text: string): void => recorder?.note(text, 'step')
    await new Campaign(plan, sim, nemesis, options.liveness ?? true, say).run()
  } catch (error) {
    if (!isForgotten(sim)) failure = describeFailure(error, sim)
  }
  recorder?.end(failure)
  return {
    seed: plan.seed,
    failure,
    nodes: sim.nodes.length,
    events: sim.scheduler.executed,
    messages: sim.bus.sent,
    elections: sim.checker?.elections ?? 0,
    committed: sim.checker?.committedIndex ?? 0,
    operations: sim.history.operations.length,
    gaveUp: sim.gaveUp,
    virtualMs: sim.nowMs,
    faults: nemesis.counts(),
    traceHash: sim.traceHash,
    traceLines: sim.traceLines,
  }
}

/** A majority has forgotten what it had promised: nothing of the history before binds anybody (profile unsurvivable). */
function isForgotten({ checker, nodes }: Simulation): boolean {
  return (checker?.waived.length ?? 0) * 2 > nodes.length
}

function describeFailure(error: unknown, sim: Simulation): SeedFailure {
  const invariant = error instanceof InvariantViolation ? error.invariant : 'ERROR'
  const message =
    error instanceof Error
      ? invariant === 'ERROR'
        ? (error.stack ?? error.message)
        : error.message
      : String(error)
  return { invariant, message, trace: sim.trace(TRACE_LINES) }
}

/** Either kind of client. */
interface Client {
  start(command: KvCommand, level: ReadLevel, done: (answer: ClientAnswer) => void): void
}

class Campaign {
  readonly #plan: SwarmPlan
  readonly #sim: Simulation
  readonly #nemesis: Nemesis
  readonly #hasLiveness: boolean
  readonly #operator: Operator
  readonly #load: LoadDraw
  /** Tells whoever watches a recording what the run is at. */
  readonly #say: (text: string) => void
  /** Of the seeds whose clients are real ones. */
  readonly #busClients: BusClient[] = []
  #stopped = false
  #open = 0
  /** Who has been asked for a snapshot and has not answered. */
  readonly #asked = new Set<{ readonly node: string }>()
  /** The other groups of the same processes. */
  readonly #side: SideLoad
  /** Null: the members stay as they are. */
  readonly #wishes: MemberOperator | null

  constructor(
    plan: SwarmPlan,
    sim: Simulation,
    nemesis: Nemesis,
    hasLiveness: boolean,
    say: (text: string) => void,
  ) {
    this.#say = say
    this.#hasLiveness = hasLiveness && plan.profile !== 'unsurvivable'
    this.#plan = plan
    this.#sim = sim
    this.#nemesis = nemesis
    this.#load = new LoadDraw(plan.clients, () => sim.history.operations.at(-1)?.command)
    this.#operator = new Operator(sim, streamOf(plan.seed, 'operator'))
    this.#side = new SideLoad(sim, streamOf(plan.seed, 'side writes'), plan.sideGroups)
    const { memberChanges, victims, seed } = plan
    const random = streamOf(seed, 'wishes')
    this.#wishes =
      memberChanges === null ? null : new MemberOperator({ sim, random, plan: memberChanges, victims })
  }

  async run(): Promise<void> {
    const { clients, safetyMs, profile, seed } = this.#plan
    if (profile === 'unsurvivable') this.#sim.checker?.setClocksTrusted(false)
    for (let i = 0; i < clients.count; i++) this.#startClient(`c${i}`)
    this.#askForSnapshots(streamOf(seed, 'snapshots asked for'))
    if (this.#plan.transfersEveryMs !== null) this.#operator.moveLeadership(this.#plan.transfersEveryMs)
    if (this.#plan.readonlyEveryMs !== null)
      this.#operator.forbidWrites(streamOf(seed, 'read-only'), this.#plan.readonlyEveryMs)
    if (this.#plan.electionsEveryMs !== null) this.#operator.askForElections(this.#plan.electionsEveryMs)
    this.#side.start()
    this.#wishes?.start()
    this.#nemesis.start()
    await this.#pass(safetyMs)
    this.#wishes?.stop()
    this.#nemesis.stop()
    this.#operator.stop()
    this.#sim.heal()
    this.#say('The faults are over.')
    // Who has been asked for other members knows of it by now.
    if (this.#wishes !== null) await this.#pass(ASKED_MS)
    if (this.#hasLiveness) await this.#liveness(streamOf(seed, 'liveness'))
    this.#stopped = true
    this.#side.stop()
    await this.#pass(clients.timeoutMs + 1000)
    this.#sim.check()
    if (this.#hasLiveness) await this.#end()
  }

  /** Real clients and snapshots work with promises, which are heard between two steps. */
  #pass(ms: number): Promise<void> {
    return this.#sim.run(ms)
  }

  /** Everybody ends in order, wherever the faults have left them: nobody's call may stay open (INV-17, L8). */
  async #end(): Promise<void> {
    const sim = this.#sim
    this.#say('Everybody is to end in order.')
    sim.healAll()
    for (const client of this.#busClients) client.end()
    await sim.close()
    sim.check()
  }

  async #liveness(random: ReturnType<typeof streamOf>): Promise<void> {
    const sim = this.#sim
    const { nodes } = sim
    const timeoutMs = this.#plan.tuning.electionTimeoutMs + (this.#plan.tuning.maxClockDriftMs ?? 0)
    if (hasWhoNeverLeads(sim.members.values())) return
    const damaged = new Set([...sim.members.values()].filter((m) => m.disk.damaged).map((m) => m.id))
    const needed = holdersInSight(sim.members.values())
    const lost = this.#plan.disaster ? planDisaster(random, [...sim.members.values()]) : null
    const plan = lost ?? planLiveness(random, { nodes, voters: this.#voters(), damaged, needed })
    if (plan === null) return
    if (lost === null && random.next() < 0.2) for (const node of nodes) sim.powerLoss(node)
    for (const node of plan.core) {
      // What an operator does with a member that has stopped itself.
      sim.healDisk(node)
      const role = sim.members.get(node)?.status().role
      if (role === 'error' || sim.sideGroups.hasFailed(node)) sim.crash(node)
      for (const other of plan.core)
        if (other !== node) sim.setLink(node, other, { latency: { shape: 'constant', ms: 1 } })
    }
    this.#say(calmWords(plan))
    enterLiveness(sim, plan)
    this.#operator.calm()
    if (lost !== null) await forceMembers(sim, lost, CALM_TIMEOUTS * timeoutMs)
    for (const client of this.#busClients) client.calmDown()
    // Calm begins when what slow links still hold has arrived, and who lost its quorum before has stepped down.
    await this.#pass(Math.max(0, sim.bus.busyUntilMs - sim.nowMs) + 2 * timeoutMs)
    const { core } = plan
    const members = await this.#settle(plan, (CALM_TIMEOUTS + PREFERENCE_TIMEOUTS) * timeoutMs)
    await this.#side.wakesUp(core, CALM_TIMEOUTS * timeoutMs)
    const term = Math.max(...members.map((m) => m.status().term))
    await this.#pass(CALM_TIMEOUTS * timeoutMs)
    const later = Math.max(...members.map((m) => m.status().term))
    if (later !== term)
      throw new InvariantViolation(
        'INV-0',
        `L1: term ${term} became ${later} in a calm core ${core.join(',')}.`,
        { plan },
      )
    if (this.#plan.transfersEveryMs !== null) await this.#operator.checkTransfer(core)
    if (this.#busClients.length > 0) await this.#serves(core, CALM_TIMEOUTS * timeoutMs)
    this.#stopped = true
    const rest = await sim.until(
      () =>
        this.#open === 0 && areAtRest(members) && ![...this.#asked].some(({ node }) => core.includes(node)),
      this.#plan.clients.timeoutMs + CALM_TIMEOUTS * timeoutMs,
    )
    if (!rest)
      throw new InvariantViolation(
        'INV-0',
        `L7: the core ${core.join(',')} did not come to rest with equal states.`,
        { plan },
      )
    // Whoever asked before has had time enough to be told.
    await this.#pass(2 * timeoutMs)
    for (const id of core) sim.checker?.finish(id)
  }

  /** Waits for a leader of the core whose members stay as they are, and for those of them who are in the core to follow it. */
  async #settle(plan: LivenessPlan, withinMs: number): Promise<readonly SimMember[]> {
    const sim = this.#sim
    const { core } = plan
    const led = (): readonly SimMember[] => {
      const leader = sim.members.get(sim.leader() ?? '')
      if (leader === undefined || !core.includes(leader.id)) return []
      const { learners, peers, oldPeers, witnesses, change, priorities } = leader.status()
      // L3: nothing stays half done.
      if (change !== null || oldPeers.length > 0 || !peers.includes(leader.id)) return []
      // Whoever is preferred leads, or leadership will still move.
      const priorityOf = (id: string): number => priorities[id] ?? DEFAULT_PRIORITY
      const canLead = peers.filter((id) => core.includes(id) && !witnesses.includes(id))
      if (canLead.some((id) => priorityOf(id) > priorityOf(leader.id))) return []
      const members = [...sim.members.values()].filter(
        ({ id }) => core.includes(id) && [...peers, ...learners].includes(id),
      )
      return members.every((m) => m.alive && m.status().leader === leader.id) ? members : []
    }
    if (await sim.until(() => led().length > 0, withinMs)) return led()
    const seen = [...sim.members.values()].map(({ id, alive, node }) => {
      if (!alive || node === null) return `${id} is dead`
      const { role, term, peers, oldPeers, learners, change } = node.status()
      return `${id} ${role} ${term} {${oldPeers}}>{${peers}}+{${learners}} ${change?.stage ?? ''}`
    })
    const text = `L1, L3: no leader of all of ${core.join(',')} with the members at rest: ${seen.join('; ')}.`
    throw new InvariantViolation('INV-0', text, { plan })
  }

  /** The sets whose majorities the group needs. */
  #voters(): readonly (readonly string[])[] {
    const { nodes, inherited } = this.#plan
    if (this.#wishes !== null) return votersInSight(this.#sim.members.values())
    return inherited === null ? [nodes] : [inherited.peers, inherited.oldPeers]
  }

  /** The services of a calm core: its leader alone answers as one, and every client finds it. */
  async #serves(core: readonly string[], withinMs: number): Promise<void> {
    const sim = this.#sim
    const leader = sim.leader()
    const listening = sim.bus.listeners(leaderSubject(DEFAULT_PREFIX, GROUP, 'propose'))
    const inCore = listening.filter((id) => core.includes(id))
    if (inCore.length !== 1 || inCore[0] !== leader) {
      const text = `L9: ${leader} leads the core ${core.join(',')}, and ${inCore.join(',') || 'nobody'} listens as leader.`
      throw new InvariantViolation('INV-0', text)
    }
    const unserved = new Set(this.#busClients)
    const write = (client: BusClient): void =>
      client.start({ op: 'put', key: 'calm', value: client.name }, 'readIndex', ({ outcome }) => {
        if (outcome === 'ok') unserved.delete(client)
        else write(client)
      })
    for (const client of unserved) write(client)
    if (await sim.until(() => unserved.size === 0, this.#plan.clients.timeoutMs + withinMs)) return
    const names = [...unserved].map(({ name }) => name).join(', ')
    throw new InvariantViolation('INV-0', `L10: ${names} cannot write to the calm core ${core.join(',')}.`)
  }

  #startClient(name: string): void {
    const { clients, seed } = this.#plan
    const random = streamOf(seed, `load ${name}`)
    const client = this.#connect(name, random)
    let count = 0
    const next = (): void => {
      if (this.#stopped) return
      const { command, level } = this.#load.draw(random, `${name}-${count++}`)
      this.#open++
      client.start(command, level, () => {
        this.#open--
        this.#sim.scheduler.schedule(drawLatencyMs(random, clients.think), EventKind.OTHER, next)
      })
    }
    this.#sim.scheduler.schedule(0, EventKind.OTHER, next)
  }

  /** An operator who wants one now, of any member, whatever it is doing. */
  #askForSnapshots(random: ReturnType<typeof streamOf>): void {
    const { snapshotsAskedEveryMs: everyMs } = this.#plan
    if (everyMs === null) return
    const sim = this.#sim
    const { nodes } = sim
    const next = (): void => {
      if (this.#stopped) return
      const node = pick(random, nodes)
      const asked = { node }
      this.#asked.add(asked)
      sim.askForSnapshot(node, () => this.#asked.delete(asked))
      sim.scheduler.schedule(drawLatencyMs(random, exponential(everyMs)), EventKind.OTHER, next)
    }
    sim.scheduler.schedule(drawLatencyMs(random, exponential(everyMs)), EventKind.OTHER, next)
  }

  #connect(name: string, random: ReturnType<typeof streamOf>): Client {
    const { clients, tuning } = this.#plan
    const { timeoutMs } = clients
    if (clients.via === 'calls') return this.#sim.client(name, timeoutMs)
    const client = this.#sim.busClient(name, {
      timeoutMs,
      silenceMs: pick(random, [tuning.electionTimeoutMs / 2, 500]),
      troubleEveryMs: tuning.electionTimeoutMs * pick(random, [2, 10, 50]),
      idleMs: pick(streamOf(this.#plan.seed, `session ${name}`), [null, 1000, 5000, 600_000]),
    })
    this.#busClients.push(client)
    return client
  }
}
