// The faults that a plan is made of, as plain records: what each is called, what it does to the world, how to undo it.

import type { LinkSettings } from '../bus/link.ts'
import type { CrashPoint } from '../disk/crash-points.ts'
import type { FailPoint, FailTimes, Release } from '../disk/disk-faults.ts'
import type { Damage, StoreName } from '../disk/disk-image.ts'
import type { DamagePlace } from '../disk/sim-disk.ts'
import type { Latency } from '../time/sim-random.ts'

/** One thing that goes wrong. Serializable: a plan is printed, shrunk and replayed from these. */
export type Fault =
  /** Nothing passes between members of different sides (N5). A member on several sides reaches all of them. */
  | { readonly kind: 'partition'; readonly sides: readonly (readonly string[])[] }
  /** Nothing passes in these directions (N6, N11). */
  | { readonly kind: 'block'; readonly links: readonly (readonly [from: string, to: string])[] }
  /** The cut comes and goes (N10). */
  | { readonly kind: 'flap'; readonly node: string; readonly upMs: number; readonly downMs: number }
  /** Drops, delays, duplicates, reordering, damage, bandwidth, filters (N1 to N4, N7 to N9), on every link or one. */
  | {
      readonly kind: 'link'
      readonly from: string | '*'
      readonly to: string | '*'
      readonly settings: Partial<LinkSettings>
    }
  /** The link keeps everything and lets it go at the end (N7). */
  | { readonly kind: 'clog'; readonly from: string; readonly to: string }
  /** The bus loses a connection (B1). */
  | { readonly kind: 'disconnect'; readonly node: string; readonly noticedAfterMs: number }
  /** The process dies and comes back at the end (P1, P2, P4), at once or when it passes a named point. */
  | {
      readonly kind: 'crash'
      readonly node: string
      readonly power: 'kept' | 'lost'
      readonly at?: { readonly point: CrashPoint; readonly nth: number }
    }
  /** Every member at one instant (P3, P4). */
  | { readonly kind: 'crashAll'; readonly power: 'kept' | 'lost' }
  | { readonly kind: 'pause'; readonly node: string }
  | { readonly kind: 'clockRate'; readonly node: string; readonly rate: number }
  | { readonly kind: 'wallJump'; readonly node: string; readonly byMs: number }
  | { readonly kind: 'timerLag'; readonly node: string; readonly lag: Latency }
  | { readonly kind: 'slowDisk'; readonly node: string; readonly factor: number }
  | { readonly kind: 'stallDisk'; readonly node: string }
  /** Ends with a working disk and a restart, as an operator would do (D1, D2, D4). */
  | {
      readonly kind: 'failDisk'
      readonly node: string
      readonly store: StoreName
      readonly times: FailTimes
      readonly point: FailPoint
    }
  /** Damage at rest, while the process is down (D5). Its disk stays damaged. */
  | {
      readonly kind: 'corrupt'
      readonly node: string
      readonly store: StoreName
      readonly place: DamagePlace
      readonly damage: Damage
    }
  /** The disk is emptied and the member comes back under its old name (P9). */
  | { readonly kind: 'wipe'; readonly node: string }
  /** The disk goes back to how it was at the beginning of the episode (P10). */
  | { readonly kind: 'oldImage'; readonly node: string }
  /** Writes are reported as durable and kept in a cache; at the end the power goes (D8). */
  | { readonly kind: 'lie'; readonly node: string }

export type FaultKind = Fault['kind']

/** A fault from `atMs` on, for `forMs`. */
export interface FaultEpisode {
  readonly id: number
  readonly atMs: number
  readonly forMs: number
  readonly fault: Fault
}

/**
 * What a simulated cluster lets a plan do to it. All of it is idempotent: crashing the dead, resuming the running and
 * restarting the living change nothing, so that any subset of a plan is a plan.
 */
export interface FaultTarget {
  readonly nodes: readonly string[]
  block(from: string, to: string): void
  unblock(from: string, to: string): void
  setLink(from: string, to: string, settings: Partial<LinkSettings> | null): void
  clog(from: string, to: string): void
  unclog(from: string, to: string): void
  disconnect(node: string, noticedAfterMs: number): void
  reconnect(node: string): void
  crash(node: string): void
  powerLoss(node: string): void
  restart(node: string): void
  /** Crashes `node` when it passes `point` for the `nth` time. */
  crashAt(
    node: string,
    at: { readonly point: CrashPoint; readonly nth: number },
    power: 'kept' | 'lost',
  ): { disarm(): void }
  pause(node: string): void
  resume(node: string): void
  setClockRate(node: string, rate: number | null): void
  jumpWallClock(node: string, byMs: number): void
  setTimerLag(node: string, lag: Latency | null): void
  slowDisk(node: string, factor: number): void
  stallDisk(node: string): Release
  failDisk(node: string, store: StoreName, times: FailTimes, point: FailPoint): void
  healDisk(node: string): void
  setLying(node: string, lies: boolean): void
  corruptDisk(node: string, store: StoreName, place: DamagePlace, damage: Damage): void
  wipeDisk(node: string): void
  /** @returns puts back what is on the disk now. */
  captureDisk(node: string): () => void
  /** Runs `run` after `delayMs` of true time. */
  later(delayMs: number, run: () => void): void
}

