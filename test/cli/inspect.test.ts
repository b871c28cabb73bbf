// `quorate inspect` and `quorate demo --inspect`: a group in the Stately inspector, from the command line.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { NatsServer } from '../support/nats-server.ts'
import { runCli, startCli } from './run-cli.ts'

const LONG = { timeout: 60_000 }
const directory = mkdtempSync(join(tmpdir(), 'quorate-inspect-cli-'))
let server: NatsServer
beforeAll(async () => {
  server = await NatsServer.start()
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

function listen(url: string): string[] {
  const heard: string[] = []
  const socket = new WebSocket(url)
  onTestFinished(() => socket.terminate())
  socket.on('message', (data) => heard.push(String(data)))
  return heard
}

describe('inspect', () => {
  test('shows a member that runs, and says what it looks for while nobody does', LONG, async () => {
    const inspect = startCli(['inspect', '--nats', server.url])
    await inspect.untilSaid('No member of group demo answers on this bus')
    await inspect.until('The same for other tools:')
    const [, socketUrl = ''] = /(ws:\/\/127\.0\.0\.1:\S+)/.exec(inspect.stdout()) ?? []
    const heard = listen(socketUrl)
    const where = ['--nats', server.url, '--data', join(directory, 'n1')]
    const member = startCli(['serve', '--id', 'n1', '--peers', 'n1', ...where])
    await member.until('The member is up.')
    await vi.waitFor(() => expect(heard.some((text) => text.includes('"@xstate.actor"'))).toBe(true), 20_000)
    const actors = heard.filter((text) => text.includes('"@xstate.actor"')).map((text) => JSON.parse(text))
    expect(actors[0]).toMatchObject({ sessionId: 'n1', rootId: 'n1', _version: '0.7.2' })
    inspect.child.kill('SIGINT')
    expect((await inspect.finished).code).toBe(0)
    member.child.kill('SIGTERM')
    await member.finished
  })

  test('says in a sentence that a port is in use, and that no bus is there', LONG, async () => {
    const first = startCli(['inspect', '--nats', server.url, '--json'])
    await first.until('"socketUrl"')
    const { port } = new URL(JSON.parse(first.stdout()).url)
    const second = await runCli(['inspect', '--nats', server.url, '--port', port])
    expect(second).toMatchObject({ code: 5, stdout: '' })
    expect(second.stderr).toBe(
      `Something else already listens on 127.0.0.1:${port}: stop it, or choose another port.\n`,
    )
    first.child.kill('SIGTERM')
    await first.finished
    const noBus = await runCli(['inspect', '--nats', 'nats://127.0.0.1:1', '--timeout', '500'])
    expect(noBus).toMatchObject({ code: 1, stdout: '' })
  })
})

test('demo --inspect waits for a viewer, and shows it the whole story', LONG, async () => {
  const demo = startCli(['demo', '--inspect', '--writes', '500'])
  await demo.until('It begins when you do')
  const [, url = ''] = /inspector: (http:\S+)/.exec(demo.stdout()) ?? []
  const heard = listen(`${url.replace('http', 'ws')}socket`)
  expect((await demo.finished).code).toBe(0)
  const messages = heard.map((text) => JSON.parse(text))
  const roots = messages.filter(({ type, parentId }) => type === '@xstate.actor' && parentId === undefined)
  expect(new Set(roots.map(({ sessionId }) => sessionId))).toEqual(new Set(['n1', 'n2', 'n3']))
  const led = messages.filter(({ event }) => event?.type === 'role' && event.to === 'leader')
  expect(led.length).toBeGreaterThan(0)
})
