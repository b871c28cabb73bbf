// Who listens as leader, for how long, what it says of itself then, and what is left when services are taken off the bus.

import { describe, expect, test, vi } from 'vitest'
import type { RoleChange } from '../../src/api.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { attachServices } from '../../src/services/attach.ts'
import { trackStanding } from '../../src/services/standing.ts'
import type { Role } from '../../src/status.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import type { MemoryConnection } from '../../src/transport/memory/memory-connection.ts'
import { decodeMessage, encodeValue } from '../../src/transport/wire/codec.ts'
import { VirtualClock } from '../actors/support/virtual-clock.ts'
import { FakeNode } from '../client/fake-node.ts'

const LINGER_MS = 100

function world(node = new FakeNode('n1')) {
  const clock = new VirtualClock()
  const bus = new MemoryBus({ clock })
  const member = bus.connect('n1')
  const warn = vi.fn()
  const attach = () => attachServices({ transport: member, node, clock, logger: { ...silentLogger, warn } })
  return { clock, bus, member, node, attach, warn, asker: bus.connect('app') }
}

/** The answer of whoever listens, or what the bus says when nobody does. */
function ask(
  clock: VirtualClock,
  asker: MemoryConnection,
  subject: string,
  payload = encodeValue(0),
): string {
  let heard = 'silence'
  const inbox = `_INBOX_app.${Math.floor(clock.nowMs())}.${subject}`
  const listening = asker.subscribe(inbox, ({ payload: reply, noResponders }) => {
    heard = noResponders ? 'nobody' : Buffer.from(reply).toString()
  })
  asker.publish(subject, payload, inbox)
  clock.settle()
  listening.unsubscribe()
  return heard
}

const LEADER = [
  'quorate.demo.leader.propose',
  'quorate.demo.leader.read',
  'quorate.demo.admin.add_peer',
  'quorate.demo.admin.list_peers',
]
const MEMBER = [
  'quorate.demo.n1.client.propose',
  'quorate.demo.n1.client.read',
  'quorate.demo.members.read',
  'quorate.demo.members.status',
  'quorate.demo.n1.admin.status',
  'quorate.demo.n1.admin.add_peer',
  'quorate.demo.n1.admin.list_peers',
]

describe('a member', () => {
  test('listens as leader from when it leads, also when that was before its services came', () => {
    const { clock, asker, node, attach } = world()
    node.lead()
    attach()
    for (const subject of [...LEADER, ...MEMBER]) expect(ask(clock, asker, subject)).not.toBe('nobody')
  })

  test('listens as a member only, until it leads', () => {
    const { clock, asker, node, attach } = world()
    attach()
    for (const subject of LEADER) expect(ask(clock, asker, subject)).toBe('nobody')
    for (const subject of MEMBER) expect(ask(clock, asker, subject)).not.toBe('nobody')
    node.lead()
    for (const subject of LEADER) expect(ask(clock, asker, subject)).not.toBe('nobody')
  })

  test.each(['follower', 'candidate', 'error', 'shuttingDown', 'shutdown'] as const)(
    'that became %s goes on listening as leader for 100 ms, and no longer',
    (role) => {
      const { clock, asker, node, attach } = world()
      node.lead()
      attach()
      node.become(role)
      clock.advance(LINGER_MS - 1)
      for (const subject of LEADER) expect(ask(clock, asker, subject)).not.toBe('nobody')
      clock.advance(1)
      for (const subject of LEADER) expect(ask(clock, asker, subject)).toBe('nobody')
      for (const subject of MEMBER) expect(ask(clock, asker, subject)).not.toBe('nobody')
    },
  )

  test('that leads again within that time goes on listening for good', () => {
    const { clock, asker, node, attach } = world()
    node.lead()
    attach()
    node.follow()
    clock.advance(LINGER_MS / 2)
    node.lead(2)
    clock.advance(10 * LINGER_MS)
    for (const subject of LEADER) expect(ask(clock, asker, subject)).not.toBe('nobody')
  })

  test('that is told twice of its office listens once', () => {
    const { clock, asker, node, attach } = world()
    node.lead()
    attach()
    node.lead()
    let answers = 0
    asker.subscribe('_INBOX_app.twice', () => {
      answers += 1
    })
    asker.publish('quorate.demo.leader.propose', encodeValue(0), '_INBOX_app.twice')
    clock.settle()
    expect(answers).toBe(1)
    node.follow()
    clock.advance(LINGER_MS)
    for (const subject of LEADER) expect(ask(clock, asker, subject)).toBe('nobody')
  })

  test.each(['leading', 'lingering', 'following'] as const)(
    'whose services are detached while %s leaves nothing behind',
    (state) => {
      const { clock, asker, node, attach } = world()
      if (state !== 'following') node.lead()
      const services = attach()
      if (state === 'lingering') node.follow()
      services.detach()
      services.detach()
      expect(clock.pendingTimers).toBe(0)
      node.lead(9)
      clock.advance(10 * LINGER_MS)
      for (const subject of [...LEADER, ...MEMBER, '$SRV.PING', '$SRV.INFO.quorate-demo']) {
        expect(ask(clock, asker, subject)).toBe('nobody')
      }
      expect(node.listeners).toBe(0)
    },
  )
})

