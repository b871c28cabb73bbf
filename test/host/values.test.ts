// The doors between a node and the code of its users: nothing of ours is lent, and nothing is changed on its way.

import { describe, expect, it } from 'vitest'
import type { StateMachine } from '../../src/state-machine.ts'
import { rejection, until, World } from './support/world.ts'

/** Keeps what it is given, writes all over the memory it came in, and hands out its own state. */
class Scribbler implements StateMachine<unknown, unknown, unknown, unknown> {
  readonly seen: string[] = []
  readonly state: number[] = []
  apply(command: unknown): unknown {
    this.seen.push(JSON.stringify(command, asText))
    scribble(command)
    this.state.push(this.seen.length)
    return this.state
  }
  read(query: unknown): unknown {
    scribble(query)
    return this.state
  }
}

function asText(_: string, value: unknown): unknown {
  return value instanceof Uint8Array
    ? `${value.constructor.name} ${Buffer.from(value).toString('hex')}`
    : value
}

function scribble(value: unknown): void {
  if (value instanceof Uint8Array) new Uint8Array(value.buffer).fill(0xee)
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(scribble)
}

function machines(): { next(): Scribbler; all: Scribbler[] } {
  const all: Scribbler[] = []
  return {
    all,
    next() {
      const machine = new Scribbler()
      all.push(machine)
      return machine
    },
  }
}

describe('a state machine that writes on what it is given', () => {
  it('changes nothing that a lagging follower stores, or that is applied again', async () => {
    await using world = new World('a', 'b', 'c')
    const made = machines()
    for (const id of world.ids) await world.member(id, { stateMachine: made.next() })
    const { leader, followers } = await world.leader()
    const [lagging] = followers
    if (lagging === undefined) throw new Error('no follower')
    lagging.connection.disconnect()
    const commands = [
      new Uint8Array(100).fill(1),
      ['put', 'key', new Uint8Array(20).fill(2)],
      { nested: [{ bytes: new Uint8Array(5000).fill(3) }] },
      Buffer.from('a buffer'),
    ]
    for (const command of commands) await leader.node.apply(command)
    lagging.connection.reconnect()
    await until(() => made.all.every(({ seen }) => seen.length === commands.length), 'all has arrived')
    const [first] = made.all
    expect(first?.seen).toHaveLength(commands.length)
    expect(JSON.stringify(first?.seen)).not.toContain('eeee')
    for (const { seen } of made.all) expect(seen).toEqual(first?.seen)
    await world.kill(lagging)
    const again = made.next()
    await world.member(lagging.id, { stateMachine: again })
    await until(() => again.seen.length === commands.length, 'applied again')
    expect(again.seen).toEqual(first?.seen)
  })

  it('gets a query of its own, and the caller an answer of his own', async () => {
    await using world = new World('a')
    const machine = new Scribbler()
    const { node } = await world.member('a', { stateMachine: machine })
    await until(() => node.status().state === 'active.leader.serving', 'a leader')
    const query = { bytes: new Uint8Array([1, 2, 3]) }
    await node.read(query)
    expect(query.bytes).toEqual(new Uint8Array([1, 2, 3]))
    const [first, second] = await Promise.all([node.apply('x'), node.apply('y')])
    // Each as it was when it was returned, although both were applied in one turn.
    expect([first.result, second.result]).toEqual([[1], [1, 2]])
    const answer = await node.read<number[]>(null)
    answer.length = 0
    expect(machine.state).toEqual([1, 2])
  })
})

it('a status that its owner changes changes nothing of the group', async () => {
  await using world = new World('a', 'b', 'c')
  const { leader } = await world.elect()
  const status = leader.node.status()
  const owned = status.peers as string[]
  owned.length = 0
  Object.assign(status, { term: 99, commitIndex: 0 })
  expect(leader.node.status()).toMatchObject({ peers: ['a', 'b', 'c'], role: 'leader' })
  expect(await leader.node.apply('still works')).toMatchObject({ result: 1 })
})

describe('a caller', () => {
  it('may change his buffer as soon as apply has returned', async () => {
    await using world = new World('a')
    const { node, machine } = await world.member('a')
    await until(() => node.status().state === 'active.leader.serving', 'a leader')
    const bytes = new Uint8Array([1, 2, 3])
    const inside = { bytes }
    const applied = [node.apply(bytes), node.apply(inside)]
    bytes.fill(9)
    await Promise.all(applied)
    expect(machine.words).toEqual([new Uint8Array([1, 2, 3]), { bytes: new Uint8Array([1, 2, 3]) }])
  })

  it.each([
    ['half a surrogate pair', '\ud800'],
    ['undefined', undefined],
    ['undefined inside', { a: undefined }],
    ['a Map', new Map()],
  ])('is refused a command and a query of %s', async (_, value) => {
    await using world = new World('a')
    const { node, machine } = await world.member('a')
    await until(() => node.status().state === 'active.leader.serving', 'a leader')
    for (const asked of [node.apply(value), node.read(value)]) {
      expect(await rejection(asked)).toMatchObject({ code: 'INVALID', outcome: 'not-applied' })
    }
    expect(machine.words).toEqual([])
  })

  it('learns that a result cannot be given back, and that the command was applied', async () => {
    await using world = new World('a')
    let result: unknown
    const { node } = await world.member('a', {
      stateMachine: { apply: () => result, read: () => result },
    })
    await until(() => node.status().state === 'active.leader.serving', 'a leader')
    for (result of [new Date(), '\udfff', { f: () => 1 }, new Map(), Promise.resolve(new Set())]) {
      expect(await rejection(node.apply('x'))).toMatchObject({ code: 'STATE_MACHINE', outcome: 'applied' })
      expect(await rejection(node.read('x'))).toMatchObject({ code: 'STATE_MACHINE', outcome: 'not-applied' })
    }
    result = undefined
    expect((await node.apply('x')).result).toBeUndefined()
    expect(await node.read('x')).toBeUndefined()
    expect(node.status().role).toBe('leader')
  })
})
