// `quorate permissions`: what it prints, in a real nats-server, with real members and clients under it who prove with
// NKeys who they are.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { connectClient, watchGroup } from '../../src/client.ts'
import { connectNats } from '../../src/transport/nats/connect-nats.ts'
import { createUserKey } from '../../src/transport/nats/nkeys.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { Workload } from '../e2e/support/workload.ts'
import { NatsServer } from '../support/nats-server.ts'
import { MemoryLogger } from '../transport/support/memory-logger.ts'
import { isMeant, PROBES, permissionsOf, USERS } from '../transport/support/permission-probes.ts'
import { jsonLines, type Running, runCli, startCli } from './run-cli.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']
const SNAPSHOTS = ['--option', 'snapshotEveryEntries=100']
const LONG = { timeout: 60_000 }

const directory = mkdtempSync(join(tmpdir(), 'quorate-permissions-'))
const keys = join(directory, 'keys')
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function printed(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await runCli(['permissions', ...args])
  expect(stderr).toMatch(/^(Made keys for [^\n]*\n)?$/)
  expect(code).toBe(0)
  return stdout
}

const blockFor = (nodes: string): Promise<string> =>
  printed('--nodes', nodes, '--clients', 'app', '--operators', 'ops', '--generate-keys', keys)

const seedFile = (user: string): string => join(keys, `${user}.nk`)

async function busOf(server: NatsServer, user: string): Promise<{ bus: Transport; logger: MemoryLogger }> {
  const logger = new MemoryLogger()
  const nkeySeed = readFileSync(seedFile(user), 'utf8').trim()
  return { bus: await connectNats({ servers: server.url, id: user, nkeySeed, logger }), logger }
}

