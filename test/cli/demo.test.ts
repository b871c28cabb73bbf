// `quorate demo` as a newcomer runs it.

import { existsSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, runCli, startCli } from './run-cli.ts'

const number = expect.any(Number)
const clean = { ok: true, lost: 0, duplicated: 0, hashesEqual: true }

describe('demo', { timeout: 40_000 }, () => {
  test('tells its story, ends well, and leaves nothing behind', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'quorate-demo-test-'))
    const { code, stdout, stderr } = await runCli(['demo', '--writes', '2000'], {
      env: { TMPDIR: temporary },
    })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/n\d {2}candidate → leader, term \d+, \w+\n/)
    expect(stdout).toMatch(/Killed the leader (n\d) .*\n(.*\n)*.*Opening \1 again from its files\./)
    expect(stdout).toMatch(/Killed (n\d) and removed its files\.(.*\n)*.*\1 got a snapshot of 16\.\d MB/)
    expect(stdout).toMatch(/: n\d counts again\.\n/)
    expect(stdout).toContain('Every acknowledged write is on every member, once, and all states are equal.')
    expect(code).toBe(0)
    rmdirSync(temporary)
  })

  test('--json: one document on stdout, the story on stderr', async () => {
    const { code, stdout, stderr } = await runCli(['demo', '--writes', '2000', '--json'])
    const [report, ...more] = jsonLines(stdout)
    expect(more).toEqual([])
    expect(report).toMatchObject({
      ...{ ...clean, writes: 2000, acknowledged: number, commitsPerSecond: number },
      ...{ p50ms: number, p99ms: number, leaderlessMs: number, recoveryMs: number },
      ...{ installMs: number, installedBytes: number },
      members: ['n1', 'n2', 'n3'].map((id) => ({ id, term: number, appliedIndex: number })),
    })
    expect(stderr).toContain('Killed the leader')
    expect(code).toBe(0)
  })

  test('over NATS, twice in the same files', async () => {
    await using server = await NatsServer.start()
    const data = mkdtempSync(join(tmpdir(), 'quorate-demo-data-'))
    const args = ['demo', '--writes', '500', '--json', '--nats', server.url, '--data', data]
    for (const round of [1, 2]) {
      const { stdout, stderr } = await runCli(args)
      expect(jsonLines(stdout), `round ${round}: ${stderr}`).toEqual([expect.objectContaining(clean)])
    }
    expect(existsSync(join(data, 'n1', 'quorate.db'))).toBe(true)
    rmSync(data, { recursive: true })
  })

  test('interrupted, it removes its files', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'quorate-demo-test-'))
    const demo = startCli(['demo'], { env: { TMPDIR: temporary } })
    await demo.until('leader, term')
    demo.child.kill('SIGINT')
    expect((await demo.finished).code).toBe(130)
    rmdirSync(temporary)
  })
})
