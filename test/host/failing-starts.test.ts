// Starts that fail: one typed error, nothing left half started.

import { describe, expect, it } from 'vitest'
import { isQuorateError, openHost, type StartNodeOptions } from '../../src/index.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { emptyDisk, FakeStorage } from '../actors/support/fake-storage.ts'
import { configurationEntry, dataEntries } from '../log/support/entries.ts'
import { QUICK, rejection, until, Words } from './support/world.ts'

const ALONE: StartNodeOptions = { group: 'g', peers: ['a'], stateMachine: new Words(), ...QUICK }

async function hostOn(prepare: (storage: FakeStorage) => void) {
  const storage = new FakeStorage(systemClock)
  prepare(storage)
  const host = await openHost({ id: 'a', storage, transport: new MemoryBus().connect('a') })
  return { host, storage, [Symbol.asyncDispose]: () => host.close() }
}

describe('a start that fails', () => {
  it.each(['open', 'hardState', 'append'] as const)(
    'because the disk fails to %s is told as such',
    async (kind) => {
      await using a = await hostOn((storage) => storage.fail(kind, 'the disk is on fire'))
      const error = await rejection(
        // An append fails after the start: the node is there, in error.
        a.host.startNode(ALONE).then(async (node) => {
          await until(() => node.status().role === 'error', 'an error')
          await node.apply('x')
        }),
      )
      expect(error).toMatchObject(kind === 'append' ? { code: 'NODE_FAILED' } : { code: 'STORAGE' })
      expect(String(error)).toContain('the disk is on fire')
      if (kind !== 'append') expect([a.host.nodes(), a.storage.isOpen('g')]).toEqual([[], false])
    },
  )

  it('leaves nothing in the way of the next one', async () => {
    const broken = { ...configurationEntry(1, 2, ['a']), data: Uint8Array.of(1) }
    await using a = await hostOn((storage) => storage.preset('g', emptyDisk({ entries: [broken] })))
    const error = await rejection(a.host.startNode(ALONE))
    expect(error).toMatchObject({ code: 'STORAGE' })
    expect(String(error)).toMatch(/openingLog failed: The configuration entry at index 1 cannot be read/)
    a.storage.preset('g', emptyDisk())
    const node = await a.host.startNode(ALONE)
    expect(await node.apply('x')).toMatchObject({ result: 1 })
  })

  it('ND-03: of a group of one does not end before it leads, so that nobody meets it without a leader', async () => {
    await using a = await hostOn(() => {})
    const node = await a.host.startNode({ ...ALONE, stateMachine: new Words() })
    expect(node.status()).toMatchObject({ role: 'leader', leader: 'a' })
    const applied = await Promise.all(Array.from({ length: 10 }, (_, i) => node.apply(i)))
    expect(applied.map(({ result }) => result)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })
})

describe('every failing start is a typed error', () => {
  it('also when the log does not begin where it should', async () => {
    const disk = emptyDisk({
      firstIndex: 5,
      entries: dataEntries(5, 1, 2),
      hardState: { term: 2, votedFor: null },
    })
    await using a = await hostOn((storage) => storage.preset('g', disk))
    expect(isQuorateError(await rejection(a.host.startNode(ALONE)))).toBe(true)
  })

  it('also when the host is closed meanwhile', async () => {
    const { host, storage } = await hostOn((one) => one.hold('open'))
    const starting = rejection(host.startNode(ALONE))
    const closing = host.close()
    storage.release()
    const error = await starting
    await closing
    expect(error).toMatchObject({ code: 'SHUTDOWN' })
  })

  it('also when what should be a state machine is none', async () => {
    await using a = await hostOn(() => {})
    const words = { ...ALONE }
    Reflect.deleteProperty(words, 'stateMachine')
    expect(await rejection(a.host.startNode(words))).toMatchObject({ code: 'INVALID' })
  })
})
