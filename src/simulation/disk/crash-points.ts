// Crashes at named moments instead of points in time: the world says what is happening where, and whoever
// armed that moment pulls the plug in the middle of it.

import type { SnapshotCallKind } from '../../storage/snapshots/calls.ts'
import type { MessageKind } from '../bus/message-kind.ts'
import type { StoreName, WriteOp } from './disk-image.ts'

export type WriteStage = 'issued' | 'writing' | 'syncing' | 'synced' | 'answered'

/**
 * `issued`: the node has asked for the write; `writing`, `syncing`: the disk begins; `synced`: durable, nobody knows;
 * `answered`: the node knows. `send`: half of the time the message still leaves. `deliver`: before it is handled.
 * Of snapshots, `begun`, `done` and `answered` are about one step on their disk, `capture`, `load` and `loaded` about user
 * code.
 */
export type CrashPoint =
  | `${WriteStage}:${StoreName | WriteOp['kind']}`
  | `${'begun' | 'done' | 'answered'}:${SnapshotCallKind}`
  | `${'send' | 'deliver'}:${MessageKind}`
  | 'commit'
  | 'apply'
  | 'completion'
  | 'capture'
  | 'load'
  | 'loaded'

interface Armed {
  readonly node: string
  readonly point: CrashPoint
  /** How many times it still has to pass before it bites. */
  left: number
  readonly crash: () => void
}

export class CrashPoints {
  readonly #armed: Armed[] = []

  /** Calls `crash` when `node` comes by `point` for the `nth` time from now (1: the next time). */
  arm(node: string, point: CrashPoint, nth: number, crash: () => void): { disarm(): void } {
    const armed: Armed = { node, point, left: nth, crash }
    this.#armed.push(armed)
    return { disarm: () => this.#remove(armed) }
  }

  /** `node` is at `point`. Costs nothing while nothing is armed. */
  hit(node: string, point: CrashPoint): void {
    for (const armed of this.#armed) {
      if (armed.node !== node || armed.point !== point) continue
      armed.left--
      if (armed.left > 0) continue
      this.#remove(armed)
      armed.crash()
      return
    }
  }

  get armed(): number {
    return this.#armed.length
  }

  #remove(armed: Armed): void {
    const at = this.#armed.indexOf(armed)
    if (at >= 0) this.#armed.splice(at, 1)
  }
}
