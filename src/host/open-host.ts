// Opening a host: the embedded way in. Checks what it is given, opens disk and bus, hands out nodes.

import { z } from 'zod'
import { snapshotsMissing } from '../actors/snapshot/machine-snapshots.ts'
import type { Host, HostOptions, RaftNode, StartNodeOptions } from '../api.ts'
import { isQuorateError, QuorateError } from '../errors.ts'
import type { HostFigures } from '../observability/figures.ts'
import { describeIssues, memberNameSchema, nameSchema, parseTuning, type Tuning } from '../options.ts'
import type { PeerId } from '../rules/types.ts'
import { systemClock } from '../runtime/clock.ts'
import { toError } from '../runtime/errors.ts'
import { type Logger, shelteredLogger } from '../runtime/logger.ts'
import { systemRandom } from '../runtime/random.ts'
import { DEFAULT_THROTTLE, type ThrottleLimits } from '../runtime/snapshot-throttle.ts'
import type { StateMachine } from '../state-machine.ts'
import { openSqliteStorage } from '../storage/sqlite/sqlite-storage.ts'
import { type Storage, StorageError } from '../storage/storage.ts'
import { defaultMemoryBus } from '../transport/memory/memory-bus.ts'
import type { Transport } from '../transport/transport.ts'
import { HostCore } from './host-core.ts'
import { BusWatch, figuresOf } from './host-figures.ts'
import type { NodeHandle } from './node-handle.ts'
import { NodeFacade } from './raft-node.ts'

/** Room that the bus's largest payload must leave around one entry. */
const MESSAGE_RESERVE_BYTES = 8 * 1024

/**
 * Opens this process's place in its groups.
 *
 * @example
 * await using host = await openHost({ id: 'n1', dataDir: './data/n1' })
 * const node = await host.startNode({ group: 'counter', peers: ['n1'], stateMachine: new Counter() })
 * const { index, result } = await node.apply({ add: 1 })
 *
 * @throws QuorateError INVALID for bad options, CONFLICT when the data directory is in use or belongs to another
 *   member, STORAGE when it cannot be used.
 */
export async function openHost(options: HostOptions): Promise<Host> {
  checkName('id', options.id, memberNameSchema)
  const snapshotThrottle = throttleLimits(DEFAULT_THROTTLE, options.snapshotThrottle)
  const logger = shelteredLogger(options.logger)
  const storage = options.storage ?? (await openDataDirectory(options.id, options.dataDir, logger))
  const ownTransport = options.transport === undefined
  const transport = options.transport ?? defaultMemoryBus().connect(options.id)
  const core = new HostCore({
    id: options.id,
    prefix: options.prefix ?? 'quorate',
    transport,
    storage,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    logger,
    snapshotThrottle,
  })
  return new OpenHost(core, storage, transport, ownTransport)
}

/**
 * The disk of a host, to be handed to `openHost` as `storage`: for whoever wants to know whether the directory can be
 * used before anything else is begun.
 */
export async function openDataDirectory(
  id: PeerId,
  dataDir: string | undefined,
  logger: Logger,
): Promise<Storage> {
  if (dataDir === undefined)
    throw new QuorateError('INVALID', 'Option dataDir: required unless storage is given.')
  try {
    return await openSqliteStorage({ dataDir, hostId: id, logger })
  } catch (error) {
    throw asQuorateError(error)
  }
}

class OpenHost implements Host {
  readonly #core: HostCore
  readonly #storage: Storage
  readonly #transport: Transport
  readonly #ownTransport: boolean
  readonly #bus: BusWatch
  readonly #nodes = new Map<string, NodeFacade>()
  #closing: Promise<void> | null = null

  constructor(core: HostCore, storage: Storage, transport: Transport, ownTransport: boolean) {
    this.#core = core
    this.#storage = storage
    this.#transport = transport
    this.#ownTransport = ownTransport
    this.#bus = new BusWatch(transport)
  }

  get id(): PeerId {
    return this.#core.id
  }

