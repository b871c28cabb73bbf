// Serving pieces of snapshots: to whom, of what, and what those get who ask for nonsense (braft FileService, traps T63, T65,
// T68; scenario SN-06).

import { describe, expect, it } from 'vitest'
import { decodePage } from '../../../src/actors/snapshot/file-list.ts'
import { FileService, type FileWorld } from '../../../src/actors/snapshot/file-service.ts'
import { RaftLog } from '../../../src/log/raft-log.ts'
import { silentLogger } from '../../../src/runtime/logger.ts'
import { SnapshotThrottle } from '../../../src/runtime/snapshot-throttle.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import type { Reply } from '../../../src/transport/rpc/peer-rpc.ts'
import type { GetFileRequest } from '../../../src/transport/wire/messages/registry.ts'
import { dataEntries, FakeReader, storedGroup } from '../../log/support/entries.ts'
import { type FakeFile, FakeSnapshots } from '../support/fake-snapshots.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const file = (name: string, bytes: number): FakeFile => ({
  name,
  content: Uint8Array.from({ length: bytes }, (_, i) => i % 251),
})
const FILES = [file('big', 1000), file('empty', 0), file('one', 1)]

function service(bytesPerSecond = Number.POSITIVE_INFINITY) {
  const clock = new VirtualClock()
  const store = new FakeSnapshots()
  const log = new RaftLog(new FakeReader(), storedGroup(dataEntries(1, 20, 1)), 1000)
  const errors: string[] = []
  const rpc = { maxFrameBytes: 1_000_000 }
  const world = {
    group: 'g',
    clock,
    logger: { ...silentLogger, error: (_: unknown, words: string) => void errors.push(words) },
    gone: false,
    term: 3,
    configuration: { peers: ['a', 'b', 'c'], oldPeers: ['d'] },
    log,
    commitIndex: log.lastIndex,
    tuning: { appendTimeoutMs: 2000 },
    snapshots: { store: { ...stub, open: store.open.bind(store) } },
    input: { rpc, throttle: new SnapshotThrottle(clock, { bytesPerSecond, maxInstallations: 1 }) },
    answer: (reply: Reply, response) => reply({ ok: true, response }),
  } satisfies FileWorld
  const files = new FileService(world)
  const offered: unknown[] = []
  const offer = (peer: string): unknown => {
    files.offer(peer, (result) =>
      offered.push(result.ok ? result.value.meta.lastIncludedIndex : result.error.message),
    )
    return offered.at(-1)
  }
  /** What came back: bytes as an array, or the code of the refusal. */
  const get = (from: string, request: Partial<GetFileRequest> = {}) => {
    const piece = { term: 3, lastIncludedIndex: 10, lastIncludedTerm: 1, name: 'big', offset: 0, count: 1000 }
    const answer: { outcome: Parameters<Reply>[0] | null } = { outcome: null }
    files.serve(from, { ...piece, ...request }, (outcome) => {
      if (answer.outcome !== null) throw new Error('answered twice')
      answer.outcome = outcome
    })
    return {
      get said(): string | number | null {
        const { outcome } = answer
        if (outcome === null) return null
        if (!outcome.ok) return outcome.error.code
        return 'data' in outcome.response ? outcome.response.data.length : 'something else'
      },
      get data(): Uint8Array {
        const { outcome } = answer
        if (outcome?.ok !== true || !('data' in outcome.response)) throw new Error('no data')
        return outcome.response.data
      },
    }
  }
  store.publish(10, FILES)
  return { clock, store, log, errors, rpc, world, files, offer, get }
}

const unused = (): never => {
  throw new Error('not for this test')
}
const stub = { newest: null, create: unused, copy: unused, close: unused }

describe('an offer', () => {
  it('opens the newest snapshot, and stays with it while the log goes on from there (trap T65)', () => {
    const { offer, store, files, log } = service()
    expect(offer('b')).toBe(10)
    store.publish(15, FILES)
    expect([offer('b'), offer('c'), store.open_]).toEqual([10, 15, [10, 15]])
    log.truncatePrefix(14)
    expect([offer('b'), store.open_]).toEqual([15, [15, 15]])
    files.release('b')
    files.release('b')
    files.release('c')
    expect(store.open_).toEqual([])
  })

  it('is not made when there is no snapshot, or no store yet', () => {
    const { offer, store, world } = service()
    store.publish(0, [])
    expect(offer('b')).toBe('there is none')
    Object.assign(world.snapshots, { store: null })
    expect(offer('b')).toBe('There is no snapshot to offer.')
  })

  it('keeps the log behind the snapshot, and knows how much has come to it since', () => {
    const { files, offer, log } = service()
    log.append(dataEntries(21, 10, 1, 10))
    offer('b')
    log.append(dataEntries(31, 10, 1, 10))
    offer('c')
    expect(files.installations).toEqual([
      { snapshotIndex: 10, bytesSince: 100 },
      { snapshotIndex: 10, bytesSince: 0 },
    ])
    files.release('b')
    expect(files.installations).toHaveLength(1)
  })

  it('that nobody has taken up for a minute is forgotten; one that is used stays', () => {
    const { offer, get, store, clock } = service()
    offer('b')
    offer('c')
    for (let i = 0; i < 4; i++) {
      clock.advance(29_000)
      get('b')
    }
    expect(store.open_).toEqual([10])
    clock.advance(100_000)
    expect([store.open_, clock.pendingTimers]).toEqual([[], 0])
    expect(get('b').said).toBe('ENOENT')
  })

  it('of a node that ends leaves nothing open', () => {
    const { offer, files, store, clock } = service()
    offer('b')
    files.close()
    expect([store.open_, clock.pendingTimers]).toEqual([[], 0])
  })
})

