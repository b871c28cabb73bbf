// `quorate members` and `quorate leader` end to end: real members that come and go over a real NATS server, a person at a
// terminal, and the requests that the ordinary `nats` tool sends.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect } from 'nats'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { attachServices } from '../../src/services/attach.ts'
import { connectNats } from '../../src/transport/nats/connect-nats.ts'
import { AdminNode } from '../client/admin-node.ts'
import { NatsServer } from '../support/nats-server.ts'
import { type Finished, jsonLines, type Running, runCli, startCli } from './run-cli.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']

let server: NatsServer
let directory: string
let running: Running[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-members-'))
  server = await NatsServer.start()
})
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL')
  await Promise.all(running.map(({ finished }) => finished))
  running = []
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

const run = (...args: string[]) => runCli(args, { env: { QUORATE_NATS: server.url } })
const members = (...args: string[]) => run('members', ...args)

async function serve(id: string, ...how: string[]): Promise<Running> {
  const member = startCli([
    'serve',
    '--id',
    id,
    '--data',
    join(directory, id),
    '--nats',
    server.url,
    ...how,
    ...FAST,
  ])
  running.push(member)
  await member.until('The member is up.')
  return member
}

const listSchema = z.object({
  leader: z.string().nullable(),
  members: z.array(z.object({ id: z.string(), role: z.string().nullable(), state: z.string() })),
  quorum: z.string(),
  tolerated: z.number(),
})

async function list(): Promise<z.output<typeof listSchema>> {
  return listSchema.parse(jsonLines((await members('list', '--json')).stdout)[0])
}

const rolesIn = ({ members: all }: z.output<typeof listSchema>) => all.map(({ id, role }) => `${id} ${role}`)

/** As a person sees it: on a terminal, typing `typed` when `prompt` is there. */
function inTerminal(args: readonly string[], prompt: string, typed: string): Promise<Finished> {
  const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))
  const command = [process.execPath, main, ...args].join(' ')
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, QUORATE_NATS: server.url, TERM: 'xterm' },
  })
  let stdout = ''
  let isTyped = false
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
    if (isTyped || !stdout.includes(prompt)) return
    isTyped = true
    child.stdin.write(typed)
  })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr: '' })))
}

