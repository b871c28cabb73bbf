// From a file of results to a page.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { drawPage } from './page.ts'
import { readResults } from './results.ts'

/** @throws with one sentence that names the file. */
export function drawReport(from: string, to: string): void {
  try {
    if (!existsSync(from)) throw new Error('It is not there.')
    const page = drawPage(readResults(readFileSync(from, 'utf8')))
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, page)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`No report can be drawn from ${from}: ${why}`, { cause: error })
  }
}
