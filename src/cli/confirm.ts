// Asks a person whether something is to be done. Scripts say so beforehand.

import { createInterface } from 'node:readline'
import { CliError, ExitCode } from './exit.ts'

export interface ConfirmFlags {
  readonly yes?: boolean
}

/** @throws CliError REFUSED when the answer is no, or when nobody can be asked. */
export async function confirm(question: string, { yes }: ConfirmFlags): Promise<void> {
  if (yes === true) return
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    const text = 'Nothing was changed: there is no terminal to ask on, so it needs --yes.'
    throw new CliError(ExitCode.REFUSED, text)
  }
  const answer = await ask(`${question} [y/N] `)
  if (/^y(es)?$/i.test(answer.trim())) return
  throw new CliError(ExitCode.REFUSED, 'Nothing was changed.')
}

function ask(text: string): Promise<string> {
  const reading = createInterface({ input: process.stdin, output: process.stderr })
  return new Promise((resolve) => {
    // The terminal hands Ctrl-C to the reader: let it end this program as it ends any other.
    reading.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
    reading.on('close', () => resolve(''))
    reading.question(text, (answer) => {
      resolve(answer)
      reading.close()
    })
  })
}
