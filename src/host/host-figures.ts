// The figures of a host, read off its nodes, its disk and its bus. Nothing is done for them until somebody asks.

import type { HostFigures, NodeFigures } from '../observability/figures.ts'
import type { Storage } from '../storage/storage.ts'
import type { Transport } from '../transport/transport.ts'
import type { HostCore } from './host-core.ts'
import type { NodeHandle } from './node-handle.ts'
import { membersOf } from './node-status.ts'

/** Counts how often the bus came back. */
export class BusWatch {
  #reconnects = 0
  #wasLost = false
  readonly #transport: Transport
  readonly #end: () => void

  constructor(transport: Transport) {
    this.#transport = transport
    this.#end = transport.onStatus(({ connected }) => {
      if (connected && this.#wasLost) this.#reconnects++
      this.#wasLost = !connected
    })
  }

  get figures(): Pick<HostFigures, 'busConnected' | 'busReconnects'> {
    return { busConnected: this.#transport.status().connected, busReconnects: this.#reconnects }
  }

  end(): void {
    this.#end()
  }
}

export function figuresOf(core: HostCore, storage: Storage, bus: BusWatch): HostFigures {
  return {
    id: core.id,
    nodes: core.nodes().map(nodeFigures),
    drops: core.drops.counts(),
    ...bus.figures,
    storage: storage.figures?.() ?? null,
  }
}

function nodeFigures(handle: NodeHandle): NodeFigures {
  const { core } = handle
  const { counters, intake, tuning } = core
  const { index, stage } = membersOf(core)
  const status = handle.status()
  const settled = intake.taken - intake.pendingProposals
  return {
    status,
    configurationIndex: index,
    changeStage: stage,
    leaderContactMs: status.leaderContactMs,
    electionTimeoutMs: tuning.electionTimeoutMs,
    snapshotIntervalMs: tuning.snapshotIntervalMs,
    committedEntries: counters.committedEntries,
    appliedProposals: settled - counters.failedAfterTaken,
    failedProposals: counters.failures,
    roles: counters.roles,
    readRounds: counters.readRounds,
    readsInRounds: counters.readsInRounds,
    commitSeconds: counters.commitSeconds.figures(),
    applySeconds: counters.applySeconds.figures(),
    appendEntries: counters.appendEntries.figures(),
  }
}
