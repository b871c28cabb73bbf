// Three hosts on one bus: electing, applying, reading, losing leaders (ND-05 and its kin).

import { describe, expect, it } from 'vitest'
import { DropLog } from '../../src/observability/drop-log.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import type { RpcOutcome } from '../../src/transport/rpc/peer-rpc.ts'
import { createPeerRpc } from '../../src/transport/rpc/rpc-endpoint.ts'
import { QUICK, rejection, until, World } from './support/world.ts'

describe('three members', () => {
  it('elect one leader, apply ten commands everywhere, and agree (ND-05)', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader, followers } = await world.elect()
    const words = Array.from({ length: 10 }, (_, i) => `word ${i}`)
    const applied = await Promise.all(words.map((word) => leader.node.apply(word)))
    expect(applied.map(({ index }) => index)).toEqual(words.map((_, i) => i + 2))
    await until(() => followers.every(({ machine }) => machine.words.length === 10), 'all words everywhere')
    for (const { machine } of followers) expect(machine.words).toEqual(words)
    const { term } = leader.node.status()
    for (const { node } of followers) {
      expect(node.status()).toMatchObject({ role: 'follower', term, leader: leader.id })
      const error = await rejection(node.apply('x'))
      expect(error).toMatchObject({
        code: 'NOT_LEADER',
        outcome: 'not-applied',
        leader: leader.id,
        retryable: true,
      })
      expect(node.status().role).toBe('follower')
    }
  })

  it('answer linearizable reads on every member', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader, followers } = await world.elect()
    for (const word of ['x', 'y', 'z']) {
      await leader.node.apply(word)
      for (const { node } of [leader, ...followers]) expect(await node.read('all')).toContain(word)
    }
  })

  it('lose their leader without farewell, elect another, and keep what was acknowledged', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader } = await world.elect()
    await leader.node.apply('kept')
    await world.kill(leader)
    const next = await world.leader()
    expect(next.leader.id).not.toBe(leader.id)
    expect(await next.leader.node.read('all')).toEqual(['kept'])
    await next.leader.node.apply('and more')
    const back = await world.member(leader.id)
    await until(() => back.machine.words.length === 2, 'the dead member has caught up')
    expect(back.machine.words).toEqual(['kept', 'and more'])
  })

  it('hand over when the leader is closed: nobody waits for a time-out', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader, followers } = await world.elect({ electionTimeoutMs: 1000, maxClockDriftMs: 1000 })
    await leader.node.apply('x')
    const candidates = new Promise<string>((resolve) => {
      for (const { node } of followers)
        node.on('role', ({ to, reason }) => to === 'candidate' && resolve(reason))
    })
    world.members.delete(leader.id)
    await leader.node.close()
    expect(await candidates).toBe('TIMEOUT_NOW')
    const next = await world.leader()
    expect(await next.leader.node.apply('y')).toMatchObject({ result: 2 })
    expect(leader.machine.hooks.at(-1)).toBe('stop SHUTDOWN')
  })

  it('all closed and opened again go on where they were', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader } = await world.elect()
    await leader.node.apply('before')
    await Promise.all([...world.members.values()].map(({ host }) => host.close()))
    world.members.clear()
    const again = await world.elect()
    await again.leader.node.apply('after')
    expect(await again.leader.node.read('all')).toEqual(['before', 'after'])
  })
})

describe('a leader that is cut off', () => {
  it('steps down, tells callers that their outcome is unknown, and follows the new leader when it is back', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader } = await world.elect()
    await leader.node.apply('known')
    leader.connection.disconnect()
    const asked = rejection(leader.node.apply('unknown'))
    const read = rejection(leader.node.read('all'))
    expect(await asked).toMatchObject({
      code: 'LEADERSHIP_LOST',
      outcome: 'unknown',
      retryable: false,
      retryableIfIdempotent: true,
    })
    expect(await read).toMatchObject({ outcome: 'not-applied', retryable: true })
    expect(leader.machine.hooks.at(-1)).toBe('stop QUORUM_LOST')
    world.members.delete(leader.id)
    const next = await world.leader()
    await next.leader.node.apply('meanwhile')
    leader.connection.reconnect()
    await until(() => leader.machine.words.includes('meanwhile'), 'the old leader has caught up')
    expect(leader.machine.words).toEqual(next.leader.machine.words)
    expect(leader.node.status()).toMatchObject({ role: 'follower', leader: next.leader.id })
  })
})

describe('a member that is cut off', () => {
  it('does not disturb the others when it comes back (thesis section 9.6)', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader, followers } = await world.elect({ electionTimeoutMs: 600 })
    const { term } = leader.node.status()
    const [lonely] = followers
    if (lonely === undefined) throw new Error('no follower')
    lonely.connection.disconnect()
    await until(() => lonely.node.status().state === 'active.follower.preVoting', 'a pre-vote')
    await leader.node.apply('x')
    lonely.connection.reconnect()
    await until(() => lonely.machine.words.includes('x'), 'the member has caught up')
    expect(leader.node.status()).toMatchObject({ role: 'leader', term })
    expect(lonely.node.status()).toMatchObject({ role: 'follower', term })
  })

  it('alone of three has no leader, and says so (ND-04)', async () => {
    await using world = new World('a', 'b', 'c')
    const { node } = await world.member('a')
    const errors = await Promise.all(Array.from({ length: 10 }, (_, i) => rejection(node.apply(i))))
    for (const error of errors) expect(error).toMatchObject({ code: 'NO_LEADER', outcome: 'not-applied' })
    expect(await rejection(node.read('all'))).toMatchObject({ code: 'NO_LEADER' })
    expect(node.status().role).toBe('follower')
  })
})

describe('a request for a group', () => {
  it('that the host does not carry is answered, not swallowed', async () => {
    await using world = new World('a')
    const { host } = await world.member('a')
    const connection = world.bus.connect('z')
    const rpc = createPeerRpc({
      transport: connection,
      prefix: 'quorate',
      id: 'z',
      clock: systemClock,
      logger: silentLogger,
      drops: new DropLog({ clock: systemClock, logger: silentLogger }),
    })
    const ask = (group: string) =>
      new Promise<RpcOutcome<unknown>>((resolve) => {
        rpc.call(group, 'a', 'read_index', { term: 1 }, 1000, resolve)
      })
    expect(await ask('unknown')).toMatchObject({
      ok: false,
      failure: { code: 'REFUSED', remoteCode: 'ENOENT' },
    })
    await host.startNode({ group: 'other', peers: ['x', 'y'], stateMachine: { apply: () => null }, ...QUICK })
    expect(await ask('other')).toMatchObject({ ok: false, failure: { code: 'REFUSED', remoteCode: 'EPERM' } })
    rpc.close()
    await connection.close()
  })
})
