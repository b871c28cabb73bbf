// The nats-server's own count of what goes over the bus, from its monitoring port.

import { z } from 'zod'
import { NatsServer } from '../../test/support/nats-server.ts'

const countsSchema = z.object({ in_msgs: z.number(), out_msgs: z.number(), slow_consumers: z.number() })

export interface BusCounts {
  /** Messages that clients have published, requests and answers alike. */
  readonly messages: number
  /** Connections that did not read fast enough, and lost messages by it. */
  readonly slowConsumers: number
  readonly atMs: number
}

/** A server that can be asked. */
export class MonitoredServer {
  readonly nats: NatsServer
  readonly #address: string

  private constructor(nats: NatsServer, address: string) {
    this.nats = nats
    this.#address = address
  }

  static async start(): Promise<MonitoredServer> {
    const nats = await NatsServer.start({ config: 'http: "127.0.0.1:-1"' })
    const port = /http monitor on 127\.0\.0\.1:(\d+)/.exec(nats.log)?.[1]
    if (port !== undefined) return new MonitoredServer(nats, `http://127.0.0.1:${port}/varz`)
    await nats.stop()
    throw new Error('nats-server says no port for its monitoring: this version has none.')
  }

  async counts(): Promise<BusCounts> {
    const counts = countsSchema.parse(await (await fetch(this.#address)).json())
    return { messages: counts.in_msgs, slowConsumers: counts.slow_consumers, atMs: performance.now() }
  }
}

/** Messages per second between two moments. */
export function rateBetween(before: BusCounts, after: BusCounts): number {
  const seconds = (after.atMs - before.atMs) / 1000
  return seconds > 0 ? Math.round((after.messages - before.messages) / seconds) : 0
}
