import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Host, RaftNode } from '../../../src/api.ts'
import { openHost } from '../../../src/host/open-host.ts'
import { encodeConfiguration } from '../../../src/log/configuration-codec.ts'
import { EntryTail } from '../../../src/log/entry-tail.ts'
import { parseTuning } from '../../../src/options.ts'
import type { LogEntry } from '../../../src/rules/types.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import type { StateMachine } from '../../../src/state-machine.ts'
import { MemoryDisk, MemoryStorage } from '../../../src/storage/memory/memory-storage.ts'
import type { GroupStore, Storage } from '../../../src/storage/storage.ts'
import { MemoryBus } from '../../../src/transport/memory/memory-bus.ts'
import {
  decodeRequest,
  encodeValue,
  FRAME_RESERVE_BYTES,
  fitFrame,
  MAX_APPEND_BYTES,
  MAX_ENTRIES_PER_FRAME,
  RequestEncoder,
  withinRuns,
} from '../../../src/transport/wire/codec.ts'
import { MAX_RUNS_PER_FRAME } from '../../../src/transport/wire/entries.ts'

const entryOf = (index: number, term: number, size: number, type: 2 | 3 = 2): LogEntry => ({
  index,
  term,
  type,
  data: new Uint8Array(size),
})

function frameOf(entries: readonly LogEntry[], term = 2 ** 50): Uint8Array {
  const request = { term, prevLogIndex: 2 ** 50, prevLogTerm: 1, committedIndex: 2 ** 50, entries }
  return new RequestEncoder('x'.repeat(64)).encode('append_entries', request)
}

/** Every entry in a run of its own, and terms that take nine bytes: the most that an entry can add. */
const costly = (sizes: readonly number[]): LogEntry[] =>
  sizes.map((size, i) => entryOf(i + 1, 2 ** 40 + i, size, i % 2 === 0 ? 2 : 3))

describe('the limits of a frame', () => {
  test('keep it below the bus’s payload, whatever the sizes of entries', () => {
    const size = fc.oneof(fc.constant(0), fc.nat(40), fc.nat(3000))
    const log = fc.array(size, { minLength: 1, maxLength: 8 })
    const room = fc.integer({ min: 4096, max: 80_000 })
    fc.assert(
      fc.property(log, room, fc.nat(1_000_000), (pattern, roomBytes, maxBytes) => {
        const tail = new EntryTail(1)
        const sizes = Array.from({ length: 3000 }, (_, i) => pattern[i % pattern.length] ?? 0)
        for (const entry of costly(sizes)) tail.push(entry)
        const limits = fitFrame({ maxEntries: MAX_ENTRIES_PER_FRAME, maxBytes }, roomBytes)
        const entries = tail.slice(1, limits.maxEntries, limits.maxBytes)
        expect(entries.length).toBeGreaterThan(0)
        if (entries.length > 1) expect(frameOf(entries).length).toBeLessThan(roomBytes + FRAME_RESERVE_BYTES)
      }),
      { numRuns: 100 },
    )
  })

  test('are those of the options when the bus has room', () => {
    const wanted = { maxEntries: 1024, maxBytes: 256 * 1024 }
    expect(fitFrame(wanted, 1024 * 1024)).toEqual(wanted)
  })

  test('always let one entry through', () => {
    for (const room of [0, 1, 63, 64]) {
      expect(fitFrame({ maxEntries: 1, maxBytes: 1 }, room)).toEqual({ maxEntries: 1, maxBytes: 1 })
    }
  })

  test('end a frame before the first run too many', () => {
    const entries = costly(Array.from({ length: MAX_RUNS_PER_FRAME + 10 }, () => 1))
    expect(decodeRequest('append_entries', frameOf(entries))).toMatchObject({ ok: false, reason: 'BAD_BODY' })
    const cut = withinRuns(entries)
    expect(cut.length).toBe(MAX_RUNS_PER_FRAME)
    expect(decodeRequest('append_entries', frameOf(cut))).toMatchObject({ ok: true })
  })

  test('leave entries of few terms as they are, so that their frame is found again', () => {
    const entries = Array.from({ length: MAX_RUNS_PER_FRAME + 10 }, (_, i) =>
      entryOf(i + 1, i < 9 ? 1 : 2, 1),
    )
    expect(withinRuns(entries)).toBe(entries)
    expect(withinRuns(entries.slice(0, 3), 1).length).toBe(3)
    expect(withinRuns(entries.slice(0, 20), 1).length).toBe(9)
  })

  test('are what a receiver takes, so options beyond them are refused', () => {
    const most = MAX_APPEND_BYTES - FRAME_RESERVE_BYTES
    const largest = { maxEntriesPerFrame: MAX_ENTRIES_PER_FRAME, maxFrameBytes: most, maxEntryBytes: most }
    expect(parseTuning(largest)).toMatchObject(largest)
    expect(() => parseTuning({ maxEntriesPerFrame: MAX_ENTRIES_PER_FRAME + 1 })).toThrow(/maxEntriesPerFrame/)
    expect(() => parseTuning({ maxFrameBytes: most + 1 })).toThrow(/maxFrameBytes/)
    expect(() => parseTuning({ maxEntryBytes: most + 1 })).toThrow(/maxEntryBytes/)
    const frame = frameOf([entryOf(1, 1, most)])
    expect(frame.length).toBeLessThanOrEqual(MAX_APPEND_BYTES)
    expect(decodeRequest('append_entries', frame)).toMatchObject({ ok: true })
  })
})

