// The door for values that somebody else encoded: whether they would be decoded to exactly what was sent. What fails
// here must never reach the log, where every member would have to make something of it.

import { isUtf8 } from 'node:buffer'
import { checkCbor, type GateReason } from './gate.ts'
import { VALUE_LIMITS } from './value-codec.ts'

export type ValueReason = GateReason | 'TEXT_NOT_UTF8' | 'KEY_TWICE' | 'KEY_RESERVED' // `__proto__`, which no JavaScript object may take for a key

/** Below, a loop is faster than a call out of JavaScript. */
const SHORT_TEXT = 24
const RESERVED_KEY = '__proto__'

/** The reason to refuse `bytes`, or undefined when they are exactly one value that is carried. */
export function checkEncodedValue(bytes: Uint8Array): ValueReason | undefined {
  const refused = checkCbor(bytes, VALUE_LIMITS)
  if (refused !== undefined) return refused
  const scan = new TextScan(bytes)
  scan.value()
  return scan.problem
}

/** Walks bytes that are known to be well formed, and looks at their text alone. */
class TextScan {
  problem: ValueReason | undefined
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  value(): void {
    const head = this.#bytes[this.#at] ?? 0
    const argument = this.#argument(head & 0x1f)
    switch (head >> 5) {
      case 2:
        this.#at += argument
        return
      case 3:
        return this.#text(argument)
      case 4:
        for (let i = 0; i < argument; i += 1) this.value()
        return
      case 5:
        return this.#map(argument)
    }
  }

  #map(length: number): void {
    const keys = new Set<string>()
    for (let i = 0; i < length; i += 1) {
      const size = this.#argument((this.#bytes[this.#at] ?? 0) & 0x1f)
      const start = this.#at
      this.#text(size)
      const key = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, size).toString('latin1')
      if (key === RESERVED_KEY) this.problem ??= 'KEY_RESERVED'
      if (keys.has(key)) this.problem ??= 'KEY_TWICE'
      keys.add(key)
      this.value()
    }
  }

  #text(length: number): void {
    const start = this.#at
    const end = start + length
    this.#at = end
    if (length <= SHORT_TEXT) {
      let at = start
      while (at < end && (this.#bytes[at] ?? 0) < 0x80) at += 1
      if (at === end) return
    }
    if (!isUtf8(this.#bytes.subarray(start, end))) this.problem ??= 'TEXT_NOT_UTF8'
  }

  /** Reads a head; the position is behind it then. */
  #argument(info: number): number {
    this.#at += 1
    if (info < 24) return info
    let value = 0
    for (const end = this.#at + (1 << (info - 24)); this.#at < end; this.#at += 1) {
      value = value * 256 + (this.#bytes[this.#at] ?? 0)
    }
    return value
  }
}
