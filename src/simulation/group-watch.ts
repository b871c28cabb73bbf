// What a simulation sees of its members between two steps, and what it makes of it: lines of the trace, news for the
// checker, and the first thing that went wrong.

import { QuorateError } from '../errors.ts'
import { InvariantError } from '../rules/invariants.ts'
import type { SnapshotRecord } from '../storage/snapshot-store.ts'
import type { CrashPoints } from './disk/crash-points.ts'
import type { DiskObserver } from './disk/sim-disk.ts'
import { StateDigests } from './history/state-digests.ts'
import { type InvariantChecker, InvariantViolation } from './invariants/invariants.ts'
import type { MachineWatch } from './observed-machine.ts'
import { GROUP, type SimMember } from './sim-member.ts'
import type { Trace } from './trace.ts'

/** More followers than this are in no simulated group. */
const MAX_READERS = 7

export interface GroupWatchOptions {
  readonly trace: Trace
  readonly crashPoints: CrashPoints
  readonly checker: () => InvariantChecker | null
  /** Whether a user's machine that throws ends the simulation, or only its member. */
  readonly machineErrors: 'throw' | 'allow'
  readonly later: (member: SimMember, promise: PromiseLike<unknown>) => PromiseLike<unknown>
}

export class GroupWatch {
  readonly #options: GroupWatchOptions
  /** For a user's machine: members are compared with each other, entry by entry. */
  readonly #digests = new StateDigests()
  readonly #touched = new Set<SimMember>()
  /** The snapshot that was seen last on each disk. */
  readonly #newest = new Map<SimMember, SnapshotRecord>()
  #violation: unknown = null

  constructor(options: GroupWatchOptions) {
    this.#options = options
  }

  machineOf(member: SimMember): MachineWatch {
    const { trace, checker, crashPoints, later } = this.#options
    const { life } = member
    return {
      applied: (entry) => {
        member.lastApplied = entry.index
        trace.record(member.id, 'apply', { index: entry.index, term: entry.term })
        this.guard(() => checker()?.applied(member.id, entry))
        crashPoints.hit(member.id, 'apply')
      },
      hook: (hook) => {
        trace.record(member.id, hook.name)
        this.guard(() => checker()?.hook(member.id, hook))
      },
      // What user code of a life that is over still does between two steps is nobody's.
      snapshot: (what, hash) => {
        if (member.life === life && member.alive) this.#snapshot(member, what, hash)
      },
      state: (at, hash) => this.guard(() => this.#digests.compare(member.id, member.life, at, hash)),
      later: (promise) => later(member, promise),
    }
  }

  #snapshot(member: SimMember, what: 'capture' | 'load' | 'loaded', hash: string | null): void {
    const { trace, checker, crashPoints } = this.#options
    trace.record(member.id, what)
    if (what === 'capture') member.capturedHash = hash
    const meta = member.node?.core.snapshots.store?.newest?.meta
    if (what === 'loaded' && meta !== undefined) {
      member.lastApplied = checker()?.lastCommandUpTo(meta.lastIncludedIndex) ?? meta.lastIncludedIndex
      this.guard(() => checker()?.loaded(member.id, meta, hash))
    }
    crashPoints.hit(member.id, what)
  }

  /** Steps on a snapshot are many; what is durable of it is checked when it has changed. */
  #published(member: SimMember): void {
    const { checker } = this.#options
    const { disk } = member
    const record = disk.snapshots.newest(GROUP)
    const count = disk.snapshots.count(GROUP)
    const most = 2 + MAX_READERS
    if (count > most)
      this.#violation ??= new InvariantViolation(
        'INV-24',
        `${member.id} keeps ${count} snapshots on its disk.`,
      )
    if (record === null || record === this.#newest.get(member)) return
    this.#newest.set(member, record)
    const isOwn = member.node?.core.snapshots.activity === 'saving'
    checker()?.snapshotPublished(
      member.id,
      record.meta,
      isOwn && record.meta.withheld !== true ? member.capturedHash : null,
    )
  }

  disks(member: () => SimMember): DiskObserver {
    const { trace, checker, crashPoints } = this.#options
    return {
      durable: (disk, group, op, image) =>
        this.guard(() => (group === GROUP ? checker()?.durableWrite(disk.id, op, image) : undefined)),
      stage: (disk, stage, op) => {
        const store = op.kind === 'hardState' ? 'meta' : 'log'
        trace.record(disk.id, `disk ${stage}`, { store })
        crashPoints.hit(disk.id, `${stage}:${store}`)
        crashPoints.hit(disk.id, `${stage}:${op.kind}`)
      },
      snapshotStep: (disk, stage, kind) => {
        trace.record(disk.id, `snapshot ${stage}`, { kind })
        crashPoints.hit(disk.id, `${stage}:${kind}`)
      },
      snapshotsDurable: () => this.guard(() => this.#published(member())),
      failed: (disk, group) => {
        trace.record(disk.id, 'disk failed')
        if (group !== GROUP) return
        this.guard(() => checker()?.storageFailed(disk.id))
      },
    }
  }

  /** The checker for places inside of a node's turn, where an exception would be taken for the node's own. */
  guardedChecker(): InvariantChecker | null {
    const checker = this.#options.checker()
    if (checker === null) return null
    return new Proxy(checker, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => this.guard(() => Reflect.apply(value, target, args))
      },
    })
  }

  /** Keeps what `run` throws until the step is over. */
  guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#violation ??= error
    }
  }

  /** It had a turn, or its process ended: looked at when the step is over. */
  touched(member: SimMember): void {
    this.#touched.add(member)
  }

  /** A node went to its error state. Without a fault that explains it, that is a finding. */
  failed(member: SimMember, error: Error): void {
    this.#options.trace.record(member.id, 'failed', { error: error.message })
    const causes = causesOf(error)
    if (causes.some((cause) => cause instanceof InvariantError)) {
      this.#violation ??= new InvariantViolation('INV-22', `${member.id} stopped itself: ${error.message}`)
      // A disk that fails, or damage, is a fault, however it came to the node's ears.
    } else if (causes.some(({ name }) => name === 'StorageError')) {
      return
      // Told as it is, or, at a start, as what kept the node from starting.
    } else if (causes.some((cause) => cause instanceof QuorateError && cause.code === 'STATE_MACHINE')) {
      if (this.#options.machineErrors === 'throw')
        this.#violation ??= new Error(`${member.id} has stopped. ${error.message}`, { cause: error.cause })
    } else {
      this.#violation ??= new Error(`${member.id} failed without a fault: ${error.stack ?? error.message}`)
    }
  }

  stepEnded(): void {
    for (const member of this.#touched) {
      this.#touched.delete(member)
      if (member.life > 0) this.#options.checker()?.observe(member.observation())
    }
    this.raise()
  }

  /** @throws the first thing that went wrong, now and ever after. */
  raise(): void {
    if (this.#violation !== null) throw this.#violation
  }
}

function causesOf(error: Error): readonly Error[] {
  const causes = [error]
  for (let next = error.cause; next instanceof Error && causes.length < 8; next = next.cause)
    causes.push(next)
  return causes
}
