// Members come and go, over one bus: adding, removing, replacing, promoting, as braft's own tests do it.

import { describe, expect, it, vi } from 'vitest'
import type { RaftNode } from '../../src/api.ts'
import { type Member, rejection, until, World } from './support/world.ts'

/** Nobody has added it: it waits. */
const JOINING = { peers: [] }

/** Waits until one member leads and may serve. */
async function leading(world: World): Promise<Member> {
  const serving = () =>
    [...world.members.values()].find(({ node }) => node.status().state === 'active.leader.serving')
  await until(() => serving() !== undefined, 'a leader')
  const leader = serving()
  if (leader === undefined) throw new Error('the leader is gone again')
  return leader
}

async function alone(...others: string[]): Promise<{ world: World; a: Member; joiners: Member[] }> {
  const world = new World('a')
  const a = await world.member('a')
  const joiners: Member[] = []
  for (const id of others) joiners.push(await world.member(id, JOINING))
  await leading(world)
  return { world, a, joiners }
}

async function say(node: RaftNode, count: number, what = 'word'): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => node.apply(`${what} ${i}`)))
}

const converged = (...members: Member[]) =>
  until(() => {
    const [first, ...rest] = members.map(({ machine }) => machine.words)
    return rest.every((words) => words.length === first?.length)
  }, 'everybody has every word')

describe('adding', () => {
  it('takes in who runs, not who does not, and one at a time (ND-08, CL-01)', async () => {
    const { world, a, joiners } = await alone('b')
    await using _ = world
    const [b] = joiners as [Member]
    expect(b.node.status()).toMatchObject({ membership: 'waiting', peers: [], role: 'follower' })
    await say(a.node, 10)
    expect(await a.node.addPeer('b')).toMatchObject({
      peers: ['a', 'b'],
      oldPeers: [],
      stage: 'none',
      leader: 'a',
    })
    await converged(a, b)
    expect(b.node.status()).toMatchObject({ membership: 'voter' })
    expect(await rejection(a.node.addPeer('c'))).toMatchObject({ code: 'CATCH_UP', outcome: 'not-applied' })
    expect(a.node.members()).toMatchObject({ peers: ['a', 'b'], stage: 'none' })
    const c = await world.member('c', JOINING)
    const adding = a.node.addPeer('c')
    expect(await rejection(a.node.addPeer('d'))).toMatchObject({ code: 'BUSY', retryable: true })
    expect(await adding).toMatchObject({ peers: ['a', 'b', 'c'] })
    const { lastIndex } = a.node.status()
    expect(await a.node.addPeer('c')).toMatchObject({ peers: ['a', 'b', 'c'] })
    expect(a.node.status().lastIndex).toBe(lastIndex)
    await converged(a, b, c)
  })

  it('takes in a witness, which shows nobody anything', async () => {
    const { world, a, joiners } = await alone('w')
    await using _ = world
    const [w] = joiners
    if (w === undefined) throw new Error('nobody joins')
    await say(a.node, 5)
    expect(await rejection(a.node.changePeers([{ id: 'w', role: 'witness' }]))).toMatchObject({
      code: 'INVALID',
    })
    expect(await a.node.addPeer({ id: 'w', role: 'witness' })).toMatchObject({
      peers: ['a', 'w'],
      witnesses: ['w'],
    })
    await say(a.node, 3)
    await vi.waitFor(() => expect(w.node.status()).toMatchObject({ membership: 'witness', stateHash: null }))
    expect(w.node.status().withheldIndex).toBeGreaterThan(0)
    expect(await rejection(w.node.read(null))).toMatchObject({
      code: 'NOT_LEADER',
      leader: 'a',
      retryable: true,
    })
    expect(await rejection(w.node.read(null, { level: 'local' }))).toMatchObject({ code: 'UNSUPPORTED' })
    expect(await rejection(w.node.readCommittedUserLog(1))).toMatchObject({ code: 'UNSUPPORTED' })
    expect(await rejection(w.node.vote())).toMatchObject({ code: 'INVALID' })
    expect(await rejection(a.node.transferLeadership('w'))).toMatchObject({ code: 'INVALID' })
    for (const wish of [a.node.promote('w'), a.node.demote('w'), a.node.addPeer({ id: 'w', role: 'voter' })])
      expect(await rejection(wish)).toMatchObject({ code: 'INVALID', outcome: 'not-applied' })
  })

  it('takes in several at once, when all of them answer (ND-39)', async () => {
    const { world, a } = await alone()
    await using _ = world
    await say(a.node, 10)
    expect(await rejection(a.node.changePeers(['a', 'b', 'c']))).toMatchObject({ code: 'CATCH_UP' })
    const b = await world.member('b', JOINING)
    expect(await rejection(a.node.changePeers(['a', 'b', 'c']))).toMatchObject({ code: 'CATCH_UP' })
    const c = await world.member('c', JOINING)
    expect(await a.node.changePeers(['a', 'b', 'c'])).toMatchObject({ peers: ['a', 'b', 'c'], oldPeers: [] })
    await converged(a, b, c)
  })

  it('takes in a learner by one entry', async () => {
    const { world, a, joiners } = await alone('b')
    await using _ = world
    await say(a.node, 3)
    expect(await a.node.addPeer({ id: 'b', role: 'learner' })).toMatchObject({
      peers: ['a'],
      learners: ['b'],
    })
    await converged(a, ...joiners)
  })
})

