// A process that carries one member of each of many groups, for `--groups`.
// Arguments: id, data directory, bus address, peers, options as JSON.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { connectNats, openHost, type TuningInput } from '../src/index.ts'
import { Carrier } from './groups/carrier.ts'
import type { CarrierAnswer, CarrierRequest } from './groups/protocol.ts'

const [id = '', dataDir = '', servers = '', peers = '', options = '{}'] = process.argv.slice(2)
const tuning: TuningInput = JSON.parse(options)
const say = (answer: CarrierAnswer): void => void process.send?.(answer)

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')
const transport = await connectNats({ id, servers })
let carrier: Carrier | null = null

process.on('message', (request: CarrierRequest) => void answer(request))
process.on('disconnect', () => process.exit(0))
say({ kind: 'ready' })

async function answer(request: CarrierRequest): Promise<void> {
  try {
    if (request.kind === 'open') await open(request.groups)
    else if (request.kind === 'cpu') cpu()
    else if (request.kind === 'memory')
      say({ kind: 'memory', rssBytes: memory(), heapBytes: process.memoryUsage().heapUsed })
    else if (carrier === null) throw new Error('No host has been opened yet.')
    else if (request.kind === 'led') say({ kind: 'led', groups: carrier.led() })
    else if (request.kind === 'takeovers') say({ kind: 'takeovers', takeovers: carrier.takeovers })
    else if (request.kind === 'drops') say({ kind: 'drops', count: carrier.drops })
    else if (request.kind === 'load') await load(carrier, request)
    else {
      if (request.kind === 'move') await carrier.move(request.moves)
      else carrier.watch()
      say({ kind: request.kind })
    }
  } catch (error) {
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
}

/** What an application waits for at its start: the host with its disk, and all its nodes. Memory is looked at in between. */
async function open(groups: number): Promise<void> {
  const openedMs = performance.now()
  const host = await openHost({ id, dataDir, transport })
  const hostMs = performance.now() - openedMs
  const emptyBytes = memory()
  const emptyHeapBytes = process.memoryUsage().heapUsed
  carrier = new Carrier(host, peers.split(','), tuning)
  const startedMs = performance.now()
  await carrier.open(groups)
  say({ kind: 'open', tookMs: hostMs + performance.now() - startedMs, emptyBytes, emptyHeapBytes })
}

async function load(of: Carrier, { clients, size, seconds }: Extract<CarrierRequest, { kind: 'load' }>) {
  say({ kind: 'load', result: await of.load(clients, size, seconds) })
}

function cpu(): void {
  const { user, system } = process.cpuUsage()
  say({ kind: 'cpu', seconds: (user + system) / 1e6 })
}

function memory(): number {
  collect()
  collect()
  return process.memoryUsage.rss()
}
