// "Members come and go" of docs/operations.md, played on real members: each command says what the page shows.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Running, runCli, startCli } from '../cli/run-cli.ts'
import { NatsServer } from '../support/nats-server.ts'
import { read, shownIn } from './support.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']
const MADE_TO_FAIL = 'n3'

/** Terms differ from run to run. */
const same = (text: string): string => text.trimEnd().replace(/term \d+/g, 'term N')

test('docs/operations.md shows what members and leader say', { timeout: 120_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-operations-'))
  const server = await NatsServer.start()
  const running = new Map<string, Running>()
  onTestFinished(async () => {
    for (const { child } of running.values()) child.kill('SIGKILL')
    await Promise.all([...running.values()].map(({ finished }) => finished))
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  const env = { QUORATE_NATS: server.url }
  const serve = async (id: string, ...args: string[]): Promise<void> => {
    const member = startCli(['serve', '--id', id, ...args, ...FAST, '--data', join(directory, id)], { env })
    running.set(id, member)
    await member.until('The member is up.')
  }
  await serve('n1', '--peers', 'n1')
  expect((await runCli(['kv', 'put', 'k', 'v', '--timeout', '20000'], { env })).code).toBe(0)

  const commands = shownIn(read('docs/operations.md'), 'Members come and go').flat()
  expect(commands.length).toBeGreaterThan(12)
  for (const { args, says } of commands) {
    const [command, , id = ''] = args
    if (command === 'serve') {
      // The page has a machine die before its successor starts.
      if (id === 'n4') running.get(MADE_TO_FAIL)?.child.kill('SIGKILL')
      await serve(id, '--join', '--group', 'demo')
      continue
    }
    const heard = async (): Promise<string> => {
      const { stdout, stderr } = await runCli(args, { env })
      return `$ quorate ${args.join(' ')}\n${same(stderr + stdout)}`
    }
    const expected = `$ quorate ${args.join(' ')}\n${same(says)}`
    // A follower applies a moment after its leader: what is only looked at may be looked at again.
    if (args[1] === 'list') await expect.poll(heard, { timeout: 20_000 }).toBe(expected)
    else expect(await heard()).toBe(expected)
  }
})
