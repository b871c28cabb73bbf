// Snapshots between real processes: members that fell behind, lost their files, or are killed again and again on the way,
// come back by installation; and disks that are full meanwhile.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import type { GroupStatus } from '../../src/client.ts'
import { Group } from './support/group.ts'
import { Workload } from './support/workload.ts'

const LONG = { timeout: 90_000 }
const MEGABYTE = 1_000_000
const PIECE_BYTES = 256 * 1024
const BLOB_MACHINE = fileURLToPath(new URL('fixtures/blob-machine.mjs', import.meta.url))
const option = (name: string, value: number): string[] => ['--option', `${name}=${value}`]
/** Only when they are asked for. */
const BY_HAND = [...option('snapshotEveryEntries', 0), ...option('snapshotEveryBytes', 0)]
const WITH_BLOB = ['--machine', BLOB_MACHINE, ...BY_HAND]

let group: Group
afterEach(() => group.stop())

type Member = GroupStatus['members'][number]

async function statusOf(id: string): Promise<Member | undefined> {
  const { members } = await group.client.status({ timeoutMs: 1000 })
  return members.find((member) => member.id === id)
}

async function until(id: string, condition: (member: Member) => boolean): Promise<Member> {
  for (;;) {
    const member = await statusOf(id)
    if (member !== undefined && condition(member)) return member
    await sleep(20)
  }
}

async function follower(): Promise<string> {
  const leader = await group.leader()
  return group.ids.find((id) => id !== leader) ?? ''
}

/** Until its leader counts the files that it has now. Returns the leader's last index: what is on record stands before. */
async function untilCounted(id: string): Promise<number> {
  for (;;) {
    const leader = await statusOf(await group.leader())
    const { identity } = (await statusOf(id)) ?? {}
    const seen = leader?.replicators.find(({ peer }) => peer === id)
    if (leader !== undefined && seen?.counts === true && seen.identity === identity) return leader.lastIndex
    await sleep(20)
  }
}

/**
 * The members that are up save their state, twice: the log before the first one goes with the second. Between them the
 * state grows: a small one is saved in a moment.
 */
async function compact(bytes: number): Promise<void> {
  await group.client.apply(['put', 'round', 1])
  for (const id of group.alive) await group.takeSnapshot(id)
  await group.client.apply(['grow', bytes])
  for (const id of group.alive) await group.takeSnapshot(id)
}

test('a member that was away while the log was compacted comes back by installation', LONG, async () => {
  group = await Group.start({ flags: option('snapshotEveryEntries', 100) })
  const away = await follower()
  await group.end(away, 'SIGTERM')
  const before = await group.client.status()
  const missed = Math.max(...before.members.map(({ lastIndex }) => lastIndex))
  for (let i = 0; i < 500; i++) await group.client.apply(['put', `key ${i % 50}`, `value ${i}`])
  await until(await group.leader(), ({ firstIndex }) => firstIndex > missed + 1)
  await group.startMember(away)
  await group.converged()
  const back = await statusOf(away)
  expect(back?.firstIndex).toBeGreaterThan(missed + 1)
  expect(back?.snapshot.newest?.index).toBeGreaterThan(missed)
})

test('a member that is wiped under load comes back, and counts again', LONG, async () => {
  group = await Group.start({ flags: option('snapshotEveryEntries', 100) })
  const load = new Workload(group.client, 12)
  await load.progress(400)
  const wiped = await follower()
  await group.end(wiped, 'SIGKILL')
  rmSync(join(group.directory, wiped), { recursive: true })
  await load.progress(100)
  await group.startMember(wiped)
  const recorded = await untilCounted(wiped)
  // Whoever has not heard of the record yet would not count it if the leader went now.
  for (const id of group.ids) await until(id, ({ commitIndex }) => commitIndex >= recorded)
  // Without the other one nothing is committed unless it counts.
  const other = group.ids.find((id) => id !== wiped) ?? ''
  await group.end(other, 'SIGKILL')
  await load.progress(50)
  await group.startMember(other)
  await load.progress(20)
  await load.stop()
  await group.converged()
  expect((await statusOf(wiped))?.firstIndex).toBeGreaterThan(1)
  expect(load.check()).toMatchObject({ verdict: 'linearizable' })
})

