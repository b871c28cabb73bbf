// Taking snapshots: what is captured, what may go wrong, who is told what and when; scenarios S2 and S5, traps T59 and T70.

import { describe, expect, it } from 'vitest'
import type { SnapshotOutcome } from '../../../src/actors/snapshot/snapshots.ts'
import type { TuningInput } from '../../../src/options.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { type Asked, type NodeRig, rig } from '../support/node-rig.ts'
import { gate, Saver } from '../support/saver.ts'

async function alone(machine = new Saver(), tuning: TuningInput = {}, drawn = 0) {
  const node = rig({
    peers: ['a'],
    stateMachine: machine,
    tuning: { snapshotIntervalMs: 0, ...tuning },
    drawn,
  })
  node.boot()
  await put(node, 3)
  return { node, machine }
}

async function put(node: NodeRig, times = 1): Promise<void> {
  for (let i = 0; i < times; i++) node.propose({ put: i })
  await node.flush()
}

const told = ({ outcome }: Asked<SnapshotOutcome>) => {
  if (outcome === null) return null
  return outcome.ok ? outcome.record.meta.lastIncludedIndex : outcome.error.code
}

describe('a snapshot that is asked for', () => {
  it('stands for what was applied, with term and configuration, and is told when it is durable', async () => {
    const { node } = await alone()
    node.storage.hold('snapshot')
    const asked = node.snapshot()
    await node.flush()
    expect([told(asked), node.status.snapshot.newest]).toEqual([null, null])
    node.storage.release()
    await node.flush()
    expect(asked.outcome).toMatchObject({
      ok: true,
      record: {
        meta: { lastIncludedIndex: 4, lastIncludedTerm: 2, peers: ['a'], oldPeers: [] },
        files: [{ name: 'count', bytes: 1 }],
      },
    })
    expect(node.status.snapshot).toMatchObject({
      newest: { index: 4, term: 2, bytes: 1, files: 1 },
      ...{ state: 'idle', saves: 1, failures: 0, lastError: null },
    })
  })

  it('a second one, with nothing new, is the first one, and the log behind it goes (trap T70)', async () => {
    const { node, machine } = await alone()
    node.snapshot()
    await node.flush()
    expect(node.status.firstIndex).toBe(1)
    const again = node.snapshot()
    await node.flush()
    expect(told(again)).toBe(4)
    expect(machine.calls.filter((call) => call.startsWith('save'))).toEqual(['save @4'])
    expect(node.status).toMatchObject({ firstIndex: 5, lastIndex: 4 })
  })

  it('while another one is taken is refused as BUSY, to be tried again', async () => {
    const { node, machine } = await alone()
    const way = gate()
    machine.save = () => () => way.passed
    const first = node.snapshot()
    await node.flush()
    const second = node.snapshot()
    await node.flush()
    expect(second.outcome).toMatchObject({ ok: false, error: { code: 'BUSY', retryable: true } })
    way.open()
    await node.flush()
    expect(told(first)).toBe(4)
  })

  it('tells how much has been written while it is taken', async () => {
    const { node, machine } = await alone()
    const way = gate()
    machine.save = async (writer) => {
      await writer.addFile('large', new Uint8Array(300_000))
      return () => way.passed
    }
    node.snapshot()
    await node.flush()
    expect(node.status.snapshot).toMatchObject({ state: 'saving', doneBytes: 300_000, totalBytes: 0 })
    way.open()
    await node.flush()
    expect(node.status.snapshot).toMatchObject({ state: 'idle', doneBytes: 0, totalBytes: 0 })
  })

  it('of a machine that takes none is refused as UNSUPPORTED', async () => {
    const node = rig({ peers: ['a'] }).boot()
    const asked = node.snapshot()
    node.settle()
    expect(told(asked)).toBe('UNSUPPORTED')
  })

  it('before anything was applied is refused', async () => {
    const node = rig({ stateMachine: new Saver() }).boot()
    const asked = node.snapshot()
    await node.flush()
    expect(told(asked)).toBe('INVALID')
  })

  it('of a follower leaves out what is not committed, configuration included', async () => {
    const machine = new Saver()
    const node = rig({ stateMachine: machine, tuning: { snapshotIntervalMs: 0 } }).boot()
    const { configurationEntry } = await import('../../log/support/entries.ts')
    node.append('b', {
      term: 2,
      entries: [configurationEntry(1, 2, ['a', 'b', 'c']), configurationEntry(2, 2, ['a', 'b'])],
      committedIndex: 1,
    })
    await node.flush()
    const asked = node.snapshot()
    await node.flush()
    expect(asked.outcome).toMatchObject({
      ok: true,
      record: { meta: { lastIncludedIndex: 1, peers: ['a', 'b', 'c'] } },
    })
  })
})

