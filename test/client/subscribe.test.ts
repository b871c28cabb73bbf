// Subscriptions of clients to queries: what comes, in which order, from whom, and what it costs a member.

import { afterEach, describe, expect, test } from 'vitest'
import { attachServices, type ClientOptions, connectClient, type Heard } from '../../src/client.ts'
import type { StateMachine } from '../../src/state-machine.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { decodeMessage, encodeMessage, encodeValue } from '../../src/transport/wire/codec.ts'
import { GROUP, type Member, rejection, until, World } from '../host/support/world.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const FAST = { waitMs: 200 }

/** Keeps the last word under each key, and tells of it by key. */
class Register implements StateMachine<readonly [string, unknown], null, readonly [string], unknown> {
  readonly words = new Map<string, unknown>()
  readonly followed = new Map<string, () => void>()
  asked = 0

  apply([key, word]: readonly [string, unknown]): null {
    this.words.set(key, word)
    this.followed.get(key)?.()
    return null
  }

  read([key]: readonly [string]): unknown {
    this.asked += 1
    if (key === 'broken') throw new Error('it is broken')
    return this.words.get(key)
  }

  onSubscribe([key]: readonly [string], changed: () => void): (() => void) | null {
    if (key === 'refused') throw new Error('that is nobody’s business')
    this.followed.set(key, changed)
    return () => void this.followed.delete(key)
  }
}

async function started(machines: ReadonlyMap<string, StateMachine>, options: Partial<ClientOptions> = {}) {
  const world = new World(...machines.keys())
  closers.push(() => world[Symbol.asyncDispose]())
  const detaches: (() => void)[] = []
  await Promise.all(
    [...machines].map(async ([id, stateMachine]) => {
      const { node, connection } = await world.member(id, { stateMachine })
      detaches.push(attachServices({ node, transport: connection }).detach)
    }),
  )
  const detach = (): void => {
    for (const each of detaches) each()
  }
  closers.push(detach)
  const transport = world.bus.connect('app')
  const client = connectClient({ transport, group: GROUP, ...options })
  closers.push(() => client.close())
  return { world, client, transport, detach, ...(await world.leader()) }
}

const registers = (...ids: string[]) => new Map(ids.map((id) => [id, new Register()]))

/** Hears all that comes, until it ends. */
function hear(subscription: AsyncIterable<Heard>) {
  const heard: Heard[] = []
  const ended = (async () => {
    for await (const each of subscription) heard.push(each)
  })()
  ended.catch(() => {})
  return { heard, values: () => heard.map(({ value }) => value), ended }
}

