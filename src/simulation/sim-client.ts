// A simulated client: asks members as an embedding application would, tries again what was certainly not done, and
// remembers honestly what it does not know.

import type { ReadLevel } from '../api.ts'
import type { QuorateError } from '../errors.ts'
import type { Random } from '../runtime/random.ts'
import { isStaleRead } from './direct-calls.ts'
import type { ClientOutcome, History } from './history/history.ts'
import { toCommand, toResult } from './history/kv-commands.ts'
import type { KvCommand, KvResult } from './history/kv-model.ts'
import { type InvariantChecker, InvariantViolation } from './invariants/invariants.ts'
import { encodeNumbered } from './observed-machine.ts'
import type { SimMember } from './sim-member.ts'
import { EventKind, type Scheduler } from './time/scheduler.ts'
import { between, pick } from './time/sim-random.ts'

export interface ClientAnswer {
  readonly outcome: ClientOutcome
  readonly result: KvResult
}

/** What a client needs of its world. */
export interface ClientWorld {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly history: History
  readonly members: readonly SimMember[]
  readonly checker: InvariantChecker | null
  /** Numbers calls over all clients. */
  nextCall(): number
  /** What the canonical log up to `index` makes of a key. */
  valueAt(key: string, index: number): string | null
  /** Keeps a violation thrown inside of a node's turn until the step is over. */
  guard(run: () => void): void
  completion(member: SimMember): void
  /** A promise for what comes in virtual time; time passes while it is awaited. */
  awaited<T>(start: (resolve: (value: T) => void) => void): Promise<T>
}

const PAUSE_MS = 20
/** Shares of proposals that name the term they are meant for, and of those that name one that is over. */
const EXPECTING = 0.2
const EXPECTING_TOO_LATE = 0.02

export class SimClient {
  readonly name: string
  readonly #world: ClientWorld
  readonly #timeoutMs: number
  /** Who is thought to lead. */
  #favorite: string | null = null

  constructor(name: string, world: ClientWorld, timeoutMs: number) {
    this.name = name
    this.#world = world
    this.#timeoutMs = timeoutMs
  }

  put = (key: string, value: string): Promise<ClientAnswer> => this.#promise({ op: 'put', key, value })
  append = (key: string, value: string): Promise<ClientAnswer> => this.#promise({ op: 'append', key, value })
  delete = (key: string): Promise<ClientAnswer> => this.#promise({ op: 'delete', key })
  cas = (key: string, expect: string | null, value: string): Promise<ClientAnswer> =>
    this.#promise({ op: 'cas', key, expect, value })
  /** Default level: `readIndex`, on any member. */
  get = (key: string, level: ReadLevel = 'readIndex'): Promise<ClientAnswer> =>
    this.#promise({ op: 'get', key }, level)

  /** Starts an operation; `done` comes once, in virtual time. Stale reads are not part of the history. */
  start(command: KvCommand, level: ReadLevel, done: (answer: ClientAnswer) => void): void {
    new ClientOperation(
      this.#world,
      this.name,
      command,
      level,
      this.#timeoutMs,
      this.#favorite,
      (answer, leader) => {
        this.#favorite = leader
        done(answer)
      },
    ).attempt()
  }

  #promise(command: KvCommand, level: ReadLevel = 'readIndex'): Promise<ClientAnswer> {
    return this.#world.awaited((resolve) => this.start(command, level, resolve))
  }
}

class ClientOperation {
  readonly #world: ClientWorld
  readonly #command: KvCommand
  readonly #level: ReadLevel
  readonly #historyId: number | null
  readonly #deadlineMs: number
  readonly #done: (answer: ClientAnswer, leader: string | null) => void
  #target: string | null
  /** A proposal is out whose outcome nobody has told. */
  #uncertain = false
  #over = false

  constructor(
    world: ClientWorld,
    client: string,
    command: KvCommand,
    level: ReadLevel,
    timeoutMs: number,
    target: string | null,
    done: (answer: ClientAnswer, leader: string | null) => void,
  ) {
    this.#world = world
    this.#command = command
    this.#level = level
    this.#target = target
    this.#done = done
    const isStale = command.op === 'get' && isStaleRead(level, world.checker)
    this.#historyId = isStale ? null : world.history.invoke(client, command)
    this.#deadlineMs = world.scheduler.nowMs + timeoutMs
    world.scheduler.schedule(timeoutMs, EventKind.OTHER, () =>
      this.#finish({ outcome: this.#uncertain ? 'unknown' : 'failed', result: null }),
    )
  }

