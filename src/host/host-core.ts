// A process's place on the bus and on disk, and the groups it carries, by callbacks (braft NodeManager). The promise
// facade in host.ts and the simulator stand on it.

import type { InspectionEvent } from 'xstate'
import { QuorateError } from '../errors.ts'
import { DropLog } from '../observability/drop-log.ts'
import type { Tuning } from '../options.ts'
import type { PeerId } from '../rules/types.ts'
import { CacheBudget } from '../runtime/cache-budget.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { type Random, randomInt } from '../runtime/random.ts'
import { DEFAULT_THROTTLE, SnapshotThrottle, type ThrottleLimits } from '../runtime/snapshot-throttle.ts'
import type { StateMachine } from '../state-machine.ts'
import type { Storage } from '../storage/storage.ts'
import type { PeerRpc, RequestHandler } from '../transport/rpc/peer-rpc.ts'
import { createPeerRpc } from '../transport/rpc/rpc-endpoint.ts'
import type { Transport } from '../transport/transport.ts'
import { NodeHandle } from './node-handle.ts'

export interface HostCoreOptions {
  readonly id: PeerId
  readonly prefix: string
  readonly transport: Transport
  readonly storage: Storage
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Of this life of the process, unlike any other of it. Default: drawn. */
  readonly incarnation?: number
  /** For snapshots of all groups together; default: no limit of bytes. */
  readonly snapshotThrottle?: ThrottleLimits
}

export interface NodeSpec {
  readonly group: string
  /** Initial configuration, used only on a first start; empty: wait to be added. */
  readonly peers: readonly PeerId[]
  readonly stateMachine: StateMachine
  /** Members that count whatever their files are. */
  readonly trusted?: readonly PeerId[]
  readonly tuning: Tuning
  readonly inspect?: ((event: InspectionEvent) => void) | undefined
}

const MAX_INCARNATION = 2 ** 48

/** What all groups of a process together keep in memory and could read again: an idle group among many keeps little. */
const CACHE_BYTES = 32 * 1024 * 1024

export class HostCore {
  readonly id: PeerId
  readonly drops: DropLog
  readonly throttle: SnapshotThrottle
  readonly #options: HostCoreOptions
  readonly #rpc: PeerRpc
  readonly #nodes = new Map<string, NodeHandle>()
  readonly #caches = new CacheBudget(CACHE_BYTES)
  #closed = false

  constructor(options: HostCoreOptions) {
    this.id = options.id
    this.#options = options
    const { clock, logger, transport, prefix, id } = options
    this.drops = new DropLog({ clock, logger })
    this.throttle = new SnapshotThrottle(clock, options.snapshotThrottle ?? DEFAULT_THROTTLE)
    const incarnation = options.incarnation ?? 1 + randomInt(options.random, 0, MAX_INCARNATION)
    this.#rpc = createPeerRpc({ transport, prefix, id, clock, logger, drops: this.drops, incarnation })
  }

  /**
   * Creates and starts a node. `started` comes once: with null when the node takes part in its group, or with why it
   * could not be started; then nothing of it is left.
   * @throws QuorateError CONFLICT when the group is carried already, SHUTDOWN after close.
   */
  startNode(spec: NodeSpec, started: (error: Error | null) => void): NodeHandle {
    if (this.#closed) throw new QuorateError('SHUTDOWN', `Host ${this.id} is closed.`)
    if (this.#nodes.has(spec.group)) {
      throw new QuorateError('CONFLICT', `Host ${this.id} already carries group ${spec.group}.`)
    }
    const { clock, random, logger, storage } = this.#options
    let told = false
    const node: NodeHandle = new NodeHandle({
      group: spec.group,
      id: this.id,
      initialConfiguration: { peers: spec.peers, oldPeers: [] },
      tuning: spec.tuning,
      stateMachine: spec.stateMachine,
      trusted: spec.trusted ?? [],
      inspect: spec.inspect,
      clock,
      random,
      logger,
      storage,
      caches: this.#caches,
      throttle: this.throttle,
      rpc: this.#rpc,
      join: (handler: RequestHandler) =>
        this.#rpc.serve(spec.group, handler, {
          ownTerm: () => node.core.term,
          fallAsleep: (ask) => node.core.send({ type: 'sleep', ask }),
        }),
      started: (error) => {
        if (told) return
        told = true
        if (error === null) return started(null)
        node.shutdown(() => {
          this.#nodes.delete(spec.group)
          started(error)
        })
      },
    })
    this.#nodes.set(spec.group, node)
    node.start()
    return node
  }

  /** Stops one node in order and forgets it. */
  stopNode(node: NodeHandle, done: () => void): void {
    node.shutdown(() => {
      if (this.#nodes.get(node.core.group) === node) this.#nodes.delete(node.core.group)
      done()
    })
  }

  node(group: string): NodeHandle | undefined {
    return this.#nodes.get(group)
  }

  nodes(): readonly NodeHandle[] {
    return [...this.#nodes.values()]
  }

  /** Stops all nodes, then lets go of the disk. The bus is the caller's to close. */
  close(done: () => void): void {
    if (this.#closed) return this.#options.clock.defer(done)
    this.#closed = true
    let open = this.#nodes.size
    const last = (): void => {
      this.#rpc.close()
      this.#options.storage.close(() => done())
    }
    if (open === 0) return last()
    for (const node of this.#nodes.values()) {
      node.shutdown(() => {
        open--
        if (open === 0) last()
      })
    }
  }

  /** As if the process had been killed: nothing of it acts or calls back any more. Disk and bus are the caller's. */
  destroy(): void {
    this.#closed = true
    for (const node of this.#nodes.values()) node.destroy()
    this.#nodes.clear()
    this.#rpc.close()
  }
}
