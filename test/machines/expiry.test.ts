// Keys go by themselves in a living group: on all members alike, never early, whoever leads, and nothing happens while none is leased.

import { expect, it } from 'vitest'
import { Expiry } from '../../src/machines/kv-expiry.ts'
import { KeyValueStore, type KvChange, type KvCommand } from '../../src/machines.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { ProposedOutcome } from '../../src/state-machine.ts'
import { until, World } from '../host/support/world.ts'

async function trio() {
  const world = new World('a', 'b', 'c')
  const stores = new Map(world.ids.map((id) => [id, new KeyValueStore()]))
  const storeOf = (id: string): KeyValueStore => stores.get(id) ?? new KeyValueStore()
  await Promise.all(world.ids.map((id) => world.member(id, { stateMachine: storeOf(id) })))
  return { world, stores, storeOf, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

/** Of a key, on one member: what happens there next, and when. */
async function next(store: KeyValueStore, prefix: string, fromIndex: number) {
  for await (const change of store.watch(prefix, { fromIndex })) return { ...change, atMs: performance.now() }
  throw new Error('a watch without an end has ended')
}

it('a key goes when its time is over, not before, at one entry on all members; an idle group writes nothing', async () => {
  await using group = await trio()
  const { leader } = await group.world.leader()
  const apply = (...command: KvCommand) => leader.node.apply(command)
  await apply('put', 'stays', 'v')
  const beganMs = performance.now()
  const { index } = await apply('put', 'goes', 'v', 250)
  await apply('put', 'goes later', 'v', 400)
  const gone = await Promise.all([...group.stores.values()].map((store) => next(store, 'goes', index + 2)))
  for (const { type, key, atMs } of gone) {
    expect([type, key]).toEqual(['expire', 'goes'])
    expect(atMs - beganMs).toBeGreaterThanOrEqual(250)
  }
  expect(new Set(gone.map((change) => change.index)).size).toBe(1)
  const last = await next(group.storeOf(leader.id), 'goes later', (gone[0]?.index ?? 0) + 1)
  expect(await leader.node.read(['list', ''])).toEqual({
    ...{ index: last.index, next: null, pairs: [['stays', 'v']] },
  })
  // Nothing is leased any more: entries are bare again, and the next one is the test's own.
  const bare = await apply('put', 'bare', 'v')
  expect(bare.index).toBe(last.index + 1)
})

it('a new leader takes away what the old one could not, many at once in several entries', async () => {
  await using group = await trio()
  const { leader, followers } = await group.world.leader()
  const put = (i: number) => leader.node.apply(['put', `k${i}`, 'v', 700] satisfies KvCommand)
  const applied = await Promise.all(Array.from({ length: 600 }, (_, i) => put(i)))
  const from = 1 + Math.max(...applied.map(({ index }) => index))
  await group.world.kill(leader)
  const [one, two] = followers.map(({ id }) => group.storeOf(id))
  const gone: KvChange[] = []
  for await (const change of one?.watch('k', { fromIndex: from }) ?? []) if (gone.push(change) === 600) break
  expect(gone.every(({ type }) => type === 'expire')).toBe(true)
  const perEntry = new Map<number, number>()
  for (const { index } of gone) perEntry.set(index, (perEntry.get(index) ?? 0) + 1)
  expect(Math.max(...perEntry.values())).toBeLessThanOrEqual(256)
  // What is due is gone for readers before it is taken away: that it was is seen by the hash.
  await until(() => two?.stateHash() === one?.stateHash(), 'the other member has taken them away, too')
  expect([one?.read(['size']), two?.read(['size'])]).toEqual([0, 0])
})

it('a key that is due is there for readers until an entry says so, as nobody looks at a clock of his own', async () => {
  const store = new KeyValueStore()
  store.apply(['put', 'k', 'v', 1], { index: 1, term: 1, timeMs: Date.now() - 10_000 })
  expect(store.read(['get', 'k'])).toBe('v')
  store.apply(['expire'], { index: 2, term: 1, timeMs: Date.now() })
  expect(store.read(['get', 'k'])).toBe(null)
})

/** A leader whose log and clock the test moves. */
function leading(dueMs: number | null) {
  const timers: { run: () => void; delayMs: number }[] = []
  const asked: ((outcome: ProposedOutcome) => void)[] = []
  const log = { dueMs, timeMs: 1000, nowMs: 0 }
  const clock = {
    ...systemClock,
    nowMs: () => log.nowMs,
    setTimeout: (run: () => void, delayMs: number) => timers[timers.push({ run, delayMs }) - 1],
    clearTimeout: (handle: unknown) =>
      timers.splice(0, timers.length, ...timers.filter((one) => one !== handle)),
  }
  const expiry = new Expiry({
    port: { clock, propose: (_, done) => void asked.push(done) },
    nextDueMs: () => log.dueMs,
    timeMs: () => log.timeMs,
  })
  const fire = (): void => timers.shift()?.run()
  const answer = (ok: boolean): void =>
    asked.shift()?.(ok ? { ok, index: 1, term: 1, result: null } : { ok, error: new Error('not now') })
  return { log, timers, asked, expiry, fire, answer }
}

it('a leader asks for the time at its start if a key is leased, and does nothing at all if none is', () => {
  expect(leading(null)).toMatchObject({ asked: [], timers: [] })
  const { asked, timers } = leading(5000)
  expect([asked.length, timers.length]).toEqual([1, 0])
})

it('a leader waits for the first that is due, again where the log is not as far, and tries again what was refused', () => {
  const { log, timers, asked, expiry, fire, answer } = leading(null)
  log.dueMs = 1500
  expiry.look()
  expiry.look()
  expect(timers).toMatchObject([{ delayMs: 500 }])
  log.dueMs = 1200
  expiry.look()
  expect(timers).toMatchObject([{ delayMs: 200 }])
  log.nowMs = 200
  fire()
  expect(asked).toHaveLength(1)
  // The entry came to be a little earlier by the time of the log.
  log.timeMs = 1190
  answer(true)
  expect([asked.length, timers.map(({ delayMs }) => delayMs)]).toEqual([0, [10]])
  log.nowMs = 210
  fire()
  answer(false)
  expect(timers).toMatchObject([{ delayMs: 100 }])
  fire()
  log.timeMs = 1300
  log.dueMs = 1250
  // More is due than went at one entry.
  answer(true)
  expect([asked.length, timers.length]).toEqual([1, 0])
  log.dueMs = null
  answer(true)
  expect([asked.length, timers.length]).toEqual([0, 0])
  log.dueMs = 9000
  expiry.look()
  expiry.end()
  expect(timers).toEqual([])
})
