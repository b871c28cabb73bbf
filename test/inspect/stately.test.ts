// The bridge to the Stately inspector, round trip: real members, the bridge, and the receiver of `@statelyai/inspect` itself.

import { request } from 'node:http'
import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createMachine } from 'xstate'
import { openBridge } from '../../src/inspect/bridge.ts'
import { StatelyStream } from '../../src/inspect/stately-stream.ts'
import { type Inspector, openInspector } from '../../src/inspect.ts'
import { until, World } from '../host/support/world.ts'

const LONG = { timeout: 30_000 }
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function inspected(...ids: string[]) {
  const world = new World(...ids)
  closers.push(() => world[Symbol.asyncDispose]())
  const elected = await world.elect()
  const hosts = [...world.members.values()].map(({ host }) => host)
  const inspector = await openInspector({ hosts })
  closers.push(() => inspector.close())
  return { world, inspector, ...elected }
}

type Of<T extends StatelyInspectionEvent['type']> = Extract<StatelyInspectionEvent, { type: T }>

/** What the package's own receiver gets. */
function received({ socketUrl }: Inspector) {
  const messages: StatelyInspectionEvent[] = []
  createWebSocketReceiver({ server: socketUrl ?? '' }).subscribe((message) => messages.push(message))
  const of = <T extends StatelyInspectionEvent['type']>(type: T): Of<T>[] =>
    messages.filter((message): message is Of<T> => message.type === type)
  return { messages, of }
}

const valueIn = (snapshot: object): unknown => ('value' in snapshot ? snapshot.value : undefined)

describe('a receiver of @statelyai/inspect', () => {
  test('gets each member as a root with its actors as children, and whole definitions', LONG, async () => {
    const { inspector, leader, followers } = await inspected('n1', 'n2', 'n3')
    const { of, messages } = received(inspector)
    const roots = () => of('@xstate.actor').filter(({ parentId }) => parentId === undefined)
    await until(() => roots().length === 3, 'the members')
    expect(
      roots()
        .map(({ sessionId, rootId, name }) => [sessionId, rootId, name])
        .sort(),
    ).toEqual(['n1', 'n2', 'n3'].map((id) => [id, id, id]))
    const children = of('@xstate.actor').filter(({ parentId }) => parentId !== undefined)
    for (const { rootId, parentId, sessionId, name } of children) {
      expect(parentId).toBe(rootId)
      expect(sessionId).toBe(`${parentId}/${name}`)
    }
    const peers = followers.map(({ id }) => `${leader.id}/replicator:${id}`)
    expect(children.map(({ sessionId }) => sessionId)).toEqual(expect.arrayContaining(peers))
    for (const { _version, createdAt, id } of messages)
      expect([_version, /^\d+$/.test(createdAt), id]).toEqual(['0.7.2', true, null])
    for (const { definition, snapshot } of of('@xstate.actor')) {
      if (definition === undefined) continue
      expect(definition).not.toMatch(/"\[(Array|Object|Circular)\]"/)
      const config = JSON.parse(definition)
      // It is a machine, and the state that is told is one of its states.
      const machine = createMachine(config)
      expect(() => machine.resolveState({ value: valueIn(snapshot) as never, context: {} })).not.toThrow()
    }
    const node = JSON.parse(roots()[0]?.definition ?? '')
    expect(
      node.states.active.states.leader.states.transferring.states.told.on['transfer.refused'].target,
    ).toBe('#node.active.leader.serving')
    const [root] = roots().filter(({ sessionId }) => sessionId === leader.id)
    expect(root?.snapshot).toMatchObject({ status: 'active', value: { active: { leader: 'serving' } } })
    expect(root?.snapshot.context).toMatchObject({ role: 'leader', leader: leader.id })
    expect(JSON.stringify(messages)).not.toContain('secret')
  })

  test('gets every change of role of an election in order, and so do those who come late', LONG, async () => {
    const { world, inspector, leader } = await inspected('n1', 'n2', 'n3')
    const { of } = received(inspector)
    await until(() => of('@xstate.actor').length > 20, 'the registrations')
    await world.kill(leader)
    const { leader: next } = await world.leader()
    const values = () =>
      of('@xstate.snapshot').flatMap(({ sessionId, snapshot, event }) =>
        sessionId === next.id && event.type !== 'status' ? [JSON.stringify(valueIn(snapshot))] : [],
      )
    await until(() => values().at(-1) === '{"active":{"leader":"serving"}}', 'the new leader')
    const path = values().slice(values().lastIndexOf('{"active":{"follower":"preVoting"}}'))
    expect(path).toEqual([
      '{"active":{"follower":"preVoting"}}',
      '{"active":{"candidate":"persistingVote"}}',
      '{"active":{"candidate":"requestingVotes"}}',
      expect.stringMatching(/"leader":"(establishing|serving)"/),
      ...(path.length > 4 ? ['{"active":{"leader":"serving"}}'] : []),
    ])
    const events = of('@xstate.event').filter(({ sessionId }) => sessionId === next.id)
    const roles = events.flatMap(({ event }) =>
      event.type === 'role' ? [`${event.to} ${event.reason}`] : [],
    )
    expect(roles.slice(-2)).toEqual(['candidate PRE_VOTE_WON', 'leader ELECTION_WON'])
    const votes = events.filter(({ event }) => event.type === 'vote granted')
    expect(votes.map(({ sourceId }) => sourceId)).toContain(votes[0]?.event.voter)
    const late = received(inspector)
    await until(() => late.of('@xstate.actor').some(({ sessionId }) => sessionId === next.id), 'the late one')
    const known = inspector.models.get('words')?.members.get(next.id)
    await until(
      () => known?.actors.size === late.of('@xstate.actor').filter(({ rootId }) => rootId === next.id).length,
      'all',
    )
    const root = late.of('@xstate.actor').find(({ sessionId }) => sessionId === next.id)
    expect(valueIn(root?.snapshot ?? {})).toEqual({ active: { leader: 'serving' } })
    await until(
      () => inspector.models.get('words')?.members.get(leader.id)?.state === 'ended',
      'the end of the old one',
    )
  })
})

