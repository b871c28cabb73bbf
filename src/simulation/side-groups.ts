// Other groups in the same processes as the one that is looked at entry by entry: they share its host, bus and disk, and with
// them the messages between two processes. Of each it is checked that it has one leader in a term and equal states, and in
// the end that it has woken up and works.

import type { HostCore } from '../host/host-core.ts'
import type { NodeHandle } from '../host/node-handle.ts'
import { KeyValueStore } from '../machines/kv.ts'
import type { Tuning } from '../options.ts'
import type { PeerId, Term } from '../rules/types.ts'
import { toCommand } from './history/kv-commands.ts'
import { StateDigests } from './history/state-digests.ts'
import { InvariantViolation } from './invariants/invariants.ts'
import { encodeNumbered, type MachineWatch, ObservedMachine } from './observed-machine.ts'

export interface SideGroupsOptions {
  readonly names: readonly string[]
  readonly peers: readonly PeerId[]
  readonly tuning: Tuning
  /** Keeps what a check throws until the step is over. */
  readonly guard: (run: () => void) => void
  readonly later: MachineWatch['later']
  readonly failed: (id: PeerId, error: Error) => void
}

interface SideGroup {
  readonly name: string
  readonly digests: StateDigests
  readonly leaders: Map<Term, PeerId>
  /** Of the process that each member is in now. */
  readonly nodes: Map<PeerId, NodeHandle>
}

export class SideGroups {
  readonly #options: SideGroupsOptions
  readonly #groups: readonly SideGroup[]
  #commands = 0

  constructor(options: SideGroupsOptions) {
    this.#options = options
    this.#groups = options.names.map((name) => ({
      ...{ name, digests: new StateDigests(), leaders: new Map(), nodes: new Map() },
    }))
  }

  get names(): readonly string[] {
    return this.#options.names
  }

  /** A process begins: its members start. */
  start(id: PeerId, life: number, host: HostCore): void {
    const { peers, tuning } = this.#options
    if (!peers.includes(id)) return
    for (const group of this.#groups) {
      const stateMachine = new ObservedMachine(new KeyValueStore(), this.#watch(group, id, life), {
        ...{ tellsStates: true, scribbles: false },
      })
      const node = host.startNode({ group: group.name, peers, stateMachine, tuning }, () => {})
      node.on('role', ({ to, term }) => {
        if (to === 'leader') this.#options.guard(() => this.#leads(group, id, term))
      })
      node.on('error', (error) => this.#options.failed(id, error))
      group.nodes.set(id, node)
    }
  }

  /** Somebody in this process saves or loads, which goes on between two steps. */
  isSavingOrLoading(id: PeerId): boolean {
    return this.#groups.some(({ nodes }) => {
      const activity = nodes.get(id)?.core.snapshots.activity
      return activity === 'saving' || activity === 'loading'
    })
  }

  /** A member of this process has stopped itself. */
  hasFailed(id: PeerId): boolean {
    return this.#groups.some(({ nodes }) => nodes.get(id)?.status().role === 'error')
  }

  /** Its process has vanished or ended. */
  ended(id: PeerId): void {
    for (const { nodes } of this.#groups) nodes.delete(id)
  }

  /** A command, to this member of this group; whatever comes of it. */
  write(name: string, id: PeerId): void {
    const node = this.#groups.find((group) => group.name === name)?.nodes.get(id)
    const key = `k${++this.#commands % 5}`
    const command = toCommand({ op: 'append', key, value: `${this.#commands}` })
    node?.propose(encodeNumbered(1_000_000 + this.#commands, command), undefined, () => {})
  }

  /** The members that nobody leads, or that follow others than the rest: empty when every group of these members is well. */
  unled(core: readonly PeerId[]): readonly string[] {
    return this.#groups.flatMap(({ name, nodes }) => {
      const seen = core.map((id) => nodes.get(id)?.status())
      const leader = seen.find((status) => status?.role === 'leader')?.id
      const isLed = leader !== undefined && seen.every((status) => status?.leader === leader)
      const words = seen.map((s) => `${s?.id} ${s?.role} ${s?.term} of ${s?.leader} in ${s?.state}`)
      return isLed ? [] : [`${name}: ${words.join('; ')}`]
    })
  }

  /** Writes to the leader of each group. */
  writeToAll(core: readonly PeerId[]): void {
    for (const { name, nodes } of this.#groups) {
      const leader = core.find((id) => nodes.get(id)?.status().role === 'leader')
      if (leader !== undefined) this.write(name, leader)
    }
  }

  /** Groups whose members have not all applied the same. */
  unequal(core: readonly PeerId[]): readonly string[] {
    return this.#groups.flatMap(({ name, nodes }) => {
      const seen = core.map((id) => nodes.get(id)?.status())
      const applied = new Set(seen.map((status) => `${status?.appliedIndex}/${status?.lastIndex}`))
      const [one] = seen
      const isEqual = applied.size === 1 && one?.appliedIndex === one?.lastIndex
      return isEqual ? [] : [`${name}: ${[...applied].join(', ')}`]
    })
  }

  #leads({ name, leaders }: SideGroup, id: PeerId, term: Term): void {
    const other = leaders.get(term) ?? id
    leaders.set(term, other)
    if (other !== id)
      throw new InvariantViolation('INV-1', `${name}: ${other} and ${id} have both led in term ${term}.`)
  }

  #watch({ digests }: SideGroup, id: PeerId, life: number): MachineWatch {
    const { guard, later } = this.#options
    return {
      applied: () => {},
      hook: () => {},
      snapshot: () => {},
      state: (at, hash) => guard(() => digests.compare(id, life, at, hash)),
      later,
    }
  }
}
