// Where results and words go: results on stdout, words for people on stderr, colors on terminals only.

import { styleText } from 'node:util'
import Table from 'cli-table3'

type Style = Parameters<typeof styleText>[0]

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  printLine(JSON.stringify(value))
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Plain text unless `stream` is a terminal and the environment allows colors. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return stream.isTTY === true && !process.env.NO_COLOR ? styleText(style, text) : text
}

export interface Column<Row> {
  readonly head: string
  readonly align?: 'left' | 'right'
  readonly cell: (row: Row) => string
}

/** A table without inner lines between rows. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const table = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align = 'left' }) => align),
    style: { head: [], border: [], compact: true },
  })
  for (const row of rows) table.push(columns.map(({ cell }) => cell(row)))
  return table.toString()
}

/** Names and values, one pair a line. */
export function formatPairs(pairs: readonly (readonly [string, string])[]): string {
  const table = new Table({
    colAligns: ['left', 'right'],
    style: { head: [], border: [], compact: true },
  })
  for (const [name, value] of pairs) table.push([name, value])
  return table.toString()
}

/** 1234567.8 → `1,234,568`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
