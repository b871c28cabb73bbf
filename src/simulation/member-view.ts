// A member as the checker looks at it: a live view, always as the node is now.

import { leaseIsValid } from '../actors/node/node.reads.ts'
import { keepsNoData } from '../actors/node/node.witness.ts'
import { lacksPayload } from '../actors/snapshot/payload.ts'
import type { NodeHandle } from '../host/node-handle.ts'
import type { Configuration, LogEntry, LogIndex, PeerId } from '../rules/types.ts'
import { EMPTY_CONFIGURATION } from '../rules/types.ts'
import type { Role } from '../status.ts'
import type { SimDisk } from './disk/sim-disk.ts'
import type { NodeObservation } from './invariants/invariants.ts'
import type { ObservedMachine } from './observed-machine.ts'

export const GROUP = 'sim'

/** What it looks at. */
export interface ViewedMember {
  readonly id: PeerId
  readonly life: number
  readonly alive: boolean
  readonly disk: SimDisk
  readonly node: NodeHandle | null
  readonly machine: ObservedMachine | null
}

export class MemberView implements NodeObservation {
  readonly id: PeerId
  readonly life: number
  readonly #member: ViewedMember

  constructor(member: ViewedMember) {
    this.#member = member
    this.id = member.id
    this.life = member.life
  }

  get #core() {
    return this.#member.node?.core
  }

  get #log() {
    const core = this.#core
    return core?.hasLog === true ? core.log : null
  }

  get alive(): boolean {
    return this.#member.alive && this.#member.life === this.life
  }

  get role(): Role {
    return this.#core?.role ?? 'uninitialized'
  }

  get term(): number {
    return this.#core?.term ?? 0
  }

  get votedFor(): PeerId | null {
    return this.#core?.votedFor ?? null
  }

  get leader(): PeerId | null {
    return this.#core?.leader ?? null
  }

  get firstIndex(): LogIndex {
    return this.#log?.firstIndex ?? 1
  }

  get lastIndex(): LogIndex {
    return this.#log?.lastIndex ?? 0
  }

  get durableIndex(): LogIndex {
    return this.#log?.durableIndex ?? 0
  }

  get commitIndex(): LogIndex {
    return this.#core?.commitIndex ?? 0
  }

  get appliedIndex(): LogIndex {
    return this.#core?.appliedIndex ?? 0
  }

  get leaseValid(): boolean {
    const core = this.#core
    return core !== undefined && leaseIsValid(core)
  }

  get configuration(): Configuration {
    return this.#core?.configuration ?? EMPTY_CONFIGURATION
  }

  get lacksPayload(): boolean {
    const core = this.#core
    return core !== undefined && lacksPayload(core)
  }

  get forced(): boolean {
    return (this.#core?.membership.reset.forced ?? null) !== null
  }

  get stateHash(): string | null {
    const core = this.#core
    if (core !== undefined && keepsNoData(core)) return null
    return this.#member.machine?.comparableHash ?? null
  }

  get termBeforeFirst(): number | undefined {
    const log = this.#log
    return log === null ? undefined : log.termAt(log.firstIndex - 1)
  }

  get snapshot(): NodeObservation['snapshot'] {
    const meta = this.#core?.snapshots.newest?.meta
    if (meta === undefined) return null
    const { lastIncludedIndex: index, lastIncludedTerm: term, peers, oldPeers } = meta
    return { index, term, configuration: { peers, oldPeers } }
  }

  get sending(): NodeObservation['sending'] & {} {
    const core = this.#core
    return core?.hasLog === true ? core.files.installations : []
  }

  entryAt(index: LogIndex): LogEntry | null {
    const log = this.#log
    if (log === null || index < log.firstIndex || index > log.lastIndex) return null
    // Not by the node's own read, which would use up a planned fault.
    return log.peek(index) ?? this.#member.disk.visible(GROUP).entryAt(index)
  }
}
