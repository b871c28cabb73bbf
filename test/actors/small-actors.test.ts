// The actors without much of a chart: timers, the proposal queue, the log actor, and logic made by `hot`.

import { describe, expect, it } from 'vitest'
import { createActor, setup } from 'xstate'
import { hot } from '../../src/actors/hot.ts'
import { type LogPort, logMachine } from '../../src/actors/log.machine.ts'
import { type TimerFired, timerMachine } from '../../src/actors/timer.machine.ts'
import { CacheBudget } from '../../src/runtime/cache-budget.ts'
import { configurationEntry, dataEntries } from '../log/support/entries.ts'
import { FakeStorage } from './support/fake-storage.ts'
import { rig } from './support/node-rig.ts'
import { VirtualClock } from './support/virtual-clock.ts'

type Heard = { readonly type: string; readonly port?: LogPort; readonly error?: Error }

/** An actor that remembers what it is told. */
function listener() {
  const heard: Heard[] = []
  const logic = hot<Heard[], Heard, undefined>({ init: () => heard, on: (list, event) => list.push(event) })
  return { heard, actor: createActor(logic, { input: undefined }).start() }
}

describe('a timer', () => {
  function timerOf(delays: readonly number[]) {
    const clock = new VirtualClock()
    const fired: number[] = []
    const late: number[] = []
    const drawn = [...delays]
    const input = { name: 'election' as const, clock, nextDelayMs: () => drawn.shift() ?? 1_000_000 }
    const parent = setup({
      types: { events: {} as TimerFired },
      actors: { timer: timerMachine },
      actions: {
        note: ({ event }) => {
          fired.push(clock.nowMs() - 10_000)
          late.push(event.lateMs)
        },
      },
    }).createMachine({
      initial: 'on',
      states: {
        on: { invoke: { src: 'timer', input }, on: { 'timer.election': { actions: 'note' } } },
        off: {},
      },
    })
    return { clock, fired, late, actor: createActor(parent, { clock }).start() }
  }

  it('fires again and again, drawing each delay anew', () => {
    const { clock, fired } = timerOf([100, 50, 200])
    clock.advance(1000)
    expect(fired).toEqual([100, 150, 350])
  })

  it('never fires in the same moment, however short the delay', () => {
    const { clock, fired } = timerOf([0, -5, 100])
    clock.advance(10)
    expect(fired).toEqual([1, 2])
  })

  it('fires one turn after it is due: what the turn had in the mail is read first', () => {
    const { clock, fired } = timerOf([100])
    const firedWhenDue: number[] = []
    const defer = clock.defer.bind(clock)
    clock.defer = (run) => {
      firedWhenDue.push(fired.length)
      defer(run)
    }
    clock.advance(100)
    expect([firedWhenDue, fired.length]).toEqual([[0], 1])
  })

  it('says how late it is when its process was held up', () => {
    const { clock, late } = timerOf([100, 100])
    clock.advance(100)
    clock.sleep(1300)
    clock.advance(0)
    expect(late).toEqual([0, 1200])
  })

  it('ends with the actor that owns it', () => {
    const { clock, fired, actor } = timerOf([100])
    actor.stop()
    clock.advance(1000)
    expect([fired, clock.pendingTimers]).toEqual([[], 0])
  })
})

