// Which version of its machine a group runs, and all instances under it. A group begins with the oldest version that its
// members carry, unless its log says otherwise, and changes over at one entry.

import type { AnyStateMachine } from 'xstate'
import type { LogIndex } from '../rules/types.ts'
import { messageOf } from '../runtime/errors.ts'
import type { Declaration, Upgrade } from './commands.ts'
import {
  type Generation,
  generationFor,
  generationOf,
  isSame,
  migrated,
  type Previous,
} from './generations.ts'
import { Instances } from './instances.ts'
import { Replica, type Verdict } from './replica.ts'

export interface LineageSettings {
  readonly maxIterations: number
  readonly durable: readonly string[]
  readonly strict: boolean
  readonly inputOf: (key: string) => unknown
  readonly previous: Previous | null
}

interface Running {
  readonly generation: Generation
  readonly instances: Instances
  readonly replica: Replica
}

export class Lineage {
  /** What the group says it runs; null: it has said nothing yet. */
  declared: Declaration | null = null
  readonly newest: Generation
  readonly #carried: readonly Generation[]
  readonly #settings: LineageSettings
  #running: Running

  constructor(machine: AnyStateMachine, settings: LineageSettings) {
    const { previous } = settings
    this.#settings = settings
    this.newest = generationOf(machine, settings)
    const before = previous === null ? null : generationOf(previous.machine, previous)
    this.#carried = before === null ? [this.newest] : [this.newest, before]
    this.#running = this.#runningOf(before ?? this.newest, null)
  }

  get generation(): Generation {
    return this.#running.generation
  }

  get instances(): Instances {
    return this.#running.instances
  }

  get replica(): Replica {
    return this.#running.replica
  }

  /** The first one counts. @throws Error when this member does not carry it: it must not go on */
  declare(declared: Declaration, index: LogIndex): Verdict {
    const group = this.declared
    if (group !== null) return isSame(group, declared) ? DONE : this.#otherVersion(group)
    const next = generationFor(declared, this.#carried)
    if (next !== this.generation) this.#changeTo(next, index)
    this.declared = declared
    return DONE
  }

  /** All instances are taken over, or none. @throws Error when this member does not carry the new version */
  upgrade({ from, to }: Upgrade, index: LogIndex): Verdict {
    const group = this.declared
    if (group !== null && isSame(group, to)) return DONE
    if (group === null || !isSame(group, from)) return this.#otherVersion(group)
    const next = generationFor(to, this.#carried)
    try {
      this.#changeTo(next, index)
    } catch (error) {
      const why = messageOf(error).replace(/\.$/, '')
      const message = `Not applied: version ${to.version} of ${to.machine} cannot take over ${why}.`
      return { ok: false, code: 'THREW', message }
    }
    this.declared = to
    return DONE
  }

  /** What this member can run, the newest first. */
  get carried(): readonly Declaration[] {
    return this.#carried.map(({ declaration }) => declaration)
  }

  /** An empty one, for what a snapshot holds. @throws Error when this member does not carry the version */
  fresh(declared: Declaration | null): Instances {
    const generation = declared === null ? this.generation : generationFor(declared, this.#carried)
    return new Instances(generation.rules, this.#settings.strict)
  }

  /** What a snapshot held takes the place of everything. */
  replaceBy(declared: Declaration | null, instances: Instances): void {
    const generation = declared === null ? this.generation : generationFor(declared, this.#carried)
    this.declared = declared
    this.#running = this.#runningOf(generation, instances)
  }

  #changeTo(next: Generation, index: LogIndex): void {
    const { strict, previous } = this.#settings
    const isForward = next === this.newest
    const migrate: Previous['migrate'] = (key, old) =>
      isForward && previous !== null ? previous.migrate(key, old) : old
    const instances = migrated(this.instances, next, { migrate, strict, index })
    this.#running = this.#runningOf(next, instances)
  }

  #runningOf(generation: Generation, given: Instances | null): Running {
    const { strict, inputOf } = this.#settings
    const { rules } = generation
    const instances = given ?? new Instances(rules, strict)
    return { generation, instances, replica: new Replica({ rules, instances, inputOf }) }
  }

  #otherVersion(group: Declaration | null): Verdict {
    const which = group === null ? 'nothing yet' : `version ${group.version} of ${group.machine}`
    return { ok: false, code: 'INVALID', message: `Not applied: this group replicates ${which}.` }
  }
}

const DONE: Verdict = { ok: true, accepted: true, state: null }
