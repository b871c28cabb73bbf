// What became of the planted bugs: one by one, and by source file.

import Table from 'cli-table3'
import { DEFERRED } from './table.ts'

export interface Found {
  /** The invariant or the test that noticed; null when none did. */
  readonly caughtBy: string | null
  /** Seeds that it took; 0 for tests. */
  readonly seeds: number
  /** Other invariants that failing seeds named before. */
  readonly otherwise: Readonly<Record<string, number>>
  readonly message: string
}

export interface MutantResult extends Found {
  readonly name: string
  readonly number: number | null
  readonly file: string
  readonly seconds: number
}

export interface FileSummary {
  readonly file: string
  readonly planted: number
  readonly caught: number
}

export function byFile(results: readonly MutantResult[]): readonly FileSummary[] {
  const files = [...new Set(results.map(({ file }) => file))].sort()
  return files.map((file) => {
    const own = results.filter((result) => result.file === file)
    return { file, planted: own.length, caught: own.filter(({ caughtBy }) => caughtBy !== null).length }
  })
}

export function reportAsText(results: readonly MutantResult[]): string {
  const missed = results.filter(({ caughtBy }) => caughtBy === null)
  const verdict =
    missed.length === 0
      ? `All ${results.length} planted bugs were caught.`
      : `${missed.length} of ${results.length} were NOT caught: ${missed.map(({ name }) => name).join('; ')}.`
  const deferred = DEFERRED.map(({ number, name, reason }) => `  (${number}) ${name}: ${reason}`)
  return [
    tableOfMutants(results),
    tableOfFiles(byFile(results)),
    verdict,
    `${DEFERRED.length} deferred, with no place in the code yet:`,
    ...deferred,
  ].join('\n')
}

const STYLE = { head: [], border: [] }

function tableOfMutants(results: readonly MutantResult[]): string {
  const table = new Table({
    head: ['2.10', 'planted bug', 'file', 'caught by', 'seeds', 'seconds'],
    style: STYLE,
    colWidths: [null, 50, 42, 50, null, null],
    wordWrap: true,
  })
  for (const { number, name, file, caughtBy, seeds, seconds } of results) {
    table.push([number ?? '', name, file, caughtBy ?? 'NOT CAUGHT', seeds || '', seconds.toFixed(1)])
  }
  return table.toString()
}

function tableOfFiles(files: readonly FileSummary[]): string {
  const table = new Table({
    head: ['source file', 'planted', 'caught'],
    style: STYLE,
    colAligns: ['left', 'right', 'right'],
  })
  for (const { file, planted, caught } of files) table.push([file, planted, caught])
  return table.toString()
}
