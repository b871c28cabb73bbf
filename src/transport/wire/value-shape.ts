// What a user's value may be made of: only what comes out of the codec exactly as it went in. Everything else is
// refused here, in words for the one who handed it in.

import { QuorateError } from '../../errors.ts'
import { messageOf } from '../../runtime/errors.ts'

/** Bounds of one value. */
export interface ValueLimits {
  /** Containers inside each other; a plain number has depth 0. At most 64. */
  readonly maxDepth: number
  /** Values in all containers together, keys of objects included. */
  readonly maxItems: number
  /** Of the encoded value; for a copy, of its byte strings together. */
  readonly maxBytes: number
}

/** Where in a value something stands: keys and indexes from the outside in. */
export type ValuePath = readonly (string | number)[]

/** A value that is not carried, and why: made into a QuorateError at the door. */
export class NotCarried extends Error {
  readonly code: 'INVALID' | 'TOO_LARGE'
  constructor(code: 'INVALID' | 'TOO_LARGE', reason: string) {
    super(reason)
    this.code = code
  }
}

const MIN_BIGINT = -(2n ** 64n)
const MAX_BIGINT = 2n ** 64n - 1n

export function checkString(text: string): void {
  if (!text.isWellFormed()) throw new NotCarried('INVALID', 'is text with half a surrogate pair in it')
}

export function checkBigint(value: bigint): void {
  if (value < MIN_BIGINT || value > MAX_BIGINT) throw new NotCarried('INVALID', 'is a bigint beyond 64 bits')
}

/** Neither holes, nor properties beside the elements, nor a class of its own: none of them would arrive. */
export function checkArray(array: readonly unknown[]): void {
  const prototype: unknown = Object.getPrototypeOf(array)
  if (prototype !== Array.prototype && !isFarAs(prototype, 2)) {
    throw new NotCarried('INVALID', `is ${anObjectOf(array)}; send a plain array`)
  }
  if (Object.keys(array).length !== array.length) {
    throw new NotCarried('INVALID', 'is an array with holes, or with properties beside its elements')
  }
}

/** The keys of a plain object: own, enumerable, text, all there is. */
export function keysOf(object: object): readonly string[] {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null && !isFarAs(prototype, 1)) {
    throw new NotCarried(
      'INVALID',
      `is ${anObjectOf(object)}; send a plain object, an array, a string or a number`,
    )
  }
  const keys = Object.keys(object)
  if (
    keys.length !== Object.getOwnPropertyNames(object).length ||
    Object.getOwnPropertySymbols(object).length > 0
  ) {
    throw new NotCarried('INVALID', 'is an object with symbols or hidden properties')
  }
  return keys
}

export function checkKey(object: object, key: string): void {
  if (key === '__proto__') throw new NotCarried('INVALID', 'is a key that would reach a prototype')
  checkString(key)
  const descriptor = Object.getOwnPropertyDescriptor(object, key)
  if (descriptor !== undefined && descriptor.get === undefined && descriptor.set === undefined) return
  throw new NotCarried('INVALID', 'is computed by a getter; send what it returns')
}

/** For what has no form in CBOR, or none that would come back as it is. */
export function refuseOther(value: unknown): never {
  if (value === undefined) throw new NotCarried('INVALID', 'is undefined; leave it out, or send null')
  throw new NotCarried('INVALID', `is a ${typeof value}`)
}

export function checkItems(items: number, { maxItems }: ValueLimits): void {
  if (items > maxItems) throw new NotCarried('INVALID', `has more than ${maxItems} values in it`)
}

export function checkDepth(depth: number, { maxDepth }: ValueLimits): void {
  if (depth < maxDepth) return
  throw new NotCarried('INVALID', `lies more than ${maxDepth} levels deep, or holds itself`)
}

export function checkBytes(bytes: number, { maxBytes }: ValueLimits): void {
  if (bytes > maxBytes) throw new NotCarried('TOO_LARGE', `makes it more than ${maxBytes} bytes`)
}

/** The error of a door, from whatever was thrown behind it: `path` says where in the value. */
export function refusalOf(thrown: unknown, path: ValuePath): QuorateError {
  const where = path.length === 0 ? 'it' : `what stands at ${inWords(path)}`
  if (thrown instanceof NotCarried) {
    return new QuorateError(thrown.code, `The value cannot be carried: ${where} ${thrown.message}.`)
  }
  const text = `The value cannot be carried: ${where} threw when it was looked at (${messageOf(thrown)}).`
  return new QuorateError('INVALID', text, { cause: thrown })
}

function inWords(path: ValuePath): string {
  return path
    .slice(0, 8)
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step.slice(0, 40).toWellFormed()}`))
    .join('')
}

/** `depth` prototypes up there is nothing: the plain thing of another realm, and no class of anybody's. */
function isFarAs(prototype: unknown, depth: number): boolean {
  let current = prototype
  for (let at = 0; at < depth; at += 1) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, 'constructor'))
      return false
    current = Object.getPrototypeOf(current)
  }
  return current === null
}

function anObjectOf(value: object): string {
  const maker: unknown = Reflect.get(value, 'constructor')
  const name = typeof maker === 'function' ? String(maker.name).slice(0, 40).toWellFormed() : ''
  return name === '' ? 'an object of a class' : `an object of class ${name}`
}
