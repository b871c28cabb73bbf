// The structural gate: decides in one pass, without building anything, whether bytes may be given to the CBOR
// decoder at all. Legal CBOR can freeze the decoder for minutes (a big-number tag) or make it build live objects
// (tags for regular expressions, errors, dates); what passes here is one well-formed value of plain data.

/** Why bytes were refused. */
export type GateReason =
  | 'EMPTY'
  | 'TRUNCATED' // a head or a declared length reaches beyond the end
  | 'TRAILING_BYTES' // something follows the value
  | 'TAG'
  | 'INDEFINITE_LENGTH' // or a lone break
  | 'RESERVED' // additional information 28 to 30
  | 'SIMPLE_VALUE' // anything but false, true, null and floats
  | 'KEY_NOT_TEXT'
  | 'TOO_DEEP'
  | 'TOO_MANY_ITEMS'

export interface GateLimits {
  /** Containers inside each other; a plain number has depth 0. At most 64. */
  readonly maxDepth: number
  /** Values in all containers together, keys of maps included. */
  readonly maxItems: number
}

export const MAX_GATE_DEPTH = 64

// The gate is synchronous and calls nothing, so one stack serves all callers.
const left = new Float64Array(MAX_GATE_DEPTH + 1) // values still to come, per open container
const inMap = new Uint8Array(MAX_GATE_DEPTH + 1)

/** The reason to refuse `bytes`, or undefined when they are exactly one acceptable value. */
export function checkCbor(bytes: Uint8Array, limits: GateLimits): GateReason | undefined {
  const end = bytes.length
  if (end === 0) return 'EMPTY'
  const maxDepth = Math.min(limits.maxDepth, MAX_GATE_DEPTH)
  let items = 0
  let depth = 0
  let at = 0
  left[0] = 1
  inMap[0] = 0
  for (;;) {
    const remaining = left[depth] ?? 0
    if (remaining === 0) {
      if (depth === 0) return at === end ? undefined : 'TRAILING_BYTES'
      depth -= 1
      continue
    }
    if (at >= end) return 'TRUNCATED'
    const head = bytes[at] ?? 0
    at += 1
    const major = head >> 5
    const info = head & 0x1f
    // A key is due whenever an even number of values is outstanding.
    if (inMap[depth] === 1 && remaining % 2 === 0 && major !== 3) return 'KEY_NOT_TEXT'
    left[depth] = remaining - 1

    let argument = info
    if (info > 23) {
      if (info === 31) return 'INDEFINITE_LENGTH'
      if (info > 27) return 'RESERVED'
      const width = 1 << (info - 24)
      if (width > end - at) return 'TRUNCATED'
      if (major > 1 && major < 6) argument = readArgument(bytes, at, width)
      at += width
    }
    if (major < 2) continue
    if (major < 4) {
      if (argument > end - at) return 'TRUNCATED'
      at += argument
      continue
    }
    if (major === 6) return 'TAG'
    if (major === 7) {
      if (info < 20 || (info > 22 && info < 25)) return 'SIMPLE_VALUE'
      continue
    }
    const values = major === 5 ? argument * 2 : argument
    // Every value takes at least one byte, so a larger count cannot be honest.
    if (values > end - at) return 'TRUNCATED'
    items += values
    if (items > limits.maxItems) return 'TOO_MANY_ITEMS'
    if (depth === maxDepth) return 'TOO_DEEP'
    depth += 1
    left[depth] = values
    inMap[depth] = major === 5 ? 1 : 0
  }
}

function readArgument(bytes: Uint8Array, at: number, width: number): number {
  let value = 0
  // Eight bytes may lose precision here; such a length is beyond every buffer either way.
  for (let i = 0; i < width; i += 1) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}
