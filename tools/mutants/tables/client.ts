// Planted bugs in what a client remembers, whom it asks and what it tells its caller.
//
// What could be wrong, file by file:
//   client        a limit is off by one, a write is repeated, a read goes to the wrong members, a closed one goes on
//   errors        an outcome is better than is true, or says to try again what must not be
//   lane          what is unknown is sent again, what was refused is not, an answer counts for another, time never ends
//   leader-route  an old term wins, a silent leader is kept or a busy one left, a follower's word counts, a search stays
//   requester     answers cross, a subscription stays, what did not leave is waited for
//   route         a member is taken for silent, or for heard
//   session       a copy passes for another command, or two commands for copies; a closed one goes on, a forgotten one ends
//   status        another group's member counts, an old leader is named, who is missing is not

import type { Mutant } from '../mutant.ts'

const CLIENT = ['test/client/client.test.ts']
const LIMITS = ['test/client/limits.test.ts']
const SESSIONS = ['test/commands/sessions.test.ts']
const SILENT = ['test/client/silent-leader.test.ts']
const STATUS = ['test/client/status.test.ts']

export const CLIENT_MUTANTS: readonly Mutant[] = [
  {
    name: 'an operation as large as the bus takes is refused',
    file: 'client/client.ts',
    find: 'bytes <= maxBytes) return',
    replace: 'bytes < maxBytes) return',
    tests: LIMITS,
  },
  {
    name: 'a write without an answer is sent again',
    file: 'client/client.ts',
    find: '    repeatable: false,\n    attemptTimeoutMs: timeoutMs,',
    replace: '    repeatable: true,\n    attemptTimeoutMs: timeoutMs / READ_ATTEMPTS,',
    expect: ['INV-14'],
    hint: { via: 'bus' },
  },
  {
    name: 'local reads are asked of the leader',
    file: 'client/client.ts',
    find: "(level === 'local' ? 'nearest' : 'leader')",
    replace: "(level === 'lease' ? 'leader' : 'leader')",
    tests: [...CLIENT, ...LIMITS],
  },
  {
    name: 'linearizable reads are asked of anybody, as local ones',
    file: 'client/client.ts',
    find: 'encodeMessage([CLIENT_PROTOCOL_VERSION, name, level, queries])',
    replace: "encodeMessage([CLIENT_PROTOCOL_VERSION, name, level === 'lease' ? 'lease' : 'local', queries])",
    expect: ['INV-14'],
    hint: { via: 'bus' },
  },
  {
    name: 'a closed client goes on asking',
    file: 'client/client.ts',
    find: "if (closed) throw new QuorateError('SHUTDOWN', 'The client is closed.')",
    replace: '',
    tests: CLIENT,
  },
  {
    name: 'more operations are sent than answers fit the bus',
    file: 'client/client.ts',
    find: '(maxPayloadBytes - MESSAGE_OVERHEAD_BYTES) / MIN_ANSWER_BYTES',
    replace: '(maxPayloadBytes - MESSAGE_OVERHEAD_BYTES) / MIN_ANSWER_BYTES + 1',
    tests: LIMITS,
  },
  {
    name: 'a write without an answer is said not to be applied',
    file: 'client/errors.ts',
    find: "const unanswered = write ? 'unknown' : 'not-applied'",
    replace: "const unanswered = write ? 'not-applied' : 'unknown'",
    expect: ['INV-14'],
    hint: { via: 'bus' },
  },
  {
    name: 'closing says of what was sent that it was not',
    file: 'client/errors.ts',
    find: "outcome: sent ? unanswered : 'not-applied'",
    replace: "outcome: sent ? 'not-applied' : unanswered",
    tests: LIMITS,
  },
  {
    name: 'an answer that makes no sense says that nothing was applied',
    file: 'client/errors.ts',
    find: '        outcome: unanswered,\n      }),\n    closed',
    replace: "        outcome: 'not-applied',\n      }),\n    closed",
    tests: CLIENT,
  },
  {
    name: 'what is unknown is sent again',
    file: 'client/lane.ts',
    find: "if (error.outcome !== 'not-applied' && !this.#options.repeatable) return false",
    replace: "if (error.outcome === 'applied' && !this.#options.repeatable) return false",
    expect: ['INV-14'],
    hint: { via: 'bus' },
  },
  {
    name: 'writes under way to a silent leader are sent to the next',
    file: 'client/lane.ts',
    find: '    if (!this.#options.repeatable) return\n    for (const flight',
    replace: '    for (const flight',
    expect: ['INV-14'],
    hint: { via: 'bus' },
  },
  {
    name: 'what was refused is not tried again',
    file: 'client/lane.ts',
    find: 'return error.retryableIfIdempotent || TRANSIENT.has(error.code)',
    replace: 'return false',
    tests: CLIENT,
  },
  {
    name: 'at its deadline an operation still has time',
    file: 'client/lane.ts',
    find: 'if (operation.deadlineMs > nowMs) return true',
    replace: 'if (operation.deadlineMs >= nowMs) return true',
    also: [
      {
        file: 'client/lane.ts',
        find: 'operations.every(({ deadlineMs }) => deadlineMs > nowMs)',
        replace: 'operations.every(({ deadlineMs }) => deadlineMs >= nowMs)',
      },
    ],
    tests: LIMITS,
  },
  {
    name: 'a message is cut one byte too early',
    file: 'client/lane.ts',
    find: 'bytes + size > limits.bytes',
    replace: 'bytes + size >= limits.bytes',
    tests: LIMITS,
  },
  {
    name: 'a message takes one operation too many',
    file: 'client/lane.ts',
    find: 'at - first >= limits.operations',
    replace: 'at - first > limits.operations',
    tests: LIMITS,
  },
  {
    name: 'closing forgets those who wait for their next attempt',
    file: 'client/lane.ts',
    find: '      clock.clearTimeout(timer)\n      for (const operation of operations) operation.reject(errors.closed(false))',
    replace: '      clock.clearTimeout(timer)\n      operations.at(-1)?.reject(errors.closed(false))',
    tests: LIMITS,
  },
  {
    name: 'an answer to an earlier attempt counts for the next',
    file: 'client/lane.ts',
    find: '  #land(flight: Flight<T>): void {\n    flight.request?.close()\n',
    replace: '  #land(flight: Flight<T>): void {\n',
    tests: LIMITS,
  },
  {
    name: 'a member that has lost its files is asked for ever',
    file: 'client/leader-route.ts',
    find: '      if (id === known && leader !== id) this.#moveTo(null, this.#term)\n',
    replace: '',
    tests: SILENT,
  },
  {
    name: 'a leader of an earlier term takes the place of a later one',
    file: 'client/leader-route.ts',
    find: 'if (term < this.#term) {',
    replace: 'if (term < 0) {',
    also: [
      {
        file: 'client/leader-route.ts',
        find: 'else if (known === null || term > this.#term) this.#moveTo(leader, term)',
        replace: 'else this.#moveTo(leader, term)',
      },
    ],
    tests: SILENT,
  },
  {
    name: 'the word of a follower makes a leader',
    file: 'client/leader-route.ts',
    find: "if (member?.role !== 'leader') return",
    replace: "if (member === undefined || member.role === 'candidate') return",
    tests: SILENT,
  },
  {
    name: 'a silent leader is never left',
    file: 'client/leader-route.ts',
    find: 'current.silent = true\n',
    replace: 'current.silent = false\n',
    tests: SILENT,
  },
  {
    name: 'a closed client goes on looking for a leader',
    file: 'client/leader-route.ts',
    find: '    this.#endSearch()\n    if (this.#timer !== null) this.#options.clock.clearTimeout(this.#timer)',
    replace: '    this.#endSearch()',
    tests: LIMITS,
  },
  {
    name: 'a client stays with a member that is gone',
    file: 'client/leader-route.ts',
    find: 'if (to === this.#current && to.leader !== null) this.#moveTo(null, 0)',
    replace: 'if (to === this.#current && to.leader === null) this.#moveTo(null, 0)',
    tests: SILENT,
  },
  {
    name: 'answers of two clients on one connection cross',
    file: 'client/requester.ts',
    find: 'opened += 1',
    replace: 'opened = 1',
    tests: LIMITS,
  },
  {
    name: 'answers of one client cross',
    file: 'client/requester.ts',
    find: 'const token = this.#asked.toString(36)',
    replace: 'const token = (this.#asked % 2).toString(36)',
    tests: [...CLIENT, ...LIMITS],
  },
  {
    name: 'a closed client keeps its subscription',
    file: 'client/requester.ts',
    find: '    this.#waiting.clear()\n    this.#subscription.unsubscribe()',
    replace: '    this.#waiting.clear()',
    tests: LIMITS,
  },
  {
    name: 'what did not leave is waited for',
    file: 'client/requester.ts',
    find: 'if (!this.#transport.publish(subject, payload, this.#inbox + token)) {',
    replace: 'if (!this.#transport.publish(subject, payload, this.#inbox + token) && token === "") {',
    tests: CLIENT,
  },
  {
    name: 'every member is taken for silent at first',
    file: 'client/route.ts',
    find: '  silent = false',
    replace: '  silent = true',
    tests: SILENT,
  },
  {
    name: 'one request too many is thought to be under way',
    file: 'client/route.ts',
    find: '  waiting = 0',
    replace: '  waiting = 1',
    tests: LIMITS,
  },
  {
    name: 'local reads have nowhere to go',
    file: 'client/route.ts',
    find: 'choose: () => destination,',
    replace: 'choose: () => (destination.silent ? destination : null),',
    tests: CLIENT,
  },
  {
    name: 'a member of another group counts',
    file: 'client/status.ts',
    find: 'if (member === undefined || member.group !== group) return',
    replace: 'if (member === undefined) return',
    tests: STATUS,
  },
  {
    name: 'a leader of an earlier term is named',
    file: 'client/status.ts',
    find: "member.role === 'leader' && member.term === newest?.term",
    replace: "member.role === 'leader' && member.term <= (newest?.term ?? 0)",
    tests: STATUS,
  },
  {
    name: 'whoever is leaving need not answer',
    file: 'client/status.ts',
    find: '[...member.peers, ...member.oldPeers, ...member.learners]',
    replace: '[...member.peers, ...member.learners]',
    tests: STATUS,
  },
  {
    name: 'a group that is not there is waited for',
    file: 'client/status.ts',
    find: 'if (reply.noResponders) return finish()',
    replace: 'if (reply.noResponders) return',
    tests: STATUS,
  },
  {
    name: 'a closed session goes on',
    file: 'client/session.ts',
    find: "if (this.#closed) throw new QuorateError('SHUTDOWN', 'The session is closed.')",
    replace: '',
    tests: SESSIONS,
  },
  {
    name: 'a session that was forgotten is not begun anew',
    file: 'client/session.ts',
    find: 'if (this.#id === id) await this.begin()',
    replace: 'throw error',
    tests: SESSIONS,
  },
  {
    name: 'two commands of a session pass for copies of one',
    file: 'client/session.ts',
    find: 'const sequence = ++this.#sequence',
    replace: 'const sequence = this.#sequence + 1',
    tests: SESSIONS,
  },
]