describe('with the block that it prints', () => {
  const members = new Map<string, Running>()
  let server: NatsServer

  async function startMember(id: string, peers = 'n1,n2,n-3'): Promise<Running> {
    const where = ['--nats', server.url, '--data', join(directory, id), '--nkey', seedFile(id)]
    const member = startCli(['serve', '--id', id, '--peers', peers, ...where, ...FAST, ...SNAPSHOTS])
    members.set(id, member)
    await member.until('The member is up.')
    return member
  }

  beforeAll(async () => {
    server = await NatsServer.start({ config: await blockFor('n1,n2,n-3') })
    await Promise.all(['n1', 'n2', 'n-3'].map((id) => startMember(id)))
  })
  afterAll(async () => {
    for (const { child } of members.values()) child.kill('SIGTERM')
    await Promise.all([...members.values()].map(({ finished }) => finished))
    await server?.stop()
  })

  const as = (user: string, ...args: string[]) =>
    runCli([...args, '--nats', server.url, '--as', user], { env: { QUORATE_NKEY: seedFile(user) } })

  test('members elect, replicate and answer', LONG, async () => {
    expect(await as('app', 'kv', 'put', 'color', 'blue')).toMatchObject({ code: 0, stderr: '' })
    for (const read of ['linearizable', 'local']) {
      const found = await as('app', 'kv', 'get', 'color', '--read', read)
      expect(found).toEqual({ code: 0, stdout: 'blue\n', stderr: '' })
    }
    const { bus } = await busOf(server, 'app')
    const client = connectClient({ transport: bus, group: 'demo' })
    expect((await client.subscribe(['get', 'color']).next()).value?.value).toBe('blue')
    client.close()
    await bus.close()
    const { stdout } = await as('ops', 'status', '--json')
    expect(jsonLines(stdout)).toEqual([expect.objectContaining({ unreachable: [] })])
    expect(await as('ops', 'snapshot', 'take', '--member', 'n2')).toMatchObject({ code: 0, stderr: '' })
    // Whom the server has let say this name, whatever inbox the answer is wanted in.
    const entry = expect.objectContaining({ verb: 'snapshot', by: 'ops', byFrom: 'subject', outcome: 'done' })
    expect(jsonLines(members.get('n2')?.stdout() ?? '')).toContainEqual(entry)
  })

  test('a member that lost its files comes back under load, by a snapshot', LONG, async () => {
    const { bus } = await busOf(server, 'app')
    const client = connectClient({ transport: bus, group: 'demo', timeoutMs: 2000 })
    const load = new Workload(client, 8)
    await load.progress(300)
    const wiped = members.get('n-3')
    wiped?.child.kill('SIGKILL')
    await wiped?.finished
    rmSync(join(directory, 'n-3'), { recursive: true })
    await load.progress(300)
    const back = await startMember('n-3')
    await back.until('A snapshot has been loaded.')
    await load.progress(300)
    await load.stop()
    client.close()
    await bus.close()
    expect(load.check()).toMatchObject({ verdict: 'linearizable' })
    for (const member of members.values()) expect(member.stdout()).not.toContain('does not permit')
  })

  test(
    'an operator watches all members; a client may not ask them, nor a member speak for another',
    LONG,
    async () => {
      const { bus, logger } = await busOf(server, 'ops')
      const { model, ready, close } = watchGroup({ transport: bus, group: 'demo' })
      let batches = 0
      model.on(({ type }) => {
        if (type === 'item') batches += 1
      })
      await ready()
      await vi.waitFor(() => {
        expect([...model.members.values()].map(({ id, state }) => `${id} ${state}`).sort()).toEqual([
          'n-3 live',
          'n1 live',
          'n2 live',
        ])
        expect(batches).toBeGreaterThan(10)
      }, 10_000)
      const forger = await busOf(server, 'n2')
      const before = model.garbage
      forger.bus.publish('quorate.demo.events.n1.inspect', Buffer.from('{}'))
      await forger.logger.until(({ message }) => message.includes('does not permit'))
      expect([model.garbage, model.problem]).toEqual([before, null])
      close()
      await forger.bus.close()
      await bus.close()
      expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([])
      const app = await busOf(server, 'app')
      app.bus.publish(
        'quorate.demo.n1.admin.inspect',
        Buffer.from('{"viewer":"app","leaseMs":1000}'),
        `${app.bus.inbox}.asked.1`,
      )
      await app.logger.until(({ message }) => message.includes('does not permit'))
      await app.bus.close()
    },
  )

  test(
    'the server learns of another member while all go on, and of one that may not come any more',
    LONG,
    async () => {
      const four = await blockFor('n1,n2,n-3,n4')
      const before = [...members.keys()]
      await server.reload(four)
      // It answers the others and is answered by them, though they were connected before it was there.
      const { bus, logger } = await busOf(server, 'n4')
      const answered = new Promise((resolve) => bus.subscribe(`${bus.inbox}.asked.1`, resolve))
      bus.publish('quorate.demo.n1.admin.status', new Uint8Array(0), `${bus.inbox}.asked.1`)
      await answered
      expect(await as('app', 'kv', 'put', 'color', 'green')).toMatchObject({ code: 0, stderr: '' })
      for (const id of before) expect(members.get(id)?.stdout()).not.toContain('Lost the connection')
      expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([])
      await server.reload(await blockFor('n1,n2,n-3'))
      await logger.until(({ message }) => message.startsWith('Lost the connection'))
      await bus.close()
    },
  )

  test('nobody comes in with the key of another, or with none', async () => {
    writeFileSync(join(directory, 'stranger.nk'), createUserKey().seed)
    for (const env of [{ QUORATE_NKEY: join(directory, 'stranger.nk') }, {}, { QUORATE_PASSWORD: 'x' }]) {
      const { code, stdout, stderr } = await runCli(['kv', 'put', 'k', 'v', '--nats', server.url], { env })
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(/^Cannot connect to NATS at .*Authorization Violation.*\.\n$/)
    }
  })

  test.each([
    ['app', 'vote', 'quorate.demo.n1.rpc.n2.request_vote'],
    ['app', 'vote in its own name', 'quorate.demo.n1.rpc.app.request_vote'],
    ['app', 'append', 'quorate.demo.n1.rpc.n2.append_entries'],
    ['app', 'install', 'quorate.demo.n1.rpc.n2.install_snapshot'],
    ['app', 'take a snapshot', 'quorate.demo.n1.admin.snapshot'],
    ['app', 'read a backup', 'quorate.demo.n1.admin.snapshot-read'],
    ['app', 'change members', 'quorate.demo.admin.change_peers'],
    ['app', 'join', 'quorate.demo.admin.join'],
    ['ops', 'change members in the name of another', 'quorate.demo.admin.change_peers.boss'],
    ['ops', 'take a snapshot in the name of another', 'quorate.demo.n1.admin.snapshot.app'],
    ['ops', 'change members in nobody’s name', 'quorate.demo.admin.change_peers'],
    ['n1', 'speak as another member', 'quorate.demo.n2.rpc.n-3.request_vote'],
    ['n1', 'answer for another member', '_INBOX_n2.id.rpc.n-3.1'],
    ['n1', 'change members', 'quorate.demo.admin.change_peers'],
    ['n1', 'take a snapshot elsewhere', 'quorate.demo.n2.admin.snapshot'],
    ['n1', 'ask what clients ask of one member', 'quorate.demo.n2.client.propose'],
    ['ops', 'speak as a member', 'quorate.demo.n1.rpc.n2.request_vote'],
    ['ops', 'answer for a member', '_INBOX_app.id.client1.1'],
  ])('%s may not %s', async (user, _, subject) => {
    expect(await refusalOf(server, user, 'publish', subject)).toContain(`the publish of "${subject}"`)
  })

  test.each([
    ['n1', 'hear what another member hears', 'quorate.*.n2.rpc.>'],
    ['n1', "hear another's answers", '_INBOX_n2.>'],
    ['n1', 'hear everything', 'quorate.>'],
    ['app', 'hear what members say', 'quorate.demo.n1.rpc.>'],
    ['app', 'answer in place of a leader', 'quorate.demo.leader.*'],
    ['app', 'hear what operators ask', 'quorate.demo.*.admin.>'],
    ['app', "hear another's answers", '_INBOX_n1.>'],
    ['app', 'hear everything', '>'],
    ['ops', "hear another's answers", '_INBOX_app.>'],
  ])('%s may not %s', async (user, _, subject) => {
    expect(await refusalOf(server, user, 'subscribe', subject)).toContain(`the subscription of "${subject}"`)
  })

  test('who sends itself a request may not publish at the reply subject that it made up', async () => {
    const { bus, logger } = await busOf(server, 'n1')
    const forged = 'quorate.demo.n2.rpc.n-3.timeout_now'
    bus.subscribe('quorate.other.n1.rpc.n1.x', ({ replyTo = '' }) => bus.publish(replyTo, new Uint8Array(0)))
    bus.publish('quorate.other.n1.rpc.n1.x', new Uint8Array(0), forged)
    await logger.until(({ fields }) => fields.operation === 'publish' && fields.subject === forged)
    await bus.close()
  })
})

