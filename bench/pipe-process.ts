// The bare pipe as processes: the libraries of the product with none of consensus. A leader has entries synced by itself and its
// followers, and an entry counts once most of them have it; there are no terms, no elections, no checks. The load comes from
// the leader itself, or from a client process that asks it over the bus. Arguments: role, bus address, file of its database, names of all
// followers.

import { Worker } from 'node:worker_threads'
import { Encoder } from 'cbor-x'
import { connect, type NatsConnection } from 'nats'
import { createActor, setup } from 'xstate'
import { runLoad } from './load.ts'
import type { Batch } from './pipe-disk.ts'
import { type Apply, inTurns, Waiting } from './pipe-turns.ts'
import type { MemberAnswer, MemberRequest } from './protocol.ts'

const [role = '', servers = '', file = '', list = ''] = process.argv.slice(2)
const followers = list.split(',').filter((id) => id !== '')
const cbor = new Encoder({ useRecords: false })
const bus = await connect({ servers })
const say = (answer: MemberAnswer): void => void process.send?.(answer)

if (role === 'leader') answerLoads(lead(bus))
else if (role === 'client') answerLoads(ask(bus))
else follow(bus, role)
await bus.flush()
process.on('disconnect', () => process.exit(0))
say({ kind: 'ready' })

function answerLoads(apply: Apply): void {
  process.on('message', ({ clients = 1, size = 100, seconds = 1 }: MemberRequest) => {
    runLoad({ clients, size, seconds, apply }).then(
      (result) => say({ kind: 'load', result }),
      (error: unknown) => say({ kind: 'failed', message: String(error) }),
    )
  })
}

function lead(nats: NatsConnection): Apply {
  const disk = openDisk()
  const waiting = new Waiting()
  const durable = new Map<string, number>([['leader', 0], ...followers.map((id) => [id, 0] as const)])
  let next = 1
  let committed = 0
  let isAsked = false
  const append = (entries: readonly Uint8Array[]): void => {
    const batch: Batch = { first: next, entries }
    next += entries.length
    const frame = cbor.encode(batch)
    for (const id of followers) nats.publish(`append.${id}`, frame)
    disk.postMessage(batch)
  }
  const acknowledge = (who: string, last: number): void => {
    durable.set(who, last)
    const majority = [...durable.values()].sort((a, b) => a - b)[Math.floor(followers.length / 2)] ?? 0
    if (majority === committed) return
    committed = majority
    // One client asks, or none: it counts its entries itself.
    if (isAsked) nats.publish('answer', cbor.encode(majority))
    else waiting.settle(majority)
  }
  const actor = createActor(
    setup({ types: { events: {} as BatchEvent | DurableEvent } }).createMachine({
      on: {
        batch: { actions: ({ event }) => append(event.entries) },
        durable: { actions: ({ event }) => acknowledge(event.who, event.last) },
      },
    }),
  ).start()
  disk.on('message', (last: number) => actor.send({ type: 'durable', who: 'leader', last }))
  for (const who of followers) {
    const callback = heard<number>((last) => actor.send({ type: 'durable', who, last }))
    nats.subscribe(`durable.${who}`, { callback })
  }
  nats.subscribe('ask', {
    callback: heard<readonly Uint8Array[]>((entries) => {
      isAsked = true
      actor.send({ type: 'batch', entries })
    }),
  })
  return inTurns((entries) => actor.send({ type: 'batch', entries }), waiting)
}

interface BatchEvent {
  readonly type: 'batch'
  readonly entries: readonly Uint8Array[]
}

interface DurableEvent {
  readonly type: 'durable'
  readonly who: string
  readonly last: number
}

function follow(nats: NatsConnection, id: string): void {
  const disk = openDisk()
  const actor = createActor(
    setup({ types: { events: {} as { type: 'append'; batch: Batch } | DurableEvent } }).createMachine({
      on: {
        append: { actions: ({ event }) => disk.postMessage(event.batch) },
        durable: { actions: ({ event }) => nats.publish(`durable.${id}`, cbor.encode(event.last)) },
      },
    }),
  ).start()
  disk.on('message', (last: number) => actor.send({ type: 'durable', who: id, last }))
  nats.subscribe(`append.${id}`, { callback: heard<Batch>((batch) => actor.send({ type: 'append', batch })) })
}

function ask(nats: NatsConnection): Apply {
  const waiting = new Waiting()
  nats.subscribe('answer', { callback: heard<number>((last) => waiting.settle(last)) })
  return inTurns((entries) => nats.publish('ask', cbor.encode(entries)), waiting)
}

function heard<T>(hear: (value: T) => void): (error: Error | null, message: { data: Uint8Array }) => void {
  return (error, { data }) => {
    if (error !== null) throw error
    hear(cbor.decode(data))
  }
}

function openDisk(): Worker {
  return new Worker(new URL('./pipe-disk.js', import.meta.url), { workerData: file })
}
