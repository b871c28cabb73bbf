// All instances of a group, for those who watch a member: where each stands, by names alone, and which ones move.

import type { AnyStateMachine } from 'xstate'
import type { InstanceMove, InstanceSource } from '../observability/feed/instance-source.ts'
import { type FeedInstance, MAX_PENDING, MAX_STATES } from '../protocol/feed-protocol.ts'
import { drawnAs } from './drawing.ts'
import type { Lineage } from './lineage.ts'
import type { Outcome } from './replica.ts'
import type { At } from './shapes.ts'

const MAX_WORD = 160
const MAX_PATH = 256

const drawn = new WeakMap<AnyStateMachine, string>()

export class InstanceFeed implements InstanceSource {
  readonly #lineage: Lineage
  readonly #at: () => At
  readonly #followers = new Set<(move: InstanceMove) => void>()

  constructor(lineage: Lineage, at: () => At) {
    this.#lineage = lineage
    this.#at = at
  }

  get machine(): string {
    return this.#lineage.generation.declaration.machine.slice(0, MAX_WORD)
  }

  get version(): string {
    return this.#lineage.generation.declaration.version.slice(0, MAX_WORD)
  }

  get chart(): string {
    const { machine } = this.#lineage.generation.rules
    const json = drawn.get(machine) ?? JSON.stringify(drawnAs(machine.config))
    drawn.set(machine, json)
    return json
  }

  get total(): number {
    return this.#lineage.instances.size
  }

  view(key: string): Omit<FeedInstance, 'last'> | undefined {
    const { instances } = this.#lineage
    const resident = instances.resident(key)
    const standing = instances.standing(key)
    if (resident === undefined || standing === null) return undefined
    const [timers, jobs] = [[...(resident.timers ?? [])], [...(resident.jobs ?? [])]]
    const told = Math.min(timers.length, MAX_PENDING) + Math.min(jobs.length, MAX_PENDING)
    return {
      ...{ key, status: standing.status, asOf: this.#at().index },
      states: statesOf(standing.value).slice(0, MAX_STATES),
      timers: timers
        .slice(0, MAX_PENDING)
        .map(([id, { dueAtMs }]) => ({ id: id.slice(0, MAX_WORD), dueAtMs })),
      jobs: jobs.slice(0, MAX_PENDING).map(([id, { src, action }]) => ({
        ...{ id: id.slice(0, MAX_WORD), src: src.slice(0, MAX_WORD) },
        // Of a durable action that has not succeeded yet.
        ...(action !== null && action.failures > 0 && { failures: action.failures, dueAtMs: action.dueAtMs }),
      })),
      more: timers.length + jobs.length - told,
    }
  }

  lately(count: number): readonly string[] {
    return this.#lineage.instances.lately(count)
  }

  find(text: string, count: number): readonly string[] {
    return this.#lineage.instances.find(text, count)
  }

  follow(moved: (move: InstanceMove) => void): () => void {
    this.#followers.add(moved)
    return () => void this.#followers.delete(moved)
  }

  applied({ key, verdict }: Outcome, command: unknown): void {
    if (this.#followers.size === 0 || key === null || !verdict.ok || !verdict.accepted) return
    this.#tell(key, eventOf(command))
  }

  /** A snapshot has taken the place of everything, or another version runs. */
  replaced(): void {
    this.#tell(null, '')
  }

  #tell(key: string | null, event: string): void {
    const { index, timeMs: atMs } = this.#at()
    for (const moved of this.#followers) moved({ key, event, index, atMs })
  }
}

/** `{ paying: { waiting: {} } }` as `paying.waiting`; each of those that are parallel. */
function statesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value.slice(0, MAX_PATH)]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const below = statesOf(inner)
    const paths = below.length === 0 ? [key] : below.map((path) => `${key}.${path}`)
    return paths.map((path) => path.slice(0, MAX_PATH))
  })
}

/** The name that XState gives to what a command brings. */
function eventOf(command: unknown): string {
  if (!Array.isArray(command)) return ''
  const [name, , what]: readonly unknown[] = command
  if (name === 'create') return 'xstate.init'
  if (name === 'done') return `xstate.done.actor.${String(what)}`
  if (name === 'failed' || name === 'missed') return `xstate.error.actor.${String(what)}`
  const event = name === 'sent' ? command[4] : what
  if (typeof event === 'string') return event
  return typeof event === 'object' && event !== null && 'type' in event ? String(event.type) : ''
}
