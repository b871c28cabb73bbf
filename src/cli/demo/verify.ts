// Looks into every member's own state: is each acknowledged write there, once, in its client's order, and are all
// states equal?

import type { RaftNode } from '../../api.ts'
import { keyOf, type WorkloadResult } from './workload.ts'

export interface Verification {
  /** Acknowledged writes that some member does not have. */
  readonly lost: number
  /** Writes that some member has more than once. */
  readonly duplicated: number
  /** Writes that some member has and nobody made, or in another order than they were made. */
  readonly strange: number
  /** Writes of unknown outcome that turn out to be there. */
  readonly unknownApplied: number
  readonly hashesEqual: boolean
}

export async function verify(
  nodes: readonly RaftNode[],
  workload: WorkloadResult,
  run: string,
  clients: number,
): Promise<Verification> {
  const lost = new Set<number>()
  const duplicated = new Set<number>()
  const unknownApplied = new Set<number>()
  let strange = 0
  for (const node of nodes) {
    const seen = new Set<number>()
    for (let client = 0; client < clients; client += 1) {
      let last = -1
      for (const write of await readWrites(node, keyOf(run, client))) {
        if (seen.has(write)) duplicated.add(write)
        else if (write <= last || !isKnown(workload, write)) strange += 1
        if (workload.unknown.has(write)) unknownApplied.add(write)
        seen.add(write)
        last = write
      }
    }
    for (const write of workload.acknowledged) if (!seen.has(write)) lost.add(write)
  }
  const hashes = new Set(nodes.map((node) => node.status().stateHash))
  return {
    lost: lost.size,
    duplicated: duplicated.size,
    strange,
    unknownApplied: unknownApplied.size,
    hashesEqual: hashes.size === 1 && !hashes.has(null),
  }
}

/** The numbers of the writes that a client's key holds, in order. */
async function readWrites(node: RaftNode, key: string): Promise<readonly number[]> {
  const value = await node.read<unknown>(['get', key], { level: 'local' })
  if (typeof value !== 'string') return []
  return value.split(';').slice(0, -1).map(Number)
}

function isKnown({ acknowledged, unknown }: WorkloadResult, write: number): boolean {
  return acknowledged.has(write) || unknown.has(write)
}
