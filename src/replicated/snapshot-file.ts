// All instances as one file: a heading, then key and state of each, in the order in which they were made. Lengths are 32
// bits, big-endian.

const PIECE_BYTES = 64 * 1024
const HEAD_BYTES = 4

/** Each piece has memory for itself. */
export function* packFrames(frames: Iterable<Uint8Array>): Generator<Uint8Array, void> {
  let piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
  let used = 0
  for (const frame of frames) {
    const needed = HEAD_BYTES + frame.length
    if (needed > piece.length - used) {
      if (used > 0) yield piece.subarray(0, used)
      piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, needed))
      used = 0
    }
    piece.writeUInt32BE(frame.length, used)
    piece.set(frame, used + HEAD_BYTES)
    used += needed
  }
  if (used > 0) yield piece.subarray(0, used)
}

/** Each frame has memory for itself. @throws Error when the pieces end in the middle of a frame */
export async function* unpackFrames(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let rest: Uint8Array = new Uint8Array(0)
  for await (const piece of pieces) {
    const whole = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength)
    let at = 0
    while (whole.length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + view.getUint32(at)
      if (end > whole.length) break
      yield Uint8Array.prototype.slice.call(whole, at + HEAD_BYTES, end)
      at = end
    }
    rest = whole.subarray(at)
  }
  if (rest.length > 0) throw new Error('it ends in the middle of an instance')
}
