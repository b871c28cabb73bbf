// The page on clients: its example in plain JavaScript runs, against real members on a real bus.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCli } from '../cli/run-cli.ts'
import { NatsServer } from '../support/nats-server.ts'
import { read } from './support.ts'

const directory = mkdtempSync(join(tmpdir(), 'quorate-client-example-'))
let server: NatsServer
beforeAll(async () => {
  server = await NatsServer.start()
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

test('examples/client.mjs writes in a session, reads at each level, and ends', {
  timeout: 60_000,
}, async () => {
  const args = ['serve', '--id', 'n1', '--peers', 'n1', '--group', 'ex', '--data', directory]
  const member = startCli([...args, '--nats', server.url])
  await member.until('The member is up.')
  const { stdout, stderr, status } = spawnSync(process.execPath, ['examples/client.mjs', server.url, 'ex'], {
    encoding: 'utf8',
  })
  expect([stderr, status]).toEqual(['', 0])
  expect(stdout.trim().split('\n')).toEqual([
    'from the leader: one;two;three;',
    'from the nearest: one;two;three;',
    'perhaps stale: one;two;three;',
    'heard: one;two;three;four;',
  ])
  member.child.kill('SIGKILL')
  await member.finished
})

test('the page and README.md name it', () => {
  expect(read('docs/client.md')).toContain('(../examples/client.mjs)')
  expect(read('README.md')).toContain('(docs/client.md)')
})
