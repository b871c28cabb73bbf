// A state machine's bad manners: it writes on everything it was given and has given away, at once and for as long as it
// lives. Nothing of the node may change by that.

import { isRecord } from './values.ts'

/** References kept; older ones are let go. */
const KEPT = 32
const MAX_DEPTH = 8

export class Scribbler {
  readonly #kept: unknown[] = []

  /** The machine was given it and is done with it: it writes on it now, and on everything it has kept. */
  scribbleOn(...values: readonly unknown[]): void {
    for (const value of values) this.keep(value)
    for (const value of this.#kept) scribble(value, MAX_DEPTH)
  }

  /** The machine gives it away, and will write on it later. */
  keep(value: unknown): void {
    this.#kept.push(value)
    if (this.#kept.length > KEPT) this.#kept.shift()
  }
}

function scribble(value: unknown, depth: number): void {
  if (value instanceof Uint8Array) value.fill(0x2a)
  else if (Array.isArray(value)) scribbleOnList(value, depth)
  else if (isRecord(value) && depth > 0) scribbleOnRecord(value, depth)
}

function scribbleOnList(list: unknown[], depth: number): void {
  if (depth > 0) for (const item of list) scribble(item, depth - 1)
  attempt(() => list.reverse())
  if (list.length > 0) attempt(() => list.fill('scribbled', 0, 1))
}

function scribbleOnRecord(record: Record<string, unknown>, depth: number): void {
  for (const [key, item] of Object.entries(record)) {
    scribble(item, depth - 1)
    // What is behind a reference has been written on; what is a value itself is replaced.
    if (typeof item !== 'object')
      attempt(() => Reflect.set(record, key, typeof item === 'number' ? -1 : 'scribbled'))
  }
}

/** What is frozen refuses, and is safe. */
function attempt(write: () => void): void {
  try {
    write()
  } catch {
    // As it should be.
  }
}
