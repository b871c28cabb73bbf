// Where a client sends what the leader does: to whoever leads at first, then to the member that the answers name, and
// to nobody while that one says nothing and no other is found.

import { MAX_STATUS_BYTES, parseMemberStatus } from '../protocol/admin-protocol.ts'
import type { Standing } from '../protocol/client-protocol.ts'
import { decodeJson } from '../protocol/json.ts'
import type { PeerId, Term } from '../rules/types.ts'
import type { Clock, TimerHandle } from '../runtime/clock.ts'
import type { OpenRequest, Requester } from './requester.ts'
import type { Destination, Route } from './route.ts'

export interface LeaderRouteOptions {
  readonly clock: Clock
  readonly requester: Requester
  /** The place of a member, or with null of whoever leads. */
  readonly destinationOf: (leader: PeerId | null) => Destination
  /** Every member answers here how it is. */
  readonly statusSubject: string
  /** A leader that lets requests wait so long, and answers none, is looked for among all members. */
  readonly silenceMs: number
  /** What was held back, or sent in vain, may be sent now. */
  readonly onFound: () => void
  /** Another one leads than before, or nobody knows who. */
  readonly onMoved: () => void
}

/** Silence is counted in this many looks, so that one late timer is not taken for it. */
const LOOKS = 2
const NOTHING = new Uint8Array(0)

/** Costs a request two counters and an answer one comparison; one timer runs while something waits. */
export class LeaderRoute implements Route {
  readonly #options: LeaderRouteOptions
  #current: Destination
  /** The term in which the current leader was last known to lead. */
  #term: Term = 0
  #silentLooks = 0
  #timer: TimerHandle | null = null
  #closed = false
  #search: OpenRequest | null = null
  /** While searching: a leader of an earlier term than ours, good enough when no other answers. */
  #secondBest: { readonly id: PeerId; readonly term: Term } | null = null
  #wanted = false

  constructor(options: LeaderRouteOptions) {
    this.#options = options
    this.#current = options.destinationOf(null)
  }

  /** Null: the bus knows. */
  get leader(): PeerId | null {
    return this.#current.silent ? null : this.#current.leader
  }

  choose(): Destination | null {
    if (!this.#current.silent) return this.#current
    this.#wanted = true
    if (this.#timer === null) this.#ask()
    this.#watch()
    return null
  }

  sent(to: Destination): void {
    to.waiting += 1
    if (this.#timer === null) this.#watch()
  }

  answered(to: Destination, by: Standing | null): void {
    to.waiting -= 1
    to.heard = true
    if (by !== null) this.#learn(by)
    if (to === this.#current && to.silent) this.#isAlive()
  }

  nobodyListens(to: Destination): void {
    to.waiting -= 1
    // The next leader may be of a group that begins anew, so its term says nothing.
    if (to === this.#current && to.leader !== null) this.#moveTo(null, 0)
  }

  gaveUp(to: Destination): void {
    to.waiting -= 1
  }

  close(): void {
    this.#closed = true
    this.#endSearch()
    if (this.#timer !== null) this.#options.clock.clearTimeout(this.#timer)
  }

  #learn({ id, term, leader }: Standing): void {
    const known = this.#current.leader
    if (term < this.#term) {
      // Of an earlier term, but from the member that we write to: a late answer, or one that has lost its files and will
      // never know better. The bus knows who leads.
      if (id === known && leader !== id) this.#moveTo(null, this.#term)
      return
    }
    if (leader === null) {
      if (id === known) this.#moveTo(null, term)
    } else if (leader === known) this.#term = term
    // A term has one leader: another one in our term is a mistake of somebody's.
    else if (known === null || term > this.#term) this.#moveTo(leader, term)
  }

  #moveTo(leader: PeerId | null, term: Term): void {
    this.#endSearch()
    this.#term = term
    this.#silentLooks = 0
    this.#current = this.#options.destinationOf(leader)
    this.#options.onMoved()
    if (leader !== null) this.#options.onFound()
  }

  #isAlive(): void {
    this.#endSearch()
    this.#silentLooks = 0
    this.#current.silent = false
    this.#options.onFound()
  }

  #watch(): void {
    const { silent, waiting } = this.#current
    if (this.#timer !== null || this.#closed || (waiting === 0 && !(silent && this.#wanted))) return
    const { clock, silenceMs } = this.#options
    // One turn later, so that an answer that came while the process stood still is heard first.
    const onTimer = (): void => clock.defer(() => this.#look())
    this.#timer = clock.setTimeout(onTimer, silenceMs / LOOKS)
  }

  #look(): void {
    this.#timer = null
    if (this.#closed) return
    const current = this.#current
    if (current.silent) this.#searchOn()
    else {
      this.#silentLooks = current.waiting === 0 || current.heard ? 0 : this.#silentLooks + 1
      current.heard = false
      if (this.#silentLooks >= LOOKS) {
        current.silent = true
        this.#ask()
      }
    }
    this.#watch()
  }

  /** The answers to one question have had their time. */
  #searchOn(): void {
    this.#wanted = false
    if (this.#secondBest === null) this.#ask()
    else this.#moveTo(this.#secondBest.id, this.#secondBest.term)
  }

  #ask(): void {
    this.#endSearch()
    const { requester, statusSubject } = this.#options
    this.#search = requester.send(statusSubject, NOTHING, (reply) => {
      // Without anybody to ask, the bus itself knows best whether somebody leads.
      if (reply.noResponders) return this.#moveTo(null, 0)
      const member = parseMemberStatus(decodeJson(reply.payload, MAX_STATUS_BYTES))
      // Only a leader's own word counts: the others may still believe in the silent one.
      if (member?.role !== 'leader') return
      if (member.id === this.#current.leader) this.#isAlive()
      else if (member.term >= this.#term) this.#moveTo(member.id, member.term)
      else if (member.term > (this.#secondBest?.term ?? -1)) this.#secondBest = member
    })
  }

  #endSearch(): void {
    this.#search?.close()
    this.#search = null
    this.#secondBest = null
  }
}