/** The status of an answer, and its body. */
function get(url: string, options: { method?: string; headers?: Record<string, string> } = {}) {
  return new Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }>(
    (resolve, reject) => {
      const asked = request(
        url,
        { method: options.method ?? 'GET', headers: options.headers ?? {} },
        (response) => {
          let body = ''
          response.setEncoding('utf8').on('data', (text: string) => {
            body += text
          })
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
          )
        },
      )
      asked.on('error', reject).end()
    },
  )
}

/** Whether a WebSocket is let in. */
function opens(url: string, origin?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, origin === undefined ? {} : { origin })
    closers.push(() => socket.terminate())
    socket.on('open', () => resolve(true))
    socket.on('error', () => resolve(false))
  })
}

describe('the bridge', () => {
  async function bridge(port = 0) {
    const stream = new StatelyStream(() => 0)
    const opened = await openBridge({ stream, port })
    closers.push(() => opened.close())
    return { ...opened, stream, url: opened.url, socketUrl: opened.socketUrl }
  }

  test('listens on loopback only, below a token that nobody can guess', async () => {
    const [first, second] = [await bridge(), await bridge()]
    expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{24}\/$/)
    expect(new URL(first.url).pathname).not.toBe(new URL(second.url).pathname)
    const { status, body, headers } = await get(first.url)
    expect([status, headers['referrer-policy'], headers['x-content-type-options']]).toEqual([
      200,
      'no-referrer',
      'nosniff',
    ])
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(body).toContain('src="https://stately.ai/inspect"')
    for (const path of [
      '/',
      '/socket',
      '/wrong/',
      `${new URL(first.url).pathname}../`,
      `${new URL(first.url).pathname}etc/passwd`,
    ])
      expect((await get(new URL(path, first.url).href)).status).toBe(404)
    expect((await get(first.url, { method: 'POST' })).status).toBe(405)
  })

  test('lets in its own page and programs, and no page of others', async () => {
    const { url, socketUrl } = await bridge()
    const { origin, port } = new URL(url)
    expect(await opens(socketUrl)).toBe(true)
    expect(await opens(socketUrl, origin)).toBe(true)
    expect(await opens(socketUrl, `http://localhost:${port}`)).toBe(true)
    for (const other of [
      'https://stately.ai',
      'null',
      `http://127.0.0.1:1${port}`,
      `http://evil.test:${port}`,
    ])
      expect(await opens(socketUrl, other)).toBe(false)
    expect(await opens(socketUrl.replace(/\/[\w-]+\/socket$/, '/socket'))).toBe(false)
    expect(await opens(socketUrl.replace(/\/[\w-]+\/socket$/, '/guessed/socket'))).toBe(false)
  })

  test('says in one sentence that a port is in use', async () => {
    const { url } = await bridge()
    const port = Number(new URL(url).port)
    await expect(openBridge({ stream: new StatelyStream(() => 0), port })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `Something else already listens on 127.0.0.1:${port}: stop it, or choose another port.`,
    })
    await expect(
      openBridge({ stream: new StatelyStream(() => 0), port: 0, ui: 'javascript:1' }),
    ).rejects.toMatchObject({
      code: 'INVALID',
    })
  })

  test('has room for so many viewers, and hears nothing from them', async () => {
    const opened = await bridge()
    const all = await Promise.all(Array.from({ length: 32 }, () => opens(opened.socketUrl)))
    expect(all.every((each) => each)).toBe(true)
    expect(await opens(opened.socketUrl)).toBe(false)
  })

  test('cuts off a viewer that does not read, and nobody else', LONG, async () => {
    const { inspector, world } = await inspected('n1')
    const { socketUrl } = inspector
    const deaf = new WebSocket(socketUrl ?? '')
    closers.push(() => deaf.terminate())
    await new Promise((resolve) => deaf.once('open', resolve))
    deaf.pause()
    const { of } = received(inspector)
    await until(() => of('@xstate.actor').length > 0, 'the one that reads')
    const model = inspector.models.get('words')
    const member = model?.members.get('n1')
    if (model === undefined || member === undefined) throw new Error('nothing is seen')
    const event = 'x'.repeat(100)
    const items = Array.from({ length: 1000 }, () => ({ kind: 'event' as const, id: 'n1', event, atMs: 0 }))
    let told = 0
    for (let i = 0; i < 100; i++) {
      const { boot, next } = member
      model.hear({
        v: 1,
        group: 'words',
        node: 'n1',
        boot: boot ?? '',
        seq: next,
        atMs: 0,
        dropped: 0,
        items,
      })
      told += items.length
      await until(() => of('@xstate.event').length >= told, 'the one that reads')
    }
    deaf.resume()
    await new Promise((resolve) =>
      deaf.readyState === WebSocket.CLOSED ? resolve(null) : deaf.once('close', resolve),
    )
    expect(world.members.get('n1')?.node.status().role).toBe('leader')
  })
})

describe('an inspector in the process', () => {
  test('sees members that come and go, and single nodes', LONG, async () => {
    const { world, inspector, leader } = await inspected('n1')
    const model = inspector.models.get('words')
    expect(model?.leader).toBe('n1')
    await world.close(leader)
    await until(() => model?.members.get('n1')?.state === 'ended', 'its end')
    const back = await world.member('n1')
    await world.leader()
    await using single = await openInspector({ nodes: [back.node], port: null })
    expect([single.url, single.socketUrl]).toEqual([null, null])
    expect(single.models.get('words')?.leader).toBe('n1')
    await back.node.apply('word')
    await until(
      () => (single.models.get('words')?.members.get('n1')?.status?.commitIndex ?? 0) > 2,
      'the command',
    )
  })

  test('is refused in a sentence where there is nothing to watch', async () => {
    await expect(openInspector({})).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringMatching(/^Option hosts or nodes: /),
    })
  })
})