class Sum implements StateMachine<number, number> {
  total = 0
  onApplied: (total: number) => void = () => {}
  apply(value: number): number {
    this.total += value
    this.onApplied(this.total)
    return this.total
  }
}

/** Hosts on one bus, started as a test needs them; all have the same options, which let frames be as full as they get. */
class Group implements Disposable {
  readonly #hosts: Host[] = []
  readonly #bus: MemoryBus
  readonly #peers: readonly string[]

  constructor(bus: MemoryBus, peers: readonly string[]) {
    this.#bus = bus
    this.#peers = peers
  }

  async start(
    id: string,
    storage: Storage = new MemoryStorage({ clock: systemClock }),
  ): Promise<{ node: RaftNode; machine: Sum }> {
    const host = await openHost({ id, storage, transport: this.#bus.connect(id) })
    this.#hosts.push(host)
    const machine = new Sum()
    const node = await host.startNode({
      ...{ group: 'g', peers: this.#peers, stateMachine: machine },
      ...{ electionTimeoutMs: 1000, maxClockDriftMs: 0, maxElectionDelayMs: 100 },
      ...{ maxEntryBytes: 1024, maxEntriesPerFrame: MAX_ENTRIES_PER_FRAME },
    })
    return { node, machine }
  }

  [Symbol.dispose](): void {
    for (const host of this.#hosts) host.destroy()
  }
}

function leaderAmong(nodes: readonly RaftNode[]): Promise<RaftNode> {
  return new Promise((resolve) => {
    for (const node of nodes) node.on('role', ({ to }) => to === 'leader' && resolve(node))
  })
}

function untilTotal(machine: Sum, wanted: number): Promise<void> {
  return new Promise((resolve) => {
    machine.onApplied = (total) => total >= wanted && resolve()
    machine.onApplied(machine.total)
  })
}

/** A disk with a log in which every entry is of a term of its own; the first one is the configuration. */
async function diskOfManyTerms(count: number, peers: readonly string[]): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const storage = new MemoryStorage({ clock: systemClock, disk })
  const store = await new Promise<GroupStore>((resolve, reject) => {
    storage.openGroup('g', (opened) => (opened.ok ? resolve(opened.store) : reject(opened.error)))
  })
  const data = encodeValue(1)
  const first: LogEntry = { ...entryOf(1, 1, 0, 3), data: encodeConfiguration({ peers, oldPeers: [] }) }
  const rest = Array.from({ length: count }, (_, i): LogEntry => ({ ...entryOf(i + 2, i + 2, 0), data }))
  store.saveHardState({ term: count + 1, votedFor: null }, () => {})
  store.append([first, ...rest], () => {})
  await new Promise((resolve) => storage.close(resolve))
  return disk
}

describe('a late member is brought up to date', () => {
  test('with thousands of tiny entries on a bus that takes little', async () => {
    using group = new Group(new MemoryBus({ maxPayloadBytes: 16 * 1024 }), ['n1', 'n2', 'n3'])
    const leader = await leaderAmong([(await group.start('n1')).node, (await group.start('n2')).node])
    const BATCH = 2000
    const COUNT = 10 * BATCH
    for (let done = 0; done < COUNT; done += BATCH) {
      await Promise.all(Array.from({ length: BATCH }, () => leader.apply(1)))
    }
    const { machine } = await group.start('n3')
    await untilTotal(machine, COUNT)
    expect(machine.total).toBe(COUNT)
  })

  test('with entries of more terms than one frame can describe', async () => {
    const COUNT = MAX_RUNS_PER_FRAME + 500
    const disk = await diskOfManyTerms(COUNT, ['n1', 'n2'])
    using group = new Group(new MemoryBus(), ['n1', 'n2'])
    await group.start('n1', new MemoryStorage({ clock: systemClock, disk }))
    const { machine } = await group.start('n2')
    await untilTotal(machine, COUNT)
    expect(machine.total).toBe(COUNT)
  })
})
