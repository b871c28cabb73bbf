// A member whose disk hangs in the operating system can be ended, though Node waits for a thread that does not come back.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { DiskTap } from '../storage/power/tap.ts'
import { NatsServer } from '../support/nats-server.ts'
import { runCli } from './run-cli.ts'

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

test('a second signal ends a member whose disk does not answer any more', { timeout: 60_000 }, async () => {
  const server = await NatsServer.start()
  onTestFinished(() => server.stop())
  const tap = new DiskTap()
  const stallFile = join(tap.root, '..', 'stall')
  const data = join(tap.root, 'data')
  const args = ['serve', '--id', 'n1', '--peers', 'n1', '--data', data, '--nats', server.url]
  const { child, ended } = tap.run([MAIN, ...args], { stallFile })
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  await expect.poll(() => said, { timeout: 20_000 }).toContain('The member is up.')
  writeFileSync(stallFile, '')
  const put = await runCli(['kv', 'put', 'a', '1', '--nats', server.url, '--timeout', '1500'])
  expect(put.code).not.toBe(0)
  child.kill('SIGTERM')
  await expect.poll(() => said, { timeout: 20_000 }).toContain('Asked to stop')
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ signal: 'SIGKILL', stderr: '' })
  expect(said).toContain('A second signal: leaving at once.')
})
