// Who the members of a group are and who leads it, as a client knows it: asked for when somebody wants to know, kept for a
// moment, and doubted as soon as an answer says otherwise (braft's RouteTable, which has to be told its members first).

import { QuorateError } from '../errors.ts'
import type { PeerId, Term } from '../rules/types.ts'
import type { Clock } from '../runtime/clock.ts'
import { authorityOf, type GroupStatus } from './status.ts'

/** By the leader's word, or, while nobody leads, by that of the member that has seen most. */
export interface GroupRoute {
  readonly leader: PeerId | null
  readonly term: Term
  /** Who votes; while the members are being changed, those of both sets. */
  readonly voters: readonly PeerId[]
  readonly learners: readonly PeerId[]
}

export interface RouteTableOptions {
  readonly clock: Clock
  readonly group: string
  readonly ask: () => Promise<GroupStatus>
}

const KEPT_MS = 1000

export class RouteTable {
  readonly #options: RouteTableOptions
  #known: { readonly route: GroupRoute; readonly untilMs: number } | null = null
  #asking: Promise<GroupRoute> | null = null
  /** How often it was doubted: what was asked for before says nothing after. */
  #doubts = 0

  constructor(options: RouteTableOptions) {
    this.#options = options
  }

  /** Somebody else may lead, or be there: the next one who wants to know asks. */
  doubt(): void {
    this.#doubts += 1
    this.#known = null
    this.#asking = null
  }

  /** @throws QuorateError NO_LEADER when no member answers. */
  current(): Promise<GroupRoute> {
    if (this.#known !== null && this.#options.clock.nowMs() < this.#known.untilMs)
      return Promise.resolve(this.#known.route)
    this.#asking ??= this.#ask()
    return this.#asking
  }

  async #ask(): Promise<GroupRoute> {
    const { clock, group, ask } = this.#options
    const doubts = this.#doubts
    try {
      const status = await ask()
      const best = authorityOf(status)
      if (best === undefined || best.peers.length === 0)
        throw new QuorateError('NO_LEADER', `No member of group ${group} answers.`, { retryable: true })
      const voters = [...new Set([...best.peers, ...best.oldPeers])]
      const route = { leader: status.leader, term: best.term, voters, learners: best.learners }
      if (status.leader !== null && doubts === this.#doubts)
        this.#known = { route, untilMs: clock.nowMs() + KEPT_MS }
      return route
    } finally {
      if (doubts === this.#doubts) this.#asking = null
    }
  }
}
