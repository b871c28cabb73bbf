// Instances of a replicated machine as a viewer knows them: what each member tells of them, and the newest of it for the group;
// and those that are asked for by key.

import type { FeedInstance, FeedInstances } from '../../protocol/feed-protocol.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { AdminAsker } from '../admin-asker.ts'

/** Of one member, however many there are. */
const MAX_KNOWN = 128

/** What is known of the instances of a group. */
export interface WatchedInstances {
  readonly machine: string
  readonly version: string
  /** The name of their chart; null: it is too large to be told. */
  readonly chart: string | null
  readonly total: number
  /** Those that changed last, the newest first. */
  readonly newest: readonly FeedInstance[]
}

export class InstanceBook {
  #head: Omit<FeedInstances, 'instances'>
  readonly #known = new Map<string, FeedInstance>()

  constructor(told: FeedInstances) {
    this.#head = told
    this.hear(told)
  }

  get chart(): string | null {
    return this.#head.chart
  }

  /** As a member would tell it. */
  get told(): FeedInstances {
    const { machine, version, chart, total } = this.#head
    return { machine, version, chart, total, instances: this.newest }
  }

  get newest(): readonly FeedInstance[] {
    return byMove([...this.#known.values()])
  }

  get(key: string): FeedInstance | undefined {
    return this.#known.get(key)
  }

  hear(told: FeedInstances, whole = false): void {
    this.#head = told
    if (whole) this.#known.clear()
    for (const each of told.instances) this.#known.set(each.key, each)
    for (const { key } of this.newest.slice(MAX_KNOWN)) this.#known.delete(key)
  }
}

/** Whether the first was looked at later, or knows more of the same moment. */
export function isNewer(one: FeedInstance, other: FeedInstance | undefined): boolean {
  if (other === undefined || one.asOf !== other.asOf) return one.asOf > (other?.asOf ?? -1)
  return (one.last?.index ?? 0) > (other.last?.index ?? 0)
}

/** Null: no member has told of instances. */
export function mergedInstances(books: readonly InstanceBook[], count: number): WatchedInstances | null {
  const newest = new Map<string, FeedInstance>()
  for (const book of books)
    for (const each of book.newest) newest.set(each.key, mergedWith(each, newest.get(each.key)))
  const heads = books.map(({ told }) => told).sort((a, b) => b.total - a.total)
  const [head] = heads
  if (head === undefined) return null
  const { machine, version, chart, total } = head
  return { machine, version, chart, total, newest: byMove([...newest.values()]).slice(0, count) }
}

/** The newer of the two. Where it was before its last move the other may know alone: it has seen more of the steps. */
function mergedWith(one: FeedInstance, other: FeedInstance | undefined): FeedInstance {
  if (other === undefined) return one
  const [newer, older] = isNewer(one, other) ? [one, other] : [other, one]
  const { last } = newer
  if (last === null || last.from.length > 0 || older.last?.index !== last.index) return newer
  return { ...newer, last: { ...last, from: older.last.from } }
}

/** What moved last comes first. */
function byMove(instances: readonly FeedInstance[]): readonly FeedInstance[] {
  return [...instances].sort((a, b) => (b.last?.index ?? 0) - (a.last?.index ?? 0))
}

interface FindOptions {
  readonly model: {
    readonly leader: string | null
    readonly members: ReadonlyMap<string, { readonly id: string; readonly state: string }>
  }
  readonly asker: AdminAsker
  readonly clock: Clock
  readonly viewer: string
}

const WAIT_MS = 1000

/** Those whose keys begin like this, by whoever leads, or else by anybody who is heard. */
export async function findInstances(
  { model, asker, clock, viewer }: FindOptions,
  find: string,
): Promise<readonly FeedInstance[]> {
  const { members, leader } = model
  const id = leader ?? [...members.values()].find(({ state }) => state === 'live')?.id
  if (id === undefined) return []
  // Another name than that of the lease, which ends with 0.
  const asked = asker.ask(id, 'inspect', {
    ...{ verb: 'inspect', viewer: `${viewer}-f`, leaseMs: 0, charts: [], find },
  })
  const timer = clock.setTimeout(() => asked.giveUp(), WAIT_MS)
  const reply = await asked.reply
  clock.clearTimeout(timer)
  return reply.kind === 'answer' ? (reply.answer.found ?? []) : []
}
