// What the doctor has found: one check, what came of it, and one sentence.

import { formatTable, paint } from '../output.ts'

/** `warning`: it works, and somebody should look. `problem`: it does not work, or not for long. */
export type Verdict = 'ok' | 'warning' | 'problem'

export interface Finding {
  readonly check: string
  readonly verdict: Verdict
  /** What is so, and, unless it is fine, what to do. */
  readonly says: string
}

export const fine = (check: string, says: string): Finding => ({ check, verdict: 'ok', says })
export const warning = (check: string, says: string): Finding => ({ check, verdict: 'warning', says })
export const problem = (check: string, says: string): Finding => ({ check, verdict: 'problem', says })

const STYLES = { ok: 'green', warning: 'yellow', problem: 'red' } as const

export function formatFindings(findings: readonly Finding[]): string {
  return formatTable<Finding>(
    [
      { head: 'check', cell: ({ check }) => check },
      { head: 'verdict', cell: ({ verdict }) => paint(STYLES[verdict], verdict) },
      { head: 'what is so', cell: ({ says }) => wrapped(says) },
    ],
    findings,
  )
}

const LINE_LENGTH = 90

/** At spaces, so that a table fits a screen. */
function wrapped(text: string): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + word.length < LINE_LENGTH)
      lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines.join('\n')
}
