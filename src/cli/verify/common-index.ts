// The hashes of all members at one index. Members apply at different moments and entries keep coming, so an index is chosen
// that nobody has passed yet, and another one when somebody has by the time it is asked.

import type { AdminAsker } from '../../client/admin-asker.ts'
import type { GroupStatus } from '../../client.ts'
import type { LogIndex, PeerId } from '../../rules/types.ts'
import { systemClock } from '../../runtime/clock.ts'

/** Of one member at the index that all were asked for. */
export interface MemberHash {
  readonly member: PeerId
  readonly index: LogIndex
  readonly hash: string | null
  /** Why there is no hash; null: there is one. */
  readonly problem: string | null
  /** It keeps no state that could be compared. */
  readonly hasNone: boolean
}

export interface Comparing {
  readonly asker: AdminAsker
  readonly status: () => Promise<GroupStatus>
  readonly timeoutMs: number
}

/** How far ahead an index is chosen while entries come, in time: what it takes until all have been asked. */
const AHEAD_MS = 250
/** How long members wait for an index. When entries stop coming it never comes, and a nearer one is asked for. */
const MAX_WAIT_MS = 1500
/** What a request and its answer may take besides. */
const ON_THE_WAY_MS = 500

interface Position {
  readonly index: LogIndex
  readonly atMs: number
}

/** Empty: nobody answers. */
export async function hashesAtOneIndex({
  asker,
  status,
  timeoutMs,
}: Comparing): Promise<readonly MemberHash[]> {
  const endMs = systemClock.nowMs() + timeoutMs
  let before: Position | null = null
  for (let attempt = 1; ; attempt++) {
    const group: GroupStatus = await status()
    const now: Position = { index: commitOf(group), atMs: systemClock.nowMs() }
    const index = now.index + aheadOf(before, now, attempt)
    before = now
    const waitMs = Math.max(1, Math.min(MAX_WAIT_MS, endMs - now.atMs))
    const answers = await Promise.all(
      comparedOf(group).map((member) => ask(asker, member, index, Math.round(waitMs))),
    )
    const isSettled = answers.every(({ again }) => !again)
    if (isSettled || systemClock.nowMs() >= endMs) return answers.map(({ result }) => result)
  }
}

function commitOf({ members }: GroupStatus): LogIndex {
  return Math.max(0, ...members.map(({ commitIndex }) => commitIndex))
}

/** Further with every attempt: the way there may take longer than thought. */
function aheadOf(before: Position | null, now: Position, attempt: number): number {
  if (before === null || now.index <= before.index || now.atMs <= before.atMs) return 0
  const perMs = (now.index - before.index) / (now.atMs - before.atMs)
  return Math.ceil(perMs * AHEAD_MS * attempt)
}

/** Whoever is a member and keeps data, whether it answers or not. */
function comparedOf({ members, unreachable }: GroupStatus): readonly PeerId[] {
  const ids = members
    .filter(({ membership }) => membership === 'voter' || membership === 'learner')
    .map(({ id }) => id)
  const witnesses = new Set(members.flatMap((member) => member.witnesses))
  return [...new Set([...ids, ...unreachable])].filter((id) => !witnesses.has(id)).sort()
}

interface Answer {
  readonly result: MemberHash
  /** Another index, or a later moment, may do. */
  readonly again: boolean
}

async function ask(asker: AdminAsker, member: PeerId, index: LogIndex, waitMs: number): Promise<Answer> {
  const asked = asker.ask(member, 'state_hash', { verb: 'state_hash', index, waitMs })
  const timer = systemClock.setTimeout(() => asked.giveUp(), waitMs + ON_THE_WAY_MS)
  const reply = await asked.reply
  systemClock.clearTimeout(timer)
  const none = { member, index, hash: null, hasNone: false }
  switch (reply.kind) {
    case 'answer': {
      const { hash, index: told } = reply.answer
      const other = `${member} has answered for index ${told} and not for ${index}.`
      const result = told === index ? { ...none, hash, problem: null } : { ...none, problem: other }
      return { result, again: false }
    }
    case 'refused': {
      const { code, message } = reply.error
      const again = code === 'CONFLICT' || code === 'TIMEOUT' || code === 'BUSY'
      return { result: { ...none, problem: message, hasNone: code === 'UNSUPPORTED' }, again }
    }
    case 'nobody':
      return {
        result: { ...none, problem: `${member} is not there, or is of a version that cannot be asked.` },
        again: false,
      }
    case 'silent':
      return { result: { ...none, problem: `${member} has not answered.` }, again: false }
  }
}