describe('removing', () => {
  it('removes who is down, and takes him in again with other files (ND-11)', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader, followers } = await world.elect()
    await say(leader.node, 10)
    const [gone, stays] = followers as [Member, Member]
    await world.kill(gone)
    world.wipe(gone.id)
    expect((await leader.node.removePeer(gone.id)).peers).not.toContain(gone.id)
    await say(leader.node, 10, 'more')
    const back = await world.member(gone.id, JOINING)
    expect((await leader.node.addPeer(gone.id)).peers).toContain(gone.id)
    await converged(leader, stays, back)
    await until(
      () => leader.node.status().replicators.find(({ peer }) => peer === gone.id)?.counts === true,
      'it counts',
    )
    await world.kill(stays)
    await leader.node.apply('with the one that came back')
  })

  it('tells whoever is removed, and he stays quiet', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader, followers } = await world.elect()
    const [gone, stays] = followers as [Member, Member]
    const { index } = await leader.node.removePeer(gone.id)
    await until(() => gone.node.status().membership === 'removed', 'it knows')
    await until(() => !leader.node.status().replicators.some(({ peer }) => peer === gone.id), 'it is let go')
    const { term } = leader.node.status()
    // More than it takes to give up a leader.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(gone.node.status()).toMatchObject({ role: 'follower', term, commitIndex: index })
    expect(leader.node.status()).toMatchObject({ role: 'leader', term })
    await leader.node.apply('x')
    await converged(leader, stays)
  })

  it('lets a leader remove itself, and another leads soon (ND-12, ND-31)', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader } = await world.elect({ electionTimeoutMs: 1000 })
    await say(leader.node, 10)
    expect((await leader.node.removePeer(leader.id)).peers).toHaveLength(2)
    const next = await leading(world)
    expect(next.id).not.toBe(leader.id)
    expect(leader.machine.hooks.at(-1)).toBe('stop REMOVED')
    await say(next.node, 10, 'more')
    expect(await next.node.removePeer(leader.id)).toMatchObject({ stage: 'none' })
    await world.kill(leader)
    world.wipe(leader.id)
    const back = await world.member(leader.id, JOINING)
    expect((await next.node.addPeer(leader.id)).peers).toHaveLength(3)
    await converged(next, back)
  })
})

describe('replacing', () => {
  it('replaces the whole group, one by one (ND-38)', async () => {
    const names = ['b', 'c', 'd', 'e']
    const { world, a, joiners } = await alone(...names)
    await using _ = world
    await say(a.node, 10)
    let leader = a
    for (const joiner of joiners) {
      expect(await leader.node.changePeers([joiner.id])).toMatchObject({ peers: [joiner.id], oldPeers: [] })
      leader = await leading(world)
      expect(leader.id).toBe(joiner.id)
    }
    await leader.node.apply('last')
    expect(leader.machine.words).toHaveLength(11)
  })

  it('goes from one to all and back, whoever it is (CL-04)', async () => {
    const names = ['b', 'c', 'd', 'e', 'f']
    const { world } = await alone(...names)
    await using _ = world
    const all = ['a', ...names]
    for (const one of all) {
      await (await leading(world)).node.changePeers(all)
      await (await leading(world)).node.changePeers([one])
      const leader = await leading(world)
      expect(leader.id).toBe(one)
    }
  })
})

