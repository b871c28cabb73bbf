// The key-value store with times, pages and changes: each promise alone.

import { describe, expect, it } from 'vitest'
import { KeyValueStore, type KvCommand } from '../../src/machines.ts'
import { changes, filesOf, get, Log, list, listAll, loadFiles, START_MS } from './support.ts'

describe('a key with a time to live', () => {
  it('is there up to its last millisecond, by the time of entries alone', () => {
    const { store, ...log } = new Log()
    const at = (command: KvCommand, index: number, atMs?: number) =>
      store.apply(command, { index, term: 1, ...(atMs === undefined ? {} : { timeMs: START_MS + atMs }) })
    expect(log.index).toBe(0)
    at(['put', 'k', 'v', 100], 1, 0)
    expect(store.read(['ttl', 'k'])).toEqual({ ttlMs: 100, dueAtMs: START_MS + 100 })
    at(['put', 'other', 'x'], 2, 99)
    expect(get(store, 'k')).toBe('v')
    // Entries without a time, and such as go back, change nothing.
    at(['put', 'other', 'y'], 3)
    at(['put', 'other', 'z'], 4, 5)
    expect(get(store, 'k')).toBe('v')
    at(['put', 'other', 'x'], 5, 100)
    expect([get(store, 'k'), store.read(['ttl', 'k']), store.read(['size'])]).toEqual([null, null, 1])
    expect(list(store, '').pairs).toEqual([['other', 'x']])
    at(['put', 'other', 'y'], 6, 50)
    expect(get(store, 'k')).toBe(null)
  })

  it('is not there for a command at an entry of that time, and watchers hear that it has expired', () => {
    const log = new Log()
    log.apply(['put', 'lock', 'one', 100], 0)
    expect(log.apply(['cas', 'lock', null, 'two', 100], 99)).toEqual({ swapped: false })
    expect(log.apply(['cas', 'lock', null, 'two', 100], 100)).toEqual({ swapped: true })
    expect(log.apply(['delete', 'lock'], 200)).toEqual({ deleted: false })
    expect(changes(log.store, '', 1).changes).toEqual([
      { index: 1, type: 'put', key: 'lock', value: 'one' },
      { index: 3, type: 'expire', key: 'lock', value: null },
      { index: 3, type: 'put', key: 'lock', value: 'two' },
      { index: 4, type: 'expire', key: 'lock', value: null },
    ])
  })

  it('begins anew when it is touched, stays through append, and ends with a put that has none', () => {
    const log = new Log()
    log.apply(['put', 'k', 'v', 100], 0)
    expect(log.apply(['touch', 'k'], 90)).toEqual({ touched: true })
    log.apply(['append', 'k', '!'], 150)
    expect(log.store.read(['ttl', 'k'])).toEqual({ ttlMs: 100, dueAtMs: START_MS + 190 })
    expect(log.apply(['touch', 'k', 1000], 180)).toEqual({ touched: true })
    log.apply(['put', 'k', 'stays'], 1000)
    expect([log.store.read(['ttl', 'k']), log.apply(['touch', 'k'], 1001)]).toEqual([
      null,
      { touched: false },
    ])
    log.apply(['put', 'other', 'x'], 99_999)
    expect(get(log.store, 'k')).toBe('stays')
    expect(log.apply(['touch', 'none', 5], 99_999)).toEqual({ touched: false })
  })

  it('changes the hash: members that differ in it alone are told apart', () => {
    const [one, two, three] = [new Log(), new Log(), new Log()]
    one.apply(['put', 'k', 'v', 100], 0)
    two.apply(['put', 'k', 'v', 100], 1)
    three.apply(['put', 'k', 'v'], 0)
    const hashes = [one, two, three].map(({ store }) => store.stateHash())
    expect(new Set(hashes).size).toBe(3)
    for (const log of [one, two, three]) log.apply(['put', 'k', 'v'], 50)
    expect(new Set([one, two, three].map(({ store }) => store.stateHash()))).toEqual(new Set([hashes[2]]))
  })

  it('needs an entry with a time, and a number that is one', () => {
    const log = new Log()
    const commands: unknown[] = [
      ['put', 'k', 'v', 100],
      ['cas', 'k', null, 'v', 100],
      ['touch', 'k'],
    ]
    for (const command of commands)
      expect(log.store.apply(command)).toEqual({ refused: expect.stringContaining('has none') })
    for (const ttlMs of [0, -1, 1.5, Number.NaN, '5', null, 1e15])
      expect(log.store.apply(['put', 'k', 'v', ttlMs], { index: 9, term: 1, timeMs: 1 })).toHaveProperty(
        'refused',
      )
    expect(log.store.read(['size'])).toBe(0)
  })

  it('goes with many others in bounded steps', () => {
    const log = new Log()
    for (let i = 0; i < 1000; i += 1) log.apply(['put', `k${i}`, 'v', 100], i % 7)
    expect(log.apply(['expire'], 99)).toEqual({ expired: 0, more: false })
    const steps = []
    do steps.push(log.apply(['expire'], 200))
    while (log.store.read(['size']) === 0 && steps.length < 4)
    expect(steps).toEqual([256, 256, 256, 232].map((expired) => ({ expired, more: expired === 256 })))
    expect(log.store.stateHash()).toBe(new KeyValueStore().stateHash())
  })
})

