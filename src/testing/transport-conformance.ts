// What every Transport must do, as cases for any test runner: run them over your own bus to know that it will do.

import assert from 'node:assert/strict'
import type { InboundMessage, SubscribeOptions, Subscription, Transport } from '../transport/transport.ts'

/** Transports on one bus, and the power to cut them all off. */
export interface TransportBed {
  readonly transports: readonly Transport[]
  /** Takes the bus away from all transports. They notice by themselves. */
  interrupt(): Promise<void>
  /** Gives it back. */
  restore(): Promise<void>
  close(): Promise<void>
}

export interface TransportBedOptions {
  /** Largest payload the bus shall take, in bytes. */
  readonly maxPayloadBytes?: number
}

/** Makes a bus of its own with `count` connected transports. */
export type MakeTransports = (count: number, options?: TransportBedOptions) => Promise<TransportBed>

export interface TransportCase {
  readonly name: string
  run(make: MakeTransports): Promise<void>
}

interface Received {
  readonly subject: string
  readonly text: string
  readonly replyTo: string | undefined
  readonly noResponders: boolean
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const bytes = (text: string): Uint8Array => encoder.encode(text)

/** Collects what arrives, and lets a test wait for it. */
class Listener {
  readonly received: Received[] = []
  readonly subscription: Subscription
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = []

  constructor(transport: Transport, subject: string, options?: SubscribeOptions) {
    this.subscription = transport.subscribe(subject, (message) => this.#take(message), options)
  }

  get texts(): string[] {
    return this.received.map(({ text }) => text)
  }

  async until(count: number): Promise<void> {
    if (this.received.length >= count) return
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }))
  }

  #take(message: InboundMessage): void {
    const { subject, replyTo, noResponders } = message
    this.received.push({ subject, text: decoder.decode(message.payload), replyTo, noResponders })
    for (const { count, resolve } of this.#waiting) if (this.received.length >= count) resolve()
  }
}

let fences = 0

/** Resolves when the bus has dealt with everything that `transport` did before, and delivered what was due to it. */
async function fence(transport: Transport): Promise<void> {
  fences += 1
  const subject = `${transport.inbox}.fence${fences}`
  const listener = new Listener(transport, subject)
  assert.equal(transport.publish(subject, bytes('')), true)
  await listener.until(1)
  listener.subscription.unsubscribe()
}

function untilConnected(transport: Transport, connected: boolean): Promise<void> {
  if (transport.status().connected === connected) return Promise.resolve()
  return new Promise((resolve) => {
    const stop = transport.onStatus((status) => {
      if (status.connected !== connected) return
      stop()
      resolve()
    })
  })
}

function one(bed: TransportBed, index: number): Transport {
  const transport = bed.transports[index]
  assert.ok(transport !== undefined, `the bed has no transport ${index}`)
  return transport
}

function define(
  name: string,
  count: number,
  run: (bed: TransportBed) => Promise<void>,
  options?: TransportBedOptions,
): TransportCase {
  return {
    name,
    async run(make) {
      const bed = await make(count, options)
      try {
        await run(bed)
      } finally {
        await bed.close()
      }
    },
  }
}

