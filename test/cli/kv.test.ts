// `quorate kv` and `quorate status` over a real NATS server, against a member whose answers the test decides.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { QuorateError } from '../../src/errors.ts'
import { KeyValueStore } from '../../src/machines/kv.ts'
import { type AttachedServices, attachServices } from '../../src/services/attach.ts'
import { connectNats } from '../../src/transport/nats/connect-nats.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { FakeNode } from '../client/fake-node.ts'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, runCli, startCli } from './run-cli.ts'

let server: NatsServer
let transport: Transport
let node: FakeNode
let services: AttachedServices
beforeAll(async () => {
  server = await NatsServer.start()
  transport = await connectNats({ servers: server.url, id: 'n1' })
})
afterAll(async () => {
  await transport?.close()
  await server?.stop()
})
beforeEach(() => {
  const machine = new KeyValueStore()
  node = new FakeNode('n1', { peers: ['n1', 'n2'] }).lead()
  node.onApply = (command) => machine.apply(command)
  node.onRead = (query) => machine.read(query)
  services = attachServices({ transport, node })
})
afterEach(() => services.detach())

const kv = (...args: string[]) => runCli(['kv', ...args, '--nats', server.url])

describe('kv', () => {
  test('put, get, append, cas and delete, in words', async () => {
    const said = []
    for (const args of [
      ['put', 'k', 'a b'],
      ['get', 'k'],
      ['append', 'k', '!'],
      ['cas', 'k', 'a b', 'c'],
      ['cas', 'k', 'a b!', 'c'],
      ['cas', 'k', 'd', '--absent'],
      ['cas', 'k', 'c', '--delete'],
      ['delete', 'k'],
      ['get', 'k', '--read', 'local'],
    ]) {
      const { code, stdout } = await kv(...args)
      said.push([code, stdout.trim()])
    }
    expect(said).toEqual([
      [0, 'ok, index 1'],
      [0, 'a b'],
      [0, 'ok, index 2'],
      [0, 'not swapped'],
      [0, 'swapped'],
      [0, 'not swapped'],
      [0, 'swapped'],
      [0, 'there was nothing'],
      [0, ''],
    ])
  })

  test('as JSON, with server and group from the environment', async () => {
    const env = { QUORATE_NATS: server.url, QUORATE_GROUP: 'demo' }
    expect(jsonLines((await runCli(['kv', 'put', 'k', 'v', '--json'], { env })).stdout)).toEqual([
      { ok: true, index: 1 },
    ])
    expect(jsonLines((await runCli(['kv', 'get', 'k', '--json'], { env })).stdout)).toEqual([
      { ok: true, value: 'v' },
    ])
  })

  test.each([
    [new QuorateError('LEADERSHIP_LOST', 'It lost its office.', { outcome: 'unknown' }), 4, 'unknown'],
    [new QuorateError('NOT_LEADER', 'It does not lead.'), 3, 'failed'],
    [new QuorateError('TOO_LARGE', 'It is too large.'), 5, 'failed'],
    [new QuorateError('STORAGE', 'The disk is full.'), 1, 'failed'],
  ])('$code ends with the exit code that tells the truth', async (error, exitCode, outcome) => {
    node.onApply = () => {
      throw error
    }
    const put = () => kv('put', 'k', 'v', '--json', '--timeout', '1500')
    let answer = await put()
    // What is tried again may be on its way when time is up: then its outcome is unknown, which is true as well.
    for (let more = 3; more > 0 && answer.stdout.includes('"TIMEOUT"'); more--) answer = await put()
    const { code, stdout, stderr } = answer
    expect(jsonLines(stdout)).toEqual([
      { ok: false, outcome, error: { code: error.code, message: error.message, retryable: error.retryable } },
    ])
    expect([code, stderr]).toEqual([exitCode, `${error.message}\n`])
  })

  test('nobody leads: 3', async () => {
    const { code, stdout, stderr } = await kv('put', 'k', 'v', '--group', 'other', '--timeout', '1500')
    expect([code, stdout, stderr]).toEqual([3, '', 'Nobody led group other for 1500 ms.\n'])
  })

  test('no answer: 4, with the outcome said', async () => {
    node.onApply = () => new Promise(() => {})
    const { code, stderr } = await kv('put', 'k', 'v', '--timeout', '1500')
    expect([code, stderr]).toEqual([4, 'No answer within 1500 ms: the command may or may not be applied.\n'])
  })

  test('no server: says that it tries again, then 1', async () => {
    const { code, stderr } = await runCli([
      'kv',
      'get',
      'k',
      '--nats',
      'nats://127.0.0.1:1',
      '--timeout',
      '500',
    ])
    expect(stderr).toMatch(/^No NATS server at nats:\/\/127\.0\.0\.1:1 yet; trying again\.\n/)
    expect(stderr.trim().split('\n').at(-1)).toBe(
      'No NATS server answered at nats://127.0.0.1:1 within 500 ms.',
    )
    expect(code).toBe(1)
  })

  test('no server, as JSON: certainly not applied', async () => {
    const args = ['kv', 'put', 'k', 'v', '--json', '--nats', 'nats://127.0.0.1:1', '--timeout', '300']
    expect(jsonLines((await runCli(args)).stdout)).toEqual([
      {
        ok: false,
        outcome: 'failed',
        error: { code: 'TRANSPORT', message: expect.any(String), retryable: true },
      },
    ])
  })

  test('a group with another machine: refused', async () => {
    node.onApply = () => ['another', 'result']
    const { code, stderr } = await kv('put', 'k', 'v')
    expect([code, stderr]).toEqual([5, 'This group does not replicate a key-value machine.\n'])
  })
})