describe('learners', () => {
  it('get everything, count nowhere, and can be promoted and demoted', async () => {
    const { world, a, joiners } = await alone('l')
    await using _ = world
    const [learner] = joiners as [Member]
    await a.node.addPeer({ id: 'l', role: 'learner' })
    await say(a.node, 5)
    await converged(a, learner)
    expect(learner.node.status()).toMatchObject({ membership: 'learner', learners: ['l'], peers: ['a'] })
    expect(await learner.node.read('all')).toHaveLength(5)
    await world.kill(learner)
    await a.node.apply('without it')
    const back = await world.member('l', JOINING)
    expect(await a.node.promote('l')).toMatchObject({ peers: ['a', 'l'], learners: [] })
    expect(await a.node.promote('l')).toMatchObject({ peers: ['a', 'l'], learners: [] })
    await converged(a, back)
    expect(await a.node.demote('l')).toMatchObject({ peers: ['a'], learners: ['l'] })
    await a.node.apply('alone again')
    await converged(a, back)
  })

  it('a leader that is demoted goes on as a learner', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader } = await world.elect()
    expect(await leader.node.demote(leader.id)).toMatchObject({ learners: [leader.id] })
    const next = await leading(world)
    await next.node.apply('x')
    await converged(next, leader)
    expect(leader.node.status()).toMatchObject({ membership: 'learner', role: 'follower' })
  })
})

describe('wishes', () => {
  it('that cannot be are refused, each with a sentence', async () => {
    const { world, a } = await alone()
    await using _ = world
    const refused = async (asked: Promise<unknown>) => {
      const error = await rejection(asked)
      expect(error).toMatchObject({ code: 'INVALID', outcome: 'not-applied' })
      return (error as Error).message
    }
    expect(await refused(a.node.changePeers([]))).toMatch(/at least one member/)
    expect(await refused(a.node.changePeers(['a', 'a']))).toBe('a is named twice.')
    expect(await refused(a.node.removePeer('a'))).toMatch(/at least one voter/)
    expect(await refused(a.node.promote('x'))).toBe('x is no member.')
    expect(await refused(a.node.demote('x'))).toBe('x is no member.')
    expect(await refused(a.node.setPriority('x', 1))).toBe('x is no member.')
    expect(await refused(a.node.addPeer({ id: 'a', role: 'learner' }))).toMatch(/is a voter already/)
    expect(await refused(a.node.changePeers(['not a name']))).toMatch(/1 to 64 letters/)
    expect(await a.node.removePeer('x')).toMatchObject({ peers: ['a'] })
  })

  it('of a follower are answered with who leads', async () => {
    await using world = new World('a', 'b', 'c')
    const { leader, followers } = await world.elect()
    const error = await rejection((followers[0] as Member).node.addPeer('d'))
    expect(error).toMatchObject({ code: 'NOT_LEADER', leader: leader.id, retryable: true })
  })

  it('are refused when the members are others than expected', async () => {
    const { world, a } = await alone('b')
    await using _ = world
    expect(await rejection(a.node.addPeer('b', { expect: ['a', 'c'] }))).toMatchObject({ code: 'CONFLICT' })
    expect(await a.node.addPeer('b', { expect: ['a'] })).toMatchObject({ peers: ['a', 'b'] })
    expect(await a.node.addPeer('b', { expect: ['a'] })).toMatchObject({ peers: ['a', 'b'] })
  })

  it('about priorities are one entry', async () => {
    const { world, a } = await alone()
    await using _ = world
    const { lastIndex } = a.node.status()
    expect(await a.node.setPriority('a', 7)).toMatchObject({ priorities: { a: 7 }, index: lastIndex + 1 })
    expect(await a.node.setPriority('a', 100)).toMatchObject({ priorities: {} })
    expect(a.node.status().lastIndex).toBe(lastIndex + 2)
  })
})

it('a new half without a majority deposes its leader, and finishes the change once it has one (ND-40)', async () => {
  const { world, a, joiners } = await alone('b', 'c', 'd')
  await using _ = world
  await a.node.changePeers(['a', 'b', 'c', 'd'])
  const d = joiners[2] as Member
  await converged(a, ...joiners)
  await world.kill(d)
  const leader = await leading(world)
  const error = await rejection(leader.node.changePeers(['c', 'd']))
  expect(error).toMatchObject({ code: 'LEADERSHIP_LOST', outcome: 'unknown' })
  expect(leader.node.members()).toMatchObject({
    peers: ['c', 'd'],
    oldPeers: ['a', 'b', 'c', 'd'],
    stage: 'joint',
  })
  await world.member('d', JOINING)
  await until(
    () =>
      [...world.members.values()].some(({ node }) => {
        const { peers, oldPeers, stage } = node.members()
        return (
          stage === 'none' &&
          oldPeers.length === 0 &&
          peers.join() === 'c,d' &&
          node.status().role === 'leader'
        )
      }),
    'the change is finished',
  )
})
