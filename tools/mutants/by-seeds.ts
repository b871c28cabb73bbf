// Lets simulation hunt a planted bug: seeds, one after the other, until an invariant notices it.

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { SeedMutant } from './mutant.ts'
import type { Found } from './report.ts'

/** A seed that takes longer than this is taken for a hang, which no invariant names. */
const SEED_TIMEOUT_MS = 120_000

const finding = z.object({ seed: z.number(), invariant: z.string().nullable(), message: z.string() })

export async function huntBySeeds(directory: string, mutant: SeedMutant, maxSeeds: number): Promise<Found> {
  const hunt = join(directory, 'dist', 'tools', 'mutants', 'hunt.js')
  const hint = JSON.stringify(mutant.hint ?? {})
  const otherwise: Record<string, number> = {}
  let seeds = 0
  let message = ''
  // A hang takes its process with it; the hunt goes on behind the seed that hung.
  for (let next = 1; next <= maxSeeds; ) {
    const args = [hunt, hint, String(next), String(maxSeeds), '1', mutant.expect.join(',')]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for await (const line of linesOf(child)) {
      const { seed, invariant, message: said } = finding.parse(JSON.parse(line))
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
