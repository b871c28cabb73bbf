// Drawn faults on a simulation that somebody drives by hand: for testing a state machine of one's own under them.

import type { Simulation } from '../simulation.ts'
import type { SimulationOptions } from '../simulation-options.ts'
import { Nemesis } from './nemesis.ts'
import type { SwarmPlan } from './swarm.ts'

/**
 * The part of a plan that a simulation is created with: members, options, speeds of links, disks, clocks and machines.
 * Not the bad manners of the plan's user code: what a machine of yours was given is its own to keep.
 */
export function worldOf(plan: SwarmPlan): SimulationOptions {
  const { seed, nodes, tuning, link, disk, timerLag, deferLag, lookMs, clockRates } = plan
  const pace = plan.machinePace === null ? {} : { machinePace: plan.machinePace }
  return {
    seed,
    nodes,
    joiners: plan.memberChanges?.joiners ?? [],
    options: tuning,
    link,
    disk,
    timerLag,
    deferLag,
    lookMs,
    clockRates,
    ...pace,
  }
}

export interface RunningFaults {
  /** Ends all faults, heals links and disks, and starts again whoever is dead or has stopped itself. */
  stop(): void
}

/** Lets the faults that `plan` drew happen to a simulation created with `worldOf(plan)`. Their times count from now. */
export function startFaults(sim: Simulation, plan: SwarmPlan): RunningFaults {
  const nemesis = new Nemesis({
    scheduler: sim.scheduler,
    target: sim,
    episodes: plan.episodes,
    note: (what, { id, fault }) => sim.note('nemesis', what, { id, kind: fault.kind }),
  })
  nemesis.start()
  return {
    stop() {
      nemesis.stop()
      sim.heal()
      for (const id of sim.nodes) {
        sim.healDisk(id)
        sim.resume(id)
        if (sim.members.get(id)?.status().role === 'error') sim.crash(id)
        sim.restart(id)
      }
    },
  }
}
