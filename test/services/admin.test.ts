// What operators ask of a member, as they and the ordinary `nats` tool send it: over the in-process bus, in JSON and CBOR.

import { beforeEach, describe, expect, test, vi } from 'vitest'
import { QuorateError } from '../../src/errors.ts'
import {
  ADMIN_VERBS,
  type AdminVerb,
  encodeAdminRequest,
  GROUP_VERBS,
  MAX_ADMIN_REQUEST_BYTES,
  MEMBER_VERBS,
  parseAdminAnswer,
} from '../../src/protocol/admin-verbs.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { attachServices } from '../../src/services/attach.ts'
import { MemoryBus } from '../../src/transport/memory/memory-bus.ts'
import { encodeValue } from '../../src/transport/wire/codec.ts'
import { AdminNode } from '../client/admin-node.ts'

let bus: MemoryBus
let node: AdminNode
let log: { level: string; fields: Record<string, unknown>; message: string }[]

beforeEach(() => {
  bus = new MemoryBus()
  node = new AdminNode('n1', { peers: ['n1', 'n2', 'n3'] }).lead()
  log = []
  const write = (level: string) => (fields: object, message: string) =>
    void log.push({ level, fields: { ...fields }, message })
  const logger = { ...silentLogger, info: write('info'), warn: write('warn') }
  attachServices({ transport: bus.connect('n1'), node, logger })
})

let asked = 0

/** The bytes of the one answer; null when nobody listens. */
function send(subject: string, payload: Uint8Array | string, user = 'ops'): Promise<Uint8Array | null> {
  asked += 1
  const inbox = `_INBOX_${user}.x.${asked}`
  const asker = bus.connect(user)
  return new Promise((resolve) => {
    asker.subscribe(inbox, ({ payload: answer, noResponders }) =>
      resolve(noResponders ? null : new Uint8Array(answer)),
    )
    asker.publish(subject, typeof payload === 'string' ? Buffer.from(payload) : payload, inbox)
  })
}

const text = (answer: Uint8Array | null): unknown =>
  answer === null ? null : JSON.parse(Buffer.from(answer).toString())
const at = (verb: string): string => `quorate.demo.n1.admin.${verb}`
const ask = async (verb: string, body: object | string = ''): Promise<unknown> =>
  text(await send(at(verb), typeof body === 'string' ? body : JSON.stringify(body)))
const askGroup = async (verb: string, body: object | string = ''): Promise<unknown> =>
  text(await send(`quorate.demo.admin.${verb}`, typeof body === 'string' ? body : JSON.stringify(body)))

const three = { peers: ['n1', 'n2', 'n3'], oldPeers: [], learners: [], stage: 'none' }

describe('each verb', () => {
  test.each<[AdminVerb, object, unknown[], object]>([
    [
      'add_peer',
      { peer: 'n4', role: 'learner', priority: 7, expect: ['n1', 'n2', 'n3'] },
      ['addPeer', { id: 'n4', role: 'learner', priority: 7 }, { expect: ['n1', 'n2', 'n3'] }],
      { before: three, after: { ...three, learners: ['n4'], priorities: { n4: 7 } } },
    ],
    [
      'add_peer',
      { peer: 'n4' },
      ['addPeer', { id: 'n4' }, {}],
      { before: three, after: { ...three, peers: ['n1', 'n2', 'n3', 'n4'] } },
    ],
    [
      'remove_peer',
      { peer: 'n3' },
      ['removePeer', 'n3', {}],
      { before: three, after: { ...three, peers: ['n1', 'n2'] } },
    ],
    [
      'change_peers',
      { peers: ['n1', { id: 'n5', role: 'learner' }] },
      ['changePeers', ['n1', { id: 'n5', role: 'learner' }], {}],
      { before: three, after: { ...three, peers: ['n1'], learners: ['n5'] } },
    ],
    ['demote', { peer: 'n3' }, ['demote', 'n3'], { after: { peers: ['n1', 'n2'], learners: ['n3'] } }],
    [
      'set_priority',
      { peer: 'n2', priority: 0 },
      ['setPriority', 'n2', 0],
      { after: { priorities: { n2: 0 } } },
    ],
    ['transfer_leader', { peer: 'n2' }, ['transferLeadership', 'n2'], { leader: 'n2', term: 2 }],
    ['transfer_leader', {}, ['transferLeadership', undefined], { leader: 'n2', term: 2 }],
    [
      'reset_peer',
      { peers: ['n1'], force: true, confirm: 'demo' },
      ['resetPeers', ['n1'], { force: true }],
      { after: { peers: ['n1'] } },
    ],
    ['readonly', { on: true }, ['setReadonly', true], { readonly: true }],
  ])('%s %j is carried out, in JSON and CBOR', async (verb, body, call, answer) => {
    const expected = { ok: true, ...answer }
    expect(await ask(verb, body)).toMatchObject(expected)
    expect(node.calls).toEqual([call])

    node = Object.assign(node, { peers: ['n1', 'n2', 'n3'], learners: [], priorities: {} })
    const bytes = await send(at(verb), encodeValue(body))
    expect(parseAdminAnswer(verb, bytes ?? new Uint8Array())).toMatchObject(expected)
    expect(bytes?.[0]).not.toBe(0x7b)
    expect(node.calls).toEqual([call, call])
  })

  test('that only asks, is answered at once by whoever is asked', async () => {
    node.follow('n2', 4)
    expect(await ask('get_leader')).toEqual({ ok: true, leader: 'n2', term: 4 })
    expect(await ask('get_leader', '{}')).toEqual({ ok: true, leader: 'n2', term: 4 })
    expect(await ask('list_peers')).toMatchObject({ ok: true, member: 'n1', term: 4, leader: 'n2', ...three })
    node.follow(null, 5)
    expect(await ask('get_leader')).toMatchObject({
      ok: false,
      error: { code: 'NO_LEADER', retryable: true },
    })
  })
})

