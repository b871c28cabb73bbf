// examples/orders: the leader is killed in mid-payment, by a signal that nobody can hear, and the bank pays once.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { NatsServer } from '../support/nats-server.ts'

test('an order whose leader dies in mid-payment is paid once, and one that nobody pays is forgotten', {
  timeout: 60_000,
}, async () => {
  const server = await NatsServer.start()
  try {
    const run = spawn(process.execPath, ['dist/examples/orders/run.js', server.url])
    const [stdout, stderr, [code]] = await Promise.all([
      text(run.stdout),
      text(run.stderr),
      once(run, 'close'),
    ])
    expect(code, stderr).toBe(0)
    const [first = '', killed, again = '', ...rest] = stdout.trimEnd().split('\n')
    const [, one, two] = [first, first, again].map(
      (line) => /^(n\d) asks the bank to pay 40$/.exec(line)?.[1],
    )
    expect([one, two]).toEqual([expect.stringMatching(/^n/), expect.stringMatching(/^n/)])
    expect(two).not.toBe(one)
    expect(killed).toBe(`${one} is killed: the money has moved, and nobody knows`)
    expect(rest).toEqual([
      'cart-1 is paid: receipt 1 for 40',
      'the bank has moved 40, asked 2 times under 1 key',
      'cart-2 is forgotten',
    ])
  } finally {
    await server.stop()
  }
})
