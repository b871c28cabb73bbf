// A raffle kept by three members, put through everything that a seed draws: cuts, crashes, lost messages, slow disks.
import type { StateMachine } from 'quorate'
import { createSimulation, drawPlan, startFaults, worldOf } from 'quorate/testing'

export type RaffleCommand = { readonly buy: string } | { readonly draw: number }

export class Raffle implements StateMachine<RaffleCommand, string | null> {
  readonly #tickets: string[] = []
  readonly #winners: string[] = []
  apply(command: RaffleCommand): string | null {
    if ('buy' in command) this.#tickets.push(command.buy)
    else this.#winners.push(...this.#tickets.splice(Math.floor(this.luck(command) * this.#tickets.length), 1))
    return this.#winners.at(-1) ?? null
  }
  /** Chance comes with the command: it is the same on every member. */
  protected luck(command: { readonly draw: number }): number {
    return command.draw
  }
  stateHash(): string {
    return JSON.stringify([this.#tickets, this.#winners])
  }
}

/** Looks for what goes wrong with seed `seed`. Rejects with what, and at which index of the log. */
export async function tryOut(seed: number, createMachine: () => Raffle): Promise<number> {
  const plan = drawPlan({ seed, nodes: 3 })
  const sim = await createSimulation({ ...worldOf(plan), stateMachine: createMachine })
  const faults = startFaults(sim, plan)
  let done = 0
  for (let i = 1; i <= 100; i++) {
    const command = i % 5 === 0 ? { draw: (i * 0.618) % 1 } : { buy: `ticket ${i}` }
    void sim.propose(sim.leader() ?? 'A', command).then(({ outcome }) => outcome === 'ok' && done++)
    await sim.run(plan.safetyMs / 100)
  }
  faults.stop()
  await sim.run(60_000)
  sim.check()
  await sim.close()
  return done
}