describe('a member that does not lead', () => {
  test('says who does, when it is asked', async () => {
    node.follow('n2', 4)
    for (const verb of ['add_peer', 'remove_peer', 'promote', 'demote'])
      expect(await ask(verb, { peer: 'n4' })).toMatchObject({
        ok: false,
        error: { code: 'NOT_LEADER', leader: 'n2', outcome: 'not-applied' },
      })
  })

  test('does not listen for what is asked of the group, for the leader does', async () => {
    expect(await askGroup('add_peer', { peer: 'n4' })).toMatchObject({ ok: true })
    expect(await askGroup('get_leader')).toMatchObject({ ok: true, leader: 'n1' })
    expect(await askGroup('list_peers')).toMatchObject({ ok: true, member: 'n1' })
    const follower = new AdminNode('n1', { group: 'other' })
    attachServices({ transport: bus.connect('n1'), node: follower })
    for (const verb of GROUP_VERBS) expect(await send(`quorate.other.admin.${verb}`, '{}')).toBeNull()
    for (const verb of MEMBER_VERBS) expect(await askGroup(verb, '{}')).toBeNull()
  })
})

describe('a change that takes its time', () => {
  test('is joined by whoever asks for the same, and begun once', async () => {
    const held = node.hold()
    const asking = [ask('add_peer', { peer: 'n4' }), ask('add_peer', '{ "peer": "n4" }')]
    const cbor = send(at('add_peer'), encodeAdminRequest({ verb: 'add_peer', peer: 'n4' }))
    await vi.waitFor(() => expect(log.filter(({ fields }) => fields.outcome === 'joined')).toHaveLength(2))
    expect(node.calls).toHaveLength(1)
    expect(await ask('list_peers')).toMatchObject({ ...three, stage: 'catchingUp' })
    held.resolve()
    const [first, second] = await Promise.all(asking)
    expect(first).toMatchObject({ ok: true, after: { peers: ['n1', 'n2', 'n3', 'n4'] } })
    expect(second).toEqual(first)
    expect(parseAdminAnswer('add_peer', (await cbor) ?? new Uint8Array())).toEqual(first)
    // What comes after the end is asked anew.
    await ask('add_peer', { peer: 'n4' })
    expect(node.calls).toHaveLength(2)
  })

  test('does not keep another one from being refused by the node', async () => {
    const held = node.hold()
    const first = ask('add_peer', { peer: 'n4' })
    await vi.waitFor(() => expect(node.calls).toHaveLength(1))
    expect(await ask('remove_peer', { peer: 'n3' })).toMatchObject({
      ok: false,
      error: { code: 'BUSY', retryable: true },
    })
    held.resolve()
    expect(await first).toMatchObject({ ok: true })
  })

  test('is waited for by so many, and by no more', async () => {
    const held = node.hold()
    const answers: unknown[] = []
    const all = Array.from({ length: 66 }, async () => answers.push(await ask('add_peer', { peer: 'n4' })))
    await vi.waitFor(() => expect(answers).toHaveLength(2))
    expect(answers).toEqual(
      [1, 2].map(() => expect.objectContaining({ error: expect.objectContaining({ code: 'BUSY' }) })),
    )
    held.resolve()
    await Promise.all(all)
    expect(answers.filter((answer) => JSON.stringify(answer).startsWith('{"ok":true'))).toHaveLength(64)
  })
})

