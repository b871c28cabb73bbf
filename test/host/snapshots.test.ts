// Snapshots through the public door, on real disks: taken, found again without a replay, refused, broken off.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type Host,
  MemoryBus,
  MemoryDisk,
  MemoryStorage,
  openHost,
  type SnapshotReader,
  type SnapshotWriter,
  type StateMachine,
} from '../../src/index.ts'
import { KeyValueStore } from '../../src/machines/kv.ts'
import { SNAPSHOT_CHUNK_BYTES } from '../../src/storage/snapshot-store.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

type Open = () => Promise<Host>

function disks(): Readonly<Record<string, () => Open>> {
  return {
    memory: () => {
      const disk = new MemoryDisk()
      return () =>
        openHost({ id: 'a', storage: new MemoryStorage({ disk }), transport: new MemoryBus().connect('a') })
    },
    sqlite: () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'quorate-snapshots-'))
      undo.push(() => rmSync(dataDir, { recursive: true, force: true }))
      return () => openHost({ id: 'a', dataDir, transport: new MemoryBus().connect('a') })
    },
  }
}

class Counting extends KeyValueStore {
  applied = 0
  override apply(command: unknown) {
    this.applied++
    return super.apply(command)
  }
}

async function start(open: Open, stateMachine: StateMachine) {
  const host = await open()
  undo.push(() => host.close())
  return {
    host,
    node: await host.startNode({ group: 'g', peers: ['a'], stateMachine, electionTimeoutMs: 100 }),
  }
}

describe.each(Object.entries(disks()))('on %s', (_, make) => {
  it('a member that starts again loads its snapshot, and applies only what came after it', async () => {
    const open = make()
    const before = await start(open, new Counting())
    for (let i = 0; i < 20; i++) await before.node.apply(['put', `key ${i}`, `value ${i}`])
    const taken = await before.node.snapshot()
    expect(taken).toMatchObject({
      lastIncludedIndex: 21,
      peers: ['a'],
      oldPeers: [],
      files: [{ name: 'pairs' }],
    })
    expect(await before.node.snapshot()).toEqual(taken)
    expect(before.node.status()).toMatchObject({ firstIndex: 22 })
    await before.node.apply(['append', 'key 3', ' and more'])
    const hash = before.node.status().stateHash
    await before.host.close()

    const machine = new Counting()
    const after = await start(open, machine)
    expect(await after.node.read(['get', 'key 3'])).toBe('value 3 and more')
    expect(await after.node.read(['size'])).toBe(20)
    expect(machine.applied).toBe(1)
    expect(after.node.status()).toMatchObject({ stateHash: hash, snapshot: { newest: { index: 21 } } })
  })

  it('a small state is one value', async () => {
    class Total implements StateMachine<number, number, null, number> {
      total = 0
      apply(add: number) {
        this.total += add
        return this.total
      }
      read() {
        return this.total
      }
      snapshot() {
        return { total: this.total }
      }
      restore(value: unknown) {
        this.total = (value as { total: number }).total
      }
    }
    const open = make()
    const before = await start(open, new Total())
    await before.node.apply(5)
    await before.node.snapshot()
    await before.host.close()
    const after = await start(open, new Total())
    expect(await after.node.read(null)).toBe(5)
  })

  it.each([1, SNAPSHOT_CHUNK_BYTES])(
    'a machine may write on a buffer of %i bytes as soon as it has handed it over',
    async (size) => {
      const buffer = new Uint8Array(size)
      const loaded: number[] = []
      const machine: StateMachine = {
        apply: () => null,
        onSnapshotSave: (writer) => {
          const pieces = function* () {
            for (const value of [1, 2, 3]) yield buffer.fill(value)
          }
          void writer.addFile('pieces', pieces())
          void writer.addFile('whole', buffer.fill(7))
          buffer.fill(9)
        },
        onSnapshotLoad: async (reader) => {
          const all = await reader.readAll('pieces')
          loaded.push(
            ...[0, 1, 2].map((at) => all[at * size] ?? 0),
            (await reader.readAll('whole')).at(-1) ?? 0,
          )
        },
      }
      const open = make()
      const before = await start(open, machine)
      await before.node.apply(0)
      await before.node.snapshot()
      await before.host.close()
      await start(open, machine)
      expect(loaded).toEqual([1, 2, 3, 7])
      expect(buffer.length).toBe(size)
    },
  )

  it('a state that cannot be loaded keeps the node from starting, and says why', async () => {
    class Picky extends KeyValueStore {
      override async onSnapshotLoad(): Promise<void> {
        throw new Error('not this one')
      }
    }
    const open = make()
    const before = await start(open, new KeyValueStore())
    await before.node.apply(['put', 'a', 'b'])
    await before.node.snapshot()
    await before.host.close()
    await expect(start(open, new Picky())).rejects.toMatchObject({
      code: 'STATE_MACHINE',
      message: expect.stringMatching(/loadingSnapshot failed.*could not load.*index 2.*not this one/),
    })
  })

  it('a large state that is written from a plain iterable leaves others their turn after each chunk', async () => {
    let turns = 0
    let counting = true
    const count = (): void => {
      turns++
      if (counting) setImmediate(count)
    }
    const turnsAt: number[] = []
    function* pieces(): Generator<Uint8Array> {
      for (let chunk = 0; chunk < 40; chunk++) {
        turnsAt.push(turns)
        yield new Uint8Array(SNAPSHOT_CHUNK_BYTES).fill(chunk)
      }
    }
    const machine: StateMachine = {
      apply: () => null,
      onSnapshotSave: (writer: SnapshotWriter) => () => writer.addFile('state', pieces()),
      onSnapshotLoad: () => {},
    }
    const { node } = await start(make(), machine)
    await node.apply(1)
    setImmediate(count)
    expect((await node.snapshot()).bytes).toBe(40 * SNAPSHOT_CHUNK_BYTES)
    counting = false
    const without = turnsAt.filter((at, chunk) => chunk > 0 && at <= (turnsAt[chunk - 1] ?? 0))
    expect(without).toEqual([])
  })

  it('closing does not wait for a save that never ends', async () => {
    class Endless extends KeyValueStore {
      signal: AbortSignal | null = null
      override onSnapshotSave(writer: SnapshotWriter, signal?: AbortSignal): () => Promise<void> {
        this.signal = signal ?? null
        return () => new Promise(() => void writer)
      }
      override async onSnapshotLoad(reader: SnapshotReader): Promise<void> {
        await super.onSnapshotLoad(reader)
      }
    }
    const machine = new Endless()
    const { host, node } = await start(make(), machine)
    await node.apply(['put', 'a', 'b'])
    const asked = node.snapshot()
    const told = expect(asked).rejects.toMatchObject({ code: 'SHUTDOWN' })
    await expect.poll(() => node.status().snapshot.state).toBe('saving')
    await host.close()
    await told
    expect(machine.signal?.aborted).toBe(true)
  })
})

it('a machine that saves and cannot load is refused', async () => {
  const open = disks().memory?.()
  const stateMachine: StateMachine = { apply: () => null, onSnapshotSave: () => {} }
  if (open !== undefined)
    await expect(start(open, stateMachine)).rejects.toThrow(/has onSnapshotSave without onSnapshotLoad/)
})
