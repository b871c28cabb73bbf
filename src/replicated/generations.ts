// The versions of a machine that a member carries: the one it was started with, and perhaps the one before. Which of them
// runs is decided by the log, so that all members change over at the same entry.

import type { AnyActorLogic, AnyStateMachine } from 'xstate'
import type { LogIndex } from '../rules/types.ts'
import { messageOf } from '../runtime/errors.ts'
import type { Declaration } from './commands.ts'
import { definitionOf } from './definition.ts'
import { durableLogic } from './durable.ts'
import { InstanceRules } from './instance.ts'
import { type Change, recallAs } from './instance-codec.ts'
import { bytesOf, Instances } from './instances.ts'
import type { Job } from './shapes.ts'

export interface Generation {
  readonly declaration: Declaration
  readonly rules: InstanceRules
  /** What runs at the leader for a job; undefined: this version has no such thing. */
  readonly logicOf: (job: Runnable) => AnyActorLogic | undefined
}

type Runnable = Pick<Job, 'src'> & { readonly action: unknown }

/** The version before this one, and what becomes of its instances. */
export interface Previous {
  readonly machine: AnyStateMachine
  readonly maxIterations: number
  readonly durable: readonly string[]
  readonly migrate: (key: string, old: Change) => Change
}

export function generationOf(
  machine: AnyStateMachine,
  { maxIterations, durable }: { maxIterations: number; durable: readonly string[] },
): Generation {
  const entries = Object.entries(machine.implementations.actors ?? {})
  // XState knows two forms of them.
  const actors = new Map<string, AnyActorLogic>(
    entries.map(([name, actor]) => [name, 'src' in actor ? actor.src : actor]),
  )
  const actions = durableLogic(machine, durable)
  return {
    declaration: definitionOf(machine, durable),
    rules: new InstanceRules(machine, maxIterations, durable),
    logicOf: ({ src, action }) => (action === null ? actors : actions).get(src),
  }
}

export function isSame(one: Declaration, other: Declaration): boolean {
  return one.machine === other.machine && one.version === other.version && one.definition === other.definition
}

/** @throws Error when none of them is what the group runs: this member must not go on. */
export function generationFor(group: Declaration, carried: readonly Generation[]): Generation {
  const found = carried.find(({ declaration }) => isSame(declaration, group))
  if (found !== undefined) return found
  const names = carried.map(({ declaration: { machine, version } }) => `${machine} of version ${version}`)
  const isOther = carried.some(
    ({ declaration: { machine, version } }) => machine === group.machine && version === group.version,
  )
  throw new Error(
    isOther
      ? `this member carries another definition of machine ${group.machine} version ${group.version} than its group: give a machine that changes another version`
      : `this member carries machine ${names.join(' and ')}, its group ${group.machine} of version ${group.version}: start it with code that has that one`,
  )
}

/** All of them or none. @throws Error when one of them cannot be taken over, which says which */
export function migrated(
  old: Instances,
  into: Generation,
  { migrate, strict, index }: { migrate: Previous['migrate']; strict: boolean; index: LogIndex },
): Instances {
  const taken = new Instances(into.rules, strict)
  for (const resident of old.residents()) {
    const { key } = resident
    try {
      const change = (before: Change): Change => migrate(key, before)
      taken.put(key, recallAs(bytesOf(resident), into.rules, { change, index, logicOf: into.logicOf }))
    } catch (error) {
      throw new Error(`instance ${key}: ${messageOf(error).replace(/\.$/, '')}`)
    }
  }
  return taken
}
