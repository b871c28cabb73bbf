// What it costs a group that its members all come and go: the story of the end-to-end test, as long as it has to be for
// figures that mean something.

import { type MembershipFigures, MembershipRun } from '../test/e2e/support/membership-run.ts'

export interface MembershipOptions {
  readonly transfers: number
  readonly kills: number
  readonly progress: (line: string) => void
}

/** Without the list of all gaps, which no table has room for. */
export async function measureMembership({
  transfers,
  kills,
  progress,
}: MembershipOptions): Promise<MembershipFigures> {
  const run = await MembershipRun.start(progress)
  try {
    return await run.play({ transfers, kills })
  } finally {
    await run.stop()
  }
}