describe('what a member says of whom it knows to lead', () => {
  /** The last element of a reply. */
  function standing(clock: VirtualClock, asker: MemoryConnection): unknown {
    let by: unknown
    const listening = asker.subscribe('_INBOX_app.by', ({ payload }) => {
      const decoded = decodeMessage(payload, { maxDepth: 4, maxItems: 100 })
      by = decoded.ok && Array.isArray(decoded.value) ? decoded.value[2] : undefined
    })
    const read = encodeValue([1, 'c', 'local', [new Uint8Array([0xff])]])
    asker.publish('quorate.demo.n1.client.read', read, '_INBOX_app.by')
    clock.settle()
    listening.unsubscribe()
    return by
  }

  test('follows its office, its term and its leader', () => {
    const { clock, asker, node, attach } = world()
    attach()
    expect(standing(clock, asker)).toEqual(['n1', 1, null])
    node.follow('n2', 3)
    expect(standing(clock, asker)).toEqual(['n1', 3, 'n2'])
    node.lead(4)
    expect(standing(clock, asker)).toEqual(['n1', 4, 'n1'])
    node.follow(null, 5)
    expect(standing(clock, asker)).toEqual(['n1', 5, null])
    node.tellLeader('n3', 6)
    expect(standing(clock, asker)).toEqual(['n1', 6, 'n3'])
  })

  test('is not itself, once it leads no longer, whatever it still believes', () => {
    const { node } = world()
    node.lead(2)
    const { now } = trackStanding(node)
    expect(now()).toEqual({ id: 'n1', term: 2, leader: 'n1' })
    node.become('error')
    expect(now()).toEqual({ id: 'n1', term: 2, leader: null })
    node.tellLeader('n1', 2)
    expect(now()).toEqual({ id: 'n1', term: 2, leader: null })
  })

  test('is known at once of a node that leads already, or knows who does', () => {
    const { node } = world()
    node.follow('n3', 7)
    expect(trackStanding(node).now()).toEqual({ id: 'n1', term: 7, leader: 'n3' })
    node.lead(8)
    expect(trackStanding(node).now()).toEqual({ id: 'n1', term: 8, leader: 'n1' })
  })

  test('stays as it was after the end', () => {
    const { node } = world()
    node.follow('n3', 7)
    const tracker = trackStanding(node)
    tracker.stop()
    node.lead(8)
    node.follow('n2', 9)
    expect(tracker.now()).toEqual({ id: 'n1', term: 7, leader: 'n3' })
    expect(node.listeners).toBe(0)
  })
})

describe('requests that are refused', () => {
  test('are logged at once, then once a minute with how many came meanwhile, and all counted', () => {
    const { clock, asker, attach, warn } = world()
    attach()
    const refuse = (): void => void ask(clock, asker, 'quorate.demo.members.read', new Uint8Array([0xff]))
    refuse()
    expect(warn).toHaveBeenCalledTimes(1)
    for (let i = 0; i < 3; i += 1) refuse()
    clock.advance(59_999)
    refuse()
    expect(warn).toHaveBeenCalledTimes(1)
    clock.advance(1)
    refuse()
    expect(warn).toHaveBeenCalledTimes(2)
    expect(warn.mock.calls[1]?.[0]).toMatchObject({ repeated: 4 })
    clock.advance(60_001)
    refuse()
    expect(warn.mock.calls[2]?.[0]).toMatchObject({ repeated: 0 })
    const stats: unknown = JSON.parse(ask(clock, asker, '$SRV.STATS.quorate-demo.n1'))
    expect(stats).toMatchObject({
      endpoints: expect.arrayContaining([
        expect.objectContaining({ name: 'members-read', num_requests: 7, num_errors: 7 }),
      ]),
    })
  })

  test('because their handler threw are counted, and the next one is served', () => {
    const { clock, asker, attach, node } = world()
    const { detach } = attach()
    const status = vi.spyOn(node, 'status').mockImplementationOnce(() => {
      throw new Error('no status')
    })
    expect(ask(clock, asker, 'quorate.demo.n1.admin.status')).toBe('silence')
    clock.advance(1)
    expect(ask(clock, asker, 'quorate.demo.n1.admin.status')).toContain('"id":"n1"')
    const stats = ask(clock, asker, '$SRV.STATS.quorate-demo.n1')
    expect(stats).toContain('"last_error":"no status"')
    // Of an endpoint that nobody has asked there is no average.
    expect(stats).not.toContain('null,"data"')
    status.mockRestore()
    detach()
  })
})

test('the services of a role change that repeats itself stay in step', () => {
  const roles: Role[] = ['leader', 'follower', 'leader', 'error', 'shutdown']
  const { clock, bus, node, attach } = world()
  attach()
  const changes: RoleChange[] = []
  node.on('role', (change) => changes.push(change))
  for (const role of roles) {
    node.become(role)
    clock.advance(LINGER_MS)
    expect(ask(clock, bus.connect('app'), LEADER[0] ?? '') === 'nobody').toBe(role !== 'leader')
  }
  expect(changes.map(({ to }) => to)).toEqual(roles)
})
