// What is answered at which path. Figures are gathered once for all who ask at nearly the same time: a reader that asks
// without a pause costs what one does that asks ten times a second.

import type { HostFigures, Observed } from '../figures.ts'
import { raftStat } from './raft-stat.ts'
import { ALIVE, readinessOf } from './readiness.ts'

export interface Page {
  readonly status: number
  readonly type: string
  readonly body: string
}

export interface MetricsText {
  readonly contentType: string
  text(figures: HostFigures): Promise<string>
}

export interface PagesOptions {
  readonly observed: Observed
  readonly nowMs: () => number
  readonly maxApplyLag: number
  /** Loaded when it is asked for first. */
  readonly metrics: () => Promise<MetricsText>
}

const FRESH_MS = 100
const TEXT = 'text/plain; charset=utf-8'
const PATHS = '/status /raft_stat /raft_stat/<group> /livez /readyz /metrics'

export class Pages {
  readonly #options: PagesOptions
  #gathered: { readonly figures: HostFigures; readonly atMs: number } | null = null
  #metrics: { readonly text: Promise<Page>; readonly of: HostFigures } | null = null

  constructor(options: PagesOptions) {
    this.#options = options
  }

  /** @param path without its query */
  async page(path: string): Promise<Page> {
    switch (path) {
      case '/':
        return text(200, `Quorate host ${this.#figures().id}. There is: ${PATHS}`)
      case '/livez':
        return text(200, ALIVE)
      case '/readyz': {
        const { ready, why } = readinessOf(this.#figures(), this.#options.maxApplyLag)
        return text(ready ? 200 : 503, why)
      }
      case '/status':
        return this.#status()
      case '/metrics':
        return this.#metricsPage()
      case '/raft_stat':
      case '/raft_stat/':
        return text(200, raftStat(this.#figures()) ?? '')
      default:
        return this.#groupOrNothing(path)
    }
  }

  #figures(): HostFigures {
    const { observed, nowMs } = this.#options
    const now = nowMs()
    if (this.#gathered === null || now - this.#gathered.atMs >= FRESH_MS)
      this.#gathered = { figures: observed.figures(), atMs: now }
    return this.#gathered.figures
  }

  #status(): Page {
    const { id, nodes, busConnected } = this.#figures()
    const body = JSON.stringify({ id, busConnected, groups: nodes.map(({ status }) => status) })
    return { status: 200, type: 'application/json; charset=utf-8', body: `${body}\n` }
  }

  #metricsPage(): Promise<Page> {
    const figures = this.#figures()
    if (this.#metrics?.of !== figures) this.#metrics = { of: figures, text: this.#render(figures) }
    return this.#metrics.text
  }

  async #render(figures: HostFigures): Promise<Page> {
    const metrics = await this.#options.metrics()
    return { status: 200, type: metrics.contentType, body: await metrics.text(figures) }
  }

  #groupOrNothing(path: string): Page {
    const group = /^\/raft_stat\/([A-Za-z0-9_-]{1,64})$/.exec(path)?.[1]
    if (group === undefined) return text(404, `There is no such page. There is: ${PATHS}`)
    const body = raftStat(this.#figures(), group)
    return body === undefined ? text(404, `This host carries no group ${group}.`) : text(200, body)
  }
}

function text(status: number, line: string): Page {
  return { status, type: TEXT, body: line.endsWith('\n') ? line : `${line}\n` }
}
