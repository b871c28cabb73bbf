// Members that need what is compacted, on one bus in one process: they come back by a snapshot, whoever was stopped, wiped,
// or deposed meanwhile.

import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { StateMachine } from '../../src/state-machine.ts'
import { SNAPSHOT_CHUNK_BYTES } from '../../src/storage/snapshot-store.ts'
import { type Member, until, Words, World } from './support/world.ts'

/** Words that can be saved: one file with all of them, and ballast in others. */
class SavedWords extends Words implements StateMachine<unknown, number, unknown, readonly unknown[]> {
  readonly ballast: readonly number[]

  constructor(ballast: readonly number[] = []) {
    super()
    this.ballast = ballast
  }

  stateHash(): string {
    return createHash('sha256').update(JSON.stringify(this.words)).digest('hex')
  }

  onSnapshotSave(writer: Parameters<NonNullable<StateMachine['onSnapshotSave']>>[0]): void {
    void writer.addFile('words', new TextEncoder().encode(JSON.stringify(this.words)))
    for (const [i, bytes] of this.ballast.entries())
      void writer.addFile(`ballast/${i}`, new Uint8Array(bytes).fill(i))
  }

  async onSnapshotLoad(reader: Parameters<NonNullable<StateMachine['onSnapshotLoad']>>[0]): Promise<void> {
    const words: unknown = JSON.parse(new TextDecoder().decode(await reader.readAll('words')))
    if (Array.isArray(words)) this.words.splice(0, this.words.length, ...words)
    for (const [i, bytes] of this.ballast.entries()) {
      const found = await reader.readAll(`ballast/${i}`)
      if (found.length !== bytes || found.some((byte) => byte !== i))
        throw new Error(`ballast ${i} is broken`)
    }
  }
}

const saved = (ballast?: readonly number[]) => ({ stateMachine: new SavedWords(ballast) })

async function write({ node }: Member, from: number, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => node.apply(`word ${from + i}`)))
}

/** Two snapshots, with commands before each: nothing before the first one stays in the log. */
async function compact(member: Member, from: number): Promise<void> {
  for (const first of [from, from + 10]) {
    await write(member, first, 10)
    await member.node.snapshot()
  }
  expect(member.node.status().firstIndex).toBeGreaterThan(from + 10)
}

async function group(ballast?: readonly number[]) {
  const world = new World('a', 'b', 'c')
  for (const id of world.ids) await world.member(id, saved(ballast))
  const { leader, followers } = await world.leader()
  const [stopped] = followers
  if (stopped === undefined) throw new Error('nobody follows')
  await write(leader, 0, 20)
  return { world, leader, stopped }
}

const hashOf = ({ node }: Member) => node.status().stateHash

async function caughtUp(leader: Member, member: Member): Promise<void> {
  await until(() => hashOf(member) === hashOf(leader), `the state of ${leader.id} at ${member.id}`, 20_000)
}

describe('a follower behind the compacted log', () => {
  it('comes back by a snapshot, and goes on with the log', async () => {
    const { world, leader, stopped } = await group()
    await using _ = world
    await world.kill(stopped)
    await compact(leader, 20)
    const back = await world.member(stopped.id, saved())
    await caughtUp(leader, back)
    await write(leader, 40, 5)
    await caughtUp(leader, back)
    expect(back.node.status().firstIndex).toBeGreaterThan(20)
    expect(leader.node.status().replicators.every(({ installing }) => installing === null)).toBe(true)
  })

  it('is one that joins: it is given a snapshot before it is a member', async () => {
    const { world, leader } = await group()
    await using _ = world
    await compact(leader, 20)
    const joiner = await world.member('d', { ...saved(), peers: [] })
    expect((await leader.node.addPeer('d')).peers).toContain('d')
    await caughtUp(leader, joiner)
    await until(() => joiner.node.status().membership === 'voter', 'it knows that it is a member')
    expect(joiner.node.status().firstIndex).toBeGreaterThan(20)
  })

  it('gets files of 0 bytes, 1 byte, a chunk, a chunk and 1, and many', async () => {
    const ballast = [
      0,
      1,
      SNAPSHOT_CHUNK_BYTES,
      SNAPSHOT_CHUNK_BYTES + 1,
      ...Array.from({ length: 300 }, (_, i) => i),
    ]
    const { world, leader, stopped } = await group(ballast)
    await using _ = world
    await world.kill(stopped)
    await compact(leader, 20)
    await caughtUp(leader, await world.member(stopped.id, saved(ballast)))
  })

  it('is a wiped member of an idle group: it comes back without a write', async () => {
    const { world, leader, stopped } = await group()
    await using _ = world
    await compact(leader, 20)
    await world.kill(stopped)
    world.wipe(stopped.id)
    const before = leader.node.status().lastIndex
    const back = await world.member(stopped.id, saved())
    await caughtUp(leader, back)
    expect(back.node.status().commitIndex).toBeGreaterThanOrEqual(before)
  })
})

