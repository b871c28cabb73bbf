// What a script or a plan may do to a simulated group: links, processes, clocks, disks.

import type { Tuning } from '../options.ts'
import type { PeerId } from '../rules/types.ts'
import type { Hold, HoldFilter } from './bus/hold.ts'
import type { LinkSettings } from './bus/link.ts'
import type { SimBus } from './bus/sim-bus.ts'
import { beginFault, type Fault, type FaultTarget } from './campaign/faults.ts'
import type { CrashPoint, CrashPoints } from './disk/crash-points.ts'
import type { FailPoint, FailTimes, Release } from './disk/disk-faults.ts'
import type { Damage, StoreName } from './disk/disk-image.ts'
import type { DamagePlace } from './disk/sim-disk.ts'
import type { InvariantChecker } from './invariants/invariants.ts'
import { GROUP, type SimMember } from './sim-member.ts'
import { maxRateError } from './time/clock-bounds.ts'
import { EventKind, type Scheduler } from './time/scheduler.ts'
import type { Latency } from './time/sim-random.ts'

/** A disk in the hand of a script. */
export interface DiskControl {
  holdSync(store: StoreName): Release
  stall(): Release
  fail(store: StoreName, times: FailTimes, point: FailPoint): void
  slow(factor: number): void
  heal(): void
  corrupt(store: StoreName, where?: DamagePlace, damage?: Damage): number | null
  /** Term and vote are gone, the log is not (outside of the safety argument, as P9). Only while its process is dead. */
  loseMeta(): void
}

export abstract class SimulationFaults implements FaultTarget {
  abstract readonly nodes: readonly PeerId[]
  abstract readonly scheduler: Scheduler
  abstract readonly bus: SimBus
  abstract readonly checker: InvariantChecker | null
  abstract readonly tuning: Tuning
  protected abstract readonly crashPoints: CrashPoints
  protected abstract member(id: PeerId): SimMember
  protected abstract lifeEnded(member: SimMember, what: string): void
  protected abstract lifeBegan(member: SimMember): void
  abstract note(node: string, what: string): void
  readonly #powerless = new Set<PeerId>()

  /** Nothing passes between the two. */
  cut(a: PeerId, b: PeerId): void {
    this.bus.block(a, b)
    this.bus.block(b, a)
  }

  /** Only what goes from `from` to `to` passes. */
  oneway(from: PeerId, to: PeerId): void {
    this.bus.unblock(from, to)
    this.bus.block(to, from)
  }

  /** Nothing passes between `id` and any other member. */
  isolate(id: PeerId): void {
    for (const other of this.nodes) if (other !== id) this.cut(id, other)
  }

  /** Ends every cut, clog and setting of every link. */
  heal(): void {
    this.bus.heal()
  }

  /** The same, and every connection and disk works again. */
  healAll(): void {
    this.heal()
    for (const node of this.nodes) {
      this.reconnect(node)
      this.healDisk(node)
    }
  }

  /** Catches messages of this kind (all kinds without one) between these members, until it is ended or released. */
  hold(filter: HoldFilter): Hold {
    return this.bus.hold(filter)
  }

  /** Begins any fault of a plan. */
  fault(fault: Fault): { end(): void } {
    return { end: beginFault(this, fault) }
  }

  /** The process dies; what it had written stays in the cache of its operating system. */
  crash(id: PeerId): void {
    this.#kill(id, 'crash')
  }

