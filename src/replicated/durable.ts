// Actions that have to be performed, whatever becomes of the leader: what marks them, what is kept of them, and how often
// they are tried. All of it is the same on every member, for it decides what the state is.

import { type AnyActorLogic, type AnyStateMachine, type EventObject, fromPromise } from 'xstate'
import { withoutUndefined } from './deterministic.ts'
import type { Words } from './machine-words.ts'
import type { Tries } from './shapes.ts'

/** Of one instance, which is kept as a whole whenever it changes. */
export const MAX_PENDING_ACTIONS = 100
export const MAX_TRIES = 10
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 60_000

/** By name. */
export type DurableCode = Readonly<Record<string, unknown>>

export function durableCode({ implementations }: AnyStateMachine, names: readonly string[]): DurableCode {
  return Object.fromEntries(names.map((name) => [name, implementations.actions[name]]))
}

/** As jobs run, so that all that is said of those holds here, too: their names, their bounds, their end. */
export function durableLogic(
  machine: AnyStateMachine,
  names: readonly string[],
): ReadonlyMap<string, AnyActorLogic> {
  const code = durableCode(machine, names)
  return new Map(names.map((name) => [name, logicOf(code[name])]))
}

function logicOf(code: unknown): AnyActorLogic {
  return fromPromise<unknown, ActionInput>(async ({ input, self }) => {
    if (typeof code !== 'function') return undefined
    return Reflect.apply(code, undefined, [new Told(self.id, input.event), input.params])
  })
}

/** In the place of what XState calls actions with. */
class Told {
  readonly self: { readonly id: string }
  readonly event: unknown

  constructor(id: string, event: unknown) {
    this.self = { id }
    this.event = event
  }

  get context(): never {
    throw new Error(
      'A durable action has no context, which goes on meanwhile: give it what it needs as params.',
    )
  }

  get system(): never {
    throw new Error('A durable action has no system: give it what it needs as params.')
  }
}

/** What an action is called with, as far as bytes can hold it. */
interface ActionInput {
  readonly event: unknown
  readonly params?: unknown
}

export function inputOf(event: EventObject, params: unknown): ActionInput {
  const kept = withoutUndefined(params)
  return { event: withoutUndefined(event), ...(kept !== undefined && { params: kept }) }
}

/** Null: it has failed often enough. */
export function afterFailure({ failures }: Tries, timeMs: number): Tries | null {
  if (failures + 1 >= MAX_TRIES) return null
  return {
    failures: failures + 1,
    dueAtMs: timeMs + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures),
  }
}

/** Null: they can be what they are marked as. */
export function whyNotDurable(
  machine: AnyStateMachine,
  names: readonly string[],
  words: Iterable<Words>,
): string | null {
  const { actions } = machine.implementations
  for (const name of names) {
    const code: unknown = Object.hasOwn(actions, name) ? actions[name] : undefined
    if (code === undefined)
      return `${name} is to be durable, but nobody implements it: add it to setup({ actions })`
    if (typeof code !== 'function' || 'type' in code)
      return `action ${name} is to be durable, but is carried out on every member: take it out of durable`
    if (CONTEXT.test(Function.prototype.toString.call(code)))
      return `durable action ${name} uses context, which is another one by the time it runs: give it what it needs as params`
  }
  for (const { inlineActions } of words)
    for (const name of inlineActions)
      if (names.includes(name))
        return `${name} is to be durable, but the machine has it as a function: name it by its text, '${name}'`
  return null
}

/** Taken out of the argument: the rest is found when it runs. */
const CONTEXT = /^[^(]*\(\s*\{[^}]*\bcontext\b[^}]*\}/
