// `npm run sim -- --mutants`: plants each bug in a copy of the sources, and runs seeds until an invariant notices it.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'
import type { Edit, Mutant } from './mutant.ts'
import { DEFERRED, MUTANTS } from './table.ts'

export interface MutantsInput {
  /** Part of a name; all without it. */
  readonly only: string | undefined
  readonly json: boolean
  /** Most seeds per mutant. */
  readonly maxSeeds: number
  readonly say: (line: string) => void
}

interface MutantResult {
  readonly name: string
  readonly number: number | null
  readonly file: string
  /** The invariant that noticed; null when none did within the seeds allowed. */
  readonly caughtBy: string | null
  readonly seeds: number
  readonly seconds: number
  /** Other invariants that failing seeds named before. */
  readonly otherwise: Readonly<Record<string, number>>
  readonly message: string
}

const PROCESSES = 2
/** A seed that takes longer than this is taken for a hang, which no invariant names. */
const SEED_TIMEOUT_MS = 120_000

/** @returns the exit status: 1 when a bug was not noticed. */
export async function runMutants(input: MutantsInput): Promise<number> {
  const { only, say } = input
  const mutants = MUTANTS.filter(
    ({ name, number }) => only === undefined || name.includes(only) || String(number) === only,
  )
  if (mutants.length === 0) throw new Error(`No mutant is called anything like "${only}".`)
  const root = findRoot()
  const results: MutantResult[] = []
  const waiting = [...mutants]
  process.once('SIGINT', leave)
  process.once('SIGTERM', leave)
  const work = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const result = await tryMutant(root, mutant, input)
      results.push(result)
      const { caughtBy, seeds, seconds } = result
      say(
        `${results.length}/${mutants.length} ${mutant.name}: ${caughtBy ?? 'NOT CAUGHT'} after ${seeds} seeds, ${seconds.toFixed(1)} s`,
      )
    }
  }
  await Promise.all(Array.from({ length: PROCESSES }, work))
  const order = new Map(mutants.map(({ name }, i) => [name, i]))
  results.sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0))
  console.log(input.json ? JSON.stringify({ mutants: results, deferred: DEFERRED }) : tableOf(results))
  return results.every(({ caughtBy }) => caughtBy !== null) ? 0 : 1
}

/** Copies of the sources that are in use. */
const directories = new Set<string>()

/** The hunts hear of it, too: they are of the same process group. */
function leave(signal: NodeJS.Signals): void {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
  process.exit(signal === 'SIGINT' ? 130 : 143)
}

async function tryMutant(root: string, mutant: Mutant, { maxSeeds }: MutantsInput): Promise<MutantResult> {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-mutant-'))
  directories.add(directory)
  const startedAt = performance.now()
  try {
    plant(root, directory, mutant)
    const found = await hunt(directory, mutant, maxSeeds)
    const { name, number, file } = mutant
    return { name, number, file, ...found, seconds: (performance.now() - startedAt) / 1000 }
  } finally {
    rmSync(directory, { recursive: true, force: true })
    directories.delete(directory)
  }
}

/** Copies the sources, changes the line, and compiles: without type checks, which a bug need not pass. */
function plant(root: string, directory: string, mutant: Mutant): void {
  for (const part of ['src', 'tools']) cpSync(join(root, part), join(directory, part), { recursive: true })
  for (const edit of [mutant, ...(mutant.also ?? [])]) apply(directory, mutant.name, edit)
  cpSync(join(root, 'package.json'), join(directory, 'package.json'))
  cpSync(join(root, 'tsconfig.json'), join(directory, 'tsconfig.json'))
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  const compilerOptions = {
    rootDir: '.',
    outDir: 'dist',
    noEmit: false,
    noCheck: true,
    declaration: false,
    sourceMap: false,
  }
  const config = { extends: './tsconfig.json', compilerOptions, include: ['src/simulation', 'tools'] }
  writeFileSync(join(directory, 'tsconfig.mutant.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const built = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.mutant.json'], {
    cwd: directory,
    encoding: 'utf8',
  })
  if (!existsSync(huntIn(directory)))
    throw new Error(`Mutant "${mutant.name}" does not compile:\n${built.stdout}${built.stderr}`)
}

