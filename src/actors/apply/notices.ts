// What a state machine is told between commands: who leads, who is followed, and who its members are.

import { isStable } from '../../rules/quorum.ts'
import type { Configuration, LogIndex } from '../../rules/types.ts'
import type { ApplyQueueEvent } from './apply-queue.events.ts'
import type { UserCode } from './user-code.ts'

type NoticeType = 'leaderStart' | 'leaderStop' | 'startFollowing' | 'stopFollowing'
type Notice = Extract<ApplyQueueEvent, { type: NoticeType }>

export function tellNotice(code: UserCode, notice: Notice): void {
  switch (notice.type) {
    case 'leaderStart':
      return code.hook('onLeaderStart', (machine) => machine.onLeaderStart?.(notice.term))
    case 'leaderStop':
      return code.hook('onLeaderStop', (machine) => machine.onLeaderStop?.(notice.reason))
    case 'startFollowing':
      return code.hook('onStartFollowing', (machine) => machine.onStartFollowing?.(notice.change))
    case 'stopFollowing':
      return code.hook('onStopFollowing', (machine) => machine.onStopFollowing?.(notice.change))
  }
}

/** A stable configuration is news; a joint one is on its way to one. Whoever is told may write on what he is given. */
export function tellConfiguration(code: UserCode, configuration: Configuration, index: LogIndex): void {
  if (!isStable(configuration)) return
  const { peers, oldPeers } = configuration
  const own = { peers: [...peers], oldPeers: [...oldPeers] }
  code.hook('onConfigurationCommitted', (machine) => machine.onConfigurationCommitted?.(own, index))
}
