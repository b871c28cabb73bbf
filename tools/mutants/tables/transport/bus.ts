// Planted bugs in subjects, permissions, and the two buses.

import type { Mutant } from '../../mutant.ts'

const SUBJECTS = ['test/transport/subjects.test.ts']
const PERMISSIONS = ['test/transport/permissions.test.ts']
const NATS_LIKE = ['test/transport/nats/nats-like.test.ts']
const NATS = ['test/transport/nats/nats.test.ts']
const TRIE = ['test/transport/memory/subject-trie.test.ts']
const CONFORMANCE = ['test/transport/conformance.test.ts']

export const BUS_MUTANTS: readonly Mutant[] = [
  {
    name: 'names of 65 letters',
    file: 'transport/subjects.ts',
    find: 'length > MAX_TOKEN_LENGTH',
    replace: 'length > MAX_TOKEN_LENGTH + 1',
    tests: SUBJECTS,
  },
  {
    name: 'prefixes of 129 characters',
    file: 'transport/subjects.ts',
    find: 'text.length <= MAX_PREFIX_LENGTH',
    replace: 'text.length <= MAX_PREFIX_LENGTH + 1',
    tests: SUBJECTS,
  },
  {
    name: 'a subject may end the line',
    file: 'transport/subjects.ts',
    find: 'if (code <= 32 || code === 127) return false',
    replace: 'if (code === 32) return false',
    tests: SUBJECTS,
  },
  {
    name: 'a wildcard may be published to',
    file: 'transport/subjects.ts',
    find: 'if (tokenStart && (code === 42 || code === 62)',
    replace: 'if (tokenStart && code === 42',
    tests: SUBJECTS,
  },
  {
    name: 'a member may speak in the name of another',
    file: 'transport/permissions.ts',
    find: `.*.rpc.\${name}.*\``,
    replace: '.*.rpc.*.*`',
    tests: SUBJECTS,
  },
  {
    name: 'a client may speak as a member',
    file: 'transport/permissions.ts',
    find: `publish: [\`\${scope}.*.client.*\`,`,
    replace: `publish: [\`\${scope}.>\`,`,
    tests: PERMISSIONS,
  },
  {
    name: 'a member may speak as another',
    file: 'transport/permissions.ts',
    find: `\`\${scope}.*.rpc.\${name}.*\``,
    replace: `\`\${scope}.*.rpc.*.*\``,
    tests: PERMISSIONS,
  },
  {
    name: 'a member may answer for another',
    file: 'transport/permissions.ts',
    find: `rpcAnswerHead(\`\${inboxOf(member)}.*\`, name)`,
    replace: `rpcAnswerHead(\`\${inboxOf(member)}.*\`, '*')`,
    tests: PERMISSIONS,
  },
  {
    name: 'an answer is believed where another member was to answer',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: 'if (head.length !== tokenAt || !message.subject.startsWith(head)) {',
    replace: 'if (head.length > message.subject.length) {',
    tests: ['test/transport/rpc/rpc-endpoint.test.ts'],
  },
  {
    name: 'any public key passes for the one of a user',
    file: 'transport/nats/nkeys.ts',
    find: "text.startsWith('U') && fromPublic(text).getPublicKey() === text",
    replace: "text.startsWith('U')",
    tests: ['test/transport/nats/nkeys.test.ts'],
  },
  {
    name: 'any seed passes for the one of a user',
    file: 'transport/nats/nkeys.ts',
    find: 'return isUserPublicKey(key) ? key : undefined',
    replace: 'return key',
    tests: ['test/transport/nats/nkeys.test.ts'],
  },
  {
    name: 'one listener keeps a status from the next',
    file: 'transport/status-feed.ts',
    find: 'sheltered(() => handler(status), this.#report)',
    replace: 'handler(status)',
    tests: NATS_LIKE,
  },
  {
    name: 'a listener that left is told',
    file: 'transport/status-feed.ts',
    find: 'return () => void this.#handlers.delete(own)',
    replace: 'return () => void this.#handlers.delete(handler)',
    tests: ['test/transport/status-feed.test.ts'],
  },
  {
    name: 'a message is sent before the connection is back',
    file: 'transport/nats/nats-transport.ts',
    find: 'if (!this.#feed.current.connected || info === undefined || payload.length > info.max_payload) return false',
    replace: 'if (info !== undefined && payload.length > info.max_payload) return false',
    tests: NATS_LIKE,
  },
  {
    name: 'a payload of exactly what the server takes is refused',
    file: 'transport/nats/nats-transport.ts',
    find: 'payload.length > info.max_payload',
    replace: 'payload.length >= info.max_payload',
    tests: ['test/transport/nats/limits.test.ts'],
  },
  {
    name: 'the caller’s bytes are sent as they are later',
    file: 'transport/nats/nats-transport.ts',
    find: 'const copy = new Uint8Array(payload)',
    replace: 'const copy = payload',
    tests: CONFORMANCE,
  },
  {
    name: 'a refused subscription is not asked for again',
    file: 'transport/nats/nats-transport.ts',
    find: 'for (const registration of this.#registrations) if (registration.refused) this.#attach(registration)',
    replace: '',
    tests: NATS,
  },
  {
    name: 'a handler that throws ends the reader',
    file: 'transport/nats/nats-transport.ts',
    find: `    sheltered(
      () => handler({ subject, payload, replyTo, noResponders: isNoResponders(message) }),
      (error) => this.#logger.error({ subject, error }, 'The handler of a subscription threw.'),
    )`,
    replace: '    handler({ subject, payload, replyTo, noResponders: isNoResponders(message) })',
    tests: NATS_LIKE,
  },
  {
    name: 'a connection that was handed in is closed',
    file: 'transport/nats/nats-transport.ts',
    find: 'if (this.#owned) await',
    replace: 'await',
    tests: NATS,
  },
  {
    name: 'a forbidden subject fills the log',
    file: 'transport/nats/nats-transport.ts',
    find: 'if (nowMs - loggedAtMs < VIOLATION_LOG_INTERVAL_MS) return',
    replace: '',
    tests: ['test/transport/nats/limits.test.ts'],
  },
  {
    name: 'an empty answer with a status is no answer of the bus',
    file: 'transport/nats/nats-like.ts',
    find: 'message.headers?.code === NO_RESPONDERS',
    replace: 'message.headers?.code === 404',
    tests: NATS,
  },
  {
    name: 'an empty message counts as nobody there',
    file: 'transport/nats/nats-like.ts',
    find: 'return message.data.length === 0 && message.headers?.code === NO_RESPONDERS',
    replace: 'return message.data.length === 0',
    tests: NATS_LIKE,
  },
  {
    name: 'what the third version forbids is not understood',
    file: 'transport/nats/nats-like.ts',
    find: "if ('error' in source) return permissionViolationOf(source.error)",
    replace: '',
    tests: NATS_LIKE,
  },
  {
    name: 'wrong credentials are tried for ever',
    file: 'transport/nats/connect-nats.ts',
    find: "  'AUTHORIZATION_VIOLATION',\n",
    replace: '',
    tests: NATS,
  },
  {
    name: 'nobody is told that no server is there',
    file: 'transport/nats/connect-nats.ts',
    find: `      logger.warn(
        { servers, attempt, error: why, retryMs },`,
    replace: `      logger.debug(
        { servers, attempt, error: why, retryMs },`,
    tests: NATS,
  },
  {
    name: 'giving up does not end the waiting',
    file: 'transport/nats/connect-nats.ts',
    find: '    requireNotAborted(signal, servers)\n    try {',
    replace: '    try {',
    tests: NATS,
  },
  {
    name: 'a message of the bus is delivered inside of publish',
    file: 'transport/memory/memory-bus.ts',
    find: 'if (this.#queue.length === 1) this.#clock.defer(() => this.#flush())',
    replace: 'this.#flush()',
    tests: CONFORMANCE,
  },
  {
    name: 'everybody of a queue group gets the message',
    file: 'transport/memory/memory-bus.ts',
    find: 'const chosen = members[this.#turn % members.length]\n    if (chosen !== undefined) deliver(chosen)',
    replace: 'for (const chosen of members) deliver(chosen)',
    tests: CONFORMANCE,
  },
  {
    name: 'the bus of the process takes one byte too many',
    file: 'transport/memory/memory-connection.ts',
    find: 'payload.length > this.#bus.maxPayloadBytes',
    replace: 'payload.length > this.#bus.maxPayloadBytes + 1',
    tests: CONFORMANCE,
  },
  {
    name: 'what was sent before a disconnection comes after it',
    file: 'transport/memory/memory-connection.ts',
    find: '    receiver.live = false\n',
    replace: '',
    tests: CONFORMANCE,
  },
  {
    name: 'a last wildcard matches nothing more as well',
    file: 'transport/memory/subject-trie.ts',
    find: '  if (dot < 0) for (const item of child.here) visit(item)\n',
    replace: '  if (dot < 0) for (const item of [...child.here, ...child.below]) visit(item)\n',
    tests: CONFORMANCE,
  },
  {
    name: 'one subscription that ends takes its neighbors with it',
    file: 'transport/memory/subject-trie.ts',
    find: 'return node.here.size === 0 && node.below.size === 0 && node.children.size === 0',
    replace: 'return node.here.size === 0',
    tests: TRIE,
  },
]
