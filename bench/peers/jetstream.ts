// Three nats-servers with a JetStream stream of three replicas on disk. They do not sync each message before they acknowledge it.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { connect, StorageType } from 'nats'
import { NatsServer } from '../../test/support/nats-server.ts'
import { eventually, type Peer } from './peer.ts'
import { freePorts } from './ports.ts'

export const STREAM_SUBJECT = 'bench.commands'
const NAMES = ['s1', 's2', 's3'] as const

export async function startJetStream(parent: string): Promise<Peer> {
  const directory = mkdtempSync(join(parent, '.bench-jetstream-'))
  const servers: NatsServer[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.kill()))
    await Promise.all(servers.map((server) => server.stop()))
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const ports = await freePorts(NAMES.length)
    const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(', ')
    for (const [at, name] of NAMES.entries()) {
      const store = `server_name: ${name}\njetstream { store_dir: ${JSON.stringify(join(directory, name))} }`
      const cluster = `cluster { name: bench, listen: "127.0.0.1:${ports[at]}", routes: [${routes}] }`
      servers.push(await NatsServer.start({ config: `${store}\n${cluster}` }))
    }
    const urls = servers.map(({ url }) => url)
    const leader = await eventually('JetStream', () => streamLeader(urls))
    // An address that is not known has another name: any of them passes messages on.
    const address = urls.find((_, at) => NAMES[at] === leader) ?? urls.join(',')
    return { address, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Makes the stream if there is none. */
async function streamLeader(addresses: readonly string[]): Promise<string | null> {
  const connection = await connect({ servers: [...addresses] })
  try {
    const manager = await connection.jetstreamManager()
    const settings = { name: 'bench', subjects: [STREAM_SUBJECT], num_replicas: 3 }
    const { cluster } = await manager.streams.add({ ...settings, storage: StorageType.File })
    return cluster?.leader ?? null
  } finally {
    await connection.close()
  }
}
