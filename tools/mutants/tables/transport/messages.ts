// Planted bugs in the messages between members, each in a file of its own.

import type { Mutant } from '../../mutant.ts'

const WIRE = 'test/transport/wire'
const CODEC = [`${WIRE}/codec.test.ts`]
const LIMITS = [`${WIRE}/limits.test.ts`]
const VERSIONS = [`${WIRE}/versions.test.ts`]
const FIELDS = [`${WIRE}/fields.test.ts`]
const RPC = 'test/transport/rpc'
const ENDPOINT = [`${RPC}/rpc-endpoint.test.ts`]

export const MESSAGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'a checksum is taken for the last field',
    file: 'transport/wire/messages/message.ts',
    find: 'tuple.length - CHECKSUM_ITEMS - first',
    replace: 'tuple.length - first',
    tests: VERSIONS,
  },
  {
    name: 'small messages have no room for a later version',
    file: 'transport/wire/messages/message.ts',
    find: 'export const SPARE_ITEMS = 64',
    replace: 'export const SPARE_ITEMS = 16',
    tests: ['test/docs/protocol.test.ts'],
  },
  {
    name: 'term 0 asks for a vote',
    file: 'transport/wire/messages/fields.ts',
    find: 'isWhole(value) && value !== 0',
    replace: 'isWhole(value)',
    tests: FIELDS,
  },
  {
    name: 'a check by hand is stricter than the schema',
    file: 'transport/wire/messages/fields.ts',
    find: 'TERM = checked(z.int().min(1)',
    replace: 'TERM = checked(z.int().min(0)',
    tests: FIELDS,
  },
  {
    name: 'fields that nobody has checked pass for sound',
    file: 'transport/wire/messages/message.ts',
    find: "(named[names[i] ?? '']) !== true",
    replace: "(named[names[i] ?? '']) === false",
    tests: CODEC,
  },
  {
    name: 'an index may be negative',
    file: 'transport/wire/messages/fields.ts',
    find: 'Number.isSafeInteger(value) && value >= 0',
    replace: 'Number.isSafeInteger(value)',
    tests: FIELDS,
  },
  {
    name: 'what a later version added must be there',
    file: 'transport/wire/messages/fields.ts',
    find: 'const later = field.default(missing)',
    replace: 'const later = field',
    tests: VERSIONS,
  },
  {
    name: 'conflict term and index change places',
    file: 'transport/wire/messages/append-entries.ts',
    find: '[term, success, lastLogIndex, conflictTerm, conflictIndex,',
    replace: '[term, success, lastLogIndex, conflictIndex, conflictTerm,',
    tests: CODEC,
  },
  {
    name: 'entries of a term after the leader’s are taken',
    file: 'transport/wire/messages/append-entries.ts',
    find: '(runs.at(-1)?.[0] ?? 0) > term || ',
    replace: '',
    tests: LIMITS,
  },
  {
    name: 'a frame of one entry too many is sent',
    file: 'transport/wire/messages/append-entries.ts',
    find: 'if (entries.length > MAX_ENTRIES_PER_FRAME) {',
    replace: 'if (entries.length > MAX_ENTRIES_PER_FRAME + 1) {',
    tests: LIMITS,
  },
  {
    name: 'entries are views on what the bus handed over',
    file: 'transport/wire/messages/append-entries.ts',
    find: "ownership: 'copy'",
    replace: "ownership: 'view'",
    tests: CODEC,
  },
  {
    name: 'who stepped down for a vote is not told',
    file: 'transport/wire/messages/request-vote.ts',
    find: '    answer.disrupted,\n',
    replace: '    false,\n',
    tests: CODEC,
  },
  {
    name: 'the disrupted leader is forgotten on the way',
    file: 'transport/wire/messages/request-vote.ts',
    find: 'leader === null ? null : [leader.peer, leader.term]',
    replace: 'null',
    tests: CODEC,
  },
  {
    name: 'a pre-vote is called a vote',
    file: 'transport/wire/messages/pre-vote.ts',
    find: "kind: 'prevote'",
    replace: "kind: 'vote'",
    tests: ['test/simulation/bus/message-kind.test.ts'],
  },
  {
    name: 'a heartbeat is called entries',
    file: 'transport/wire/messages/heartbeat.ts',
    find: "kind: 'heartbeat'",
    replace: "kind: 'append'",
    tests: ['test/simulation/bus/message-kind.test.ts'],
  },
  {
    name: 'the old leader is always said to have stepped down',
    file: 'transport/wire/messages/timeout-now.ts',
    find: '=> [term, oldLeaderSteppedDown]',
    replace: '=> [term, oldLeaderSteppedDown !== undefined]',
    tests: CODEC,
  },
  {
    name: 'a refused campaign is read as begun',
    file: 'transport/wire/messages/timeout-now.ts',
    find: '=> [term, success]',
    replace: '=> [term, true || success]',
    tests: CODEC,
  },
  {
    name: 'a read position is the term',
    file: 'transport/wire/messages/read-index.ts',
    find: '({ term, index }) => [term, index]',
    replace: '({ term, index }) => [index, term]',
    tests: CODEC,
  },
  {
    name: 'a read of term 0 is asked',
    file: 'transport/wire/messages/read-index.ts',
    find: `const REQUEST = {
  term: TERM,
}`,
    replace: `const REQUEST = {
  term: TERM_OR_NONE,
}`,
    tests: ['test/docs/protocol.test.ts'],
  },
  {
    name: 'the words of an error are not cut',
    file: 'transport/wire/messages/error-answer.ts',
    find: 'message.slice(0, MAX_REMOTE_MESSAGE_LENGTH)',
    replace: 'message',
    tests: CODEC,
  },
  {
    name: 'an unknown error code is refused',
    file: 'transport/wire/messages/error-answer.ts',
    find: `isRemoteErrorCode(code) ? { code, message } : { code: 'EINTERNAL', message: \`\${code}: \${message}\` },`,
    replace: `({ code: isRemoteErrorCode(code) ? code : 'EBUSY', message }),`,
    tests: VERSIONS,
  },
  {
    name: 'every object has the methods of the registry',
    file: 'transport/wire/messages/registry.ts',
    find: 'return Object.hasOwn(REGISTRY, name)',
    replace: 'return name in REGISTRY',
    tests: ENDPOINT,
  },
  {
    name: 'a heartbeat is read as a read request',
    file: 'transport/wire/messages/registry.ts',
    find: '  heartbeat,\n',
    replace: '  heartbeat: readIndex,\n',
    tests: CODEC,
  },
  {
    name: 'the answer to a pre-vote is read like its question',
    file: 'transport/wire/messages/pre-vote.ts',
    find: '  ...requestVote,\n',
    replace: '  ...requestVote,\n  answer: requestVote.request,\n',
    tests: CODEC,
  },
  {
    name: 'a heartbeat may not be as large as entries',
    file: 'transport/wire/messages/heartbeat.ts',
    find: '  ...appendEntries,\n',
    replace: '  ...appendEntries,\n  frame: { ...appendEntries.frame, maxBytes: 4096 },\n',
    tests: LIMITS,
  },
  {
    name: 'more of a file is taken than was allowed',
    file: 'transport/wire/messages/get-file.ts',
    find: 'data.length <= MAX_PIECE_BYTES,',
    replace: 'data.length <= 2 * MAX_PIECE_BYTES,',
    tests: ['test/transport/wire/snapshot-messages.test.ts'],
  },
  {
    name: 'nothing of a file may be asked for',
    file: 'transport/wire/messages/get-file.ts',
    find: 'z.int().min(1).max(MAX_PIECE_BYTES)',
    replace: 'z.int().min(0).max(MAX_PIECE_BYTES)',
    tests: ['test/transport/wire/snapshot-messages.test.ts'],
  },
  {
    name: 'old and new members of an offer exchanged',
    file: 'transport/wire/messages/install-snapshot.ts',
    find: '    offer.peers,\n    offer.oldPeers,',
    replace: '    offer.oldPeers,\n    offer.peers,',
    tests: CODEC,
  },
  {
    name: 'an offer with more members than a group can have',
    file: 'transport/wire/messages/install-snapshot.ts',
    find: 'z.array(MEMBER).max(MAX_MEMBERS)',
    replace: 'z.array(MEMBER).max(2 * MAX_MEMBERS)',
    tests: ['test/transport/wire/snapshot-messages.test.ts'],
  },
  {
    name: 'a heartbeat of no term is read among those of other groups',
    file: 'transport/wire/messages/beats.ts',
    find: 'if (term < 1 || prevLogTerm > term) return null',
    replace: '',
    tests: ['test/transport/wire/beats.test.ts'],
  },
  {
    name: 'any number of groups fits a message',
    file: 'transport/wire/messages/beats.ts',
    find: ' && value.length <= MAX_GROUPS_PER_MESSAGE && value.every(isRow)',
    replace: ' && value.every(isRow)',
    tests: ['test/transport/wire/beats.test.ts'],
  },
  {
    name: 'who is read-only does not say so among other groups',
    file: 'transport/wire/messages/beats.ts',
    find: '(readonly ? READONLY : 0)',
    replace: '0',
    tests: ['test/transport/wire/beats.test.ts'],
  },
  {
    name: 'every answer may be as large as a piece of a file',
    file: 'transport/wire/response-codec.ts',
    find: 'const opened = openTuple(bytes, answerFrame)',
    replace: 'const opened = openTuple(bytes, MESSAGES.get_file.answerFrame)',
    tests: ['test/transport/wire/snapshot-messages.test.ts'],
  },
]