describe('an installation', () => {
  const BALLAST = Array.from({ length: 24 }, () => SNAPSHOT_CHUNK_BYTES)
  /** At this pace it takes longer than any test; who has seen enough of it lets it go. */
  const SLOWLY = { bytesPerSecond: 1024 * 1024 }
  const AT_ONCE = { bytesPerSecond: Number.POSITIVE_INFINITY }

  /** A follower that has begun to fetch, slowly. */
  async function underWay() {
    const { world, leader, stopped } = await group(BALLAST)
    await world.kill(stopped)
    await compact(leader, 20)
    world.snapshotThrottle = SLOWLY
    const back = await world.member(stopped.id, saved(BALLAST))
    await until(
      () => doneBytes(leader, stopped.id) > 2 * SNAPSHOT_CHUNK_BYTES,
      'some of the snapshot',
      20_000,
    )
    return { world, leader, back }
  }

  const installingOf = (leader: Member, peer: string) =>
    leader.node.status().replicators.find((one) => one.peer === peer)?.installing ?? null
  const doneBytes = (leader: Member, peer: string): number => installingOf(leader, peer)?.doneBytes ?? 0

  it('goes on where it was when the follower was closed in the middle of it', async () => {
    const { world, leader, back } = await underWay()
    await using _ = world
    const before = doneBytes(leader, back.id)
    await world.close(back)
    await until(() => installingOf(leader, back.id) === null, 'the leader to notice')
    const again = await world.member(back.id, saved(BALLAST))
    await until(() => doneBytes(leader, back.id) > 0, 'the first word of the follower')
    expect(doneBytes(leader, back.id)).toBeGreaterThanOrEqual(before)
    again.host.limitSnapshots(AT_ONCE)
    await caughtUp(leader, again)
  })

  it('is finished by the next leader when this one is gone', async () => {
    const { world, leader, back } = await underWay()
    await using _ = world
    const others = [...world.members.values()].filter(({ id }) => id !== leader.id && id !== back.id)
    for (const { node } of others) await node.snapshot()
    await world.kill(leader)
    const { leader: next } = await world.leader()
    back.host.limitSnapshots(AT_ONCE)
    await caughtUp(next, back)
    await write(next, 100, 3)
    await caughtUp(next, back)
  })

  it('is of the snapshot that it began with, though newer ones are taken, and the log goes on from there', async () => {
    const { world, leader, back } = await underWay()
    await using _ = world
    const first = installingOf(leader, back.id)?.snapshotIndex ?? 0
    for (const from of [100, 110, 120]) {
      await write(leader, from, 10)
      await leader.node.snapshot()
    }
    expect(leader.node.status().firstIndex).toBeLessThanOrEqual(first + 1)
    back.host.limitSnapshots(AT_ONCE)
    await until(() => installingOf(leader, back.id)?.snapshotIndex !== first, 'the end of it', 20_000)
    expect(installingOf(leader, back.id)).toBeNull()
    await caughtUp(leader, back)
  })

  it('costs those who write meanwhile no more than a moment', async () => {
    const { world, leader, back } = await underWay()
    await using _ = world
    for (let i = 0; i < 50; i++) {
      const startedMs = performance.now()
      await write(leader, 1000, 1)
      expect(performance.now() - startedMs).toBeLessThan(1000)
    }
    expect(installingOf(leader, back.id)).not.toBeNull()
    back.host.limitSnapshots(AT_ONCE)
    await caughtUp(leader, back)
  })
})
