// Members come and go, leadership moves, and leaders are killed in the middle of changes: real processes under load, whose
// clients are told nothing that does not hold. `npm run bench -- --membership` does the same for longer, and measures.

import { afterEach, expect, test } from 'vitest'
import { MembershipRun } from './support/membership-run.ts'

let run: MembershipRun
afterEach(() => run.stop())

test('a group grows, moves its leader, loses leaders in changes, is replaced and shrinks', async () => {
  run = await MembershipRun.start()
  const { gapMedianMs, electionTimeoutMs, ...figures } = await run.play({ transfers: 10, kills: 9 })
  expect(figures).toMatchObject({ transfers: 10, kills: { catchingUp: 3, joint: 3, stable: 3 } })
  expect(gapMedianMs).toBeLessThan(electionTimeoutMs)
}, 180_000)
