// A group that has lost its majority for good, over one bus: one member is told who the members are, and goes on with what it
// has (braft reset_peers).

import { describe, expect, it } from 'vitest'
import type { RaftNode } from '../../src/api.ts'
import { GROUP, type Member, rejection, until, World } from './support/world.ts'

const JOINING = { peers: [] }
const FORCE = { force: true } as const

async function say(node: RaftNode, ...words: string[]): Promise<void> {
  for (const word of words) await node.apply(word)
}

/** Three members that have said two words; of the two that are left none leads. */
async function bereft(): Promise<{ world: World; left: [Member, Member] }> {
  const world = new World('a', 'b', 'c')
  const { leader, followers } = await world.elect()
  await say(leader.node, 'one', 'two')
  await until(() => followers.every(({ machine }) => machine.words.length === 2), 'everybody has both')
  await world.kill(leader)
  return { world, left: followers as [Member, Member] }
}

describe('one member of three', () => {
  it('goes on alone, with everything that was acknowledged, keeps that over a crash, and takes in others', async () => {
    const { world, left } = await bereft()
    await using _ = world
    const [stays, goes] = left
    await world.kill(goes)
    const told = await stays.node.resetPeers([stays.id], FORCE)
    expect(told).toMatchObject({ peers: [stays.id], oldPeers: [], leader: stays.id })
    expect(stays.node.status().resetPending).toBe(false)
    expect(await stays.node.resetPeers([stays.id], FORCE)).toEqual(told)
    await say(stays.node, 'three')
    await world.kill(stays)
    const again = await world.member(stays.id)
    await until(() => again.node.status().state === 'active.leader.serving', 'it leads again')
    expect(again.node.members().peers).toEqual([stays.id])
    expect(await again.node.read(null)).toEqual(['one', 'two', 'three'])
    const fresh = await world.member('d', JOINING)
    await again.node.addPeer('d')
    await until(() => fresh.machine.words.length === 3, 'the new one has everything')
    // One that was lost comes back under its name with other files, as anybody else.
    world.wipe(goes.id)
    await world.member(goes.id, JOINING)
    expect((await again.node.addPeer(goes.id)).peers).toEqual([stays.id, 'd', goes.id])
    await say(again.node, 'four')
  })

  it('is followed by the others of the new set, who were not told', async () => {
    const { world, left } = await bereft()
    await using _ = world
    const [told, other] = left
    const fresh = await world.member('d', JOINING)
    const peers = [told.id, other.id, 'd']
    expect(await told.node.resetPeers(peers, FORCE)).toMatchObject({ peers })
    await until(
      () => [other, fresh].every(({ node }) => node.members().peers.join() === peers.join()),
      'they know',
    )
    const { leader } = await world.leader()
    await say(leader.node, 'three')
    await until(() => [told, other, fresh].every(({ machine }) => machine.words.length === 3), 'they follow')
  })

  it('forgets what nobody could write down, and had said that it would', async () => {
    const { world, left } = await bereft()
    await using _ = world
    const [told, goes] = left
    await world.kill(goes)
    expect(await rejection(told.node.resetPeers([told.id, 'nobody'], FORCE))).toMatchObject({
      code: 'TIMEOUT',
      outcome: 'unknown',
      retryableIfIdempotent: true,
    })
    expect(told.node.status()).toMatchObject({ resetPending: true, peers: [told.id, 'nobody'] })
    await world.kill(told)
    const again = await world.member(told.id)
    expect(again.node.status()).toMatchObject({ resetPending: false, peers: ['a', 'b', 'c'] })
  })
})

describe('what is asked', () => {
  it('is refused without force, for no set, and for names that are none', async () => {
    await using world = new World('a')
    const { node } = await world.member('a')
    for (const options of [undefined, {}, { force: false }, { force: 1 }]) {
      const asked = node.resetPeers(['a'], options as never)
      expect(await rejection(asked)).toMatchObject({
        code: 'INVALID',
        message: expect.stringMatching(/force: true/),
      })
    }
    for (const peers of [[], ['a', 'a'], ['b'], ['a', ''], ['a', 'members'], 'a', [7]])
      expect(await rejection(node.resetPeers(peers as never, FORCE))).toMatchObject({ code: 'INVALID' })
    expect(node.members()).toMatchObject({ peers: ['a'] })
    await node.close()
    expect(await rejection(node.resetPeers(['a'], FORCE))).toMatchObject({ code: 'SHUTDOWN' })
  })

  it('begins a group with a member that nobody had added', async () => {
    await using world = new World()
    const { node, machine } = await world.member('a', JOINING)
    expect(node.status().membership).toBe('waiting')
    expect(await node.resetPeers(['a'], FORCE)).toMatchObject({ peers: ['a'], leader: 'a' })
    await say(node, 'first')
    expect([node.group, machine.words]).toEqual([GROUP, ['first']])
  })

  it('need not be waited for', async () => {
    const { world, left } = await bereft()
    await using _ = world
    const stop = new AbortController()
    const asked = left[0].node.resetPeers([left[0].id, 'nobody'], { force: true, signal: stop.signal })
    stop.abort()
    expect(await rejection(asked)).toMatchObject({ code: 'ABORTED', outcome: 'unknown' })
    const late = left[0].node.resetPeers([left[0].id], { force: true, signal: stop.signal })
    expect(await rejection(late)).toMatchObject({ code: 'ABORTED', outcome: 'not-applied' })
  })
})