  attempt(): void {
    if (this.#over) return
    const member = this.#choose()
    if (member === null) return this.#later()
    member.enter(() => this.#ask(member))
  }

  #choose(): SimMember | null {
    const alive = this.#world.members.filter((member) => member.alive)
    if (alive.length === 0) return null
    return alive.find((member) => member.id === this.#target) ?? pick(this.#world.random, alive)
  }

  #ask(member: SimMember): void {
    const { node } = member
    if (node === null || this.#over) return
    const { checker } = this.#world
    const call = this.#world.nextCall()
    const command = this.#command
    if (command.op === 'get') {
      const kind = this.#level === 'local' ? 'staleRead' : 'read'
      this.#world.guard(() =>
        checker?.invoked(call, { kind, node: member.id, byLease: this.#level === 'lease' }),
      )
      member.query(['get', command.key], this.#level, (outcome) => {
        if (!outcome.ok) return this.#refused(member, call, outcome.error)
        const index = member.lastApplied
        this.#world.guard(() => {
          checker?.completed(call, { outcome: 'ok', index })
          this.#checkAnswer(member, command.key, outcome.answer, index)
        })
        this.#world.completion(member)
        if (this.#historyId !== null && !this.#over) this.#world.history.answered(this.#historyId, index)
        this.#finish({ outcome: 'ok', result: outcome.answer as KvResult })
      })
    } else {
      const data = encodeNumbered(call, toCommand(command))
      // As an application does that has decided something as leader of this term.
      const draw = this.#world.random.next()
      const { term } = node.core
      const expectedTerm = draw < EXPECTING_TOO_LATE ? term - 1 : draw < EXPECTING ? term : undefined
      this.#world.guard(() =>
        checker?.invoked(call, {
          kind: 'proposal',
          node: member.id,
          key: String(call),
          ...(expectedTerm === undefined ? {} : { expectedTerm }),
        }),
      )
      this.#uncertain = true
      if (this.#historyId !== null) this.#world.history.proposed(this.#historyId, call)
      member.propose(data, expectedTerm, (outcome) => {
        if (!outcome.ok) return this.#refused(member, call, outcome.error)
        const { index, term } = outcome
        this.#world.guard(() => checker?.completed(call, { outcome: 'ok', index, term }))
        this.#world.completion(member)
        this.#finish({ outcome: 'ok', result: toResult(outcome.result) })
      })
    }
    this.#world.guard(() => checker?.returned(call))
  }

  /** Also a stale answer is the state after some prefix of the canonical log: the one that this member has applied. */
  #checkAnswer(member: SimMember, key: string, answer: unknown, index: number): void {
    if (this.#world.checker === null) return
    const expected = this.#world.valueAt(key, index)
    if (answer === expected) return
    throw new InvariantViolation(
      'INV-16',
      `${member.id} answered ${JSON.stringify(answer)} for ${key} after entry ${index}, where the canonical log makes ${JSON.stringify(expected)} of it.`,
    )
  }

  #refused(member: SimMember, call: number, error: QuorateError): void {
    const isRead = this.#command.op === 'get'
    const outcome = !isRead && error.outcome !== 'not-applied' ? 'unknown' : 'failed'
    this.#world.guard(() => this.#world.checker?.completed(call, { outcome }))
    this.#world.completion(member)
    if (outcome === 'unknown') return this.#finish({ outcome, result: null })
    this.#uncertain = false
    this.#target = error.leader
    this.#later()
  }

  #later(): void {
    const { scheduler, random } = this.#world
    const pauseMs = between(random, 0, PAUSE_MS)
    if (this.#over) return
    if (scheduler.nowMs + pauseMs < this.#deadlineMs) {
      scheduler.schedule(pauseMs, EventKind.OTHER, () => this.attempt())
    }
  }

  #finish(answer: ClientAnswer): void {
    if (this.#over) return
    this.#over = true
    if (this.#historyId !== null) this.#world.history.complete(this.#historyId, answer.outcome, answer.result)
    this.#done(answer, this.#target)
  }
}
