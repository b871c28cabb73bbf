import { describe, expect, it } from 'vitest'
import type { LossReason } from '../../../src/simulation/bus/link.ts'
import type { BusMessage } from '../../../src/simulation/bus/sim-bus.ts'
import type { InboundMessage, Transport } from '../../../src/transport/transport.ts'
import { World } from '../support/world.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (message: InboundMessage): string => new TextDecoder().decode(message.payload)

/** Collects the texts that arrive. */
function listen(transport: Transport, subject: string, queue?: string): string[] {
  const texts: string[] = []
  transport.subscribe(
    subject,
    (message) => texts.push(message.noResponders ? 'NO RESPONDERS' : textOf(message)),
    queue === undefined ? {} : { queue },
  )
  return texts
}

const rpc = (to: string, from: string, method: string): string => `quorate.g.${to}.rpc.${from}.${method}`

/** Two members, B listening for its requests and answering them with "re: …". */
function pair(world: World) {
  const a = world.bus.connect(world.process('A'))
  const b = world.bus.connect(world.process('B'))
  const requests: string[] = []
  b.subscribe('quorate.g.B.rpc.*.*', (message) => {
    requests.push(textOf(message))
    if (message.replyTo !== undefined) b.publish(message.replyTo, bytes(`re: ${textOf(message)}`))
  })
  const replies = listen(a, `${a.inbox}.*`)
  let token = 0
  const ask = (method: string, text: string): boolean =>
    a.publish(rpc('B', 'A', method), bytes(text), `${a.inbox}.${token++}`)
  return { a, b, requests, replies, ask }
}

describe('delivery', () => {
  it('carries requests and replies, with wildcards', () => {
    const world = new World()
    const { requests, replies, ask } = pair(world)
    const everything = listen(world.bus.connect(world.process('C')), 'quorate.>')
    ask('append_entries', 'one')
    world.run(50)
    expect({ requests, replies, everything }).toEqual({
      requests: ['one'],
      replies: ['re: one'],
      everything: ['one'],
    })
  })

  it('keeps the order of one publisher to one subscription', () => {
    const world = new World(4, { link: { latency: { shape: 'uniform', minMs: 0, maxMs: 100 } } })
    const { a, requests } = pair(world)
    for (let i = 0; i < 100; i++) a.publish(rpc('B', 'A', 'heartbeat'), bytes(String(i)))
    world.run(1000)
    expect(requests).toEqual(Array.from({ length: 100 }, (_, i) => String(i)))
  })

  it('hands over a view that is only good during the call', () => {
    const world = new World()
    const { a, b } = pair(world)
    let kept: Uint8Array = new Uint8Array()
    b.subscribe('x', (message) => {
      kept = message.payload
      expect(textOf(message)).toBe('hello')
    })
    const payload = bytes('hello')
    a.publish('x', payload)
    payload.fill(0)
    world.run(10)
    expect([...kept]).not.toEqual([...bytes('hello')])
  })

  it('answers at once that nobody listens, and nothing to a notification', () => {
    const world = new World()
    const { a, replies } = pair(world)
    expect(a.publish('nobody.home', bytes('x'), `${a.inbox}.9`)).toBe(true)
    a.publish('nobody.home', bytes('x'))
    world.run(10)
    expect(replies).toEqual(['NO RESPONDERS'])
  })

  it('gives a queue message to one member', () => {
    const world = new World()
    const { a, b } = pair(world)
    const first = listen(a, 'work', 'q')
    const second = listen(b, 'work', 'q')
    for (let i = 0; i < 40; i++) a.publish('work', bytes('job'))
    world.run(50)
    expect(first.length + second.length).toBe(40)
    expect(Math.min(first.length, second.length)).toBeGreaterThan(5)
  })

  it('refuses what is too large, and subjects that are none', () => {
    const world = new World(1, { maxPayloadBytes: 10 })
    const { a } = pair(world)
    expect(a.publish('x', new Uint8Array(10))).toBe(true)
    expect(a.publish('x', new Uint8Array(11))).toBe(false)
    for (const subject of ['', 'a..b', 'a.*', 'a.>', 'a b']) expect(a.publish(subject, bytes(''))).toBe(false)
    expect(() => a.subscribe('a.>.b', () => {})).toThrow(TypeError)
  })
})

