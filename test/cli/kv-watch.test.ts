// `quorate kv` with keys that go by themselves, pages and watches, over a real NATS server, against a store whose time the test sets.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { KeyValueStore } from '../../src/machines.ts'
import { type AttachedServices, attachServices } from '../../src/services/attach.ts'
import { connectNats } from '../../src/transport/nats/connect-nats.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { FakeNode } from '../client/fake-node.ts'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, runCli, startCli } from './run-cli.ts'

let server: NatsServer
let transport: Transport
let services: AttachedServices | null = null
let node: FakeNode
/** Of the log. */
let timeMs = 1
beforeAll(async () => {
  server = await NatsServer.start()
  transport = await connectNats({ servers: server.url, id: 'n1' })
})
afterAll(async () => {
  services?.detach()
  await transport?.close()
  await server?.stop()
})
beforeEach(() => {
  services?.detach()
  const store = new KeyValueStore({ historyChanges: 5 })
  node = new FakeNode('n1').lead()
  node.onApply = (command, index) => store.apply(command, { index, term: 1, timeMs })
  node.onRead = (query) => store.read(query)
  services = attachServices({ transport, node })
})

const kv = (...args: string[]) => runCli(['kv', ...args, '--nats', server.url])

test('put --ttl, touch, cas --ttl and list, in words and as JSON', async () => {
  const said = []
  for (const args of [
    ['put', 'users/a', '1', '--ttl', '30s'],
    ['cas', 'users/b', '2', '--absent', '--ttl', '5m'],
    ['put', 'x', 'y'],
    ['touch', 'users/a'],
    ['touch', 'x'],
    ['touch', 'x', '--ttl', '1500ms'],
    ['list', 'users/'],
    ['list', '--limit', '1', '--after', 'users/a'],
    ['list', 'none'],
  ]) {
    const { code, stdout } = await kv(...args)
    said.push([code, stdout.trim()])
  }
  expect(said).toEqual([
    [0, 'ok, index 1'],
    [0, 'swapped'],
    [0, 'ok, index 3'],
    [0, 'touched'],
    [0, 'there was nothing to touch'],
    [0, 'touched'],
    [0, 'users/a\t1\nusers/b\t2'],
    [0, 'users/b\t2'],
    [0, ''],
  ])
  timeMs += 30_000
  await node.apply(['expire'])
  expect(jsonLines((await kv('list', '--json')).stdout)).toEqual([
    { ok: true, index: 7, pairs: [['users/b', '2']], next: null },
  ])
})

test('watch tells what there was from an index on and what comes, goes on after trouble, and leaves at Ctrl-C', async () => {
  for (const value of ['1', '2']) await node.apply(['put', 'users/a', value])
  await node.apply(['put', 'other', '-'])
  const watching = startCli([
    'kv',
    'watch',
    'users/',
    '--from',
    '2',
    '--json',
    '--timeout',
    '1500',
    '--nats',
    server.url,
  ])
  await watching.until('"value":"2"')
  node.follow()
  await watching.untilSaid('Trying again.')
  node.lead()
  await node.apply(['delete', 'users/a'])
  await watching.until('delete')
  watching.child.kill('SIGINT')
  const { code, stdout } = await watching.finished
  expect(code).toBe(0)
  expect(jsonLines(stdout)).toEqual([
    { index: 2, type: 'put', key: 'users/a', value: '2' },
    { index: 4, type: 'delete', key: 'users/a', value: null },
  ])
})

test('watch says when changes are missing, and what to do', async () => {
  for (let i = 0; i < 10; i += 1) await node.apply(['put', 'k', String(i)])
  expect(await kv('watch', '--from', '2')).toMatchObject({
    ...{ code: 5, stdout: '' },
    stderr: expect.stringContaining(
      'keeps changes from index 6 on, and some before are missing; list, then watch',
    ),
  })
})

test('the shell lists and watches beside everything else', async () => {
  const shell = startCli(['kv', 'shell', '--nats', server.url])
  const line = (operation: object): void => void shell.child.stdin?.write(`${JSON.stringify(operation)}\n`)
  await node.apply(['put', 'a', '0'])
  line({ id: 'w', op: 'watch', prefix: 'a', from: 1 })
  await shell.until('"value":"0"')
  line({ id: 1, op: 'put', key: 'a', value: '1', ttlMs: 1000 })
  await shell.until('"value":"1"')
  line({ id: 2, op: 'touch', key: 'a' })
  line({ id: 3, op: 'list', limit: 10 })
  line({ id: 4, op: 'watch', prefix: 7 })
  await shell.until('"id":4')
  await shell.until('"id":3')
  await shell.until('"id":2')
  shell.child.stdin?.end()
  const { code, stdout } = await shell.finished
  expect(code).toBe(0)
  const answers = jsonLines(stdout)
  for (const answer of [
    { id: 'w', change: { index: 2, type: 'put', key: 'a', value: '1' } },
    { id: 2, ok: true, index: 3, touched: true },
    { id: 3, ok: true, index: expect.any(Number), pairs: [['a', '1']], next: null },
    { id: 4, ok: false, outcome: 'failed', error: expect.objectContaining({ code: 'INVALID' }) },
    { id: 'w', ok: true },
  ])
    expect(answers).toContainEqual(answer)
})