describe('the log actor', () => {
  function openLog(prepare: (storage: FakeStorage) => void = () => {}) {
    const clock = new VirtualClock()
    const storage = new FakeStorage(clock)
    prepare(storage)
    const { heard, actor: parent } = listener()
    const actor = createActor(logMachine, {
      clock,
      input: {
        ...{ group: 'g', storage, maxCachedBytes: 1000, caches: new CacheBudget(1000), parent },
        neededFrom: () => 0,
      },
    }).start()
    clock.settle()
    const port = heard[0]?.port
    return { clock, storage, heard, actor, port, types: () => heard.map(({ type }) => type) }
  }

  it('opens the group and hands out the log', () => {
    const { port, types, actor } = openLog()
    expect([types(), actor.getSnapshot().value]).toEqual([['log.opened'], 'ready'])
    expect(port?.log?.lastIndex).toBe(0)
  })

  it('has what is appended in memory at once, and says when it is durable', () => {
    const { port, types, actor, clock, storage } = openLog()
    actor.send({ type: 'append', entries: dataEntries(1, 3, 1) })
    expect([port?.log?.lastIndex, port?.log?.durableIndex, types()]).toEqual([3, 0, ['log.opened']])
    clock.settle()
    expect([port?.log?.durableIndex, types()]).toEqual([3, ['log.opened', 'log.durable']])
    expect(storage.disk('g').entries).toHaveLength(3)
  })

  it('hands appends and truncations to the disk in the order in which they came', () => {
    const { port, actor, clock, storage } = openLog()
    storage.hold('append')
    actor.send({ type: 'append', entries: dataEntries(1, 3, 1) })
    actor.send({ type: 'truncateSuffix', lastKept: 1 })
    actor.send({ type: 'append', entries: dataEntries(2, 1, 2) })
    expect(storage.waiting).toEqual(['append', 'truncate', 'append'])
    storage.release()
    clock.settle()
    expect(storage.disk('g').entries.map(({ term }) => term)).toEqual([1, 2])
    expect(port?.log?.durableLogId).toEqual({ index: 2, term: 2 })
  })

  it('drops a prefix in memory at once, on disk in its turn, and not twice', () => {
    const { port, actor, clock, storage } = openLog()
    actor.send({ type: 'append', entries: dataEntries(1, 5, 3) })
    storage.hold('append', 'truncate')
    actor.send({ type: 'append', entries: dataEntries(6, 1, 4) })
    actor.send({ type: 'truncatePrefix', firstKept: 4 })
    actor.send({ type: 'truncatePrefix', firstKept: 4 })
    actor.send({ type: 'truncatePrefix', firstKept: 2 })
    expect([port?.log?.firstIndex, storage.waiting]).toEqual([4, ['append', 'truncate']])
    storage.release()
    clock.settle()
    expect(storage.disk('g')).toMatchObject({ firstIndex: 4, termBeforeFirst: 3 })
    expect(storage.disk('g').entries.map(({ index }) => index)).toEqual([4, 5, 6])
  })

  it('begins anew after a snapshot, in memory at once and on disk in its turn', () => {
    const { port, actor, clock, storage } = openLog()
    storage.hold('append', 'truncate')
    actor.send({ type: 'append', entries: dataEntries(1, 20, 1) })
    actor.send({ type: 'reset', nextIndex: 11, termBefore: 2 })
    actor.send({ type: 'append', entries: dataEntries(11, 1, 3) })
    expect(port?.log?.lastLogId).toEqual({ index: 11, term: 3 })
    storage.release()
    clock.settle()
    expect(storage.disk('g')).toMatchObject({ firstIndex: 11, termBeforeFirst: 2 })
    expect(storage.disk('g').entries.map(({ term }) => term)).toEqual([3])
    expect(port?.log?.durableLogId).toEqual({ index: 11, term: 3 })
  })

  it.each([
    { type: 'truncatePrefix', firstKept: 2 } as const,
    { type: 'reset', nextIndex: 9, termBefore: 1 } as const,
  ])('fails when the disk cannot carry out: $type', (event) => {
    const { actor, clock, storage, types } = openLog()
    actor.send({ type: 'append', entries: dataEntries(1, 3, 1) })
    clock.settle()
    storage.fail('truncate')
    actor.send(event)
    clock.settle()
    expect([actor.getSnapshot().value, types().at(-1)]).toEqual(['failed', 'log.failed'])
  })

  it('fails when it cannot be opened', () => {
    const { heard, actor } = openLog((storage) => storage.fail('open', 'no such disk'))
    expect([heard.map(({ type, error }) => [type, error?.message]), actor.getSnapshot().value]).toEqual([
      [['log.failed', 'no such disk']],
      'failed',
    ])
  })

  it('fails when a configuration entry cannot be read', () => {
    const broken = { ...configurationEntry(1, 1, ['a']), data: new Uint8Array(0) }
    const { heard, actor } = openLog((storage) => {
      storage.preset('g', { hardState: null, firstIndex: 1, termBeforeFirst: 0, entries: [broken] })
    })
    expect(heard.at(-1)?.error?.message).toBe('The configuration entry at index 1 cannot be read.')
    expect(actor.getSnapshot().value).toBe('failed')
  })

  it('leaves no group open that is opened after its own end', () => {
    const { actor, clock, storage, types } = openLog((disk) => disk.hold('open'))
    actor.stop()
    storage.release()
    clock.settle()
    expect([storage.isOpen('g'), types()]).toEqual([false, []])
  })

  it.each(['append', 'truncate'] as const)('fails for good with the first %s that fails', (kind) => {
    const { types, actor, clock, storage, port } = openLog()
    actor.send({ type: 'append', entries: dataEntries(1, 3, 1) })
    clock.settle()
    storage.fail(kind)
    if (kind === 'append') actor.send({ type: 'append', entries: dataEntries(4, 1, 1) })
    else actor.send({ type: 'truncateSuffix', lastKept: 1 })
    clock.settle()
    expect([actor.getSnapshot().value, types().at(-1)]).toEqual(['failed', 'log.failed'])
    const last = port?.log?.lastIndex
    actor.send({ type: 'append', entries: dataEntries((last ?? 0) + 1, 1, 1) })
    expect(port?.log?.lastIndex).toBe(last)
  })
})

