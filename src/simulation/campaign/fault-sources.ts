// Where planned faults come from, and when: all sources, and the draw of a run's episodes.

import type { Random } from '../../runtime/random.ts'
import { between, drawLatencyMs } from '../time/sim-random.ts'
import { DISK_FAULTS } from './disk-faults.ts'
import type { DrawContext, FaultSource } from './fault-source.ts'
import type { Fault, FaultEpisode } from './faults.ts'
import { NETWORK_FAULTS } from './network-faults.ts'
import { PROCESS_FAULTS } from './process-faults.ts'

export interface EpisodeContext extends DrawContext {
  readonly sources: readonly FaultSourceName[]
  readonly durationMs: number
}

const SOURCES = [...NETWORK_FAULTS, ...PROCESS_FAULTS, ...DISK_FAULTS] as const

export type FaultSourceName = (typeof SOURCES)[number]['name']
export const FAULT_SOURCES: readonly (FaultSource & { readonly name: FaultSourceName })[] = SOURCES

/** Draws the episodes of a run, in order of time. No two of one kind overlap on one member, link or disk. */
export function drawEpisodes(random: Random, context: EpisodeContext): FaultEpisode[] {
  const drawn: Omit<FaultEpisode, 'id'>[] = []
  const busy = new Map<string, { fromMs: number; untilMs: number }[]>()
  for (const source of FAULT_SOURCES) {
    if (!context.sources.includes(source.name)) continue
    const everyMs = context.electionTimeoutMs * source.everyTimeouts * between(random, 0.5, 2)
    for (let atMs = waitMs(random, everyMs); atMs < context.durationMs; atMs += waitMs(random, everyMs)) {
      const forMs = waitMs(random, context.electionTimeoutMs * source.forTimeouts)
      const fault = source.draw(random, context)
      if (fault === null) continue
      const resource = resourceOf(fault)
      const taken = busy.get(resource) ?? []
      if (taken.some(({ fromMs, untilMs }) => atMs <= untilMs && fromMs <= atMs + forMs)) continue
      busy.set(resource, [...taken, { fromMs: atMs, untilMs: atMs + forMs }])
      drawn.push({ atMs: Math.round(atMs), forMs: Math.max(1, Math.round(forMs)), fault })
    }
  }
  return drawn.sort((a, b) => a.atMs - b.atMs).map((episode, id) => ({ id, ...episode }))
}

const waitMs = (random: Random, meanMs: number): number =>
  drawLatencyMs(random, { shape: 'exponential', minMs: 1, meanMs, maxMs: meanMs * 5 })

function resourceOf(fault: Fault): string {
  switch (fault.kind) {
    case 'link':
      return 'links'
    case 'clog':
      return `clog ${fault.from}>${fault.to}`
    case 'partition':
    case 'block':
    case 'crashAll':
      return fault.kind
    default:
      return `${fault.kind} ${fault.node}`
  }
}