describe('snapshots', () => {
  it('are as they always were while no key is leased, and have another name when one is', async () => {
    const log = new Log()
    log.apply(['put', 'k', 'v'])
    expect(await filesOf(log.store)).toEqual([['pairs', Buffer.from('\0\0\0\x01k\0\0\0\x01v')]])
    log.apply(['put', 'l', 'w', 100], 0)
    expect((await filesOf(log.store)).map(([name]) => name)).toEqual(['pairs-2'])
    log.apply(['delete', 'l'])
    expect((await filesOf(log.store)).map(([name]) => name)).toEqual(['pairs'])
  })

  it('know the time: what is gone though it was not taken away yet is gone for who loads, too', async () => {
    const log = new Log()
    log.apply(['put', 'k', 'v', 100], 0)
    log.apply(['put', 'l', 'w'], 100)
    const loaded = new KeyValueStore()
    await loadFiles(loaded, await filesOf(log.store), { index: 2 })
    expect([get(loaded, 'k'), loaded.read(['size']), list(loaded, '').index]).toEqual([null, 1, 2])
    expect(loaded.stateHash()).toBe(log.store.stateHash())
  })

  it.each(['', 'soon', '5', '5 x', '0 7'])('with a time to live of %j are refused', async (lease) => {
    const log = new Log()
    log.apply(['put', 'k', 'v', 100], 0)
    const [[name, bytes] = ['', Buffer.alloc(0)]] = await filesOf(log.store)
    const text = `100 ${START_MS + 100}`
    const at = Buffer.from(bytes).indexOf(text)
    const damaged = Buffer.concat([
      bytes.subarray(0, at - 4),
      Buffer.from([0, 0, 0, lease.length]),
      Buffer.from(lease),
    ])
    const loading = loadFiles(log.store, [[name, damaged]])
    if (lease === '') await loading
    else await expect(loading).rejects.toThrow(/time/)
  })
})

describe('a page', () => {
  it('has keys in order, as many as fit, and says where to go on', () => {
    const log = new Log()
    // The order is kept from the first question for it on.
    expect(list(log.store, '').pairs).toEqual([])
    for (let i = 0; i < 3000; i += 1) log.apply(['put', `k/${(i * 7919) % 3000}`, 'v'])
    log.apply(['put', 'j', 'before'])
    log.apply(['put', 'k0', 'behind'])
    const first = list(log.store, 'k/')
    expect([first.pairs.length, first.index, first.next]).toEqual([1000, 3002, first.pairs.at(-1)?.[0]])
    const keys = listAll(log.store, 'k/', 700).map(([key]) => key)
    expect(keys).toEqual(Array.from({ length: 3000 }, (_, i) => `k/${i}`).sort())
    log.apply(['delete', 'k/1500'])
    log.apply(['put', 'k/15000', 'new'])
    expect(list(log.store, 'k/1500').pairs).toEqual([['k/15000', 'new']])
    expect(list(log.store, 'x')).toEqual({ index: 3004, pairs: [], next: null })
    expect(list(log.store, 'k/', 1, 'a').pairs).toEqual([['k/0', 'v']])
  })

  it('weighs no more than an answer may, and has one pair whatever it weighs', () => {
    const log = new Log()
    for (const key of ['a', 'b', 'c']) log.apply(['put', key, '€'.repeat(60_000)])
    log.apply(['put', 'd', '€'.repeat(200_000)])
    const sizes = []
    for (let after = ''; ; ) {
      const { pairs, next } = list(log.store, '', 10, after)
      sizes.push(pairs.map(([key]) => key).join(''))
      if (next === null) break
      after = next
    }
    expect(sizes).toEqual(['a', 'b', 'c', 'd'])
  })

  it.each([
    [['list']],
    [['list', 'k', 0]],
    [['list', 'k', 10_001]],
    [['list', 'k', 1, 1]],
    [['changes', 'k']],
    [['changes', 'k', 0]],
    [['changes', 'k', 1, 0]],
    [['ttl']],
  ])('is not given for %j', (query) =>
    expect(new KeyValueStore().read(query)).toEqual({ refused: expect.any(String) }),
  )
})

