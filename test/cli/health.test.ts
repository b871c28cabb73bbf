// `quorate health`, `completion`, and the lines of `status --watch`: a group of one, seen from outside.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, MAIN, runCli, startCli } from './run-cli.ts'

const directory = mkdtempSync(join(tmpdir(), 'quorate-health-'))
let server: NatsServer
beforeAll(async () => {
  server = await NatsServer.start()
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const run = (...args: readonly string[]) => runCli([...args, '--nats', server.url, '--group', 'h'])

describe('health', { timeout: 60_000 }, () => {
  test('is 1 and a sentence without a leader, 0 with one; --commit writes and reads back, and touches no data', async () => {
    const before = await run('health', '--timeout', '400')
    expect(before).toMatchObject({ code: 1, stdout: '' })
    expect(before.stderr).toMatch(/^Not healthy: Nobody led group h for 400 ms\.\n$/)
    const args = ['serve', '--id', 'n1', '--peers', 'n1', '--data', join(directory, 'n1')]
    const member = startCli([...args, '--nats', server.url, '--group', 'h'])
    await member.until('The member is up.')
    expect(await run('health')).toMatchObject({
      ...{ code: 0, stderr: '' },
      stdout: expect.stringMatching(/^Healthy: n1 leads h in term \d+, 1 of 1 members answer\.\n$/),
    })
    const hash = async () => JSON.parse((await run('status', '--json')).stdout).members[0].stateHash
    const untouched = await hash()
    const { code, stdout } = await run('health', '--commit', '--json')
    expect(code).toBe(0)
    expect(jsonLines(stdout)).toEqual([
      {
        ...{ group: 'h', healthy: true, leader: 'n1', term: expect.any(Number), problem: null },
        ...{ answering: ['n1'], unreachable: [] },
        commit: { index: expect.any(Number), tookMs: expect.any(Number), appliedBy: ['n1'] },
      },
    ])
    expect(await hash()).toBe(untouched)

    const watch = startCli(['status', '--watch', '--interval', '50', '--nats', server.url, '--group', 'h'])
    await watch.until('at most')
    expect(watch.stdout()).toMatch(/commits\/s [▁▂▃▄▅▆▇█]+ [\d,]+ now, [\d,]+ at most/)
    expect(watch.stdout()).toMatch(/│ +apply lag +│ +log lag +│ +disk lag +│/)
    watch.child.kill('SIGINT')
    expect((await watch.finished).code).toBe(0)

    member.child.kill('SIGKILL')
    await member.finished
    const after = await run('health', '--timeout', '600', '--json')
    expect(after.code).toBe(1)
    expect(jsonLines(after.stdout)).toMatchObject([{ healthy: false, leader: null, commit: null }])
  })

  test('of a bus that is not there is 1, too', async () => {
    const gone = await runCli(['health', '--nats', 'nats://127.0.0.1:1', '--timeout', '300', '--json'])
    expect(gone.code).toBe(1)
    expect(jsonLines(gone.stdout)).toMatchObject([{ healthy: false, problem: expect.stringMatching(/\.$/) }])
  })
})

describe('completion', { timeout: 30_000 }, () => {
  /** What bash would offer; the helper of the bash-completion package stands in where it is not installed. */
  function offered(line: readonly string[]): readonly string[] {
    const quorate = join(directory, 'quorate')
    writeFileSync(quorate, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, { mode: 0o755 })
    const script = `
      _get_comp_words_by_ref() { words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur="\${words[cword]}"; prev="\${words[cword-1]}"; }
      compopt() { :; }
      source <(quorate completion bash)
      COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${line.length - 1}
      COMP_LINE='${line.join(' ')}'; COMP_POINT=\${#COMP_LINE}
      __quorate_complete; printf '%s\\n' "\${COMPREPLY[@]}"`
    const env = { ...process.env, PATH: `${directory}:${process.env.PATH}` }
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { env, encoding: 'utf8' })
    expect(stderr).toBe('')
    return stdout.trim().split('\n')
  }

  test('offers commands, their own commands, options and choices in bash', () => {
    expect(offered(['quorate', 'sta'])).toEqual(['status'])
    expect(offered(['quorate', 'members', 'pro'])).toEqual(['promote'])
    expect(offered(['quorate', 'members', 'add', '--ro'])).toEqual(['--role'])
    expect(offered(['quorate', 'members', 'add', '--role', ''])).toEqual(['voter', 'witness', 'learner'])
  })

  test.each(['zsh', 'fish'])('has a script for %s that calls back', async (shell) => {
    const { code, stdout } = await runCli(['completion', shell])
    expect(code).toBe(0)
    expect(stdout).toMatch(/quorate.*complete --/)
  })

  test('of another shell is a wrong call', async () => {
    expect(await runCli(['completion', 'csh'])).toMatchObject({ code: 2, stdout: '' })
  })
})
