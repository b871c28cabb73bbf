// `--machine FILE`: finds the state machine that a user's module exports.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { replicateAsIs } from '../../replicated/replicate.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { StateMachine } from '../../state-machine.ts'
import { CliError, ExitCode } from '../exit.ts'

const EXPORTS = 'a default export, `stateMachine` or `createStateMachine`'

/** @throws CliError that says what the file lacks. */
export async function loadStateMachine(file: string): Promise<StateMachine> {
  const loaded = await importModule(file)
  const exported = exportOf(loaded)
  if (exported === undefined) throw refuse(file, `it has neither of ${EXPORTS}`)
  const machine = typeof exported === 'function' ? await make(file, exported) : exported
  if (isStateMachine(machine)) return machine
  const replicated = replicatedOf(file, machine)
  if (replicated !== null) return replicated
  throw refuse(file, 'what it exports has no method `apply`')
}

async function importModule(file: string): Promise<object> {
  try {
    const loaded: unknown = await import(pathToFileURL(resolve(file)).href)
    return typeof loaded === 'object' && loaded !== null ? loaded : {}
  } catch (error) {
    throw refuse(file, messageOf(error))
  }
}

function exportOf(loaded: object): unknown {
  if ('createStateMachine' in loaded) return loaded.createStateMachine
  if ('stateMachine' in loaded) return loaded.stateMachine
  return 'default' in loaded ? loaded.default : undefined
}

/** A class or a factory; the factory may be asynchronous. */
async function make(file: string, maker: CallableFunction): Promise<unknown> {
  const isClass = /^class\b/.test(Function.prototype.toString.call(maker))
  try {
    const made: unknown = await (isClass ? Reflect.construct(maker, []) : Reflect.apply(maker, undefined, []))
    return made
  } catch (error) {
    throw refuse(file, `making it failed: ${messageOf(error)}`)
  }
}

/** A machine of XState needs nothing of ours. */
function replicatedOf(file: string, machine: unknown): StateMachine | null {
  try {
    return replicateAsIs(machine)
  } catch (error) {
    throw refuse(file, messageOf(error))
  }
}

function isStateMachine(value: unknown): value is StateMachine {
  return typeof value === 'object' && value !== null && 'apply' in value && typeof value.apply === 'function'
}

function refuse(file: string, why: string): CliError {
  return new CliError(ExitCode.USAGE, `The state machine ${file} cannot be used: ${why}`)
}
