// The page's server, as a browser meets it: what a viewer is told, who is let in, and what a viewer can cost.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { GroupModel } from '../../src/client/watch/group-model.ts'
import type { PageMessage } from '../../src/page/page-protocol.ts'
import { GroupStream } from '../../src/page/server/group-stream.ts'
import { openPage } from '../../src/page/server/open-page.ts'
import { replaySource } from '../../src/page/server/replay-source.ts'
import type { PageSource } from '../../src/page/server/source.ts'
import type { FeedItem } from '../../src/protocol/feed-protocol.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { batchOf, pictureOf, statusOf } from './support/feed.ts'

const proposed = (count: number): FeedItem => ({ kind: 'counts', id: 'n1', events: { propose: count } })

function modelWith(...ids: readonly string[]): GroupModel {
  const model = new GroupModel('g', () => 1000)
  for (const id of ids) model.show(pictureOf(id, { charts: { node: '{"states":{}}' } }))
  return model
}

function sourceWith(model: GroupModel, fields: Partial<PageSource> = {}): PageSource {
  return {
    ...{ kind: 'bus', group: 'g', keeps: true },
    watch: (group) => (group === 'g' ? { model, close: () => {} } : undefined),
    ...fields,
  }
}

async function serve(source: PageSource) {
  const page = await openPage({ source, port: 0 })
  onTestFinished(() => page.close())
  return page
}

/** Reads a stream until it is cut. */
function follow(url: string) {
  const messages: PageMessage[] = []
  const state = { messages, status: 0, text: '', hasEnded: false }
  const asked = request(url, (answer) => {
    state.status = answer.statusCode ?? 0
    answer.setEncoding('utf8')
    answer.on('data', (chunk: string) => {
      state.text += chunk
      const lines = state.text.split('\n\n')
      state.text = lines.pop() ?? ''
      for (const line of lines) if (line.startsWith('data: ')) messages.push(JSON.parse(line.slice(6)))
    })
    answer.on('close', () => {
      state.hasEnded = true
    })
  })
  asked.on('error', () => {
    state.hasEnded = true
  })
  asked.end()
  onTestFinished(() => void asked.destroy())
  return Object.assign(state, { leave: () => asked.destroy() })
}

const kinds = (messages: readonly PageMessage[]) => messages.map(({ kind }) => kind)

describe('a group as a stream', () => {
  test('begins with all there is, and a model made of it is the same', () => {
    const model = modelWith('n1', 'n2')
    const stream = new GroupStream(model, systemClock)
    model.hear(batchOf('n1', 0, { kind: 'status', status: statusOf({ term: 7 }), atMs: 5 }))
    const told = stream.opening()
    expect(kinds(told)).toEqual(['past', 'charts', 'picture', 'member', 'picture', 'member', 'problem'])
    expect(told.find(({ kind }) => kind === 'picture')).toMatchObject({
      picture: { node: 'n1', seq: 1, status: { term: 7 } },
    })
    stream.close()
  })

  test('goes on with each item once, gathered, and numbered without a gap but where something was missed', async () => {
    const model = modelWith('n1')
    const stream = new GroupStream(model, systemClock)
    const mirror = new GroupModel('g', () => 1000)
    for (const message of stream.opening()) if (message.kind === 'picture') mirror.show(message.picture)
    const batches: number[] = []
    stream.listen((message, json) => {
      expect(JSON.parse(json)).toEqual(message)
      if (message.kind === 'picture') mirror.show(message.picture)
      if (message.kind !== 'batch') return
      batches.push(message.batch.items.length)
      mirror.hear(message.batch)
    })
    for (let at = 0; at < 10; at++) model.hear(batchOf('n1', at, proposed(1)))
    await vi.waitFor(() => expect(batches).toEqual([10]))
    model.hear(batchOf('n1', 15, proposed(1)))
    await vi.waitFor(() => expect(batches).toEqual([10, 1]))
    const member = mirror.members.get('n1')
    expect([member?.actors.get('n1')?.events.get('propose'), member?.missed]).toEqual([11, 5])
    expect(mirror.timeline.entries).toMatchObject([{ kind: 'gap', items: 5 }])
    // A viewer that comes now starts where these have got to.
    const late = new GroupModel('g', () => 1000)
    for (const message of stream.opening()) if (message.kind === 'picture') late.show(message.picture)
    model.hear(batchOf('n1', 16, proposed(1)))
    await vi.waitFor(() => expect(member?.actors.get('n1')?.events.get('propose')).toBe(12))
    expect(late.members.get('n1')?.next).toBe(16)
    stream.close()
  })
})