describe('a group', { timeout: 90_000 }, () => {
  test('grows, replaces a dead member, moves its leader and shrinks, and loses nothing', async () => {
    await serve('n1', '--peers', 'n1')
    expect((await run('kv', 'put', 'k', 'v', '--timeout', '20000')).code).toBe(0)
    const second = await serve('n2', '--join')
    await second.until(`It waits to be added: quorate members add n2 --group demo --nats ${server.url}`)
    const alone = await members('list')
    expect(alone.stdout).toMatch(/│ n1 +│ voter +│ +100 │ leader +│ +0 │/)
    expect(alone.stdout).toMatch(/│ n2 +│ no member +│ +│ waits to be added │/)
    expect(alone.stdout).toContain('1 of 1 voters answer. Quorum 1 of 1: none may fail.')

    const unasked = await members('add', 'n2')
    expect([unasked.code, unasked.stdout]).toEqual([5, ''])
    expect(unasked.stderr).toMatch(/│ voters +│ n1 +│ n1, n2 │[\s\S]*it needs --yes\.\n$/)
    expect(rolesIn(await list())).toEqual(['n1 voter', 'n2 null'])

    const added = await members('add', 'n2', '--yes')
    expect([added.code, added.stdout]).toEqual([0, 'Group demo now has voters n1, n2 (quorum 2 of 2).\n'])
    await second.until('It is a voter of group demo.')
    expect((await members('add', 'n2')).stdout).toBe(
      'Nothing to do: group demo has voters n1, n2 (quorum 2 of 2).\n',
    )

    const third = await serve('n3', '--join')
    expect((await members('add', 'n3', '--role', 'learner')).code).toBe(0)
    expect(await list()).toMatchObject({ quorum: '2 of 2', tolerated: 0 })
    const promoted = await members('promote', 'n3', '--yes', '--json')
    expect(jsonLines(promoted.stdout)).toEqual([
      expect.objectContaining({
        changed: true,
        after: expect.objectContaining({ peers: ['n1', 'n2', 'n3'] }),
      }),
    ])

    third.child.kill('SIGKILL')
    await third.finished
    await serve('n4', '--join')
    expect((await members('set', 'n1,n2,n4', '--yes')).stdout).toBe(
      'Group demo now has voters n1, n2, n4 (quorum 2 of 3).\n',
    )
    expect(rolesIn(await list())).toEqual(['n1 voter', 'n2 voter', 'n4 voter'])

    const moved = await run('leader', 'transfer', 'n2')
    expect([moved.code, moved.stdout]).toEqual([
      0,
      expect.stringMatching(/^n2 leads group demo in term \d+\. n1 led before\.\n$/),
    ])
    expect((await run('leader', 'show')).stdout).toMatch(/^n2 leads group demo in term \d+\.\n$/)
    expect((await run('leader', 'transfer', 'n2')).stdout).toMatch(/^n2 leads group demo in term \d+\.\n$/)

    const removed = await members('remove', 'n2', '--yes')
    expect(removed.stderr).toContain('n2 leads: when it is done, it hands over to another one.')
    expect(removed.stdout).toBe('Group demo now has voters n1, n4 (quorum 2 of 2).\n')
    expect((await run('kv', 'get', 'k', '--timeout', '20000')).stdout).toBe('v\n')
  })

  test('is not harmed by what cannot be', async () => {
    await serve('n1', '--peers', 'n1')
    await run('kv', 'put', 'k', 'v', '--timeout', '20000')
    for (const [args, code, says] of [
      [['remove', 'n1', '--yes'], 2, /A group needs at least one voter\./],
      [['promote', 'n7', '--yes'], 2, /n7 is no member\./],
      [['add', 'n7', '--yes'], 5, /n7 does not answer yet[\s\S]*n7 did not answer/],
      [['add', 'leader'], 2, /word with a meaning/],
      [['set', 'n1,n2:boss', '--yes'], 2, /A role is one of voter, witness, learner/],
      [['add', 'n7', '--group', 'other', '--yes', '--timeout', '400'], 3, /Nobody led group other/],
    ] as const) {
      const finished = await members(...args)
      expect([args, finished.code, finished.stdout]).toEqual([args, code, ''])
      expect(finished.stderr).toMatch(says)
    }
    const nobody = await run('leader', 'show', '--group', 'other')
    expect([nobody.code, nobody.stderr]).toEqual([
      1,
      expect.stringMatching(/^No member of group other answers/),
    ])
    expect((await members('list', '--group', 'other')).code).toBe(1)
    expect(rolesIn(await list())).toEqual(['n1 voter'])
  })

  test('is asked by the ordinary nats tool, in JSON', async () => {
    const member = await serve('n1', '--peers', 'n1')
    expect((await run('kv', 'put', 'k', 'v', '--timeout', '20000')).code).toBe(0)
    await serve('n2', '--join')
    const nats = await connect({ servers: server.url, inboxPrefix: '_INBOX_ops' })
    try {
      const ask = async (subject: string, body: string): Promise<unknown> =>
        (await nats.request(`quorate.demo.${subject}`, body, { timeout: 20_000 })).json()
      expect(await ask('admin.get_leader', '')).toMatchObject({ ok: true, leader: 'n1' })
      const added = await ask('admin.add_peer', '{"peer":"n2"}')
      expect(added).toMatchObject({ ok: true, before: { peers: ['n1'] }, after: { peers: ['n1', 'n2'] } })
      expect(await ask('n2.admin.remove_peer', '{"peer":"n1"}')).toMatchObject({
        ok: false,
        error: { code: 'NOT_LEADER', leader: 'n1' },
      })
      expect(await ask('n2.admin.list_peers', '')).toMatchObject({
        member: 'n2',
        peers: ['n1', 'n2'],
        leader: 'n1',
      })
      expect(await ask('admin.snapshot', '{}')).toMatchObject({ ok: true, snapshot: { peers: ['n1', 'n2'] } })
    } finally {
      await nats.close()
    }
    expect(jsonLines(member.stdout())).toContainEqual(
      expect.objectContaining({ verb: 'add_peer', arguments: { peer: 'n2' }, by: 'ops', outcome: 'done' }),
    )
  })

  test('whose member is read-only takes no commands, until that ends', async () => {
    await serve('n1', '--peers', 'n1')
    expect((await run('kv', 'put', 'k', 'v', '--timeout', '20000')).code).toBe(0)
    const unasked = await members('readonly', 'n1', 'on')
    expect([unasked.code, unasked.stdout]).toEqual([5, ''])
    expect(unasked.stderr).toContain(
      'n1 will be read-only, 0 of 1 voters will not.\nThe group will take no commands.\nNothing was changed',
    )
    const told = await members('readonly', 'n1', 'on', '--yes')
    expect([told.code, told.stdout]).toEqual([0, 'Member n1 of demo is read-only now.\n'])
    expect((await members('readonly', 'n1', 'on', '--yes')).stdout).toBe('Nothing to do: n1 is read-only.\n')
    const put = await run('kv', 'put', 'k', 'w')
    expect([put.code, put.stdout]).toEqual([5, ''])
    expect(put.stderr).toContain('Group demo takes no commands: its leader n1 is read-only.')
    expect((await run('kv', 'get', 'k')).stdout).toContain('v')
    expect((await run('status')).stdout).toContain('n1: it is read-only, by the word of an operator.')
    const ended = await members('readonly', 'n1', 'off', '--json')
    expect(jsonLines(ended.stdout)).toEqual([
      { group: 'demo', member: 'n1', changed: true, readonly: false, takesCommands: true },
    ])
    expect((await run('kv', 'put', 'k', 'w')).code).toBe(0)
    const nobody = await members('readonly', 'n9', 'on', '--yes')
    expect([nobody.code, nobody.stderr]).toEqual([
      1,
      expect.stringContaining('No member n9 of group demo answers'),
    ])
  })
})

