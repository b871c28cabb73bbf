#!/usr/bin/env node
// `npm run sim`: random campaigns over many seeds, and everything a person needs when one fails.

import { execFileSync } from 'node:child_process'
import { Command, InvalidArgumentError, Option } from 'commander'
import { runPlan, type SeedResult } from '../../src/simulation/campaign/campaign.ts'
import { replayCommand, reportOf } from '../../src/simulation/campaign/failure-report.ts'
import { printScript, shrink } from '../../src/simulation/campaign/nemesis.ts'
import { drawSwarm, PROFILES, type Profile, type SwarmPlan } from '../../src/simulation/campaign/swarm.ts'
import { runMutants } from '../mutants/runner.ts'
import { AREAS, type Area } from '../mutants/table.ts'
import { LineFile } from './line-file.ts'
import { summaryOf, summaryTable } from './summary.ts'

interface Flags {
  readonly seeds: readonly number[]
  readonly seed?: number
  readonly nodes?: number
  readonly minutes?: number
  readonly timeouts?: number
  readonly profile: Profile
  readonly trace?: string
  readonly traceLines?: string
  readonly json?: boolean
  readonly shrink: boolean
  readonly mutants?: boolean
  readonly only?: string
  readonly area?: readonly Area[]
  readonly file?: string
  readonly maxSeeds: number
}

const program = new Command('sim')
  .description(
    'Runs simulated groups through faults drawn from seeds and checks every invariant after every step.',
  )
  .option('--seeds <range>', 'seeds to run, as 1..200 or 7', parseRange, parseRange('1..50'))
  .option('--seed <n>', 'one seed', parseCount)
  .option('--nodes <n>', 'members instead of a drawn number', parseCount)
  .option('--minutes <m>', 'virtual length of the safety phase', Number.parseFloat)
  .option('--timeouts <n>', 'the same, in election timeouts', parseCount)
  .addOption(new Option('--profile <name>', 'which faults').choices([...PROFILES]).default('swarm'))
  .option('--trace <file>', 'record the run of one seed: quorate watch FILE plays it step by step')
  .option('--trace-lines <file>', 'write every line of the trace of one seed as NDJSON')
  .option('--no-shrink', 'do not look for a smaller plan that fails as well')
  .option(
    '--mutants',
    'plant bugs in a copy of the sources, one by one, and look whether seeds or tests notice',
  )
  .option('--only <name>', 'with --mutants: only those whose name contains this')
  .addOption(new Option('--area <names...>', 'with --mutants: only those of these areas').choices(AREAS))
  .option('--file <part>', 'with --mutants: only those in source files whose path contains this')
  .option('--max-seeds <n>', 'with --mutants: seeds per planted bug', parseCount, 2000)
  .option('--json', 'one JSON document on standard output')
  .addHelpText(
    'after',
    '\nExamples:\n  npm run sim -- --seeds 1..200\n  npm run sim -- --seed 42 --trace run.ndjson && quorate watch run.ndjson\n  npm run sim -- --mutants --area storage client\n\nExit status 1 when any seed fails.',
  )

const flags = program.parse().opts<Flags>()
const say = (line: string): void => void process.stderr.write(`${line}\n`)
if (flags.mutants === true) {
  const { only, area: areas, file, json = false, maxSeeds } = flags
  process.exit(await runMutants({ only, areas, file, json, maxSeeds, say }))
}

const seeds = flags.seed === undefined ? flags.seeds : [flags.seed]
if (seeds.length > 1 && (flags.trace ?? flags.traceLines) !== undefined)
  program.error('error: --trace and --trace-lines take one seed: say which with --seed N.', { exitCode: 2 })
const startedAt = performance.now()
const results: SeedResult[] = []

for (const seed of seeds) {
  const plan = planOf(seed)
  const began = performance.now()
  const [recording, lines] = [fileFor(flags.trace), fileFor(flags.traceLines)]
  const result = await runPlan(plan, {
    ...(recording === null ? {} : { record: (line) => recording.write(line) }),
    ...(lines === null ? {} : { writeNdjson: (line) => lines.write(line) }),
  })
  for (const file of [recording, lines]) if (file !== null) finish(file)
  results.push(result)
  if (result.failure !== null) await explain(plan, result)
  else if (process.stderr.isTTY || seeds.length <= 20) say(lineOf(result, performance.now() - began))
  else if (results.length % 50 === 0)
    say(`${results.length} of ${seeds.length} seeds, ${failures().length} failed`)
}

const seconds = (performance.now() - startedAt) / 1000
const summary = summaryOf(results, seconds)
console.log(flags.json ? JSON.stringify(summary) : summaryTable(summary))
if (failures().length > 0) process.exitCode = 1

function fileFor(path: string | undefined): LineFile | null {
  try {
    return path === undefined ? null : new LineFile(path)
  } catch (error) {
    return program.error(`error: ${error instanceof Error ? error.message : String(error)}`, { exitCode: 2 })
  }
}

function finish(file: LineFile): void {
  file.close()
  if (file.failure === null) return
  say(`error: ${file.failure}`)
  process.exitCode = 2
}

function failures(): readonly SeedResult[] {
  return results.filter((result) => result.failure !== null)
}

function planOf(seed: number): SwarmPlan {
  const { profile, nodes, minutes, timeouts } = flags
  return drawSwarm({
    seed,
    profile,
    ...(nodes === undefined ? {} : { nodes }),
    ...(minutes === undefined ? {} : { safetyMs: minutes * 60_000 }),
    ...(timeouts === undefined ? {} : { safetyTimeouts: timeouts }),
  })
}

function lineOf(result: SeedResult, tookMs: number): string {
  const { seed, nodes, events, elections, committed, virtualMs } = result
  const virtual = `${(virtualMs / 1000).toFixed(0)} s`
  return `seed ${seed}: ok, ${nodes} members, ${events} events, ${elections} elections, ${committed} committed, ${virtual} virtual, ${tookMs.toFixed(0)} ms`
}

async function explain(plan: SwarmPlan, result: SeedResult): Promise<void> {
  const { seed, failure } = result
  if (failure === null) return
  const { nodes, minutes, timeouts } = flags
  const replay = replayCommand(plan, {
    ...(nodes === undefined ? {} : { nodes }),
    ...(minutes === undefined ? {} : { minutes }),
    ...(timeouts === undefined ? {} : { timeouts }),
  })
  say(`\n${reportOf(plan, result, replay, commit()) ?? ''}`)
  if (!flags.shrink) return
  const left = await shrink(
    plan.episodes,
    async (episodes) => {
      const again = await runPlan(plan, { episodes })
      return again.failure?.invariant === failure.invariant
    },
    40,
  )
  say(`\nIt still fails with ${left.length} of ${plan.episodes.length} faults. As a script:\n`)
  say(
    `const sim = await createSimulation({ seed: ${seed}, nodes: ${JSON.stringify(plan.nodes)}, options: ${JSON.stringify(plan.tuning)} })`,
  )
  say(`${printScript(left).join('\n')}\n`)
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

function parseCount(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new InvalidArgumentError('It must be a whole number.')
}

function parseRange(text: string): readonly number[] {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? match?.[1])
  if (match === null || last < first) throw new InvalidArgumentError('It must be a range such as 1..200.')
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}
