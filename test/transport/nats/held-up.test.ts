// A process that was held up: its timers are due, and the answers lie unread in its socket.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/runtime/clock.ts'
import { silentLogger } from '../../../src/runtime/logger.ts'
import { connectNats } from '../../../src/transport/nats/connect-nats.ts'
import type { RpcOutcome } from '../../../src/transport/rpc/peer-rpc.ts'
import { createPeerRpc } from '../../../src/transport/rpc/rpc-endpoint.ts'
import { encodeResponse } from '../../../src/transport/wire/codec.ts'
import { NatsServer } from '../../support/nats-server.ts'
import { ignoreDrops } from '../support/ignore-drops.ts'

/** Member n2, in a thread of its own: answers once the first thread stands still, and says when the server has it. */
const OTHER_MEMBER = `
const { connect } = require('nats')
const { parentPort, workerData: { url, flags, answer } } = require('node:worker_threads')
const state = new Int32Array(flags)
connect({ servers: url }).then(async (nats) => {
  nats.subscribe('quorate.g.n2.rpc.>', { callback: async (_, message) => {
    parentPort.postMessage('asked')
    Atomics.wait(state, 0, 0) // until the other thread stands still
    message.respond(answer)
    await nats.flush()
    Atomics.store(state, 1, 1)
    Atomics.notify(state, 1)
  } })
  await nats.flush()
  parentPort.postMessage('ready')
})
`

describe('a call', () => {
  test('whose answer lies in the socket when the process wakes up after its time-out is answered', async () => {
    const nats = await NatsServer.start()
    onTestFinished(() => nats.stop())
    const bus = await connectNats({ servers: nats.url, id: 'n1' })
    onTestFinished(() => bus.close())
    const rpc = createPeerRpc({
      ...{ transport: bus, prefix: 'quorate', id: 'n1', clock: systemClock },
      ...{ logger: silentLogger, drops: ignoreDrops },
    })
    onTestFinished(() => rpc.close())
    const flags = new SharedArrayBuffer(8)
    const state = new Int32Array(flags)
    const answer = Uint8Array.from(encodeResponse('n2', 'read_index', { term: 1, index: 7 }))
    const other = new Worker(OTHER_MEMBER, { eval: true, workerData: { url: nats.url, flags, answer } })
    onTestFinished(async () => void (await other.terminate()))
    expect(await once(other, 'message')).toEqual(['ready'])

    const timeoutMs = 1000
    const askedMs = performance.now()
    const outcome = new Promise<RpcOutcome<unknown>>((resolve) =>
      rpc.call('g', 'n2', 'read_index', { term: 1 }, timeoutMs, resolve),
    )
    expect(await once(other, 'message')).toEqual(['asked'])
    Atomics.store(state, 0, 1)
    Atomics.notify(state, 0)
    Atomics.wait(state, 1, 0) // stands still until the answer is with the server
    while (performance.now() < askedMs + timeoutMs + 200); // and until well after the time-out
    expect(await outcome).toEqual({ ok: true, response: { term: 1, index: 7 } })
  })

  test('that nobody answers still times out', async () => {
    const nats = await NatsServer.start()
    onTestFinished(() => nats.stop())
    const bus = await connectNats({ servers: nats.url, id: 'n1' })
    onTestFinished(() => bus.close())
    const rpc = createPeerRpc({
      ...{ transport: bus, prefix: 'quorate', id: 'n1', clock: systemClock },
      ...{ logger: silentLogger, drops: ignoreDrops },
    })
    onTestFinished(() => rpc.close())
    rpc.serve('g', () => {})
    const outcome = await new Promise<RpcOutcome<unknown>>((resolve) =>
      rpc.call('g', 'n1', 'read_index', { term: 1 }, 20, resolve),
    )
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'TIMEOUT' } })
  })
})
