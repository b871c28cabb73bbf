// `quorate doctor`: real members and files, in good order and in each bad one.

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, type Running, runCli, startCli } from './run-cli.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']

const reportSchema = z.object({
  healthy: z.boolean(),
  problems: z.number(),
  warnings: z.number(),
  findings: z.array(z.object({ check: z.string(), verdict: z.string(), says: z.string() })),
})

let server: NatsServer
let directory: string
let members: Running[] = []

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-doctor-'))
  server = await NatsServer.start()
})
afterEach(async () => {
  for (const { child } of members) child.kill('SIGKILL')
  await Promise.all(members.map(({ finished }) => finished))
  members = []
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

async function serve(id: string, peers: string, data = join(directory, id)): Promise<Running> {
  const args = ['serve', '--id', id, '--peers', peers, '--data', data, '--nats', server.url]
  const member = startCli([...args, ...FAST])
  members.push(member)
  await member.until('The member is up.')
  return member
}

async function stop(member: Running): Promise<void> {
  member.child.kill('SIGTERM')
  await member.finished
}

async function doctor(...args: string[]) {
  const { code, stdout, stderr } = await runCli(['doctor', '--json', '--nats', server.url, ...args])
  expect(stderr).toBe('')
  const report = reportSchema.parse(jsonLines(stdout)[0])
  const verdictOf = (check: string): string | undefined =>
    report.findings.find((finding) => finding.check === check)?.verdict
  const says = (check: string): string =>
    report.findings.find((finding) => finding.check === check)?.says ?? 'nothing'
  return { code, ...report, verdictOf, says }
}

const put = (key: string) => runCli(['kv', 'put', key, 'v', '--nats', server.url])
const dataOf = (id: string): string[] => ['--data', join(directory, id)]

describe('a healthy member', () => {
  test('has no problem, running or stopped, and the report is a table for people', async () => {
    const member = await serve('n1', 'n1')
    expect((await put('a')).code).toBe(0)
    const running = await doctor(...dataOf('n1'))
    expect([running.code, running.healthy, running.problems]).toEqual([0, true, 0])
    expect(running.says('content')).toMatch(/A member is running on it/)
    expect(running.verdictOf('read')).toBe('ok')
    expect(running.says('sync')).toMatch(/^20 writes of 4 KiB took [\d.]+ ms to be durable at the median/)
    expect(readdirSync(join(directory, 'n1')).filter((name) => name.includes('doctor'))).toEqual([])
    // A real member tells of itself what they look at.
    expect(running.says('versions')).toMatch(/^\d+\.\d+\.\d+ on n1\.$/)
    expect(running.says('settings')).toBe('What must be equal on all members is equal.')
    expect(running.says('clocks')).toMatch(/^All show the same time of the day/)
    const table = await runCli(['doctor', '--nats', server.url])
    expect(table.stdout).toMatch(/leader +│ ok +│ n1, term \d+, committed to 3\./)
    expect(table.stdout).toMatch(/0 problems, 0 warnings\.\n$/)

    await stop(member)
    const stopped = await doctor(...dataOf('n1'), '--no-bus')
    expect(stopped.healthy).toBe(true)
    expect(stopped.says('content')).toMatch(/^All pages and 3 entries/)
    expect(stopped.says('group demo')).toMatch(/voted for n1, entries 1 to 3/)
  })
})

describe('it notices', () => {
  test('a bus that is not there, a group that is not, and files that are not', async () => {
    const nobody = await doctor()
    expect([nobody.code, nobody.verdictOf('members')]).toEqual([1, 'problem'])
    mkdirSync(join(directory, 'empty'))
    const empty = await doctor('--no-bus', ...dataOf('empty'))
    expect([empty.code, empty.verdictOf('data directory'), empty.verdictOf('sync')]).toEqual([
      ...[1, 'problem', undefined],
    ])
    await server.kill()
    const { code, stdout } = await runCli(['doctor', '--json', '--nats', server.url, '--timeout', '300'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/"check":"bus","verdict":"problem","says":"No NATS server answered/)
  })

  test('a member that does not answer: a warning while a majority does, a problem when none does', async () => {
    await serve('n1', 'n1,n2,n3')
    const second = await serve('n2', 'n1,n2,n3')
    await expect.poll(async () => (await doctor()).verdictOf('leader'), { timeout: 15_000 }).toBe('ok')
    const two = await doctor()
    expect([two.verdictOf('members'), two.code]).toEqual(['warning', 0])
    expect(two.says('members')).toMatch(/2 of 3 answer; n3 does not/)
    second.child.kill('SIGKILL')
    await second.finished
    const one = await doctor()
    expect([one.verdictOf('members'), one.code]).toEqual(['problem', 1])
  })

  test('another program that reads the database for long', async () => {
    await serve('n1', 'n1')
    expect((await put('a')).code).toBe(0)
    const other = new Database(join(directory, 'n1', 'quorate.db'), { readonly: true })
    other.exec('BEGIN')
    other.prepare('SELECT count(*) FROM log_entries').get()
    try {
      const lines = Array.from({ length: 40 }, (_, i) =>
        JSON.stringify({ op: 'put', key: `k${i}`, value: 'x'.repeat(100_000) }),
      )
      await runCli(['kv', 'shell', '--nats', server.url], { input: lines.join('\n') })
      await expect
        .poll(async () => (await doctor()).says('member n1'), { timeout: 15_000 })
        .toMatch(/Another program has been reading its database/)
      expect((await doctor()).verdictOf('member n1')).toBe('warning')
    } finally {
      other.close()
    }
  })

  test('an entry that does not fit its checksum, and one that is missing', async () => {
    const member = await serve('n1', 'n1')
    expect((await put('a')).code).toBe(0)
    await stop(member)
    const change = (sql: string): void => {
      const db = new Database(join(directory, 'n1', 'quorate.db'))
      db.exec(sql)
      db.close()
    }
    change("UPDATE log_entries SET data = x'00' WHERE position & 0xffffffff = 2")
    const damaged = await doctor('--no-bus', ...dataOf('n1'))
    expect([damaged.code, damaged.verdictOf('content')]).toEqual([1, 'problem'])
    expect(damaged.says('content')).toMatch(/group demo is damaged at index 2: .* Keep the directory/)
    change('DELETE FROM log_entries WHERE position & 0xffffffff = 2')
    expect((await doctor('--no-bus', ...dataOf('n1'))).says('content')).toMatch(/index 2 is missing/)
    change('UPDATE meta SET term = term + 1')
    expect((await doctor('--no-bus', ...dataOf('n1'))).verdictOf('content')).toBe('problem')
    change('UPDATE host SET format_version = 99')
    expect((await doctor('--no-bus', ...dataOf('n1'))).says('data directory')).toMatch(
      /of format version 99 and this/,
    )
  })

  test('a wrong call', async () => {
    const { code, stderr } = await runCli(['doctor', '--no-bus'])
    expect([code, stderr]).toEqual([2, 'With --no-bus there is nothing to look at but --data.\n'])
  })
})
