// Witnesses (braft's witness, docs/cn/witness.md there): voters that hold every entry by its place and term, and no payload.
// They vote and are counted, and cannot lead: what they hold is enough to say which log is the newest, and too little to
// give it to anybody.

import { roleOf } from './change.ts'
import { isWitness } from './quorum.ts'
import { type Configuration, EntryType, type LogEntry, type LogIndex, type PeerId } from './types.ts'

const NOTHING_OF_IT = new Uint8Array(0)

/**
 * Up to where witnesses may be told of a leader's log: what a voter with data has durably, the leader itself if it stays one.
 * Else a crash of the leader, or its leaving, could leave a witness with the newest log of all: nobody would have what is in
 * it, and nobody could be elected against the vote of the witness.
 */
export function tellableIndex(
  configuration: Configuration,
  self: PeerId,
  durableIndex: LogIndex,
  matchOf: (peer: PeerId) => LogIndex,
): LogIndex {
  if (configuration.peers.includes(self)) return durableIndex
  const holders = configuration.peers.filter((peer) => !isWitness(configuration, peer))
  return Math.min(durableIndex, Math.max(0, ...holders.map(matchOf)))
}

/** What a witness is sent of these entries: up to there, data without its bytes, everything else as it is. */
export function withhold(entries: readonly LogEntry[], tellable: LogIndex): readonly LogEntry[] {
  const durable = entries.filter(({ index }) => index <= tellable)
  return durable.map((entry) =>
    entry.type === EntryType.DATA ? { ...entry, type: EntryType.WITHHELD, data: NOTHING_OF_IT } : entry,
  )
}

/**
 * Whether a leader withholds payload from this peer. The configuration in force says so, or the one that is wished for of
 * whoever is to come. Who is named by neither is about to leave, and is sent what it was sent before.
 */
export function isSentNoPayload(
  configuration: Configuration,
  target: Configuration | null,
  peer: PeerId,
  before: boolean,
): boolean {
  for (const each of [configuration, target])
    if (each !== null && roleOf(each, peer) !== null) return isWitness(each, peer)
  return before
}

/**
 * The first entry that files without payload must not take; null: they may have them all. A leader that sends data takes
 * this member for one that holds what came before as well. What is sent to a witness is never data.
 */
export function refusedByWitness(lacksPayload: boolean, entries: readonly LogEntry[]): LogEntry | null {
  if (!lacksPayload) return null
  return entries.find(({ type }) => type === EntryType.DATA) ?? null
}
