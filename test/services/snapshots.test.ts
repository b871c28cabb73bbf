// What operators ask a member about its snapshots, over the in-process bus: taking one, and reading the newest.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { MemberSnapshots } from '../../src/client/member-snapshots.ts'
import { QuorateError } from '../../src/errors.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { attachServices } from '../../src/services/attach.ts'
import {
  type LentSnapshot,
  MEMBER_PORT,
  type MemberPort,
  type PortedNode,
} from '../../src/services/member-port.ts'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts'
import type { SnapshotStore } from '../../src/storage/snapshot-store.ts'
import { FileSum } from '../../src/storage/snapshots/digest.ts'
import { answered, metaAt, openSnapshots, someBytes, writeFile } from '../../src/testing/snapshot-support.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'
import { VirtualClock } from '../actors/support/virtual-clock.ts'
import { FakeNode } from '../client/fake-node.ts'

const PAYLOAD_BYTES = 100_000

class Lender extends FakeNode implements PortedNode {
  store: SnapshotStore | null = null
  /** What the throttle allows at a time. */
  budgets: number[] = []
  opened = 0
  closed = 0

  readonly [MEMBER_PORT]: MemberPort = {
    propose: () => {},
    query: () => {},
    openSnapshot: (done) => this.#open(done),
    takeReadingBudget: (bytes) => Math.min(bytes, this.budgets.shift() ?? bytes),
  }

  #open(done: (opened: LentSnapshot) => void): void {
    if (this.store?.newest == null)
      return done({ ok: false, error: new QuorateError('INVALID', 'There is none.') })
    this.store.open((opened) => {
      if (!opened.ok) return done({ ok: false, error: new QuorateError('STORAGE', opened.error.message) })
      this.opened++
      const { record, read } = opened.value
      const reader = {
        record,
        read: read.bind(opened.value),
        close: () => {
          this.closed++
          opened.value.close()
        },
      }
      done({ ok: true, reader })
    })
  }
}

let node: Lender
let bus: MemoryBus
let clock: VirtualClock
let snapshots: MemberSnapshots

beforeEach(async () => {
  node = new Lender('n1')
  clock = new VirtualClock()
  bus = new MemoryBus({ maxPayloadBytes: PAYLOAD_BYTES })
  node.store = await openSnapshots(new MemoryStorage())
  const transport = bus.connect('n1')
  attachServices({ transport, node, clock, logger: silentLogger })
  snapshots = snapshotsOf('n1')
})
afterEach(() => snapshots.close())

function snapshotsOf(member: string, timeoutMs = 2000): MemberSnapshots {
  return new MemberSnapshots({
    ...{ transport: bus.connect('ops'), prefix: 'quorate', group: 'demo', member, name: 'ops', timeoutMs },
    clock: {
      ...{ nowMs: () => performance.now(), wallMs: () => 0, defer: setImmediate },
      setTimeout: (run: () => void, delayMs: number) => setTimeout(run, delayMs),
      clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
    },
  })
}

async function publish(index: number, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const save = node.store?.create(metaAt(index), 1000)
  if (save === undefined) throw new Error('There is no store.')
  for (const [name, data] of Object.entries(files)) await writeFile(save, name, data)
  await answered((done) => save.publish(done))
}

