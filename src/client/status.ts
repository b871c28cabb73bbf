// Asks every member of a group how it is, and waits for as many as the group has.

import { MAX_STATUS_BYTES, type MemberStatus, parseMemberStatus } from '../protocol/admin-protocol.ts'
import { decodeJson } from '../protocol/json.ts'
import type { Membership } from '../rules/change.ts'
import type { PeerId } from '../rules/types.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Requester } from './requester.ts'

export interface GroupStatus {
  readonly group: string
  /** By id. Two of one id (and different `instance`) are two processes that believe to be that member. */
  readonly members: readonly MemberStatus[]
  /** Members of the newest known configuration that did not answer in time. */
  readonly unreachable: readonly PeerId[]
  /** Who answered as leader of the highest term that was seen. */
  readonly leader: PeerId | null
  /** By id. Of those that told the time. */
  readonly clocks: readonly MemberClock[]
}

/** How far a member's time of the day is ahead of the asker's, as well as the way there and back lets one know. */
export interface MemberClock {
  readonly id: PeerId
  readonly aheadMs: number
  /** It is no further off from `aheadMs` than this. */
  readonly accuracyMs: number
}

export interface StatusOptions {
  /** Default 500. */
  readonly timeoutMs?: number | undefined
  /** Waits until time is up, so that those are heard as well who wait to be added. Default false. */
  readonly everybody?: boolean | undefined
}

export interface StatusQuestion extends StatusOptions {
  readonly requester: Requester
  readonly clock: Clock
  readonly group: string
  readonly subject: string
}

const DEFAULT_TIMEOUT_MS = 500
const NOTHING = new Uint8Array(0)

export function askStatus(question: StatusQuestion): Promise<GroupStatus> {
  const { requester, clock, group, subject, timeoutMs = DEFAULT_TIMEOUT_MS, everybody = false } = question
  return new Promise((resolve) => {
    const members: MemberStatus[] = []
    const clocks: MemberClock[] = []
    const [askedMs, askedWallMs] = [clock.nowMs(), clock.wallMs()]
    const finish = (): void => {
      clock.clearTimeout(timer)
      request?.close()
      resolve(summarize(group, members, clocks))
    }
    const timer = clock.setTimeout(finish, timeoutMs)
    const request = requester.send(subject, NOTHING, (reply) => {
      if (reply.noResponders) return finish()
      const member = parseMemberStatus(decodeJson(reply.payload, MAX_STATUS_BYTES))
      if (member === undefined || member.group !== group) return
      members.push(member)
      const halfWayMs = (clock.nowMs() - askedMs) / 2
      if (member.wallClockMs !== null) {
        const aheadMs = member.wallClockMs - (askedWallMs + halfWayMs)
        clocks.push({ id: member.id, aheadMs: Math.round(aheadMs), accuracyMs: Math.ceil(halfWayMs) })
      }
      // Whoever waits to be added names nobody, and may be the first to answer.
      const isNamed = members.some(({ peers }) => peers.length > 0)
      if (!everybody && isNamed && missing(members).length === 0) finish()
    })
    if (request === null) finish()
  })
}

function summarize(
  group: string,
  members: readonly MemberStatus[],
  clocks: readonly MemberClock[],
): GroupStatus {
  const newest = members.reduce<MemberStatus | undefined>(
    (best, member) => (best === undefined || member.term > best.term ? member : best),
    undefined,
  )
  const leading = members.filter((member) => member.role === 'leader' && member.term === newest?.term)
  const byId = (a: { readonly id: PeerId }, b: { readonly id: PeerId }) => a.id.localeCompare(b.id)
  return {
    group,
    members: [...members].sort(byId),
    unreachable: missing(members).sort(),
    leader: leading[0]?.id ?? null,
    clocks: [...clocks].sort(byId),
  }
}

/** Whose word counts: the leader's, else that of the member who has seen most, else that of who is none any more. Undefined: nobody answers. */
export function authorityOf({
  leader,
  members,
}: Pick<GroupStatus, 'leader' | 'members'>): MemberStatus | undefined {
  const leading = members.find(({ id, role }) => id === leader && role === 'leader')
  if (leading !== undefined) return leading
  const isOne = ({ membership }: MemberStatus): number => (isOutside(membership) ? 0 : 1)
  return [...members].sort((a, b) => isOne(b) - isOne(a) || b.term - a.term || b.lastIndex - a.lastIndex)[0]
}

/** What it knows of the members is of before, or nothing. */
const isOutside = (membership: Membership): boolean => membership === 'removed' || membership === 'waiting'

/** Whom the answers name and who has not answered. */
function missing(members: readonly MemberStatus[]): PeerId[] {
  const named = new Set(
    members.flatMap((member) => [...member.peers, ...member.oldPeers, ...member.learners]),
  )
  for (const member of members) named.delete(member.id)
  return [...named]
}