describe('a subscription', () => {
  test('begins with how it is, tells of what changes and of nothing else, and ends with its signal', async () => {
    const machines = registers('a', 'b', 'c')
    const { client } = await started(machines)
    await client.apply(['x', 'one'])
    // Of what is applied while a member asks its machine, the answer may tell already, and it has to ask once more.
    const hasOne = ({ words }: Register): boolean => words.get('x') === 'one'
    await until(() => [...machines.values()].every(hasOne), 'everywhere')
    const stop = new AbortController()
    const { heard, values, ended } = hear(client.subscribe(['x'], { waitMs: 60_000, signal: stop.signal }))
    await until(() => values().includes('one'), 'how it is')
    const asked = () => [...machines.values()].reduce((sum, machine) => sum + machine.asked, 0)
    const before = asked()
    for (let at = 0; at < 20; at++) await client.apply(['y', at])
    expect(asked()).toBe(before)
    const { index } = await client.apply(['x', 'two'])
    await until(() => values().includes('two'), 'what has changed')
    expect(values().filter((value) => value !== undefined)).toEqual(['one', 'two'])
    expect(heard.at(-1)?.index).toBe(index)
    stop.abort()
    await ended
    const over = client.subscribe(['x'], { signal: stop.signal })
    expect(await over.next()).toEqual({ done: true, value: undefined })
  })

  test('asks for nothing while nobody wants the next, and seldom however often it changes', async () => {
    const machine = new Register()
    const { client } = await started(new Map([['a', machine]]))
    const subscription = client.subscribe(['x'], { waitMs: 60_000 })
    await subscription.next()
    const { asked } = machine
    for (let at = 0; at < 10; at++) await client.apply(['x', at])
    expect(machine.asked).toBe(asked)
    expect((await subscription.next()).value?.value).toBe(9)
    const { values } = hear(subscription)
    const [before, sinceMs] = [machine.asked, performance.now()]
    for (let at = 10; at < 150; at++) await client.apply(['x', at])
    await until(() => values().at(-1) === 149, 'the last')
    expect(machine.asked - before).toBeLessThan((performance.now() - sinceMs) / 50 + 3)
  })

  test('is there for any state machine, and of what changes quickly tells the newest', async () => {
    const world = new World('a')
    closers.push(() => world[Symbol.asyncDispose]())
    const { node, connection, machine } = await world.member('a')
    closers.push(attachServices({ node, transport: connection }).detach)
    await world.leader()
    const client = connectClient({ transport: world.bus.connect('app'), group: GROUP })
    closers.push(() => client.close())
    const { heard, ended } = hear(client.subscribe('all', FAST))
    await until(() => heard.length === 1, 'how it is')
    const words = Array.from({ length: 300 }, (_, at) => at)
    await Promise.all(words.map((word) => client.apply(word)))
    const last = () => heard.at(-1)?.value
    await until(
      () =>
        Array.isArray(last()) &&
        machine.words.length === 300 &&
        JSON.stringify(last()) === JSON.stringify(words),
      'all of them',
    )
    expect(heard.length).toBeLessThan(50)
    expect(heard.map(({ index }) => index)).toEqual(heard.map(({ index }) => index).toSorted((a, b) => a - b))
    client.close()
    await expect(ended).rejects.toMatchObject({ code: 'SHUTDOWN' })
  })

  test('goes on at another member when its own is killed, and never back', async () => {
    const machines = registers('a', 'b', 'c')
    const { client, world } = await started(machines)
    const { heard, values } = hear(client.subscribe(['n'], FAST))
    for (let at = 0; at < 5; at++) await client.apply(['n', at])
    await until(() => values().at(-1) === 4, 'the last of five')
    const asked = [...machines].find(([, { followed }]) => followed.has('n'))?.[0] ?? ''
    const member = world.members.get(asked)
    if (member === undefined) throw new Error('nobody is subscribed at')
    await world.kill(member)
    await world.leader()
    for (let at = 5; at < 10; at++) await client.apply(['n', at])
    await until(() => values().at(-1) === 9, 'the last of ten')
    const numbers = values().filter((value) => value !== undefined)
    expect(numbers).toEqual(numbers.toSorted((a, b) => Number(a) - Number(b)))
    const indexes = heard.map(({ index }) => index)
    expect(indexes).toEqual(indexes.toSorted((a, b) => a - b))
  })

  test('ends with what the machine says to its query, and with nobody to ask', async () => {
    const { client, world } = await started(registers('a'))
    await expect(client.subscribe(['broken']).next()).rejects.toMatchObject({ code: 'STATE_MACHINE' })
    const refused = await rejection(client.subscribe(['refused']).next())
    expect(refused).toMatchObject({
      code: 'STATE_MACHINE',
      message: expect.stringContaining('nobody’s business'),
    })
    const other = connectClient({ transport: world.bus.connect('x'), group: 'other', timeoutMs: 50 })
    closers.push(() => other.close())
    await expect(other.subscribe(['x']).next()).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(() => client.subscribe(['x'], { waitMs: 1 })).toThrow(/waitMs must be 100 to 60000/)
    expect(() => client.subscribe('x'.repeat(5000))).toThrow(/4096/)
    client.close()
    expect(() => client.subscribe(['x'])).toThrow(/closed/)
  })
})

test('what is no answer, and what is wrong with one member alone, is asked again', async () => {
  const bus = new MemoryBus()
  const member = bus.connect('z')
  const answers: readonly unknown[] = [
    ...[
      [2, 'z', 1],
      'nonsense',
      [1, 'z', 7, new Uint8Array(3), null],
      [1, 'z', 'NODE_FAILED', 'It failed.', false],
    ],
    [1, 'z', 7, new Uint8Array(16), encodeValue('at last')],
  ]
  let asked = 0
  member.subscribe('quorate.g.members.subscribe', ({ replyTo = '' }) => {
    member.publish(replyTo, encodeValue(answers[asked++] ?? null))
  })
  const client = connectClient({ transport: bus.connect('app'), group: 'g' })
  closers.push(() => client.close())
  expect(await client.subscribe('q').next()).toEqual({ done: false, value: { value: 'at last', index: 7 } })
  expect(asked).toBe(5)
})