describe('at the door', () => {
  test.each<[AdminVerb, string | Uint8Array, RegExp]>([
    ['add_peer', '', /peer: /],
    ['add_peer', '{}', /peer: /],
    ['add_peer', '{"peer":"n4"', /no object/],
    ['add_peer', '["n4"]', /no object/],
    ['add_peer', '{"peer":"n 4"}', /peer: must be 1 to 64/],
    ['add_peer', '{"peer":"leader"}', /peer: must not be/],
    ['add_peer', '{"peer":"n4","role":"boss"}', /role: /],
    ['add_peer', '{"peer":"n4","priority":-1}', /priority: /],
    ['add_peer', '{"peer":"n4","pirority":1}', /pirority/],
    ['add_peer', '{"peer":"n4","verb":"reset_peer","force":true}', /force/],
    ['change_peers', '{"peers":[]}', /peers: /],
    ['change_peers', '{"peers":"n1"}', /peers: /],
    ['reset_peer', '{"peers":["n1"],"confirm":"demo"}', /force: must be true/],
    ['reset_peer', '{"peers":["n1"],"force":true}', /confirm: /],
    [
      'reset_peer',
      '{"peers":["n1"],"force":true,"confirm":"demi"}',
      /confirm is demi, and this group is called demo/,
    ],
    ['readonly', '{}', /on: /],
    ['list_peers', '{"x":1}', /x/],
    ['add_peer', encodeValue('n4'), /no object/],
    ['add_peer', new Uint8Array([0xff, 0x00]), /no object/],
    ['add_peer', new Uint8Array([0xc1, 0x1a, 0, 0, 0, 0]), /no object/],
    ['add_peer', `{"peer":"n4"${' '.repeat(MAX_ADMIN_REQUEST_BYTES)}}`, /more than 65536 bytes/],
  ])('what is no request for %s is refused (%#)', async (verb, payload, says) => {
    const bytes = await send(at(verb), payload)
    const error = parseAdminAnswer(verb, bytes ?? new Uint8Array())
    expect(error).toMatchObject({ code: 'INVALID', message: expect.stringMatching(says) })
    expect(node.calls).toEqual([])
  })

  test('nothing is carried out that wants its answer where it would be believed', async () => {
    bus.connect('ops').publish(at('remove_peer'), Buffer.from('{"peer":"n2"}'), 'quorate.demo.n2.rpc.n1.x')
    expect(await ask('list_peers')).toMatchObject({ ok: true })
    expect(node.calls).toEqual([])
  })

  test('what a node throws, or rejects with, is an answer', async () => {
    node.fail = () => {
      throw new TypeError('x'.repeat(5000))
    }
    expect(await ask('add_peer', { peer: 'n4' })).toEqual({
      ok: false,
      error: {
        code: 'NODE_FAILED',
        message: 'x'.repeat(1000),
        outcome: 'unknown',
        leader: null,
        retryable: false,
      },
    })
    node.fail = () => Promise.reject(new QuorateError('CONFLICT', 'Others.'))
    expect(await ask('add_peer', { peer: 'n4' })).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
  })
})

describe('the record', () => {
  test('says who asked for what, and what became of it', async () => {
    await send(at('add_peer'), '{"peer":"n4"}', 'ops-7')
    node.fail = () => Promise.reject(new QuorateError('BUSY', 'Not now.', { retryable: true }))
    await ask('remove_peer', { peer: 'n2' })
    await ask('list_peers')
    expect(
      log.map(({ level, fields: { verb, arguments: args, by, outcome } }) => [
        level,
        verb,
        args,
        by,
        outcome,
      ]),
    ).toEqual([
      ['info', 'add_peer', { peer: 'n4' }, 'ops-7', 'begun'],
      ['info', 'add_peer', { peer: 'n4' }, 'ops-7', 'done'],
      ['info', 'remove_peer', { peer: 'n2' }, 'ops', 'begun'],
      ['warn', 'remove_peer', { peer: 'n2' }, 'ops', 'BUSY'],
    ])
  })

  test('is a warning for what is dangerous', async () => {
    await ask('reset_peer', { peers: ['n1'], force: true, confirm: 'demo' })
    expect(log[0]).toMatchObject({ level: 'warn', fields: { verb: 'reset_peer', by: 'ops' } })
  })
})

test('discovery shows where each verb is heard, and how the member is', async () => {
  node.applied.push('a', 'b')
  node.appliedIndex = 1
  const info = text(await send('$SRV.INFO.quorate-demo.n1', ''))
  expect(info).toMatchObject({
    metadata: { group: 'demo', node: 'n1', role: 'leader', term: '1', commit: '2', lag: '1' },
    endpoints: expect.arrayContaining(
      ADMIN_VERBS.map((verb) => expect.objectContaining({ name: verb, subject: at(verb) })),
    ),
  })
  expect(info).toMatchObject({
    endpoints: expect.arrayContaining([
      expect.objectContaining({
        name: 'group-add_peer',
        subject: 'quorate.demo.admin.add_peer',
        queue_group: 'leaders',
      }),
      expect.objectContaining({ name: 'group-list_peers', queue_group: 'leaders' }),
    ]),
  })
  const stats = text(await send('$SRV.STATS.quorate-demo', ''))
  expect(stats).toMatchObject({
    endpoints: expect.arrayContaining([
      expect.objectContaining({
        data: expect.objectContaining({ group: 'demo', member: 'n1', lag: 1, commitIndex: 2 }),
      }),
    ]),
  })
  node.follow('n2', 9)
  expect(text(await send('$SRV.PING', ''))).toMatchObject({ metadata: { role: 'follower', term: '9' } })
})