/** What the server refuses, as the user's own log says it. */
async function refusalOf(server: NatsServer, user: string, what: 'publish' | 'subscribe', subject: string) {
  const { bus, logger } = await busOf(server, user)
  try {
    if (what === 'publish') bus.publish(subject, new Uint8Array(0))
    else bus.subscribe(subject, () => {})
    return (await logger.until(({ fields }) => fields.subject === subject)).message
  } finally {
    await bus.close()
  }
}

describe.each([[], ['--account', 'RAFT'], ['--group', 'g']])('on a server with %s %s', (...flags) => {
  const group = flags[0] === '--group' ? flags[1] : undefined

  test('every user is refused what it is not meant to say or hear, and nothing else', LONG, async () => {
    const block = await printed(
      ...['--nodes', 'n1,n2', '--clients', 'app', '--operators', 'ops', '--generate-keys', keys],
      ...flags,
    )
    await using server = await NatsServer.start({ config: block })
    for (const user of USERS) {
      const { bus } = await busOf(server, user)
      const refused = { publish: new Set<string>(), subscribe: new Set<string>() }
      for (const subject of PROBES) {
        bus.publish(subject, new Uint8Array(0))
        bus.subscribe(subject, () => {})
      }
      // The server takes things in order: when this is refused, all before has been judged.
      bus.publish('the.last', new Uint8Array(0))
      await server.logged('Publish Violation - .*"the.last"')
      for (const line of server.log.split('\n')) {
        const [, word, subject = ''] =
          /(Publish|Subscription) Violation - .*Subject "([^"]*)"/.exec(line) ?? []
        if (word === 'Publish') refused.publish.add(subject)
        if (word === 'Subscription') refused.subscribe.add(subject)
      }
      for (const direction of ['publish', 'subscribe'] as const) {
        const forbidden = PROBES.filter((subject) => !isMeant(user, direction, subject, group))
        expect([...refused[direction]].filter((s) => s !== 'the.last').sort()).toEqual([...forbidden].sort())
      }
      await bus.close()
      server.forgetLog()
    }
  })
})

