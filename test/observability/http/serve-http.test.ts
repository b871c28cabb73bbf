// The HTTP door against a real host: what it answers, what it refuses, and whom it does not let in.

import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { serveHttp } from '../../../src/observability/http/serve-http.ts'
import { watchedHost } from '../support.ts'

const PATHS = ['/', '/status', '/raft_stat', '/raft_stat/demo', '/livez', '/readyz', '/metrics']

/** `fetch` says its own `Host`. */
function statusFor(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

/** Everything that comes until the other side ends. */
function raw(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = ''
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk) => {
      heard += chunk.toString()
    })
    socket.on('close', () => resolve(heard))
    socket.on('error', reject)
  })
}

describe('what is answered', () => {
  it('is there at every path, closed to scripts and frames, by GET and by HEAD alike', async () => {
    await using watched = await watchedHost()
    for (const path of PATHS) {
      const got = await watched.get(path)
      const head = await watched.get(path, { method: 'HEAD' })
      expect([path, got.status, head.status]).toEqual([path, 200, 200])
      expect((await got.text()).length, path).toBeGreaterThan(0)
      expect(await head.text()).toBe('')
      expect(got.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(got.headers.get('x-content-type-options')).toBe('nosniff')
      expect(got.headers.get('cache-control')).toBe('no-store')
      expect(got.headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  it('is the status of every group as JSON', async () => {
    await using watched = await watchedHost()
    const schema = z.object({
      id: z.literal('n1'),
      groups: z.array(z.object({ group: z.string(), role: z.string(), commitIndex: z.number() })),
    })
    const { groups } = schema.parse(await (await watched.get('/status')).json())
    expect(groups).toMatchObject([{ group: 'demo', role: 'leader' }])
  })

  it("is in braft's words at /raft_stat, of all groups or of one", async () => {
    await using watched = await watchedHost()
    const all = await (await watched.get('/raft_stat')).text()
    const one = await (await watched.get('/raft_stat/demo')).text()
    expect(one.split('\n')[0]).toBe('[demo]')
    for (const field of [
      'peer_id: n1',
      'state: LEADER',
      'changing_conf: NO stage: STAGE_NONE',
      'last_committed_index: ',
    ])
      expect(
        [all, one].every((text) => text.includes(field)),
        field,
      ).toBe(true)
    expect(await (await watched.get('/raft_stat/other')).text()).toBe('This host carries no group other.\n')
  })

  it('tells why it is not ready, though it is alive', async () => {
    await using watched = await watchedHost(['n1', 'n2', 'n3'])
    const ready = await watched.get('/readyz')
    expect([ready.status, await ready.text()]).toEqual([503, 'Group demo knows no leader here.\n'])
    expect((await watched.get('/livez')).status).toBe(200)
  })
})

describe('what is refused', () => {
  it('is other methods, unknown paths and bodies, each with a sentence', async () => {
    await using watched = await watchedHost()
    const post = await watched.get('/status', { method: 'POST', body: 'x' })
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    for (const path of [
      '/nothing',
      '/raft_stat/a/b',
      '/raft_stat/%00',
      '/../../etc/passwd',
      '//',
      '/status/',
    ])
      expect([path, (await watched.get(path)).status]).toEqual([path, 404])
    expect(
      await raw(watched.http.url, 'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n'),
    ).toContain('413')
  })

  it('is a page from elsewhere whose name was made to lead here', async () => {
    await using watched = await watchedHost()
    const { url } = watched.http
    expect(await statusFor(`${url}/status`, 'evil.example:80')).toBe(403)
    expect(await statusFor(`${url}/status`, 'localhost:1')).toBe(200)
    expect(await statusFor(`${url}/status`, '[::1]:1')).toBe(200)
  })

  it('is what is no HTTP, and what has too much of it', async () => {
    await using watched = await watchedHost()
    expect(await raw(watched.http.url, '\u0000\u0001garbage\r\n\r\n')).toBe('')
    expect(
      await raw(watched.http.url, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9000)}\r\n\r\n`),
    ).toBe('')
    expect((await watched.get('/livez')).status).toBe(200)
  })

  it('is more connections than there is room for, and the door still closes', {
    timeout: 60_000,
  }, async () => {
    const watched = await watchedHost()
    const port = Number(new URL(watched.http.url).port)
    const ends: Promise<void>[] = []
    const fates = Array.from({ length: 80 }, () => {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      )
      socket.on('error', () => {})
      const end = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      ends.push(end)
      return new Promise<'answered' | 'refused'>((resolve) => {
        socket.once('data', () => resolve('answered'))
        void end.then(() => resolve('refused'))
      })
    })
    const answered = (await Promise.all(fates)).filter((fate) => fate === 'answered')
    expect(answered.length).toBeGreaterThan(0)
    expect(answered.length).toBeLessThanOrEqual(64)
    await watched[Symbol.asyncDispose]()
    await Promise.all(ends)
  })
})

describe('an address', () => {
  it('that is taken, or that is none here, is told in one sentence', async () => {
    await using watched = await watchedHost()
    const port = Number(new URL(watched.http.url).port)
    await expect(serveHttp(watched.host, { port })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `Something else already listens on 127.0.0.1:${port}: stop it, or choose another port.`,
    })
    await expect(serveHttp(watched.host, { host: '203.0.113.7', port: 0 })).rejects.toMatchObject({
      code: 'INVALID',
      message: 'Cannot listen on 203.0.113.7:0: this machine has no such address.',
    })
    await expect(serveHttp(watched.host, { port: 70_000 })).rejects.toMatchObject({ code: 'INVALID' })
  })
})

it('asks the host once for all who ask at the same time', async () => {
  let asked = 0
  await using watched = await watchedHost()
  const counting = {
    figures: () => {
      asked++
      return watched.host.figures()
    },
  }
  await using http = await serveHttp(counting, { port: 0 })
  await Promise.all(Array.from({ length: 40 }, () => fetch(`${http.url}/status`)))
  expect(asked).toBeLessThan(10)
})
