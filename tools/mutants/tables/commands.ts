// Planted bugs in what stands around a command: sessions, the time of entries, envelopes.
//
// What could be wrong, file by file:
//   rules/session    a copy is carried out again, what is known is refused, a session lives too long or too short
//   session-table    results are forgotten too soon, sessions of others go, the bounds do not hold
//   command-machine  sessions are not in snapshots, the time goes back, a result is kept that nobody can send
//   entry-clock      a new leader's time jumps, stands still, goes back, or is that of the wall
//   envelope         what no client may send gets into the log, the time lands beside its place
//   client/session   an outcome is better than is true, what may be applied is sent in a new session, results are called in too soon

import type { Mutant } from '../mutant.ts'

const RULE = ['test/rules/session.test.ts']
const SESSIONS = ['test/commands/sessions.test.ts']
const CLOCK = ['test/commands/entry-clock.test.ts']
const MARKS = ['test/commands/command-marks.test.ts']
const ASKING = ['test/client/asking.test.ts']
const ENVELOPE = ['test/transport/wire/envelope.test.ts']
const BUS = { via: 'bus' } as const

export const COMMAND_MUTANTS: readonly Mutant[] = [
  {
    name: 'a command of a session is carried out again',
    file: 'rules/session.ts',
    find: "return session.knows(sequence) ? 'repeat' : 'apply'",
    replace: "return 'apply'",
    expect: ['INV-27', 'INV-14'],
    hint: BUS,
  },
  {
    name: 'sessions are left out of snapshots',
    file: 'commands/command-machine.ts',
    find: 'if (ledger.timeMs > 0) void writer.addFile(',
    replace: 'if (ledger.timeMs < 0) void writer.addFile(',
    tests: SESSIONS,
  },
  {
    name: 'what is acknowledged is carried out once more',
    file: 'rules/session.ts',
    find: "if (sequence <= session.acknowledged) return 'stale'",
    replace: "if (sequence < session.acknowledged) return 'stale'",
    tests: RULE,
  },
  {
    name: 'a session never expires',
    file: 'rules/session.ts',
    find: 'return timeMs - session.lastUsedMs > session.idleMs',
    replace: 'return timeMs - session.lastUsedMs > 1000 * session.idleMs',
    expect: ['INV-27'],
    hint: BUS,
  },
  {
    name: 'a session that nobody knows begins by itself',
    file: 'rules/session.ts',
    find: 'if (session === null || hasExpired(session, timeMs))',
    replace: 'if (session !== null && hasExpired(session, timeMs))',
    also: [
      {
        file: 'rules/session.ts',
        find: 'if (sequence <= session.acknowledged)',
        replace: "if (session === null) return 'apply'\n  if (sequence <= session.acknowledged)",
      },
    ],
    tests: RULE,
  },
  {
    name: 'the session does not hear that it is used',
    file: 'commands/session-table.ts',
    find: 'session.lastUsedMs = Math.max(session.lastUsedMs, timeMs)',
    replace: 'session.lastUsedMs += 0 * timeMs',
    expect: ['INV-27', 'INV-7', 'INV-0'],
    hint: BUS,
  },
  {
    name: 'results are forgotten before their client has them',
    file: 'commands/session-table.ts',
    find: 'session.forgetUpTo(Math.min(acknowledged, sequence - 1))',
    replace: 'session.forgetUpTo(sequence - 1 + 0 * acknowledged)',
    tests: ['test/commands/session-table.test.ts'],
  },
  {
    name: 'a greedy session costs the others',
    file: 'commands/session-table.ts',
    find: 'if (session.results.size > MAX_RESULTS || session.bytes > MAX_SESSION_BYTES) this.#remove(session)',
    replace: '',
    tests: ['test/commands/session-table.test.ts'],
  },
  {
    name: 'sessions are kept without end',
    file: 'commands/session-table.ts',
    find: 'if (this.#sessions.size <= MAX_SESSIONS && this.#bytes <= MAX_KEPT_BYTES) return',
    replace: 'return',
    tests: ['test/commands/session-table.test.ts'],
  },
  {
    name: 'the time of entries goes back',
    file: 'commands/command-machine.ts',
    find: 'this.#timeMs = Math.max(this.#timeMs, at.timeMs)',
    replace: 'this.#timeMs = at.timeMs',
    tests: ['test/commands/command-machine.test.ts'],
  },
  {
    name: 'a result that is repeated has no value',
    file: 'commands/command-machine.ts',
    find: 'result === undefined ? [0] : [0, result]',
    replace: '[0]',
    expect: ['INV-14', 'ERROR'],
    hint: BUS,
  },
  {
    name: 'what a machine answers later is not kept',
    file: 'commands/command-machine.ts',
    find: 'if (isThenable(result)) return new Noted(result,',
    replace: 'if (isThenable(result)) return result\n    if (isThenable(result)) return new Noted(result,',
    tests: ['test/commands/command-machine.test.ts'],
  },
  {
    name: 'a new leader takes the time from its wall',
    file: 'commands/entry-clock.ts',
    find: 'if (this.#offsetMs === Number.NEGATIVE_INFINITY)',
    replace: 'if (this.#offsetMs !== 0)',
    tests: CLOCK,
  },
  {
    name: 'an entry that lay in the log counts as one that just came',
    file: 'commands/entry-clock.ts',
    find: 'if (isLive) this.hear',
    replace: 'if (isLive || timeMs > 0) this.hear',
    tests: CLOCK,
  },
  {
    name: 'the slowest entry sets the time of a new leader',
    file: 'commands/entry-clock.ts',
    find: 'this.#offsetMs = Math.max(this.#offsetMs, timeMs - this.#clock.nowMs())',
    replace: 'this.#offsetMs = timeMs - this.#clock.nowMs()',
    tests: CLOCK,
  },
  {
    name: 'an envelope around nothing that can be read is logged',
    file: 'transport/wire/envelope.ts',
    find: "if (envelope === null || data.length > VALUE_LIMITS.maxBytes) return 'ENVELOPE'\n  return checkEncodedValue(envelope.command)",
    replace:
      "if (envelope === null || data.length > VALUE_LIMITS.maxBytes) return 'ENVELOPE'\n  return undefined",
    tests: ENVELOPE,
  },
  {
    name: 'the time lands beside its place',
    file: 'transport/wire/envelope.ts',
    find: '.setFloat64(TIME_AT, timeMs)',
    replace: '.setFloat64(TIME_AT - 1, timeMs)',
    tests: ENVELOPE,
  },
  {
    name: 'the trace is lost on the way to the machine',
    file: 'actors/apply/user-code.ts',
    find: '...(trace && { traceContext: trace })',
    replace: '...(trace && {})',
    tests: MARKS,
  },
  {
    name: 'what a machine refuses is told as done',
    file: 'host/node-intake.ts',
    find: 'outcome.ok && outcome.result instanceof Refused',
    replace: 'outcome.ok && outcome.index < 0 && outcome.result instanceof Refused',
    tests: MARKS,
  },
  {
    name: 'the last refusal is the whole truth about a command that was sent before',
    file: 'client/session.ts',
    find: 'operation.mayBeApplied === true ? doubtful(error) : sure(error)',
    replace: 'sure(error)',
    tests: SESSIONS,
  },
  {
    name: 'what may be applied is sent once more in a new session',
    file: 'client/session.ts',
    find: 'operation.mayBeApplied === true ? doubtful(error) : sure(error)',
    replace:
      'operation.mayBeApplied === true && error.code !== "SESSION_EXPIRED" ? doubtful(error) : sure(error)',
    tests: SESSIONS,
  },
  {
    name: 'what a signal ended before it began is sent all the same',
    file: 'client/abortable.ts',
    find: 'return signal.aborted',
    replace: 'return signal.reason === signal',
    tests: ASKING,
  },
  {
    name: 'a signal is not heard',
    file: 'client/abortable.ts',
    find: 'if (signal === undefined) return run()',
    replace: 'if (signal?.aborted !== true) return run()',
    tests: ASKING,
  },
  {
    name: 'whoever stops waiting for a write is told that it was not applied',
    file: 'client/abortable.ts',
    find: 'untilAborted(run(), signal, outcome)',
    replace: "untilAborted(run(), signal, outcome === 'unknown' ? 'not-applied' : outcome)",
    tests: ASKING,
  },
  {
    name: 'more waits than there is room for',
    file: 'client/admission.ts',
    find: 'this.#pending >= maxPending ||',
    replace: 'this.#pending > maxPending ||',
    tests: ASKING,
  },
  {
    name: 'an operation larger than all room is never let in',
    file: 'client/admission.ts',
    find: 'if (this.#pending > 0 && (',
    replace: 'if (this.#pending >= 0 && (',
    tests: ASKING,
  },
  {
    name: 'room that was given back wakes nobody',
    file: 'client/admission.ts',
    find: 'if (this.#waiting.length > 0 && this.#hasRoom()) this.release()',
    replace: '',
    tests: ASKING,
  },
  {
    name: 'a client calls results in that it does not have',
    file: 'client/session.ts',
    find: 'acknowledged: first - 1 }',
    replace: 'acknowledged: first }',
    tests: SESSIONS,
  },
]
