// What a simulation sees of its members between two steps, and what it makes of it: lines of the trace, news for the
// checker, and the first thing that went wrong.

import { QuorateError } from '../errors.ts'
import { InvariantError } from '../rules/invariants.ts'
import type { CrashPoint, CrashPoints } from './disk/crash-points.ts'
import type { DiskObserver } from './disk/sim-disk.ts'
import { StateDigests } from './history/state-digests.ts'
import { type InvariantChecker, InvariantViolation } from './invariants/invariants.ts'
import type { MachineWatch } from './observed-machine.ts'
import type { SimMember } from './sim-member.ts'
import type { Trace } from './trace.ts'

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
  #violation: unknown = null

  constructor(options: GroupWatchOptions) {
    this.#options = options
  }

  machineOf(member: SimMember): MachineWatch {
    const { trace, checker, crashPoints, later } = this.#options
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
      state: (at, hash) => this.guard(() => this.#digests.compare(member.id, member.life, at, hash)),
      later: (promise) => later(member, promise),
    }
  }

  disks(): DiskObserver {
    const { trace, checker, crashPoints } = this.#options
    return {
      durable: (disk, _group, op, image) => this.guard(() => checker()?.durableWrite(disk.id, op, image)),
      stage: (disk, stage, op) => {
        const store = op.kind === 'hardState' ? 'meta' : 'log'
        trace.record(disk.id, `disk ${stage}`, { store })
        crashPoints.hit(disk.id, `${stage}:${store}` as CrashPoint)
      },
      failed: (disk) => {
        trace.record(disk.id, 'disk failed')
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
    const cause = error.cause instanceof Error ? error.cause : error
    if (cause instanceof InvariantError) {
      this.#violation ??= new InvariantViolation('INV-22', `${member.id} stopped itself: ${error.message}`)
    } else if (error instanceof QuorateError && error.code === 'STATE_MACHINE') {
      if (this.#options.machineErrors === 'throw')
        this.#violation ??= new Error(`${member.id} has stopped. ${error.message}`, { cause: error.cause })
    } else if (cause.name !== 'StorageError') {
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
