// `npm run bench`: prints a table (or JSON lines), and writes bench/results.json.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import Table from 'cli-table3'
import { Command, Option } from 'commander'
import { checkArguments } from './arguments.ts'
import { measureBacklog } from './backlog.ts'
import { measureBlinks } from './blinks.ts'
import { measureFailover } from './failover.ts'
import { measureGroups } from './groups/measure.ts'
import { measureInstances } from './instances.ts'
import { type Mode, measureLines } from './lines.ts'
import { machineNow } from './machine.ts'
import { measureMembership } from './membership.ts'
import { measureOpen } from './open-log.ts'
import { installPeers } from './peers/find.ts'
import { measurePeers } from './peers/measure.ts'
import { drawReport } from './report/draw.ts'
import { FULL, measureReport, QUICK } from './report/measure.ts'
import { measureSave } from './save.ts'
import { measureGrowth, measureInstallation, measureRestart } from './snapshots.ts'
import { measureTrace, wayOf } from './trace-one.ts'
import { measureWatched } from './watched.ts'

/** What users run: enough clients that the machine and its values count. */
const KV_CLIENTS = [512, 1024]
const BACKLOG_ENTRIES = 5_000_000
const BACKLOG_BYTES = 2 ** 31
const PEER_CLIENTS = [1, 256, 1024]

interface Options {
  readonly mode: Mode | 'both' | 'all'
  readonly clients: string
  readonly size: string
  readonly seconds: string
  readonly rounds: string
  readonly failover?: true | string
  readonly blinks?: true | string
  readonly membership?: true | string
  readonly kills: string
  readonly open?: true | string
  readonly backlog?: true | string
  readonly backlogSize?: string
  readonly rate: string
  readonly snapshots?: true | string
  readonly watched?: true | string
  readonly instances?: true | string
  readonly groups?: true | string
  readonly peers?: true
  readonly traceOne?: true | string
  readonly install?: true
  readonly report?: true | string
  readonly reportFrom?: string
  readonly quick?: true
  readonly snapshotBytes: string
  readonly growthSeconds: string
  readonly pipe: string
  readonly dir: string
  readonly json?: boolean
  readonly cpuProf?: boolean
  readonly tuning: string
}

const program = new Command('bench')
  .description('Measures a group of three member processes over a nats-server of its own.')
  .addOption(
    new Option('--mode <mode>', 'where the load comes from')
      .choices(['embedded', 'remote', 'kv', 'both', 'all'])
      .default('all'),
  )
  .option('--clients <list>', 'clients in flight, comma separated', '1,64,256,1024')
  .option('--size <bytes>', 'size of a command', '100')
  .option('--seconds <s>', 'length of each measurement', '4')
  .option('--rounds <n>', 'measure so many times, and tell the median of each figure', '1')
  .option('--failover [kills]', 'kill the leader with SIGKILL this many times under load (default 10)')
  .option(
    '--blinks [n]',
    'the leader loses its connection to the bus for a moment so many times, under load (default 100)',
  )
  .option('--membership [transfers]', 'members come and go, the leader moves so many times (default 50)')
  .option('--kills <n>', 'with --membership: leaders killed in the middle of a change', '20')
  .option('--open [entries]', 'open a log of this many entries (default 1000000)')
  .option(
    '--backlog [entries]',
    'how fast a member catches up that missed so many entries (default 5000000), and what it costs the others',
  )
  .option(
    '--backlog-size <bytes>',
    'with --backlog: size of those entries (default --size); entries then default to what makes 2 GiB',
  )
  .option('--rate <n>', 'with --backlog: commands a second of the clients that go on meanwhile', '2000')
  .option('--snapshots [parts]', 'what snapshots cost: save, install, restart, growth (default: all four)')
  .option('--snapshot-bytes <bytes>', 'size of the snapshot that is installed', String(2 ** 30))
  .option('--growth-seconds <s>', 'how long files are watched', '120')
  .option('--watched [viewers]', 'what viewers cost the group that they watch (default: one)')
  .option('--instances [count]', 'what instances of a replicated machine cost (default: 100000)')
  .option(
    '--groups [n]',
    'what so many groups cost three processes: opened, idle, written to, and when a process is killed (default: 1000)',
  )
  .option('--trace-one [writes]', 'where the time of one write goes, point by point (default: 2000 writes)')
  .option('--peers', 'etcd and JetStream beside remote, where they are there (default: 1, 256, 1024 clients)')
  .option(
    '--install',
    'with --peers: gets etcd from the system, and its client from npm, when they are missing',
  )
  .option(
    '--report [file]',
    'measures growth for up to twelve minutes, and draws it (default: bench/report.html)',
  )
  .option('--quick', 'with --report: fewer and shorter measurements, within two minutes')
  .option('--report-from <file>', 'draws what was measured before, for example bench/results.json')
  .option(
    '--pipe <script>',
    'a bare pipe of your own to compare embedded rows with',
    '../shared/ceiling/ceiling.mjs',
  )
  .option('--dir <directory>', 'where the data directories are made', '.')
  .option('--tuning <json>', 'options of the nodes', '{}')
  .option('--cpu-prof', 'each member writes a CPU profile when it ends')
  .option('--json', 'JSON lines on standard output')
  .addHelpText('after', '\nExample:\n  npm run bench -- --mode embedded --clients 1,256 --seconds 2\n')

