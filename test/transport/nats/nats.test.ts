import { connect } from 'nats'
import { describe, expect, onTestFinished, test } from 'vitest'
import { DropLog } from '../../../src/observability/drop-log.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { silentLogger } from '../../../src/runtime/logger.ts'
import { connectNats, type NatsOptions } from '../../../src/transport/nats/connect-nats.ts'
import { formatPermissions } from '../../../src/transport/permissions.ts'
import type { PeerRpc, RpcOutcome } from '../../../src/transport/rpc/peer-rpc.ts'
import { createPeerRpc } from '../../../src/transport/rpc/rpc-endpoint.ts'
import type { Transport, TransportStatus } from '../../../src/transport/transport.ts'
import { RequestEncoder } from '../../../src/transport/wire/codec.ts'
import { NatsServer } from '../../support/nats-server.ts'
import { MemoryLogger } from '../support/memory-logger.ts'
import { permissionsOf, USERS, type User } from '../support/permission-probes.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function server(config = ''): Promise<NatsServer> {
  const started = await NatsServer.start({ config })
  onTestFinished(() => started.stop())
  return started
}

async function transport(options: NatsOptions): Promise<Transport> {
  const connected = await connectNats(options)
  onTestFinished(() => connected.close())
  return connected
}

function statusOf(bus: Transport, fits: (status: TransportStatus) => boolean): Promise<TransportStatus> {
  return new Promise((resolve) => {
    const stop = bus.onStatus((status) => {
      if (!fits(status)) return
      stop()
      resolve(status)
    })
  })
}

function endpoint(bus: Transport, id: string): { rpc: PeerRpc; drops: DropLog } {
  const drops = new DropLog({ clock: systemClock, logger: silentLogger })
  const rpc = createPeerRpc({
    transport: bus,
    prefix: 'quorate',
    id,
    clock: systemClock,
    logger: silentLogger,
    drops,
  })
  onTestFinished(() => rpc.close())
  return { rpc, drops }
}

const ask = (rpc: PeerRpc, to: string, timeoutMs = 5000): Promise<RpcOutcome<unknown>> =>
  new Promise((resolve) => rpc.call('g', to, 'read_index', { term: 1 }, timeoutMs, resolve))

