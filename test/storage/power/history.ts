// What a disk may hold at a moment, going by the notes of the load: everything acknowledged, perhaps more of what was
// asked for, in the order in which it was, and nothing else.

import { z } from 'zod'

const rowSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])
const hardStateSchema = z.object({ term: z.number(), votedFor: z.string().nullable() })
const groupSchema = z.object({
  hardState: hardStateSchema.nullable(),
  firstIndex: z.number(),
  termBeforeFirst: z.number(),
  /** Term, type, bytes and CRC-32 of each entry. */
  entries: z.array(rowSchema),
})
const operationSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('append'), rows: z.array(rowSchema) }),
  z.object({ kind: z.literal('hardState'), state: hardStateSchema }),
  z.object({ kind: z.literal('suffix'), lastKept: z.number() }),
  z.object({ kind: z.literal('prefix'), first: z.number(), termBefore: z.number() }),
  z.object({ kind: z.literal('reset'), first: z.number(), termBefore: z.number() }),
])
const noteSchema = z.union([
  z.object({ found: z.record(z.string(), groupSchema) }),
  z.object({ asked: z.number(), group: z.string(), op: operationSchema }),
  z.object({ acknowledged: z.number() }),
])

export type GroupContent = z.output<typeof groupSchema>
/** By group. */
export type Content = Readonly<Record<string, GroupContent>>
type Operation = z.output<typeof operationSchema>
interface Asked {
  readonly group: string
  readonly op: Operation
}

const EMPTY: GroupContent = { hardState: null, firstIndex: 1, termBeforeFirst: 0, entries: [] }

function carriedOut(content: GroupContent, op: Operation): GroupContent {
  const { firstIndex, entries } = content
  switch (op.kind) {
    case 'append':
      return { ...content, entries: [...entries, ...op.rows] }
    case 'hardState':
      return { ...content, hardState: op.state }
    case 'suffix':
      return { ...content, entries: entries.slice(0, Math.max(0, op.lastKept - firstIndex + 1)) }
    case 'prefix':
      return {
        ...content,
        firstIndex: op.first,
        termBeforeFirst: op.termBefore,
        entries: entries.slice(op.first - firstIndex),
      }
    case 'reset':
      return { ...content, firstIndex: op.first, termBeforeFirst: op.termBefore, entries: [] }
  }
}

function textOf(content: Content, groups: readonly string[]): string {
  return JSON.stringify(groups.map((group) => content[group] ?? EMPTY))
}

export class History {
  readonly #groups: readonly string[]
  /** All that was acknowledged, or found and built upon. */
  #promised: Content = {}
  /** Asked for since, in order. */
  #open: Asked[] = []
  acknowledged = 0

  constructor(groups: readonly string[]) {
    this.#groups = groups
  }

  /** One line of the load's notes. */
  take(line: string): void {
    const note = noteSchema.parse(JSON.parse(line))
    if ('asked' in note) this.#open.push(note)
    else if ('acknowledged' in note) {
      this.acknowledged++
      const first = this.#open.shift()
      if (first !== undefined) this.#promised = this.#with(this.#promised, first)
    } else {
      // Another life: what it found is what it builds upon, and it has to be one of the things that may be there.
      if (this.contradiction(note.found) !== null) throw new Error('A process found what cannot be there.')
      this.#promised = note.found
      this.#open = []
    }
  }

  /** Why `content` cannot be what is on the disk; `null`: it may be. */
  contradiction(content: Content): string | null {
    const found = textOf(content, this.#groups)
    let allowed = this.#promised
    for (const next of [null, ...this.#open]) {
      if (next !== null) allowed = this.#with(allowed, next)
      if (textOf(allowed, this.#groups) === found) return null
    }
    const describe = (some: Content): string =>
      this.#groups
        .map((group) => {
          const { hardState, firstIndex, entries } = some[group] ?? EMPTY
          return `${group}: ${firstIndex} to ${firstIndex + entries.length - 1}, ${JSON.stringify(hardState)}`
        })
        .join('; ')
    return `on disk: ${describe(content)}. Promised: ${describe(this.#promised)}, and ${this.#open.length} more asked for.`
  }

  #with(content: Content, { group, op }: Asked): Content {
    return { ...content, [group]: carriedOut(content[group] ?? EMPTY, op) }
  }
}