/** Lets the fault begin. @returns ends it. */
export function beginFault(target: FaultTarget, fault: Fault): () => void {
  switch (fault.kind) {
    case 'partition':
      return blockAll(target, linksBetween(target.nodes, fault.sides))
    case 'block':
      return blockAll(target, fault.links)
    case 'flap':
      return flap(target, fault.node, fault.upMs, fault.downMs)
    case 'link':
      return changeLinks(target, fault.from, fault.to, fault.settings)
    case 'clog':
      target.clog(fault.from, fault.to)
      return () => target.unclog(fault.from, fault.to)
    case 'disconnect':
      target.disconnect(fault.node, fault.noticedAfterMs)
      return () => target.reconnect(fault.node)
    case 'crash':
      return beginCrash(target, fault)
    case 'crashAll':
      for (const node of target.nodes) kill(target, node, fault.power)
      return () => {
        for (const node of target.nodes) target.restart(node)
      }
    case 'pause':
      target.pause(fault.node)
      return () => target.resume(fault.node)
    default:
      return beginLocalFault(target, fault)
  }
}

type LocalFault = Exclude<
  Fault,
  {
    kind: 'partition' | 'block' | 'flap' | 'link' | 'clog' | 'disconnect' | 'crash' | 'crashAll' | 'pause'
  }
>

/** Clocks and disks. */
function beginLocalFault(target: FaultTarget, fault: LocalFault): () => void {
  const { node } = fault
  switch (fault.kind) {
    case 'clockRate':
      target.setClockRate(node, fault.rate)
      return () => target.setClockRate(node, null)
    case 'wallJump':
      target.jumpWallClock(node, fault.byMs)
      return () => target.jumpWallClock(node, -fault.byMs)
    case 'timerLag':
      target.setTimerLag(node, fault.lag)
      return () => target.setTimerLag(node, null)
    case 'slowDisk':
      target.slowDisk(node, fault.factor)
      return () => target.slowDisk(node, 1)
    case 'stallDisk': {
      const hold = target.stallDisk(node)
      return () => hold.release()
    }
    case 'failDisk':
      target.failDisk(node, fault.store, fault.times, fault.point)
      return () => {
        target.healDisk(node)
        bounce(target, node, () => {})
      }
    case 'corrupt':
      target.crash(node)
      target.corruptDisk(node, fault.store, fault.place, fault.damage)
      return () => target.restart(node)
    case 'wipe':
      target.powerLoss(node)
      target.wipeDisk(node)
      return () => target.restart(node)
    case 'oldImage': {
      const putBack = target.captureDisk(node)
      return () => bounce(target, node, putBack)
    }
    case 'lie':
      target.setLying(node, true)
      return () => {
        target.powerLoss(node)
        target.setLying(node, false)
        target.restart(node)
      }
  }
}

function beginCrash(target: FaultTarget, fault: Extract<Fault, { kind: 'crash' }>): () => void {
  if (fault.at === undefined) {
    kill(target, fault.node, fault.power)
    return () => target.restart(fault.node)
  }
  const armed = target.crashAt(fault.node, fault.at, fault.power)
  return () => {
    armed.disarm()
    target.restart(fault.node)
  }
}

function kill(target: FaultTarget, node: string, power: 'kept' | 'lost'): void {
  if (power === 'lost') target.powerLoss(node)
  else target.crash(node)
}

function bounce(target: FaultTarget, node: string, whileDown: () => void): void {
  target.crash(node)
  whileDown()
  target.restart(node)
}

function blockAll(target: FaultTarget, links: readonly (readonly [string, string])[]): () => void {
  for (const [from, to] of links) target.block(from, to)
  return () => {
    for (const [from, to] of links) target.unblock(from, to)
  }
}

/** Both directions between nodes that share no side. */
export function linksBetween(
  nodes: readonly string[],
  sides: readonly (readonly string[])[],
): [from: string, to: string][] {
  const together = (a: string, b: string): boolean =>
    sides.some((side) => side.includes(a) && side.includes(b))
  return nodes.flatMap((from) =>
    nodes.filter((to) => to !== from && !together(from, to)).map((to): [string, string] => [from, to]),
  )
}

function changeLinks(
  target: FaultTarget,
  from: string,
  to: string,
  settings: Partial<LinkSettings>,
): () => void {
  const links = target.nodes.flatMap((a) =>
    target.nodes
      .filter((b) => a !== b && (from === '*' || from === a) && (to === '*' || to === b))
      .map((b): [string, string] => [a, b]),
  )
  for (const [a, b] of links) target.setLink(a, b, settings)
  return () => {
    for (const [a, b] of links) target.setLink(a, b, null)
  }
}

function flap(target: FaultTarget, node: string, upMs: number, downMs: number): () => void {
  const links = linksBetween(target.nodes, [[node], target.nodes.filter((other) => other !== node)])
  let heal: (() => void) | null = null
  let ended = false
  const turn = (): void => {
    if (ended) return
    if (heal === null) heal = blockAll(target, links)
    else {
      heal()
      heal = null
    }
    target.later(heal === null ? upMs : downMs, turn)
  }
  turn()
  return () => {
    ended = true
    heal?.()
  }
}
