// Measures what the report draws. What fails is said, and the rest goes on: it takes minutes.

import { measureGroups } from '../groups/measure.ts'
import { type Mode, measureLines } from '../lines.ts'
import { measureOpen } from '../open-log.ts'
import { lookForEtcd } from '../peers/find.ts'
import { measurePeers } from '../peers/measure.ts'
import { measurePipe } from '../pipe.ts'
import { comparedWith } from '../rounds.ts'
import { measureThroughput } from '../throughput.ts'

export interface Plan {
  readonly seconds: number
  readonly clients: readonly number[]
  /** Beside etcd and JetStream, where they are there. */
  readonly peerClients: readonly number[]
  readonly sizes: readonly number[]
  readonly sizeModes: readonly Mode[]
  readonly members: readonly number[]
  readonly groups: readonly number[]
  readonly idleSeconds: number
  readonly settleSeconds: number
  readonly logs: readonly number[]
}

/** Within twelve minutes. */
export const FULL: Plan = {
  seconds: 3,
  clients: [1, 4, 16, 64, 256, 1024],
  peerClients: [1, 256, 1024],
  sizes: [16, 128, 1024, 8 * 1024, 64 * 1024, 256 * 1024],
  sizeModes: ['embedded', 'remote'],
  members: [1, 3, 5, 7],
  groups: [1, 10, 100, 1000],
  ...{ idleSeconds: 5, settleSeconds: 3 },
  logs: [1000, 10_000, 100_000, 1_000_000],
}

/** Within two minutes: to see that it works. */
export const QUICK: Plan = {
  seconds: 0.5,
  clients: [1, 64, 1024],
  peerClients: [],
  sizes: [16, 256 * 1024],
  sizeModes: ['embedded'],
  members: [1, 3, 5],
  groups: [1, 30],
  ...{ idleSeconds: 2, settleSeconds: 1 },
  logs: [1000, 100_000],
}

export interface Place {
  readonly directory: string
  readonly tuning: Readonly<Record<string, unknown>>
  readonly progress: (line: string) => void
  readonly report: (row: object) => void
}

const SIZE = 100
const SIZES_CLIENTS = 64
const MEMBERS_CLIENTS = 256
const GROUPS_CLIENTS = 1000

export async function measureReport(plan: Plan, place: Place): Promise<void> {
  const { directory, tuning, progress } = place
  const shape = { directory, tuning, execArgv: [], progress, seconds: plan.seconds, rounds: 1 }
  // Our own pipe: it has all forms.
  const lines = { ...shape, pipe: '', modes: ['embedded', 'remote'] } as const
  const etcd = lookForEtcd(directory)
  if (plan.peerClients.length > 0 && typeof etcd === 'string')
    place.report({ mode: 'missing', what: 'etcd', why: etcd })
  for (const clients of plan.clients) {
    await part(place, `clients: ${clients}`, () => measureLines({ ...lines, clients, size: SIZE }))
    if (plan.peerClients.includes(clients))
      await part(place, `etcd and JetStream, clients: ${clients}`, () =>
        measurePeers({ ...shape, clients, size: SIZE }),
      )
  }
  for (const size of plan.sizes)
    await part(place, `bytes of a command: ${size}`, () =>
      measureLines({ ...lines, modes: plan.sizeModes, clients: SIZES_CLIENTS, size }),
    )
  for (const members of plan.members)
    await part(place, `members: ${members}`, () =>
      membersBesidePipe({ ...shape, clients: MEMBERS_CLIENTS, size: SIZE, members }),
    )
  const { idleSeconds, settleSeconds } = plan
  for (const groups of plan.groups)
    await part(place, `groups: ${groups}`, () =>
      measureGroups({ ...shape, idleSeconds, settleSeconds, groups, clients: GROUPS_CLIENTS, size: SIZE }),
    )
  for (const entries of plan.logs)
    await part(place, `entries in the log: ${entries}`, async () => [await measureOpen(directory, entries)])
}

async function membersBesidePipe(options: {
  readonly directory: string
  readonly tuning: Readonly<Record<string, unknown>>
  readonly clients: number
  readonly size: number
  readonly seconds: number
  readonly members: number
}) {
  const pipe = await measurePipe('', options)
  return [pipe, comparedWith(pipe, await measureThroughput({ ...options, mode: 'embedded' }))]
}

async function part(
  { progress, report }: Place,
  what: string,
  measure: () => Promise<readonly object[]>,
): Promise<void> {
  progress(`${what} …`)
  try {
    for (const row of await measure()) report(row)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    progress(`${what} failed: ${why}`)
    report({ mode: 'missing', what, why })
  }
}
