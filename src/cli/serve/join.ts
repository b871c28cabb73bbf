// A new member on its way into its group: says which command adds it, and how much of the log it still lacks.

import type { RaftNode } from '../../api.ts'
import { AdminAsker } from '../../client/admin-asker.ts'
import type { MemberStatus } from '../../protocol/admin-protocol.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Transport } from '../../transport/transport.ts'
import { DEFAULT_NATS_URL } from '../common-options.ts'
import { measure } from '../members/follow.ts'
import type { ServeFlags } from './flags.ts'

export interface Joining {
  readonly node: RaftNode
  readonly transport: Transport
  readonly flags: Pick<ServeFlags, 'id' | 'group' | 'prefix' | 'nats'>
  readonly logger: Logger
}

const LOOK_MS = 250
/** So many looks from one line about the same thing to the next. */
const LOOKS_PER_LINE = 8
const LOOKS_PER_REMINDER = 240

/** Says nothing any more once it is a member. Returns what ends it before. */
export function showJoining({ node, transport, flags, logger }: Joining): () => void {
  const { id, group, prefix } = flags
  const asker = new AdminAsker({ transport, prefix, group, clock: systemClock })
  let looks = 0
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    clearInterval(timer)
    asker.close()
  }
  const look = (): void => {
    const { membership, peers, learners } = node.status()
    if (membership === 'waiting' || membership === 'removed') {
      if (looks % LOOKS_PER_REMINDER === 0) remind(membership)
      if (looks % LOOKS_PER_LINE === LOOKS_PER_LINE - 1) showProgress()
      looks += 1
      return
    }
    logger.info({ membership, peers, learners }, `It is a ${membership} of group ${group}.`)
    end()
  }
  const remind = (membership: 'waiting' | 'removed'): void => {
    const command = commandFor(flags)
    if (membership === 'waiting') logger.info({ command }, `It waits to be added: ${command}`)
    else logger.info({ command }, `It was a member, and is none any more. To have it back: ${command}`)
  }
  const showProgress = (): void => {
    const { leader } = node.status()
    if (leader === null || leader === id) return
    asker.statusOf(leader, LOOKS_PER_LINE * LOOK_MS).then(
      (status) => {
        const progress = ended || status === null ? null : progressOf(status, id)
        if (progress === null) return
        logger.info({ leader }, `It is being added. ${progress.what}: ${progress.words}.`)
      },
      () => {},
    )
  }
  const timer = setInterval(look, LOOK_MS)
  look()
  return end
}

function commandFor({ id, group, nats, prefix }: Joining['flags']): string {
  const words = ['quorate members add', id, '--group', group]
  // An address may hold a password, which belongs in no log.
  if (nats !== DEFAULT_NATS_URL && !nats.includes('@')) words.push('--nats', nats)
  return prefix === 'quorate' ? words.join(' ') : `${words.join(' ')} --prefix ${prefix}`
}

/** What the leader says of a change that concerns this member; null: nothing. */
function progressOf({ change }: MemberStatus, id: string): ReturnType<typeof measure> | null {
  if (change === null || !change.adding.some(({ peer }) => peer === id)) return null
  return measure(change, 0)
}