describe('a piece', () => {
  it.each([
    [{ name: 'big' }, 1000],
    [{ name: 'big', offset: 990 }, 10],
    [{ name: 'big', offset: 1000 }, 0],
    [{ name: 'big', offset: Number.MAX_SAFE_INTEGER }, 0],
    [{ name: 'big', count: 7 }, 7],
    [{ name: 'one' }, 1],
    [{ name: 'empty' }, 0],
  ])('%o', (request, length) => {
    const { offer, get } = service()
    offer('b')
    expect(get('b', request).said).toBe(length)
  })

  it('holds what was asked for, whoever asked for what before: nothing is remembered (trap T68)', () => {
    const { offer, get } = service()
    offer('b')
    const pieces = [500, 0, 250, 750].map((offset) => get('b', { offset, count: 250 }))
    get('b', { name: 'one' })
    expect(pieces.map(({ data }) => data[0])).toEqual([500 % 251, 0, 250, 750 % 251])
  })

  it('is no larger than the bus takes', () => {
    const { offer, get, rpc } = service()
    offer('b')
    rpc.maxFrameBytes = 100
    expect(get('b').said).toBe(100)
  })

  it('of the same snapshot goes to every member that is sent it, and to those of the old configuration', () => {
    const { offer, get } = service()
    offer('b')
    expect([get('c').said, get('d').said]).toEqual([1000, 1000])
  })

  it('SN-06: comes as the throttle allows', () => {
    const { offer, get, clock } = service(800)
    offer('b')
    expect([get('b').said, get('b').said]).toEqual([100, 'EBUSY'])
    clock.advance(125)
    expect(get('b', { offset: 100 }).said).toBe(100)
  })
})

describe('the list of files', () => {
  it('comes in pages, sorted, each with as many files as fit', () => {
    const { offer, get, store } = service()
    const many = Array.from({ length: 50 }, (_, i) => ({ ...file(`f${i}`, i), userMeta: Uint8Array.of(i) }))
    store.publish(10, many)
    offer('b')
    const names: string[] = []
    let pages = 0
    for (let offset = 0; offset < 50; pages++) {
      const page = decodePage(get('b', { name: '', offset, count: 1000 }).data) ?? []
      expect(page.length).toBeGreaterThan(5)
      names.push(...page.map(({ name, userMeta }) => `${name} ${userMeta?.join()}`))
      offset += page.length
    }
    expect(names).toEqual(many.map(({ name }) => `${name} ${name.slice(1)}`).sort())
    expect(pages).toBeGreaterThan(3)
    expect(get('b', { name: '', offset: 50 }).said).toBe(0)
  })

  it('has at least one file on a page, however small', () => {
    const { offer, get } = service()
    offer('b')
    expect(decodePage(get('b', { name: '', count: 1 }).data)).toMatchObject([{ name: 'big', bytes: 1000 }])
  })

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['nonsense', Uint8Array.of(0xff, 0x00)],
    ['an empty array', Uint8Array.of(0x80)],
    ['a number', Uint8Array.of(7)],
  ])('is not read out of %s', (_, bytes) => {
    expect(decodePage(bytes)).toBeNull()
  })
})

describe('who asks for what there is not', () => {
  it.each<[string, string, Partial<GetFileRequest>, string]>([
    ['is no member', 'stranger', {}, 'EPERM'],
    ['wants another snapshot', 'b', { lastIncludedIndex: 11 }, 'ENOENT'],
    ['wants one of another term', 'b', { lastIncludedTerm: 2 }, 'ENOENT'],
    ['wants another file', 'b', { name: 'nothing' }, 'ENOENT'],
    ['wants to get out', 'b', { name: '../big' }, 'ENOENT'],
    ['wants a method of objects', 'b', { name: 'constructor' }, 'ENOENT'],
  ])('%s', (_, from, request, code) => {
    const { offer, get, store } = service()
    offer('b')
    expect(get(from, request).said).toBe(code)
    expect(store.reads).toBe(0)
  })

  it('opens nothing, however often', () => {
    const { get, store, clock } = service()
    for (let i = 1; i <= 1000; i++) expect(get('b', { lastIncludedIndex: i }).said).toBe('ENOENT')
    expect([store.open_, store.reads, clock.pendingTimers]).toEqual([[], 0, 0])
  })

  it('all at once is told to come again: reads under way are bounded', () => {
    const { offer, get, store } = service()
    offer('b')
    store.held = []
    const asked = Array.from({ length: 1000 }, () => get('b'))
    expect([asked.filter(({ said }) => said === 'EBUSY').length, store.reads]).toEqual([968, 32])
    store.release()
    expect(asked.filter(({ said }) => said === 1000)).toHaveLength(32)
    expect(get('b').said).toBe(1000)
  })
})

describe('a disk that cannot read', () => {
  it('fails the request, not this member nor the one that asked (trap T63)', () => {
    const { offer, get, store, errors } = service()
    offer('b')
    store.failure = new StorageError('CORRUPT', 'chunk 3 is damaged')
    expect([get('b').said, errors]).toEqual(['EINTERNAL', ['A snapshot cannot be read.']])
    store.failure = new StorageError('INVALID', 'too much under way')
    expect(get('b').said).toBe('EBUSY')
    store.failure = null
    expect(get('b').said).toBe(1000)
  })

  it('gives back what the throttle had granted', () => {
    const { offer, get, store } = service(800)
    offer('b')
    store.failure = new StorageError('IO', 'no')
    get('b')
    store.failure = null
    expect(get('b').said).toBe(100)
  })

  it('answers too late for a node that is gone', () => {
    const { offer, get, store, files } = service()
    offer('b')
    store.held = []
    const asked = get('b')
    files.close()
    store.release()
    expect(asked.said).toBeNull()
  })
})
