// `quorate events`: what happens in a group of real members, a line each.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, type Running, runCli, startCli } from './run-cli.ts'

const directory = mkdtempSync(join(tmpdir(), 'quorate-events-cli-'))
let server: NatsServer
beforeAll(async () => {
  server = await NatsServer.start()
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const where = (id: string) => ['--nats', server.url, '--group', 'e', '--data', join(directory, id)]
const run = (...args: readonly string[]) => runCli([...args, '--nats', server.url, '--group', 'e'])

describe('events', { timeout: 90_000 }, () => {
  test('tells of elections, votes, snapshots, members that come, go and die, and of a bus that goes', async () => {
    const events = startCli(['events', '--nats', server.url, '--group', 'e', '--json'])
    await events.untilSaid('Looking for it.')
    const told = () => jsonLines(events.stdout())
    const seen = (fields: object) =>
      vi.waitFor(() => expect(told()).toContainEqual(expect.objectContaining(fields)), 20_000)
    const members = new Map<string, Running>()
    for (const id of ['n1', 'n2', 'n3'])
      members.set(id, startCli(['serve', '--id', id, '--peers', 'n1,n2,n3', ...where(id)]))
    for (const member of members.values()) await member.until('The member is up.')
    await seen({ kind: 'problem', problem: null, group: 'e', member: null })
    await run('kv', 'put', 'a', '1')
    const leader = JSON.parse((await run('leader', 'show', '--json')).stdout).leader
    for (const id of members.keys()) await seen({ kind: 'member', member: id, state: 'live' })
    const other = [...members.keys()].find((id) => id !== leader) ?? ''
    expect(await run('leader', 'transfer', other)).toMatchObject({ code: 0 })
    await seen({ kind: 'role', member: other, to: 'leader', reason: 'ELECTION_WON' })
    await seen({ kind: 'vote', candidate: other, pre: false, granted: true, reason: 'GRANTED' })
    expect(await run('snapshot', 'take', '--member', other)).toMatchObject({ code: 0 })
    await seen({ kind: 'snapshot', member: other })
    expect(await run('members', 'demote', leader, '--yes')).toMatchObject({ code: 0 })
    await seen({ kind: 'membership', member: other, learners: [leader], stage: 'none' })
    members.get(other)?.child.kill('SIGKILL')
    await seen({ kind: 'member', member: other, state: 'silent' })
    await server.stop()
    await seen({ kind: 'problem', problem: expect.stringContaining('The bus is gone') })
    events.child.kill('SIGINT')
    expect((await events.finished).code).toBe(0)
    for (const member of members.values()) {
      member.child.kill('SIGKILL')
      await member.finished
    }
    server = await NatsServer.start()
  })

  test('reads well, and ends when its reader does', async () => {
    const member = startCli([
      'serve',
      '--id',
      'm1',
      '--peers',
      'm1',
      '--nats',
      server.url,
      '--group',
      'r',
      '--data',
      join(directory, 'm1'),
    ])
    await member.until('The member is up.')
    const events = startCli(['events', '--nats', server.url, '--group', 'r'])
    await events.until('is heard')
    expect(events.stdout()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}m1 {8}member {6}is heard$/m)
    events.child.kill('SIGTERM')
    expect((await events.finished).code).toBe(0)
    member.child.kill('SIGTERM')
    await member.finished
    const noBus = await runCli(['events', '--nats', 'nats://127.0.0.1:1', '--timeout', '500'])
    expect(noBus).toMatchObject({ code: 1, stdout: '' })
  })
})
