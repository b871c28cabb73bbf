// A file that is written line by line while a simulation has the thread to itself: streams would keep all of it in memory
// until the run is over.

import { closeSync, openSync, writeSync } from 'node:fs'

const BUFFER_CHARACTERS = 1024 * 1024

export class LineFile {
  readonly path: string
  readonly #descriptor: number
  #waiting = ''
  #failure: string | null = null

  /** @throws Error with a sentence for people when it can't be written to. */
  constructor(path: string) {
    this.path = path
    try {
      this.#descriptor = openSync(path, 'w')
    } catch (error) {
      throw new Error(`${path} cannot be written: ${messageOf(error)}`, { cause: error })
    }
  }

  /** Why what was written is not all there, as a sentence; null: it is. */
  get failure(): string | null {
    return this.#failure
  }

  /** Never throws: what goes wrong with the file is none of the simulated group's doing. */
  write(line: string): void {
    if (this.#failure !== null) return
    this.#waiting += line
    if (this.#waiting.length >= BUFFER_CHARACTERS) this.#flush()
  }

  close(): void {
    this.#flush()
    closeSync(this.#descriptor)
  }

  #flush(): void {
    let rest = Buffer.from(this.#waiting)
    this.#waiting = ''
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(this.#descriptor, rest))
    } catch (error) {
      this.#failure = `${this.path} is not whole: ${messageOf(error)}`
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
