// `quorate permissions`: the printed block in a real nats-server, with real members and clients under it.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { connectNats } from '../../src/transport/nats/connect-nats.ts'
import { permissionsFor } from '../../src/transport/permissions.ts'
import { NatsServer } from '../support/nats-server.ts'
import { MemoryLogger } from '../transport/support/memory-logger.ts'
import { jsonLines, type Running, runCli, startCli } from './run-cli.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']
const MEMBERS = ['n1', 'n2', 'n-3'] as const
const USERS = [...MEMBERS, 'app', 'ops'] as const
const passwordOf = (user: string): string => `secret-of-${user}`
const variables = Object.fromEntries(
  USERS.map((user) => [`PASSWORD_${user.replace('-', '_')}`, passwordOf(user)]),
)

describe('with the block that it prints', () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-permissions-'))
  const members: Running[] = []
  let server: NatsServer

  beforeAll(async () => {
    const args = ['--members', MEMBERS.join(','), '--clients', 'app', '--operators', 'ops']
    const { stdout, stderr, code } = await runCli(['permissions', ...args])
    expect([stderr, code]).toEqual(['', 0])
    server = await NatsServer.start({ config: stdout, env: variables })
    for (const id of MEMBERS) {
      const where = ['--nats', server.url, '--data', join(directory, id)]
      const member = ['serve', '--id', id, '--peers', MEMBERS.join(','), ...where, ...FAST]
      members.push(startCli(member, { env: { QUORATE_PASSWORD: passwordOf(id) } }))
    }
    await Promise.all(members.map((member) => member.until('The member is up.')))
  })
  afterAll(async () => {
    for (const { child } of members) child.kill('SIGTERM')
    await Promise.all(members.map(({ finished }) => finished))
    await server?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const as = (user: string, ...args: string[]) =>
    runCli([...args, '--nats', server.url, '--as', user], { env: { QUORATE_PASSWORD: passwordOf(user) } })

  test('members elect, replicate and answer, and are refused nothing', async () => {
    expect(await as('app', 'kv', 'put', 'color', 'blue')).toMatchObject({ code: 0, stderr: '' })
    for (const read of ['linearizable', 'local']) {
      const found = await as('app', 'kv', 'get', 'color', '--read', read)
      expect(found).toEqual({ code: 0, stdout: 'blue\n', stderr: '' })
    }
    const { stdout } = await as('ops', 'status', '--json')
    expect(jsonLines(stdout)).toEqual([expect.objectContaining({ unreachable: [] })])
    for (const member of members) expect(member.stdout()).not.toContain('does not permit')
  })

  test('nobody comes in with the password of another, or with none', async () => {
    for (const env of [{ QUORATE_PASSWORD: passwordOf('ops') }, {}]) {
      const { code, stdout, stderr } = await runCli(
        ['kv', 'put', 'k', 'v', '--nats', server.url, '--as', 'app'],
        { env },
      )
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(/^Cannot connect to NATS at .*Authorization Violation.*\.\n$/)
    }
  })

  test.each([
    ['n1', 'speak as another member', 'quorate.demo.n1.rpc.n2.request_vote'],
    ['n1', 'ask what clients ask of one member', 'quorate.demo.n2.client.apply'],
    ['app', 'speak as a member', 'quorate.demo.n1.rpc.n2.request_vote'],
    ['app', 'administer', 'quorate.demo.n1.admin.status'],
    ['ops', 'speak as a member', 'quorate.demo.n1.rpc.ops.request_vote'],
  ])('%s may not %s', async (user, _, subject) => {
    expect(await refusalOf(server, user, 'publish', subject)).toContain(`the publish of "${subject}"`)
  })

  test.each([
    ['n1', 'hear what another member hears', 'quorate.*.n2.rpc.>'],
    ['app', 'hear what members say', 'quorate.demo.n1.rpc.>'],
    ['app', 'answer in place of a leader', 'quorate.demo.leader.*'],
    ['app', "hear another's answers", '_INBOX_n1.>'],
    ['ops', "hear another's answers", '_INBOX_app.>'],
  ])('%s may not %s', async (user, _, subject) => {
    expect(await refusalOf(server, user, 'subscribe', subject)).toContain(`the subscription of "${subject}"`)
  })
})

/** What the server refuses, as the user's own log says it. */
async function refusalOf(server: NatsServer, user: string, what: 'publish' | 'subscribe', subject: string) {
  const logger = new MemoryLogger()
  const bus = await connectNats({ servers: server.url, id: user, user, pass: passwordOf(user), logger })
  try {
    if (what === 'publish') bus.publish(subject, new Uint8Array(0))
    else bus.subscribe(subject, () => {})
    return (await logger.until(({ fields }) => fields.subject === subject)).message
  } finally {
    await bus.close()
  }
}

describe('in words', () => {
  const userSchema = z.object({ users: z.array(z.unknown()) })

  test('--json has the same for programs', async () => {
    const { stdout, code } = await runCli(['permissions', '--members', 'n1', '--clients', 'app', '--json'])
    expect(code).toBe(0)
    const [page, ...more] = jsonLines(stdout)
    expect(more).toEqual([])
    expect(userSchema.parse(page).users).toEqual([
      {
        ...{ role: 'member', user: 'n1', passwordVariable: 'PASSWORD_n1' },
        permissions: permissionsFor({ role: 'node', name: 'n1', prefix: 'quorate' }),
      },
      {
        ...{ role: 'client', user: 'app', passwordVariable: 'PASSWORD_app' },
        permissions: permissionsFor({ role: 'client', name: 'app', prefix: 'quorate' }),
      },
    ])
  })

  test('--prefix and --group narrow it', async () => {
    const { stdout } = await runCli([
      'permissions',
      '--clients',
      'app',
      '--prefix',
      'acme.raft',
      '--group',
      'g',
    ])
    expect(stdout).toContain('"acme.raft.g.leader.*"')
    expect(stdout).not.toContain('quorate')
  })
})
