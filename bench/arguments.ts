// What may stand on the benchmark's command line: numbers that are some, and a directory that is there. Parsers leave the text as it
// is, and refuse what nobody could measure.

import { statSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'

const WHOLE = /^[1-9]\d{0,15}$/

export function whole(text: string): string {
  if (WHOLE.test(text)) return text
  throw new InvalidArgumentError('It must be a whole number from 1 up.')
}

export function positive(text: string): string {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0) return text
  throw new InvalidArgumentError('It must be a number above 0.')
}

export function wholes(text: string): string {
  if (text.split(',').every((one) => WHOLE.test(one))) return text
  throw new InvalidArgumentError('It must be whole numbers from 1 up, comma separated.')
}

export function directory(text: string): string {
  if (statSync(text, { throwIfNoEntry: false })?.isDirectory() === true) return text
  throw new InvalidArgumentError('It must be a directory that is there.')
}

export function json(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text
  } catch {
    // Told below.
  }
  throw new InvalidArgumentError('It must be a JSON object.')
}

const OTHERS: Readonly<Record<string, (text: string) => string>> = {
  ...{
    seconds: positive,
    growthSeconds: positive,
    rate: positive,
    clients: wholes,
    tuning: json,
    dir: directory,
  },
}
/** Options with a text of their own. */
const TEXTS: ReadonlySet<string> = new Set(['mode', 'snapshots', 'report', 'reportFrom', 'pipe'])

/** Every other option that takes something takes a whole number. */
export function checkArguments(program: Command): void {
  for (const option of program.options) {
    const name = option.attributeName()
    if (TEXTS.has(name) || (!option.required && !option.optional)) continue
    option.argParser(OTHERS[name] ?? whole)
  }
}
