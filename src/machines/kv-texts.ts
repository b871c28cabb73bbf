// Texts on their way to a file and back: each as its length in bytes (32 bits, big-endian) and its UTF-8.

/** A piece is handed over when the next text could not fit in. */
const PIECE_BYTES = 64 * 1024
const HEAD_BYTES = 4
/** In UTF-8, of one unit of a string. */
const MAX_BYTES_PER_UNIT = 3

/** Each piece has memory for itself. */
export function* packTexts(texts: Iterable<string>): Generator<Uint8Array, void> {
  let piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
  let used = 0
  for (const text of texts) {
    const mostBytes = HEAD_BYTES + MAX_BYTES_PER_UNIT * text.length
    if (mostBytes > piece.length - used) {
      if (used > 0) yield piece.subarray(0, used)
      piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, mostBytes))
      used = 0
    }
    const bytes = piece.write(text, used + HEAD_BYTES)
    piece.writeUInt32BE(bytes, used)
    used += HEAD_BYTES + bytes
  }
  if (used > 0) yield piece.subarray(0, used)
}

/** @throws Error when the pieces end in the middle of a text. */
export async function* unpackTexts(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  /** What has come and belongs to a text that is not whole. */
  let waiting: Uint8Array[] = []
  let bytes = 0
  let needed = HEAD_BYTES
  for await (const piece of pieces) {
    waiting.push(piece)
    bytes += piece.length
    if (bytes < needed) continue
    const whole = waiting.length === 1 ? piece : Buffer.concat(waiting)
    const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength)
    let at = 0
    needed = HEAD_BYTES
    while (whole.length - at >= needed) {
      const length = view.getUint32(at)
      needed = HEAD_BYTES + length
      if (whole.length - at < needed) break
      yield decoder.decode(whole.subarray(at + HEAD_BYTES, at + needed))
      at += needed
      needed = HEAD_BYTES
    }
    waiting = [whole.subarray(at)]
    bytes = whole.length - at
  }
  if (bytes > 0) throw new Error('it ends in the middle of a text')
}