export const transportConformance: readonly TransportCase[] = [
  define('delivers what one publisher sends in the order it was sent', 2, async (bed) => {
    const [a, b] = [one(bed, 0), one(bed, 1)]
    const listener = new Listener(b, 'order.>')
    await fence(b)
    const sent = Array.from({ length: 500 }, (_, i) => `${i}`)
    for (const text of sent) assert.equal(a.publish(`order.${Number(text) % 3}`, bytes(text)), true)
    await listener.until(sent.length)
    assert.deepEqual(listener.texts, sent)
  }),

  define('delivers after publish has returned, also to the publisher itself', 1, async (bed) => {
    const transport = one(bed, 0)
    const listener = new Listener(transport, 'own')
    transport.publish('own', bytes('x'))
    assert.equal(listener.received.length, 0)
    await listener.until(1)
    assert.deepEqual(listener.received, [
      { subject: 'own', text: 'x', replyTo: undefined, noResponders: false },
    ])
  }),

  define('matches * with one token and > with one or more', 1, async (bed) => {
    const transport = one(bed, 0)
    const star = new Listener(transport, 'w.*.end')
    const rest = new Listener(transport, 'w.>')
    const exact = new Listener(transport, 'w.a.end')
    for (const subject of ['w.a.end', 'w.b.end', 'w.a.b.end', 'w', 'w.a', 'v.a.end']) {
      transport.publish(subject, bytes(subject))
    }
    await fence(transport)
    assert.deepEqual(star.texts, ['w.a.end', 'w.b.end'])
    assert.deepEqual(rest.texts, ['w.a.end', 'w.b.end', 'w.a.b.end', 'w.a'])
    assert.deepEqual(exact.texts, ['w.a.end'])
  }),

  define('gives each message to one member of a queue, and to everybody outside it', 3, async (bed) => {
    const [a, b, c] = [one(bed, 0), one(bed, 1), one(bed, 2)]
    const members = [b, c].map((member) => new Listener(member, 'q.work', { queue: 'workers' }))
    const watcher = new Listener(c, 'q.*')
    await Promise.all([fence(b), fence(c)])
    for (let i = 0; i < 100; i += 1) a.publish('q.work', bytes(`${i}`))
    await watcher.until(100)
    await Promise.all([fence(a), fence(b), fence(c)])
    const shares = members.map((member) => member.received.length)
    assert.equal(
      shares.reduce((sum, share) => sum + share, 0),
      100,
    )
    assert.ok(
      shares.every((share) => share > 0),
      `one member took everything: ${shares}`,
    )
  }),

  define('carries the subject for the answer, and the answer', 2, async (bed) => {
    const [a, b] = [one(bed, 0), one(bed, 1)]
    b.subscribe('ask', ({ payload, replyTo }) => {
      assert.ok(replyTo !== undefined)
      b.publish(replyTo, bytes(`${decoder.decode(payload)}!`))
    })
    const answers = new Listener(a, `${a.inbox}.>`)
    await fence(b)
    a.publish('ask', bytes('hello'), `${a.inbox}.1`)
    await answers.until(1)
    assert.equal(answers.texts[0], 'hello!')
    assert.equal(answers.received[0]?.subject, `${a.inbox}.1`)
    assert.notEqual(a.inbox, b.inbox)
  }),

  define('says at once when nobody listens where an answer is wanted', 1, async (bed) => {
    const transport = one(bed, 0)
    const answers = new Listener(transport, `${transport.inbox}.>`)
    transport.publish('nobody.there', bytes('hello?'), `${transport.inbox}.7`)
    await answers.until(1)
    assert.deepEqual(answers.received, [
      { subject: `${transport.inbox}.7`, text: '', replyTo: undefined, noResponders: true },
    ])
  }),

  define('tells nobody but the asker that nobody listens', 2, async (bed) => {
    const [a, b] = [one(bed, 0), one(bed, 1)]
    const bystander = new Listener(b, 'elsewhere')
    await fence(b)
    a.publish('nobody.there', bytes('hello?'), 'elsewhere')
    a.publish('elsewhere', bytes('after'))
    await bystander.until(1)
    assert.deepEqual(bystander.texts, ['after'])
  }),

  define(
    'takes a payload of exactly the limit and refuses one byte more',
    1,
    async (bed) => {
      const transport = one(bed, 0)
      const { maxPayloadBytes } = transport.status()
      assert.equal(maxPayloadBytes, 65_536)
      const listener = new Listener(transport, 'big')
      assert.equal(transport.publish('big', new Uint8Array(maxPayloadBytes + 1)), false)
      assert.equal(transport.publish('big', new Uint8Array(maxPayloadBytes)), true)
      await listener.until(1)
      assert.equal(listener.received[0]?.text.length, maxPayloadBytes)
      assert.equal(transport.status().connected, true)
    },
    { maxPayloadBytes: 65_536 },
  ),

  define('sends what the payload was at the time, whatever becomes of it', 1, async (bed) => {
    const transport = one(bed, 0)
    const listener = new Listener(transport, 'mine')
    const payload = bytes('before')
    transport.publish('mine', payload)
    payload.fill(0)
    await listener.until(1)
    assert.deepEqual(listener.texts, ['before'])
  }),

  define('refuses subjects that would mean something else on the wire', 1, async (bed) => {
    const transport = one(bed, 0)
    const all = new Listener(transport, '>')
    for (const subject of ['', '.', 'a..b', 'a.', '.a', 'a b', 'a\r\nPUB b', 'a.*', 'a.>', '\t']) {
      assert.equal(transport.publish(subject, bytes('x')), false, JSON.stringify(subject))
      assert.equal(transport.publish('fine', bytes('x'), subject), false, `reply ${JSON.stringify(subject)}`)
    }
    for (const subject of ['', 'a..b', 'a.>.b', 'a b', 'a\nb']) {
      assert.throws(() => transport.subscribe(subject, () => {}), JSON.stringify(subject))
    }
    await fence(transport)
    assert.deepEqual(
      all.received.filter(({ subject }) => !subject.startsWith(transport.inbox)),
      [],
    )
  }),

  define('survives a handler that throws', 1, async (bed) => {
    const transport = one(bed, 0)
    transport.subscribe('bang', () => {
      throw new Error('handler of a conformance case')
    })
    const listener = new Listener(transport, 'bang')
    transport.publish('bang', bytes('1'))
    transport.publish('bang', bytes('2'))
    await listener.until(2)
    assert.deepEqual(listener.texts, ['1', '2'])
  }),

  define('delivers nothing after unsubscribe', 1, async (bed) => {
    const transport = one(bed, 0)
    const listener = new Listener(transport, 'until.now')
    transport.publish('until.now', bytes('1'))
    await listener.until(1)
    transport.publish('until.now', bytes('2'))
    listener.subscription.unsubscribe()
    listener.subscription.unsubscribe()
    transport.publish('until.now', bytes('3'))
    await fence(transport)
    assert.deepEqual(listener.texts, ['1'])
  }),

  define('is silent after close, which may be repeated', 2, async (bed) => {
    const [a, b] = [one(bed, 0), one(bed, 1)]
    const listener = new Listener(b, 'bye')
    await fence(b)
    await b.close()
    await b.close()
    assert.equal(b.status().connected, false)
    assert.equal(b.publish('bye', bytes('x')), false)
    a.publish('bye', bytes('x'))
    await fence(a)
    assert.deepEqual(listener.received, [])
  }),

  define('delivers what was published just before close', 2, async (bed) => {
    const [a, b] = [one(bed, 0), one(bed, 1)]
    const listener = new Listener(b, 'last.words')
    await fence(b)
    a.publish('last.words', bytes('farewell'))
    await a.close()
    await listener.until(1)
    assert.deepEqual(listener.texts, ['farewell'])
  }),

  define('refuses to publish while cut off, and says when', 1, async (bed) => {
    const transport = one(bed, 0)
    const seen: boolean[] = []
    transport.onStatus(({ connected }) => seen.push(connected))
    await bed.interrupt()
    await untilConnected(transport, false)
    assert.equal(transport.publish('lost', bytes('x')), false)
    await bed.restore()
    await untilConnected(transport, true)
    assert.equal(transport.publish('found', bytes('x')), true)
    assert.deepEqual(seen, [false, true])
  }),

  define('has its subscriptions back with the connection, and nothing from meanwhile', 2, async (bed) => {
    const [a, b] = [one(bed, 0), one(bed, 1)]
    const listener = new Listener(b, 'back.>')
    await fence(b)
    a.publish('back.1', bytes('before'))
    await listener.until(1)
    await bed.interrupt()
    await Promise.all([untilConnected(a, false), untilConnected(b, false)])
    a.publish('back.2', bytes('meanwhile'))
    const later = new Listener(b, 'later')
    await bed.restore()
    await Promise.all([untilConnected(a, true), untilConnected(b, true)])
    await fence(b)
    a.publish('back.3', bytes('after'))
    a.publish('later', bytes('subscribed while cut off'))
    await Promise.all([listener.until(2), later.until(1)])
    assert.deepEqual(listener.texts, ['before', 'after'])
  }),
]
