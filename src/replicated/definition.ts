// What a machine is, in a form that two members can compare: name, version, and a hash of everything in it but the code.

import { createHash } from 'node:crypto'
import type { AnyStateMachine } from 'xstate'
import type { Declaration } from './commands.ts'

const known = new WeakMap<AnyStateMachine, Declaration>()

export function definitionOf(machine: AnyStateMachine): Declaration {
  const before = known.get(machine)
  if (before !== undefined) return before
  const definition = createHash('sha256')
    .update(JSON.stringify(machine.definition))
    .digest('hex')
    .slice(0, 32)
  const declaration = { machine: machine.id, version: String(machine.version), definition }
  known.set(machine, declaration)
  return declaration
}

/** As a status names it: two of one name run the same. */
export function nameOf({ machine, version, definition }: Declaration): string {
  return `${machine} version ${version}, definition ${definition}`
}
