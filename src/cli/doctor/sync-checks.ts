// How long the disk takes to make a small write durable, measured in a scratch file beside a member's files.

import { mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../runtime/clock.ts'
import { messageOf } from '../../runtime/errors.ts'
import { type Finding, fine, warning } from './finding.ts'

const CHECK = 'sync'
const SYNCS = 20
const BLOCK_BYTES = 4096
/** Every commit waits for a majority's disks, so a group does some fifty writes of one client in a second with this. */
export const SLOW_SYNC_MS = 20
/** The bound of the alert rules. */
export const SLOWEST_SYNC_MS = 250

export async function checkSync(dataDir: string): Promise<Finding> {
  try {
    const timesMs = await measure(dataDir)
    const p50 = timesMs[Math.floor((SYNCS - 1) / 2)] ?? 0
    const p99 = timesMs[SYNCS - 1] ?? 0
    const says = `${SYNCS} writes of 4 KiB took ${show(p50)} ms to be durable at the median, ${show(p99)} ms at the 99th percentile.`
    if (p50 <= SLOW_SYNC_MS && p99 <= SLOWEST_SYNC_MS) return fine(CHECK, says)
    return warning(CHECK, `${says} Every commit waits for it: use a faster disk, or see what else uses it.`)
  } catch (error) {
    return warning(
      CHECK,
      `It could not be measured how long writes take: ${messageOf(error)}. Run this as the user whose files they are.`,
    )
  }
}

/** Ascending. */
async function measure(dataDir: string): Promise<readonly number[]> {
  const scratch = await mkdtemp(join(dataDir, '.doctor-'))
  try {
    const file = await open(join(scratch, 'scratch'), 'wx', 0o600)
    try {
      const block = Buffer.alloc(BLOCK_BYTES, 1)
      const timesMs: number[] = []
      for (let at = 0; at < SYNCS; at++) {
        const startedMs = systemClock.nowMs()
        await file.write(block, 0, BLOCK_BYTES, at * BLOCK_BYTES)
        await file.datasync()
        timesMs.push(systemClock.nowMs() - startedMs)
      }
      return timesMs.sort((a, b) => a - b)
    } finally {
      await file.close()
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

const show = (timeMs: number): string => timeMs.toFixed(timeMs < 10 ? 2 : 0)
