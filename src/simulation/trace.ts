// What happened, line by line: the end of it for people, a running hash of all of it for proving that two runs were
// the same (INV-25), and every record for whoever wants to write them down.

export type TraceValue = string | number | boolean | null
export type TraceDetails = Readonly<Record<string, TraceValue>>

export interface TraceRecord {
  readonly atMs: number
  readonly node: string
  readonly what: string
  readonly details: TraceDetails
}

export interface TraceOptions {
  /** True time of the simulated world. */
  readonly nowMs: () => number
  /** Lines kept for `lines`. Default 2,000. */
  readonly maxLines?: number
  /** Gets every record as one line of NDJSON, with its line break. */
  readonly writeNdjson?: (line: string) => void
}

const NONE: TraceDetails = {}

export class Trace {
  readonly #options: TraceOptions
  readonly #maxLines: number
  /** A ring: `#next` is where the oldest line is once it is full. */
  readonly #lines: string[] = []
  #next = 0
  #count = 0
  #hashA = 0x811c9dc5
  #hashB = 0x9747b28c

  constructor(options: TraceOptions) {
    this.#options = options
    this.#maxLines = options.maxLines ?? 2000
  }

  record(node: string, what: string, details: TraceDetails = NONE): void {
    const atMs = this.#options.nowMs()
    const line = formatTraceLine({ atMs, node, what, details })
    this.#hash(line)
    this.#count++
    if (this.#lines.length < this.#maxLines) this.#lines.push(line)
    else {
      this.#lines[this.#next] = line
      this.#next = (this.#next + 1) % this.#maxLines
    }
    const { writeNdjson } = this.#options
    if (writeNdjson !== undefined) writeNdjson(`${JSON.stringify({ t: atMs, node, what, ...details })}\n`)
  }

  /** The last lines, oldest first. */
  lines(count = this.#maxLines): string[] {
    const ordered = [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)]
    return ordered.slice(Math.max(0, ordered.length - count))
  }

  /** Lines ever recorded. */
  get count(): number {
    return this.#count
  }

  /** 16 hexadecimal digits over every line so far: equal for equal runs. */
  get hash(): string {
    return hex(this.#hashA) + hex(this.#hashB)
  }

  #hash(line: string): void {
    let a = this.#hashA
    let b = this.#hashB
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i)
      a = Math.imul(a ^ code, 0x01000193)
      b = Math.imul(b ^ code, 0x5bd1e995)
    }
    // Line breaks count, and the high bits get to the low ones.
    this.#hashA = Math.imul(a ^ (a >>> 15), 0x01000193) >>> 0
    this.#hashB = Math.imul(b ^ (b >>> 13), 0x5bd1e995) >>> 0
  }
}

/** `   1234.567 A        role         from=follower to=candidate term=3` */
export function formatTraceLine({ atMs, node, what, details }: TraceRecord): string {
  let line = `${atMs.toFixed(3).padStart(12)} ${node.padEnd(8)} ${what.padEnd(12)}`
  for (const key in details) line += ` ${key}=${formatValue(details[key])}`
  return line.trimEnd()
}

function formatValue(value: TraceValue | undefined): string {
  if (value === null || value === undefined) return '-'
  if (typeof value !== 'string') return String(value)
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')
