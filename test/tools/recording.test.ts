// The command line of the simulator: what is recorded, and what it says when it can't be.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { replaySource } from '../../src/page/server/replay-source.ts'
import { runPlan } from '../../src/simulation/campaign/campaign.ts'
import { drawSwarm } from '../../src/simulation/campaign/swarm.ts'

const CLI = 'dist/tools/sim/main.js'

function sim(...flags: string[]): { status: number | null; stderr: string } {
  expect(existsSync(CLI), 'run `npm run build` first').toBe(true)
  const { status, stderr } = spawnSync(process.execPath, [CLI, ...flags], { encoding: 'utf8' })
  return { status, stderr }
}

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'quorate-sim-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

it('--trace records the run of a seed, --trace-lines writes down its trace', async () => {
  const path = directory()
  const [recording, lines] = [join(path, 'run.ndjson'), join(path, 'lines.ndjson')]
  const flags = ['--seed', '6', '--nodes', '3', '--timeouts', '4']
  expect(sim(...flags, '--trace', recording, '--trace-lines', lines)).toMatchObject({ status: 0 })
  const recorded: string[] = []
  const traced: string[] = []
  await runPlan(drawSwarm({ seed: 6, profile: 'swarm', nodes: 3, safetyTimeouts: 4 }), {
    record: (line) => recorded.push(line),
    writeNdjson: (line) => traced.push(line),
  })
  expect(readFileSync(recording, 'utf8')).toBe(recorded.join(''))
  // All but its first line is what a page is given.
  let shown = ''
  for await (const frame of (await replaySource(recording)).replay?.() ?? []) shown += `${frame}\n`
  expect(shown).toBe(recorded.slice(1).join(''))
  expect(readFileSync(lines, 'utf8')).toBe(traced.join(''))
  expect(JSON.parse(traced[0] ?? '')).toMatchObject({ t: expect.any(Number), node: expect.any(String) })
})

it('says what to do about several seeds, and about a file that cannot be written', () => {
  const file = join(directory(), 'no', 'run.ndjson')
  expect(sim('--seeds', '1..2', '--trace', file)).toEqual({
    status: 2,
    stderr: 'error: --trace and --trace-lines take one seed: say which with --seed N.\n',
  })
  const { status, stderr } = sim('--seed', '1', '--trace', file)
  expect(status).toBe(2)
  expect(stderr).toMatch(/^error: .*run\.ndjson cannot be written: ENOENT.*\n$/)
  expect(existsSync(file)).toBe(false)
})
