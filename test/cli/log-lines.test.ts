// Every line that a program may read, through a whole life: elections, clients, damage on the bus, errors, the end.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'nats'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, type Running, runCli, startCli } from './run-cli.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']
const IDS = ['n1', 'n2', 'n3'] as const
/** Enough to start, and full after a few large writes. */
const DISK_KIB = 200

const directory = mkdtempSync(join(tmpdir(), 'quorate-lines-'))
let server: NatsServer
beforeAll(async () => {
  server = await NatsServer.start()
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

function start(id: string, peers: readonly string[] = IDS, maxFileKiB?: number): Running {
  const where = ['--data', join(directory, id), '--nats', server.url, '--log-level', 'debug', '--json']
  const args = ['serve', '--id', id, '--peers', peers.join(','), ...where, ...FAST]
  return startCli(args, maxFileKiB === undefined ? {} : { maxFileKiB })
}

const kv = (...args: string[]) => runCli(['kv', ...args, '--nats', server.url, '--json'])

/** What is no message, to a member of its own group. */
async function damage(): Promise<void> {
  const bus = await connect({ servers: server.url })
  for (const [from, body] of [
    ['n1', 'nonsense'],
    ['n9', ''],
  ] as const)
    bus.publish(`quorate.demo.n2.rpc.${from}.append_entries`, new TextEncoder().encode(body))
  await bus.drain()
}

test('no key of a log line is said twice, and each line has what every line has', {
  timeout: 60_000,
}, async () => {
  const members = [start('n1'), start('n2', ['n2', 'n1', 'n3'], DISK_KIB), start('n3')]
  await Promise.all(members.map((member) => member.until('The member is up.')))
  expect((await kv('put', 'k', 'v')).code).toBe(0)
  expect((await kv('get', 'k', '--read', 'local')).code).toBe(0)
  await damage()
  await members[1]?.until('Dropped a message')
  // A disk that fails while nothing is being written shows at the next write.
  const isFull = () => members[1]?.stdout().includes('The member stopped in its error state')
  for (let at = 0; at < 50 && !isFull(); at += 1) await kv('put', `large${at}`, 'x'.repeat(80_000))
  await members[1]?.until('The member stopped in its error state')
  await server.restart()
  for (const { child } of members) child.kill('SIGTERM')
  const ended = await Promise.all(members.map(({ finished }) => finished))
  expect(ended.map(({ code }) => code)).toEqual([0, 1, 0])

  const again = start('n1', ['n1', 'n4'])
  await again.until('The member is up.')
  again.child.kill('SIGTERM')
  const lines = [...ended, await again.finished].flatMap(({ stdout }) => jsonLines(stdout))
  for (const line of lines) {
    expect(line).toMatchObject({
      level: expect.stringMatching(/^(debug|info|warn|error)$/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      ...{ member: expect.stringMatching(/^n\d$/), group: 'demo', message: expect.any(String) },
    })
    expect(line).toHaveProperty('term')
  }
  expect(new Set(lines.map((line) => Object(line).level))).toEqual(
    new Set(['debug', 'info', 'warn', 'error']),
  )
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      message:
        'Started with peers n1,n4, but n1,n2,n3 of the log is in force: the given ones count at a first start only.',
    }),
  )
})
