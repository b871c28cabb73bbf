// The stage of the demo: a directory, a bus and members for the story, all put away whatever happens.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryBus } from '../../transport/memory/memory-bus.ts'
import { connectNats } from '../../transport/nats/connect-nats.ts'
import type { Transport } from '../../transport/transport.ts'
import { spokenWarnings } from '../bus.ts'
import { exitCodeOfSignal, takeSignals } from '../signals.ts'
import { Cluster } from './cluster.ts'
import type { DemoFlags } from './flags.ts'
import { openDemoInspector } from './inspector.ts'
import type { DemoReport } from './report.ts'
import { Screen } from './screen.ts'
import { Story } from './story.ts'

export async function runDemo(flags: DemoFlags): Promise<DemoReport> {
  const { nodes, group, data } = flags
  const dataDir = data ?? mkdtempSync(join(tmpdir(), 'quorate-demo-'))
  const removeFiles = (): void => {
    // Disk threads may still be writing: then there is more to remove than was there at first.
    if (data === undefined) rmSync(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  }
  // Whoever interrupts it finds no files. In one turn, so that no member can begin new ones in between.
  takeSignals((signal) => {
    removeFiles()
    process.exit(exitCodeOfSignal(signal))
  })
  const connections: Transport[] = []
  const connect = connector(flags.nats, connections)
  const screen = new Screen(flags.json === true)
  const ids = Array.from({ length: nodes }, (_, at) => `n${at + 1}`)
  const cluster = new Cluster({
    ...{ ids, group, dataDir, connect },
    onRole: (id, { from, to, term, reason }) => screen.event(id, `${from} → ${to}, term ${term}, ${reason}`),
  })
  let closeInspector: () => unknown = () => {}
  try {
    if (flags.inspect === true)
      closeInspector = await openDemoInspector({ nodes: () => cluster.nodes, screen })
    return await new Story({ flags, ids, cluster, screen, connect }).play()
  } finally {
    screen.endProgress()
    await closeInspector()
    await cluster.close()
    await Promise.allSettled(connections.map((connection) => connection.close()))
    removeFiles()
  }
}

/** Opens connections for members and clients, on one bus, and notes them in `opened`. */
export function connector(
  nats: string | undefined,
  opened: Transport[],
): (name: string) => Promise<Transport> {
  const bus = new MemoryBus()
  return async (name) => {
    const connection =
      nats === undefined
        ? bus.connect(name)
        : await connectNats({ servers: nats, id: name, logger: spokenWarnings })
    opened.push(connection)
    return connection
  }
}
