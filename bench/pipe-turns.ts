// How the bare pipe counts: commands that leave together, and answers by the number of the last one.

export type Apply = (command: Uint8Array) => Promise<void>

/** A message that the bus takes by default has 1 MiB. */
const MOST_BYTES = 700_000
const ENTRY_BYTES = 16

/** Entries are counted through on their way: `done` of all up to a number can be called at once. */
export class Waiting {
  #done: (() => void)[] = []
  #settled = 0

  add(done: () => void): void {
    this.#done.push(done)
  }

  settle(upTo: number): void {
    if (upTo <= this.#settled) return
    const ready = this.#done.splice(0, upTo - this.#settled)
    this.#settled = upTo
    for (const done of ready) done()
  }
}

/** What is applied in one turn of the loop leaves together. */
export function inTurns(send: (commands: readonly Uint8Array[]) => void, waiting: Waiting): Apply {
  let queue: Uint8Array[] = []
  return (command) =>
    new Promise((done) => {
      waiting.add(done)
      if (queue.push(command) > 1) return
      setImmediate(() => {
        const commands = queue
        queue = []
        for (const part of partsOf(commands)) send(part)
      })
    })
}

function partsOf(commands: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const parts: Uint8Array[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const command of commands) {
    const size = command.length + ENTRY_BYTES
    if (bytes + size > MOST_BYTES) {
      parts.push([])
      bytes = 0
    }
    bytes += size
    parts.at(-1)?.push(command)
  }
  return parts
}
