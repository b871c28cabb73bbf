// Whether a machine can be replicated at all: looked at once, before anything is begun, and refused in one sentence.

import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { QuorateError } from '../errors.ts'
import { messageOf } from '../runtime/errors.ts'
import { encodeValue } from '../transport/wire/codec.ts'
import { withoutUndefined } from './deterministic.ts'
import { whyNotDurable } from './durable.ts'
import { partsOf, type Words, wordsOfActions } from './machine-words.ts'

/** What nobody can know beforehand of a machine is found when it happens: the entry is then not applied, on any member. */
export function checkMachine(
  machine: AnyStateMachine,
  maxIterations: number | undefined,
  durable: readonly string[],
): number {
  const refuse = (why: string): never => {
    throw new QuorateError('INVALID', `Machine ${nameOf(machine)} cannot be replicated: ${why}.`)
  }
  if (!isMachine(machine)) return refuse('it is no machine of XState: pass what createMachine returns')
  if (typeof machine.version !== 'string' || machine.version === '')
    refuse("it has no version: add version: '1' to it, and another one whenever it changes")
  const bound = maxIterations ?? machine.options.maxIterations ?? Number.POSITIVE_INFINITY
  if (!Number.isInteger(bound) || bound < 1)
    refuse(
      'its maxIterations is not bounded, so a circle of transitions would hold up every member: pass maxIterations: 1000, or give the machine options: { maxIterations: 1000 }',
    )
  for (const node of nodesOf(machine.root)) {
    const why = whyNot(node, machine)
    if (why !== null) refuse(`state ${node.id} ${why}`)
  }
  const named = wordsOfActions(Object.values(machine.implementations.actions))
  const why = whyJobs(named, machine) ?? whyMissing(named, machine) ?? whySelf(named, machine)
  if (why !== null) refuse(`one of its named actions ${why}`)
  const lost = whyNotDurable(machine, durable, [...nodesOf(machine.root)].map(partsOf))
  if (lost !== null) refuse(lost)
  const context = whyContextIsLost(machine)
  if (context !== null) refuse(context)
  return bound
}

export function isMachine(machine: unknown): machine is AnyStateMachine {
  return typeof machine === 'object' && machine !== null && '__xstatenode' in machine && 'root' in machine
}

const nameOf = (machine: unknown): string =>
  typeof machine === 'object' && machine !== null && 'id' in machine ? String(machine.id) : String(machine)

function* nodesOf(node: AnyStateNode): Generator<AnyStateNode, void> {
  yield node
  for (const child of Object.values(node.states)) yield* nodesOf(child)
}

function whyNot(node: AnyStateNode, machine: AnyStateMachine): string | null {
  const initial: unknown = node.config.initial
  if (typeof initial === 'string' && !(initial in node.states))
    return `begins in ${initial}, which it has not`
  const words = partsOf(node)
  return whyJobs(words, machine) ?? whyMissing(words, machine) ?? whySelf(words, machine)
}

function whyJobs({ invokes, spawns }: Words, { implementations }: AnyStateMachine): string | null {
  for (const { src, id, systemId, onSnapshot } of invokes) {
    if (typeof src !== 'string')
      return 'invokes an actor that has no name: put it into setup({ actors }) and invoke it by its name'
    if (typeof id !== 'string' || id === '')
      return `invokes ${src} without an id: add id: '${src}', by which every member knows it`
    if (systemId !== undefined)
      return `invokes ${src} with a systemId, which cannot be replicated: leave it out`
    if (onSnapshot !== undefined)
      return `listens to the snapshots of ${src} (onSnapshot), which cannot be replicated: let it send events`
    if (!(src in implementations.actors)) return `invokes ${src}, which nobody implements: add it to actors`
  }
  for (const { src, id, systemId } of spawns) {
    if (typeof src !== 'string')
      return 'spawns an actor that has no name: put it into setup({ actors }) and spawn it by its name'
    if (typeof id !== 'string' && typeof id !== 'function')
      return `spawns ${src} without an id: add one, by which every member knows it`
    if (systemId !== undefined)
      return `spawns ${src} with a systemId, which cannot be replicated: leave it out`
    if (!(src in implementations.actors)) return `spawns ${src}, which nobody implements: add it to actors`
  }
  return null
}

function whyMissing(words: Words, { implementations }: AnyStateMachine): string | null {
  const kinds = [
    ['action', words.actions, implementations.actions],
    ['guard', words.guards, implementations.guards],
    ['delay', words.delays, implementations.delays],
  ] as const
  for (const [kind, names, known] of kinds)
    for (const name of names)
      if (!(name in known)) return `names the ${kind} ${name}, which nobody implements: add it to ${kind}s`
  return null
}

/** As far as the text of the functions shows it. */
function whySelf(words: Words, { implementations }: AnyStateMachine): string | null {
  const named = words.guards.map((name) => implementations.guards[name])
  const functions = [
    ...[...words.inlineGuards, ...named].map((code) => ['a guard', code] as const),
    ...words.assigns.map((code) => ['an assign', code] as const),
  ]
  for (const [what, code] of functions) {
    if (typeof code !== 'function') continue
    const found = SELF.exec(Function.prototype.toString.call(code))
    const word = found?.[1] ?? found?.[2]
    if (word !== undefined)
      return `has ${what} that uses ${word}, which is another one on each member: take what it needs from context and event`
    const isAssign = what === 'an assign'
    if (isAssign && SPAWN.test(Function.prototype.toString.call(code)))
      return 'spawns in an assign, which cannot be replicated: invoke the actor instead'
  }
  return null
}

/** Taken out of the argument, or asked of it. */
const SELF = /^[^(]*\(\s*\{[^}]*\b(self|system)\b[^}]*\}|\.\s*(self|system)\b/
const SPAWN = /^[^(]*\(\s*\{[^}]*\bspawn\b[^}]*\}|\.\s*spawn\(/

/** A context that is made from an input is looked at when there is one. */
function whyContextIsLost(machine: AnyStateMachine): string | null {
  const { context } = machine.config
  if (context === undefined || typeof context === 'function') return null
  try {
    encodeValue({ context: withoutUndefined(context) })
    return null
  } catch (error) {
    return `its context would not come back as it is. ${messageOf(error).replace(/\.$/, '')}`
  }
}
