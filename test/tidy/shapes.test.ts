// Objects that are alike share a hidden class, and what handles them is fast. V8 (as of Node 20) makes a class of its own for each
// object whose literal begins with a spread and then adds names that are not in it: half a microsecond for every name, 400
// bytes for every object, and code that sees a new kind of object each time. A literal that begins with a name does not.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { type Source, sourcesIn } from './support/sources.ts'

const sources = sourcesIn(
  ...['src/actors', 'src/transport', 'src/storage', 'src/log', 'src/runtime', 'src/commands', 'src/client'],
)

/** Where objects are made for each message, frame or write. */
const HOT = ['src/actors/replication/', 'src/transport/', 'src/storage/sqlite/', 'src/log/', 'src/commands/']

/** Places in hot folders that are right as they are, and why. */
const JUDGED: Readonly<Record<string, string>> = {
  'src/actors/replication/pacer.ts: this.#pace': 'adds no name',
  'src/commands/command-machine.ts: at': 'adds no name',
  'src/log/term-runs.ts: head': 'adds no name',
  'src/storage/sqlite/inspect-directory.ts: record': 'once, for a command',
  'src/storage/sqlite/meta-table.ts: this.#get(group)': 'adds no name',
  'src/storage/sqlite/snapshots/snapshot-queue.ts: request.call': 'adds no name',
  'src/storage/sqlite/sqlite-storage.ts: this.#status': 'when somebody asks for figures',
  'src/transport/nats/connect-nats.ts: settings': 'once for a connection',
  'src/transport/rpc/pairs.ts: message': 'adds no name',
  'src/transport/rpc/pairs.ts: outcome.response': 'adds no name',
  'src/transport/rpc/rpc-endpoint.ts: options': 'once for an endpoint',
  'src/transport/wire/cbor.ts: OPTIONS': 'once for a codec',
  'src/transport/wire/messages/beats.ts: LEDGER': 'once for a kind of message',
  'src/transport/wire/messages/heartbeat.ts: appendEntries': 'once for a kind of message',
  'src/transport/wire/messages/pre-vote.ts: requestVote': 'once for a kind of message',
}

/** What is spread first, in each literal where something follows. */
function spreadFirst({ path, code }: Source): readonly string[] {
  return [...code.matchAll(/\{\s*\.\.\./g)].flatMap(({ index, 0: { length } }) => {
    const parts = partsFrom(code, index + length)
    return parts.length > 1 ? [`${path}: ${(parts[0] ?? '').replace(/\s+/g, ' ').trim()}`] : []
  })
}

/** The parts of a literal, from behind the dots of the first one on. */
function partsFrom(code: string, start: number): readonly string[] {
  const parts = ['']
  for (let at = start, depth = 0; at < code.length; at++) {
    const character = code[at] ?? ''
    if ('([{'.includes(character)) depth++
    if (')]}'.includes(character) && --depth < 0) break
    if (character === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts.filter((part) => part.trim() !== '')
}

describe('a literal', () => {
  const found = sources.flatMap(spreadFirst)

  it('never begins with a group of names, and then goes on', () => {
    expect(found.filter((place) => place.includes(': {'))).toEqual([])
  })

  it('begins with a name where objects are made all the time, unless it adds none', () => {
    const hot = found.filter((place) => HOT.some((folder) => place.startsWith(folder)))
    expect(hot.filter((place) => JUDGED[place] === undefined)).toEqual([])
    expect(Object.keys(JUDGED).filter((place) => !hot.includes(place))).toEqual([])
  })
})

it('is found where it stands, however it is broken into lines', () => {
  const text = (source: string): Source => ({ path: 'a', text: source, code: source })
  expect(spreadFirst(text('f({ ...{ a,\n b }, c })'))).toEqual(['a: { a, b }'])
  expect(spreadFirst(text('f({ c, ...{ a, b } }, { ...d }, { ...e, })'))).toEqual([])
})

it('is alike to V8 when it begins with a name', () => {
  setFlagsFromString('--allow-natives-syntax')
  const alike = runInNewContext(`
    const of = (at) => ({ a: at, b: 1, c: 2 })
    const made = Array.from({ length: 100 }, (_, at) => ({ d: 1, ...of(at), e: 2 }))
    made.every((one) => %HaveSameMap(one, made[0]))`)
  setFlagsFromString('--no-allow-natives-syntax')
  expect(alike).toBe(true)
})