checkArguments(program)
const options: Options = program.parse().opts()
// What was started and written is cleared away by those who hear of the exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
const say = (line: string): void => void process.stderr.write(`${line}\n`)
const directory = resolve(options.dir)
const resultsFile = join(directory, 'bench', 'results.json')
const results: object[] = []

function report(result: object): void {
  results.push(result)
  if (options.json) console.log(JSON.stringify(result))
}

if (options.reportFrom === undefined) {
  await measureAsked()
  if (options.json !== true && options.report === undefined) print()
  mkdirSync(dirname(resultsFile), { recursive: true })
  writeFileSync(resultsFile, `${JSON.stringify({ machine: machineNow(), results }, null, 2)}\n`)
}
if (options.report !== undefined || options.reportFrom !== undefined) draw()

async function measureAsked(): Promise<void> {
  if (options.failover !== undefined) {
    const kills = options.failover === true ? 10 : Number(options.failover)
    report(await measureFailover({ directory, kills, progress: say }))
  }
  if (options.blinks !== undefined) {
    const blinks = options.blinks === true ? 100 : Number(options.blinks)
    report(await measureBlinks({ directory, blinks, progress: say }))
  }
  if (options.membership !== undefined) {
    const transfers = options.membership === true ? 50 : Number(options.membership)
    report(await measureMembership({ transfers, kills: Number(options.kills), progress: say }))
  }
  if (options.open !== undefined) {
    report(await measureOpen(directory, options.open === true ? 1_000_000 : Number(options.open)))
  }
  if (options.backlog !== undefined) await backlog(options.backlog)
  if (options.snapshots !== undefined)
    await snapshots(options.snapshots === true ? 'save,install,restart,growth' : options.snapshots)
  if (options.watched !== undefined) await watched(options.watched === true ? 1 : Number(options.watched))
  if (options.instances !== undefined)
    report(await measureInstances(options.instances === true ? 100_000 : Number(options.instances)))
  if (options.peers !== undefined) await peers()
  if (options.traceOne !== undefined)
    await traceOne(options.traceOne === true ? 2000 : Number(options.traceOne))
  if (options.groups !== undefined) await groups(options.groups === true ? 1000 : Number(options.groups))
  if (options.report !== undefined) {
    const place = { directory, tuning: JSON.parse(options.tuning), progress: say, report }
    await measureReport(options.quick === undefined ? FULL : QUICK, place)
  }
  if (
    [
      options.report,
      options.watched,
      options.instances,
      options.groups,
      options.peers,
      options.traceOne,
      options.failover,
      options.blinks,
      options.membership,
      options.open,
      options.backlog,
      options.snapshots,
    ].every((special) => special === undefined)
  )
    await throughput()
}

/** What has just been measured, or what was measured before. */
function draw(): void {
  const to = typeof options.report === 'string' ? options.report : join(directory, 'bench', 'report.html')
  try {
    drawReport(options.reportFrom ?? resultsFile, to)
    say(`The report is in ${to}.`)
  } catch (error) {
    program.error(error instanceof Error ? error.message : String(error))
  }
}

async function backlog(wanted: true | string): Promise<void> {
  const [size, rate] = [Number(options.backlogSize ?? options.size), Number(options.rate)]
  const entries =
    wanted === true ? Math.min(BACKLOG_ENTRIES, Math.floor(BACKLOG_BYTES / size)) : Number(wanted)
  const execArgv = options.cpuProf === true ? ['--cpu-prof'] : []
  const tuning: Record<string, unknown> = JSON.parse(options.tuning)
  const shape = { directory, entries, size, rate, seconds: Number(options.seconds), execArgv, tuning }
  for (let round = 1; round <= Number(options.rounds); round++)
    report(await measureBacklog({ ...shape, progress: say }))
}

