// What the clients of a campaign ask for, drawn one operation at a time.

import type { ReadLevel } from '../../api.ts'
import type { Random } from '../../runtime/random.ts'
import type { KvCommand } from '../history/kv-model.ts'
import { pick } from '../time/sim-random.ts'
import type { ClientPlan } from './swarm.ts'

export class LoadDraw {
  readonly #clients: ClientPlan
  readonly #latest: () => KvCommand | undefined
  /** How often each key was drawn. */
  readonly #uses: number[] = []

  /** `latest` is what somebody has asked for last: what it writes is what the next comparison expects. */
  constructor(clients: ClientPlan, latest: () => KvCommand | undefined) {
    this.#clients = clients
    this.#latest = latest
  }

  draw(random: Random, value: string): { command: KvCommand; level: ReadLevel } {
    const { weights, keys, operationsPerKey } = this.#clients
    const slot = Math.floor(random.next() * keys)
    // A key is used for a while only: what is unknown about it must stay checkable.
    const used = this.#uses[slot] ?? 0
    this.#uses[slot] = used + 1
    const key = `k${slot}.${Math.floor(used / operationsPerKey)}`
    const ops = Object.entries(weights).flatMap(([op, weight]) => Array.from({ length: weight }, () => op))
    const op = pick(random, ops)
    switch (op) {
      case 'put':
      case 'append':
        return { command: { op, key, value }, level: 'readIndex' }
      case 'cas': {
        const known = this.#latest()
        const expect = known !== undefined && 'value' in known ? known.value : null
        return { command: { op, key, expect, value }, level: 'readIndex' }
      }
      case 'delete':
        return { command: { op, key }, level: 'readIndex' }
      default:
        return { command: { op: 'get', key }, level: op === 'lease' || op === 'local' ? op : 'readIndex' }
    }
  }
}
