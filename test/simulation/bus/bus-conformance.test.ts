// The simulated bus without faults is a bus like the others. Virtual time is driven along with the event loop here,
// because the cases wait for promises.

import { afterEach, describe, test } from 'vitest'
import { type MakeTransports, transportConformance } from '../../../src/testing/transport-conformance.ts'
import { World } from '../support/world.ts'

let stopDriving = (): void => {}
afterEach(() => stopDriving())

const overSimulation: MakeTransports = async (count, { maxPayloadBytes } = {}) => {
  // The cases compare across subscriptions, as one connection of a real bus allows.
  const world = new World(1, {
    orderPer: 'connection',
    link: { latency: { shape: 'constant', ms: 0 } },
    ...(maxPayloadBytes === undefined ? {} : { maxPayloadBytes }),
  })
  const transports = Array.from({ length: count }, (_, i) => world.bus.connect(world.process(`n${i}`)))
  const driver = setInterval(() => world.run(100), 0)
  stopDriving = () => clearInterval(driver)
  return {
    transports,
    interrupt: async () => {
      for (const transport of transports) transport.disconnect(1)
    },
    restore: async () => {
      for (const transport of transports) transport.reconnect()
    },
    close: async () => void (await Promise.all(transports.map((transport) => transport.close()))),
  }
}

/** In the simulation an exception that leaves a handler is a finding and ends the run. */
const NOT_HERE = 'survives a handler that throws'

describe('the simulated bus', () => {
  const cases = transportConformance.filter(({ name }) => name !== NOT_HERE)
  test.each(cases.map(({ name, run }) => [name, run] as const))('%s', (_name, run) => run(overSimulation))
})
