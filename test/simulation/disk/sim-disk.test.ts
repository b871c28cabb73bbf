import { describe, expect, it } from 'vitest'
import { EntryType, type LogEntry } from '../../../src/rules/types.ts'
import type { SimDisk } from '../../../src/simulation/disk/sim-disk.ts'
import { SimStorage } from '../../../src/simulation/disk/sim-storage.ts'
import type { SimProcess } from '../../../src/simulation/sim-process.ts'
import type { GroupStore, OpenGroupResult, StorageDone, StoredGroup } from '../../../src/storage/storage.ts'
import { World } from '../support/world.ts'

const entry = (index: number, term = 1, text = `e${index}`, type: EntryType = EntryType.DATA): LogEntry => ({
  index,
  term,
  type,
  data: new TextEncoder().encode(text),
})
const entries = (from: number, to: number, term = 1): LogEntry[] =>
  Array.from({ length: to - from + 1 }, (_, i) => entry(from + i, term))
const ALL = { maxEntries: 1000, maxBytes: 1_000_000 }

interface Life {
  readonly process: SimProcess
  readonly store: GroupStore
  readonly stored: StoredGroup
  /** Answers in the order in which they came: `ok` or the code of the error. */
  readonly answers: string[]
  readonly answer: (name: string) => StorageDone
  close(): void
}

/** Starts a process on the disk and opens group g. */
function start(world: World, disk: SimDisk): Life {
  const process = world.process(disk.id)
  const storage = new SimStorage(disk, process)
  const opened: { result: OpenGroupResult | null } = { result: null }
  storage.openGroup('g', (result) => {
    opened.result = result
  })
  world.run(100)
  const { result } = opened
  if (result === null || !result.ok) throw result === null ? new Error('not opened') : result.error
  const answers: string[] = []
  return {
    process,
    store: result.store,
    stored: result.stored,
    answers,
    answer: (name) => (error) => answers.push(`${name} ${error === null ? 'ok' : error.code}`),
    close: () => storage.close((error) => answers.push(`close ${error === null ? 'ok' : error.code}`)),
  }
}

const stop = (life: Life, how: 'crash' | 'powerLoss', disk: SimDisk): void => {
  life.process.kill(how)
  if (how === 'powerLoss') disk.losePower()
}

describe('writing', () => {
  it('answers in order across kinds, and only when durable', () => {
    const world = new World()
    const disk = world.disk('A')
    const { store, answers, answer } = start(world, disk)
    store.append(entries(1, 2), answer('append'))
    store.saveHardState({ term: 1, votedFor: 'A' }, answer('meta'))
    store.truncateSuffix(1, answer('truncate'))
    store.append(entries(2, 3, 2), answer('append'))
    store.append([], answer('barrier'))
    expect([answers, disk.durable('g')?.lastIndex ?? 0]).toEqual([[], 0])
    world.run(200)
    expect(answers).toEqual(['append ok', 'meta ok', 'truncate ok', 'append ok', 'barrier ok'])
    expect(disk.durable('g')?.hardState).toEqual({ term: 1, votedFor: 'A' })
    expect(disk.durable('g')?.entryAt(2)?.term).toBe(2)
  })

  it('keeps a copy of the bytes', () => {
    const world = new World()
    const disk = world.disk('A')
    const { store, answer } = start(world, disk)
    const mine = entry(1)
    store.append([mine], answer('append'))
    mine.data.fill(0)
    world.run(100)
    const [read] = store.read(1, ALL)
    expect(read?.data).toEqual(entry(1).data)
    read?.data.fill(0)
    expect(store.read(1, ALL)[0]?.data).toEqual(entry(1).data)
  })

  it('reads within limits, at least one entry, nothing outside of the log', () => {
    const world = new World()
    const { store, answer } = start(world, world.disk('A'))
    store.append(entries(1, 9), answer('append'))
    world.run(100)
    store.truncatePrefix(3, 1, answer('prefix'))
    world.run(100)
    expect(store.read(4, { maxEntries: 3, maxBytes: 1000 }).map(({ index }) => index)).toEqual([4, 5, 6])
    expect(store.read(4, { maxEntries: 9, maxBytes: 1 }).map(({ index }) => index)).toEqual([4])
    expect([store.read(2, ALL), store.read(10, ALL)]).toEqual([[], []])
  })

  it('says what was on disk when opened again', () => {
    const world = new World()
    const disk = world.disk('A')
    const first = start(world, disk)
    expect(first.stored).toMatchObject({ hardState: null, firstIndex: 1, lastIndex: 0, terms: [] })
    first.store.append([entry(1, 1, 'c', EntryType.CONFIGURATION), ...entries(2, 3)], first.answer('a'))
    first.store.append(entries(4, 5, 3), first.answer('b'))
    first.store.truncatePrefix(3, 1, first.answer('p'))
    first.store.saveHardState({ term: 3, votedFor: null }, first.answer('m'))
    world.run(100)
    stop(first, 'powerLoss', disk)
    const { stored } = start(world, disk)
    expect(stored).toMatchObject({
      hardState: { term: 3, votedFor: null },
      firstIndex: 3,
      lastIndex: 5,
      termBeforeFirst: 1,
      terms: [
        { firstIndex: 3, term: 1 },
        { firstIndex: 4, term: 3 },
      ],
      configurations: [],
    })
  })

  it('ends the run when the contract is broken', () => {
    const world = new World()
    const { store, answer } = start(world, world.disk('A'))
    store.append(entries(1, 2), answer('a'))
    expect(() => store.append([entry(4)], answer('b'))).toThrow(
      'entry 4 of term 1 appended, 3 of term 1 or later is next',
    )
  })

  it('is finished by closing; a second process is locked out until then', () => {
    const world = new World()
    const disk = world.disk('A')
    const first = start(world, disk)
    expect(() => start(world, disk)).toThrow('in use by another process')
    first.store.append(entries(1, 3), first.answer('a'))
    first.close()
    world.run(200)
    expect(first.answers).toEqual(['a ok', 'close ok'])
    first.store.append(entries(4, 4), first.answer('late'))
    world.run(100)
    expect(first.answers.at(-1)).toBe('late CLOSED')
    expect(start(world, disk).stored.lastIndex).toBe(3)
  })
})

