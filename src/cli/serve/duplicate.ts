// Refuses to become a member that another process already is: two of them would vote twice.

import { Requester } from '../../client/requester.ts'
import { MAX_STATUS_BYTES, parseMemberStatus } from '../../protocol/admin-protocol.ts'
import { decodeJson } from '../../protocol/json.ts'
import type { Clock } from '../../runtime/clock.ts'
import { adminSubject } from '../../transport/subjects.ts'
import type { Transport } from '../../transport/transport.ts'

export interface MemberName {
  readonly prefix: string
  readonly group: string
  readonly id: string
}

/**
 * `absent`: nobody listens as this member. `silent`: somebody does (or did: a host that vanished is noticed late) and
 * does not answer.
 */
export type Presence = 'absent' | 'present' | 'silent'

export function askPresence(
  transport: Transport,
  clock: Clock,
  { prefix, group, id }: MemberName,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Presence> {
  const requester = new Requester(transport)
  return new Promise((resolve) => {
    const giveUp = (): void => finish('silent')
    const finish = (presence: Presence): void => {
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      requester.close()
      resolve(presence)
    }
    const timer = clock.setTimeout(giveUp, timeoutMs)
    signal.addEventListener('abort', giveUp)
    const sent = requester.send(adminSubject(prefix, group, id, 'status'), new Uint8Array(0), (reply) => {
      if (reply.noResponders) return finish('absent')
      const status = parseMemberStatus(decodeJson(reply.payload, MAX_STATUS_BYTES))
      if (status?.id === id) finish('present')
    })
    if (sent === null || signal.aborted) giveUp()
  })
}
