// Clients that never stop asking, and the history of what they were told, to be checked for linearizability.

import { setTimeout as sleep } from 'node:timers/promises'
import type { QuorateClient } from '../../../src/client.ts'
import { isQuorateError } from '../../../src/errors.ts'
import type { KvResult as ProductResult } from '../../../src/machines/kv-commands.ts'
import { History, type Operation } from '../../../src/simulation/history/history.ts'
import type { KvCommand, KvResult } from '../../../src/simulation/history/kv-model.ts'
import { checkLinearizability, type Verdict } from '../../../src/simulation/history/linearizability.ts'

const PAUSE_AFTER_ERROR_MS = 20
/** Few keys, so that clients meet; operations on a key are bounded by starting a new one now and then. */
const KEYS = 4
const OPERATIONS_PER_KEY = 40

export class Workload {
  readonly history = new History(() => performance.now())
  readonly #client: QuorateClient
  readonly #names: readonly string[]
  #clients: Promise<void>[] = []
  /** When writes were accepted. */
  readonly #acceptedAtMs: number[] = []
  readonly #waiting = new Set<() => void>()
  #stopped = false
  #sent = 0

  constructor(client: QuorateClient, clients: number) {
    this.#client = client
    this.#names = Array.from({ length: clients }, (_, i) => `c${i}`)
    this.start()
  }

  /** Again, after a stop. */
  start(): void {
    this.#stopped = false
    this.#clients = this.#names.map((name) => this.#run(name))
  }

  /** Writes that the group has accepted so far. */
  get acknowledged(): number {
    return this.#acceptedAtMs.length
  }

  /** Resolves when `more` further writes have been accepted. */
  progress(more: number): Promise<void> {
    const goal = this.acknowledged + more
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.acknowledged < goal) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** The longest time without an accepted write, of those that touch this span. There have to be some before and after it. */
  longestPauseMs(fromMs: number, untilMs: number): number {
    const times = this.#acceptedAtMs
    let longestMs = 0
    for (let i = times.length - 1; i > 0; i--) {
      const [beforeMs = 0, afterMs = 0] = [times[i - 1], times[i]]
      if (afterMs < fromMs) break
      if (beforeMs <= untilMs) longestMs = Math.max(longestMs, afterMs - beforeMs)
    }
    return longestMs
  }

  /** Reads every key that was ever written, as one more client: what was acknowledged has to be there. */
  async readBack(): Promise<void> {
    const keys = new Set(this.history.operations.map(({ command }) => command.key))
    for (const key of keys) {
      const id = this.history.invoke('reader', { op: 'get', key })
      this.history.complete(id, 'ok', await this.#ask({ op: 'get', key }))
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#clients)
  }

  /** What was asked after `sinceMs`, has come to its end, and nobody knows to which. */
  lostSince(sinceMs: number): readonly Operation[] {
    return this.history.operations.filter(
      (o) => o.outcome === 'unknown' && o.completedAtMs !== null && o.invokedAtMs >= sinceMs,
    )
  }

  check(): Verdict {
    return checkLinearizability(this.history.operations)
  }

  async #run(name: string): Promise<void> {
    while (!this.#stopped) {
      const command = this.#next()
      const id = this.history.invoke(name, command)
      try {
        this.history.complete(id, 'ok', await this.#ask(command))
        if (command.op !== 'get') this.#accepted()
      } catch (error) {
        const unknown = !isQuorateError(error) || error.outcome === 'unknown'
        this.history.complete(id, unknown ? 'unknown' : 'failed')
        await sleep(PAUSE_AFTER_ERROR_MS)
      }
    }
  }

  #accepted(): void {
    this.#acceptedAtMs.push(performance.now())
    for (const look of this.#waiting) look()
  }

  #next(): KvCommand {
    const n = this.#sent++
    const key = `k${Math.floor(n / (KEYS * OPERATIONS_PER_KEY))}-${n % KEYS}`
    const value = `v${n}`
    switch (n % 5) {
      case 0:
        return { op: 'put', key, value }
      case 1:
        return { op: 'cas', key, expect: `v${n - 1}`, value }
      case 2:
        return { op: 'append', key, value: `+${n}` }
      default:
        return { op: 'get', key }
    }
  }

  async #ask(command: KvCommand): Promise<KvResult> {
    switch (command.op) {
      case 'get':
        return this.#client.read<string | null>(['get', command.key])
      case 'put':
        await this.#client.apply(['put', command.key, command.value])
        return true
      case 'cas': {
        const { result } = await this.#client.apply<ProductResult>([
          'cas',
          command.key,
          command.expect,
          command.value,
        ])
        return result !== null && 'swapped' in result && result.swapped
      }
      case 'append': {
        const { result } = await this.#client.apply<ProductResult>(['append', command.key, command.value])
        return result !== null && 'length' in result ? result.length : -1
      }
      case 'delete':
        await this.#client.apply(['delete', command.key])
        return true
    }
  }
}
