// What short losses of the leader's connection to the bus do: how many lead to an election, and how long writes stand still.

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectClient } from '../src/client.ts'
import { connectNats } from '../src/index.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { BackgroundLoad } from './failover.ts'

export interface BlinksResult {
  readonly mode: 'blinks'
  readonly blinks: number
  readonly elections: number
  /** From the loss to the next write that was accepted. */
  readonly medianMs: number
  readonly maxMs: number
}

const CALM_MS = 300

export async function measureBlinks(
  options: ClusterOptions & { readonly blinks: number; readonly progress: (line: string) => void },
): Promise<BlinksResult> {
  const ways = new Map<string, Way>()
  const cluster = await Cluster.start({
    ...options,
    wayTo: async (url, id) => {
      const way = await Way.open(url)
      ways.set(id, way)
      return way.url
    },
  })
  const transport = await connectNats({ id: 'bench-client', servers: cluster.nats.url })
  const client = connectClient({ transport, group: 'bench', timeoutMs: 10_000 })
  const allMs: number[] = []
  try {
    const first = await cluster.leader()
    const load = new BackgroundLoad((command) => client.apply(command))
    for (let blink = 1; blink <= options.blinks; blink++) {
      await sleep(CALM_MS)
      const { id } = await cluster.leader()
      const cutAt = performance.now()
      ways.get(id)?.cut()
      allMs.push(Math.round((await load.acceptedAfter(cutAt)) - cutAt))
      if (blink % 10 === 0) options.progress(`blink ${blink} of ${options.blinks}: ${allMs.at(-1)} ms`)
    }
    load.stop()
    const elections = (await cluster.leader()).term - first.term
    const sorted = [...allMs].sort((a, b) => a - b)
    const [medianMs = 0, maxMs = 0] = [sorted[sorted.length >> 1], sorted.at(-1)]
    return { mode: 'blinks', blinks: allMs.length, elections, medianMs, maxMs }
  } finally {
    client.close()
    await transport.close()
    await cluster.stop()
    for (const way of ways.values()) way.close()
  }
}

/** Between one member and the server; cut, its connections are gone, and new ones are taken at once. */
class Way {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket)
        socket.setNoDelay(true)
        socket.on('error', () => {})
        socket.on('close', () => {
          this.#sockets.delete(socket)
          other.destroy()
        })
        socket.pipe(other)
      }
    })
  }

  static async open(serverUrl: string): Promise<Way> {
    const way = new Way(Number(new URL(serverUrl).port))
    way.#server.listen(0, '127.0.0.1')
    await once(way.#server, 'listening')
    return way
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The way is closed.')
    return `nats://127.0.0.1:${address.port}`
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.#server.close()
    this.cut()
  }
}
