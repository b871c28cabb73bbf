// The demo in the Stately inspector: it waits a moment for whoever opens the page, so that nothing is missed.

import { setTimeout as pause } from 'node:timers/promises'
import type { RaftNode } from '../../api.ts'
import { openBridge } from '../../inspect/bridge.ts'
import { LocalWatch } from '../../inspect/local-watch.ts'
import { StatelyStream } from '../../inspect/stately-stream.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Screen } from './screen.ts'

export interface DemoInspectorOptions {
  /** The members, as they come and go. */
  readonly nodes: () => readonly RaftNode[]
  readonly screen: Screen
}

const PATIENCE_MS = 20_000

/** Resolves when somebody has come, or nobody in time. Returns what ends it. */
export async function openDemoInspector({ nodes, screen }: DemoInspectorOptions): Promise<() => unknown> {
  const stream = new StatelyStream(() => systemClock.wallMs())
  const bridge = await openBridge({ stream, port: 0 })
  // In this process: over the bus members are found so late that an election might be over.
  const watch = new LocalWatch({
    nodes,
    everything: false,
    clock: systemClock,
    found: (model) => stream.add(model),
  })
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
