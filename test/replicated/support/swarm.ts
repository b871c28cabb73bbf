// A drawn swarm that carries machines of one kind: its members, and the load that goes to whoever leads.

import type { Simulation } from '../../../src/testing.ts'
import { type PreviousMachine, type Replicated, replicate } from '../../../src/xstate.ts'
import type { Judge } from './judge.ts'
import type { Doings, Kind } from './kinds.ts'

const KEYS = 8

export function replicaOf(
  { machine, durable, jobTimeoutMs }: Kind,
  doings: Doings,
  newer: { readonly version: string; readonly previous: PreviousMachine } | null = null,
): Replicated<ReturnType<Kind['machine']>> {
  return replicate(machine(doings, newer?.version), {
    ...{ maxIterations: 100, compareEvery: 10, durable, jobTimeoutMs },
    ...(newer !== null && { previous: newer.previous }),
  })
}

export class Load {
  readonly #sim: Simulation
  readonly #judge: Judge
  readonly #kind: Kind
  #sent = 0

  constructor(sim: Simulation, judge: Judge, kind: Kind) {
    this.#sim = sim
    this.#judge = judge
    this.#kind = kind
  }

  /** Sends events to whoever leads, and tells the judge which were acknowledged. */
  async send(count: number, everyMs: number): Promise<void> {
    const { events } = this.#kind
    for (const until = this.#sent + count; this.#sent < until; ) {
      const n = this.#sent++
      // No instance gets the same kind of event for ever.
      const key = `i${(n + Math.floor(n / events.length)) % KEYS}`
      const event = { type: events[n % events.length], n }
      void this.#sim.propose(this.#sim.leader() ?? 'A', ['event', key, event]).then((answer) => {
        const isAccepted = answer.outcome === 'ok' && Object(answer.result).accepted === true
        if (isAccepted) this.#judge.acknowledged(key, n)
      })
      await this.#sim.run(everyMs)
    }
  }
}

/** Those that run the machine. One whose files are damaged does not start, and has said so. */
export function carriers(sim: Simulation): readonly string[] {
  const { peers, witnesses } = sim.node(sim.leader() ?? 'A').status()
  const all = peers.filter((id) => !witnesses.includes(id))
  const well = all.filter((id) => sim.node(id).status().error === null)
  if (2 * well.length <= all.length) throw new Error(`only ${well.join(', ')} of ${all.join(', ')} are well`)
  return well
}
