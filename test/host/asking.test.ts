// Asking one node: commands, reads, signals, events, status.

import { describe, expect, it } from 'vitest'
import { QUICK, rejection, until, Words, World } from './support/world.ts'

async function alone(options: Parameters<World['member']>[1] = {}) {
  const world = new World('a')
  const member = await world.member('a', options)
  await until(() => member.node.status().state === 'active.leader.serving', 'a leader')
  return { ...member, world, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

describe('a command', () => {
  it('resolves with its position and what the state machine returned', async () => {
    await using a = await alone()
    expect(await a.node.apply('first')).toEqual({ index: 2, term: 2, result: 1 })
    expect(await a.node.apply('second')).toEqual({ index: 3, term: 2, result: 2 })
  })

  it('may be any plain value, or raw bytes', async () => {
    await using a = await alone()
    const values = [null, true, 1.5, 'text', [1, [2]], { deep: { er: [null] } }, Uint8Array.of(1, 2, 3)]
    await Promise.all(values.map((value) => a.node.apply(value)))
    expect(a.machine.words).toEqual(values)
  })

  it('that has no plain form is refused at once', async () => {
    await using a = await alone()
    expect(await rejection(a.node.apply({ when: new Date() }))).toMatchObject({
      code: 'INVALID',
      outcome: 'not-applied',
    })
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(await rejection(a.node.apply(circle))).toMatchObject({ code: 'INVALID' })
  })

  it('that is too large is refused with both sizes', async () => {
    await using a = await alone({ maxEntryBytes: 100 })
    const error = await rejection(a.node.apply('x'.repeat(200)))
    expect(error).toMatchObject({ code: 'TOO_LARGE', outcome: 'not-applied', retryable: false })
    expect(String(error)).toMatch(/has 202 bytes, at most 100 fit/)
  })

  it('meant for another term is refused', async () => {
    await using a = await alone()
    expect(await rejection(a.node.apply('x', { expectedTerm: 1 }))).toMatchObject({
      code: 'TERM_MISMATCH',
      outcome: 'not-applied',
      leader: 'a',
    })
    expect(await a.node.apply('y', { expectedTerm: 2 })).toMatchObject({ result: 1 })
  })

  it('of a signal that was aborted before is not applied', async () => {
    await using a = await alone()
    const reason = new Error('changed my mind')
    const error = await rejection(a.node.apply('x', { signal: AbortSignal.abort(reason) }))
    expect(error).toMatchObject({ code: 'ABORTED', outcome: 'not-applied', cause: reason })
    await a.node.apply('y')
    expect(a.machine.words).toEqual(['y'])
  })

  it('that is abandoned meanwhile may still be applied, and its caller is told so', async () => {
    await using a = await alone()
    const controller = new AbortController()
    const asked = rejection(a.node.apply('x', { signal: controller.signal }))
    controller.abort()
    expect(await asked).toMatchObject({ code: 'ABORTED', outcome: 'unknown' })
    await a.node.apply('y')
    expect(a.machine.words).toEqual(['x', 'y'])
  })

  it('answered in time does not care about its signal any more', async () => {
    await using a = await alone()
    const controller = new AbortController()
    const applied = await a.node.apply('x', { signal: controller.signal })
    controller.abort()
    expect(applied.result).toBe(1)
  })
})

describe('a read', () => {
  it('sees all that was acknowledged before, at each level', async () => {
    await using a = await alone({ leaderLease: true })
    await a.node.apply('x')
    for (const level of ['readIndex', 'lease', 'local'] as const) {
      expect(await a.node.read('all', { level })).toEqual(['x'])
    }
    expect(await a.node.read('all')).toEqual(['x'])
  })

  it('by lease needs the option', async () => {
    await using a = await alone()
    expect(await rejection(a.node.read('all', { level: 'lease' }))).toMatchObject({ code: 'LEASE_EXPIRED' })
  })

  it('may be abandoned', async () => {
    await using a = await alone()
    const controller = new AbortController()
    const asked = rejection(a.node.read('all', { signal: controller.signal }))
    controller.abort()
    expect(await asked).toMatchObject({ code: 'ABORTED', outcome: 'not-applied' })
    expect(await rejection(a.node.read('all', { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'ABORTED',
    })
  })

  it('of a state machine without reads says so', async () => {
    await using a = await alone({ stateMachine: { apply: () => null } })
    expect(await rejection(a.node.read('all'))).toMatchObject({ code: 'UNSUPPORTED' })
  })
})

describe('a node', () => {
  it('tells its role, its leader and its failure to those who listen', async () => {
    await using world = new World('a', 'b', 'c')
    const a = await world.member('a')
    const heard: string[] = []
    a.node.on('role', ({ to, reason }) => heard.push(`${to} ${reason}`))
    a.node.on('leader', ({ leader }) => heard.push(`leader ${leader}`))
    const failed = new Promise<Error>((resolve) => a.node.on('error', resolve))
    await world.member('b')
    await world.member('c')
    const { leader } = await world.leader()
    expect(heard).toContain(`leader ${leader.id}`)
    expect(heard.includes('leader ELECTION_WON')).toBe(leader.id === 'a')
    a.machine.apply = () => {
      throw new Error('cannot')
    }
    const outcome = leader.node.apply('x').catch((error: unknown) => error)
    expect((await failed).message).toMatch(/The state machine failed at index \d+: cannot/)
    await outcome
    expect(a.node.status()).toMatchObject({ role: 'error', state: 'error' })
  })

  it('is an actor, whose inspection may even throw', async () => {
    let seen = 0
    await using a = await alone({
      inspect: () => {
        seen++
        throw new Error('looked too closely')
      },
    })
    expect(await a.node.apply('x')).toMatchObject({ result: 1 })
    expect(seen).toBeGreaterThan(10)
    expect(a.node.actor.getSnapshot()).toMatchObject({ status: 'active' })
  })

  it('refuses everything once it is closed, and says so', async () => {
    await using a = await alone()
    await a.node.close()
    await a.node.close()
    for (const asked of [a.node.apply('x'), a.node.read('all'), a.node.read('all', { level: 'local' })]) {
      expect(await rejection(asked)).toMatchObject({ code: 'SHUTDOWN', outcome: 'not-applied' })
    }
    expect(a.node.status()).toMatchObject({ role: 'shutdown', state: 'shutdown' })
  })

  it('settles what is pending when it is closed', async () => {
    await using a = await alone()
    const asked = Promise.all([1, 2, 3].map((n) => a.node.apply(n)))
    await a.node.close()
    expect((await asked).map(({ result }) => result)).toEqual([1, 2, 3])
  })

  it('tells callers whose command had not left yet that it was not applied, when it is stopped at once', async () => {
    await using world = new World('a')
    const { host, node } = await world.member('a')
    await until(() => node.status().role === 'leader', 'a leader')
    const asked = rejection(node.apply('x'))
    host.destroy()
    expect(await asked).toMatchObject({ code: 'SHUTDOWN', outcome: 'not-applied' })
  })
})

describe('several groups on one host', () => {
  it('live side by side, each with a log and a state of its own', async () => {
    await using world = new World('a')
    const { host } = await world.host('a')
    const groups = ['one', 'two', 'three']
    const nodes = await Promise.all(
      groups.map((group) => host.startNode({ group, peers: ['a'], stateMachine: new Words(), ...QUICK })),
    )
    await until(() => nodes.every((node) => node.status().role === 'leader'), 'three leaders')
    await Promise.all(nodes.map((node) => node.apply(node.group)))
    expect(await Promise.all(nodes.map((node) => node.read('all')))).toEqual([['one'], ['two'], ['three']])
    expect(host.nodes().map(({ group }) => group)).toEqual(groups)
    expect(host.node('two')).toBe(nodes[1])
    expect(host.node('four')).toBeUndefined()
    await nodes[0]?.close()
    expect(host.nodes().map(({ group }) => group)).toEqual(['two', 'three'])
    expect(await nodes[1]?.apply('still here')).toMatchObject({ result: 2 })
  })
})