test('public keys may also come from the environment of the server, and passwords', async () => {
  const key = createUserKey()
  await using byKey = await NatsServer.start({
    config: await printed('--nodes', 'n-1'),
    env: { NKEY_n_1: key.publicKey },
  })
  const bus = await connectNats({ servers: byKey.url, id: 'n-1', nkeySeed: key.seed })
  await bus.close()
  await using byPassword = await NatsServer.start({
    config: await printed('--members', 'n-1', '--passwords'),
    env: { PASSWORD_n_1: 'secret' },
  })
  const other = await connectNats({ servers: byPassword.url, id: 'n-1', user: 'n-1', pass: 'secret' })
  await other.close()
})

describe('keys', () => {
  test('are for their owner alone, and are never written over', async () => {
    const place = join(directory, 'more')
    const first = await printed('--nodes', 'a', '--generate-keys', place)
    expect(statSync(join(place, 'a.nk')).mode & 0o777).toBe(0o600)
    expect(statSync(place).mode & 0o777).toBe(0o700)
    const seed = readFileSync(join(place, 'a.nk'), 'utf8')
    const both = await printed('--nodes', 'a,b', '--generate-keys', place)
    expect(readFileSync(join(place, 'a.nk'), 'utf8')).toBe(seed)
    const key = readFileSync(join(place, 'a.pub'), 'utf8').trim()
    expect([first, both].every((text) => text.includes(`nkey: ${key}`))).toBe(true)
    // The seeds go to their hosts; the public keys are enough.
    rmSync(join(place, 'a.nk'))
    expect(await printed('--nodes', 'a,b', '--keys', place)).toBe(both)
    expect(await printed('--nodes', 'a,b', '--key', `a=${key}`, '--keys', place)).toBe(both)
  })

  test('that are none, or of another, are refused in a sentence', async () => {
    const place = join(directory, 'bad')
    await printed('--nodes', 'a,b', '--generate-keys', place)
    const complaint = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runCli(['permissions', '--nodes', 'a', ...args])
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(/^[^\n]+\.\n$/)
      return stderr
    }
    writeFileSync(join(place, 'a.pub'), readFileSync(join(place, 'b.pub')))
    expect(await complaint('--keys', place)).toMatch(/a\.pub is not the public key of .*a\.nk/)
    writeFileSync(join(place, 'a.pub'), 'UABC')
    expect(await complaint('--keys', place)).toMatch(/a\.pub is not the public key of a user/)
    writeFileSync(join(place, 'a.nk'), 'SUABC')
    expect(await complaint('--generate-keys', place)).toMatch(/a\.nk is not the seed of a user/)
    expect(await complaint('--keys', directory)).toMatch(/has no key for a: neither a\.pub nor a\.nk/)
    expect(await complaint('--key', 'a=UABC')).toMatch(/name=U…/)
    expect(await complaint('--key', `z=${createUserKey().publicKey}`)).toMatch(/z, whom no other flag names/)
    expect(await complaint('--keys', place, '--passwords')).toMatch(/Only one of --keys/)
    expect(await complaint('--generate-keys', join(place, 'b.nk'))).toMatch(/No key can be written to/)
    const { stderr } = await runCli(['status', '--nkey', join(place, 'a.nk')])
    expect(stderr).toMatch(/^The NKey .*a\.nk is not the seed of a user: it would begin with SU\.\n$/)
  })
})

describe('in words', () => {
  const userSchema = z.object({ users: z.array(z.unknown()) })

  test('--json has the same for programs', async () => {
    const { stdout, code } = await runCli([
      ...['permissions', '--nodes', 'n1,n2', '--clients', 'app', '--operators', 'ops', '--json'],
    ])
    expect(code).toBe(0)
    const [page, ...more] = jsonLines(stdout)
    expect(more).toEqual([])
    const roles = { n1: 'member', n2: 'member', app: 'client', ops: 'operator' }
    expect(userSchema.parse(page).users).toEqual(
      USERS.map((name) => ({
        ...{ role: roles[name], name, identity: { nkey: `$NKEY_${name}` } },
        permissions: permissionsOf(name),
      })),
    )
  })

  test('--prefix and --group narrow it', async () => {
    const stdout = await printed('--clients', 'app', '--prefix', 'acme.raft', '--group', 'g')
    expect(stdout).toContain('"acme.raft.g.leader.*"')
    expect(stdout).not.toContain('quorate')
  })
})
