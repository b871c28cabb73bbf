// Writes a user's value as CBOR in one pass, with every check on its way: cbor-x takes dates, maps and classes for
// something else, and cannot write -0.

import { byteStringHeadSize, writeByteStringHead } from './byte-string.ts'
import { logMemory } from './slab.ts'
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

const START_BYTES = 16 * 1024
/** A larger scratch is let go, so that one large value does not cost its memory for ever. */
const LARGEST_KEPT = 1024 * 1024
/** Below, a loop is faster than a call out of JavaScript. */
const SHORT_TEXT = 24

const TEXT = 0x60
const ARRAY = 0x80
const MAP = 0xa0
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
const FLOAT64 = 0xfb

export class ValueWriter {
  #bytes: Buffer = Buffer.alloc(START_BYTES)
  #view = viewOf(this.#bytes)
  #at = 0
  #items = 0
  #limits: ValueLimits
  readonly #checksArrays: boolean
  readonly #path: (string | number)[] = []
  #depth = 0

  /** @param arrays `ours`: made by this library, not by a user who may have left holes in them */
  constructor(limits: ValueLimits, arrays: 'ours' | 'anybodys' = 'anybodys') {
    this.#limits = limits
    this.#checksArrays = arrays === 'anybodys'
  }

  /** The encoded value, in memory of the log's. @throws QuorateError INVALID or TOO_LARGE, saying what and where. */
  encode(value: unknown, limits: ValueLimits): Uint8Array {
    this.#at = 0
    this.#items = 0
    this.#depth = 0
    this.#limits = limits
    try {
      this.#value(value)
      checkBytes(this.#at, limits)
      return logMemory.copy(this.#bytes.subarray(0, this.#at))
    } catch (error) {
      throw refusalOf(error, this.#path.slice(0, this.#depth))
    } finally {
      if (this.#bytes.length > LARGEST_KEPT) this.#useScratch(Buffer.alloc(START_BYTES))
    }
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.#string(value)
      case 'number':
        return this.#number(value)
      case 'boolean':
        return this.#byte(value ? TRUE : FALSE)
      case 'bigint':
        return this.#bigint(value)
      case 'object':
        if (value === null) return this.#byte(NULL)
        if (Array.isArray(value)) return this.#array(value)
        if (value instanceof Uint8Array) return this.#byteString(value)
        return this.#object(value)
      default:
        refuseOther(value)
    }
  }

  #array(array: readonly unknown[]): void {
    const { length } = array
    const at = this.#depth
    checkDepth(at, this.#limits)
    this.#count(length)
    if (this.#checksArrays) checkArray(array)
    this.#head(ARRAY, length)
    this.#depth = at + 1
    for (let index = 0; index < length; index += 1) {
      this.#path[at] = index
      this.#value(array[index])
    }
    this.#depth = at
  }

  #object(object: object): void {
    const at = this.#depth
    checkDepth(at, this.#limits)
    const keys = keysOf(object)
    this.#count(keys.length * 2)
    this.#head(MAP, keys.length)
    this.#depth = at + 1
    for (const key of keys) {
      this.#path[at] = key
      checkKey(object, key)
      this.#string(key)
      this.#value(Reflect.get(object, key))
    }
    this.#depth = at
  }

  #count(items: number): void {
    this.#items += items
    checkItems(this.#items, this.#limits)
  }

  #string(text: string): void {
    checkString(text)
    const { length } = text
    this.#reserve(5 + length * 3)
    const start = this.#at
    if (length <= SHORT_TEXT && this.#shortAscii(text)) return
    // The head is written for what most texts are, and moved when the bytes turn out to be more.
    const guessed = byteStringHeadSize(length)
    const written = this.#bytes.write(text, start + guessed)
    const actual = byteStringHeadSize(written)
    if (actual !== guessed) this.#bytes.copyWithin(start + actual, start + guessed, start + guessed + written)
    this.#at = start
    this.#head(TEXT, written)
    this.#at += written
    checkBytes(this.#at, this.#limits)
  }

  #shortAscii(text: string): boolean {
    const bytes = this.#bytes
    const { length } = text
    let at = this.#at
    if (length < 24) bytes[at++] = TEXT | length
    else {
      bytes[at++] = TEXT | 24
      bytes[at++] = length
    }
    for (let i = 0; i < length; i += 1) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) return false
      bytes[at++] = unit
    }
    this.#at = at
    return true
  }

  #byteString(value: Uint8Array): void {
    const { length } = value
    this.#reserve(5 + length)
    this.#at = writeByteStringHead(this.#bytes, this.#at, length)
    this.#bytes.set(value, this.#at)
    this.#at += length
    checkBytes(this.#at, this.#limits)
  }

  /** Whole numbers of up to 32 bits as such, all others (and -0) as a float, which holds each number exactly. */
  #number(value: number): void {
    if (value >>> 0 === value && !Object.is(value, -0)) return this.#head(0, value)
    if (value >> 0 === value && value < 0) return this.#head(0x20, -1 - value)
    this.#reserve(9)
    this.#bytes[this.#at] = FLOAT64
    this.#view.setFloat64(this.#at + 1, value)
    this.#at += 9
  }

  /** Always of eight bytes: that is how a bigint is told from a number when it is read. */
  #bigint(value: bigint): void {
    checkBigint(value)
    this.#reserve(9)
    this.#bytes[this.#at] = value < 0n ? 0x3b : 0x1b
    this.#view.setBigUint64(this.#at + 1, value < 0n ? -1n - value : value)
    this.#at += 9
  }

  /** Major type and argument. */
  #head(type: number, argument: number): void {
    this.#reserve(5)
    const bytes = this.#bytes
    let at = this.#at
    if (argument < 24) bytes[at++] = type | argument
    else if (argument < 0x100) {
      bytes[at++] = type | 24
      bytes[at++] = argument
    } else if (argument < 0x10000) {
      bytes[at++] = type | 25
      bytes[at++] = argument >> 8
      bytes[at++] = argument & 0xff
    } else {
      bytes[at++] = type | 26
      this.#view.setUint32(at, argument)
      at += 4
    }
    this.#at = at
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = byte
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#bytes.length) return
    // Text may need a third of what is set aside for it, and a value somewhat beyond its bound must be noticed.
    checkBytes(this.#at, this.#limits)
    checkBytes(bytes / 3, this.#limits)
    const larger = Buffer.alloc(Math.max(needed, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#useScratch(larger)
  }

  #useScratch(bytes: Buffer): void {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
