// What a machine is, in a form that two members can compare: name, version, and a hash of everything in it but the code.

import { createHash } from 'node:crypto'
import type { AnyStateMachine } from 'xstate'
import type { Declaration } from './commands.ts'

/** Durable actions are part of it: whether one is waited for decides what the state is. */
export function definitionOf(machine: AnyStateMachine, durable: readonly string[]): Declaration {
  const drawing = drawingOf(machine)
  const definition = createHash('sha256')
    .update(durable.length === 0 ? drawing : `${drawing}${JSON.stringify([...durable].sort())}`)
    .digest('hex')
    .slice(0, 32)
  return { machine: machine.id, version: String(machine.version), definition }
}

const known = new WeakMap<AnyStateMachine, string>()

function drawingOf(machine: AnyStateMachine): string {
  const drawing = known.get(machine) ?? JSON.stringify(machine.definition)
  known.set(machine, drawing)
  return drawing
}

/** As a status names it: two of one name run the same. */
export function nameOf({ machine, version, definition }: Declaration): string {
  return `${machine} version ${version}, definition ${definition}`
}
