// What the benchmark says of those it compares with, without starting them.

import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { lookForEtcd } from '../../bench/peers/find.ts'
import { compared } from '../../bench/peers/measure.ts'
import { eventually } from '../../bench/peers/peer.ts'
import { freePorts } from '../../bench/peers/ports.ts'
import type { Row } from '../../bench/protocol.ts'

const row = (mode: Row['mode'], commitsPerSecond: number, p50ms: number): Row => ({
  ...{ mode, clients: 256, size: 100, members: 3, commitsPerSecond, p50ms, p99ms: 9 },
  ...{ loopP99ms: null, cpuSeconds: null, rssMb: null, shareOfPipe: null, p50OfPipe: null },
})

test('each row says how many commits of Quorate stand against one of it, and how long its median lasts', () => {
  const rows = compared(
    new Map([
      ['remote', row('remote', 50_000, 4)],
      ['etcd', row('etcd', 5000, 40)],
    ] as const),
  )
  expect(rows.map(({ mode, remoteTimes, remoteP50Of }) => [mode, remoteTimes, remoteP50Of])).toEqual([
    ['remote', 1, 1],
    ['etcd', 10, 0.1],
  ])
})

test('what is missing is one sentence that says what to install', () => {
  const found = lookForEtcd(tmpdir())
  expect(typeof found === 'string' ? found : 'found').toMatch(/^(found|.+ was not found: .*install.*\.)$/)
})

test('what is not ready yet is asked again', async () => {
  expect(await eventually('it', async () => 'ready')).toBe('ready')
  let tries = 0
  expect(await eventually('it', async () => (++tries < 2 ? null : tries))).toBe(2)
})

test('ports are different, and free', async () => {
  const ports = await freePorts(6)
  expect(new Set(ports).size).toBe(6)
  const server = createServer().listen(ports[0], '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  server.close()
})
