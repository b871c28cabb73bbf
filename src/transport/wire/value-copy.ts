// A copy of a user's value for the other side of a door within one process: a state machine may go on changing what it
// returned, and a caller what he was given. The same values pass as over the bus, so code that runs embedded runs
// remotely, too; only the bounds are wider.

import { givenMemory } from './slab.ts'
import {
  checkArray,
  checkBigint,
  checkBytes,
  checkDepth,
  checkItems,
  checkKey,
  checkString,
  keysOf,
  refusalOf,
  refuseOther,
  type ValueLimits,
} from './value-shape.ts'

/** Against values that unfold without end, because they hold the same part again and again. */
export const COPY_LIMITS: ValueLimits = {
  maxDepth: 64,
  maxItems: 16 * 1024 * 1024,
  maxBytes: 256 * 1024 * 1024,
}

/**
 * The same value in memory of its own. `undefined` itself passes: it is what a function without a result returns.
 *
 * @throws QuorateError INVALID or TOO_LARGE as `encodeValue` does, saying what is in the way, and where.
 */
export function copyValue(value: unknown, limits: ValueLimits = COPY_LIMITS): unknown {
  // Nothing to copy, and nothing to check; such results are many.
  if (value === undefined || value === null || typeof value === 'number' || typeof value === 'boolean')
    return value
  const copier = new Copier(limits)
  try {
    return copier.copy(value)
  } catch (error) {
    throw refusalOf(error, copier.path)
  }
}

class Copier {
  readonly path: (string | number)[] = []
  readonly #limits: ValueLimits
  #items = 0
  #bytes = 0

  constructor(limits: ValueLimits) {
    this.#limits = limits
  }

  copy(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        checkString(value)
        return value
      case 'number':
      case 'boolean':
        return value
      case 'bigint':
        checkBigint(value)
        return value
      case 'object':
        if (value === null) return null
        if (Array.isArray(value)) return this.#array(value)
        if (value instanceof Uint8Array) return this.#byteString(value)
        return this.#object(value)
      default:
        return refuseOther(value)
    }
  }

  #array(array: readonly unknown[]): readonly unknown[] {
    checkDepth(this.path.length, this.#limits)
    this.#count(array.length)
    checkArray(array)
    const copied: unknown[] = []
    for (let index = 0; index < array.length; index += 1) {
      this.path.push(index)
      copied.push(this.copy(array[index]))
      this.path.pop()
    }
    return copied
  }

  #object(object: object): object {
    checkDepth(this.path.length, this.#limits)
    const keys = keysOf(object)
    this.#count(keys.length * 2)
    const copied: Record<string, unknown> = {}
    for (const key of keys) {
      this.path.push(key)
      checkKey(object, key)
      copied[key] = this.copy(Reflect.get(object, key))
      this.path.pop()
    }
    return copied
  }

  #byteString(bytes: Uint8Array): Uint8Array {
    this.#bytes += bytes.length
    checkBytes(this.#bytes, this.#limits)
    return givenMemory.copy(bytes)
  }

  #count(items: number): void {
    this.#items += items
    checkItems(this.#items, this.#limits)
  }
}
