// The demo in the Stately inspector: it waits a moment for whoever opens the page, so that nothing is missed.

import { setTimeout as pause } from 'node:timers/promises'
import { watchGroup } from '../../client.ts'
import { openBridge } from '../../inspect/bridge.ts'
import { StatelyStream } from '../../inspect/stately-stream.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Transport } from '../../transport/transport.ts'
import type { Screen } from './screen.ts'

export interface DemoInspectorOptions {
  readonly group: string
  readonly screen: Screen
  readonly connect: (name: string) => Promise<Transport>
}

const PATIENCE_MS = 20_000

/** Resolves when somebody has come, or nobody in time. Returns what ends it. */
export async function openDemoInspector({
  group,
  screen,
  connect,
}: DemoInspectorOptions): Promise<() => unknown> {
  const stream = new StatelyStream(() => systemClock.wallMs())
  const bridge = await openBridge({ stream, port: 0 })
  const watch = watchGroup({ transport: await connect('inspector'), group })
  stream.add(watch.model)
  screen.step(`Open the Stately inspector: ${bridge.url}`)
  screen.line(`  It begins when you do, or after ${PATIENCE_MS / 1000} seconds.`)
  const enough = new AbortController()
  const late = pause(PATIENCE_MS, undefined, { signal: enough.signal }).catch(() => {})
  await Promise.race([bridge.visited, late])
  enough.abort()
  return () => {
    watch.close()
    stream.close()
    return bridge.close()
  }
}
