// `quorate demo --watch`: a directory, a bus, members that can be stalled, and the page, all put away whatever happens.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RaftNode } from '../../../api.ts'
import { LocalWatch } from '../../../inspect/local-watch.ts'
import { openPage } from '../../../page/server/open-page.ts'
import type { PageSource } from '../../../page/server/source.ts'
import { systemClock } from '../../../runtime/clock.ts'
import type { Transport } from '../../../transport/transport.ts'
import { CliError, ExitCode } from '../../exit.ts'
import { printJson } from '../../output.ts'
import { takeSignals } from '../../signals.ts'
import { Cluster } from '../cluster.ts'
import type { DemoFlags } from '../flags.ts'
import { connector } from '../run.ts'
import { Screen } from '../screen.ts'
import { DemoStage } from './demo-stage.ts'
import { playShow, type ShowResult } from './show.ts'

export async function runShow(flags: DemoFlags): Promise<void> {
  const { nodes, group, data, json } = flags
  const dataDir = data ?? mkdtempSync(join(tmpdir(), 'quorate-demo-'))
  const stopping = new AbortController()
  takeSignals(() => stopping.abort())
  const connections: Transport[] = []
  const screen = new Screen(json === true)
  const ids = Array.from({ length: nodes }, (_, at) => `n${at + 1}`)
  const stage = new DemoStage(ids)
  const connect = connector(flags.nats, connections)
  const cluster = new Cluster({
    ...{ ids, group, dataDir },
    connect: async (name) => {
      const line = await connect(name)
      return stage.stallOf(name)?.on(line) ?? line
    },
    clockOf: (id) => stage.stallOf(id)?.clock,
    onRole: (id, { from, to, term, reason }) => screen.event(id, `${from} → ${to}, term ${term}, ${reason}`),
  })
  stage.set(cluster)
  try {
    const page = await openPage({ source: sourceOf(group, cluster, stage), port: flags.port })
    try {
      screen.step(`Open ${page.url}`)
      screen.line('  It begins when you do. Ctrl-C ends it.')
      const { visited } = page
      const result = await playShow({
        ids,
        group,
        cluster,
        stage,
        screen,
        connect,
        visited,
        signal: stopping.signal,
      })
      report(result, { screen, url: page.url, json: json === true })
    } finally {
      await page.close()
    }
  } finally {
    for (const id of ids) stage.stallOf(id)?.drop()
    await cluster.close()
    await Promise.allSettled(connections.map((connection) => connection.close()))
    if (data === undefined) rmSync(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  }
}

/** Its members are seen from within: also those that nobody on the bus can reach. */
function sourceOf(group: string, cluster: Cluster, stage: DemoStage): PageSource {
  return {
    ...{ kind: 'demo', group, keeps: true, stage },
    watch: (name) => {
      if (name !== group) return undefined
      const nodes = (): readonly RaftNode[] => cluster.nodes
      const watch = new LocalWatch({ nodes, everything: false, clock: systemClock, found: () => {} })
      return {
        model: watch.modelOf(group),
        find: async (text) => watch.find(group, text),
        close: () => watch.close(),
      }
    },
  }
}

function report(
  { acknowledged, lost }: ShowResult,
  { screen, url, json }: { readonly screen: Screen; readonly url: string; readonly json: boolean },
): void {
  if (json) printJson({ ok: lost === 0 || lost === null, url, acknowledged, lost })
  if (lost !== null && lost > 0)
    throw new CliError(ExitCode.FAILED, `${lost} acknowledged writes are not there any more.`)
  const found = lost === null ? 'nobody led in the end who could be asked for them' : 'each of them is there'
  screen.step(`${acknowledged} writes were acknowledged; ${found}.`)
}