describe('the proposal queue', () => {
  it('turns everything of one turn into one event for proposals and one for reads', () => {
    const events: string[] = []
    const node = rig({
      peers: ['a'],
      inspect: (event) => {
        if (event.type === '@xstate.event' && event.actorRef === node.handle.actor)
          events.push(event.event.type)
      },
    }).boot()
    events.length = 0
    for (let put = 0; put < 100; put++) node.propose({ put })
    for (let i = 0; i < 10; i++) node.query(i)
    expect(events).toEqual([])
    node.clock.turn()
    expect(events.filter((type) => type === 'propose' || type === 'read')).toEqual(['propose', 'read'])
    node.settle()
    expect(node.machine.applied).toHaveLength(100)
    events.length = 0
    node.propose({ put: 'next turn' })
    node.clock.turn()
    expect(events.filter((type) => type === 'propose')).toEqual(['propose'])
  })
})

describe('logic made by hot', () => {
  const counter = hot<{ sum: number }, { type: 'add'; by: number }, number>({
    init: (sum) => ({ sum }),
    on: (state, event) => {
      if (event.by < 0) throw new Error('only upwards')
      state.sum += event.by
    },
  })

  it('keeps one mutable state, which inspectors do not see', () => {
    const actor = createActor(counter, { input: 5 }).start()
    const before = actor.getSnapshot()
    actor.send({ type: 'add', by: 2 })
    expect(actor.getSnapshot()).toBe(before)
    expect(before.hidden.state.sum).toBe(7)
    expect(JSON.stringify(before)).not.toContain('sum')
  })

  it('ends when it is stopped', () => {
    const actor = createActor(counter, { input: 0 }).start()
    actor.stop()
    expect(actor.getSnapshot().status).toBe('stopped')
  })

  it('fails when its code throws', () => {
    const actor = createActor(counter, { input: 0 })
    const errors: unknown[] = []
    actor.subscribe({ error: (error) => errors.push(error) })
    actor.start().send({ type: 'add', by: -1 })
    expect([actor.getSnapshot().status, errors]).toEqual(['error', [new Error('only upwards')]])
  })
})
