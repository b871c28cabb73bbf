// Opening hosts and starting nodes: bad input is one clear sentence each.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isQuorateError, openHost, type StartNodeOptions } from '../../src/index.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { QUICK, rejection, until, Words, World } from './support/world.ts'

const memory = () => new MemoryStorage({ clock: systemClock })

describe('a host', () => {
  it.each(['', 'a.b', 'a b', '*', 'x'.repeat(65), 'leader'])(
    'is not opened under the name %j',
    async (id) => {
      const error = await rejection(openHost({ id, storage: memory() }))
      expect(error).toMatchObject({ code: 'INVALID', outcome: 'not-applied', retryable: false })
      expect(String(error)).toContain(`Option id "${id}"`)
    },
  )

  it('is not opened without a place for its data', async () => {
    expect(await rejection(openHost({ id: 'n1' }))).toMatchObject({
      code: 'INVALID',
      message: 'Option dataDir: required unless storage is given.',
    })
  })

  it('shares the bus of its process with others when it is given none', async () => {
    await using one = await openHost({ id: 'lone', storage: memory() })
    const node = await one.startNode({ group: 'g', peers: ['lone'], stateMachine: new Words(), ...QUICK })
    await until(() => node.status().role === 'leader', 'a leader')
    expect((await node.apply('hello')).result).toBe(1)
  })

  it('keeps what it acknowledged in its data directory, which is its own while it is open', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'quorate-host-'))
    try {
      for (const expected of [1, 2]) {
        await using host = await openHost({ id: 'n1', dataDir, transport: new MemoryBus().connect('n1') })
        expect(await rejection(openHost({ id: 'n1', dataDir }))).toMatchObject({ code: 'CONFLICT' })
        const node = await host.startNode({ group: 'g', peers: ['n1'], stateMachine: new Words(), ...QUICK })
        await until(() => node.status().role === 'leader', 'a leader')
        expect((await node.apply('word')).result).toBe(expected)
      }
      expect(await rejection(openHost({ id: 'n2', dataDir }))).toMatchObject({ code: 'CONFLICT' })
    } finally {
      await rm(dataDir, { recursive: true, force: true })
    }
  })

  it('refuses to start anything once it is closed, and may be closed again', async () => {
    const world = new World('a')
    const { host } = await world.host('a')
    await host.close()
    await host.close()
    expect(
      await rejection(host.startNode({ group: 'g', peers: ['a'], stateMachine: new Words() })),
    ).toMatchObject({
      code: 'SHUTDOWN',
    })
  })
})

describe('a node is not started', () => {
  const start = async (options: Partial<StartNodeOptions>) => {
    await using world = new World('a')
    const { host } = await world.host('a')
    const error = await rejection(
      host.startNode({ group: 'g', peers: ['a'], stateMachine: new Words(), ...options }),
    )
    expect(isQuorateError(error)).toBe(true)
    expect(host.nodes()).toEqual([])
    return error
  }

  it.each<[string, Partial<StartNodeOptions>, string]>([
    ['in a group without a proper name', { group: 'a.b' }, 'Option group "a.b"'],
    ['with a member without a proper name', { peers: ['a', 'b c'] }, 'Option peers "b c"'],
    [
      'with a member that is named like a part of the subjects',
      { peers: ['a', 'events'] },
      'Option peers "events"',
    ],
    ['with a member named twice', { peers: ['a', 'b', 'a'] }, 'Option peers: a,b,a names a member twice.'],
    ['with an election timeout of nothing', { electionTimeoutMs: 0 }, 'electionTimeoutMs'],
    ['with an option of the wrong kind', { maxApplyBatch: 1.5 }, 'maxApplyBatch'],
  ])('%s', async (_, options, sentence) => {
    const error = await start(options)
    expect(error).toMatchObject({ code: 'INVALID' })
    expect(String(error)).toContain(sentence)
  })

  it('with an option that nobody knows', async () => {
    const options: Partial<StartNodeOptions> & { readonly electionTimeout: number } = { electionTimeout: 5 }
    const error = await start(options)
    expect(error).toMatchObject({ code: 'INVALID' })
    expect(String(error)).toContain('electionTimeout')
  })

  it('on a bus that could not carry its largest command', async () => {
    const transport = new MemoryBus({ maxPayloadBytes: 64 * 1024 }).connect('a')
    await using host = await openHost({ id: 'a', storage: memory(), transport })
    const error = await rejection(host.startNode({ group: 'g', peers: ['a'], stateMachine: new Words() }))
    expect(error).toMatchObject({ code: 'TRANSPORT' })
    expect(String(error)).toMatch(
      /payloads of 65536 bytes.*maxEntryBytes 524288 needs 532480.*raise max_payload/,
    )
    const small = { group: 'g', peers: ['a'], stateMachine: new Words(), maxEntryBytes: 1024 }
    await expect(host.startNode(small)).resolves.toMatchObject({ group: 'g', id: 'a' })
  })

  it('twice in one group, while the first one lives', async () => {
    await using world = new World('a')
    const { host, node } = await world.member('a')
    const again = { group: node.group, peers: ['a'], stateMachine: new Words(), ...QUICK }
    expect(await rejection(host.startNode(again))).toMatchObject({ code: 'CONFLICT' })
    await node.close()
    expect(host.node(node.group)).toBeUndefined()
    await expect(host.startNode(again)).resolves.toMatchObject({ id: 'a' })
  })
})
