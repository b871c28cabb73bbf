// "Disaster" of docs/operations.md, played on real members: each block begins with three, of which two are lost.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Running, runCli, startCli } from '../cli/run-cli.ts'
import { NatsServer } from '../support/nats-server.ts'
import { read, shownIn } from './support.ts'

const FAST = ['--election-timeout', '300', '--max-clock-drift', '100', '--option', 'maxElectionDelayMs=200']
const STAYS = 'n3'
const blocks = shownIn(read('docs/operations.md'), 'Disaster')

/** Terms and places in the log differ from run to run. */
const same = (text: string): string => text.trimEnd().replace(/(term|ends at|entry) \d+/g, '$1 N')

test('docs/operations.md shows both ways out', () => {
  expect(blocks.map((block) => block.map(({ args }) => args.slice(0, 2).join(' ')))).toEqual([
    ['recover ./n3', 'recover ./n3', 'serve --id', 'members list'],
    ['members reset', 'members reset'],
  ])
})

test.each(blocks.map((block, i) => [i + 1, block] as const))(
  'and what is said: block %d',
  {
    timeout: 120_000,
  },
  async (_, block) => {
    const directory = mkdtempSync(join(tmpdir(), 'quorate-operations-'))
    const server = await NatsServer.start()
    const running = new Map<string, Running>()
    const kill = async (id: string): Promise<void> => {
      running.get(id)?.child.kill('SIGKILL')
      await running.get(id)?.finished
      running.delete(id)
    }
    onTestFinished(async () => {
      for (const id of [...running.keys()]) await kill(id)
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    })
    const env = { QUORATE_NATS: server.url }
    const serve = async (id: string, ...args: string[]): Promise<void> => {
      const member = startCli(['serve', '--id', id, ...args, ...FAST, '--data', join(directory, id)], { env })
      running.set(id, member)
      await member.until('The member is up.')
    }
    await Promise.all(['n1', 'n2', STAYS].map((id) => serve(id, '--peers', 'n1,n2,n3')))
    expect((await runCli(['kv', 'put', 'k', 'v', '--timeout', '20000'], { env })).code).toBe(0)
    for (const id of ['n1', 'n2']) await kill(id)
    if (block[0]?.args[0] === 'recover') await kill(STAYS)

    for (const { args, says } of block) {
      if (args[0] === 'serve') {
        await serve(STAYS, '--group', 'demo')
        continue
      }
      const placed = args.map((arg) => (arg.startsWith('./') ? join(directory, arg) : arg))
      const heard = async (): Promise<string> => {
        const { stdout, stderr } = await runCli(placed, { env })
        return same(stderr + stdout)
      }
      if (args[1] === 'list') await expect.poll(heard, { timeout: 20_000 }).toBe(same(says))
      else expect(await heard()).toBe(same(says))
    }
  },
)
