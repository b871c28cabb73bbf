// How much room on a disk is too little.

import { formatCount } from '../output.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

const MEGABYTE = 1_000_000
/** With less than this a busy group is full within minutes. */
const LOW_SPACE_BYTES = 1000 * MEGABYTE
const NO_SPACE_BYTES = 100 * MEGABYTE

export function spaceFinding(check: string, freeBytes: number): Finding {
  const size = `${formatCount(freeBytes / MEGABYTE)} MB are free`
  if (freeBytes < NO_SPACE_BYTES)
    return problem(check, `${size}: the member will stop when its disk is full. Make space.`)
  return freeBytes < LOW_SPACE_BYTES ? warning(check, `${size}: make space soon.`) : fine(check, `${size}.`)
}
