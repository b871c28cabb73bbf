// What a command makes of all instances: the same on every member, whether it leads, follows or reads its log again.

import type { EventObject } from 'xstate'
import { messageOf } from '../runtime/errors.ts'
import { type Command, type Comparison, type Declaration, parseCommand, type Upgrade } from './commands.ts'
import { afterFailure } from './durable.ts'
import type { InstanceRules, Stepped } from './instance.ts'
import type { PlainState } from './instance-codec.ts'
import type { Instances } from './instances.ts'
import type { At, Effect, Instance, Job, Tries } from './shapes.ts'

/** What has become of a command. `accepted`: whether the machine had a transition for the event. */
export type Verdict =
  | { readonly ok: true; readonly accepted: boolean; readonly state: PlainState | null }
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string }

type RefusalCode =
  | 'INVALID' // not a command, or one with bad parts
  | 'FINISHED' // the instance has ended and accepts nothing
  | 'EXISTS' // there is an instance of this key already
  | 'THREW' // the machine's own code threw, or what it made cannot be kept
  | 'STALE' // a timer or a job that is not waited for any more
  | 'EARLY' // a timer whose time has not come

export interface Outcome {
  readonly verdict: Verdict
  /** The instance that it was about; null: none. */
  readonly key: string | null
  readonly effects: readonly Effect[]
  /** How the leader's state was. */
  readonly comparison?: Comparison
  /** Members are to compare their states, and look closer at one instance. */
  readonly check?: { readonly key: string | null }
  /** What the group runs, or is to run: what comes of it is for whoever carries the machines to say. */
  readonly declaration?: Declaration
  readonly upgrade?: Upgrade
}

const NOTED: Outcome = { verdict: { ok: true, accepted: true, state: null }, key: null, effects: [] }

export interface ReplicaParts {
  readonly rules: InstanceRules
  readonly instances: Instances
  /** The input of an instance that is created by its first event. */
  readonly inputOf: (key: string) => unknown
}

type Pending = Extract<Command, readonly ['fire' | 'done' | 'failed' | 'missed' | 'sent', ...unknown[]]>

export class Replica {
  readonly #parts: ReplicaParts

  constructor(parts: ReplicaParts) {
    this.#parts = parts
  }

  apply(value: unknown, at: At): Outcome {
    const parsed = parseCommand(value)
    if (!parsed.ok) return refused(null, 'INVALID', `Not applied: ${parsed.reason}.`)
    const { command } = parsed
    switch (command[0]) {
      case 'declare':
        return { ...NOTED, declaration: command[1] }
      case 'upgrade':
        return { ...NOTED, upgrade: command[1] }
      case 'check':
        return { ...NOTED, check: { key: command[1] } }
      case 'compare':
        return { ...NOTED, comparison: command[1] }
      case 'create':
        return this.#create(command[1], command[2].input, at)
      case 'event':
        return this.#event(command[1], command[2], at)
      default:
        return this.#pending(command, at)
    }
  }

  #create(key: string, input: unknown, at: At): Outcome {
    if (this.#parts.instances.resident(key) !== undefined)
      return refused(key, 'EXISTS', `Not applied: instance ${key} is there already.`)
    return this.#try(key, 'its creation', null, () => this.#parts.rules.begin(input, at))
  }

