// Puts a simulated member on the bus for clients: the real services over its real node, with every command and query
// that reaches it watched.

import { NodeFacade } from '../../host/raft-node.ts'
import { attachServices } from '../../services/attach.ts'
import { MEMBER_PORT, type MemberPort } from '../../services/member-port.ts'
import { decodeValue, encodeValue } from '../../transport/wire/codec.ts'
import { isEnvelope, openEnvelope, sealCommand } from '../../transport/wire/envelope.ts'
import type { History } from '../history/history.ts'
import type { InvariantChecker } from '../invariants/invariants.ts'
import type { MemberParts, SimMember } from '../sim-member.ts'

export interface ServiceWorld {
  readonly history: History
  checker(): InvariantChecker | null
  /** Numbers calls over all clients. */
  nextCall(): number
  /** Keeps a violation thrown inside of a node's turn until the step is over. */
  guard(run: () => void): void
  completion(member: SimMember): void
}

/** What simulated clients send: an operation of the history (-1: none), and what it asks of the machine. */
export interface Tagged {
  readonly op: number
  readonly ask: unknown
}

/** What a query is answered with: also the index up to which the member had applied the log. */
export interface AnswerAt {
  readonly at: number
  readonly value: unknown
}

/** Returns what takes the member off the bus again. */
export function serveMember(world: ServiceWorld, member: SimMember, parts: MemberParts): () => void {
  const { transport, clock, random, node } = parts
  const served = new ServedNode(new WatchedPort(world, member, parts), node)
  const services = attachServices({ transport, node: served, clock, random })
  return () => services.detach()
}

class ServedNode extends NodeFacade {
  readonly #port: MemberPort

  constructor(port: MemberPort, node: MemberParts['node']) {
    super(node, (_, done) => done())
    this.#port = port
  }

  override get [MEMBER_PORT](): MemberPort {
    return this.#port
  }
}

/** Every proposal gets a number of its own, so that an attempt and the next one are two. */
class WatchedPort implements MemberPort {
  readonly #world: ServiceWorld
  readonly #member: SimMember
  readonly #node: MemberParts['node']

  constructor(world: ServiceWorld, member: SimMember, { node }: MemberParts) {
    this.#world = world
    this.#member = member
    this.#node = node
  }

  propose: MemberPort['propose'] = (bytes, expectedTerm, done) => {
    const { history, nextCall, completion } = this.#world
    const envelope = isEnvelope(bytes) ? openEnvelope(bytes) : null
    const decoded = decodeValue(envelope?.command ?? bytes)
    const value = decoded.ok ? decoded.value : null
    // A session is begun and ended without a command.
    const { op, ask } = envelope !== null && value === null ? NO_COMMAND : taggedOf(value)
    const call = nextCall()
    this.#tell((checker) =>
      checker.invoked(call, { kind: 'proposal', node: this.#member.id, key: String(call) }),
    )
    history.proposed(op, call)
    const numbered = encodeValue({ id: call, command: ask })
    const sent = envelope === null ? numbered : sealCommand(numbered, envelope)
    this.#node.propose(sent, expectedTerm, (outcome) => {
      this.#tell((checker) =>
        checker.completed(
          call,
          outcome.ok
            ? { outcome: 'ok', index: outcome.index, term: outcome.term }
            : { outcome: outcome.error.outcome === 'not-applied' ? 'failed' : 'unknown' },
        ),
      )
      completion(this.#member)
      done(outcome)
    })
    this.#tell((checker) => checker.returned(call))
  }

  query: MemberPort['query'] = (query, level, done) => {
    const { nextCall, completion } = this.#world
    const call = nextCall()
    const kind = level === 'local' ? 'staleRead' : 'read'
    this.#tell((checker) =>
      checker.invoked(call, { kind, node: this.#member.id, byLease: level === 'lease' }),
    )
    this.#node.query(taggedOf(query).ask, level, (outcome) => {
      const at = this.#member.lastApplied
      this.#tell((checker) =>
        checker.completed(call, outcome.ok ? { outcome: 'ok', index: at } : { outcome: 'failed' }),
      )
      completion(this.#member)
      done(outcome.ok ? { ok: true, answer: { at, value: outcome.answer } satisfies AnswerAt } : outcome)
    })
    this.#tell((checker) => checker.returned(call))
  }

  #tell(tell: (checker: InvariantChecker) => void): void {
    const checker = this.#world.checker()
    if (checker !== null) this.#world.guard(() => tell(checker))
  }
}

const NO_COMMAND: Tagged = { op: -1, ask: null }

function taggedOf(value: unknown): Tagged {
  if (typeof value === 'object' && value !== null && 'op' in value && 'ask' in value) {
    if (typeof value.op === 'number') return { op: value.op, ask: value.ask }
  }
  throw new Error('Simulated clients say for which operation they ask.')
}
