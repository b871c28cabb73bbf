// The examples after braft's, and the orders, as a person starts them: one command each.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { AtomicRegister, race } from '../../examples/atomic-register.ts'
import { Block, writeAndRead } from '../../examples/block.ts'
import { Counter, count } from '../../examples/counter.ts'
import { read } from './support.ts'

const REFUSED = { error: { code: 'INVALID' } }

test('the counter counts on with another leader', async () => {
  expect(await count()).toEqual([
    'fetch_and_add 40: it was 0',
    'another member leads',
    'fetch_and_add 2: it was 40',
    'get: 42',
  ])
})

test('of two clients that expect the same of a register one writes', async () => {
  const [before, wrote, now] = await race()
  expect([before, wrote]).toEqual(['exchange 1: it was 0', 'of two that expected 1, 1 wrote'])
  expect(now).toMatch(/^get: [23]$/)
})

test('a block is written and read at offsets, and its snapshot is the file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-block-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  expect(await writeAndRead(directory)).toEqual([
    `a snapshot of ${4096 + 'written before the snapshot'.length} bytes`,
    'read: written behind the snapshot',
  ])
})

test('a block loads what another one has saved while it was written to', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-block-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const meta = { lastIncludedIndex: 1, lastIncludedTerm: 1, peers: ['a'], oldPeers: [] }
  const [one, two] = ['one', 'two'].map((name) => new Block(join(directory, name)))
  if (one === undefined || two === undefined) throw new Error('no blocks')
  const pieces: Uint8Array[] = []
  one.apply(['write', 3, Buffer.from('saved')])
  two.apply(['write', 0, Buffer.from('something else, and longer')])
  const background = one.onSnapshotSave(
    {
      meta,
      addFile: async (_, content) => {
        if (content instanceof Uint8Array) throw new Error('not piece by piece')
        for await (const piece of content) pieces.push(piece)
      },
      removeFile: async () => {},
    },
    new AbortController().signal,
  )
  one.apply(['write', 3, Buffer.from('later')])
  await background()
  await two.onSnapshotLoad({
    ...{ meta, files: () => [], readAll: async () => Buffer.concat(pieces) },
    open: async function* () {
      yield* pieces
    },
  })
  expect([one, two].map((block) => Buffer.from(block.read(['read', 0, 100])).toString())).toEqual([
    '\0\0\0later',
    '\0\0\0saved',
  ])
  expect(two.apply(['write', 2 ** 40, Buffer.from('x')])).toMatchObject(REFUSED)
  for (const block of [one, two]) block.onShutdown()
})

test('what is no command of theirs is refused, and what they save they load', () => {
  const [counter, register] = [new Counter(), new AtomicRegister()]
  expect(counter.apply(['fetch_and_add', 0.5])).toMatchObject(REFUSED)
  expect(counter.apply(['fetch_and_add', 5])).toBe(0)
  const other = new Counter()
  other.restore(counter.snapshot())
  expect(other.read()).toBe(5)
  expect(register.apply(['compare_exchange', 1, 0, 9])).toEqual({ before: 0, exchanged: true })
  expect(register.apply(['compare_exchange', 1, 0, 8])).toEqual({ before: 9, exchanged: false })
  expect(register.apply(['exchange', 1, Number.NaN])).toMatchObject(REFUSED)
  const loaded = new AtomicRegister()
  loaded.restore(register.snapshot())
  expect(loaded.read(['get', 1])).toBe(9)
})

test.each(['counter', 'atomic-register', 'block', 'orders/run'])(
  'examples/%s.ts is named in the README',
  (name) => {
    expect(read('README.md')).toContain(`(examples/${name}.ts)`)
    expect(read(`examples/${name}.ts`)).toContain(`node dist/examples/${name}.js`)
  },
)
