// A small simulated world for the tests of its parts: one scheduler, one bus, processes with clocks.

import { type BusObserver, SimBus, type SimBusOptions } from '../../../src/simulation/bus/sim-bus.ts'
import { SimDisk, type SimDiskOptions } from '../../../src/simulation/disk/sim-disk.ts'
import { SimProcess } from '../../../src/simulation/sim-process.ts'
import { Scheduler } from '../../../src/simulation/time/scheduler.ts'
import { SimClock, type SimClockOptions } from '../../../src/simulation/time/sim-clock.ts'
import { streamOf } from '../../../src/simulation/time/sim-random.ts'

export class World {
  readonly seed: number
  readonly scheduler: Scheduler
  readonly bus: SimBus
  readonly #lives = new Map<string, number>()

  constructor(seed = 1, options: Partial<SimBusOptions> & { observer?: BusObserver } = {}) {
    this.seed = seed
    this.scheduler = new Scheduler({ random: streamOf(seed, 'scheduler') })
    this.bus = new SimBus({ scheduler: this.scheduler, seed, ...options })
  }

  process(id: string): SimProcess {
    const life = (this.#lives.get(id) ?? 0) + 1
    this.#lives.set(id, life)
    return new SimProcess({
      scheduler: this.scheduler,
      random: streamOf(this.seed, `process ${id} ${life}`),
      id,
      life,
    })
  }

  clock(id: string, options: Partial<SimClockOptions> = {}): { process: SimProcess; clock: SimClock } {
    const process = options.process ?? this.process(id)
    return { process, clock: new SimClock({ process, ...options }) }
  }

  disk(id: string, options: Partial<SimDiskOptions> = {}): SimDisk {
    return new SimDisk({
      id,
      scheduler: this.scheduler,
      random: streamOf(this.seed, `disk ${id}`),
      ...options,
    })
  }

  run(ms: number): void {
    this.scheduler.runUntil(this.scheduler.nowMs + ms)
  }
}