  /** The machine loses its power: of what was not synced a drawn part survives, or the first `keep` transactions. */
  powerLoss(id: PeerId, keep?: number): void {
    this.#kill(id, 'powerLoss')
    this.member(id).disk.losePower(keep)
    this.#powerless.add(id)
    if (this.#powerless.size === this.nodes.length) this.checker?.totalPowerLoss()
  }

  /** A new process on the same disk. Of a living member: nothing. */
  restart(id: PeerId): void {
    const member = this.member(id)
    if (member.alive) return
    this.#powerless.delete(id)
    this.note(id, 'restart')
    member.start()
    this.lifeBegan(member)
  }

  /** The process stands still: its timers, messages and disk answers wait, while the world goes on. */
  pause(id: PeerId): void {
    this.note(id, 'pause')
    this.member(id).pause()
  }

  /** Everything that waited comes at once, in an order that the seed draws. */
  resume(id: PeerId): void {
    this.note(id, 'resume')
    this.member(id).resume()
  }

  /** `rate`: of its monotonic clock, from now on. `jumpMs`: its wall clock, which nothing may depend on. */
  clock(id: PeerId, change: { readonly rate?: number; readonly jumpMs?: number }): void {
    if (change.rate !== undefined) this.setClockRate(id, change.rate)
    if (change.jumpMs !== undefined) this.jumpWallClock(id, change.jumpMs)
  }

  disk(id: PeerId): DiskControl {
    const { disk } = this.member(id)
    return {
      holdSync: (store) => disk.holdSync(store),
      stall: () => disk.stall(),
      fail: (store, times, point) => disk.fail(store, times, point),
      slow: (factor) => disk.slow(factor),
      heal: () => disk.heal(),
      corrupt: (store, where, damage) => disk.corrupt(GROUP, store, where, damage),
      loseMeta: () => {
        this.checker?.waive(id)
        disk.loseMeta()
      },
    }
  }

  // What plans of faults use.

  block(from: PeerId, to: PeerId): void {
    this.bus.block(from, to)
  }

  unblock(from: PeerId, to: PeerId): void {
    this.bus.unblock(from, to)
  }

  setLink(from: PeerId, to: PeerId, settings: Partial<LinkSettings> | null): void {
    this.bus.setLink(from, to, settings)
  }

  clog(from: PeerId, to: PeerId): void {
    this.bus.stop(from, to)
  }

  unclog(from: PeerId, to: PeerId): void {
    this.bus.open(from, to)
  }

  disconnect(id: PeerId, noticedAfterMs: number): void {
    this.member(id).transport?.disconnect(noticedAfterMs)
  }

  reconnect(id: PeerId): void {
    this.member(id).transport?.reconnect()
  }

  crashAt(
    id: PeerId,
    at: { readonly point: CrashPoint; readonly nth: number },
    power: 'kept' | 'lost',
  ): { disarm(): void } {
    return this.crashPoints.arm(id, at.point, at.nth, () => {
      this.note(id, `crash at ${at.point}`)
      if (power === 'lost') this.powerLoss(id)
      else this.crash(id)
    })
  }

  /** Outside of what leases allow for, nobody may trust a lease any more (P8), and nothing that rests on one is checked. */
  setClockRate(id: PeerId, rate: number | null): void {
    if (rate !== null && Math.abs(rate - 1) > 2 * maxRateError(this.tuning))
      this.checker?.setClocksTrusted(false)
    this.member(id).setClockRate(rate)
  }

  jumpWallClock(id: PeerId, byMs: number): void {
    this.member(id).jumpWallClock(byMs)
  }

  setTimerLag(id: PeerId, lag: Latency | null): void {
    this.member(id).setTimerLag(lag)
  }

  slowDisk(id: PeerId, factor: number): void {
    this.member(id).disk.slow(factor)
  }

  stallDisk(id: PeerId): Release {
    return this.member(id).disk.stall()
  }

  failDisk(id: PeerId, store: StoreName, times: FailTimes, point: FailPoint): void {
    this.member(id).disk.fail(store, times, point)
  }

  healDisk(id: PeerId): void {
    this.member(id).disk.heal()
  }

  setLying(id: PeerId, lies: boolean): void {
    this.checker?.waive(id)
    this.member(id).disk.lies = lies
  }

  corruptDisk(id: PeerId, store: StoreName, place: DamagePlace, damage: Damage): void {
    this.member(id).disk.corrupt(GROUP, store, place, damage)
  }

  wipeDisk(id: PeerId): void {
    this.checker?.waive(id)
    this.member(id).disk.wipe()
  }

  /** Term and vote are lost, the log is not. Only while the member is down. */
  loseMeta(id: PeerId): void {
    this.checker?.metaLost(id)
    this.member(id).disk.loseMeta()
  }

  captureDisk(id: PeerId): () => void {
    const { disk } = this.member(id)
    const copy = disk.capture()
    return () => {
      this.checker?.waive(id)
      disk.restore(copy)
    }
  }

  later(delayMs: number, run: () => void): void {
    this.scheduler.schedule(delayMs, EventKind.FAULT, run)
  }

  #kill(id: PeerId, cause: 'crash' | 'powerLoss'): void {
    const member = this.member(id)
    if (!member.alive) return
    member.kill(cause)
    this.lifeEnded(member, cause)
  }
}