async function gather(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

describe('reading the newest snapshot', () => {
  test.each([0, 1, 256 * 1024, 256 * 1024 + 1, 1_000_000])('a file of %i bytes', async (bytes) => {
    await publish(7, { state: someBytes(bytes) })
    const record = await snapshots.newest()
    // Whose files belong to whom is the group's own business.
    const { lastIncludedIndex, lastIncludedTerm, peers, oldPeers } = metaAt(7)
    const meta = { lastIncludedIndex, lastIncludedTerm, peers, oldPeers }
    expect(record).toMatchObject({ meta, bytes, takenAtMs: 1000 })
    const [file] = record.files
    if (file === undefined) throw new Error('There is no file.')
    const data = await gather(snapshots.read(record, file))
    expect(Buffer.compare(data, someBytes(bytes))).toBe(0)
    const sum = new FileSum()
    sum.add(data)
    expect(Buffer.from(sum.digest()).equals(file.digest)).toBe(true)
  })

  test('with more files than fit a message', async () => {
    const names = Array.from({ length: 2500 }, (_, at) => `file-${String(at).padStart(4, '0')}`)
    await publish(7, Object.fromEntries(names.map((name) => [name, new Uint8Array(1)])))
    expect((await snapshots.newest()).files.map(({ name }) => name)).toEqual(names)
  })

  test('waits while the throttle allows nothing, and makes do with what it allows', async () => {
    await publish(7, { state: someBytes(100_000) })
    node.budgets = [0, 10, 0, 1000]
    const record = await snapshots.newest()
    const [file] = record.files
    if (file === undefined) throw new Error('There is no file.')
    expect((await gather(snapshots.read(record, file))).length).toBe(100_000)
  })

  test('to its end, though a newer one is published meanwhile', async () => {
    await publish(7, { state: someBytes(600_000) })
    const record = await snapshots.newest()
    await publish(8, { state: new Uint8Array(3) })
    const [file] = record.files
    if (file === undefined) throw new Error('There is no file.')
    expect(Buffer.compare(await gather(snapshots.read(record, file)), someBytes(600_000))).toBe(0)
  })
})

describe('a member', () => {
  test('keeps two snapshots readable, and neither when nobody has asked for a minute', async () => {
    for (const index of [7, 8, 9]) {
      await publish(index, { state: new Uint8Array(3) })
      await snapshots.newest()
      clock.advance(10)
    }
    expect([node.opened, node.closed]).toEqual([3, 1])
    clock.advance(100_000)
    expect([node.opened, node.closed]).toEqual([3, 3])
  })

  test('opens a snapshot once, however often it is asked for', async () => {
    await publish(7, { state: new Uint8Array(3) })
    for (let i = 0; i < 5; i++) await snapshots.newest()
    expect(node.opened - node.closed).toBe(1)
  })

  test('without a snapshot says so', async () => {
    await expect(snapshots.newest()).rejects.toMatchObject({ code: 'INVALID', message: 'There is none.' })
  })

  test('that is not there is known at once', async () => {
    const other = snapshotsOf('n9')
    await expect(other.newest()).rejects.toMatchObject({ code: 'TRANSPORT' })
    other.close()
  })

  test.each([
    ['nothing', new Uint8Array(0)],
    ['a number', encodeValue(1)],
    ['another version', encodeValue([9, 'ops', 0, 0, '', 0, 1])],
    ['a negative offset', encodeValue([1, 'ops', 0, 0, 'state', -1, 1])],
    ['no bytes', encodeValue([1, 'ops', 0, 0, 'state', 0, 0])],
    ['half a byte', encodeValue([1, 'ops', 0, 0, 'state', 0, 0.5])],
  ])('that is asked for %s refuses it', async (_, payload) => {
    await publish(7, { state: new Uint8Array(3) })
    expect(await ask(payload)).toContain('INVALID')
    expect(node.opened).toBe(0)
  })

  test.each([
    ['a file that is not there', encodeValue([1, 'ops', 0, 0, '../state', 0, 1]), 'INVALID'],
    ['a snapshot that is not there', encodeValue([1, 'ops', 6, 3, 'state', 0, 1]), 'CONFLICT'],
  ])('that is asked for %s says so', async (_, payload, code) => {
    await publish(7, { state: new Uint8Array(3) })
    expect(await ask(payload)).toContain(code)
  })
})

function ask(payload: Uint8Array): Promise<string> {
  const asker = bus.connect('raw')
  return new Promise((resolve) => {
    asker.subscribe('_INBOX_raw.1', ({ payload: reply }) => resolve(Buffer.from(reply).toString('latin1')))
    asker.publish('quorate.demo.n1.admin.snapshot-read', payload, '_INBOX_raw.1')
  })
}

describe('taking a snapshot', () => {
  const { lastIncludedIndex, lastIncludedTerm, peers, oldPeers } = metaAt(7)
  const meta = { lastIncludedIndex, lastIncludedTerm, peers, oldPeers }
  const info = { ...meta, bytes: 3, takenAtMs: 1000 }

  test('answers what was taken, without its list of files', async () => {
    const file = { name: 'state', bytes: 3, checksum: 'ab', userMeta: null }
    vi.spyOn(node, 'snapshot').mockResolvedValue({ ...info, files: [file, file] })
    expect(await snapshots.take()).toEqual({ ...info, files: 2 })
  })

  test.each([
    [new QuorateError('BUSY', 'Another one is taken.', { retryable: true }), 'BUSY', true],
    [new QuorateError('UNSUPPORTED', 'It cannot.'), 'UNSUPPORTED', false],
    [new Error('Something else.'), 'NODE_FAILED', false],
  ])('tells why it was not: %s', async (thrown, code, retryable) => {
    vi.spyOn(node, 'snapshot').mockRejectedValue(thrown)
    await expect(snapshots.take()).rejects.toMatchObject({ code, retryable, message: thrown.message })
  })

  test('that is not answered in time has an unknown outcome', async () => {
    vi.spyOn(node, 'snapshot').mockReturnValue(new Promise(() => {}))
    const impatient = snapshotsOf('n1', 20)
    await expect(impatient.take()).rejects.toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' })
    impatient.close()
  })
})
