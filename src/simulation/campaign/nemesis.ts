// Carries out a plan of faults in virtual time, and ends it: the liveness phase, in which a core of the cluster gets
// everything back and the rest keeps a permanent fault.

import type { Random } from '../../runtime/random.ts'
import { EventKind, type Scheduler } from '../time/scheduler.ts'
import { pick, shuffled } from '../time/sim-random.ts'
import { beginFault, type Fault, type FaultEpisode, type FaultKind, type FaultTarget } from './faults.ts'

export interface NemesisOptions {
  readonly scheduler: Scheduler
  readonly target: FaultTarget
  readonly episodes: readonly FaultEpisode[]
  /** For traces. */
  readonly note?: (what: 'begin' | 'end', episode: FaultEpisode) => void
}

export class Nemesis {
  readonly #options: NemesisOptions
  readonly #active = new Map<FaultEpisode, () => void>()
  readonly #counts = new Map<FaultKind, number>()
  #stopped = false

  constructor(options: NemesisOptions) {
    this.#options = options
  }

  /** Episodes begun so far, by kind. */
  counts(): ReadonlyMap<FaultKind, number> {
    return this.#counts
  }

  get active(): readonly FaultEpisode[] {
    return [...this.#active.keys()]
  }

  /** Puts every episode on the queue. Their times count from now. */
  start(): void {
    for (const episode of this.#options.episodes) {
      this.#later(episode.atMs, () => this.#begin(episode))
    }
  }

  /** Ends everything that goes on; nothing new begins. */
  stop(): void {
    this.#stopped = true
    for (const episode of [...this.#active.keys()]) this.#end(episode)
  }

  #begin(episode: FaultEpisode): void {
    if (this.#stopped) return
    this.#options.note?.('begin', episode)
    this.#counts.set(episode.fault.kind, (this.#counts.get(episode.fault.kind) ?? 0) + 1)
    this.#active.set(episode, beginFault(this.#options.target, episode.fault))
    this.#later(episode.forMs, () => this.#end(episode))
  }

  #end(episode: FaultEpisode): void {
    const end = this.#active.get(episode)
    if (end === undefined) return
    this.#active.delete(episode)
    this.#options.note?.('end', episode)
    end()
  }

  #later(delayMs: number, run: () => void): void {
    this.#options.scheduler.schedule(delayMs, EventKind.FAULT, run)
  }
}

/** Who gets everything back, and what the others keep for good. */
export interface LivenessPlan {
  readonly core: readonly string[]
  readonly outside: readonly {
    readonly node: string
    readonly fate: 'dead' | 'cut' | 'deaf' | 'mute' | 'paused'
  }[]
}

export interface LivenessInput {
  readonly nodes: readonly string[]
  /** The voters in effect, and the old half while joint. */
  readonly voters: readonly (readonly string[])[]
  /** Members whose disks are beyond use: they stay outside. */
  readonly damaged: ReadonlySet<string>
  /** Without any of these nobody may be able to lead: they are all in the core. */
  readonly needed: readonly string[]
}

/** Draws a core with a quorum of each half; null when the damage leaves none. */
export function planLiveness(
  random: Random,
  { nodes, voters, damaged, needed }: LivenessInput,
): LivenessPlan | null {
  const sound = nodes.filter((node) => !damaged.has(node))
  const isCore = (members: readonly string[]): boolean =>
    needed.every((node) => members.includes(node)) &&
    voters.every((half) => half.filter((voter) => members.includes(voter)).length * 2 > half.length)
  if (!isCore(sound)) return null
  let core = sound
  // Everybody, a bare quorum, or something in between.
  const wantedSize = 1 + Math.floor(random.next() * nodes.length)
  for (const node of shuffled(random, sound)) {
    const without = core.filter((member) => member !== node)
    if (without.length >= wantedSize && isCore(without)) core = without
  }
  const outside = nodes
    .filter((node) => !core.includes(node))
    .map((node) => ({ node, fate: pick(random, ['dead', 'cut', 'deaf', 'mute', 'paused'] as const) }))
  return { core, outside }
}

/** What it asks for, as a sentence. */
export function calmWords({ core, outside }: LivenessPlan): string {
  const fates = outside.map(({ node, fate }) => `${node} is ${fate}`)
  const rest = fates.length === 0 ? '' : ` For good: ${fates.join(', ')}.`
  return `${core.join(', ')} must agree on a leader and come to rest.${rest}`
}

/** Applies the plan: call it after `stop`, with every link healed. */
export function enterLiveness(target: FaultTarget, { core, outside }: LivenessPlan): void {
  for (const node of core) {
    target.resume(node)
    target.reconnect(node)
    target.healDisk(node)
    target.restart(node)
  }
  for (const { node, fate } of outside) {
    if (fate === 'dead') target.crash(node)
    else if (fate === 'paused') target.pause(node)
    else {
      for (const other of target.nodes) {
        if (other === node) continue
        if (fate !== 'mute') target.block(other, node)
        if (fate !== 'deaf') target.block(node, other)
      }
    }
  }
}

/**
 * Takes parts of a failing plan away as long as it still fails: halves first, then single ones.
 * @param stillFails must run the plan from its seed; a different failure counts as none.
 */
export async function shrink<T>(
  items: readonly T[],
  stillFails: (items: readonly T[]) => boolean | Promise<boolean>,
  maxRuns = 200,
): Promise<T[]> {
  let left = [...items]
  let runs = 0
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = left.length - size; at > -size && runs < maxRuns; at -= size) {
      const without = left.filter((_item, index) => index < at || index >= at + size)
      if (without.length === left.length) continue
      runs++
      if (await stillFails(without)) left = without
    }
  }
  return left
}

/** The plan as lines of a hand-driven script. */
export function printScript(episodes: readonly FaultEpisode[]): string[] {
  const steps = episodes
    .flatMap(({ id, atMs, forMs, fault }) => {
      const name = `fault${id}`
      return [
        { atMs, line: `const ${name} = sim.fault(${printFault(fault)})` },
        { atMs: atMs + forMs, line: `${name}.end()` },
      ]
    })
    .sort((a, b) => a.atMs - b.atMs)
  const lines: string[] = []
  let nowMs = 0
  for (const { atMs, line } of steps) {
    if (atMs > nowMs) lines.push(`await sim.run(${Number((atMs - nowMs).toFixed(3))})`)
    nowMs = Math.max(nowMs, atMs)
    lines.push(line)
  }
  return lines
}

/** `{ kind: 'pause', node: 'A' }` */
const printFault = (fault: Fault): string =>
  JSON.stringify(fault)
    .replaceAll(/"(\w+)":/g, '$1: ')
    .replaceAll(/,(?=\S)/g, ', ')
    .replaceAll('{', '{ ')
    .replaceAll('}', ' }')
    .replaceAll('"', "'")