describe('commands', () => {
  it('wait while the state is captured, and go on while it is written', async () => {
    const { node, machine } = await alone()
    const captured = gate()
    const written = gate()
    machine.save = async () => {
      await captured.passed
      return () => written.passed
    }
    const asked = node.snapshot()
    await put(node)
    expect(node.status).toMatchObject({ commitIndex: 5, appliedIndex: 4 })
    captured.open()
    await node.flush()
    expect(node.status).toMatchObject({ appliedIndex: 5, snapshot: { state: 'saving' } })
    written.open()
    await node.flush()
    expect(told(asked)).toBe(4)
  })
})

describe('what goes wrong in user code', () => {
  it.each([
    [
      'throws at once',
      () => {
        throw new Error('full')
      },
    ],
    ['rejects', () => Promise.reject(new Error('full'))],
    [
      'throws later',
      () => () => {
        throw new Error('full')
      },
    ],
    ['rejects later', () => () => Promise.reject(new Error('full'))],
    [
      'adds a file that cannot be read',
      (writer: { addFile(name: string, content: Iterable<Uint8Array>): unknown }) => {
        void writer.addFile('f', {
          [Symbol.iterator]: () => {
            throw new Error('full')
          },
        })
      },
    ],
  ] as const)(
    'it %s: ends the attempt and nothing else, and the next one succeeds (trap T59, scenario S2)',
    async (_, save) => {
      const { node, machine } = await alone()
      const sound = machine.save
      node.snapshot()
      await node.flush()
      await put(node)
      machine.save = save
      const asked = node.snapshot()
      await node.flush()
      expect(asked.outcome).toMatchObject({
        ok: false,
        error: { code: 'STATE_MACHINE', message: expect.stringContaining('full') },
      })
      expect(node.status).toMatchObject({
        ...{ role: 'leader', firstIndex: 1 },
        snapshot: {
          newest: { index: 4 },
          failures: 1,
          state: 'idle',
          lastError: expect.stringContaining('full'),
        },
      })
      expect(machine.signal?.aborted).toBe(true)
      machine.save = sound
      const next = node.snapshot()
      await node.flush()
      expect(told(next)).toBe(5)
    },
  )

  it('what onSnapshotSave returns has to be of use', async () => {
    const { node, machine } = await alone()
    machine.save = (() => 'done') as never
    const asked = node.snapshot()
    await node.flush()
    expect(asked.outcome).toMatchObject({
      error: { message: expect.stringContaining('a function, or an async iterable of files, not string') },
    })
  })
})

describe('what goes wrong on disk', () => {
  it('no space left ends the attempt', async () => {
    const { node } = await alone()
    node.storage.fail('snapshot', 'no space left', 'FULL')
    const asked = node.snapshot()
    await node.flush()
    expect([told(asked), node.status.role]).toEqual(['STORAGE', 'leader'])
    node.storage.mend('snapshot')
    const next = node.snapshot()
    await node.flush()
    expect(told(next)).toBe(4)
  })

  it.each(['hears of it', 'swallows it'])(
    'a disk that fails stops the node, whether user code %s',
    async (how) => {
      const { node, machine } = await alone()
      machine.save = async (writer) => {
        const added = writer.addFile('f', new Uint8Array(1))
        if (how === 'swallows it') await added.catch(() => {})
      }
      node.storage.fail('snapshot', 'input/output error', 'IO')
      const asked = node.snapshot()
      await node.flush()
      expect(told(asked)).toBe('STORAGE')
      expect(node.status).toMatchObject({ role: 'error', error: 'input/output error' })
      expect(node.status.error).toBe(new StorageError('IO', 'input/output error').message)
    },
  )
})

