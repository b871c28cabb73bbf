// Two members with data and a witness, as real processes on a real nats-server: whichever of the two is killed, what was
// acknowledged is there, and nothing of it is in the files of the witness.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { runCli } from '../cli/run-cli.ts'
import { Group } from './support/group.ts'
import { Workload } from './support/workload.ts'

const HOLDERS = ['n1', 'n2']
const MARK = 'only-who-keeps-data-has-this'
/** Written in the end: what was written before may have been compacted, and its place in the file used again. */
const LATE_MARK = 'and-this-was-written-in-the-end'

let group: Group
afterEach(() => group.stop())

const cli = (...args: string[]) => runCli([...args, '--group', 'e2e', '--nats', group.nats.url])

/** Whether any file of a member has these bytes in it. */
function filesHave(id: string, text: string): boolean {
  const directory = join(group.directory, id)
  return readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes(text))
}

async function witnessHolds(): Promise<void> {
  const { commitIndex } = await group.leading()
  await expect
    .poll(
      async () => {
        const { members } = await group.client.status({ timeoutMs: 500 })
        return members.find(({ id }) => id === 'w')?.lastIndex ?? 0
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThanOrEqual(commitIndex)
}

test('two members with data and a witness: each of the two is killed in turn', {
  timeout: 120_000,
}, async () => {
  group = await Group.start({ ids: HOLDERS })
  await group.startMember('w')
  const added = await cli('members', 'add', 'w', '--role', 'witness', '--yes')
  expect(added.stdout).toContain('Group e2e now has voters n1, n2, w (witness) (quorum 2 of 3).')
  const listed = await cli('members', 'list')
  expect(listed.stdout).toContain('The data is on n1 and n2; witnesses keep none.')

  // Many: a page of the database may end in the middle of one.
  for (let i = 0; i < 50; i++) await group.client.apply({ op: 'put', key: `mark${i}`, value: MARK })
  const load = new Workload(group.client, 8)
  await load.progress(40)
  for (let round = 0; round < 2; round++) {
    for (const victim of HOLDERS) {
      await group.end(victim, 'SIGKILL')
      // The other one and the witness are a majority.
      await load.progress(40)
      await group.startMember(victim)
      await group.converged()
    }
  }
  const refused = await cli('leader', 'transfer', 'w')
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining('w is a witness of e2e and cannot lead'),
  ])

  // What it needs is compacted when it comes back: it gets what the snapshot stands for, and no files.
  await group.end('w', 'SIGKILL')
  await load.progress(40)
  const leader = await group.leader()
  for (let i = 0; i < 2; i++) {
    await group.takeSnapshot(leader)
    await load.progress(40)
  }
  await group.takeSnapshot(leader)
  await group.startMember('w')
  await witnessHolds()

  const backup = join(group.directory, 'w.backup')
  await expect
    .poll(async () => (await cli('snapshot', 'take', '--member', 'w')).code, { timeout: 20_000 })
    .toBe(0)
  const exported = await cli('snapshot', 'export', backup, '--member', 'w')
  expect(exported.stderr).toContain('Member w is a witness of e2e')
  await load.stop()
  await group.converged()
  expect(load.check()).toMatchObject({ verdict: 'linearizable' })
  await expect(group.readAt('w', { op: 'get', key: 'mark0' })).rejects.toThrow()
  for (let i = 0; i < 50; i++) await group.client.apply({ op: 'put', key: `late${i}`, value: LATE_MARK })
  await group.converged()
  await witnessHolds()
  const holders = HOLDERS.map((id) => filesHave(id, LATE_MARK))
  const witness = [MARK, LATE_MARK].map((mark) => filesHave('w', mark))
  expect({ holders, witness }).toEqual({ holders: [true, true], witness: [false, false] })
  const { members } = await group.client.status({ timeoutMs: 500 })
  expect(members.find(({ id }) => id === 'w')).toMatchObject({
    role: 'follower',
    membership: 'witness',
    stateHash: null,
  })
})
