// Random operations against both storages and against a plain array, with restarts in between.

import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EntryType, type HardState, type IndexRange, type LogEntry } from '../../src/rules/types.ts'
import type { TermRun } from '../../src/storage/storage.ts'
import {
  type OpenedStore,
  openStore,
  readAll,
  type StorageUnderTest,
  written,
} from '../../src/testing/storage-conformance.ts'
import { makers } from './support.ts'

const GROUPS = ['a', 'b'] as const

interface Model {
  first: number
  termBefore: number
  entries: LogEntry[]
  hardState: HardState | null
}

type GroupStep =
  | { kind: 'append'; group: number; sizes: number[]; raise: number; type: EntryType }
  | { kind: 'suffix' | 'prefix' | 'reset'; group: number; where: number }
  | { kind: 'vote'; group: number; term: number; votedFor: string | null }

type Step = GroupStep | { kind: 'wait' } | { kind: 'restart' }

const group = fc.integer({ min: 0, max: GROUPS.length - 1 })
const size = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 120 }) },
  fc.constantFrom(5000, 70_000),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      group,
      sizes: fc.array(size, { maxLength: 150, size: 'medium' }),
      raise: fc.integer({ min: 0, max: 2 }),
      type: fc.constantFrom(EntryType.DATA, EntryType.DATA, EntryType.CONFIGURATION, EntryType.WITHHELD),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('suffix' as const, 'prefix' as const, 'reset' as const),
      group,
      where: fc.double({ min: -0.1, max: 1.2, noNaN: true }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('vote' as const),
      group,
      term: fc.nat(),
      votedFor: fc.option(fc.constantFrom('n1', 'n2')),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'wait' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'restart' }) },
)

function lastOf(model: Model): number {
  return model.first + model.entries.length - 1
}

function newEntries(model: Model, { sizes, raise, type }: GroupStep & { kind: 'append' }): LogEntry[] {
  const term = (model.entries.at(-1)?.term ?? model.termBefore) + raise
  return sizes.map((bytes, position) => {
    const index = lastOf(model) + 1 + position
    const kept = type === EntryType.WITHHELD ? 0 : bytes
    return { index, term, type, data: new Uint8Array(kept).fill(index * 7 + term) }
  })
}

/** Asks the store and tells the model. */
function play(step: GroupStep, { store }: OpenedStore, model: Model): Promise<void> {
  switch (step.kind) {
    case 'append': {
      const entries = newEntries(model, step)
      model.entries.push(...entries)
      return written((done) => store.append(entries, done))
    }
    case 'suffix': {
      const lastKept = Math.max(0, model.first + Math.round(step.where * model.entries.length))
      model.entries = model.entries.filter((entry) => entry.index <= lastKept)
      return written((done) => store.truncateSuffix(lastKept, done))
    }
    case 'prefix': {
      const firstKept = Math.max(1, model.first + Math.round(step.where * model.entries.length))
      const term = model.entries.find((entry) => entry.index === firstKept - 1)?.term ?? model.termBefore
      if (firstKept >= model.first) {
        model.entries = model.entries.filter((entry) => entry.index >= firstKept)
        model.first = firstKept
        model.termBefore = term
      }
      return written((done) => store.truncatePrefix(firstKept, term, done))
    }
    case 'reset': {
      const next = Math.max(1, model.first + Math.round(step.where * model.entries.length))
      model.entries = []
      model.first = next
      return written((done) => store.reset(next, model.termBefore, done))
    }
    case 'vote': {
      const { term, votedFor } = step
      model.hardState = { term, votedFor }
      return written((done) => store.saveHardState({ term, votedFor }, done))
    }
  }
}

function runsOf(entries: readonly LogEntry[]): TermRun[] {
  const runs: TermRun[] = []
  for (const { index, term } of entries)
    if (runs.at(-1)?.term !== term) runs.push({ firstIndex: index, term })
  return runs
}

function endsOf(entries: readonly LogEntry[]): IndexRange | null {
  const indexes = entries.map(({ index }) => index)
  return indexes.length === 0 ? null : { first: Math.min(...indexes), last: Math.max(...indexes) }
}

function expectStored({ store, stored: found }: OpenedStore, model: Model): void {
  const { identity: _, ...stored } = found
  expect({ ...stored, configurations: stored.configurations.map((entry) => entry.index) }).toEqual({
    hardState: model.hardState,
    firstIndex: model.first,
    lastIndex: lastOf(model),
    termBeforeFirst: model.termBefore,
    terms: runsOf(model.entries),
    configurations: model.entries.filter((entry) => entry.type === 3).map((entry) => entry.index),
    withheld: endsOf(model.entries.filter((entry) => entry.type === 4)),
  })
  expectReads(store, model)
}

function expectReads(store: OpenedStore['store'], model: Model): void {
  expect(digest(readAll(store, model.first))).toEqual(digest(model.entries))
  const middle = model.first + Math.floor(model.entries.length / 2)
  expect(digest(readAll(store, middle))).toEqual(digest(model.entries.slice(middle - model.first)))
  expect(store.read(model.first - 1, { maxEntries: 5, maxBytes: 1e6 })).toEqual([])
}

/** Comparing large arrays byte by byte takes vitest seconds. */
function digest(entries: readonly LogEntry[]): string[] {
  return entries.map(
    ({ index, term, type, data }) => `${index} ${term} ${type} ${data.length} ${crc32(data)}`,
  )
}

async function check(steps: readonly Step[], make: () => Promise<StorageUnderTest>): Promise<void> {
  const { storage, reopen } = await make()
  const models = GROUPS.map((): Model => ({ first: 1, termBefore: 0, entries: [], hardState: null }))
  let opened = await Promise.all(GROUPS.map((name) => openStore(storage, name)))
  let pending: Promise<void>[] = []
  for (const step of [...steps, { kind: 'restart' } as const]) {
    if (step.kind === 'restart') {
      const next = await reopen()
      await Promise.all(pending)
      opened = await Promise.all(GROUPS.map((name) => openStore(next, name)))
      for (const [at, one] of opened.entries()) expectStored(one, models[at] as Model)
    } else if (step.kind === 'wait') {
      await Promise.all(pending)
      pending = []
      for (const [at, one] of opened.entries()) expectReads(one.store, models[at] as Model)
    } else {
      pending.push(play(step, opened[step.group] as OpenedStore, models[step.group] as Model))
    }
  }
}

describe('random operations leave what a plain array would hold', () => {
  for (const { kind, make } of makers) {
    test(`${kind} storage`, { timeout: 60_000 }, async () => {
      const numRuns = kind === 'memory' ? 200 : 15
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => check(steps, make)),
        { numRuns, interruptAfterTimeLimit: 40_000 },
      )
    })
  }
})