describe('a connection', () => {
  test('is waited for, and says so, until a server is there', async () => {
    const nats = await server()
    await nats.kill()
    const logger = new MemoryLogger()
    const waiting = transport({ servers: nats.url, id: 'n1', logger })
    const line = await logger.until(({ level }) => level === 'warn')
    expect(line.message).toContain(nats.url)
    await nats.restart()
    const bus = await waiting
    expect(bus.status()).toMatchObject({ connected: true, maxPayloadBytes: 1_048_576 })
  })

  test('is not waited for when that is not wanted', async () => {
    const nats = await server()
    await nats.kill()
    const refused = connectNats({ servers: nats.url, id: 'n1', waitOnFirstConnect: false })
    await expect(refused).rejects.toMatchObject({
      code: 'TRANSPORT',
      message: expect.stringContaining(nats.url),
    })
  })

  test('is given up when the caller does', async () => {
    const nats = await server()
    await nats.kill()
    const abort = new AbortController()
    const logger = new MemoryLogger()
    const waiting = connectNats({ servers: nats.url, id: 'n1', logger, signal: abort.signal })
    await logger.until(({ level }) => level === 'warn')
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('with wrong credentials fails at once, in a sentence', async () => {
    const nats = await server('authorization { user: a, password: b }')
    const refused = connectNats({ servers: nats.url, id: 'n1', user: 'a', pass: 'wrong' })
    await expect(refused).rejects.toMatchObject({
      code: 'TRANSPORT',
      message: expect.stringMatching(/Authorization/i),
    })
    expect((await transport({ servers: nats.url, id: 'n1', user: 'a', pass: 'b' })).status().connected).toBe(
      true,
    )
  })

  test('needs a name and a server', async () => {
    await expect(connectNats({ servers: 'x', id: 'a.b' })).rejects.toMatchObject({ code: 'INVALID' })
    await expect(connectNats({ servers: ' , ', id: 'n1' })).rejects.toMatchObject({ code: 'INVALID' })
    await expect(connectNats({ id: 'n1' })).rejects.toMatchObject({ code: 'INVALID' })
  })

  test('of the host is used and left open', async () => {
    const nats = await server()
    const connection = await connect({ servers: nats.url })
    onTestFinished(() => connection.close())
    const bus = await connectNats({ id: 'n1', connection })
    const heard = new Promise((resolve) => bus.subscribe('hello', resolve))
    expect(bus.publish('hello', bytes('x'))).toBe(true)
    await heard
    await bus.close()
    expect(connection.isClosed()).toBe(false)
    expect(bus.publish('hello', bytes('x'))).toBe(false)
    await connection.flush()
  })

  test('that the host closes is reported as closed for good', async () => {
    const nats = await server()
    const connection = await connect({ servers: nats.url })
    const bus = await transport({ id: 'n1', connection })
    const closed = statusOf(bus, ({ connected }) => !connected)
    await connection.close()
    expect((await closed).detail).toMatch(/closed for good/)
    expect(bus.publish('hello', bytes('x'))).toBe(false)
    bus.subscribe('too.late', () => {})
  })

  test('asks again for a subscription that was refused, when it comes back', async () => {
    const strict =
      'authorization { users: [{ user: u, password: p, permissions: { subscribe: "_INBOX_n1.>" } }] }'
    const nats = await server(strict)
    const logger = new MemoryLogger()
    const bus = await transport({ servers: nats.url, id: 'n1', user: 'u', pass: 'p', logger })
    const heard = new Promise<string>((resolve) => bus.subscribe('news', ({ subject }) => resolve(subject)))
    await logger.until(({ fields }) => fields.operation === 'subscription' && fields.subject === 'news')
    const lost = statusOf(bus, ({ connected }) => !connected)
    await nats.kill()
    await lost
    const back = statusOf(bus, ({ connected }) => connected)
    await nats.restart('authorization { users: [{ user: u, password: p }] }')
    await back
    expect(bus.publish('news', bytes('x'))).toBe(true)
    expect(await heard).toBe('news')
  })

  test('learns the limit of the server it comes back to', async () => {
    const nats = await server('max_payload: 131072')
    const bus = await transport({ servers: nats.url, id: 'n1' })
    const { rpc } = endpoint(bus, 'n1')
    expect(rpc.maxFrameBytes).toBe(131_072 - 8192)
    const lost = statusOf(bus, ({ connected }) => !connected)
    await nats.kill()
    await lost
    const back = statusOf(bus, ({ connected }) => connected)
    await nats.restart('max_payload: 65536')
    expect((await back).maxPayloadBytes).toBe(65_536)
    expect(rpc.maxFrameBytes).toBe(65_536 - 8192)
    expect(bus.publish('big', new Uint8Array(100_000))).toBe(false)
  })
})

describe('calls over NATS', () => {
  test('are answered, or fail at once when nobody listens', async () => {
    const nats = await server()
    const n1 = endpoint(await transport({ servers: nats.url, id: 'n1' }), 'n1')
    const n2bus = await transport({ servers: nats.url, id: 'n2' })
    const n2 = endpoint(n2bus, 'n2')
    n2.rpc.serve('g', (_request, reply) => reply({ ok: true, response: { term: 1, index: 7 } }))
    expect(await ask(n2.rpc, 'n2')).toMatchObject({ ok: true }) // n2's subscription is with the server now
    expect(await ask(n1.rpc, 'n2')).toEqual({ ok: true, response: { term: 1, index: 7 } })
    expect(await ask(n1.rpc, 'n9')).toMatchObject({ ok: false, failure: { code: 'NO_RESPONDERS' } })
  })

  test('under way fail when the server dies, and work again when it is back', async () => {
    const nats = await server()
    const bus = await transport({ servers: nats.url, id: 'n1' })
    const { rpc } = endpoint(bus, 'n1')
    let arrived = (): void => {}
    const handled = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const silent = rpc.serve('g', arrived)
    const outcome = ask(rpc, 'n1', 60_000)
    await handled
    silent.stop()
    await nats.kill()
    expect(await outcome).toMatchObject({ ok: false, failure: { code: 'BUS_DOWN' } })
    expect(await ask(rpc, 'n1')).toMatchObject({ ok: false, failure: { code: 'BUS_DOWN' } })
    const back = statusOf(bus, ({ connected }) => connected)
    await nats.restart()
    await back
    rpc.serve('g', (_request, reply) => reply({ ok: true, response: { term: 1, index: 7 } }))
    expect(await ask(rpc, 'n1')).toMatchObject({ ok: true })
  })
})

describe('with the permissions that are generated', () => {
  const user = (name: User): string =>
    `{ user: ${name}, password: secret\n${formatPermissions(permissionsOf(name), '  ')} }`
  const config = `authorization { users: [\n${USERS.map(user).join('\n')}\n] }`

  async function members() {
    const nats = await server(config)
    const join = async (id: string) => {
      const logger = new MemoryLogger()
      const bus = await transport({ servers: nats.url, id, user: id, pass: 'secret', logger })
      return { bus, logger }
    }
    return { n1: await join('n1'), n2: await join('n2'), app: await join('app'), ops: await join('ops') }
  }

  /** What was subscribed before is with the server. */
  const ready = (bus: Transport): Promise<void> =>
    new Promise((resolve) => {
      bus.subscribe(`${bus.inbox}.fence.1`, () => resolve())
      bus.publish(`${bus.inbox}.fence.1`, bytes('x'))
    })

  test('members can talk to each other', async () => {
    const { n1, n2 } = await members()
    const caller = endpoint(n1.bus, 'n1')
    const server = endpoint(n2.bus, 'n2')
    server.rpc.serve('g', (_request, reply) => reply({ ok: true, response: { term: 1, index: 7 } }))
    await ready(n2.bus)
    expect(await ask(caller.rpc, 'n2')).toMatchObject({ ok: true })
    expect([...n1.logger.lines, ...n2.logger.lines].filter(({ level }) => level === 'warn')).toEqual([])
  })

  test('nobody can speak in the name of a member, or listen in', async () => {
    const { n1, n2, app, ops } = await members()
    const { rpc, drops } = endpoint(n2.bus, 'n2')
    rpc.serve('g', () => expect.unreachable())
    const body = new RequestEncoder('n3').encode('timeout_now', { term: 9, oldLeaderSteppedDown: true })
    const forbidden = 'quorate.g.n2.rpc.n3.timeout_now'
    for (const { bus, logger } of [n1, app, ops]) {
      expect(bus.publish(forbidden, body)).toBe(true)
      const line = await logger.until(({ fields }) => fields.subject === forbidden)
      expect(line).toMatchObject({ level: 'warn', fields: { operation: 'publish' } })
    }
    n1.bus.subscribe('quorate.*.n2.rpc.>', () => expect.unreachable())
    await n1.logger.until(({ fields }) => fields.operation === 'subscription')
    n1.bus.publish(`${n2.bus.inbox}.1`, body)
    await n1.logger.until(({ fields }) => fields.subject === `${n2.bus.inbox}.1`)
    expect(drops.total).toBe(0)
  })

  test('the leader answers an application, and any member an operator', async () => {
    const { n1, app, ops } = await members()
    const echo = (bus: Transport) => (message: { replyTo: string | undefined; payload: Uint8Array }) => {
      if (message.replyTo !== undefined) bus.publish(message.replyTo, message.payload)
    }
    n1.bus.subscribe('quorate.g.leader.*', echo(n1.bus), { queue: 'leaders' })
    n1.bus.subscribe('quorate.g.members.*', echo(n1.bus))
    n1.bus.subscribe('quorate.g.n1.admin.>', echo(n1.bus), { queue: 'q' })
    await ready(n1.bus)
    const answerTo = (bus: Transport, subject: string): Promise<string> =>
      new Promise((resolve) => {
        bus.subscribe(`${bus.inbox}.>`, ({ payload, noResponders }) => {
          resolve(noResponders ? 'nobody' : new TextDecoder().decode(payload))
        })
        bus.publish(subject, bytes('hello'), `${bus.inbox}.asked.1`)
      })
    expect(await answerTo(app.bus, 'quorate.g.leader.apply')).toBe('hello')
    expect(await answerTo(app.bus, 'quorate.g.members.read')).toBe('hello')
    expect(await answerTo(ops.bus, 'quorate.g.members.status')).toBe('hello')
    expect(await answerTo(ops.bus, 'quorate.g.n1.admin.status')).toBe('hello')
    // As a member does before it starts: is somebody here already?
    expect(await answerTo(n1.bus, 'quorate.g.n1.admin.status')).toBe('hello')
  })
})