  #event(key: string, event: EventObject, at: At): Outcome {
    const { rules, instances, inputOf } = this.#parts
    const instance = instances.get(key)
    if (instance !== null) return this.#step(key, instance, event, at)
    return this.#try(key, `event ${event.type}`, null, () => {
      const begun = rules.begin(inputOf(key), at)
      if (begun.instance.snapshot.status !== 'active') return { ...begun, accepted: false }
      const stepped = rules.step(begun.instance, event, at)
      return { ...stepped, effects: [...begun.effects, ...stepped.effects] }
    })
  }

  /** What is due or has come back. It counts only while the instance waits for just this one. */
  #pending(command: Pending, at: At): Outcome {
    const [name, key, id, armedAt] = command
    const instance = this.#parts.instances.get(key)
    const timer = name === 'fire' ? instance?.timers.get(id) : undefined
    const job = name === 'fire' ? undefined : instance?.jobs.get(id)
    if (instance === null || (timer ?? job)?.armedAt !== armedAt) return stale(command)
    if (job !== undefined && job.action !== null) return this.#tried(command, instance, job, job.action, at)
    if (command[0] === 'missed') return stale(command)
    if (command[0] === 'sent') return this.#step(key, instance, command[4], at)
    if (timer === undefined) {
      const rest = { ...instance, jobs: without(instance.jobs, id) }
      return this.#step(key, rest, resultOf(command, id), at)
    }
    if (timer.dueAtMs > at.timeMs)
      return refused(key, 'EARLY', `Not applied: timer ${id} of instance ${key} is not due yet.`)
    const rest = { ...instance, timers: without(instance.timers, id) }
    if (timer.target === null) return this.#step(key, rest, timer.event, at)
    const tell: Effect = { type: 'tell', job: timer.target, event: timer.event }
    return this.#try(key, `timer ${id}`, rest, () => ({ instance: rest, effects: [tell], accepted: true }))
  }

  /** A durable action has ended or failed. The machine hears nothing of it, and may have ended itself. */
  #tried(command: Pending, instance: Instance, job: Job, tries: Tries, at: At): Outcome {
    const [name, key, id] = command
    const isThis = name === 'done' || (name === 'missed' && command[4] === tries.failures)
    if (!isThis) return stale(command)
    const next = name === 'done' ? null : afterFailure(tries, at.timeMs)
    const jobs =
      next === null ? without(instance.jobs, id) : new Map(instance.jobs).set(id, { ...job, action: next })
    const state = this.#parts.instances.put(key, { ...instance, jobs })
    const hasGivenUp = name === 'missed' && next === null
    const effects: Effect[] = hasGivenUp ? [{ type: 'gaveUp', name: job.src, error: command[5] }] : []
    return { verdict: { ok: true, accepted: true, state }, key, effects }
  }

  #step(key: string, instance: Instance, event: EventObject, at: At): Outcome {
    const { rules } = this.#parts
    return this.#try(key, `event ${event.type}`, instance, () => rules.step(instance, event, at))
  }

  /**
   * Somebody else's code runs in here: what it throws is a verdict, the same on every member. Then `base` is what there is:
   * what was due has been, or a leader would try for ever.
   */
  #try(key: string, what: string, base: Instance | null, run: () => Stepped): Outcome {
    const { instances } = this.#parts
    if (base !== null && base.snapshot.status !== 'active')
      return refused(key, 'FINISHED', `Not applied: instance ${key} has ended (${base.snapshot.status}).`)
    try {
      const { instance, effects, accepted } = run()
      return { verdict: { ok: true, accepted, state: instances.put(key, instance) }, key, effects }
    } catch (error) {
      // It may have been changed in place before that.
      instances.forget(key)
      const waits = instances.get(key)
      if (base !== null && waits !== null)
        instances.put(key, { ...waits, timers: base.timers, jobs: base.jobs })
      const message = `Not applied: ${what} at instance ${key}: ${messageOf(error).replace(/\.$/, '')}.`
      return refused(key, 'THREW', message)
    }
  }
}

function without<V>(map: ReadonlyMap<string, V>, id: string): ReadonlyMap<string, V> {
  const rest = new Map(map)
  rest.delete(id)
  return rest
}

function stale([, key, id, armedAt]: Pending): Outcome {
  return refused(key, 'STALE', `Not applied: instance ${key} does not wait for ${id} of index ${armedAt}.`)
}

function refused(key: string | null, code: RefusalCode, message: string): Outcome {
  return { verdict: { ok: false, code, message }, key, effects: [] }
}

/** The event that XState makes of what an actor returned or threw. */
function resultOf(command: Pending, id: string): EventObject {
  if (command[0] === 'failed')
    return Object.assign({ type: `xstate.error.actor.${id}` }, { error: command[4], actorId: id })
  const output = command[0] === 'done' ? command[4].output : undefined
  return Object.assign({ type: `xstate.done.actor.${id}` }, { output, actorId: id })
}
