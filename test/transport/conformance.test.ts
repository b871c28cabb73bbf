import { describe, test } from 'vitest'
import { type MakeTransports, transportConformance } from '../../src/testing/transport-conformance.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { connectNats } from '../../src/transport/nats/connect-nats.ts'
import { NatsServer } from '../support/nats-server.ts'

const overMemory: MakeTransports = async (count, options = {}) => {
  const bus = new MemoryBus(options)
  const transports = Array.from({ length: count }, (_, i) => bus.connect(`n${i}`))
  return {
    transports,
    interrupt: async () => {
      for (const transport of transports) transport.disconnect()
    },
    restore: async () => {
      for (const transport of transports) transport.reconnect()
    },
    close: async () => void (await Promise.all(transports.map((transport) => transport.close()))),
  }
}

const overNats: MakeTransports = async (count, { maxPayloadBytes } = {}) => {
  const config = maxPayloadBytes === undefined ? '' : `max_payload: ${maxPayloadBytes}`
  const server = await NatsServer.start({ config })
  const connect = (_: unknown, i: number) => connectNats({ servers: server.url, id: `n${i}` })
  const transports = await Promise.all(Array.from({ length: count }, connect))
  return {
    transports,
    interrupt: () => server.kill(),
    restore: () => server.restart(),
    close: async () => {
      await Promise.all(transports.map((transport) => transport.close()))
      await server.stop()
    },
  }
}

describe.each([
  ['the in-process bus', overMemory],
  ['NATS', overNats],
] as const)('%s', (_name, make) => {
  test.each(transportConformance.map(({ name, run }) => [name, run] as const))('%s', (_case, run) =>
    run(make),
  )
})
