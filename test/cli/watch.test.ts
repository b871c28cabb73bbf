// `quorate watch` and the page of `serve --http`: real members on a real bus, seen by a browser's stream.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { PageMessage } from '../../src/page/page-protocol.ts'
import { NatsServer } from '../support/nats-server.ts'
import { jsonLines, runCli, startCli } from './run-cli.ts'

const LONG = { timeout: 60_000 }
const directory = mkdtempSync(join(tmpdir(), 'quorate-watch-cli-'))
let server: NatsServer
beforeAll(async () => {
  server = await NatsServer.start()
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

function follow(url: string): PageMessage[] {
  const messages: PageMessage[] = []
  let rest = ''
  const asked = request(url, (answer) => {
    answer.setEncoding('utf8')
    answer.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.startsWith('data: ')) messages.push(JSON.parse(line.slice(6)))
    })
  })
  asked.on('error', () => {})
  asked.end()
  onTestFinished(() => void asked.destroy())
  return messages
}

/** Roles that were told, as `n1 leader`. */
function rolesIn(messages: readonly PageMessage[]): readonly string[] {
  return messages.flatMap((message) => {
    if (message.kind === 'picture') return [`${message.picture.node} ${message.picture.status.role}`]
    if (message.kind !== 'batch') return []
    const { node, items } = message.batch
    return items.flatMap((item) => (item.kind === 'role' ? [`${node} ${item.to}`] : []))
  })
}

function serve(id: string, ...flags: readonly string[]) {
  const where = ['--nats', server.url, '--group', 'w', '--data', join(directory, id)]
  return startCli(['serve', '--id', id, '--peers', 'n1,n2,n3', ...where, ...flags])
}

describe('watch', () => {
  test(
    'finds the group, sees its leader killed and another one lead, and ends with a signal',
    LONG,
    async () => {
      const watch = startCli(['watch', '--nats', server.url, '--json'])
      await watch.until('"url"')
      const { url } = JSON.parse(watch.stdout())
      const early = follow(`${url}stream`)
      await vi.waitFor(
        () => expect(early).toContainEqual(expect.objectContaining({ kind: 'hello', group: '' })),
        10_000,
      )
      const members = new Map(['n1', 'n2', 'n3'].map((id) => [id, serve(id)]))
      for (const member of members.values()) await member.until('The member is up.')
      // The list comes by itself; the page chooses from it.
      await vi.waitFor(
        () =>
          expect(early.findLast(({ kind }) => kind === 'groups')).toMatchObject({
            groups: [{ group: 'w', members: 3 }],
          }),
        20_000,
      )
      const messages = follow(`${url}stream`)
      const leaderOf = () =>
        rolesIn(messages)
          .findLast((role) => role.endsWith(' leader'))
          ?.split(' ')[0]
      await vi.waitFor(() => expect(leaderOf()).toBeDefined(), 20_000)
      const first = leaderOf() ?? ''
      members.get(first)?.child.kill('SIGKILL')
      await vi.waitFor(() => expect(leaderOf()).not.toBe(first), 20_000)
      await vi.waitFor(
        () =>
          expect(messages).toContainEqual(
            expect.objectContaining({ kind: 'member', id: first, state: 'silent' }),
          ),
        20_000,
      )
      watch.child.kill('SIGINT')
      expect((await watch.finished).code).toBe(0)
      for (const [id, member] of members) {
        if (id !== first) member.child.kill('SIGTERM')
        await member.finished
      }
    },
  )

  test('says in a sentence what is wrong with a file, a port, a bus', LONG, async () => {
    const file = join(directory, 'diary.txt')
    writeFileSync(file, 'Dear diary\n')
    const diary = await runCli(['watch', file])
    expect(diary).toMatchObject({ code: 2, stdout: '' })
    expect(diary.stderr).toMatch(
      /is no recorded simulation: npm run sim -- --seed N --trace .* writes one\.\n$/,
    )
    const noFile = await runCli(['watch', join(directory, 'no')])
    expect([noFile.code, noFile.stderr.split('\n').length]).toEqual([2, 2])
    const noBus = await runCli(['watch', '--nats', 'nats://127.0.0.1:1', '--timeout', '500'])
    expect(noBus).toMatchObject({ code: 1, stdout: '' })
    const taken = await runCli(['watch', '--nats', server.url, '--port', new URL(server.url).port])
    expect(taken).toMatchObject({ code: 5, stdout: '' })
    expect(taken.stderr).toContain('Something else already listens on')
  })
})

describe('serve --http', () => {
  test('gives browsers the page of the group, and programs the list of what there is', LONG, async () => {
    const where = ['--nats', server.url, '--group', 'h', '--data', join(directory, 'h1')]
    const member = startCli([
      'serve',
      '--id',
      'h1',
      '--peers',
      'h1',
      ...where,
      '--http',
      '127.0.0.1:0',
      '--json',
    ])
    await member.until('The member is up.')
    const line = jsonLines(member.stdout()).find(
      (each): each is { url: string } => typeof each === 'object' && each !== null && 'url' in each,
    )
    const url = line?.url ?? ''
    const page = await fetch(`${url}/`, { headers: { accept: 'text/html,*/*' } })
    expect(await page.text()).toContain('page.js')
    expect(await (await fetch(`${url}/`)).text()).toContain('There is: /status')
    expect((await fetch(`${url}/page.js`)).status).toBe(200)
    expect((await fetch(`${url}/control`, { method: 'POST', body: '{}' })).status).toBe(405)
    const messages = follow(`${url}/stream`)
    await vi.waitFor(() => expect(rolesIn(messages)).toContain('h1 leader'), 20_000)
    expect(messages[0]).toMatchObject({ kind: 'hello', source: 'bus', group: 'h' })
    member.child.kill('SIGTERM')
    expect((await member.finished).code).toBe(0)
  })
})
