// The doctor's look at what members have to agree on: their settings, their version, and with the bus on sizes.

import type { GroupStatus } from '../../client.ts'
import type { SettingsStatus } from '../../status.ts'
import type { TransportStatus } from '../../transport/transport.ts'
import { formatCount } from '../output.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

type Members = GroupStatus['members']

/** Around one entry: what a member asks for before it starts. */
const MESSAGE_RESERVE_BYTES = 8 * 1024
const DEFAULT_ENTRY_BYTES = 512 * 1024

export function checkBus({ connected, maxPayloadBytes, detail }: TransportStatus, members: Members): Finding {
  const check = 'bus'
  const size = `${formatCount(maxPayloadBytes / 1024)} KiB`
  if (!connected) return problem(check, `Not connected: ${detail}`)
  const told = members.flatMap(({ settings }) => (settings === null ? [] : [settings.maxEntryBytes]))
  const largest = Math.max(...told, 0)
  const wanted = (largest === 0 ? DEFAULT_ENTRY_BYTES : largest) + MESSAGE_RESERVE_BYTES
  if (maxPayloadBytes >= wanted) return fine(check, `Connected, takes payloads of ${size}.`)
  const least = `raise max_payload of the server to ${formatCount(wanted / 1024)} KiB at least`
  return largest === 0
    ? warning(
        check,
        `Takes payloads of ${size}, too little for entries of maxEntryBytes at its default: ${least}.`,
      )
    : problem(
        check,
        `Takes payloads of ${size}, too little for entries of ${formatCount(largest / 1024)} KiB (maxEntryBytes), which would hold their followers up for good: ${least}, or lower maxEntryBytes on all members.`,
      )
}

interface Agreement {
  readonly name: string
  readonly of: (settings: SettingsStatus) => number | boolean
  /** What comes of it when they differ. */
  readonly why: string
}

const AGREEMENTS: readonly Agreement[] = [
  {
    name: 'electionTimeoutMs + maxClockDriftMs',
    of: ({ electionTimeoutMs, maxClockDriftMs }) => electionTimeoutMs + maxClockDriftMs,
    why: 'a leader trusts its followers to wait that long',
  },
  {
    name: 'leaderLease',
    of: ({ leaderLease }) => leaderLease,
    why: 'a lease holds only where all withhold their votes',
  },
  {
    name: 'maxEntryBytes',
    of: ({ maxEntryBytes }) => maxEntryBytes,
    why: 'a command that one leader takes is refused by the next',
  },
]

export function checkSettings(members: Members): readonly Finding[] {
  const check = 'settings'
  const told = members.flatMap(({ id, settings }) => (settings === null ? [] : [{ id, settings }]))
  if (told.length === 0) return [fine(check, 'No member tells its settings: they are of an older version.')]
  const unequal = AGREEMENTS.flatMap(({ name, of, why }) => {
    const values = groupedBy(told, ({ settings }) => String(of(settings)))
    if (values.length < 2) return []
    return [problem(check, `${name} is ${values.join(', ')}: set it equal on all members, for ${why}.`)]
  })
  return unequal.length === 0 ? [fine(check, 'What must be equal on all members is equal.')] : unequal
}

export function checkVersions(members: Members): Finding {
  const check = 'versions'
  const told = members.flatMap(({ id, version }) => (version === null ? [] : [{ id, version }]))
  const values = groupedBy(told, ({ version }) => version)
  const [first] = values
  if (first === undefined) return fine(check, 'No member tells its version.')
  return values.length === 1
    ? fine(check, `${first}.`)
    : warning(check, `${values.join(', ')}: go on with the upgrade until all are equal.`)
}

/** `5000 on n1 and n2`. */
function groupedBy<T extends { readonly id: string }>(
  members: readonly T[],
  of: (member: T) => string,
): readonly string[] {
  const values = [...new Set(members.map(of))]
  return values.map((value) => {
    const ids = members.filter((member) => of(member) === value).map(({ id }) => id)
    return `${value} on ${listed(ids)}`
  })
}

function listed(ids: readonly string[]): string {
  const last = ids.at(-1) ?? ''
  return ids.length < 2 ? last : `${ids.slice(0, -1).join(', ')} and ${last}`
}
