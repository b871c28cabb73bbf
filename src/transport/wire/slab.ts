// Small byte arrays cut from larger ones: an allocation of its own for every command costs more than the command.

const SLAB_BYTES = 64 * 1024
/** Larger ones get memory of their own, so that little is wasted at the end of a slab. */
const LARGEST_FROM_SLAB = 4 * 1024

let slab = new Uint8Array(SLAB_BYTES)
let used = 0

/**
 * Zeroed memory that is handed out once. Arrays that are made together lie in one slab and keep it alive together,
 * which suits commands: they enter and leave the log in order.
 */
export function allocate(length: number): Uint8Array {
  if (length > LARGEST_FROM_SLAB) return new Uint8Array(length)
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES)
    used = 0
  }
  const bytes = slab.subarray(used, used + length)
  used += length
  return bytes
}