describe('the page', () => {
  test('is served below its token alone, to this machine alone', async () => {
    const { url } = await serve(sourceWith(modelWith('n1')))
    const html = await fetch(url)
    expect(html.status).toBe(200)
    expect(html.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await html.text()).toContain('page.js')
    expect((await fetch(new URL('page.js', url))).status).toBe(200)
    const { origin } = new URL(url)
    expect((await fetch(`${origin}/`)).status).toBe(404)
    expect((await fetch(`${origin}/wrong/stream`)).status).toBe(404)
    expect((await fetch(`${url}../../package.json`)).status).toBe(404)
    // A name from elsewhere that leads here.
    const { port, pathname } = new URL(url)
    const status = await new Promise<number>((resolve) => {
      request({ port, path: pathname, headers: { host: 'evil.example' } }, (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      }).end()
    })
    expect(status).toBe(404)
  })

  test('tells a viewer what is there and what follows; one that comes back is told all again', async () => {
    const model = modelWith('n1')
    const { url } = await serve(sourceWith(model))
    const first = follow(`${url}stream`)
    await vi.waitFor(() => expect(kinds(first.messages)).toContain('problem'))
    expect(first.messages[0]).toMatchObject({ kind: 'hello', source: 'bus', group: 'g', actions: [] })
    model.setProblem('The bus is gone: away')
    model.show(pictureOf('n2'))
    await vi.waitFor(() =>
      expect(first.messages).toContainEqual({ kind: 'problem', problem: 'The bus is gone: away' }),
    )
    first.leave()
    const again = follow(`${url}stream?group=g`)
    await vi.waitFor(() => expect(kinds(again.messages).filter((kind) => kind === 'picture')).toHaveLength(2))
  })

  test('says what is wrong with a name, or that there is no such group', async () => {
    const { url } = await serve(sourceWith(modelWith('n1')))
    const bad = await fetch(`${url}stream?group=a.b`)
    expect([bad.status, await bad.text()]).toEqual([400, 'That is no name of a group.\n'])
    const absent = follow(`${url}stream?group=other`)
    await vi.waitFor(() =>
      expect(absent.messages.at(-1)).toEqual({ kind: 'problem', problem: 'There is no group other here.' }),
    )
  })

  test('lets a list be chosen from when there are several groups', async () => {
    const groups = ['a', 'b'].map((group) => ({
      group,
      members: 3,
      leader: null,
      term: 1,
      commitIndex: 1,
      lag: 0,
    }))
    const { url } = await serve(sourceWith(modelWith('n1'), { group: null, groups: async () => groups }))
    const viewer = follow(`${url}stream`)
    await vi.waitFor(() => expect(viewer.messages).toContainEqual({ kind: 'groups', groups }))
    expect(viewer.messages).toContainEqual(expect.objectContaining({ kind: 'hello', group: '' }))
  })

  test('cuts off a viewer that does not read, and holds no more than so many', {
    timeout: 30_000,
  }, async () => {
    const model = modelWith('n1')
    const page = await serve(sourceWith(model))
    const { port, pathname } = new URL(page.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.pause()
    socket.on('error', () => {})
    onTestFinished(() => void socket.destroy())
    socket.write(`GET ${pathname}stream HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await vi.waitFor(() => expect(page.viewers).toBe(1))
    const error = 'x'.repeat(1000)
    let seq = 0
    await vi.waitFor(
      () => {
        const items = Array.from(
          { length: 900 },
          (): FeedItem => ({ kind: 'status', status: statusOf({ error }), atMs: 5 }),
        )
        model.hear(batchOf('n1', seq, ...items))
        seq += items.length
        expect(page.viewers).toBe(0)
      },
      { timeout: 20_000, interval: 60 },
    )
    const viewers = Array.from({ length: 32 }, () => follow(`${page.url}stream`))
    await vi.waitFor(() => expect(page.viewers).toBe(32))
    expect((await fetch(`${page.url}stream`)).status).toBe(503)
    viewers[0]?.leave()
    await vi.waitFor(() => expect(page.viewers).toBe(31))
  })
})

describe('the stage', () => {
  const done: string[] = []
  const stage: NonNullable<PageSource['stage']> = {
    ...{ actions: ['crash'], members: [{ id: 'n1', state: 'running', isCut: false }] },
    notes: [{ kind: 'note', text: 'It begins.', tone: 'step', atMs: 1 }],
    act: async ({ action, member }) => {
      if (member !== 'n1') return `There is no member ${member}.`
      done.push(action)
      return null
    },
    on: () => () => {},
  }
  const post = (url: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${url}control`, { method: 'POST', body, headers })

  test('does what the page asks for, and nothing else', async () => {
    const { url } = await serve(sourceWith(modelWith('n1'), { kind: 'demo', stage }))
    expect((await post(url, '{"action":"crash","member":"n1"}')).status).toBe(204)
    expect(done).toEqual(['crash'])
    const absent = await post(url, '{"action":"crash","member":"n9"}')
    expect([absent.status, await absent.text()]).toEqual([409, 'There is no member n9.\n'])
    for (const body of ['', '{', '{"action":"fly","member":"n1"}', '{"action":"crash","member":"a b"}'])
      expect((await post(url, body)).status).toBe(400)
    expect((await post(url, 'x'.repeat(5000))).status).toBe(413)
    expect(
      (await post(url, '{"action":"crash","member":"n1"}', { origin: 'https://evil.example' })).status,
    ).toBe(403)
    expect((await fetch(`${url}control`)).status).toBe(405)
    expect(done).toEqual(['crash'])
    const viewer = follow(`${url}stream`)
    await vi.waitFor(() =>
      expect(kinds(viewer.messages)).toEqual(expect.arrayContaining(['hello', 'note', 'stage'])),
    )
  })

  test('is not there for a group on the bus', async () => {
    const { url } = await serve(sourceWith(modelWith('n1')))
    expect((await post(url, '{"action":"crash","member":"n1"}')).status).toBe(404)
  })
})

describe('a recording', () => {
  test('is read line by line; a file that is none is refused in a sentence', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'quorate-replay-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'run.ndjson')
    const frame = '{"atMs":1,"message":{"kind":"note","text":"a","tone":"step","atMs":1}}'
    writeFileSync(file, `{"quorate":"replay","v":1,"title":"Seed 1"}\n${frame}\nrubbish\n${frame}\n`)
    const { url } = await serve(await replaySource(file))
    expect(await (await fetch(`${url}replay`)).text()).toBe(`${frame}\n${frame}\n`)
    const viewer = follow(`${url}stream`)
    await vi.waitFor(() =>
      expect(viewer.messages[0]).toMatchObject({ kind: 'hello', source: 'replay', title: 'Seed 1' }),
    )
    writeFileSync(file, 'Dear diary\n')
    await expect(replaySource(file)).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringContaining('is no recorded simulation'),
    })
    await expect(replaySource(join(directory, 'no'))).rejects.toMatchObject({ code: 'INVALID' })
  })
})