describe('links', () => {
  it('a cut loses what is sent and what is on its way; healing brings nothing back', () => {
    const world = new World(1, { link: { latency: { shape: 'constant', ms: 10 } } })
    const { requests, ask } = pair(world)
    ask('heartbeat', 'on its way')
    world.run(5)
    world.bus.block('A', 'B')
    ask('heartbeat', 'during')
    world.run(50)
    world.bus.unblock('A', 'B')
    world.run(50)
    ask('heartbeat', 'after')
    world.run(50)
    expect(requests).toEqual(['after'])
    expect(world.bus.lost().get('blocked')).toBe(2)
  })

  it('a one-way cut loses only the answers', () => {
    const world = new World()
    const { requests, replies, ask } = pair(world)
    world.bus.block('B', 'A')
    ask('heartbeat', 'x')
    world.run(50)
    expect([requests, replies]).toEqual([['x'], []])
  })

  it('overlapping cuts end one by one', () => {
    const world = new World()
    const { requests, ask } = pair(world)
    world.bus.block('A', 'B')
    world.bus.block('A', 'B')
    world.bus.unblock('A', 'B')
    ask('heartbeat', 'lost')
    world.run(10)
    world.bus.heal()
    ask('heartbeat', 'through')
    world.run(10)
    expect(requests).toEqual(['through'])
  })

  it('a filter stops one kind of message, or only its answers', () => {
    const world = new World()
    const { requests, replies, ask } = pair(world)
    world.bus.setLink('A', 'B', { filter: ['append'] })
    world.bus.setLink('B', 'A', { filter: ['voteAck'] })
    for (const method of ['append_entries', 'heartbeat', 'request_vote', 'pre_vote']) ask(method, method)
    world.run(50)
    expect(requests).toEqual(['heartbeat', 'request_vote', 'pre_vote'])
    expect(replies).toEqual(['re: heartbeat', 're: pre_vote'])
  })

  it('a clogged link lets everything go at once, in order, before what is sent later', () => {
    const world = new World(2, { link: { latency: { shape: 'uniform', minMs: 0, maxMs: 20 } } })
    const { requests, ask } = pair(world)
    world.bus.stop('A', 'B')
    for (const text of ['1', '2', '3']) ask('heartbeat', text)
    world.run(100)
    expect(requests).toEqual([])
    world.bus.open('A', 'B')
    ask('heartbeat', '4')
    world.run(100)
    expect(requests).toEqual(['1', '2', '3', '4'])
  })

  it('a full clogged link drops what its settings say', () => {
    const world = new World()
    const { requests, ask } = pair(world)
    world.bus.setLink('A', 'B', { maxQueuedMessages: 2, overflow: 'oldest' })
    world.bus.stop('A', 'B')
    for (const text of ['1', '2', '3']) ask('heartbeat', text)
    world.bus.open('A', 'B')
    world.run(100)
    expect(requests).toEqual(['2', '3'])
  })

  it('bandwidth spreads messages over time', () => {
    const world = new World(1, { link: { bandwidthBytesPerMs: 1, latency: { shape: 'constant', ms: 0 } } })
    const { a, requests } = pair(world)
    for (let i = 0; i < 4; i++) a.publish(rpc('B', 'A', 'heartbeat'), new Uint8Array(100))
    world.run(250)
    expect(requests.length).toBe(2)
  })

  it('drops, duplicates and reorders as often as it is told', () => {
    const world = new World(5)
    const { a, requests } = pair(world)
    const send = (count: number): string[] => {
      requests.length = 0
      for (let i = 0; i < count; i++) a.publish(rpc('B', 'A', 'heartbeat'), bytes(String(i)))
      world.run(10_000)
      return [...requests]
    }
    world.bus.setLink('A', 'B', { dropRate: 0.5 })
    expect(Math.abs(send(400).length - 200)).toBeLessThan(60)
    world.bus.setLink('A', 'B', { dropRate: 0, duplicateRate: 0.5 })
    expect(Math.abs(send(400).length - 600)).toBeLessThan(60)
    world.bus.setLink('A', 'B', { duplicateRate: 0, reorderRate: 0.5 })
    const reordered = send(100)
    expect(reordered.length).toBe(100)
    expect(reordered).not.toEqual([...reordered].sort((x, y) => Number(x) - Number(y)))
  })

  it('sends damaged copies besides the real message', () => {
    const world = new World()
    const { requests, ask } = pair(world)
    world.bus.setLink('A', 'B', { damageRate: 1 })
    ask('heartbeat', 'a long enough message')
    world.run(50)
    expect(requests).toHaveLength(2)
    expect(requests).toContain('a long enough message')
    expect(requests.every((text) => 'a long enough message'.startsWith(text))).toBe(true)
  })

  it('a late copy meets the next life of the receiver', () => {
    const world = new World(1, { link: { latency: { shape: 'constant', ms: 1 } } })
    const a = world.bus.connect(world.process('A'))
    const first = world.process('B')
    const before = listen(world.bus.connect(first), 'quorate.g.B.rpc.*.*')
    const hold = world.bus.hold({ kind: 'timeoutNow' })
    a.publish(rpc('B', 'A', 'timeout_now'), bytes('go'))
    first.kill('crash')
    const after = listen(world.bus.connect(world.process('B')), 'quorate.g.B.rpc.*.*')
    const bystander = listen(world.bus.connect(world.process('C')), 'quorate.>')
    hold.replay()
    hold.replay(0)
    world.run(10)
    expect([before, after, bystander]).toEqual([[], ['go', 'go'], []])
  })
})

