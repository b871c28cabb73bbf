// Whose files a member stands on. Raft's promises (a vote, an acknowledgement) are kept in files; a member that comes
// back under its old name with other files has forgotten them, and must not be believed as if it had not (braft counts
// it like any other). Every directory draws an identity at its first start, and configuration entries record it.

import type { Configuration, Identities, Identity, LogIndex, PeerId } from './types.ts'

/**
 * `known`: the files that the configuration names, or a member of an earlier version, which names none. `unrecorded`: no
 * entry says which files are this member's; it counts, and is recorded. `newcomer`: other files than the recorded ones.
 */
export type Standing = 'known' | 'unrecorded' | 'newcomer'

/**
 * A newcomer's votes, acknowledgements and contact count nowhere. The files it had may have promised a vote to a
 * candidate in a later term, or hold the only second copy of a committed entry.
 */
export function standingOf(configuration: Configuration, peer: PeerId, told: Identity): Standing {
  const recorded = configuration.identities?.[peer] ?? 0
  if (told === 0 || told === recorded) return 'known'
  return recorded === 0 ? 'unrecorded' : 'newcomer'
}

/** What a leader has heard of one member. */
export interface Sighting {
  readonly peer: PeerId
  /** What the member says its files are; 0: it has not said. */
  readonly identity: Identity
  /** Up to where its files equal the leader's log, durably. */
  readonly matchIndex: LogIndex
}

export interface RecordSituation {
  readonly configuration: Configuration
  /** Where the configuration in force stands in the log. */
  readonly configurationIndex: LogIndex
  readonly commitIndex: LogIndex
  readonly sightings: readonly Sighting[]
  /** Members that an operator has vouched for: what they say now is recorded at once. */
  readonly trusted: readonly PeerId[]
}

/**
 * The configuration that a leader appends next to bring its record up to date; null: nothing to record, or the one in
 * force is not committed yet.
 *
 * A newcomer is taken in by two entries, as a joint configuration is (paper section 6). The first announces it, once its
 * files hold everything that is committed; it is committed by a majority of the others, for the newcomer does not count.
 * Whoever acknowledged it has seen the leader's term, so no candidate that the forgotten files may have voted for
 * can have won or still win without this entry: its voters and those who acknowledged share a member that is no newcomer.
 * The second entry is appended when the first is committed, and from then on the newcomer counts. Whoever finds the
 * second one in its log knows that the first was committed.
 */
export function nextRecord(situation: RecordSituation): Configuration | null {
  const { configuration, configurationIndex, commitIndex, sightings, trusted } = situation
  if (configurationIndex > commitIndex) return null
  const identities: Record<PeerId, Identity> = { ...configuration.identities }
  const newcomers: Record<PeerId, Identity> = { ...configuration.newcomers }
  for (const { peer, identity, matchIndex } of sightings) {
    const standing = standingOf(configuration, peer, identity)
    if (standing === 'known') delete newcomers[peer]
    else if (standing === 'unrecorded' || trusted.includes(peer) || newcomers[peer] === identity) {
      if (identity === 0) continue
      identities[peer] = identity
      delete newcomers[peer]
    } else if (matchIndex >= commitIndex) newcomers[peer] = identity
  }
  const isNews = !equal(identities, configuration.identities) || !equal(newcomers, configuration.newcomers)
  return isNews ? { ...configuration, identities, newcomers } : null
}

function equal(a: Identities, b: Identities = {}): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