test(
  '320 MB arrive though the follower is killed ten times on the way, and little is fetched twice',
  LONG,
  async () => {
    group = await Group.start({ flags: WITH_BLOB })
    const away = await follower()
    await group.end(away, 'SIGTERM')
    const bytes = 320 * MEGABYTE
    await compact(bytes)

    let asked = 0
    let enough = (): void => {}
    const watch = group.transport.subscribe(`quorate.e2e.*.rpc.${away}.get_file`, () => {
      asked++
      if (asked * PIECE_BYTES > 22 * MEGABYTE) enough()
    })
    for (let kill = 0; kill < 10; kill++) {
      asked = 0
      // In the turn in which so much has been asked for: a moment later it may have all.
      const killed = new Promise<void>((resolve) => {
        enough = () => void group.end(away, 'SIGKILL').then(() => resolve())
      })
      await group.startMember(away).catch(() => {})
      await killed
    }
    enough = () => {}
    asked = 0
    await group.startMember(away)
    await group.converged()
    watch.unsubscribe()
    // Each of them has left something behind: what was there for half a second, or 16 MiB.
    expect(asked).toBeGreaterThan(0)
    expect(asked * PIECE_BYTES).toBeLessThan(bytes - 70 * MEGABYTE)
  },
)

test(
  'a disk that is full in the middle of an installation stops that member, and with space it goes on',
  LONG,
  async () => {
    group = await Group.start({ flags: WITH_BLOB })
    const away = await follower()
    await group.end(away, 'SIGTERM')
    await compact(40 * MEGABYTE)
    await group.startMember(away, { maxFileKiB: 20_000 })
    const stuck = await until(away, ({ role, snapshot }) => role === 'error' || snapshot.lastError !== null)
    expect(stuck.error ?? stuck.snapshot.lastError).toMatch(/snapshot/)
    expect(stuck.appliedIndex).toBe(stuck.snapshot.newest?.index ?? stuck.appliedIndex)
    await group.client.apply(['put', 'others', 'go on'])
    await group.end(away, 'SIGTERM')
    await group.startMember(away)
    await group.converged()
  },
)

test('a disk that is full in the middle of a save keeps what was acknowledged', LONG, async () => {
  group = await Group.start({ flags: WITH_BLOB })
  const victim = await follower()
  await group.client.apply(['grow', 1 * MEGABYTE])
  await group.takeSnapshot(victim)
  const first = (await statusOf(victim))?.snapshot.newest?.index
  await group.end(victim, 'SIGTERM')
  await group.client.apply(['grow', 40 * MEGABYTE])
  await group.startMember(victim, { maxFileKiB: 20_000 })
  await group.converged()
  await expect(group.takeSnapshot(victim)).rejects.toThrow(/snapshot/)
  await group.client.apply(['put', 'others', 'go on'])
  await group.end(victim, 'SIGTERM')
  await group.startMember(victim)
  await group.converged()
  expect((await statusOf(victim))?.snapshot.newest?.index).toBe(first)
})

test('a member with snapshots starts again without applying everything', LONG, async () => {
  group = await Group.start({ flags: ['--machine', BLOB_MACHINE, ...option('snapshotEveryEntries', 200)] })
  // On a busy machine a second member may stand before it hears the first leader, whose commands then are unknown.
  await group.leader()
  await group.converged()
  for (let i = 0; i < 50; i++) {
    await Promise.all(Array.from({ length: 40 }, (_, at) => group.client.apply(['put', i, at])))
  }
  const hash = await group.converged()
  await until('n1', ({ snapshot }) => snapshot.state === 'idle' && snapshot.newest !== null)
  const { snapshot, lastIndex } = (await statusOf('n1')) ?? {}
  await group.end('n1', 'SIGKILL')
  await group.startMember('n1')
  expect(await group.converged()).toBeDefined()
  expect(hash).toMatch(/ 2000-0$/)
  const behind = (lastIndex ?? 0) - (snapshot?.newest?.index ?? 0)
  expect(await group.readAt('n1', ['applied'])).toBeLessThanOrEqual(behind + 10)
  expect(behind).toBeLessThan(1000)
})
