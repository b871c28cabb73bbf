// The real client in the simulation: a process of its own with a clock and a connection of its own, which speaks to the
// services of the members over the simulated bus. It stands still, is cut off and loses messages like anybody else.

import type { ReadLevel } from '../../api.ts'
import { connectClient } from '../../client/client.ts'
import type { ClientSession } from '../../client/session.ts'
import type { QuorateClient } from '../../client/shapes.ts'
import { isQuorateError } from '../../errors.ts'
import type { PeerId } from '../../rules/types.ts'
import type { Random } from '../../runtime/random.ts'
import type { SimBus } from '../bus/sim-bus.ts'
import type { SimTransport } from '../bus/sim-transport.ts'
import { isStaleRead } from '../direct-calls.ts'
import type { ClientOutcome, History } from '../history/history.ts'
import { toCommand, toResult } from '../history/kv-commands.ts'
import type { KvCommand, KvResult } from '../history/kv-model.ts'
import { type InvariantChecker, InvariantViolation } from '../invariants/invariants.ts'
import type { ClientAnswer } from '../sim-client.ts'
import { GROUP } from '../sim-member.ts'
import { SimProcess } from '../sim-process.ts'
import { EventKind, type Scheduler } from '../time/scheduler.ts'
import { SimClock } from '../time/sim-clock.ts'
import { between, chance, pick, streamOf } from '../time/sim-random.ts'
import type { AnswerAt, Tagged } from './served-node.ts'

export interface BusClientWorld {
  readonly scheduler: Scheduler
  readonly bus: SimBus
  readonly seed: number
  readonly nodes: readonly PeerId[]
  readonly history: History
  readonly checker: InvariantChecker | null
  /** Promises of this client may have settled: they are heard before anything else happens. */
  mayGoOn(): void
}

export interface BusClientOptions {
  readonly timeoutMs: number
  readonly silenceMs: number
  /** Mean time between two faults of this client's own. */
  readonly troubleEveryMs: number
  /** It writes in a session that may stand idle for so long. Null: each write stands for itself. */
  readonly idleMs: number | null
}

export class BusClient {
  readonly name: string
  readonly #world: BusClientWorld
  readonly #random: Random
  readonly #process: SimProcess
  readonly #clock: SimClock
  readonly #transport: SimTransport
  readonly #client: QuorateClient
  readonly #troubleEveryMs: number
  readonly #options: BusClientOptions
  #session: Promise<ClientSession> | null = null
  #calm = false

  constructor(name: string, world: BusClientWorld, options: BusClientOptions) {
    const { scheduler, bus, seed } = world
    this.name = name
    this.#world = world
    this.#random = streamOf(seed, `${name} troubles`)
    this.#troubleEveryMs = options.troubleEveryMs
    this.#options = options
    this.#process = new SimProcess({
      ...{ scheduler, id: name, life: 1, random: streamOf(seed, `${name} process`) },
      onTurn: () => world.mayGoOn(),
    })
    this.#clock = new SimClock({ process: this.#process })
    this.#transport = bus.connect(this.#process)
    const { timeoutMs, silenceMs } = options
    this.#client = connectClient({
      ...{ transport: this.#transport, group: GROUP, name, timeoutMs, silenceMs, clock: this.#clock },
      random: streamOf(seed, `${name} choices`),
    })
    for (const node of world.nodes) {
      bus.setLink(name, node, { dropRate: pick(this.#random, LOSSES) })
      bus.setLink(node, name, { dropRate: pick(this.#random, LOSSES) })
    }
    this.#troubleLater()
  }

  /** Starts an operation; `done` comes once. Stale reads are not part of the history. */
  start(command: KvCommand, level: ReadLevel, done: (answer: ClientAnswer) => void): void {
    this.#process.turn(null, () => {
      const { history, checker } = this.#world
      const isStale = command.op === 'get' && isStaleRead(level, checker)
      const op = isStale ? -1 : history.invoke(this.name, command)
      const finish = (outcome: ClientOutcome, result: KvResult = null): void => {
        if (!isStale) history.complete(op, outcome, result)
        done({ outcome, result })
      }
      this.#ask(command, level, op).then(
        (result) => finish('ok', result),
        (error: unknown) => finish(outcomeOf(error, command)),
      )
    })
  }

  async #ask(command: KvCommand, level: ReadLevel, op: number): Promise<KvResult> {
    if (command.op !== 'get') {
      const tagged: Tagged = { op, ask: toCommand(command) }
      const { result } = await (await this.#writer()).apply(tagged)
      return toResult(result)
    }
    const tagged: Tagged = { op, ask: ['get', command.key] }
    const { at, value } = await this.#client.read<AnswerAt>(tagged, { level })
    if (op >= 0) this.#world.history.answered(op, at)
    return value as KvResult
  }

  /** Itself, or a session that it has begun; when that fails, the next operation tries again. */
  #writer(): Promise<Pick<QuorateClient, 'apply'>> {
    const { idleMs } = this.#options
    if (idleMs === null) return Promise.resolve(this.#client)
    this.#session ??= this.#client.session({ idleMs }).catch((error: unknown) => {
      this.#session = null
      throw error
    })
    return this.#session
  }

  /** No more troubles: it has a fast way to everybody, and time. */
  calmDown(): void {
    const { bus, nodes } = this.#world
    this.#calm = true
    this.#process.resume()
    this.#transport.reconnect()
    for (const node of nodes) {
      bus.setLink(this.name, node, { latency: { shape: 'constant', ms: 1 }, dropRate: 0 })
      bus.setLink(node, this.name, { latency: { shape: 'constant', ms: 1 }, dropRate: 0 })
    }
  }

  /** @throws InvariantViolation INV-24 when a closed client holds on to anything. */
  end(): void {
    // Where a run ends before it was calm, this client may stand still, or be about to go on: then it can't close itself.
    const canClose = !this.#process.paused && this.#process.backlog === 0
    this.#process.turn(null, () => this.#client.close())
    const left = { timers: this.#clock.pendingTimers, subscriptions: this.#transport.subscriptions }
    this.#process.kill('exit')
    if (!canClose || left.timers + left.subscriptions === 0) return
    throw new InvariantViolation(
      'INV-24',
      `Client ${this.name} was closed and keeps ${JSON.stringify(left)}.`,
    )
  }

  #troubleLater(): void {
    const pauseMs = between(this.#random, 0, 2 * this.#troubleEveryMs)
    this.#world.scheduler.schedule(pauseMs, EventKind.FAULT, () => {
      if (this.#calm || !this.#process.alive) return
      this.#trouble()
      this.#troubleLater()
    })
  }

  #trouble(): void {
    const { scheduler } = this.#world
    const forMs = between(this.#random, 0, this.#troubleEveryMs)
    if (chance(this.#random, 0.5)) {
      this.#process.pause()
      scheduler.schedule(forMs, EventKind.FAULT, () => this.#process.resume())
    } else {
      this.#transport.disconnect(between(this.#random, 0, forMs))
      scheduler.schedule(forMs, EventKind.FAULT, () => this.#transport.reconnect())
    }
  }
}

const LOSSES = [0, 0, 0.02, 0.2]

function outcomeOf(error: unknown, { op }: KvCommand): ClientOutcome {
  if (!isQuorateError(error)) throw error
  return op === 'get' || error.outcome === 'not-applied' ? 'failed' : 'unknown'
}
