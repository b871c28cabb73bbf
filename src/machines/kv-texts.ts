// Texts on their way to a file and back: each as its length in bytes (32 bits, big-endian) and its UTF-8.

/** A piece is handed over once it is this large. */
const PIECE_BYTES = 64 * 1024
const HEAD_BYTES = 4

export function* packTexts(texts: readonly string[]): Generator<Uint8Array, void> {
  const encoder = new TextEncoder()
  let parts: Uint8Array[] = []
  let bytes = 0
  for (const text of texts) {
    const encoded = encoder.encode(text)
    const head = new Uint8Array(HEAD_BYTES)
    new DataView(head.buffer).setUint32(0, encoded.length)
    parts.push(head, encoded)
    bytes += HEAD_BYTES + encoded.length
    if (bytes < PIECE_BYTES) continue
    yield Buffer.concat(parts)
    parts = []
    bytes = 0
  }
  if (parts.length > 0) yield Buffer.concat(parts)
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
