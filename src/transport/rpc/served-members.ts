// The members of this process, by group: who takes a request, and which term he should not believe.

import { QuorateError } from '../../errors.ts'
import { isPlausibleTerm } from '../../rules/term.ts'
import type { PeerId, Term } from '../../rules/types.ts'
import { sheltered } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { isToken } from '../subjects.ts'
import type { InboundRequest } from '../wire/messages/registry.ts'
import type { RemoteError, Reply, RequestHandler, ServedMember, SleepAsk } from './peer-rpc.ts'

interface Served extends ServedMember {
  readonly handler: RequestHandler
}

export class ServedMembers {
  readonly #id: PeerId
  readonly #logger: Logger
  readonly #served = new Map<string, Served>()

  constructor(id: PeerId, logger: Logger) {
    this.#id = id
    this.#logger = logger
  }

  get size(): number {
    return this.#served.size
  }

  /** @throws QuorateError INVALID for what is no name, CONFLICT when the group has a member here. */
  add(group: string, handler: RequestHandler, member: ServedMember): { stop(): void } {
    if (!isToken(group))
      throw new QuorateError('INVALID', `Group ${JSON.stringify(group)} is not a valid name.`)
    if (this.#served.has(group)) {
      throw new QuorateError('CONFLICT', `Group "${group}" is already served by ${this.#id}.`)
    }
    const served: Served = { handler, ...member }
    this.#served.set(group, served)
    return {
      stop: () => {
        if (this.#served.get(group) === served) this.#served.delete(group)
      },
    }
  }

  has(group: string): boolean {
    return this.#served.has(group)
  }

  clear(): void {
    this.#served.clear()
  }

  /** Why the member of this group should not believe a term, or undefined. */
  doubts(group: string, term: Term): string | undefined {
    const own = this.#served.get(group)?.ownTerm?.()
    if (own === undefined || isPlausibleTerm(own, term)) return undefined
    return `term ${term}, the own one is ${own}`
  }

  /** Hands a request to the member of its group. */
  deliver(group: string, request: InboundRequest, reply: Reply): void {
    const served = this.#served.get(group)
    if (served === undefined) return reply({ ok: false, error: this.missing(group) })
    const { from, method } = request
    sheltered(
      () => served.handler(request, reply),
      (error) => {
        this.#logger.error({ group, from, method, error }, 'The handler of a request threw.')
        reply({ ok: false, error: { code: 'EINTERNAL', message: 'The request could not be handled.' } })
      },
    )
  }

  fallAsleep(group: string, ask: SleepAsk): void {
    this.#served.get(group)?.fallAsleep?.(ask)
  }

  missing(group: string): RemoteError {
    return { code: 'ENOENT', message: `${this.#id} has no member of group "${group}".` }
  }
}