describe('holds', () => {
  it('catch by kind and direction, release, drop and end', () => {
    const world = new World()
    const { requests, replies, ask } = pair(world)
    const hold = world.bus.hold({ kind: ['vote', 'append'], from: 'A', to: 'B' })
    for (const [method, text] of [
      ['request_vote', 'v'],
      ['append_entries', 'a1'],
      ['append_entries', 'a2'],
      ['append_entries', 'a3'],
      ['heartbeat', 'h'],
    ] as const)
      ask(method, text)
    world.run(50)
    expect(requests).toEqual(['h'])
    expect(hold.messages.map(({ kind, from, to, group }) => [kind, from, to, group].join(' '))).toEqual([
      'vote A B g',
      'append A B g',
      'append A B g',
      'append A B g',
    ])
    hold.release(1)
    hold.drop(1)
    world.run(50)
    expect(requests).toEqual(['h', 'v'])
    hold.release()
    ask('append_entries', 'a4')
    world.run(50)
    expect(requests.slice(2).sort()).toEqual(['a2', 'a3', 'a4'])
    expect(hold.caught).toHaveLength(4)
    expect(replies).toContain('re: a2')
    expect(() => hold.replay(7)).toThrow(RangeError)
  })

  it('know the kind of a reply', () => {
    const world = new World()
    const { replies, ask } = pair(world)
    const hold = world.bus.hold({ kind: 'appendAck', from: 'B' })
    ask('append_entries', 'x')
    ask('heartbeat', 'y')
    world.run(50)
    expect(replies).toEqual(['re: y'])
    hold.release()
    world.run(50)
    expect(replies).toEqual(['re: y', 're: x'])
  })
})

