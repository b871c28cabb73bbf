// An operator's client against members without consensus: it finds who leads, follows it, and makes up for lost answers.

import { afterEach, describe, expect, test, vi } from 'vitest'
import type { ConfigurationInfo } from '../../src/api.ts'
import { isReached } from '../../src/client/reached.ts'
import { connectAdmin, type QuorateAdmin } from '../../src/client.ts'
import { QuorateError } from '../../src/errors.ts'
import type { AdminRequest } from '../../src/protocol/admin-verbs.ts'
import { attachServices } from '../../src/services/attach.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { AdminNode } from './admin-node.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

function group(timeoutMs = 2000) {
  const bus = new MemoryBus()
  const [n1, n2] = [
    new AdminNode('n1', { peers: ['n1', 'n2'] }),
    new AdminNode('n2', { peers: ['n1', 'n2'] }),
  ]
  const services = [n1, n2].map((node) => attachServices({ transport: bus.connect(node.id), node }))
  const transport = bus.connect('ops')
  const published = vi.spyOn(transport, 'publish')
  const admin: QuorateAdmin = connectAdmin({ transport, group: 'demo', timeoutMs })
  /** How often somebody was asked for something, looks not counted. */
  const asked = (verb: string): number =>
    published.mock.calls.filter(([subject]) => subject.includes(`.admin.${verb}`)).length
  open.push(admin, ...services.map(({ detach }) => ({ close: detach })))
  n1.lead(2)
  n2.follow('n1', 2)
  /** n2 leads, with whatever the group has come to meanwhile. */
  const change = (): void => {
    n2.peers = n1.peers
    n2.learners = n1.learners
    n1.follow('n2', 3)
    n2.lead(3)
  }
  return { n1, n2, admin, asked, change, services }
}

describe('a change', () => {
  test('is done by the leader, and says from what to what', async () => {
    const { admin, n1 } = group()
    const { before, after } = await admin.addPeer({ id: 'n3', role: 'learner', priority: 5 })
    expect([before.peers, after.learners, after.priorities]).toEqual([['n1', 'n2'], ['n3'], { n3: 5 }])
    expect((await admin.promote('n3')).after).toMatchObject({ peers: ['n1', 'n2', 'n3'], learners: [] })
    expect((await admin.demote('n3')).after).toMatchObject({ learners: ['n3'] })
    await admin.setPriority('n2', 0, { expect: ['n1', 'n2', 'n3'] })
    expect((await admin.removePeer('n3')).after).toMatchObject({ peers: ['n1', 'n2'], learners: [] })
    expect((await admin.changePeers(['n1', { id: 'n4', role: 'learner' }])).after).toMatchObject({
      peers: ['n1'],
    })
    expect(n1.calls.map(([name]) => name)).toEqual([
      ...['addPeer', 'promote', 'demote', 'setPriority', 'removePeer', 'changePeers'],
    ])
    expect(await admin.members()).toMatchObject({ peers: ['n1'], learners: ['n4'], leader: 'n1' })
  })

  test('goes where a member says that the leader is', async () => {
    const { admin, n1, n2, change } = group()
    // n1 still seems to lead when the group is asked; it knows better when it is asked for something.
    n1.fail = () => {
      change()
      n1.fail = null
    }
    expect((await admin.addPeer('n3')).after).toMatchObject({ peers: ['n1', 'n2', 'n3'] })
    expect([n1.calls.length, n2.calls.length]).toEqual([1, 1])
  })

  test('is asked for again where another one leads, when its leader has left', async () => {
    const { admin, n1, n2, change } = group()
    const held = n1.hold()
    const asked = admin.addPeer('n3')
    await vi.waitFor(() => expect(n1.calls).toHaveLength(1))
    change()
    held.reject(new QuorateError('LEADERSHIP_LOST', 'It left.', { outcome: 'unknown', retryable: true }))
    expect((await asked).after).toMatchObject({ peers: ['n1', 'n2', 'n3'], leader: 'n2' })
    expect(n2.calls).toHaveLength(1)
  })

  test('is not asked for again when the next leader has finished it', async () => {
    const { admin, n1, n2, change } = group()
    const held = n1.hold()
    const asked = admin.addPeer('n3', { expect: ['n1', 'n2'] })
    await vi.waitFor(() => expect(n1.calls).toHaveLength(1))
    change()
    n2.peers = ['n1', 'n2', 'n3']
    held.reject(new QuorateError('LEADERSHIP_LOST', 'It left.', { outcome: 'unknown', retryable: true }))
    expect((await asked).after).toMatchObject({ peers: ['n1', 'n2', 'n3'], leader: 'n2' })
    expect(n2.calls).toEqual([])
  })

  test('whose leader died without a word is found out about', async () => {
    const { admin, n1, n2, change, services } = group()
    n1.hold()
    const asked = admin.addPeer('n3')
    await vi.waitFor(() => expect(n1.calls).toHaveLength(1))
    services[0]?.detach()
    change()
    expect((await asked).after).toMatchObject({ peers: ['n1', 'n2', 'n3'], leader: 'n2' })
    expect(n2.calls).toHaveLength(1)
  })

  test('that another one runs in the way of is refused when time is up', async () => {
    const { admin, n1 } = group(300)
    n1.hold()
    const first = admin.addPeer('n3').catch((error: unknown) => error)
    await vi.waitFor(() => expect(n1.calls).toHaveLength(1))
    await expect(admin.removePeer('n2')).rejects.toMatchObject({ code: 'BUSY', outcome: 'not-applied' })
    expect(n1.calls.length).toBeGreaterThan(2)
    admin.close()
    void first
  })

  test('that cannot be is refused at once, by the leader or before it is sent', async () => {
    const { admin, n1, asked } = group()
    n1.fail = () => Promise.reject(new QuorateError('CONFLICT', 'Others.'))
    await expect(admin.addPeer('n3', { expect: ['n1'] })).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(n1.calls).toEqual([['addPeer', { id: 'n3' }, { expect: ['n1'] }]])
    await expect(admin.addPeer('no name')).rejects.toMatchObject({ code: 'INVALID' })
    await expect(admin.changePeers([])).rejects.toMatchObject({ code: 'INVALID' })
    expect([n1.calls.length, asked('add_peer'), asked('change_peers')]).toEqual([1, 1, 0])
  })

  test('nobody waits for any longer goes on', async () => {
    const { admin, n1 } = group()
    // As long as the leader is at work, only the signal ends the waiting.
    n1.change = { stage: 'catchingUp', adding: [] }
    const held = n1.hold()
    const giveUp = new AbortController()
    const asked = admin.addPeer('n3', { signal: giveUp.signal })
    await vi.waitFor(() => expect(n1.calls).toHaveLength(1))
    giveUp.abort()
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED', outcome: 'unknown' })
    held.resolve()
    await vi.waitFor(async () => expect(await admin.members()).toMatchObject({ peers: ['n1', 'n2', 'n3'] }))
    const late = admin.removePeer('n3', { signal: AbortSignal.abort() })
    await expect(late).rejects.toMatchObject({ code: 'ABORTED', outcome: 'not-applied' })
    expect(n1.calls).toHaveLength(1)
  })

  test('tells how far it is while it takes its time', async () => {
    const { admin, n1, asked: requests } = group()
    const adding = { peer: 'n3', matchIndex: 5, remainingEntries: 7, doneBytes: null, totalBytes: null }
    n1.change = { stage: 'catchingUp', adding: [adding] }
    const held = n1.hold()
    const seen: unknown[] = []
    const asked = admin.addPeer('n3', { onProgress: (progress) => seen.push(progress) })
    // Longer than an answer that is lost would be waited for: the leader says that it is at work.
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(5), { timeout: 5000 })
    expect(seen[0]).toEqual({ stage: 'catchingUp', adding: [adding] })
    expect(requests('add_peer')).toBe(1)
    held.resolve()
    expect((await asked).after.peers).toEqual(['n1', 'n2', 'n3'])
  })
})

