// One member of the demo: a real host with real files and a bus connection of its own.

import type { Host, RaftNode } from '../../api.ts'
import { openHost } from '../../host/open-host.ts'
import { KeyValueStore } from '../../machines/kv.ts'
import type { Clock } from '../../runtime/clock.ts'
import { type AttachedServices, attachServices } from '../../services/attach.ts'
import type { Transport } from '../../transport/transport.ts'
import { packageVersion } from '../version.ts'

/** Slow enough to be watched; without it 16 MB are there in a moment. */
const VISIBLE_BYTES_PER_SECOND = 16 * 1024 * 1024

export interface MemberOptions {
  readonly id: string
  readonly peers: readonly string[]
  readonly group: string
  readonly dataDir: string
  readonly connect: (name: string) => Promise<Transport>
  readonly clock?: Clock
}

export class Member {
  readonly node: RaftNode
  readonly #transport: Transport
  readonly #host: Host
  readonly #services: AttachedServices

  /** Use `openMember`. */
  constructor(transport: Transport, host: Host, node: RaftNode) {
    this.node = node
    this.#transport = transport
    this.#host = host
    this.#services = attachServices({ transport, node, version: packageVersion() })
  }

  /** As if its process had been killed: no farewell, and what is on its way to it is lost. Its files are free after. */
  async kill(): Promise<void> {
    // The connection first: a killed process says nothing any more, not even what its actors had just decided.
    const disconnected = this.#transport.close()
    this.#host.destroy()
    this.#services.detach()
    await disconnected
    await this.#host.close()
  }

  async close(): Promise<void> {
    this.#services.detach()
    await this.#host.close()
    await this.#transport.close()
  }
}

/** Nothing stays open when it fails. */
export async function openMember(options: MemberOptions): Promise<Member> {
  const { id, peers, group, dataDir, clock } = options
  const transport = await options.connect(id)
  let host: Host | undefined
  try {
    host = await openHost({
      id,
      dataDir,
      transport,
      ...(clock === undefined ? {} : { clock }),
      snapshotThrottle: { bytesPerSecond: VISIBLE_BYTES_PER_SECOND },
    })
    const node = await host.startNode({ group, peers, stateMachine: new KeyValueStore() })
    return new Member(transport, host, node)
  } catch (error) {
    await host?.close()
    await transport.close()
    throw error
  }
}