describe('losing a process or the power', () => {
  /** Kills at drawn moments while entries are being written; returns the lengths of the log found afterwards. */
  function lengthsAfter(how: 'crash' | 'powerLoss'): { durable: number; answered: number; found: number }[] {
    return Array.from({ length: 60 }, (_, seed) => {
      const world = new World(seed)
      const disk = world.disk('A')
      const life = start(world, disk)
      for (let i = 1; i <= 20; i++) {
        life.store.append([entry(i)], life.answer('a'))
        world.run(0.3)
      }
      const durable = disk.durable('g')?.lastIndex ?? 0
      const answered = life.answers.length
      stop(life, how, disk)
      return { durable, answered, found: start(world, disk).stored.lastIndex }
    })
  }

  it('never takes what was answered, and leaves a prefix', () => {
    for (const how of ['crash', 'powerLoss'] as const) {
      const results = lengthsAfter(how)
      expect(results.every(({ answered, found }) => found >= answered)).toBe(true)
      expect(results.some(({ durable, found }) => found > durable)).toBe(true)
      expect(results.some(({ found }) => found < 20)).toBe(true)
    }
  })

  it('a crash keeps what was written, a power loss may take it', () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 30; seed++) {
      const world = new World(seed)
      const disk = world.disk('A')
      const life = start(world, disk)
      disk.holdSync('log')
      life.store.append(entries(1, 3), life.answer('a'))
      world.run(50)
      expect([life.answers, disk.durable('g')?.lastIndex ?? 0]).toEqual([[], 0])
      life.process.kill('crash')
      expect(disk.visible('g').lastIndex).toBe(3)
      disk.losePower()
      outcomes.add(String(disk.visible('g').lastIndex))
    }
    // A transaction is there as a whole or not at all.
    expect(outcomes).toEqual(new Set(['0', '3']))
  })

  it('what an opening has shown is durable from then on', () => {
    const world = new World()
    const disk = world.disk('A')
    const life = start(world, disk)
    const hold = disk.holdSync('log')
    life.store.append(entries(1, 3), life.answer('a'))
    world.run(50)
    life.process.kill('crash')
    hold.release()
    const second = start(world, disk)
    expect(second.stored.lastIndex).toBe(3)
    stop(second, 'powerLoss', disk)
    expect(start(world, disk).stored.lastIndex).toBe(3)
  })

  it('answers nothing to a dead process', () => {
    const world = new World()
    const disk = world.disk('A')
    const life = start(world, disk)
    life.store.append(entries(1, 1), life.answer('a'))
    life.process.kill('crash')
    life.store.append(entries(2, 2), life.answer('b'))
    world.run(100)
    expect(life.answers).toEqual([])
  })
})

