// A running group, for the commands about snapshots: whom to ask, and the way to them.

import { MemberSnapshots } from '../../client/member-snapshots.ts'
import { connectClient, type GroupStatus, type QuorateClient } from '../../client.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Transport } from '../../transport/transport.ts'
import { openBus } from '../bus.ts'
import type { ClientFlags } from '../common-options.ts'
import { CliError, ExitCode } from '../exit.ts'

const STATUS_WAIT_MS = 500

export interface GroupSession {
  readonly client: QuorateClient
  status(): Promise<GroupStatus>
  /** @throws CliError NO_LEADER when nobody leads. */
  leader(): Promise<string>
  /** Closed with the session. */
  member(id: string): MemberSnapshots
}

export async function withGroup<T>(
  flags: ClientFlags,
  run: (session: GroupSession) => Promise<T>,
): Promise<T> {
  const { group, prefix, timeout: timeoutMs, as: name } = flags
  const transport: Transport = await openBus({ flags, id: name, timeoutMs })
  const client = connectClient({ transport, group, prefix, timeoutMs, name })
  const opened: MemberSnapshots[] = []
  const status = (): Promise<GroupStatus> => client.status({ timeoutMs: Math.min(STATUS_WAIT_MS, timeoutMs) })
  try {
    return await run({
      ...{ client, status },
      leader: async () => {
        const { leader, members } = await status()
        if (leader !== null) return leader
        const nobody = members.length === 0
        throw new CliError(
          nobody ? ExitCode.FAILED : ExitCode.NO_LEADER,
          nobody
            ? `No member of group ${group} answers on ${flags.nats}.`
            : `Group ${group} has no leader at the moment; --member asks a certain one.`,
        )
      },
      member: (member) => {
        const snapshots = new MemberSnapshots({
          ...{ transport, prefix, group, member, name, timeoutMs, clock: systemClock },
        })
        opened.push(snapshots)
        return snapshots
      },
    })
  } finally {
    for (const each of opened) each.close()
    client.close()
    await transport.close()
  }
}
