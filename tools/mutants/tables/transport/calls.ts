// Planted bugs in calls between members, and of the terms that they name.

import type { Mutant } from '../../mutant.ts'

const RPC = 'test/transport/rpc'
const ENDPOINT = [`${RPC}/rpc-endpoint.test.ts`]
const THROWING = [`${RPC}/throwing.test.ts`]
const TERMS = [`${RPC}/terms.test.ts`]

export const CALL_MUTANTS: readonly Mutant[] = [
  {
    name: 'a call times out before the mail is read',
    file: 'transport/rpc/pending-calls.ts',
    find: 'const due = (): void => this.#clock.defer(expire)',
    replace: 'const due = expire',
    tests: ['test/transport/nats/held-up.test.ts'],
  },
  {
    name: 'a call that was answered in time fails as well',
    file: 'transport/rpc/pending-calls.ts',
    find: 'if (!this.#waiting.delete(token)) return',
    replace: 'this.#waiting.delete(token)',
    tests: ENDPOINT,
  },
  {
    name: 'calls that failed together are failed again by their time-outs',
    file: 'transport/rpc/pending-calls.ts',
    find: `    const calls = [...this.#waiting.values()]
    this.#waiting.clear()`,
    replace: '    const calls = [...this.#waiting.values()]',
    tests: ENDPOINT,
  },
  {
    name: 'calls end within the turn in which the bus is lost',
    file: 'transport/rpc/pending-calls.ts',
    find: `    this.#clock.defer(() => {
      for (const { call } of calls) call.failed(failure)
    })`,
    replace: '    for (const { call } of calls) call.failed(failure)',
    tests: ENDPOINT,
  },
  {
    name: 'who made a call may throw into the bus',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: `      sheltered(
        () => done(outcome),
        (error) => this.#logger.error({ group, to, method, error }, 'Who made a call threw when it ended.'),
      )`,
    replace: '      done(outcome)',
    tests: THROWING,
  },
  {
    name: 'a bus that throws takes the sender with it',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: `      this.#logger.error({ subject, error }, 'The bus threw when a message was sent.')
      return false`,
    replace: '      throw error',
    tests: THROWING,
  },
  {
    name: 'the answer of whoever was not asked is taken',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: 'if (from !== to) {',
    replace: 'if (from === this.#id) {',
    tests: ENDPOINT,
  },
  {
    name: 'the sender in the body is believed',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: 'if (decoded.value.from !== from) {',
    replace: 'if (decoded.value.from === this.#id) {',
    tests: ENDPOINT,
  },
  {
    name: 'a request may have its answer sent to a member',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: `if (replyTo?.startsWith(\`\${this.#prefix}.\`)) {`,
    replace: `if (replyTo === \`\${this.#prefix}.\`) {`,
    tests: ENDPOINT,
  },
  {
    name: 'an unknown method is left without an answer',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: "this.#refuse(replyTo, { code: 'ENOMETHOD', message: unknown })",
    replace: '',
    tests: ENDPOINT,
  },
  {
    name: 'a request is answered twice',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: '      open = false',
    replace: '      open = true',
    tests: ENDPOINT,
  },
  {
    name: 'calls wait out their time when the bus is lost',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: "if (lost) this.#pending.failAll({ code: 'BUS_DOWN', message: status.detail })",
    replace: '',
    tests: ENDPOINT,
  },
  {
    name: 'a call that did not leave waits for its answer as well',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: `    this.#pending.remove(token)
    failSoon({ code: 'BUS_DOWN', message: this.#whyNotSent(body) })`,
    replace: "    failSoon({ code: 'BUS_DOWN', message: this.#whyNotSent(body) })",
    tests: ENDPOINT,
  },
  {
    name: 'a frame is filled beyond what the bus takes',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: 'this.#maxFrameBytes = Math.max(0, maxBytes - FRAME_RESERVE_BYTES)',
    replace: 'this.#maxFrameBytes = maxBytes',
    tests: [`${RPC}/limits.test.ts`],
  },
  {
    name: 'the room in a frame is negative on a tiny bus',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: 'this.#maxFrameBytes = Math.max(0, maxBytes - FRAME_RESERVE_BYTES)',
    replace: 'this.#maxFrameBytes = maxBytes - FRAME_RESERVE_BYTES',
    tests: [`${RPC}/limits.test.ts`],
  },
  {
    name: 'a frame is larger than receivers take on a bus that takes more',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: 'Math.min(status.maxPayloadBytes, MAX_APPEND_BYTES)',
    replace: 'status.maxPayloadBytes',
    tests: [`${RPC}/limits.test.ts`],
  },
  {
    name: 'answers may name any term',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: 'outcome.ok ? this.#members.doubts(group, outcome.response.term) : undefined',
    replace: 'undefined',
    tests: TERMS,
  },
  {
    name: 'requests may name any term',
    file: 'transport/rpc/rpc-endpoint.ts',
    find: 'const doubt = this.#members.doubts(group, decoded.value.message.term)',
    replace: 'const doubt = undefined',
    tests: TERMS,
  },
  {
    name: 'the host does not tell its own terms',
    file: 'host/host-core.ts',
    find: 'ownTerm: () => node.core.term,',
    replace: '',
    tests: TERMS,
  },
  {
    name: 'one message may use up the terms',
    file: 'rules/term.ts',
    find: 'Math.min(LARGEST_STEP, Math.floor(left / SMALLEST_PART))',
    replace: 'left',
    tests: ['test/rules/term.test.ts'],
  },
  {
    name: 'a wiped member cannot join an old group',
    file: 'rules/term.ts',
    find: '  if (own <= 1) return step <= left - RESERVE\n',
    replace: '',
    tests: TERMS,
  },
]