/** What a member answers to a payload of anybody's making. */
async function answerTo(transport: Member['connection'], payload: Uint8Array, replyTo = 'stranger.1') {
  const answers: unknown[] = []
  const subscription = transport.subscribe(replyTo, (message) => {
    const decoded = decodeMessage(message.payload, { maxDepth: 2, maxItems: 16 })
    answers.push(decoded.ok ? decoded.value : decoded)
  })
  transport.publish(`quorate.${GROUP}.a.client.subscribe`, payload, replyTo)
  await until(() => answers.length > 0, 'an answer')
  subscription.unsubscribe()
  return answers[0]
}

describe('a member', () => {
  const ask = (query: unknown, waitMs = 60_000, after = 0) =>
    encodeMessage([1, 'me', after, null, waitMs, encodeValue(query)])

  test('looks at whatever it is asked', async () => {
    const { transport } = await started(registers('a'))
    const nonsense = [
      ...[
        null,
        [1],
        [2, 'me', 0, null, 200, encodeValue(['x'])],
        [1, 'me', -1, null, 200, encodeValue(['x'])],
      ],
      ...[
        [1, 'me', 0, new Uint8Array(3), 200, encodeValue(['x'])],
        [1, 'me', 0, null, 9, encodeValue(['x'])],
      ],
      [1, 'me', 0, null, 200, new Uint8Array(5000)],
    ]
    for (const each of nonsense)
      expect(await answerTo(transport, encodeValue(each))).toMatchObject([1, 'a', 'INVALID', {}, false])
    const broken = encodeMessage([1, 'me', 0, null, 200, Uint8Array.of(0xff, 1)])
    expect(await answerTo(transport, broken)).toMatchObject([1, 'a', 'INVALID', {}, false])
  })

  test('says that it has nothing as new as what was seen, when time is up', async () => {
    const { transport, client } = await started(registers('a'))
    const { index } = await client.apply(['x', 1])
    expect(await answerTo(transport, ask(['x'], 100, index + 1))).toEqual([1, 'a', index])
    expect(await answerTo(transport, ask(['x'], 100, index))).toMatchObject([1, 'a', index, {}, {}])
  })

  test('that knows of no leader sends who asks elsewhere', async () => {
    const world = new World('a', 'b')
    closers.push(() => world[Symbol.asyncDispose]())
    const { node, connection } = await world.member('a', { stateMachine: new Register() })
    closers.push(attachServices({ node, transport: connection }).detach)
    const transport = world.bus.connect('app')
    expect(await answerTo(transport, ask(['x']))).toMatchObject([1, 'a', 'NO_LEADER', {}, true])
  })

  test('forgets a query that nobody waits for when somebody asks another one, and never one that somebody waits for', async () => {
    const machines = registers('a')
    const { transport } = await started(machines)
    const followed = (): number => machines.get('a')?.followed.size ?? 0
    const subject = `quorate.${GROUP}.a.client.subscribe`
    let answers = 0
    transport.subscribe('stranger.no.*', () => {
      answers += 1
    })
    transport.publish(subject, ask(['waited for'], 60_000, 1e6), 'stranger.waits')
    for (let i = 0; i < 4095; i++) transport.publish(subject, ask([`once ${i}`], 100), `stranger.no.${i}`)
    await until(() => answers === 4095, 'all but one to be answered')
    expect(followed()).toBe(4096)
    const answer = await answerTo(transport, ask(['another'], 100))
    expect(answer).toMatchObject([1, 'a', 0, {}, {}])
    expect(followed()).toBe(4096)
    expect(machines.get('a')?.followed.has('waited for')).toBe(true)
  })

  test('lets so many wait and no more, whoever they are, and all go when it stops', async () => {
    const machines = registers('a')
    const { transport, leader, world, detach } = await started(machines)
    for (let at = 0; at < 4096; at++)
      transport.publish(
        `quorate.${GROUP}.a.client.subscribe`,
        ask(['nothing'], 60_000, 1e6),
        `stranger.no.${at}`,
      )
    expect(await answerTo(transport, ask(['nothing'], 60_000, 1e6))).toMatchObject([1, 'a', 'BUSY', {}, true])
    let refused = 0
    transport.subscribe('stranger.no.*', () => {
      refused += 1
    })
    expect(machines.get('a')?.asked).toBeLessThan(10)
    world.members.delete('a')
    await leader.host.close()
    detach()
    await until(() => refused === 4096, 'everybody to be told')
    expect(machines.get('a')?.followed.size).toBe(0)
  })
})
