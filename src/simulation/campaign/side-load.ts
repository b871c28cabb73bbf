// Writes to the other groups of the same processes, and in the end the question whether each of them has woken up.

import type { Random } from '../../runtime/random.ts'
import { InvariantViolation } from '../invariants/invariants.ts'
import type { Simulation } from '../simulation.ts'
import { EventKind } from '../time/scheduler.ts'
import { drawLatencyMs, exponential, pick } from '../time/sim-random.ts'
import type { SideGroupPlan } from './side-group-plan.ts'

export class SideLoad {
  readonly #sim: Simulation
  readonly #random: Random
  readonly #plan: readonly SideGroupPlan[]
  #stopped = false

  constructor(sim: Simulation, random: Random, plan: readonly SideGroupPlan[]) {
    this.#sim = sim
    this.#random = random
    this.#plan = plan
  }

  start(): void {
    for (const { name, everyMs } of this.#plan) if (everyMs !== null) this.#writeEvery(name, everyMs)
  }

  stop(): void {
    this.#stopped = true
  }

  /** Each is led by somebody whom all of the core follow, whether anybody wrote to it or not; and then it works. */
  async wakesUp(core: readonly string[], withinMs: number): Promise<void> {
    const { sideGroups } = this.#sim
    const names = core.join(',')
    if (!(await this.#sim.until(() => sideGroups.unled(core).length === 0, withinMs)))
      throw new InvariantViolation(
        'INV-0',
        `L1: nobody leads all of ${names} in ${sideGroups.unled(core).join(' ')}`,
      )
    sideGroups.writeToAll(core)
    if (!(await this.#sim.until(() => sideGroups.unequal(core).length === 0, withinMs)))
      throw new InvariantViolation(
        'INV-0',
        `L7: not all of ${names} are equal in ${sideGroups.unequal(core).join(' ')}`,
      )
  }

  #writeEvery(name: string, everyMs: number): void {
    const sim = this.#sim
    const random = this.#random
    const next = (): void => {
      if (this.#stopped) return
      const member = sim.members.get(pick(random, sim.nodes))
      if (member?.alive === true) member.enter(() => sim.sideGroups.write(name, member.id))
      sim.scheduler.schedule(drawLatencyMs(random, exponential(everyMs)), EventKind.OTHER, next)
    }
    sim.scheduler.schedule(drawLatencyMs(random, exponential(everyMs)), EventKind.OTHER, next)
  }
}
