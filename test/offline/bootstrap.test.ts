// A group that begins with a state: the first files of a member, and nodes that are started on them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type BootstrapOptions,
  bootstrap,
  type Host,
  MemoryBus,
  MemoryDisk,
  MemoryStorage,
  openHost,
  type StateMachine,
  type Storage,
} from '../../src/index.ts'
import { KeyValueStore } from '../../src/machines/kv.ts'
import { QUICK, rejection, until } from '../host/support/world.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

type Place = () => Pick<BootstrapOptions, 'dataDir' | 'storage'>

/** Where files lie; each call opens them anew. */
const PLACES: Readonly<Record<string, () => Place>> = {
  memory: () => {
    const disk = new MemoryDisk()
    return () => ({ storage: new MemoryStorage({ disk }) })
  },
  sqlite: () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'quorate-bootstrap-'))
    undo.push(() => rmSync(dataDir, { recursive: true, force: true }))
    return () => ({ dataDir })
  },
}

/** It holds 26 items, and they were not put there by commands. */
function alphabet(): KeyValueStore {
  const machine = new KeyValueStore()
  for (let i = 0; i < 26; i++) machine.apply(['put', String.fromCharCode(97 + i), `${i}`])
  return machine
}

async function start(id: string, place: Place, bus: MemoryBus, peers: readonly string[] = []) {
  const machine = new KeyValueStore()
  const host: Host = await openHost({ id, transport: bus.connect(id), ...place() })
  undo.push(() => host.close())
  const node = await host.startNode({ group: 'stock', peers, stateMachine: machine, ...QUICK })
  return { host, node, machine }
}

const begin = (place: Place, over: Partial<BootstrapOptions> = {}): Promise<void> =>
  bootstrap({ id: 'a', group: 'stock', peers: ['a'], ...place(), ...over })

describe.each(Object.entries(PLACES))('on %s', (_, make) => {
  it('a group begins with the state that it is given, and goes on from there (ND-36)', async () => {
    const place = make()
    await begin(place, { lastIndex: 26, stateMachine: alphabet() })
    const { host, node } = await start('a', place, new MemoryBus())
    await until(() => node.status().state === 'active.leader.serving', 'a leader')
    expect(await node.read(['size'])).toBe(26)
    expect(await node.read(['get', 'z'])).toBe('25')
    expect(node.status()).toMatchObject({
      firstIndex: 27,
      peers: ['a'],
      snapshot: { newest: { index: 26, term: 1 } },
    })
    // 27 is the configuration of the files, 28 the one that the leader began with.
    expect((await node.apply(['put', 'more', 'yes'])).index).toBe(29)
    await host.close()
    const again = await start('a', place, new MemoryBus())
    await until(() => again.node.status().state === 'active.leader.serving', 'a leader')
    expect(await again.node.read(['size'])).toBe(27)
  })

  it('a group begins with nothing but its members (ND-37)', async () => {
    const place = make()
    await begin(place)
    const { node } = await start('a', place, new MemoryBus())
    await until(() => node.status().state === 'active.leader.serving', 'a leader')
    expect(node.status()).toMatchObject({ firstIndex: 1, peers: ['a'], snapshot: { newest: null } })
    expect(await node.read(['size'])).toBe(0)
  })

  it('the members that begin empty get the state from the one that has it', async () => {
    const [a, b, c] = [make(), make(), make()]
    await begin(a, { peers: ['a', 'b', 'c'], lastIndex: 26, stateMachine: alphabet() })
    const bus = new MemoryBus()
    const nodes = await Promise.all([start('a', a, bus), start('b', b, bus), start('c', c, bus)])
    const [first] = nodes
    await until(() => nodes.every(({ machine }) => machine.read(['size']) === 26), 'everybody has the state')
    expect(first.node.status()).toMatchObject({ role: 'leader', peers: ['a', 'b', 'c'] })
  })

  it('files that a group has begun in are not touched, whatever they hold of it', async () => {
    const refused = { code: 'CONFLICT', message: expect.stringContaining('Group stock has begun') }
    const place = make()
    await begin(place)
    expect(await rejection(begin(place, { lastIndex: 26, stateMachine: alphabet() }))).toMatchObject(refused)
    const joining = make()
    const { host } = await start('a', joining, new MemoryBus(), ['a', 'b'])
    await host.close()
    const saved = make()
    await begin(saved, { lastIndex: 26, stateMachine: alphabet() })
    expect(await rejection(begin(saved))).toMatchObject(refused)
  })

  it('another group in the same files stays as it is', async () => {
    const place = make()
    await begin(place, { lastIndex: 26, stateMachine: alphabet() })
    await begin(place, { group: 'other' })
    const { node } = await start('a', place, new MemoryBus())
    await until(() => node.status().state === 'active.leader.serving', 'a leader')
    expect(await node.read(['size'])).toBe(26)
  })

  it('nothing is there of a state that could not be saved, and another attempt succeeds', async () => {
    const place = make()
    const broken = Object.assign(alphabet(), {
      onSnapshotSave: () => {
        throw new Error('no ink')
      },
    })
    expect(await rejection(begin(place, { lastIndex: 26, stateMachine: broken }))).toMatchObject({
      code: 'STATE_MACHINE',
      message: 'The state machine failed to save what group begins with: no ink',
      cause: { message: 'no ink' },
    })
    await begin(place, { lastIndex: 26, stateMachine: alphabet() })
  })
})

describe('what cannot be a beginning', () => {
  const noSnapshots: StateMachine = { apply: () => null }
  it.each<[string, Partial<BootstrapOptions>, string, string]>([
    ['peers without the member itself', { peers: ['b'] }, 'INVALID', 'Option peers: a'],
    ['no peers', { peers: [] }, 'INVALID', 'Option peers: a'],
    ['a peer twice', { peers: ['a', 'a'] }, 'INVALID', 'names a member twice'],
    ['a member without a name', { id: '' }, 'INVALID', 'Option id'],
    ['a group without a name', { group: 'a.b' }, 'INVALID', 'Option group'],
    ['half a command', { lastIndex: 0.5 }, 'INVALID', 'Option lastIndex'],
    ['less than nothing', { lastIndex: -1 }, 'INVALID', 'Option lastIndex'],
    ['an index that leaves no room', { lastIndex: 2 ** 40 + 1 }, 'INVALID', 'Option lastIndex'],
    ['a state that nobody has', { lastIndex: 1 }, 'INVALID', 'Option stateMachine: required'],
    [
      'a machine that cannot save',
      { lastIndex: 1, stateMachine: noSnapshots },
      'UNSUPPORTED',
      'no snapshots',
    ],
  ])('%s', async (_, over, code, message) => {
    const storage: Storage = new MemoryStorage({})
    expect(await rejection(begin(() => ({ storage }), over))).toMatchObject({
      code,
      message: expect.stringContaining(message),
    })
  })

  it('no place for it', async () => {
    expect(await rejection(begin(() => ({})))).toMatchObject({ code: 'INVALID' })
  })

  it('files on which a member runs', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'quorate-bootstrap-'))
    undo.push(() => rmSync(dataDir, { recursive: true, force: true }))
    await start('a', () => ({ dataDir }), new MemoryBus())
    expect(await rejection(begin(() => ({ dataDir })))).toMatchObject({ code: 'CONFLICT' })
  })
})
