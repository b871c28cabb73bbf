// How hosts and nodes close: what is taken meanwhile, what is waited for, and what is let go when.

import { describe, expect, it } from 'vitest'
import { HostCore } from '../../src/host/host-core.ts'
import { openHost } from '../../src/host/open-host.ts'
import { parseTuning } from '../../src/options.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { attachServices } from '../../src/services/attach.ts'
import { MemoryDisk, MemoryStorage } from '../../src/storage/memory/memory-storage.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'
import { FakeStorage } from '../actors/support/fake-storage.ts'
import { rig } from '../actors/support/node-rig.ts'
import { VirtualClock } from '../actors/support/virtual-clock.ts'

const later = { apply: () => new Promise(() => {}) }
const prompt = { apply: () => 'done' }

function hostOf(groups: Readonly<Record<string, object>>) {
  const clock = new VirtualClock()
  const storage = new FakeStorage(clock)
  const host = new HostCore({
    id: 'a',
    prefix: 'quorate',
    transport: new MemoryBus().connect('a'),
    storage,
    clock,
    random: { next: () => 0 },
    logger: silentLogger,
  })
  const nodes = Object.entries(groups).map(([group, stateMachine]) =>
    host.startNode(
      { group, peers: ['a'], stateMachine: stateMachine as typeof prompt, tuning: parseTuning({}) },
      () => {},
    ),
  )
  clock.settle()
  return { clock, storage, host, nodes }
}

describe('a host that closes', () => {
  it('keeps the disk until the last of its groups has ended', () => {
    const { clock, storage, host, nodes } = hostOf({ quick: prompt, slow: later })
    nodes[1]?.propose(encodeValue(1), undefined, () => {})
    clock.settle()
    let closed = false
    host.close(() => {
      closed = true
    })
    clock.settle()
    expect([nodes[0]?.hasEnded, nodes[1]?.hasEnded, storage.closed, closed]).toEqual([
      true,
      false,
      false,
      false,
    ])
    clock.advance(60_000)
    expect([nodes[1]?.hasEnded, storage.closed, closed]).toEqual([true, true, true])
  })

  it('takes no new group, and closing it again is harmless', () => {
    const { clock, host } = hostOf({ quick: prompt })
    let closed = 0
    host.close(() => closed++)
    host.close(() => closed++)
    const spec = { group: 'late', peers: ['a'], stateMachine: prompt, tuning: parseTuning({}) }
    expect(() => host.startNode(spec, () => {})).toThrow(/closed/)
    clock.settle()
    clock.advance(60_000)
    expect(closed).toBe(2)
  })

  it('leaves a bus that was handed in open, and closes its own', async () => {
    const transport = new MemoryBus().connect('a')
    const host = await openHost({
      id: 'a',
      storage: new MemoryStorage({ clock: systemClock, disk: new MemoryDisk() }),
      transport,
    })
    await host.close()
    expect(transport.status().connected).toBe(true)
    expect(transport.publish('quorate.x', new Uint8Array(1))).toBeDefined()
  })
})

it('a logger that throws costs nobody anything', async () => {
  const throws = (): never => {
    throw new Error('no room for another line')
  }
  const logger = { debug: throws, info: throws, warn: throws, error: throws }
  const transport = new MemoryBus({ logger }).connect('a')
  const storage = new MemoryStorage({ clock: systemClock, disk: new MemoryDisk() })
  await using host = await openHost({ id: 'a', storage, transport, logger })
  const node = await host.startNode({ group: 'g', peers: ['a'], stateMachine: prompt })
  const services = attachServices({ transport, node, logger })
  node.on('role', throws)
  await expect(node.apply(1)).resolves.toMatchObject({ result: 'done' })
  await node.close()
  services.detach()
})

describe('the room that a bus has to have', () => {
  const maxEntryBytes = 1000
  const needed = maxEntryBytes + 8 * 1024

  it.each([
    [needed - 1, 'refused'],
    [needed, 'taken'],
    [needed + 1, 'taken'],
  ])('for entries of 1,000 bytes: %i is %s', async (maxPayloadBytes, verdict) => {
    const transport = new MemoryBus({ maxPayloadBytes }).connect('a')
    await using host = await openHost({
      id: 'a',
      storage: new MemoryStorage({ clock: systemClock, disk: new MemoryDisk() }),
      transport,
    })
    const started = host.startNode({ group: 'g', peers: ['a'], stateMachine: prompt, maxEntryBytes })
    if (verdict === 'taken') await expect(started).resolves.toBeDefined()
    else await expect(started).rejects.toMatchObject({ code: 'TRANSPORT' })
  })
})

describe('a node that drains', () => {
  it('takes nothing new', () => {
    const node = rig({ peers: ['a'] }).boot()
    node.storage.hold('append')
    const before = node.propose({ put: 1 })
    let drained = false
    node.handle.drain(() => {
      drained = true
    })
    const after = [node.propose({ put: 2 }), node.query('q')]
    node.settle()
    expect(after.map(({ outcome }) => outcome)).toMatchObject([
      { ok: false, error: { code: 'SHUTDOWN', outcome: 'not-applied' } },
      { ok: false, error: { code: 'SHUTDOWN', outcome: 'not-applied' } },
    ])
    node.advance(100)
    expect([drained, before.outcome]).toEqual([false, null])
    node.storage.release()
    node.settle().advance(10)
    expect([drained, before.outcome]).toMatchObject([true, { ok: true }])
  })

  it('gives up when drainTimeoutMs is over, and no sooner', () => {
    const node = rig({ peers: ['a'], tuning: { drainTimeoutMs: 500 } }).boot()
    node.storage.hold('append')
    node.propose({ put: 1 })
    let drained = false
    node.handle.drain(() => {
      drained = true
    })
    node.settle().advance(494)
    expect(drained).toBe(false)
    node.advance(11)
    expect(drained).toBe(true)
  })

  it('closes once, however often it is asked', async () => {
    await using host = await openHost({
      id: 'a',
      storage: new MemoryStorage({ clock: systemClock, disk: new MemoryDisk() }),
    })
    const node = await host.startNode({ group: 'g', peers: ['a'], stateMachine: prompt })
    const first = node.close()
    expect(node.close()).toBe(first)
    await first
  })
})
