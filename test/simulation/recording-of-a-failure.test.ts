// With a planted bug: a voter that forgets in memory whom it has voted for, and what it has on disk.

import { expect, it, vi } from 'vitest'
import { runPlan } from '../../src/simulation/campaign/campaign.ts'
import { drawSwarm } from '../../src/simulation/campaign/swarm.ts'
import { framesOf, messagesOf, Replay } from './support/recording.ts'

vi.mock('../../src/rules/vote.ts', async (original) => {
  const rules = await original<typeof import('../../src/rules/vote.ts')>()
  const decideVote: typeof rules.decideVote = (voter, request) =>
    rules.decideVote({ ...voter, votedFor: null, durableLogId: { index: 0, term: 0 } }, request)
  return { ...rules, decideVote }
})

it('a seed that fails ends with what was broken, and with how everybody was at that moment', async () => {
  const lines: string[] = []
  const failed = await firstFailing(lines)
  expect(failed.failure?.invariant).toMatch(/^INV-/)
  const frames = framesOf(lines)
  const last = messagesOf(frames, 'note').at(-1)
  expect(frames.at(-1)?.message).toBe(last)
  expect(last).toMatchObject({ tone: 'broken', text: expect.stringContaining('It must hold: ') })
  expect(last?.text).toContain(failed.failure?.message.split('\n')[0])
  expect(messagesOf(frames, 'note').filter(({ tone }) => tone === 'broken')).toHaveLength(1)
  // The vote that broke it is in the step that ended the run, and is told.
  const replay = new Replay()
  replay.show(frames)
  const granted = replay.model.timeline.entries.filter((entry) => entry.kind === 'vote' && entry.granted)
  expect(granted.at(-1)?.atMs).toBeCloseTo(failed.virtualMs, 2)
})

async function firstFailing(lines: string[]): ReturnType<typeof runPlan> {
  // The first that notices it, today.
  for (let seed = 12; seed <= 40; seed++) {
    lines.length = 0
    const plan = drawSwarm({ seed, profile: 'network', safetyTimeouts: 30 })
    const result = await runPlan(plan, { liveness: false, record: (line) => lines.push(line) })
    if (result.failure !== null) return result
  }
  throw new Error('No seed fails: what was planted is no bug.')
}
