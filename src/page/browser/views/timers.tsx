// How much is left of what a member waits for: its timers, and the time for which it takes its leader for alive.

import type { MemberModel } from '../../../client/watch/member-model.ts'
import { useTick } from '../hooks.ts'
import { seconds } from '../logic/headline.ts'
import type { Store } from '../store.ts'

const DRAW_MS = 100

export function Timers({ store, member }: { readonly store: Store; readonly member: MemberModel }) {
  useTick(DRAW_MS)
  const { status } = member
  if (status === null || member.state !== 'live') return null
  const { nowMs } = store
  const leader = status.leaderAliveUntilMs
  const timers = [
    ...(leader === null
      ? []
      : [
          {
            name: `${status.leader ?? 'the leader'} is taken for alive`,
            leftMs: leader - nowMs,
            ofMs: status.electionTimeoutMs,
          },
        ]),
    ...status.timers.map(({ name, dueAtMs, delayMs }) => ({
      name: `${name} timer`,
      leftMs: dueAtMs - nowMs,
      ofMs: delayMs,
    })),
  ]
  return (
    <ul class="timers" aria-label="Timers">
      {timers.map(({ name, leftMs, ofMs }) => (
        <li key={name}>
          <span>{name}</span>
          <span class="bar" aria-hidden="true">
            <span
              class="fill"
              style={{ transform: `scaleX(${ofMs <= 0 ? 0 : Math.min(1, Math.max(0, leftMs / ofMs))})` }}
            />
          </span>
          <span class="value">{seconds(Math.max(0, leftMs))}</span>
        </li>
      ))}
    </ul>
  )
}
