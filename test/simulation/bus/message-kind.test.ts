// The words in which faults, holds, traces and scripts speak of messages: read from the subject alone.

import { expect, test } from 'vitest'
import { MessageKinds, meaningOf } from '../../../src/simulation/bus/message-kind.ts'
import { MESSAGES, RPC_METHODS, type RpcMethod } from '../../../src/transport/wire/messages/registry.ts'

/** They stand in scenario scripts and in failures that people have kept: no method changes its word. */
const WORDS: { readonly [M in RpcMethod]: string } = {
  pre_vote: 'prevote',
  request_vote: 'vote',
  append_entries: 'append',
  heartbeat: 'heartbeat',
  timeout_now: 'timeoutNow',
  read_index: 'readIndex',
  install_snapshot: 'installSnapshot',
  get_file: 'getFile',
}

test.each(RPC_METHODS)('%s has its word, in a prefix of any length, and so has its answer', (method) => {
  for (const prefix of ['q', 'a.b.c']) {
    const subject = `${prefix}.g.n2.rpc.n1.${method}`
    expect(meaningOf(subject)).toEqual({ kind: WORDS[method], group: 'g' })
    const kinds = new MessageKinds()
    const request = kinds.of(subject)
    if (request === null) throw new Error('no subject')
    kinds.await('_INBOX_n1.1.a', request, 7)
    expect(kinds.of('_INBOX_n1.1.a')).toMatchObject({ kind: `${WORDS[method]}Ack`, requestSequence: 7 })
  }
})

test('no two messages share a word', () => {
  expect(new Set(RPC_METHODS.map((method) => MESSAGES[method].kind)).size).toBe(RPC_METHODS.length)
})

test.each([
  ['q.g.n2.rpc.n1.sing', 'other', 'g'],
  ['q.g.n2.rpc.n1.constructor', 'other', 'g'],
  ['q.g.n2.admin.status', 'admin', 'g'],
  ['q.g.leader.propose', 'client', 'g'],
  ['q.g.events.n1.elected', 'event', 'g'],
  ['else', 'other', ''],
])('%s is %s of group %j', (subject, kind, group) => {
  expect(meaningOf(subject)).toEqual({ kind, group })
})
