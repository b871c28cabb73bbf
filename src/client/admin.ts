// What operators do with a group, from afar: they see its members and its leader, change the one and move the other.

import type { ConfigurationInfo, MemberSpec } from '../api.ts'
import { QuorateError } from '../errors.ts'
import {
  type AdminRequest,
  type AdminVerb,
  type Changed,
  encodeAdminRequest,
  type Leadership,
  parseAdminRequest,
} from '../protocol/admin-verbs.ts'
import { membersSubject } from '../protocol/subjects.ts'
import type { PeerId } from '../rules/types.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { DEFAULT_PREFIX } from '../transport/subjects.ts'
import type { Transport } from '../transport/transport.ts'
import { AdminAsker } from './admin-asker.ts'
import { Pursuit, type PursuitOptions, type Settled } from './pursuit.ts'
import { isReached } from './reached.ts'
import { askStatus, type GroupStatus, type StatusOptions } from './status.ts'

export interface AdminOptions {
  /** Used, and not closed with this. Its user has to be an operator, where the bus has permissions. */
  readonly transport: Transport
  readonly group: string
  /** Default `quorate`. */
  readonly prefix?: string
  /** How long no leader may take what is asked for. What one has begun may take longer. Default 5000. */
  readonly timeoutMs?: number
  readonly clock?: Clock
}

export interface AdminChangeOptions extends PursuitOptions {
  /** The names of all members that the caller has seen: refused (CONFLICT) when they are others by now. */
  readonly expect?: readonly PeerId[] | undefined
}

/**
 * Every change resolves when its last entry is committed, with the members before and after it; asking for what is already
 * so succeeds. The leader is found, and followed when another one takes over: an answer that was lost is made up for by
 * asking again. Rejects with what `node.changePeers()` rejects with, with NO_LEADER, and with ABORTED when the signal comes:
 * outcome `unknown` says that the group goes on with it.
 */
export interface QuorateAdmin {
  /** Who the members are, by the leader's word. */
  members(): Promise<ConfigurationInfo>
  addPeer(member: MemberSpec, options?: AdminChangeOptions): Promise<Changed>
  removePeer(id: PeerId, options?: AdminChangeOptions): Promise<Changed>
  /** Makes these the members, whoever they were before. */
  changePeers(members: readonly MemberSpec[], options?: AdminChangeOptions): Promise<Changed>
  promote(id: PeerId, options?: AdminChangeOptions): Promise<Changed>
  demote(id: PeerId, options?: AdminChangeOptions): Promise<Changed>
  setPriority(id: PeerId, priority: number, options?: AdminChangeOptions): Promise<Changed>
  /** To a member, or to the best one. Resolves when a member leads in a later term. */
  transferLeadership(to?: PeerId, options?: PursuitOptions): Promise<Omit<Leadership, 'ok'>>
  /**
   * Makes one member believe that these are the members. For a group that has lost its majority for good: what only the
   * others had acknowledged may be lost, and they must never be started again with their files. Resolves and rejects as
   * `node.resetPeers()`; INVALID as well unless `confirm` is the name of the group.
   */
  resetPeers(
    member: PeerId,
    peers: readonly PeerId[],
    options: { readonly force: true; readonly confirm: string },
  ): Promise<Changed>
  /** One member takes no more commands, or takes them again. */
  setReadonly(member: PeerId, on: boolean): Promise<void>
  status(options?: StatusOptions): Promise<GroupStatus>
  /** Whoever still waits hears nothing more. */
  close(): void
}

const DEFAULT_TIMEOUT_MS = 5000

/**
 * @example
 * const admin = connectAdmin({ transport, group: 'demo' })
 * await admin.addPeer({ id: 'n4', role: 'learner' })
 * const { after } = await admin.promote('n4')
 */