async function snapshots(parts: string): Promise<void> {
  const clients = options.clients.includes(',') ? 64 : Number(options.clients)
  const [size, seconds, bytes] = [
    Number(options.size),
    Number(options.seconds),
    Number(options.snapshotBytes),
  ]
  const execArgv = options.cpuProf === true ? ['--cpu-prof'] : []
  const shape = { directory, execArgv, bytes, clients, size, seconds, progress: say }
  for (const part of parts.split(',')) {
    if (part === 'save') report(await measureSave(directory, 100_000))
    else if (part === 'install') for (const row of await measureInstallation(shape)) report(row)
    else if (part === 'restart') report(await measureRestart(shape, 1_000_000))
    else if (part === 'growth') report(await measureGrowth(shape, Number(options.growthSeconds)))
    else throw new Error(`There is no part ${part}: save, install, restart, growth.`)
  }
}

async function watched(viewers: number): Promise<void> {
  const [size, seconds, rounds] = [Number(options.size), Number(options.seconds), Number(options.rounds)]
  for (const clients of options.clients.split(',').map(Number)) {
    const shape = { directory, viewers, clients, size, seconds, rounds, progress: say }
    for (const row of await measureWatched(shape)) report(row)
  }
}

async function peers(): Promise<void> {
  if (options.install !== undefined) installPeers(directory)
  const [size, seconds, rounds] = [Number(options.size), Number(options.seconds), Number(options.rounds)]
  const tuning: Record<string, unknown> = JSON.parse(options.tuning)
  const isGiven = program.getOptionValueSource('clients') !== 'default'
  for (const clients of isGiven ? options.clients.split(',').map(Number) : PEER_CLIENTS) {
    const shape = { directory, clients, size, seconds, rounds, tuning, progress: say }
    for (const row of await measurePeers(shape)) report(row)
  }
}

/** Drawn on stderr, with the table, and as rows in the results. */
async function traceOne(writes: number): Promise<void> {
  const [size, tuning] = [Number(options.size), JSON.parse(options.tuning)]
  const rows = await measureTrace({ directory, tuning, writes, size, pipe: options.pipe, progress: say })
  for (const line of wayOf(rows)) say(line)
  for (const row of rows) report(row)
}

/** With 1,000 clients, unless one number is given. */
async function groups(count: number): Promise<void> {
  const clients = options.clients.includes(',') ? 1000 : Number(options.clients)
  const [size, seconds] = [Number(options.size), Number(options.seconds)]
  const tuning: Record<string, unknown> = JSON.parse(options.tuning)
  const execArgv = options.cpuProf === true ? ['--cpu-prof'] : []
  const shape = {
    directory,
    groups: count,
    clients,
    size,
    seconds,
    tuning,
    execArgv,
    idleSeconds: 10,
    settleSeconds: 5,
  }
  for (const row of await measureGroups({ ...shape, progress: say })) report(row)
}

async function throughput(): Promise<void> {
  const { mode } = options
  const clients = options.clients.split(',').map(Number)
  if (mode === 'both' || mode === 'all') await lines(clients, ['embedded', 'remote'])
  else await lines(clients, [mode])
  if (mode === 'all') await lines(KV_CLIENTS, ['kv'])
}

async function lines(counts: readonly number[], modes: readonly Mode[]): Promise<void> {
  const [size, seconds, rounds] = [Number(options.size), Number(options.seconds), Number(options.rounds)]
  const tuning: Record<string, unknown> = JSON.parse(options.tuning)
  const execArgv = options.cpuProf === true ? ['--cpu-prof'] : []
  const shape = { directory, size, seconds, rounds, pipe: resolve(options.pipe), tuning, execArgv }
  for (const clients of counts)
    for (const row of await measureLines({ ...shape, modes, clients, progress: say })) report(row)
}

function print(): void {
  const columns = [...new Set(results.flatMap((result) => Object.keys(result)))]
  const table = new Table({
    head: columns,
    style: { head: [], border: [] },
    colAligns: columns.map((c) => (['mode', 'figure', 'unit'].includes(c) ? 'left' : 'right')),
  })
  for (const result of results) {
    const cells = new Map<string, unknown>(Object.entries(result))
    table.push(columns.map((column) => cell(cells.get(column))))
  }
  console.log(table.toString())
}

/** Long lists are for the file. */
function cell(value: unknown): string {
  return Array.isArray(value) && value.length > 30 ? `${value.length} values` : String(value ?? '–')
}