test('without a leader one learns so when time is up', async () => {
  const { admin, n1 } = group(200)
  n1.follow(null)
  await expect(admin.members()).rejects.toMatchObject({ code: 'NO_LEADER', retryable: true })
})

describe('leadership', () => {
  test('is handed over by the leader', async () => {
    const { admin, n1 } = group()
    expect(await admin.transferLeadership('n2')).toEqual({ leader: 'n2', term: 3 })
    expect(n1.calls).toEqual([['transferLeadership', 'n2']])
  })

  test('that has moved though the answer was lost is not moved again', async () => {
    const { admin, n1, n2, change } = group()
    n1.transferLeadership = () => {
      change()
      return Promise.reject(
        new QuorateError('LEADERSHIP_LOST', 'It left.', { outcome: 'unknown', retryable: true }),
      )
    }
    expect(await admin.transferLeadership()).toEqual({ leader: 'n2', term: 3 })
    expect(n2.calls).toEqual([])
  })
})

test('one member is asked about itself, whoever leads', async () => {
  const { admin, n2 } = group(200)
  await admin.setReadonly('n2', true)
  expect(n2.calls).toEqual([['setReadonly', true]])
  const forced = { force: true, confirm: 'demo' } as const
  await expect(admin.resetPeers('n2', ['n2'], forced)).rejects.toMatchObject({ code: 'NOT_LEADER' })
  await expect(admin.resetPeers('n2', ['n2'], { ...forced, confirm: 'other' })).rejects.toMatchObject({
    code: 'INVALID',
  })
  await expect(admin.setReadonly('n7', true)).rejects.toMatchObject({ code: 'TRANSPORT' })
})

describe('a wish', () => {
  const now: ConfigurationInfo = {
    ...{ peers: ['n1', 'n2'], oldPeers: [], learners: ['n3'], witnesses: ['n2'], priorities: { n1: 7 } },
    ...{ index: 9, stage: 'none', leader: 'n1' },
  }
  test.each<[AdminRequest, boolean]>([
    [{ verb: 'add_peer', peer: 'n1' }, true],
    [{ verb: 'add_peer', peer: 'n3' }, true],
    [{ verb: 'add_peer', peer: 'n3', role: 'voter' }, false],
    [{ verb: 'add_peer', peer: 'n2', role: 'witness' }, true],
    [{ verb: 'add_peer', peer: 'n1', priority: 8 }, false],
    [{ verb: 'add_peer', peer: 'n4' }, false],
    [{ verb: 'remove_peer', peer: 'n4' }, true],
    [{ verb: 'remove_peer', peer: 'n3' }, false],
    [{ verb: 'change_peers', peers: ['n3', 'n2', 'n1'] }, true],
    [{ verb: 'change_peers', peers: ['n2', 'n1'] }, false],
    [{ verb: 'change_peers', peers: ['n1', 'n2', { id: 'n3', role: 'voter' }] }, false],
    [{ verb: 'promote', peer: 'n3' }, false],
    [{ verb: 'promote', peer: 'n1' }, true],
    [{ verb: 'demote', peer: 'n3' }, true],
    [{ verb: 'set_priority', peer: 'n2', priority: 100 }, true],
    [{ verb: 'set_priority', peer: 'n1', priority: 100 }, false],
    [{ verb: 'list_peers' }, false],
  ])('%j is fulfilled: %s', (request, reached) => {
    expect(isReached(request, now)).toBe(reached)
    expect(isReached(request, { ...now, oldPeers: ['n1'] })).toBe(false)
  })
})
