// The ways in which a cluster falls apart: halves, bridges, rings, chains and stars (faults N5 and N11).

import type { Random } from '../../runtime/random.ts'
import { pick, shuffled } from '../time/sim-random.ts'
import type { Fault } from './faults.ts'

/** Null when there are no two members to part. */
export function drawPartition(random: Random, nodes: readonly string[]): Fault | null {
  if (nodes.length < 2) return null
  const order = shuffled(random, nodes)
  const half = Math.floor(order.length / 2)
  switch (pick(random, ['halves', 'isolateOne', 'bridge', 'ring', 'none', 'chain', 'star'] as const)) {
    case 'halves': {
      const at = 1 + Math.floor(random.next() * (order.length - 1))
      return { kind: 'partition', sides: [order.slice(0, at), order.slice(at)] }
    }
    case 'isolateOne':
      return { kind: 'partition', sides: [order.slice(0, 1), order.slice(1)] }
    case 'bridge':
      return { kind: 'partition', sides: [order.slice(0, half + 1), order.slice(half)] }
    case 'ring':
      // Everybody sees a majority, each another one.
      return { kind: 'partition', sides: order.map((_node, at) => around(order, at, half + 1)) }
    case 'none':
      return { kind: 'partition', sides: order.map((node) => [node]) }
    case 'chain':
      return { kind: 'partition', sides: order.slice(1).map((node, at) => [order[at] ?? node, node]) }
    case 'star':
      return { kind: 'partition', sides: order.slice(1).map((node) => [order[0] ?? node, node]) }
  }
}

const around = (order: readonly string[], at: number, count: number): string[] =>
  Array.from({ length: Math.min(count, order.length) }, (_, i) => order[(at + i) % order.length] ?? '')
