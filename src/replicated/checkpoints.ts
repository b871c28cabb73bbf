// Finds machines that are not deterministic: now and then the leader puts into the log how its state was at an index, and
// every other member compares.

import { hashText } from '../machines/kv-hash.ts'
import { decodeValue } from '../transport/wire/codec.ts'
import type { Comparison } from './commands.ts'
import { differingPath } from './deterministic.ts'
import { bytesOf, type Instances } from './instances.ts'

/** So many are remembered: a comparison comes soon after what it compares. */
const MAX_KEPT = 64
/** A state that is larger is compared by its hash alone. */
const MAX_STATE_BYTES = 64 * 1024
/** Of so many instances each hash is told, where somebody asks. */
const MAX_EACH = 1000
const NO_STATE = new Uint8Array(0)

export class Checkpoints {
  readonly #every: number
  readonly #kept = new Map<number, Comparison>()
  #due: Comparison | null = null

  /** @param every so many indexes of the log; 0: never */
  constructor(every: number) {
    this.#every = every
  }

  /** What the leader has to say now; null: nothing. */
  get due(): Comparison | null {
    return this.#due
  }

  clear(): void {
    this.#kept.clear()
    this.#due = null
  }

  /** Returns in what the state differs from the one that the leader had at the same index; null: in nothing. */
  compare(theirs: Comparison): string | null {
    const own = this.#kept.get(theirs.index)
    if (own === undefined || own.hash === theirs.hash) return null
    return `The machine is not deterministic: after index ${theirs.index} the state of this member is not the leader's${where(own, theirs)}. Guards and assigns may use nothing but context and event.`
  }

  applied(index: number, key: string | null, instances: Instances): void {
    this.#due = null
    if (this.#every !== 0 && index % this.#every === 0) this.#keep(stateAt(index, key, instances))
  }

  /** Somebody wants to know. */
  asked(index: number, key: string | null, instances: Instances): void {
    const state = stateAt(index, key, instances)
    const isFew = instances.size <= MAX_EACH
    const each = [...instances.residents()].map((one): [string, string] => [one.key, hashText(one.hash)])
    this.#keep(isFew ? { ...state, each } : state)
  }

  #keep(checkpoint: Comparison): void {
    this.#due = checkpoint
    this.#kept.set(checkpoint.index, checkpoint)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break
      this.#kept.delete(oldest)
    }
  }
}

function stateAt(index: number, key: string | null, instances: Instances): Comparison {
  const resident = key === null ? undefined : instances.resident(key)
  const isSmall = resident !== undefined && resident.packed.length <= MAX_STATE_BYTES
  const state = isSmall ? bytesOf(resident) : NO_STATE
  return { index, hash: instances.hash, key: key ?? '', state }
}

function where(own: Comparison, theirs: Comparison): string {
  const inside = pathOf(own, theirs)
  if (inside !== null) return inside
  const other = otherOf(own, theirs)
  if (other !== null) return `: instance ${other} differs`
  return own.key === '' ? '' : `, in another instance than ${own.key}`
}

/** The first instance that only one of them has, or that is another one there. */
function otherOf({ each = [] }: Comparison, { each: theirs = [] }: Comparison): string | null {
  const hashes = new Map(theirs)
  const found = each.find(([key, hash]) => hashes.get(key) !== hash)
  const own = new Map(each)
  return (found ?? theirs.find(([key]) => !own.has(key)))?.[0] ?? null
}

/** Null: what both looked at closer is the same, or was not there to be looked at. */
function pathOf(own: Comparison, theirs: Comparison): string | null {
  const [one, other] = [decodeValue(own.state), decodeValue(theirs.state)]
  if (!one.ok || !other.ok) return null
  const path = differingPath(one.value, other.value)
  if (path === null) return null
  return `: instance ${own.key} differs at ${path === '' ? 'all of it' : path}`
}
