// Two members' endpoints on one bus, with a clock that moves when the test says so.

import { expect } from 'vitest'
import { DropLog } from '../../../src/observability/drop-log.ts'
import { MemoryBus } from '../../../src/transport/memory/memory-bus.ts'
import type { PeerRpc, RpcOutcome } from '../../../src/transport/rpc/peer-rpc.ts'
import { createPeerRpc } from '../../../src/transport/rpc/rpc-endpoint.ts'
import { ManualClock } from './manual-clock.ts'
import { MemoryLogger } from './memory-logger.ts'

const PREFIX = 'quorate'

export function bench() {
  const clock = new ManualClock()
  const bus = new MemoryBus({ clock })
  const logger = new MemoryLogger()
  const drops = new DropLog({ clock, logger })
  const host = (id: string, incarnation = 1) => {
    const transport = bus.connect(id)
    return {
      transport,
      rpc: createPeerRpc({ transport, prefix: PREFIX, id, clock, logger, drops, incarnation }),
    }
  }
  const reasons = () => drops.counts().map(({ reason, sender, count }) => `${reason} ${sender} ${count}`)
  return { clock, bus, logger, drops, host, reasons, n1: host('n1'), n2: host('n2') }
}

/** Starts a call and keeps every outcome it is given. */
export function ask(rpc: PeerRpc, to = 'n2', timeoutMs = 100): RpcOutcome<{ term: number; index: number }>[] {
  const outcomes: RpcOutcome<{ term: number; index: number }>[] = []
  let returned = false
  rpc.call('g', to, 'read_index', { term: 3 }, timeoutMs, (outcome) => {
    expect(returned).toBe(true)
    outcomes.push(outcome)
  })
  returned = true
  return outcomes
}