  startNode(options: StartNodeOptions): Promise<RaftNode> {
    const { group, peers = [], stateMachine, trust = [], inspect, ...tuningInput } = options
    return new Promise((resolve, reject) => {
      checkName('group', group, nameSchema)
      checkPeers('peers', peers)
      checkPeers('trust', trust)
      checkMachine(stateMachine)
      const tuning = parseTuning(tuningInput)
      this.#checkPayload(tuning)
      const spec = { group, peers, stateMachine, trusted: trust, tuning, inspect }
      const handle = this.#core.startNode(spec, (error) => {
        if (error !== null) return reject(asQuorateError(error))
        resolve(this.#keep(handle))
      })
    })
  }

  node(group: string): RaftNode | undefined {
    return this.#nodes.get(group)
  }

  nodes(): readonly RaftNode[] {
    return [...this.#nodes.values()]
  }

  limitSnapshots(limits: Partial<ThrottleLimits>): void {
    const { throttle } = this.#core
    throttle.limits = throttleLimits(throttle.limits, limits)
  }

  figures(): HostFigures {
    return figuresOf(this.#core, this.#storage, this.#bus)
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  destroy(): void {
    for (const node of this.#nodes.values()) node.destroy()
    this.#nodes.clear()
    this.#core.destroy()
    this.#closing = (this.#storage.destroy?.() ?? Promise.resolve()).then(() => this.#closeTransport())
  }

  #keep(handle: NodeHandle): NodeFacade {
    const node = new NodeFacade(handle, (ended, done) =>
      this.#core.stopNode(ended, () => {
        this.#nodes.delete(ended.core.group)
        done()
      }),
    )
    this.#nodes.set(handle.core.group, node)
    return node
  }

  async #closeAll(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.close()))
    await new Promise<void>((done) => this.#core.close(done))
    await this.#closeTransport()
  }

  async #closeTransport(): Promise<void> {
    this.#bus.end()
    if (this.#ownTransport) await this.#transport.close()
  }

  /** An entry that can never be sent would wedge its group: refuse to start instead. */
  #checkPayload(tuning: Tuning): void {
    const { connected, maxPayloadBytes } = this.#transport.status()
    const needed = tuning.maxEntryBytes + MESSAGE_RESERVE_BYTES
    if (!connected || maxPayloadBytes >= needed) return
    throw new QuorateError(
      'TRANSPORT',
      `The bus takes payloads of ${maxPayloadBytes} bytes, but maxEntryBytes ${tuning.maxEntryBytes} needs ${needed}: raise max_payload on the server or lower maxEntryBytes on all members.`,
    )
  }
}

export function checkName(what: string, value: string, schema: typeof nameSchema): void {
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw new QuorateError('INVALID', `Option ${what} "${value}": ${parsed.error.issues[0]?.message}.`)
}

const throttleSchema = z.strictObject({
  bytesPerSecond: z.number().positive().or(z.literal(Number.POSITIVE_INFINITY)),
  maxInstallations: z.number().int().min(1),
})

function throttleLimits(now: ThrottleLimits, change: Partial<ThrottleLimits> = {}): ThrottleLimits {
  const parsed = throttleSchema.safeParse({ ...now, ...change })
  if (parsed.success) return parsed.data
  throw new QuorateError('INVALID', describeIssues('Option snapshotThrottle:', parsed.error.issues))
}

/** Users of plain JavaScript have no compiler to tell them. */
export function checkMachine(stateMachine: StateMachine): void {
  checkApplies(stateMachine)
  const missing = snapshotsMissing(stateMachine)
  if (missing !== null) throw new QuorateError('INVALID', `Option stateMachine: it ${missing}.`)
}

function checkApplies(stateMachine: unknown): void {
  const applies = typeof stateMachine === 'object' && stateMachine !== null && 'apply' in stateMachine
  if (applies && typeof stateMachine.apply === 'function') return
  throw new QuorateError('INVALID', 'Option stateMachine: must be an object with a method apply.')
}

export function checkPeers(option: 'peers' | 'trust', peers: readonly PeerId[]): void {
  for (const peer of peers) checkName(option, peer, memberNameSchema)
  if (new Set(peers).size !== peers.length) {
    throw new QuorateError('INVALID', `Option ${option}: ${peers.join(',')} names a member twice.`)
  }
}

/** One typed error, whose message names the step that failed and whose code says what kind of failure it was. */
export function asQuorateError(error: unknown): QuorateError {
  if (isQuorateError(error)) return error
  const { message, cause } = toError(error)
  const root = error instanceof StorageError ? error : cause
  if (isQuorateError(root)) return new QuorateError(root.code, message, { cause: root })
  if (!(root instanceof StorageError)) return new QuorateError('NODE_FAILED', message, { cause: error })
  const conflict = root.code === 'LOCKED' || root.code === 'FOREIGN'
  return new QuorateError(conflict ? 'CONFLICT' : 'STORAGE', message, { cause: root })
}
