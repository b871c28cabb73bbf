// What a member that was removed has kept is deleted by its user: refused while it matters, and other groups stay.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { type Host, MemoryBus, openHost, removeGroupData } from '../../src/index.ts'
import type { Logger } from '../../src/runtime/logger.ts'
import { QUICK, rejection, until, Words } from '../host/support/world.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

function directory(): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-remove-'))
  undo.push(() => rmSync(dataDir, { recursive: true, force: true }))
  return dataDir
}

async function open(id: string, dataDir: string, bus: MemoryBus): Promise<Host> {
  const host = await openHost({ id, dataDir, transport: bus.connect(id) })
  undo.push(() => host.close())
  return host
}

async function start(host: Host, group: string, peers: readonly string[]) {
  const machine = new Words()
  const node = await host.startNode({ group, peers, stateMachine: machine, ...QUICK })
  return { node, machine }
}

/** Two members of two groups; b was removed from one of them, and has been stopped. */
async function removed(): Promise<{ dataDir: string; bus: MemoryBus; stillRunning: Host }> {
  const bus = new MemoryBus()
  const dataDir = directory()
  const [a, b] = [await open('a', directory(), bus), await open('b', dataDir, bus)]
  for (const group of ['left', 'kept']) {
    const { node } = await start(a, group, ['a', 'b'])
    const { node: other, machine } = await start(b, group, ['a', 'b'])
    await until(() => [node, other].some((n) => n.status().state === 'active.leader.serving'), 'a leader')
    const leader = node.status().role === 'leader' ? node : other
    await leader.apply('word')
    await until(() => machine.words.length === 1, 'b has the word')
    if (group === 'left') {
      await leader.removePeer('b')
      await until(() => other.status().membership === 'removed', 'b has learned it')
    }
  }
  return { dataDir, bus, stillRunning: b }
}

it('a member that was removed is forgotten, loudly, and the other group goes on', {
  timeout: 30_000,
}, async () => {
  const { dataDir, bus, stillRunning } = await removed()
  const options = { dataDir, id: 'b', group: 'left' }
  expect(await rejection(removeGroupData(options))).toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('A process is running'),
  })
  await stillRunning.close()

  const logged: string[] = []
  const logger: Logger = {
    ...{ debug() {}, info() {}, error() {} },
    warn: (_, message) => logged.push(message),
  }
  expect((await removeGroupData({ ...options, logger })).freedBytes).toBeGreaterThanOrEqual(0)
  expect(logged).toEqual([
    'The files of b for group left are being deleted.',
    'The files of b for group left are deleted.',
  ])
  expect(await rejection(removeGroupData(options))).toMatchObject({
    code: 'INVALID',
    message: expect.stringContaining('holds no group left; it holds kept'),
  })
  const again = await open('b', dataDir, bus)
  const { node, machine } = await start(again, 'kept', ['a', 'b'])
  await until(() => machine.words.length === 1, 'b has the word again')
  expect(node.status()).toMatchObject({ membership: 'voter' })
  const { node: anew } = await start(again, 'left', [])
  expect(anew.status()).toMatchObject({ membership: 'waiting', lastIndex: 0 })
})

it('files that name their member are kept, unless somebody knows better', { timeout: 30_000 }, async () => {
  const { dataDir, stillRunning } = await removed()
  await stillRunning.close()
  const options = { dataDir, id: 'b', group: 'kept' }
  expect(await rejection(removeGroupData(options))).toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('By its own files b is a voter of group kept'),
  })
  await removeGroupData({ ...options, force: true })
  expect(await rejection(removeGroupData(options))).toMatchObject({ code: 'INVALID' })
})

it('the files of somebody else are kept', { timeout: 30_000 }, async () => {
  const { dataDir, stillRunning } = await removed()
  await stillRunning.close()
  expect(await rejection(removeGroupData({ dataDir, id: 'c', group: 'left' }))).toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining('are those of b, not of c'),
  })
  await removeGroupData({ dataDir, id: 'b', group: 'left' })
})

it('where there are no files nothing is made', async () => {
  expect(await rejection(removeGroupData({ dataDir: directory(), id: 'b', group: 'g' }))).toMatchObject({
    code: 'STORAGE',
  })
})