describe('planned faults', () => {
  it('a held store holds everything behind it and nothing before it', () => {
    const world = new World()
    const disk = world.disk('A')
    const { store, answers, answer } = start(world, disk)
    const hold = disk.holdSync('meta')
    store.append(entries(1, 1), answer('first'))
    // The disk is busy with the first, so these wait together.
    store.append(entries(2, 2), answer('second'))
    store.saveHardState({ term: 1, votedFor: null }, answer('meta'))
    store.append(entries(3, 3), answer('third'))
    world.run(100)
    expect(answers).toEqual(['first ok', 'second ok'])
    expect(disk.durable('g')).toMatchObject({ lastIndex: 2, hardState: null })
    hold.release()
    hold.release()
    world.run(100)
    expect(answers).toEqual(['first ok', 'second ok', 'meta ok', 'third ok'])
  })

  it('a stalled disk does nothing until released', () => {
    const world = new World()
    const disk = world.disk('A')
    const { store, answers, answer } = start(world, disk)
    const stall = disk.stall()
    store.append(entries(1, 1), answer('a'))
    world.run(10_000)
    expect(answers).toEqual([])
    stall.release()
    world.run(100)
    expect(answers).toEqual(['a ok'])
  })

  it('a failure stops every later write of this life, not of the next', () => {
    for (const point of ['write', 'sync', 'full'] as const) {
      const world = new World()
      const disk = world.disk('A')
      const life = start(world, disk)
      life.store.append(entries(1, 1), life.answer('a'))
      world.run(100)
      disk.fail('log', 'once', point)
      life.store.saveHardState({ term: 1, votedFor: null }, life.answer('m'))
      world.run(100)
      life.store.append(entries(2, 2), life.answer('b'))
      world.run(100)
      life.store.saveHardState({ term: 2, votedFor: null }, life.answer('m'))
      world.run(100)
      const code = point === 'full' ? 'FULL' : 'IO'
      expect(life.answers).toEqual(['a ok', 'm ok', `b ${code}`, `m ${code}`])
      stop(life, 'crash', disk)
      const next = start(world, disk)
      next.store.saveHardState({ term: 3, votedFor: null }, next.answer('m'))
      world.run(100)
      expect(next.answers).toEqual(['m ok'])
    }
  })

  it('whether a failed transaction is there afterwards is drawn', () => {
    const found = new Set<number>()
    for (let seed = 0; seed < 30; seed++) {
      const world = new World(seed)
      const disk = world.disk('A')
      const life = start(world, disk)
      disk.fail('log', 'always', 'sync')
      life.store.append(entries(1, 2), life.answer('a'))
      world.run(100)
      expect(life.answers).toEqual(['a IO'])
      stop(life, 'crash', disk)
      found.add(start(world, disk).stored.lastIndex)
    }
    expect(found).toEqual(new Set([0, 2]))
  })

  it('damage is found: headers and meta at opening, payloads at reading', () => {
    const world = new World()
    const damaged = (hurt: (disk: SimDisk) => void): SimDisk => {
      const disk = world.disk('A')
      const life = start(world, disk)
      life.store.append(entries(1, 5), life.answer('a'))
      life.store.saveHardState({ term: 1, votedFor: null }, life.answer('m'))
      world.run(100)
      stop(life, 'crash', disk)
      hurt(disk)
      expect(disk.damaged).toBe(true)
      return disk
    }
    expect(() =>
      start(
        world,
        damaged((disk) => disk.corrupt('g', 'meta')),
      ),
    ).toThrow('meta record of group g')
    expect(() =>
      start(
        world,
        damaged((disk) => disk.corrupt('g', 'log', 3, 'missing')),
      ),
    ).toThrow('Entry 3 of group g is missing')
    expect(() =>
      start(
        world,
        damaged((disk) => disk.corrupt('g', 'log', 'last')),
      ),
    ).toThrow('Entry 5 of group g fails')
    const life = start(
      world,
      damaged((disk) => disk.corrupt('g', 'log', 'middle')),
    )
    expect(() => life.store.read(1, ALL)).toThrow('Entry 3 of group g fails its checksum')
    expect(life.store.read(4, ALL)).toHaveLength(2)
  })

  it('a lying disk answers and loses; a wiped or replaced one is as it was', () => {
    const world = new World()
    const disk = world.disk('A')
    const life = start(world, disk)
    life.store.append(entries(1, 2), life.answer('a'))
    world.run(100)
    const image = disk.capture()
    disk.lies = true
    life.store.append(entries(3, 4), life.answer('b'))
    world.run(100)
    expect(life.answers).toEqual(['a ok', 'b ok'])
    expect(life.store.read(1, ALL)).toHaveLength(4)
    expect(() => disk.wipe()).toThrow('in use')
    life.process.kill('crash')
    // Opening makes nothing durable on a disk that lies.
    const second = start(world, disk)
    expect(second.stored.lastIndex).toBe(4)
    second.process.kill('powerLoss')
    disk.losePower(0)
    expect(disk.visible('g').lastIndex).toBe(2)
    disk.wipe()
    expect(disk.durable('g')).toBeNull()
    disk.restore(image)
    expect(disk.durable('g')?.lastIndex).toBe(2)
  })
})
