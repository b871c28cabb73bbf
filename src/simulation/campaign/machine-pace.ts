// How long the state machines of a run take.

import type { Random } from '../../runtime/random.ts'
import type { MachinePace } from '../slow-machine.ts'
import { type Latency, pick } from '../time/sim-random.ts'

/** Half of all machines take no time; the others hold the loop, or answer later, or hang now and then. */
export function drawPace(random: Random, electionTimeoutMs: number): MachinePace | null {
  const meanMs = electionTimeoutMs / 100
  const cost: Latency = { shape: 'exponential', minMs: 0, meanMs, maxMs: electionTimeoutMs / 10 }
  const delay: Latency = { shape: 'exponential', minMs: 0, meanMs, maxMs: electionTimeoutMs / 2 }
  const hangs = { hangRate: 0.002, hangMs: 3 * electionTimeoutMs }
  const capture = { capture: delay }
  const maxMs = electionTimeoutMs * 5
  const slow = (meanMs: number): Latency => ({ shape: 'exponential', minMs: 0, meanMs, maxMs })
  const slowly = { background: slow(electionTimeoutMs / 5), load: slow(electionTimeoutMs / 2) }
  return pick<MachinePace | null>(random, [
    null,
    null,
    null,
    null,
    { cost },
    { delay },
    { cost, delay },
    { delay, ...hangs },
    capture,
    slowly,
    { ...capture, ...slowly, delay },
  ])
}