describe('connections', () => {
  it('a disconnected endpoint publishes into the void until it notices, and misses everything', () => {
    const world = new World()
    const { a, b, requests, replies, ask } = pair(world)
    const seen: boolean[] = []
    b.onStatus(({ connected }) => seen.push(connected))
    b.disconnect(20)
    expect(b.publish('x', bytes(''))).toBe(true)
    ask('heartbeat', 'missed')
    world.run(50)
    expect(b.status().connected).toBe(false)
    expect(b.publish('x', bytes(''))).toBe(false)
    expect(replies).toEqual(['NO RESPONDERS'])
    b.reconnect()
    world.run(1)
    ask('heartbeat', 'heard')
    world.run(50)
    expect(requests).toEqual(['heard'])
    expect(seen).toEqual([false, true])
    expect(a.status().connected).toBe(true)
  })

  it('what is on its way is lost with the connection, also when that is back in time', () => {
    const world = new World(1, { link: { latency: { shape: 'constant', ms: 10 } } })
    const { b, requests, ask } = pair(world)
    ask('heartbeat', 'on its way')
    world.run(2)
    b.disconnect(5)
    b.reconnect()
    world.run(50)
    expect(requests).toEqual([])
  })

  it('a crash ends subscriptions at once, a power loss perhaps only after a while', () => {
    const world = new World()
    const { a, b, replies, ask } = pair(world)
    b.process.kill('crash')
    expect(b.publish('x', bytes(''))).toBe(false)
    ask('heartbeat', 'x')
    world.run(10)
    expect(replies).toEqual(['NO RESPONDERS'])
    let silent = 0
    for (let i = 0; i < 30; i++) {
      const process = world.process(`P${i}`)
      world.bus.connect(process).subscribe(`p${i}`, () => {})
      process.kill('powerLoss')
      replies.length = 0
      a.publish(`p${i}`, bytes(''), `${a.inbox}.${100 + i}`)
      world.run(10)
      if (replies.length === 0) silent++
    }
    expect(silent).toBeGreaterThan(5)
    expect(silent).toBeLessThan(30)
  })

  it('inboxes differ from life to life, and closing is final and repeatable', async () => {
    const world = new World()
    const first = world.bus.connect(world.process('A'))
    const second = world.bus.connect(world.process('A'))
    expect(first.inbox).not.toBe(second.inbox)
    listen(first, 'x')
    await first.close()
    await first.close()
    expect(first.subscriptions).toBe(0)
    expect(first.publish('x', bytes(''))).toBe(false)
  })
})

it('tells an observer what was sent, delivered and lost, and which request a reply answers', () => {
  const sent: BusMessage[] = []
  const lost: LossReason[] = []
  const world = new World(1, {
    observer: { sent: (message) => sent.push(message), lost: (_message, reason) => lost.push(reason) },
  })
  const { ask } = pair(world)
  ask('request_vote', 'x')
  world.run(10)
  world.bus.setLink('A', 'B', { dropRate: 1 })
  ask('request_vote', 'y')
  world.run(10)
  expect(sent.map(({ kind, from, to }) => `${from}>${to} ${kind}`)).toEqual([
    'A>B vote',
    'B>A voteAck',
    'A>B vote',
  ])
  expect(sent[1]?.requestSequence).toBe(sent[0]?.sequence)
  expect(lost).toEqual(['dropped'])
})

it('does the same for the same seed', () => {
  const runOf = (seed: number): string => {
    const world = new World(seed, {
      link: { dropRate: 0.2, duplicateRate: 0.2, reorderRate: 0.3, damageRate: 0.1 },
    })
    const { requests, replies, ask } = pair(world)
    for (let i = 0; i < 100; i++) {
      ask('append_entries', `message ${i}`)
      world.run(1)
    }
    world.run(5000)
    return JSON.stringify([requests, replies])
  }
  expect(runOf(7)).toBe(runOf(7))
  expect(runOf(7)).not.toBe(runOf(8))
})