export function connectAdmin(options: AdminOptions): QuorateAdmin {
  const { transport, group, prefix = DEFAULT_PREFIX, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const { clock = systemClock } = options
  const statusSubject = membersSubject(prefix, group, 'status')
  const asker = new AdminAsker({ transport, prefix, group, clock })
  const context = { asker, clock, prefix, group, timeoutMs }
  const ask = (status: StatusOptions = {}): Promise<GroupStatus> =>
    askStatus({ requester: asker.requester, clock, group, subject: statusSubject, ...status })

  async function pursue<V extends AdminVerb>(
    verb: V,
    request: AdminRequest,
    { signal, onProgress }: PursuitOptions,
    settled: Settled<V>,
  ) {
    checkRequest(verb, request)
    return await new Pursuit(context, verb, request, { signal, onProgress }, settled).run()
  }

  async function change(request: ChangeRequest, options: PursuitOptions = {}): Promise<Changed> {
    let before: ConfigurationInfo | null = null
    return await pursue(request.verb, request, options, ({ now }) => {
      before ??= now
      return isReached(request, now) ? { ok: true, before, after: now } : null
    })
  }

  async function askMember<V extends AdminVerb>(member: PeerId, verb: V, request: AdminRequest) {
    checkRequest(verb, request)
    const asked = asker.ask(member, verb, request)
    const timer = clock.setTimeout(() => asked.giveUp(), timeoutMs)
    const reply = await asked.reply
    clock.clearTimeout(timer)
    if (reply.kind === 'answer') return reply.answer
    if (reply.kind === 'refused') throw reply.error
    const retryable = true
    if (reply.kind === 'nobody')
      throw new QuorateError('TRANSPORT', `No member ${member} of group ${group} answers.`, { retryable })
    const text = `Member ${member} has not answered within ${timeoutMs} ms.`
    throw new QuorateError('TIMEOUT', text, { outcome: 'unknown', retryable })
  }

  return {
    async members() {
      const answer = await pursue('list_peers', { verb: 'list_peers' }, {}, () => null)
      const { ok: _ok, member: _member, term: _term, ...configuration } = answer
      return configuration
    },
    addPeer: (member, { expect, ...options } = {}) => {
      const { id: peer, role, priority } = typeof member === 'string' ? { id: member } : member
      return change({ verb: 'add_peer', peer, role, priority, expect: listOf(expect) }, options)
    },
    removePeer: (peer, { expect, ...options } = {}) =>
      change({ verb: 'remove_peer', peer, expect: listOf(expect) }, options),
    changePeers: (members, { expect, ...options } = {}) => {
      const peers = members.map((member) => (typeof member === 'string' ? member : { ...member }))
      return change({ verb: 'change_peers', peers, expect: listOf(expect) }, options)
    },
    promote: (peer, { expect, ...options } = {}) =>
      change({ verb: 'promote', peer, expect: listOf(expect) }, options),
    demote: (peer, { expect, ...options } = {}) =>
      change({ verb: 'demote', peer, expect: listOf(expect) }, options),
    setPriority: (peer, priority, { expect, ...options } = {}) =>
      change({ verb: 'set_priority', peer, priority, expect: listOf(expect) }, options),
    async transferLeadership(to, options = {}) {
      const { leader: first } = await ask()
      const request = { verb: 'transfer_leader', peer: to } as const
      const { leader, term } = await pursue('transfer_leader', request, options, (seen) =>
        (to ?? seen.leader) === seen.leader && seen.leader !== first
          ? { ok: true, leader: seen.leader, term: seen.term }
          : null,
      )
      return { leader, term }
    },
    resetPeers: (member, peers, { force, confirm }) =>
      askMember(member, 'reset_peer', { verb: 'reset_peer', peers: [...peers], force, confirm }),
    async setReadonly(member, on) {
      await askMember(member, 'readonly', { verb: 'readonly', on })
    },
    status: (status) => ask(status),
    close: () => asker.close(),
  }
}

type ChangeRequest = Extract<
  AdminRequest,
  { readonly verb: 'add_peer' | 'remove_peer' | 'change_peers' | 'promote' | 'demote' | 'set_priority' }
>

function listOf(names: readonly string[] | undefined): string[] | undefined {
  return names === undefined ? undefined : [...names]
}

/** The members would refuse it, each one anew. @throws QuorateError INVALID */
function checkRequest(verb: AdminVerb, request: AdminRequest): void {
  const parsed = parseAdminRequest(verb, encodeAdminRequest(request))
  if (!parsed.ok) throw new QuorateError('INVALID', `Request ${verb} cannot be sent: ${parsed.problem}.`)
}