describe('kv shell', () => {
  test('answers each line, many in flight, by id', async () => {
    const lines = Array.from({ length: 3000 }, (_, id) => ({
      id,
      op: 'append',
      key: `k${id % 7}`,
      value: '.',
    }))
    const input = lines.map((line) => JSON.stringify(line)).join('\n')
    const { code, stdout } = await runCli(['kv', 'shell', '--nats', server.url], { input })
    const answers = jsonLines(stdout)
    expect(answers).toHaveLength(3000)
    expect(answers).toContainEqual({ id: 2999, ok: true, index: 3000, length: 429 })
    expect(code).toBe(0)
  })

  test('has the answers of the issue, for good lines and bad ones', async () => {
    const input = [
      '{"id":1,"op":"put","key":"a","value":"1"}',
      '{"id":2,"op":"cas","key":"a","from":"1","to":null}',
      '{"id":"3","op":"get","key":"a","read":"local"}',
      '{"id":4,"op":"get","key":"a"}',
      '{"id":5,"op":"cas","key":"a","from":"9","to":"2"}',
      '',
      'nonsense',
      '{"id":7,"op":"increment","key":"a"}',
      '{"id":8,"op":"put","key":"a","value":1}',
      '[]',
      '{"id":9,"op":"put","key":"a","value":"half \\ud800"}',
      '{"id":10,"op":"get","key":"\\udc00"}',
    ].join('\r\n')
    const shell = startCli(['kv', 'shell', '--nats', server.url], { input })
    const { stdout, code } = await shell.finished
    const invalid = {
      ok: false,
      outcome: 'failed',
      error: { code: 'INVALID', message: expect.any(String), retryable: false },
    }
    const answers = jsonLines(stdout)
    expect(answers).toHaveLength(11)
    for (const answer of [
      { id: 1, ok: true, index: 1 },
      { id: 2, ok: true, index: 2, swapped: true },
      { id: '3', ok: true, value: null },
      { id: 4, ok: true, value: null },
      { id: 5, ok: true, index: 3, swapped: false },
      { id: null, ...invalid },
      { id: 7, ...invalid },
      { id: 8, ...invalid },
      { id: 9, ...invalid },
      { id: 10, ...invalid },
    ])
      expect(answers).toContainEqual(answer)
    expect(code).toBe(0)
  })

  test('tells failed from unknown', async () => {
    node.onApply = (command) => {
      if (JSON.stringify(command).includes('silent')) return new Promise(() => {})
      throw new QuorateError('BUSY', 'Full.', { retryable: true })
    }
    const input = ['silent', 'busy']
      .map((key, at) => JSON.stringify({ id: at, op: 'put', key, value: '' }))
      .join('\n')
    const args = ['kv', 'shell', '--nats', server.url, '--timeout', '1500']
    const answers = jsonLines((await runCli(args, { input })).stdout)
    expect(answers).toContainEqual({
      id: 0,
      ok: false,
      outcome: 'unknown',
      error: { code: 'TIMEOUT', message: expect.any(String), retryable: false },
    })
  })
})

describe('status', () => {
  test('as a table', async () => {
    const { code, stdout } = await runCli(['status', '--nats', server.url])
    expect(stdout).toMatch(/Group demo: 1 members answer, leader n1/)
    expect(stdout).toMatch(/member.*role.*term.*leader.*commit.*applied.*last log.*lag.*replication/)
    expect(stdout).toMatch(/n1 +│ leader +│ +1 │ n1 /)
    expect(stdout).toMatch(/n2 +│ no answer/)
    expect(code).toBe(0)
  })

  test('as JSON', async () => {
    const { stdout } = await runCli(['status', '--nats', server.url, '--json'])
    expect(jsonLines(stdout)).toEqual([
      expect.objectContaining({
        group: 'demo',
        leader: 'n1',
        unreachable: ['n2'],
        members: [
          expect.objectContaining({
            ...{ id: 'n1', role: 'leader', term: 1, leader: 'n1' },
            ...{ commitIndex: 0, appliedIndex: 0, lastIndex: 0 },
          }),
        ],
      }),
    ])
  })

  test('without a leader: 3; without anybody: 1', async () => {
    node.follow()
    const leaderless = await runCli(['status', '--nats', server.url])
    expect([leaderless.code, leaderless.stderr]).toEqual([3, 'Group demo has no leader at the moment.\n'])
    const nobody = await runCli(['status', '--nats', server.url, '--group', 'other'])
    expect([nobody.code, nobody.stderr]).toEqual([1, `No member of group other answers on ${server.url}.\n`])
  })

  test('--watch goes on until it is interrupted', async () => {
    const watching = startCli(['status', '--nats', server.url, '--json', '--watch', '--interval', '50'])
    await watching.until('}\n{')
    watching.child.kill('SIGINT')
    const { code, stderr } = await watching.finished
    expect([code, stderr]).toEqual([0, ''])
  })
})
