// `quorate members forget`, end to end: a real member is removed from its group, and its files from the machine.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, type Running, runCli, startCli } from './run-cli.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']

let server: NatsServer
let directory: string
let members: Map<string, Running>

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-forget-'))
  server = await NatsServer.start()
  members = new Map()
})
afterEach(async () => {
  for (const id of [...members.keys()]) await stop(id)
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

const filesOf = (id: string) => join(directory, id)
const run = (...args: string[]) => runCli(args, { env: { QUORATE_NATS: server.url } })
const forget = (...args: string[]) => run('members', 'forget', filesOf('n3'), '--timeout', '3000', ...args)
const OF_DEMO = ['--group', 'demo']

async function serve(id: string): Promise<void> {
  const where = ['--id', id, '--data', filesOf(id), '--nats', server.url, '--peers', 'n1,n2,n3']
  const member = startCli(['serve', ...where, ...FAST])
  members.set(id, member)
  await member.until('The member is up.')
}

async function stop(id: string): Promise<void> {
  const member = members.get(id)
  members.delete(id)
  member?.child.kill('SIGTERM')
  await member?.finished
}

test('a member that was removed is forgotten, once the group says so', { timeout: 120_000 }, async () => {
  await Promise.all(['n1', 'n2', 'n3'].map(serve))
  expect((await run('kv', 'put', 'a', '1', '--timeout', '20000')).code).toBe(0)

  expect(await forget(...OF_DEMO, '--yes')).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('A member is running on'),
  })
  await stop('n3')
  expect(await forget(...OF_DEMO, '--yes')).toMatchObject({
    code: 5,
    stderr: expect.stringMatching(/^Nothing was deleted: n3 is a voter of group demo, says n[12]\./),
  })
  expect((await run('members', 'remove', 'n3', '--yes', '--timeout', '20000')).code).toBe(0)
  expect(await forget(...OF_DEMO)).toMatchObject({ code: 5, stderr: expect.stringContaining('needs --yes') })
  expect(await forget('--group', 'demi', '--yes')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('holds no group demi; it holds demo.'),
  })

  const done = await forget(...OF_DEMO, '--yes', '--json')
  expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining('are deleted.') })
  expect(jsonLines(done.stdout)).toMatchObject([{ group: 'demo', member: 'n3', forgotten: true }])
  expect(existsSync(join(filesOf('n3'), 'served-group.json'))).toBe(false)
  expect((await forget(...OF_DEMO, '--yes')).code).toBe(2)
})

test('without its group only by force, and with the name typed once more', { timeout: 120_000 }, async () => {
  await Promise.all(['n1', 'n2', 'n3'].map(serve))
  expect((await run('kv', 'put', 'a', '1', '--timeout', '20000')).code).toBe(0)
  for (const id of ['n1', 'n2', 'n3']) await stop(id)
  expect(await forget(...OF_DEMO, '--yes')).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('does not say whether it still counts this member'),
  })
  for (const wrong of [['--force'], ['--confirm', 'demo'], ['--force', '--confirm', 'demi']])
    expect(await forget(...OF_DEMO, ...wrong)).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('Nothing was changed: it needs --force and --confirm demo'),
    })
  expect(await forget(...OF_DEMO, '--force', '--confirm', 'demo')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('holds nothing of group demo any more'),
  })
})
