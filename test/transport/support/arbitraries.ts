// Every message of the protocol, generated.

import fc from 'fast-check'
import type { EntryType, LogEntry } from '../../../src/rules/types.ts'
import type {
  AppendEntriesRequest,
  RequestOf,
  RequestVoteRequest,
  ResponseOf,
  RpcMethod,
} from '../../../src/transport/wire/messages/registry.ts'

/** Small numbers, and the ones that CBOR writes differently: around 2^32, up to the last safe integer. */
const wholeFrom = (min: number) =>
  fc.oneof(
    fc.integer({ min, max: 300 }),
    fc.integer({ min: 2 ** 32 - 2, max: 2 ** 32 + 2 }),
    fc.integer({ min, max: Number.MAX_SAFE_INTEGER - 100 }),
  )

export const index = wholeFrom(0)
export const term = wholeFrom(1)
export const member = fc.constantFrom('n1', 'n2', 'a-b_C', 'x'.repeat(64))

/**
 * All that JSON can say and a command may hold: `__proto__` is refused as a key (value-shape), and fast-check likes to draw it,
 * so a test of what is carried takes this one and never `fc.json` itself (test/tidy/house-rules).
 */
export const carriedJson = fc
  .json({ maxDepth: 6 })
  .filter((text) => !text.includes('__proto__'))
  .map((text): unknown => JSON.parse(text))

const voteRequest: fc.Arbitrary<RequestVoteRequest> = fc.record({
  term,
  lastLogIndex: index,
  lastLogTerm: index,
  disruptedLeader: fc.option(fc.record({ peer: member, term })),
})

const entryType: fc.Arbitrary<EntryType> = fc.constantFrom(1, 2, 3, 4)
const data = fc.uint8Array({ maxLength: 300 })

/** Terms never go back from the previous entry to the leader, as in a log. */
export const appendRequest: fc.Arbitrary<AppendEntriesRequest> = fc
  .record({
    steps: fc.array(fc.record({ up: fc.integer({ min: 0, max: 1 }), type: entryType, data }), {
      maxLength: 30,
    }),
    firstTerm: term,
    prevLogIndex: index,
    prevLogTerm: fc.boolean(),
    committedIndex: index,
    ahead: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ steps, firstTerm, prevLogIndex, prevLogTerm, committedIndex, ahead }) => {
    let current = firstTerm
    const entries = steps.map((step, i): LogEntry => {
      current += step.up
      return {
        index: prevLogIndex + 1 + i,
        term: current,
        type: step.type,
        data: step.type === 4 ? new Uint8Array(0) : step.data,
      }
    })
    return {
      term: current + ahead,
      prevLogIndex,
      prevLogTerm: prevLogTerm ? firstTerm : 0,
      committedIndex,
      entries,
    }
  })

const members = fc.array(member, { maxLength: 5 })
const identities = fc.array(fc.tuple(member, index), { maxLength: 4 })
const offer = fc.record({
  term,
  lastIncludedIndex: index,
  lastIncludedTerm: term,
  peers: members,
  oldPeers: members,
  bytes: index,
  files: index,
  takenAtMs: index,
  identities,
  newcomers: identities,
  learners: members,
  witnesses: members,
  priorities: identities,
  withheld: fc.boolean(),
})
const piece = fc.record({
  term,
  lastIncludedIndex: index,
  lastIncludedTerm: term,
  name: fc.oneof(fc.constant(''), fc.string({ maxLength: 200 }), fc.constant('x'.repeat(255))),
  offset: index,
  count: fc.integer({ min: 1, max: 262_144 }),
})

const voteResponse = fc.record({
  term: index,
  granted: fc.boolean(),
  rejectedByLease: fc.boolean(),
  disrupted: fc.boolean(),
  previousTerm: index,
  identity: index,
  removedIndex: index,
  removedTerm: index,
})
const appendResponse = fc.record({
  term: index,
  success: fc.boolean(),
  lastLogIndex: index,
  conflictTerm: index,
  conflictIndex: index,
  identity: index,
  readonly: fc.boolean(),
  withheld: fc.boolean(),
})

export const requests: { readonly [M in RpcMethod]: fc.Arbitrary<RequestOf<M>> } = {
  pre_vote: voteRequest,
  request_vote: voteRequest,
  append_entries: appendRequest,
  heartbeat: appendRequest,
  timeout_now: fc.record({ term, oldLeaderSteppedDown: fc.boolean() }),
  read_index: fc.record({ term }),
  install_snapshot: offer,
  get_file: piece,
}

export const responses: { readonly [M in RpcMethod]: fc.Arbitrary<ResponseOf<M>> } = {
  pre_vote: voteResponse,
  request_vote: voteResponse,
  append_entries: appendResponse,
  heartbeat: appendResponse,
  timeout_now: fc.record({ term: index, success: fc.boolean() }),
  read_index: fc.record({ term: index, index }),
  install_snapshot: fc.record({
    term: index,
    state: fc.constantFrom('installed' as const, 'accepted' as const, 'loading' as const, 'busy' as const),
    doneBytes: index,
    totalBytes: index,
    identity: index,
  }),
  get_file: fc.record({ term: index, total: index, data }),
}
