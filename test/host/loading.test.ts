// A running member whose state is replaced by a snapshot: who asks meanwhile is answered from the old state or the new one,
// and user code that loads may use its own node (scenario S7).

import { describe, expect, it } from 'vitest'
import type { StateMachine } from '../../src/index.ts'
import { gate } from '../actors/support/saver.ts'
import { GROUP, type Member, rejection, until, World } from './support/world.ts'

/** Remembers words. Half of its state is gone while it loads. */
class Kept implements StateMachine<unknown, number, unknown, readonly unknown[]> {
  readonly words: unknown[] = []
  restored = 0
  meanwhile: () => unknown = () => {}
  /** What the query `slow` waits for. */
  slow: Promise<unknown> = Promise.resolve()

  apply(word: unknown): number {
    return this.words.push(word)
  }

  read(query: unknown): readonly unknown[] | Promise<readonly unknown[]> {
    const answer = [...this.words]
    return query === 'slow' ? this.slow.then(() => answer) : answer
  }

  snapshot(): readonly unknown[] {
    return [...this.words]
  }

  async restore(words: readonly unknown[]): Promise<void> {
    this.restored++
    this.words.length = 0
    await this.meanwhile()
    this.words.push(...words)
  }
}

/** A group whose log no longer has what a member lacks that comes back with this machine. */
async function behind(machine: Kept) {
  const world = new World('a', 'b', 'c')
  for (const id of world.ids) await world.member(id, { stateMachine: new Kept() })
  const { leader, followers } = await world.leader()
  const [stopped] = followers
  if (stopped === undefined) throw new Error('nobody follows')
  await world.kill(stopped)
  for (const word of ['one', 'two']) {
    await leader.node.apply(word)
    await leader.node.snapshot()
  }
  await leader.node.snapshot()
  const back = (): Promise<Member> =>
    world.member(stopped.id, { stateMachine: machine, maxReadHoldMs: 60_000, drainTimeoutMs: 200 })
  return { world, leader, back, backId: stopped.id }
}

describe('while a state is replaced', () => {
  it('queries wait, and are answered from the new one', async () => {
    const machine = new Kept()
    const way = gate()
    machine.meanwhile = () => way.passed
    const { world, leader, back } = await behind(machine)
    await using _ = world
    const { node } = await back()
    await until(() => machine.restored === 1, 'the load')
    const answers: unknown[] = []
    const asked = (['local', 'readIndex'] as const).map((level) =>
      node.read('all', { level }).then((answer) => answers.push(answer)),
    )
    await leader.node.apply('three')
    await leader.node.read('all')
    expect(answers).toEqual([])
    way.open()
    await Promise.all(asked)
    expect(answers[0]).toEqual(expect.arrayContaining(['one', 'two']))
    await until(() => machine.words.length === 3, 'the log after the snapshot')
    expect(await node.read('all')).toEqual(['one', 'two', 'three'])
  })

  it('nobody loads under a query that takes its time', async () => {
    const machine = new Kept()
    const way = gate()
    machine.slow = way.passed
    const { world, leader, back } = await behind(machine)
    await using _ = world
    const { node } = await back()
    const answer = node.read('slow', { level: 'local' })
    await until(() => node.status().snapshot.state === 'loading', 'the snapshot')
    // Turns enough for the disk to hand the snapshot over.
    for (const word of ['three', 'four', 'five']) await leader.node.apply(word)
    expect(machine.restored).toBe(0)
    way.open()
    expect(await answer).toEqual([])
    await until(() => machine.words.length === 5, 'the new state')
  })
})

describe('user code that loads', () => {
  it('may ask its own node: refused at once, or answered when the state is there (scenario S7)', async () => {
    const machine = new Kept()
    const { world, leader, back, backId } = await behind(machine)
    await using _ = world
    const seen: unknown[] = []
    let read: Promise<unknown> | null = null
    machine.meanwhile = async () => {
      await until(() => world.members.has(backId), 'the member to have started')
      const node = world.members.get(backId)?.host.node(GROUP)
      if (node === undefined) throw new Error('there is no node')
      read = node.read('all', { level: 'local' })
      seen.push(
        node.status().snapshot.state,
        await rejection(node.apply('four')),
        await rejection(node.snapshot()),
      )
    }
    const { node } = await back()
    await until(() => machine.words.length === 2, 'the new state')
    expect(seen).toMatchObject([
      'loading',
      { code: 'NOT_LEADER', leader: leader.id, outcome: 'not-applied' },
      { code: 'BUSY', retryable: true, message: expect.stringContaining('this member is loading one') },
    ])
    expect(await read).toEqual(['one', 'two'])
    await until(() => node.status().snapshot.state === 'idle', 'the end of it')
    expect(node.status().error).toBeNull()
  })

  it('that closes its own node ends it, and is not waited for', async () => {
    const machine = new Kept()
    const { world, back, backId } = await behind(machine)
    await using _ = world
    const never = gate()
    let closed: Promise<void> | null = null
    machine.meanwhile = async () => {
      await until(() => world.members.has(backId), 'the member to have started')
      closed = world.members.get(backId)?.node.close() ?? null
      await never.passed
    }
    const { node } = await back()
    await until(() => closed !== null, 'the load')
    await closed
    expect(node.status().role).toBe('shutdown')
  })
})
