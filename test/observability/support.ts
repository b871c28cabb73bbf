// A host with one group, watched over HTTP.

import type { Host } from '../../src/api.ts'
import { openHost } from '../../src/host/open-host.ts'
import { KeyValueStore } from '../../src/machines/kv.ts'
import { type HttpServer, serveHttp } from '../../src/observability/http/serve-http.ts'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'

export const FAST = { electionTimeoutMs: 100, maxClockDriftMs: 50, maxElectionDelayMs: 50 }

export interface Watched extends AsyncDisposable {
  readonly host: Host
  readonly http: HttpServer
  get(path: string, init?: RequestInit): Promise<Response>
}

export async function watchedHost(
  peers: readonly string[] = ['n1'],
  bus = new MemoryBus(),
): Promise<Watched> {
  const host = await openHost({ id: 'n1', storage: new MemoryStorage(), transport: bus.connect('n1') })
  const node = await host.startNode({ group: 'demo', peers, stateMachine: new KeyValueStore(), ...FAST })
  if (peers.length === 1) await untilLeader(node)
  const http = await serveHttp(host, { port: 0 })
  return {
    host,
    http,
    get: (path, init) => fetch(`${http.url}${path}`, init),
    [Symbol.asyncDispose]: async () => {
      await http.close()
      await host.close()
    },
  }
}

function untilLeader(node: ReturnType<Host['nodes']>[number]): Promise<void> {
  return new Promise((resolve) => {
    const isEstablished = (): boolean => node.status().role === 'leader'
    if (isEstablished()) return resolve()
    const end = node.on('role', ({ to }) => {
      if (to !== 'leader') return
      end()
      resolve()
    })
  })
}
