// One member as a process: the built product with a machine that only counts, so that the figures are the library's, or
// with the key-value machine. Arguments: id, data directory, bus address, peers, options as JSON, machine.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { connectNats, openHost, type StateMachine } from '../src/index.ts'
import { KeyValueStore } from '../src/machines/kv.ts'
import { listenToTracePoints } from '../src/runtime/trace-points.ts'
import { attachServices } from '../src/services/attach.ts'
import { BlobMachine } from './blob-machine.ts'
import { nowMs } from './groups/carrier.ts'
import { fill, measure, runLoad, steady } from './load.ts'
import type { MemberAnswer, MemberRequest } from './protocol.ts'
import type { Passed, Traced } from './trace-one.ts'

class Count implements StateMachine<Uint8Array, number> {
  #total = 0
  apply(): number {
    this.#total++
    return this.#total
  }
}

/** `blob:BYTES` has snapshots of that size. */
function machineOf(name: string): StateMachine<Uint8Array> | KeyValueStore {
  const [kind, bytes] = name.split(':')
  if (kind === 'kv') return new KeyValueStore()
  return kind === 'blob' ? new BlobMachine(Number(bytes)) : new Count()
}

const [id = '', dataDir = '', servers = '', peers = '', options = '{}', machine = 'count'] =
  process.argv.slice(2)
const say = (answer: MemberAnswer): void => void process.send?.(answer)

const transport = await connectNats({ id, servers })
const host = await openHost({ id, dataDir, transport })
const tuning: unknown = JSON.parse(options)
const node = await host.startNode({
  group: 'bench',
  peers: peers.split(','),
  stateMachine: machineOf(machine),
  ...(typeof tuning === 'object' ? tuning : {}),
})
attachServices({ transport, node })

/** How often the loop is looked at: often enough for a percentile, seldom enough not to be load of its own. */
const RESOLUTION_MS = 10
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()
let cpuBefore = process.cpuUsage()
const passed: Passed[] = []
let enough = false
let peakRssMb = 0
setInterval(() => {
  peakRssMb = Math.max(peakRssMb, process.memoryUsage.rss() / 2 ** 20)
}, 50).unref()

process.on('message', (request: MemberRequest) => void answer(request))
process.on('disconnect', () => process.exit(0))
say({ kind: 'ready' })

async function answer(request: MemberRequest): Promise<void> {
  try {
    if (request.kind === 'load') await load(request)
    else if (request.kind === 'fill') await fillUp(request)
    else if (request.kind === 'steady') await steadily(request)
    else if (request.kind === 'loadUntilTold') await loadUntilTold(request)
    else if (request.kind === 'enough') enough = true
    else if (request.kind === 'usage') usage()
    else if (request.kind === 'snapshot') await takeSnapshot()
    else if (request.kind === 'trace') await trace(request)
    else if (request.kind === 'passed') tellPassed()
    else {
      const { role, term, state, appliedIndex, firstIndex, snapshot } = node.status()
      const leads = role === 'leader' && state.endsWith('serving')
      say({ kind: 'status', state: { leads, term, appliedIndex, firstIndex, snapshot } })
    }
  } catch (error) {
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
}

const apply = (command: Uint8Array): Promise<unknown> => node.apply(command)

async function load({ clients = 1, size = 100, seconds = 1 }: MemberRequest): Promise<void> {
  say({ kind: 'load', result: await runLoad({ clients, size, seconds, apply }) })
}

async function fillUp({ clients = 1, size = 100, commits = 0 }: MemberRequest): Promise<void> {
  await fill(commits, { clients, size, apply })
  say({ kind: 'filled' })
}

async function steadily({ size = 100, rate = 1, seconds }: MemberRequest): Promise<void> {
  enough = false
  const endMs = performance.now() + 1000 * (seconds ?? Number.POSITIVE_INFINITY)
  const goesOn = (nowMs: number): boolean => !enough && nowMs < endMs
  say({ kind: 'load', result: await steady({ rate, size, goesOn, apply }) })
}

async function loadUntilTold({ clients = 1, size = 100 }: MemberRequest): Promise<void> {
  enough = false
  say({ kind: 'load', result: await measure({ clients, size, goesOn: () => !enough, apply }) })
}

async function takeSnapshot(): Promise<void> {
  const startedMs = performance.now()
  await node.snapshot()
  say({ kind: 'snapshot', tookMs: performance.now() - startedMs })
}

/** One after the other. */
async function trace({ commits = 0, size = 100 }: MemberRequest): Promise<void> {
  const command = new Uint8Array(size)
  const writes: Traced[] = []
  for (let i = 0; i < commits; i++) {
    const fromMs = nowMs()
    await node.apply(command)
    writes.push({ fromMs, toMs: nowMs() })
  }
  say({ kind: 'traced', writes })
}

/** From the first question on, points are noted. */
function tellPassed(): void {
  say({ kind: 'passed', passed: passed.splice(0) })
  listenToTracePoints((point) => passed.push({ point, atMs: nowMs() }))
}

/** What was used since the last question. */
function usage(): void {
  const cpu = process.cpuUsage(cpuBefore)
  cpuBefore = process.cpuUsage()
  // It records the time between two looks: what exceeds the resolution is delay.
  const loopP99ms = Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION_MS)
  delay.reset()
  const rssMb = process.memoryUsage.rss() / 2 ** 20
  say({ kind: 'usage', usage: { cpuSeconds: (cpu.user + cpu.system) / 1e6, rssMb, loopP99ms, peakRssMb } })
  peakRssMb = rssMb
}