describe('a node that ends in the middle of a save', () => {
  it.each(['captured', 'written'])(
    'closes in time though it never comes back, and tells who waits (S5): %s',
    async (when) => {
      const { node, machine } = await alone()
      const never = gate().passed
      machine.save = () => (when === 'captured' ? never : () => never)
      const asked = node.snapshot()
      await node.flush()
      node.shutdown().advance(20_000)
      await node.flush()
      expect([node.ended, told(asked), machine.signal?.aborted]).toEqual([true, 'SHUTDOWN', true])
    },
  )

  it('is destroyed: user code learns that nobody needs it', async () => {
    const { node, machine } = await alone()
    machine.save = () => () => gate().passed
    const asked = node.snapshot()
    await node.flush()
    node.handle.destroy()
    expect([machine.signal?.aborted, told(asked)]).toEqual([true, null])
    node.handle.abandon()
    expect(told(asked)).toBe('SHUTDOWN')
  })

  it('fails: so does the snapshot', async () => {
    const { node, machine } = await alone()
    machine.save = () => () => gate().passed
    const asked = node.snapshot()
    await node.flush()
    node.handle.actor.send({ type: 'fatal', error: new Error('odd') })
    await node.flush()
    expect([machine.signal?.aborted, told(asked)]).toEqual([true, 'SHUTDOWN'])
  })
})

describe('snapshots that nobody asks for', () => {
  it('are taken on the timer, for the first time somewhere within the interval', async () => {
    const { node } = await alone(new Saver(), { snapshotIntervalMs: 10_000 }, 0.5)
    node.advance(4000)
    await node.flush()
    expect(node.status.snapshot.saves).toBe(0)
    node.advance(2000)
    await node.flush()
    expect(node.status.snapshot.saves).toBe(1)
    await put(node)
    node.advance(10_000)
    await node.flush()
    expect(node.status.snapshot.saves).toBe(2)
  })

  it('are taken when enough was applied, and the log behind the one before goes', async () => {
    const { node } = await alone(new Saver(), { snapshotEveryEntries: 10 })
    for (let i = 0; i < 3; i++) await put(node, 10)
    expect(node.status.snapshot.saves).toBe(3)
    expect(node.status.firstIndex).toBe(25)
  })

  it('are taken when enough bytes have come', async () => {
    const { node } = await alone(new Saver(), { snapshotEveryBytes: 10_000 })
    await put(node, 10)
    expect(node.status.snapshot.saves).toBe(0)
    node.propose({ put: 'x'.repeat(10_000) })
    await node.flush()
    expect(node.status.snapshot.saves).toBe(1)
  })

  it('are never asked for where the machine takes none', async () => {
    const asked: unknown[] = []
    const node = rig({
      peers: ['a'],
      stateMachine: { apply: () => null },
      tuning: { snapshotEveryEntries: 2 },
      inspect: ({ type, ...rest }) => {
        if (type === '@xstate.event' && 'event' in rest && rest.event.type === 'save') asked.push(rest.event)
      },
    }).boot()
    for (let i = 0; i < 5; i++) await put(node, 2)
    node.advance(10_000_000)
    await node.flush()
    expect(node.status).toMatchObject({ role: 'leader', appliedIndex: 11 })
    expect(asked).toEqual([])
    node.snapshot()
    await node.flush()
    expect(asked).toHaveLength(1)
  })

  it('are tried again later when they fail, and not at every step', async () => {
    const { node, machine } = await alone(new Saver(), { snapshotEveryEntries: 5 })
    machine.save = () => {
      throw new Error('no')
    }
    for (let i = 0; i < 10; i++) await put(node, 2)
    expect(node.status.snapshot.failures).toBe(1)
    node.advance(5000)
    await put(node)
    expect(node.status.snapshot.failures).toBe(2)
    node.advance(5000)
    await put(node)
    expect(node.status.snapshot.failures).toBe(2)
  })
})