function apply(directory: string, name: string, { file, find, replace }: Edit): void {
  const path = join(directory, 'src', file)
  const source = readFileSync(path, 'utf8')
  const places = source.split(find).length - 1
  if (places !== 1)
    throw new Error(
      `Mutant "${name}": its text occurs ${places} times in src/${file}, and must occur once. Bring tools/mutants up to date.`,
    )
  writeFileSync(
    path,
    source.replace(find, () => replace),
  )
}

type Found = Pick<MutantResult, 'caughtBy' | 'seeds' | 'otherwise' | 'message'>

async function hunt(directory: string, mutant: Mutant, maxSeeds: number): Promise<Found> {
  const hint = JSON.stringify(mutant.hint ?? {})
  const otherwise: Record<string, number> = {}
  let seeds = 0
  let message = ''
  // A hang takes its process with it; the hunt goes on behind the seed that hung.
  for (let next = 1; next <= maxSeeds; ) {
    const child = spawn(
      process.execPath,
      [huntIn(directory), hint, String(next), String(maxSeeds), '1', mutant.expect.join(',')],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    for await (const line of linesOf(child)) {
      const {
        seed,
        invariant,
        message: said,
      } = JSON.parse(line) as { seed: number; invariant: string | null; message: string }
      seeds = seed
      next = seed + 1
      if (invariant === null) continue
      message = said
      if (mutant.expect.includes(invariant)) return { caughtBy: invariant, seeds, otherwise, message }
      otherwise[invariant] = (otherwise[invariant] ?? 0) + 1
    }
    if (next <= maxSeeds) {
      otherwise.hang = (otherwise.hang ?? 0) + 1
      next++
    }
  }
  return { caughtBy: null, seeds, otherwise, message }
}

async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  if (child.stdout === null) return
  child.stderr?.resume()
  let patience = setTimeout(() => child.kill('SIGKILL'), SEED_TIMEOUT_MS)
  for await (const line of createInterface({ input: child.stdout })) {
    clearTimeout(patience)
    patience = setTimeout(() => child.kill('SIGKILL'), SEED_TIMEOUT_MS)
    yield line
  }
  clearTimeout(patience)
}

const huntIn = (directory: string): string => join(directory, 'dist', 'tools', 'mutants', 'hunt.js')

/** The nearest directory above this file that has the sources. */
function findRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'src', 'rules', 'quorum.ts'))) {
    const above = dirname(directory)
    if (above === directory)
      throw new Error('The sources are needed for planting bugs: run it in a checkout of the repository.')
    directory = above
  }
  return directory
}

function tableOf(results: readonly MutantResult[]): string {
  const table = new Table({
    head: ['2.10', 'planted bug', 'file', 'caught by', 'seeds', 'seconds'],
    style: { head: [], border: [] },
  })
  for (const { number, name, file, caughtBy, seeds, seconds } of results) {
    table.push([number ?? '', name, file, caughtBy ?? 'NOT CAUGHT', seeds, seconds.toFixed(1)])
  }
  const missed = results.filter(({ caughtBy }) => caughtBy === null)
  const verdict =
    missed.length === 0
      ? `All ${results.length} planted bugs were caught.`
      : `${missed.length} of ${results.length} were NOT caught: ${missed.map(({ name }) => name).join('; ')}.`
  const deferred = DEFERRED.map(({ number, name, reason }) => `  (${number}) ${name}: ${reason}`)
  return [
    table.toString(),
    verdict,
    `${DEFERRED.length} deferred, with no place in the code yet:`,
    ...deferred,
  ].join('\n')
}
