// Files that cannot grow any more, as on a full disk, under load: the member says so and stops, the others go on, and
// with space again it comes back. Node ignores SIGXFSZ, so that what is written beyond the limit fails with EFBIG.

import { afterEach, expect, test } from 'vitest'
import { Requester } from '../../src/client/requester.ts'
import { clientSubject } from '../../src/transport/subjects.ts'
import { decodeValue, encodeValue } from '../../src/transport/wire/codec.ts'
import { jsonLines } from '../cli/run-cli.ts'
import { Group } from './support/group.ts'
import { Workload } from './support/workload.ts'

const CLIENTS = 12
/** Enough to start, and full after some hundred commits. */
const MAX_FILE_KIB = 200

let group: Group
afterEach(() => group.stop())

async function statusOf(id: string) {
  const { members } = await group.client.status({ timeoutMs: 2000 })
  return members.find((member) => member.id === id)
}

/** What a member says to a command that is sent to it and nobody else. */
async function ask(id: string, command: unknown): Promise<unknown> {
  const requester = new Requester(group.transport)
  const message = encodeValue([1, 'test', [encodeValue(command)]])
  const reply = await new Promise<Uint8Array>((resolve) => {
    requester.send(clientSubject('quorate', 'e2e', id, 'propose'), message, ({ payload }) =>
      resolve(payload.slice()),
    )
  })
  requester.close()
  const decoded = decodeValue(reply)
  if (!decoded.ok || !Array.isArray(decoded.value)) throw new Error('The answer is not understood.')
  const [, [answer]] = decoded.value
  return answer
}

/** Hands leadership on until `id` has it. */
async function makeLeader(id: string): Promise<void> {
  for (let leader = await group.leader(); leader !== id; leader = await group.leader()) {
    await group.end(leader, 'SIGTERM')
    await group.startMember(leader)
  }
}

test.each(['leader', 'follower'] as const)('the disk of a %s is full', { timeout: 60_000 }, async (role) => {
  group = await Group.start()
  const first = await group.leader()
  const victim = group.ids.find((id) => id !== first) ?? ''
  await group.end(victim, 'SIGKILL')
  await group.startMember(victim, { maxFileKiB: MAX_FILE_KIB })
  if (role === 'leader') await makeLeader(victim)

  const load = new Workload(group.client, CLIENTS)
  await group.until(victim, 'The member stopped in its error state')
  await load.progress(100)
  expect(await group.leader()).not.toBe(victim)
  const stopped = await statusOf(victim)
  expect(stopped).toMatchObject({ role: 'error', error: expect.stringMatching(/^[^\n]+\.$/) })
  const lines = jsonLines(group.logOf(victim))
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'error',
      code: expect.stringMatching(/^(IO|FULL)$/),
      message: expect.stringMatching(
        /error state: .+\. Entries \d+ to \d+ may not be on disk\. Mend the cause/,
      ),
    }),
  )
  const kept = stopped?.durableIndex ?? 0
  expect(kept).toBeGreaterThan(0)
  expect(stopped?.lastIndex).toBeGreaterThan(kept)
  const told = expect.stringContaining(stopped?.error ?? 'an error')
  expect(await ask(victim, ['put', 'a', 'b'])).toEqual(['NODE_FAILED', 'not-applied', told, null, false])

  expect(await group.end(victim, 'SIGTERM')).toBe(1)
  await group.startMember(victim)
  await load.progress(50)
  await load.stop()
  await group.converged()
  expect((await statusOf(victim))?.appliedIndex).toBeGreaterThan(kept)
  expect(load.check()).toMatchObject({ verdict: 'linearizable' })
})
