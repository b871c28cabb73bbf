// Two state machines with snapshots: a small one, and one whose state is written while commands go on.

import type { SnapshotReader, SnapshotWriter, StateMachine } from 'quorate'

/** Small: the whole state is one value. */
export class Counter implements StateMachine<{ add: number }, number, null, number> {
  #total = 0

  apply({ add }: { add: number }): number {
    this.#total += add
    return this.#total
  }

  read(): number {
    return this.#total
  }

  snapshot(): unknown {
    return { total: this.#total }
  }

  restore(value: unknown): void {
    if (typeof value !== 'object' || value === null || !('total' in value)) throw new Error('no total')
    this.#total = Number(value.total)
  }
}

/** Large: what is captured is a copy of references; the lines are encoded and written later. */
export class Journal implements StateMachine<string, number, number, string | null> {
  #lines: string[] = []

  apply(line: string): number {
    return this.#lines.push(line)
  }

  read(at: number): string | null {
    return this.#lines[at] ?? null
  }

  onSnapshotSave(writer: SnapshotWriter, signal: AbortSignal): () => Promise<void> {
    const captured = [...this.#lines]
    return () => writer.addFile('lines', encode(captured, signal), { count: captured.length })
  }

  async onSnapshotLoad(reader: SnapshotReader): Promise<void> {
    const decoder = new TextDecoder()
    const lines: string[] = []
    let rest = ''
    for await (const piece of reader.open('lines')) {
      const parts = (rest + decoder.decode(piece, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) lines.push(String(JSON.parse(part)))
    }
    this.#lines = lines
  }
}

function* encode(lines: readonly string[], signal: AbortSignal): Generator<Uint8Array, void> {
  const encoder = new TextEncoder()
  for (const line of lines) {
    signal.throwIfAborted()
    yield encoder.encode(`${JSON.stringify(line)}\n`)
  }
}
