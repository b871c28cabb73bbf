// Planted bugs in what members answer to clients and operators.
//
// What could be wrong, file by file:
//   answers       an answer takes another's place, is given twice, does not fit, or says worse or better than is true
//   attach        a former or failed leader listens on, a leader does not, something stays behind when it is taken off
//   endpoint      answers where it must not, subscribes twice, floods the log, lets one request end the next
//   lost-result   says that nothing was applied where something was
//   member-port   the fast way is there and not used, what a completion throws is nobody's, an option is dropped
//   micro         answers where it must not, goes on after the end, counts nonsense
//   operations    foreign bytes reach the log, too much is begun, an outcome or a position is another one
//   standing      a failed leader names itself, a term is remembered wrongly, it listens on after the end

import type { Mutant } from '../mutant.ts'

const ANSWERS = ['test/services/answers.test.ts']
const ATTACH = ['test/services/attach.test.ts']
const REQUESTS = ['test/services/requests.test.ts']
const CLIENT = ['test/client/client.test.ts']

export const SERVICES_MUTANTS: readonly Mutant[] = [
  {
    name: 'whoever was removed answers what is asked of any member',
    file: 'services/operations.ts',
    find: '  if (member.isMember()) return handleRead(request, context)',
    replace: '  if (member !== null) return handleRead(request, context)',
    tests: ['test/services/strangers.test.ts'],
  },
  {
    name: 'the word of a removed member counts before that of a member',
    file: 'client/status.ts',
    find: 'isOne(b) - isOne(a) || ',
    replace: '',
    tests: ['test/services/strangers.test.ts'],
  },
  {
    name: 'a result that cannot be carried is nobody’s error',
    file: 'services/answers.ts',
    find: 'return { ok: false, error: lostResult(error, whenLost) }',
    replace: 'throw error',
    tests: ANSWERS,
  },
  {
    name: 'a second answer to an operation takes the first one’s place',
    file: 'services/answers.ts',
    find: 'if (this.#answers[at] !== undefined) return\n',
    replace: '',
    tests: ANSWERS,
  },
  {
    name: 'one byte less than the answers need is taken for enough',
    file: 'services/answers.ts',
    find: '+ MESSAGE_OVERHEAD_BYTES <= maxBytes',
    replace: '+ MESSAGE_OVERHEAD_BYTES <= maxBytes + 1',
    tests: ANSWERS,
  },
  {
    name: 'an error that does not fit becomes one that says applied',
    file: 'services/answers.ts',
    find: 'if (!whole.ok) return errorTuple(',
    replace: 'if (!whole.ok && whole.error.outcome === whenLost) return errorTuple(',
    tests: ANSWERS,
  },
  {
    name: 'what user code calls an error of ours is believed',
    file: 'services/answers.ts',
    find: 'isQuorateError(thrown) && isSoundError(thrown)',
    replace: 'isQuorateError(thrown) && isSoundError(new QuorateError("BUSY", ""))',
    tests: ANSWERS,
  },
  {
    name: 'results are not counted against the room of a message',
    file: 'services/answers.ts',
    find: 'leftBytes -= beyondBytes',
    replace: 'leftBytes -= 0',
    tests: ANSWERS,
  },
  {
    name: 'the first to answer answers for all of its message',
    file: 'services/answers.ts',
    find: 'if (this.#missing === 0) this.#done(this.#answers)',
    replace: 'if (this.#missing < 2) this.#done(this.#answers)',
    tests: ANSWERS,
  },
  {
    name: 'a former leader stops listening at once',
    file: 'services/attach.ts',
    find: 'const LEADER_LINGER_MS = 100',
    replace: 'const LEADER_LINGER_MS = 1',
    tests: ATTACH,
  },
  {
    name: 'a former leader listens for ever',
    file: 'services/attach.ts',
    find: '        lingering = null\n        for (const each of endpoints) each.close()',
    replace: '        lingering = null',
    expect: ['INV-0'],
    hint: { via: 'bus' },
  },
  {
    name: 'only who becomes a follower stops listening as leader',
    file: 'services/attach.ts',
    find: "else if (change.from === 'leader') {",
    replace: "else if (change.from === 'leader' && change.to === 'follower') {",
    tests: ATTACH,
  },
  {
    name: 'who leads again is silenced by the end of the office before',
    file: 'services/attach.ts',
    find: '    stopLingering()\n    for (const each of endpoints) each.open()',
    replace: '    for (const each of endpoints) each.open()',
    tests: ATTACH,
  },
  {
    name: 'services that come after the election never listen as leader',
    file: 'services/attach.ts',
    find: "if (node.status().role === 'leader') leads()",
    replace: "if (node.status().role === 'candidate') leads()",
    tests: ATTACH,
  },
  {
    name: 'a timer goes on when services are detached',
    file: 'services/attach.ts',
    find: '  return () => {\n    stopLingering()\n    stop()',
    replace: '  return () => {\n    stop()',
    tests: ATTACH,
  },
  {
    name: 'a member that is taken off the bus goes on listening as leader',
    file: 'services/attach.ts',
    find: 'for (const each of [...forAll, ...forLeader]) each.close()',
    replace: 'for (const each of forAll) each.close()',
    expect: ['INV-24'],
    hint: { via: 'bus' },
  },
  {
    name: 'an answer is given wherever it is wanted',
    file: 'services/endpoint.ts',
    find: 'if (!mayAnswerAt(prefix, replyTo)) {',
    replace: "if (!mayAnswerAt('', replyTo)) {",
    tests: REQUESTS,
  },
  {
    name: 'an endpoint that is opened twice answers twice',
    file: 'services/endpoint.ts',
    find: 'if (this.#subscriptions.length > 0) return',
    replace: '',
    tests: ATTACH,
  },
  {
    name: 'every refused request is logged',
    file: 'services/endpoint.ts',
    find: 'this.#silentUntilMs = clock.nowMs() + LOG_INTERVAL_MS',
    replace: 'this.#silentUntilMs = clock.nowMs() + LOG_INTERVAL_MS - 1',
    tests: ATTACH,
  },
  {
    name: 'what was silent is counted again the next time',
    file: 'services/endpoint.ts',
    find: '    this.#silenced = 0\n  }',
    replace: '  }',
    tests: ATTACH,
  },
  {
    name: 'a handler that throws is not counted',
    file: 'services/endpoint.ts',
    find: 'this.countError(messageOf(error))',
    replace: 'messageOf(error)',
    tests: ATTACH,
  },
  {
    name: 'a lost result says that nothing was applied',
    file: 'services/lost-result.ts',
    find: '    outcome,\n',
    replace: '',
    tests: ANSWERS,
  },
  {
    name: 'a result that is too large has no code of its own',
    file: 'services/lost-result.ts',
    find: "thrown.code === 'TOO_LARGE' ? 'TOO_LARGE' : 'STATE_MACHINE'",
    replace: "thrown.code === 'INVALID' ? 'TOO_LARGE' : 'STATE_MACHINE'",
    tests: ANSWERS,
  },
  {
    name: 'nobody learns why a result was lost',
    file: 'services/lost-result.ts',
    find: 'messageOf(thrown)',
    replace: "messageOf('')",
    tests: ANSWERS,
  },
  {
    name: 'the port of a node is not used',
    file: 'services/member-port.ts',
    find: 'hasPort(node) ? node[MEMBER_PORT] : portByPromises(node)',
    replace: 'hasPort(node) ? portByPromises(node) : portByPromises(node)',
    tests: CLIENT,
  },
  {
    name: 'a completion that throws takes others with it',
    file: 'services/member-port.ts',
    find: '    sheltered(() => done(outcome), report)',
    replace: '    done(outcome)',
    tests: REQUESTS,
  },
  {
    name: 'a node that throws leaves its caller without an answer',
    file: 'services/member-port.ts',
    find: '        () => port.query(query, level, settle),\n        (error) => settle({ ok: false, error }),',
    replace: '        () => port.query(query, level, settle),\n        () => {},',
    tests: REQUESTS,
  },
  {
    name: 'every read is one by read index',
    file: 'services/member-port.ts',
    find: 'node.read(query, { level })',
    replace: "node.read(query, { level: level === 'local' ? 'readIndex' : 'readIndex' })",
    tests: CLIENT,
  },
  {
    name: 'discovery answers where members are believed',
    file: 'services/micro.ts',
    find: 'if (!mayAnswerAt(service.prefix, message.replyTo)) return',
    replace: 'if (!mayAnswerAt(service.name, message.replyTo.slice(1))) return',
    tests: REQUESTS,
  },
  {
    name: 'discovery goes on after the end',
    file: 'services/micro.ts',
    find: 'for (const subscription of subscriptions) subscription.unsubscribe()',
    replace: 'subscriptions[0]?.unsubscribe()',
    tests: ATTACH,
  },
  {
    name: 'an endpoint that nobody asked has no average',
    file: 'services/micro.ts',
    find: 'requests === 0 ? 0 : Math.round(processingTime / requests)',
    replace: 'Math.round(processingTime / requests)',
    tests: ATTACH,
  },
  {
    name: 'commands of others reach the log whatever they are',
    file: 'services/operations.ts',
    find: '    if (refused === undefined) {\n      context.member.propose',
    replace: "    if (refused !== 'EMPTY') {\n      context.member.propose",
    tests: REQUESTS,
  },
  {
    name: 'queries of others reach the machine whatever they are',
    file: 'services/operations.ts',
    find: 'if (refused === undefined && query.ok) {',
    replace: 'if (query.ok) {',
    tests: REQUESTS,
  },
  {
    name: 'operations are carried out whose answers never fit',
    file: 'services/operations.ts',
    find: 'canAnswer(operations.length, transport.status().maxPayloadBytes)',
    replace: 'canAnswer(operations.length - 1, transport.status().maxPayloadBytes)',
    tests: REQUESTS,
  },
  {
    name: 'a lost answer of a read says applied',
    file: 'services/operations.ts',
    find: "collect(queries.length, request, 'not-applied', context)",
    replace: "collect(queries.length, request, 'applied', context)",
    tests: REQUESTS,
  },
  {
    name: 'index and term change places',
    file: 'services/operations.ts',
    find: '[outcome.index, outcome.term]',
    replace: '[outcome.term, outcome.index]',
    tests: CLIENT,
  },
  {
    name: 'a leader that failed names itself',
    file: 'services/standing.ts',
    find: 'leader: leader === id && !leads ? null : leader',
    replace: 'leader',
    tests: ATTACH,
  },
  {
    name: 'the term of a new leader is not noted',
    file: 'services/standing.ts',
    find: "node.on('leader', ({ leader, term }) => know(leader, term))",
    replace: "node.on('leader', ({ leader }) => know(leader, now.term))",
    tests: ATTACH,
  },
  {
    name: 'the term of an office is not noted',
    file: 'services/standing.ts',
    find: 'know(leads ? id : now.leader, term)',
    replace: 'know(leads ? id : now.leader, leads ? now.term : term)',
    tests: ATTACH,
  },
  {
    name: 'a member listens to its node after the end',
    file: 'services/standing.ts',
    find: 'for (const stop of stops) stop()',
    replace: 'stops[0]?.()',
    tests: ATTACH,
  },
]