describe('at a terminal', { timeout: 60_000 }, () => {
  let node: AdminNode
  let close: () => Promise<void>

  beforeEach(async () => {
    node = new AdminNode('n1', { peers: ['n1', 'n2', 'n3'] }).lead(2)
    const transport = await connectNats({ servers: server.url, id: 'n1' })
    const { detach } = attachServices({ transport, node })
    close = async () => {
      detach()
      await transport.close()
    }
  })
  afterEach(() => close())

  test.each([
    ['y', 0, /now has voters n1, n2 /, 1],
    ['n', 5, /Nothing was changed\./, 0],
    ['', 5, /Nothing was changed\./, 0],
    ['\u0003', 130, /\[y\/N\]/, 0],
  ])('%j is heard', async (typed, code, says, calls) => {
    const answer = typed === '\u0003' ? typed : `${typed}\r`
    const finished = await inTerminal(['members', 'remove', 'n3'], '[y/N]', answer)
    expect(finished.stdout).toContain('Change the members of group demo?')
    expect(finished.stdout).toMatch(/│ quorum +│ 2 of 3 +│ 2 of 2 │/)
    expect(finished.stdout).toMatch(says)
    expect([finished.code, node.calls.length]).toEqual([code, calls])
    if (calls > 0) expect(node.calls).toEqual([['removePeer', 'n3', { expect: ['n1', 'n2', 'n3'] }]])
  })

  test('one sees how far it is, and Ctrl-C ends the waiting but not the change', async () => {
    const adding = { peer: 'n4', matchIndex: 50, remainingEntries: 1150, doneBytes: null, totalBytes: null }
    node.change = { stage: 'catchingUp', adding: [adding] }
    const held = node.hold()
    const finished = await inTerminal(['members', 'add', 'n4', '--yes'], '1,150 entries left', '\u0003')
    expect(finished.stdout).toMatch(/Giving the log to n4 .*4% \| 1,150 entries left/)
    expect(finished.stdout).toContain(
      'The group goes on with it: `quorate members list --group demo` shows how far it is.',
    )
    expect(finished.code).toBe(130)
    expect((await members('list')).stdout).toContain('Giving the log to n4: 1,150 entries left.')
    expect(node.calls).toHaveLength(1)
    held.resolve()
    node.change = null
    await expect.poll(() => node.peers).toContain('n4')
  })
})
