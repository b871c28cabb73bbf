// Keys in order, for pages of them: sorted arrays of bounded length, one behind the other, so that neither a new key nor a
// question costs a look at all of them.

const MAX_CHUNK = 512

export class OrderedKeys {
  readonly #chunks: string[][] = []

  /** Sorts them all: once, when somebody asks for the order for the first time. */
  constructor(keys: Iterable<string>) {
    const sorted = [...keys].sort()
    for (let at = 0; at < sorted.length; at += MAX_CHUNK / 2)
      this.#chunks.push(sorted.slice(at, at + MAX_CHUNK / 2))
  }

  add(key: string): void {
    const where = Math.max(0, this.#chunkOf(key))
    const chunk = this.#chunks[where]
    if (chunk === undefined) {
      this.#chunks.push([key])
      return
    }
    const at = firstFrom(chunk, key)
    if (chunk[at] === key) return
    chunk.splice(at, 0, key)
    if (chunk.length > MAX_CHUNK) this.#chunks.splice(where + 1, 0, chunk.splice(MAX_CHUNK / 2))
  }

  delete(key: string): void {
    const where = this.#chunkOf(key)
    const chunk = this.#chunks[where]
    if (chunk === undefined) return
    const at = firstFrom(chunk, key)
    if (chunk[at] !== key) return
    chunk.splice(at, 1)
    if (chunk.length === 0) this.#chunks.splice(where, 1)
  }

  /** Those that are not before `start`, in order. */
  *from(start: string): Generator<string, void> {
    for (let where = Math.max(0, this.#chunkOf(start)); where < this.#chunks.length; where += 1) {
      const chunk = this.#chunks[where] ?? []
      for (let at = firstFrom(chunk, start); at < chunk.length; at += 1) yield chunk[at] ?? ''
    }
  }

  /** The last chunk that begins with `key` or before; -1: none does. */
  #chunkOf(key: string): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const first = this.#chunks[middle]?.[0]
      if (first !== undefined && first <= key) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

/** The first place whose key is not before `key`. */
function firstFrom(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    const there = keys[middle]
    if (there !== undefined && there < key) low = middle + 1
    else high = middle
  }
  return low
}