describe('changes', () => {
  it('are told from any index that is kept, by prefix, in whole entries', () => {
    const log = new Log()
    for (let i = 1; i <= 5; i += 1) log.apply(['put', i % 2 === 0 ? `even/${i}` : `odd/${i}`, 'v', 100], 0)
    log.apply(['expire'], 100)
    const first = changes(log.store, 'odd/', 2, 2)
    expect(first.changes.map(({ index, type }) => [index, type])).toEqual([
      [3, 'put'],
      [5, 'put'],
    ])
    const second = changes(log.store, 'odd/', first.next, 2)
    expect(second.changes.map(({ key }) => key)).toEqual(['odd/1', 'odd/3', 'odd/5'])
    expect(second).toMatchObject({ index: 6, next: 7 })
    expect(changes(log.store, '', 100)).toEqual({ index: 6, changes: [], next: 100 })
  })

  it('are kept in bounds, and it is said from where on', () => {
    const few = new Log(new KeyValueStore({ historyChanges: 3 }))
    const short = new Log(new KeyValueStore({ historyLength: 500 }))
    for (let i = 1; i <= 3000; i += 1) {
      few.apply(['put', `k${i}`, 'v'])
      short.apply(['put', 'k', 'v'.repeat(i === 3000 ? 400 : 1)])
    }
    expect(few.store.read(['changes', '', 2997])).toEqual({ compacted: true, index: 3000, firstIndex: 2998 })
    expect(changes(few.store, '', 2998).changes).toHaveLength(3)
    expect(short.store.read(['changes', '', 2999])).toEqual({
      compacted: true,
      index: 3000,
      firstIndex: 3000,
    })
    const none = new Log(new KeyValueStore({ historyChanges: 0 }))
    none.apply(['put', 'k', 'v'])
    expect(none.store.read(['changes', '', 1])).toMatchObject({ compacted: true, firstIndex: 2 })
    expect(() => new KeyValueStore({ historyChanges: -1 })).toThrow('Option historyChanges: ')
  })
})

describe('a watch', () => {
  it('tells what comes from when it was begun, by prefix, and ends with its signal', async () => {
    const log = new Log()
    log.apply(['put', 'a/0', 'before'])
    const stop = new AbortController()
    const watch = log.store.watch('a/', { signal: stop.signal })
    log.apply(['put', 'b', 'others'])
    log.apply(['put', 'a/1', 'one'])
    expect((await watch.next()).value).toEqual({ index: 3, type: 'put', key: 'a/1', value: 'one' })
    const waiting = watch.next()
    for (let i = 0; i < 20; i += 1) log.apply(['put', 'b', 'others'])
    log.apply(['delete', 'a/1'])
    expect((await waiting).value).toEqual({ index: 24, type: 'delete', key: 'a/1', value: null })
    const last = watch.next()
    stop.abort()
    expect(await last).toEqual({ done: true, value: undefined })
  })

  it('goes on from an index, also one that is still to come', async () => {
    const log = new Log()
    for (let i = 1; i <= 5; i += 1) log.apply(['put', `k${i}`, 'v'])
    const [past, future] = [log.store.watch('', { fromIndex: 4 }), log.store.watch('', { fromIndex: 7 })]
    const [first, waiting] = [await past.next(), future.next()]
    log.apply(['put', 'k6', 'v'])
    log.apply(['put', 'k7', 'v'])
    expect([first.value, (await past.next()).value, (await waiting).value]).toMatchObject([
      { key: 'k4' },
      { key: 'k5' },
      { key: 'k7' },
    ])
  })

  it('that is too slow is told so, and one that waits is not, though nothing of its own has come for long', async () => {
    const log = new Log(new KeyValueStore({ historyChanges: 10 }))
    const [slow, patient] = [log.store.watch('b'), log.store.watch('a')]
    const waiting = patient.next()
    for (let i = 0; i < 3000; i += 1) log.apply(['put', `b${i}`, 'v'])
    log.apply(['put', 'a', 'v'])
    expect((await waiting).value).toMatchObject({ key: 'a', index: 3001 })
    await expect(slow.next()).rejects.toMatchObject({ code: 'LOG_DELETED', firstIndex: 2992 })
    await expect(log.store.watch('', { fromIndex: 5 }).next()).rejects.toMatchObject({ code: 'LOG_DELETED' })
  })

  it('is told when the state was replaced, and when the member has ended', async () => {
    const log = new Log()
    log.apply(['put', 'k', 'v'])
    const waiting = log.store.watch('k').next()
    await loadFiles(log.store, await filesOf(log.store), { index: 50 })
    await expect(waiting).rejects.toMatchObject({ code: 'LOG_DELETED', firstIndex: 51 })
    const last = log.store.watch('k').next()
    log.store.onShutdown()
    await expect(last).rejects.toMatchObject({ code: 'SHUTDOWN' })
  })
})
