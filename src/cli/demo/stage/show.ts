// `quorate demo --watch`: a slow story for whoever looks at the page, and then the stage is theirs. A few writes go on all the
// time; in the end each that was acknowledged must be there.

import { setTimeout as pause } from 'node:timers/promises'
import { connectClient, type QuorateClient } from '../../../client.ts'
import { isQuorateError } from '../../../errors.ts'
import type { Transport } from '../../../transport/transport.ts'
import type { Cluster } from '../cluster.ts'
import type { Screen } from '../screen.ts'
import { until } from '../wait.ts'
import type { DemoStage } from './demo-stage.ts'

export interface ShowOptions {
  readonly ids: readonly string[]
  readonly group: string
  readonly cluster: Cluster
  readonly stage: DemoStage
  readonly screen: Screen
  readonly connect: (name: string) => Promise<Transport>
  /** Resolves when somebody looks. */
  readonly visited: Promise<void>
  /** Ends it. */
  readonly signal: AbortSignal
}

export interface ShowResult {
  readonly acknowledged: number
  /** Keys whose acknowledged value is not there. Null: there was no leader to ask. */
  readonly lost: number | null
}

/** Long enough to read what has just happened. */
const BREATH_MS = 6000
const WRITE_EVERY_MS = 25
const CLIENT_TIMEOUT_MS = 1500
const KEYS = 64

export async function playShow(options: ShowOptions): Promise<ShowResult> {
  const { group, connect, signal } = options
  const client = connectClient({ transport: await connect('app'), group, timeoutMs: CLIENT_TIMEOUT_MS })
  const writes = new Writes(client)
  try {
    await act(options, writes).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
    await writes.end()
    return { acknowledged: writes.acknowledged, lost: await writes.lost() }
  } finally {
    await writes.end()
    client.close()
  }
}

async function act(options: ShowOptions, writes: Writes): Promise<void> {
  const { ids, cluster, stage, signal } = options
  const tell = teller(options)
  const breathe = (): Promise<void> => pause(BREATH_MS, undefined, { signal })
  await Promise.race([options.visited, ended(signal)])
  signal.throwIfAborted()
  tell(`Starting ${ids.length} members: ${ids.join(', ')}. They know each other, and nobody leads yet.`)
  for (const id of ids) {
    await cluster.start(id)
    stage.isRunning(id, true)
  }
  await until(() => cluster.leader !== undefined, 'no leader was elected')
  tell(`${cluster.leader?.id ?? 'Nobody'} was elected. An application writes 40 times a second.`)
  writes.begin()
  await breathe()
  const victim = cluster.leader?.id
  // Somebody may have taken the stage already.
  if (victim !== undefined && stage.members.every(({ state, isCut }) => state === 'running' && !isCut)) {
    const killedAtMs = performance.now()
    await stage.act({ action: 'crash', member: victim })
    await until(() => cluster.leader !== undefined || signal.aborted, 'no new leader was elected')
    const tookMs = Math.round(performance.now() - killedAtMs)
    tell(
      `${cluster.leader?.id ?? 'Nobody'} took over after ${tookMs} ms. Nothing that was acknowledged is lost.`,
    )
    await breathe()
    await stage.act({ action: 'start', member: victim })
    await breathe()
  }
  tell('The stage is yours: crash, pause or cut off members, and bring them back. Ctrl-C ends it.')
  await ended(signal)
}

function teller({ screen, stage }: ShowOptions): (text: string) => void {
  return (text) => {
    screen.step(text)
    stage.note(text)
  }
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** What must be found at a key: the one, or the other. */
interface Expected {
  acknowledged: string | null
  /** Nobody said what became of it. The key is left alone then: it may still come. */
  unknown: string | null
}

/** A few keys written over and over: each write of a key waits for the one before. */
class Writes {
  acknowledged = 0
  readonly #client: QuorateClient
  readonly #expected = new Map<string, Expected>()
  /** Keys that may be written. */
  readonly #free = Array.from({ length: KEYS }, (_, at) => `show/${at}`)
  readonly #going = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | null = null
  #next = 0

  constructor(client: QuorateClient) {
    this.#client = client
  }

  begin(): void {
    this.#timer = setInterval(() => this.#write(), WRITE_EVERY_MS)
  }

  async end(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    await Promise.allSettled([...this.#going])
  }

  /** How many keys do not hold what they must; null: there was nobody to ask. */
  async lost(): Promise<number | null> {
    let lost = 0
    for (const [key, { acknowledged, unknown }] of this.#expected) {
      if (acknowledged === null) continue
      try {
        const found = await this.#client.read(['get', key])
        if (found !== acknowledged && found !== unknown) lost += 1
      } catch {
        return null
      }
    }
    return lost
  }

  #write(): void {
    // While nobody leads, all keys wait for their writes.
    const key = this.#free.shift()
    if (key === undefined) return
    const value = String(this.#next++)
    const going = this.#put(key, value).finally(() => this.#going.delete(going))
    this.#going.add(going)
  }

  async #put(key: string, value: string): Promise<void> {
    const expected = this.#expected.get(key) ?? { acknowledged: null, unknown: null }
    this.#expected.set(key, expected)
    try {
      await this.#client.apply(['put', key, value])
      this.acknowledged += 1
      expected.acknowledged = value
    } catch (error) {
      if (!isQuorateError(error)) throw error
      if (error.outcome === 'unknown') {
        expected.unknown = value
        this.#free.push(`show/${KEYS + this.#next}`)
        return
      }
    }
    this.#free.push(key)
  }
}
